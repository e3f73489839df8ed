"""The ledger in one SQLite file."""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import threading
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from octoplan.core.errors import InDoubt, OctoplanError, Refused
from octoplan.core.model import NOTHING
from octoplan.ledger import (
    adoption,
    attempts,
    audit,
    batches,
    drafts,
    file,
    history,
    plans,
    queries,
    rescue,
    reservation,
    runs,
    sent,
)
from octoplan.ledger.connection import Connection, trouble, write_test
from octoplan.ledger.records import Identity
from octoplan.ledger.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, timedelta
    from decimal import Decimal
    from pathlib import Path

    from octoplan.core.model import Kind
    from octoplan.ledger.ledger import Clock
    from octoplan.ledger.records import (
        Acceptance,
        Adopted,
        Adoption,
        BatchRow,
        Claim,
        Doubtful,
        Draft,
        Edition,
        EditionSummary,
        LeftDraft,
        Mark,
        RecordedPlan,
        Reserve,
        Settlement,
    )
    from octoplan.ledger.sent import Sent

T = TypeVar("T")


class SqliteLedger:
    """A `Ledger` in a local file, shared by the processes of one machine."""

    def __init__(self, path: Path, connection: Connection, *, clock: Clock) -> None:
        self._path = path
        self._connection = connection
        self._clock = clock
        self._open_runs: dict[str, _OpenRun] = {}
        self._moved: Callable[[], None] | None = None

    @classmethod
    def create(cls, path: Path, *, id: str, kind: Kind, key: bytes, clock: Clock) -> SqliteLedger:  # noqa: A002  its name
        """Make a new ledger and open it."""
        file.make(path, Identity(id=id, kind=kind, serial=0), key=key, now=clock())
        return cls.open(path, id=id, kind=kind, key=key, clock=clock)

    @classmethod
    def open(cls, path: Path, *, id: str | None, kind: Kind, key: bytes, clock: Clock) -> SqliteLedger:  # noqa: A002  its name
        """Open a ledger that is there."""
        file.refuse_path(path)
        try:
            connection = Connection(path)
        except sqlite3.Error as error:
            raise trouble(error) from error
        ledger = cls(path, connection, clock=clock)
        try:
            ledger._read(partial(file.refuse_other, id=id, kind=kind, key=key))
            if ledger._read(file.is_older):
                ledger._write(file.upgrade)
            ledger._read(file.refuse_misshapen)
        except BaseException:
            ledger.close()
            raise
        return ledger

    @property
    def identity(self) -> Identity:
        """Return id, kind and the present serial."""
        return self._read(file.identify)

    # what it remembers

    def edition(self, campaign: str, edition: int) -> Edition:
        """Return one edition with all its batches."""
        return self._read(lambda tx: queries.edition(tx, campaign, number=edition, read_keys=self._read_keys))

    def editions(self, campaign: str) -> tuple[int, ...]:
        """Return the editions of which something was reserved."""
        return self._read(lambda tx: queries.editions(tx, campaign))

    def campaigns(self) -> tuple[EditionSummary, ...]:
        """Return the sums of every edition."""
        return self._read(queries.summaries)

    def in_doubt(self) -> tuple[BatchRow, ...]:
        """Return the batches a person must look at."""
        return self._read(batches.unsettled)

    def doubtful(self) -> tuple[Doubtful, ...]:
        """Return the batches in doubt with what decides whether their requests may be repeated."""
        return self._read(attempts.doubtful)

    def find(self, key: bytes) -> tuple[BatchRow, ...]:
        """Return the batches that hold one contact key."""
        return self._read(lambda tx: queries.find(tx, key))

    def recent(self, since: datetime, *, until: datetime, like: Mapping[str, str] = NOTHING) -> tuple[bytes, ...]:
        """Return the keys of each batch that arrives in a time and counts as sent, of campaigns like these."""
        return self._read(lambda tx: queries.recent(tx, since, until=until, like=like))

    def specs(self, campaign: str, edition: int) -> Mapping[str, str]:
        """Return an edition's canonical JSON in each recorded plan."""
        return self._read(lambda tx: queries.specs(tx, campaign, edition=edition))

    def has_history(self) -> bool:
        """Tell whether anything but a trial was ever sent, or imported."""
        return self._read(queries.has_history)

    def sent_since(self, start: datetime) -> tuple[Sent, ...]:
        """Return what was claimed of each edition under each plan since then, the oldest plan first."""
        return self._read(lambda tx: sent.since(tx, start, read_keys=self._read_sent))

    def rescues(self) -> tuple[str, ...]:
        """Return the rescue files that wait to be imported, or cannot be."""
        found = ((path.name, len(rescue.lines(path))) for path in rescue.files(self._path))
        return tuple(f"{name}: {count} outcomes not recorded" for name, count in found if count)

    def check(self) -> tuple[str, ...]:
        """Return what is wrong with the ledger."""
        return (*self._read(lambda tx: tuple(audit.problems(tx))), *self.rescues())

    # how far it has come

    def mark(self) -> Mark:
        """Return how far the history has come."""
        return self._read(history.newest)

    def goes_on_from(self, mark: Mark) -> bool:
        """Tell whether the history holds what was seen, or a person has accepted since that it does not."""
        return self._read(lambda tx: history.goes_on_from(tx, mark))

    def watch(self, moved: Callable[[], None]) -> None:
        """Call `moved` after every reserve, and before closing."""
        self._moved = moved

    def accept(self, serial: int, *, above: int, actor: str, reason: str) -> int:
        """Note that a person accepts the history as it is, under a new serial."""
        return self._write(lambda tx: history.accept(tx, serial, above=above, actor=actor, reason=reason))

    def accepted(self) -> Acceptance | None:
        """Return the newest acceptance, if any."""
        return self._read(history.accepted)

    def refuse_clock(self) -> None:
        """Refuse to go on with a clock that stands before what the ledger remembers."""
        self._read(runs.refuse_clock)

    def refuse_damage(self) -> None:
        """Refuse a file that is broken anywhere."""
        self._read(audit.refuse_damage)

    # runs and plans

    def open_run(self, plan_id: str) -> str:
        """Begin a run, after making durable what became of the runs that are gone."""
        run = secrets.token_hex(8)
        self._write(_refuse_unfit)
        self._recover()
        self._write(lambda tx: runs.start(tx, run, plan_id=plan_id))
        try:
            saved = rescue.RescueFile(self._path, run)
        except OSError as error:
            self._write(lambda tx: runs.end(tx, run, why="no-rescue-file"))
            raise Refused(
                f"no rescue file can be made beside the ledger: {error.strerror}", reason="ledger-unwritable"
            ) from error
        self._open_runs[run] = _OpenRun(saved, partial(self.heartbeat, run))
        return run

    def heartbeat(self, run: str) -> None:
        """Show that a run lives."""
        self._write(lambda tx: runs.beat(tx, run))

    def close_run(self, run: str) -> None:
        """End a run."""
        self._open_runs.pop(run).close()
        self._write(lambda tx: runs.end(tx, run, why="done"))

    def record(self, plan: RecordedPlan) -> None:
        """Record a plan that is being applied."""
        self._write(lambda tx: plans.record(tx, plan))

    def superseded(self, plan_id: str, campaign: str) -> str | None:
        """Return the newer recorded plan that covers the campaign, if any."""
        return self._read(lambda tx: plans.superseding(tx, plan_id, campaign=campaign))

    # a batch

    def reserve(self, run: str, plan_id: str, *, wanted: Reserve) -> tuple[BatchRow, ...]:
        """Reserve a campaign's batches in one transaction."""
        rows = self._write(lambda tx: reservation.reserve(tx, run, plan_id=plan_id, wanted=wanted))
        self._tell()
        return rows

    def claim(self, run: str, batch_id: str, *, wanted: Claim) -> str | None:
        """Make a reserved batch ours to send, durably."""
        try:
            return self._write(lambda tx: attempts.claim(tx, run, batch_id=batch_id, wanted=wanted))
        except Refused:  # its last flush may have failed: then it is there, and nobody was told
            with contextlib.suppress(OctoplanError):
                self._write(lambda tx: attempts.withdraw(tx, run, batch_id=batch_id))
            raise

    def repeat(self, run: str, batch_id: str, *, wanted: Claim) -> str | None:
        """Claim a batch in doubt for the identical request, durably."""
        return self._write(lambda tx: attempts.repeat(tx, run, batch_id=batch_id, wanted=wanted))

    def draft(self, run: str, batch_id: str) -> Draft | None:
        """Return the draft of a reserved batch as it stands for a run."""
        return self._write(lambda tx: drafts.current(tx, run, batch_id=batch_id))

    def prepare(self, run: str, batch_id: str, *, wanted: Claim) -> str | None:
        """Note, before its request leaves, that a draft is asked for."""
        return self._write(lambda tx: drafts.begin(tx, run, batch_id=batch_id, wanted=wanted))

    def prepared(self, draft: str, ticket: str) -> bool:
        """Note the ticket of a draft."""
        return self._write(lambda tx: drafts.keep(tx, draft, ticket=ticket))

    def abandon(self, draft: str, reason: str) -> None:
        """Give a draft up."""
        self._write(lambda tx: drafts.abandon(tx, draft, reason=reason))

    def unsendable(self, batch_id: str, *, reason: str, rejected: bool) -> None:
        """End a reserved batch of which nothing was sent: rejected, or released."""
        self._write(lambda tx: drafts.end(tx, batch_id, reason=reason, rejected=rejected))

    def left_drafts(self) -> tuple[LeftDraft, ...]:
        """Return the drafts that nobody will confirm, and that were not cancelled yet."""
        return self._write(drafts.left)

    def prove(self, batch_id: str, settlement: Settlement) -> bool:
        """Close a batch in doubt by a record of the provider."""
        return self._write(lambda tx: attempts.prove(tx, batch_id, settlement=settlement))

    def renew(self, attempt: str, deadline: datetime) -> None:
        """Set a later deadline for an attempt of which nothing was sent."""
        self._write(lambda tx: attempts.renew(tx, attempt, deadline=deadline))

    def earlier(self, attempt: str) -> bool:
        """Tell whether the batch was attempted before with the same request id and payload."""
        return self._read(lambda tx: attempts.earlier(tx, attempt))

    def settle(self, attempt: str, settlement: Settlement) -> Decimal:
        """Record how an attempt ended; if that cannot be, write it to the rescue file."""
        try:
            excess = self._write(lambda tx: attempts.settle(tx, attempt, settlement=settlement))
        except Exception as error:  # whatever it is, the outcome must not be lost with it
            raise self._rescued(attempt, settlement, error=error) from error
        if excess is None:
            raise InDoubt(
                f"an answer ({settlement.state}) came after a person had decided on its batch: "
                "see the ledger's event `late-answer`",
                reason="attempt-closed",
            )
        return excess

    def decide(self, batch_id: str, *, sent: bool, actor: str, reason: str, quiet: timedelta) -> None:
        """Close a batch in doubt by a person's word."""
        self._recover()
        decision = attempts.Decision(sent=sent, actor=actor, reason=reason, quiet=quiet)
        self._write(lambda tx: attempts.decide(tx, batch_id, decision=decision))

    def cancel(self, batch_id: str, *, actor: str, reason: str) -> bool:
        """Note that the provider has cancelled an accepted batch."""
        return self._write(lambda tx: batches.cancel(tx, batch_id, actor=actor, reason=reason))

    def adopt(self, wanted: Adoption) -> Adopted:
        """Record what was sent elsewhere."""
        self._recover()
        return self._write(lambda tx: adoption.adopt(tx, wanted))

    def close(self) -> None:
        """Let go of the ledger."""
        self._tell()
        for run in self._open_runs.values():
            run.close()
        self._open_runs.clear()
        self._connection.close()

    def _tell(self) -> None:
        if self._moved is not None:
            with contextlib.suppress(OctoplanError, sqlite3.Error):  # whoever hears of it may look at a broken file
                self._moved()

    def _write(self, operation: Callable[[Transaction], T]) -> T:
        return self._connection.write(lambda db: operation(Transaction(db, self._clock())))

    def _read(self, operation: Callable[[Transaction], T]) -> T:
        return self._connection.read(lambda db: operation(Transaction(db, self._clock())))

    def _read_sent(self, plan_id: str, *, campaign: str, edition: int) -> bytes:
        return self._read(lambda tx: sent.keys(tx, plan_id, campaign=campaign, edition=edition))

    def _read_keys(self, ids: tuple[str, ...]) -> bytes:
        return self._read(lambda tx: batches.keys_of(tx, ids))

    def _recover(self) -> None:
        """Import what was rescued, then note what is in doubt; files go only once that is durable."""
        living = self._read(runs.alive)
        left = [path for path in rescue.files(self._path) if rescue.run_of(path) not in {*living, *self._open_runs}]
        outcomes = {path: [rescue.read(line) for line in rescue.lines(path)] for path in left}
        known = self._write(lambda tx: _import(tx, [found for read in outcomes.values() for found in read if found]))
        for path, read in outcomes.items():
            if all(found and found[0] in known for found in read):
                path.unlink(missing_ok=True)

    def _rescued(self, attempt: str, settlement: Settlement, *, error: Exception) -> InDoubt:
        line = rescue.line(attempt, settlement)
        place = "in this message only"
        for run in self._open_runs.values():
            if run.rescue(line):
                place = "in the rescue file beside it"
                break
        return InDoubt(
            f"sent, but the ledger could not record it ({error}); the outcome is {place}: {line}", reason="not-recorded"
        )


