"""One thread owns the SQLite connection; whoever waits at the same moment shares one commit.

A commit on a rollback journal costs several flushes of the disk, whatever it holds. So every operation
runs in a savepoint of its own, where its failure hurts nobody else, and all of them become durable
together: nobody is answered before the commit, and if it fails everybody is told so.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import quote

from octoplan.core.errors import OctoplanError, Refused, Unfinished
from octoplan.core.quoting import visible

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

LARGEST_GROUP = 256
BUSY_SECONDS = 30
WRITE_TEST = 4 << 20
"""Bytes that must fit on the disk before a run begins; more than SQLite keeps in memory."""

# Read back after setting. TRUNCATE and EXTRA flush the journal's end, too; 2 keeps temporary tables off the disk.
PRAGMAS: dict[str, str | int] = {
    "journal_mode": "truncate",
    "synchronous": 3,
    "foreign_keys": 1,
    "trusted_schema": 0,
    "temp_store": 2,
}

_UNWRITABLE = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_NOLFS,
    }
)


_NO_TEXT = "Could not decode to UTF-8"
"""What Python says, without any code of SQLite's, of a text that was overwritten."""

_LONGEST_WHY = 120


class _Waiting(Generic[T]):
    """An operation whose caller waits for the commit."""

    def __init__(self, operation: Callable[[sqlite3.Connection], T]) -> None:
        self.operation = operation
        self.answer: Future[T] = Future()
        self._result: T
        self._error: BaseException | None = None

    def run(self, db: sqlite3.Connection) -> None:
        """Run in a savepoint and keep what came of it; raises only if the whole transaction is lost."""
        db.execute("SAVEPOINT operation")
        try:
            self._result = self.operation(db)
        except BaseException as error:
            self._error = error
            if not db.in_transaction:
                raise
            db.execute("ROLLBACK TO operation")
        db.execute("RELEASE operation")

    def finish(self) -> None:
        """Tell the caller, after the commit."""
        if self._error is None:
            self.answer.set_result(self._result)
        else:
            self.answer.set_exception(self._error)


