from __future__ import annotations

import sqlite3
import stat
from pathlib import Path  # noqa: TC003  pytest reads annotations
from typing import TYPE_CHECKING

import pytest
from ledgers import ID, Clock, K, World

from octoplan.core.errors import Exit, Refused
from octoplan.core.model import Kind
from octoplan.ledger import BACKENDS, connection

if TYPE_CHECKING:
    from octoplan.ledger import Ledger


def opened(path: Path, *, id: str | None = ID, kind: Kind = Kind.LIVE, key: bytes = K) -> Ledger:  # noqa: A002  its name
    return BACKENDS["sqlite"].open(path, id=id, kind=kind, key=key, clock=Clock())


def refusal(path: Path, *, id: str | None = ID, kind: Kind = Kind.LIVE, key: bytes = K) -> Refused:  # noqa: A002  its name
    with pytest.raises(Refused) as caught:
        opened(path, id=id, kind=kind, key=key)
    assert caught.value.exit is Exit.INPUT
    assert "init" not in str(caught.value)
    return caught.value


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def made(path: Path) -> Path:
    World(path).ledger.close()
    return path


def test_a_new_ledger_is_private_and_whole(made: Path) -> None:
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert {found.name for found in made.parent.iterdir()} <= {"ledger.db", "ledger.db-journal"}
    ledger = opened(made)
    assert (ledger.identity.id, ledger.identity.kind, ledger.identity.serial) == (ID, Kind.LIVE, 0)
    assert ledger.check() == ()
    assert ledger.edition("noel", 1).version == 0
    ledger.close()


def test_the_sandbox_opens_whatever_id_is_there(path: Path) -> None:
    BACKENDS["sqlite"].create(path, id="00000000", kind=Kind.SANDBOX, key=K, clock=Clock()).close()
    opened(path, id=None, kind=Kind.SANDBOX).close()


def test_a_ledger_is_never_made_over_another(made: Path) -> None:
    before = made.read_bytes()
    with pytest.raises(FileExistsError):
        BACKENDS["sqlite"].create(made, id="00000000", kind=Kind.LIVE, key=K, clock=Clock())
    assert made.read_bytes() == before


def test_no_ledger_is_made_where_no_folder_is(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no ledger can be made") as caught:
        World(tmp_path / "nowhere" / "ledger.db")
    assert caught.value.reason == "ledger-unwritable"


def test_a_ledger_that_cannot_be_filled_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.PRAGMAS, "max_page_count", 3)
    with pytest.raises(Refused) as caught:
        World(path)
    assert caught.value.reason == "ledger-unwritable"
    assert list(path.parent.iterdir()) == []


def test_missing(path: Path) -> None:
    assert refusal(path).reason == "ledger-missing"
    assert "docs/ledger.md" in str(refusal(path))
    assert not path.exists()


def test_below_a_file(made: Path) -> None:
    assert refusal(made / "ledger.db").reason == "ledger-missing"


def test_empty(path: Path) -> None:
    path.touch(0o600)
    assert refusal(path).reason == "ledger-empty"


def test_a_link(made: Path) -> None:
    link = made.with_name("link.db")
    link.symlink_to(made)
    assert refusal(link).reason == "ledger-path"


def test_open_to_others(made: Path) -> None:
    made.chmod(0o640)
    assert refusal(made).reason == "ledger-path"
    assert "0640" in str(refusal(made))


def test_another_database(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE meta (id TEXT)")
    db.close()
    path.chmod(0o600)
    assert refusal(path).reason == "ledger-foreign"


@pytest.mark.parametrize("content", [b"no database at all", b"SQLite format 3\0" + bytes(5000)])
def test_no_database(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)
    assert refusal(path).reason == "ledger-corrupt"


def test_cut_short(made: Path) -> None:
    with made.open("r+b") as file:
        file.truncate(5000)
    assert refusal(made).reason == "ledger-corrupt"


def test_newer(made: Path) -> None:
    with sqlite3.connect(made) as db:
        db.execute("UPDATE meta SET schema_version = 3")
    db.close()
    assert refusal(made).reason == "ledger-newer"


def test_another_id(made: Path) -> None:
    error = refusal(made, id="77b0d2aa")
    assert error.reason == "ledger-foreign"
    assert "4f2a9c01" in str(error)
    assert "77b0d2aa" in str(error)


def test_another_kind(made: Path) -> None:
    assert refusal(made, kind=Kind.REHEARSAL).reason == "ledger-kind"


def test_another_key(made: Path) -> None:
    assert refusal(made, key=bytes(32)).reason == "ledger-key"


def test_a_pragma_that_does_not_hold(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.PRAGMAS, "synchronous", 9)
    with pytest.raises(sqlite3.NotSupportedError, match="synchronous is"):
        opened(made)