def _refuse_unfit(tx: Transaction) -> None:
    """Refuse a clock that stands wrong and a disk that takes nothing, before any network use."""
    runs.refuse_clock(tx)
    write_test(tx.db)


def _import(tx: Transaction, outcomes: list[tuple[str, Settlement]]) -> frozenset[str]:
    """Return the attempts that are known here: a restored ledger lacks some, whose outcomes must stay in their file."""
    for attempt, settlement in outcomes:
        if attempts.awaits_answer(tx, attempt):
            attempts.settle(tx, attempt, settlement=settlement)
    runs.sweep(tx)
    return frozenset(attempt for attempt, _ in outcomes if attempts.is_known(tx, attempt))


class _OpenRun:
    """What lives as long as a run: its rescue file and its heartbeat."""

    def __init__(self, saved: rescue.RescueFile, beat: Callable[[], None]) -> None:
        self._saved = saved
        self._beat = beat
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live, name="heartbeat", daemon=True)
        self._thread.start()

    def rescue(self, line: str) -> bool:
        """Write a line to the rescue file; tell whether it is there."""
        try:
            self._saved.write(line)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Stop the heartbeat and let go of the rescue file."""
        self._over.set()
        self._thread.join()
        self._saved.close()

    def _live(self) -> None:
        while not self._over.wait(runs.HEARTBEAT_SECONDS):
            try:
                self._beat()
            except (OctoplanError, sqlite3.Error):
                continue  # a beat that fails is no reason to stop sending; the next one may succeed