class Connection:
    """The ledger's one connection. Not to be used on the other side of a `fork`.

    Raises:
        sqlite3.Error: the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._owner = os.getpid()
        self._writes: deque[_Waiting[Any]] = deque()
        self._reads: deque[_Waiting[Any]] = deque()
        self._arrived = threading.Condition()
        self._closing = False
        opened: Future[None] = Future()
        self._thread = threading.Thread(target=self._serve, args=(path, opened), name="ledger", daemon=True)
        self._thread.start()
        opened.result()

    def write(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """Run an operation in a write transaction and return once it is durable.

        Raises:
            OctoplanError: the operation's own, or the ledger cannot be written; then nothing happened.
        """
        return self._submit(self._writes, operation)

    def read(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """Run an operation on one consistent state of the ledger; nothing it does stays."""
        return self._submit(self._reads, operation)

    def close(self) -> None:
        """Finish what waits and let go of the file."""
        with self._arrived:
            self._closing = True
            self._arrived.notify()
        self._thread.join()

    def _submit(self, waiting: deque[_Waiting[Any]], operation: Callable[[sqlite3.Connection], T]) -> T:
        if os.getpid() != self._owner:
            raise RuntimeError("a ledger must be opened again after fork")
        asked = _Waiting(operation)
        with self._arrived:
            if self._closing:
                raise RuntimeError("the ledger is closed")
            waiting.append(asked)
            self._arrived.notify()
        try:
            return asked.answer.result()
        except sqlite3.Error as error:
            raise trouble(error) from error

    def _serve(self, path: Path, opened: Future[None]) -> None:
        try:
            db = connect(path)
        except BaseException as error:  # noqa: BLE001  it belongs to whoever opens the ledger
            opened.set_exception(error)
            return
        opened.set_result(None)
        with contextlib.closing(db):
            while self._work_arrives():
                if self._writes:
                    self._commit(db)
                if self._reads:
                    self._look(db, self._reads.popleft())

    def _work_arrives(self) -> bool:
        with self._arrived:
            self._arrived.wait_for(lambda: self._writes or self._reads or self._closing)
            return bool(self._writes or self._reads)

    def _commit(self, db: sqlite3.Connection) -> None:
        group = arrivals = self._arrivals(LARGEST_GROUP)
        try:
            db.execute("BEGIN IMMEDIATE")
            while arrivals:
                for waiting in arrivals:
                    waiting.run(db)
                arrivals = self._arrivals(LARGEST_GROUP - len(group))
                group = [*group, *arrivals]
            db.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001  it belongs to everybody in the group
            _roll_back(db)
            for waiting in group:
                waiting.answer.set_exception(error)
        else:
            for waiting in group:
                waiting.finish()

    def _arrivals(self, most: int) -> list[_Waiting[Any]]:
        return [self._writes.popleft() for _ in range(min(most, len(self._writes)))]

    def _look(self, db: sqlite3.Connection, asked: _Waiting[Any]) -> None:
        try:
            db.execute("BEGIN")
            asked.run(db)
        except BaseException as error:  # noqa: BLE001  it belongs to the caller
            _roll_back(db)
            asked.answer.set_exception(error)
        else:
            _roll_back(db)
            asked.finish()


def connect(path: Path) -> sqlite3.Connection:
    """Open an existing file, with every pragma set and read back.

    Raises:
        sqlite3.Error: it is no database, or a pragma does not hold.
    """
    db = sqlite3.connect(
        f"file:{quote(bytes(path))}?mode=rw",
        uri=True,
        isolation_level=None,
        timeout=BUSY_SECONDS,
        cached_statements=256,
    )
    try:
        db.row_factory = sqlite3.Row
        for name, value in PRAGMAS.items():
            db.execute(f"PRAGMA {name}={value}")
        if wrong := wrong_pragmas(db):
            raise sqlite3.NotSupportedError(", ".join(wrong))
    except sqlite3.Error:
        db.close()
        raise
    return db


def wrong_pragmas(db: sqlite3.Connection) -> tuple[str, ...]:
    """Return what does not read back as it must, `name is value`."""
    found = {name: db.execute(f"PRAGMA {name}").fetchone()[0] for name in PRAGMAS}
    return tuple(f"{name} is {value}" for name, value in found.items() if value != PRAGMAS[name])


def write_test(db: sqlite3.Connection) -> None:
    """Make SQLite write to the disk what a long run may need, and take it back."""
    db.execute("SAVEPOINT write_test")
    db.execute("CREATE TABLE write_test (content BLOB)")
    db.execute("INSERT INTO write_test VALUES (zeroblob(?))", (WRITE_TEST,))
    db.execute("ROLLBACK TO write_test")
    db.execute("RELEASE write_test")


def trouble(error: sqlite3.Error) -> Exception:
    """Return what an SQLite error means for a person; a bug of ours stays what it is."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return _told(code, error) or error


def damaged(why: str) -> Refused:
    """Return what is said of a broken file; what SQLite quotes of it stays on one short line."""
    return Refused(
        f"the ledger is damaged ({visible(why)[:_LONGEST_WHY]}): restore it, see docs/ledger.md",
        reason="ledger-corrupt",
    )


def _told(code: int, error: sqlite3.Error) -> OctoplanError | None:
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Unfinished(
            f"the ledger was held by another process for {BUSY_SECONDS} s: run the same command again",
            reason="ledger-busy",
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or str(error).startswith(_NO_TEXT):
        return damaged(str(error))
    if code in _UNWRITABLE:
        return Refused(
            f"the ledger cannot be written ({error}): make room, or make its file and folder writable",
            reason="ledger-unwritable",
        )
    return None


def _roll_back(db: sqlite3.Connection) -> None:
    if db.in_transaction:
        with contextlib.suppress(sqlite3.Error):
            db.execute("ROLLBACK")
