from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path  # noqa: TC003  pytest reads annotations
from typing import TYPE_CHECKING, Any

import pytest

from octoplan.core.errors import Refused, Unfinished
from octoplan.ledger import connection
from octoplan.ledger.connection import Connection, connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "some.db"
    path.touch(0o600)
    with connect(path) as db:
        db.execute("CREATE TABLE t (x INTEGER UNIQUE, y INTEGER REFERENCES t (x) DEFERRABLE INITIALLY DEFERRED)")
    db.close()
    return path


@pytest.fixture
def link(path: Path) -> Iterator[Connection]:
    link = Connection(path)
    yield link
    link.close()


def add(x: int, y: int | None = None) -> Callable[[sqlite3.Connection], int]:
    def operation(db: sqlite3.Connection) -> int:
        db.execute("INSERT INTO t VALUES (?, ?)", (x, y))
        return x

    return operation


def together(link: Connection, *operations: Callable[[sqlite3.Connection], Any]) -> list[Future[Any]]:
    """Submit operations while the thread is busy, so that they share one commit."""
    busy, go = threading.Event(), threading.Event()

    def hold(_db: sqlite3.Connection) -> None:
        busy.set()
        go.wait(10)

    with ThreadPoolExecutor(len(operations) + 1) as pool:
        held = pool.submit(link.read, hold)
        busy.wait(10)
        asked = []
        for count, operation in enumerate(operations, 1):
            asked.append(pool.submit(link.write, operation))
            while len(link._writes) < count:
                pass
        go.set()
        held.result()
    return asked


def content(link: Connection) -> list[int]:
    return link.read(lambda db: [row[0] for row in db.execute("SELECT x FROM t ORDER BY x")])


def test_one_that_fails_does_not_hurt_the_others(link: Connection) -> None:
    def fails(db: sqlite3.Connection) -> None:
        add(2)(db)
        raise KeyError("mine")

    good, bad, other = together(link, add(1), fails, add(3))
    assert (good.result(), other.result()) == (1, 3)
    with pytest.raises(KeyError, match="mine"):
        bad.result()
    assert content(link) == [1, 3]


def test_a_commit_that_fails_fails_everybody(link: Connection) -> None:
    asked = together(link, add(1), add(2, 99), add(3))
    for future in asked:
        with pytest.raises(sqlite3.IntegrityError):
            future.result()
    assert content(link) == []
    assert link.write(add(4)) == 4


def test_a_lost_transaction_fails_everybody(link: Connection) -> None:
    def loses(db: sqlite3.Connection) -> None:
        db.execute("INSERT OR ROLLBACK INTO t VALUES (1, NULL)")

    asked = together(link, add(1), loses, add(3))
    for future in asked:
        with pytest.raises(sqlite3.IntegrityError):
            future.result()
    assert content(link) == []


def test_reading_leaves_nothing_behind(link: Connection) -> None:
    assert link.read(add(1)) == 1
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        link.read(lambda db: db.execute("SELECT * FROM nowhere"))
    with pytest.raises(sqlite3.OperationalError):
        link.read(lambda db: (db.execute("ROLLBACK"), db.execute("SELECT * FROM nowhere")))
    assert content(link) == []


def test_late_arrivals_share_the_commit_up_to_a_limit(link: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LARGEST_GROUP", 2)
    assert [future.result() for future in together(link, add(1), add(2), add(3))] == [1, 2, 3]


def test_busy(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BUSY_SECONDS", 0)
    link, other = Connection(path), connect(path)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(Unfinished) as caught:
        link.write(add(1))
    assert caught.value.reason == "ledger-busy"
    other.close()
    link.close()


def test_full(link: Connection) -> None:
    link.read(lambda db: db.execute("PRAGMA max_page_count=3"))
    with pytest.raises(Refused) as caught:
        link.write(connection.write_test)
    assert caught.value.reason == "ledger-unwritable"


def test_the_write_test_reaches_the_disk_and_leaves_nothing(link: Connection, path: Path) -> None:
    sizes = []

    def measure(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE big (content BLOB)")
        db.execute("INSERT INTO big VALUES (zeroblob(?))", (connection.WRITE_TEST,))
        sizes.append(path.stat().st_size)

    link.read(measure)
    assert sizes[0] > connection.WRITE_TEST // 4
    link.write(connection.write_test)
    assert path.stat().st_size < connection.WRITE_TEST // 4


def test_read_only(link: Connection) -> None:
    link.read(lambda db: db.execute("PRAGMA query_only=1"))
    with pytest.raises(Refused) as caught:
        link.write(add(1))
    assert caught.value.reason == "ledger-unwritable"


def test_what_is_closed_or_forked_is_not_used(path: Path) -> None:
    link = Connection(path)
    link._owner += 1
    with pytest.raises(RuntimeError, match="fork"):
        link.read(add(1))
    link._owner -= 1
    link.close()
    with pytest.raises(RuntimeError, match="closed"):
        link.read(add(1))
