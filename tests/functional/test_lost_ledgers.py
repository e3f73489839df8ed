"""A ledger that is lost, restored, foreign or damaged: refused before any request, with the way out, and no harm done.

Each case begins with three contacts who were sent one campaign, and an approved plan of another one.
"""

from __future__ import annotations

import json
import os
import resource
import secrets
import shutil
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from relay import relaying, reply_held
from workspaces import CAMPAIGN, Ended, Workspace, tally

from octoplan import project as projects
from octoplan.core.model import Kind
from octoplan.ledger import BACKENDS
from octoplan.project import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REHEARSAL = ("--env", "rehearsal")
SECOND = ("apply", "second.zip")
VERBS = (SECOND, ("plan",), ("resolve",), ("resolve", "noel/1/1", "--as", "sent", "--reason", "seen"), ("status",))
PAGE = 4096

Damage = "Callable[[Workspace], object]"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Send one campaign of a rehearsal and approve another one, once for all tests."""
    project = Workspace(tmp_path_factory.mktemp("template")).usual()
    project.edit("octoplan.yaml", "environments:", 'test_contacts: {team: ["+33639980099"]}\nenvironments:')
    project.variables = {"XDG_STATE_HOME": str(project.root / "state")}
    with project.serving():
        project.run(*REHEARSAL, "ledger", "init")
        shutil.copy2(place(project), project.root / "new.db")
        project.run(*REHEARSAL, "plan", "--out", "first.zip")
        project.run("apply", "first.zip")
        project.write("campaigns/second.yaml", CAMPAIGN.replace("noel", "second"))
        project.run(*REHEARSAL, "plan", "--out", "second.zip")
        project.ask("reset", all=True)
        yield project


@pytest.fixture
def project(template: Workspace, tmp_path: Path) -> Workspace:
    """Return a copy of it on a machine that has seen its ledger."""
    template.ask("reset", all=True)
    copy = Workspace(tmp_path / "copy")
    shutil.copytree(template.root, copy.root, dirs_exist_ok=True)
    copy.served = template.served
    copy.variables = {"XDG_STATE_HOME": str(copy.root / "state")}
    return copy


def place(project: Workspace) -> Path:
    return project.root / "rehearsal.db"


def key_file(project: Workspace) -> Path:
    (found,) = (project.root / ".octoplan/keys").iterdir()
    return found


def asked(project: Workspace) -> list[Any]:
    found: list[Any] = project.ask("requests")["requests"]
    return found


def refused(project: Workspace, *words: str, reason: str) -> Ended:
    """Run a verb that must say why it refuses, to people and to programs, and ask nobody anything."""
    ended = project.run(*REHEARSAL, *words, "--json", code=1)
    assert json.loads(ended.out.splitlines()[-1])["reason"] == reason
    assert ended.err.endswith(f" ({reason})\n")
    assert len(ended.err.splitlines()) == 1
    assert "init" not in ended.err
    assert asked(project) == []
    return ended


def goes_on(project: Workspace) -> None:
    """Apply the second plan with the right ledger in its place: everybody once, nobody the first campaign."""
    assert tally(project.run(*SECOND).out)["accepted"] == 3
    assert tally(project.run(*SECOND).out)["accepted"] == 0
    assert project.counts() == {"deliveries": 3, "addresses": 3, "most_per_address": 1}


# lost, damaged, foreign


def cut(length: int) -> Callable[[Workspace], None]:
    return lambda project: os.truncate(place(project), length % place(project).stat().st_size)


def half(project: Workspace) -> None:
    os.truncate(place(project), place(project).stat().st_size // 2)


def put_noise(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek(page * PAGE)
        file.write(secrets.token_bytes(PAGE))


def noise_in(table: str) -> Callable[[Workspace], None]:
    def spoil(project: Workspace) -> None:
        with closing(sqlite3.connect(place(project))) as db:
            (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        put_noise(place(project), root - 1)

    return spoil


def rename(old: bytes, new: bytes) -> Callable[[Workspace], None]:
    """Overwrite the name of a table or column so that SQLite takes it for what was wished."""

    def spoil(project: Workspace) -> None:
        content = place(project).read_bytes()
        place(project).write_bytes(content.replace(old, new))

    return spoil


def no_text(project: Workspace) -> None:
    """Overwrite text with what is none."""
    content = place(project).read_bytes()
    place(project).write_bytes(content.replace(b"rehearsal", b"\xff" * 9))


def in_place(make: Callable[[Path], object]) -> Callable[[Workspace], None]:
    def change(project: Workspace) -> None:
        place(project).rename(project.root / "moved.db")
        make(place(project))

    return change


def other(project: Workspace, *, identity: str = "00000000", kind: Kind = Kind.REHEARSAL) -> None:
    place(project).unlink()
    key = bytes.fromhex(key_file(project).read_text())
    BACKENDS["sqlite"].create(place(project), id=identity, kind=kind, key=key, clock=utc_now).close()


def newer(project: Workspace) -> None:
    with closing(sqlite3.connect(place(project))) as db:
        db.execute("UPDATE meta SET schema_version = 99")
        db.commit()


def own(project: Workspace) -> Path:
    return project.root / "moved.db"


LOST = {
    "deleted": (lambda project: place(project).unlink(), "ledger-missing"),
    "emptied": (cut(0), "ledger-empty"),
    "first 100 bytes": (cut(100), "ledger-corrupt"),
    "first half": (half, "ledger-corrupt"),
    "without its last page": (lambda project: cut(place(project).stat().st_size - PAGE)(project), "ledger-corrupt"),
    "noise in meta": (noise_in("meta"), "ledger-corrupt"),
    "noise in batches": (noise_in("batches"), "ledger-corrupt"),
    "noise in runs": (noise_in("runs"), "ledger-corrupt"),
    "noise in events": (noise_in("events"), "ledger-corrupt"),
    "another table name": (rename(b"meta", b"atem"), "ledger-corrupt"),
    "another column name": (rename(b"ended_at", b"ta_dedne"), "ledger-corrupt"),
    "no text": (no_text, "ledger-corrupt"),
    "folder": (in_place(Path.mkdir), "ledger-path"),
    "link": (in_place(lambda path: path.symlink_to("moved.db")), "ledger-path"),
    "pipe": (in_place(os.mkfifo), "ledger-path"),
    "of another project": (other, "ledger-foreign"),
    "live": (lambda project: other(project, identity=key_file(project).name, kind=Kind.LIVE), "ledger-kind"),
    "newer": (newer, "ledger-newer"),
    "key of another": (lambda project: key_file(project).write_text(secrets.token_hex(32)), "ledger-key"),
    "key elsewhere": (lambda project: project.variables.update(OCTOPLAN_LEDGER_KEY="f" * 64), "ledger-key"),
    "key lost": (lambda project: key_file(project).unlink(), "key-missing"),
}


@pytest.mark.parametrize("case", LOST)
def test_a_ledger_that_is_not_the_one_or_not_whole(project: Workspace, case: str) -> None:
    damage, reason = LOST[case]
    key = key_file(project)
    content, secret, variables = place(project).read_bytes(), key.read_bytes(), dict(project.variables)
    damage(project)  # type: ignore[no-untyped-call]  # the lambdas above
    for words in VERBS:
        refused(project, *words, reason=reason)
    assert f"({reason})" in project.run(*REHEARSAL, "ledger", "check", code=1).err
    lost = place(project)
    if lost.is_dir():
        lost.rmdir()
    else:
        lost.unlink(missing_ok=True)
    lost.write_bytes(content)
    lost.chmod(0o600)
    key.write_bytes(secret)
    project.variables = variables
    goes_on(project)
