"""The ledger as the checker reads it: its own SQL, and its own keyed hashes. Where ledgers are opened is here alone."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FREE = ("not_sent", "released")
SIZE = 16


def keyed(key: bytes, *fields: bytes) -> bytes:
    """Return BLAKE2b of 16 bytes under `key` over fields, each after its length in 8 bytes (decision 1)."""
    content = b"".join(len(one).to_bytes(8, "big") + one for one in fields)
    return hashlib.blake2b(content, key=key, digest_size=SIZE).digest()


def contact_key(key: bytes, address: str) -> bytes:
    """Return the key of a canonical address."""
    return keyed(key, b"contact", address.encode())


def held_key(key: bytes) -> bytes:
    """Return the key that stands for an audience which the provider holds."""
    return keyed(key, b"held")


def approved_entry(key: bytes, campaign: tuple[str, int], *, contact: bytes, content: str) -> bytes:
    """Return what stands in the approved set for one person."""
    name, edition = campaign
    return keyed(key, b"approved", name.encode(), edition.to_bytes(8, "big"), contact, content.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A batch as it is recorded."""

    id: str
    campaign: str
    edition: int
    plan: str
    state: str
    rejected: bool
    contacts: int
    worst: Decimal
    charged: Decimal | None
    attempt: str | None
    run: str | None
    keys: frozenset[bytes]
    held: bool

    @property
    def free(self) -> bool:
        """Whether its people are owed again."""
        return self.state in FREE

    @property
    def of(self) -> tuple[str, int]:
        """Campaign and edition."""
        return self.campaign, self.edition


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to send a batch."""

    id: str
    batch: str
    run: str
    request_id: str
    claimed_at: str
    deadline: str
    state: str
    ticket: str | None
    contacts: int | None
    cost: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened."""

    id: int
    at: str
    what: str
    run: str | None
    batch: str | None
    actor: str
    reason: str
    details: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedPlan:
    """A plan somebody applied, and until when each of its campaigns may leave."""

    id: str
    created_at: str
    everything: bool
    recorded_at: str
    campaigns: frozenset[str]

    def covers(self, campaign: str) -> bool:
        """Tell whether a campaign is sent under this plan or a newer one only."""
        return self.everything or campaign in self.campaigns


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """All of a ledger at one moment."""

    serial: int
    batches: dict[str, Batch]
    attempts: dict[str, Attempt]
    events: tuple[Event, ...]
    plans: dict[str, RecordedPlan]
    runs: dict[str, str]
    drafts: dict[str, str]
    """By request id, when a campaign was asked to be prepared."""

    def held(self, of: tuple[str, int]) -> frozenset[bytes]:
        """Return the keys of everybody who got an edition, or may have."""
        groups = [batch.keys for batch in self.batches.values() if batch.of == of and not batch.free]
        return frozenset(key for group in groups for key in group)

    def by_request(self) -> dict[str, list[Attempt]]:
        """Return the attempts by request id."""
        found: dict[str, list[Attempt]] = {}
        for attempt in self.attempts.values():
            found.setdefault(attempt.request_id, []).append(attempt)
        return found


def read(path: Path) -> Book | None:
    """Read a ledger; None where there is none that can be read."""
    if not path.is_file():
        return None
    try:
        with _opened(path) as db:
            return Book(
                serial=db.execute("SELECT serial FROM meta").fetchone()[0],
                batches={batch.id: batch for batch in _batches(db)},
                attempts={attempt.id: attempt for attempt in _attempts(db)},
                events=tuple(_events(db)),
                plans={plan.id: plan for plan in _plans(db)},
                runs=dict(db.execute("SELECT id, plan_id FROM runs").fetchall()),
                drafts=dict(db.execute("SELECT request_id, asked_at FROM drafts").fetchall()),
            )
    except sqlite3.DatabaseError:
        return None


def contents(path: Path) -> bytes:
    """Return every byte a ledger has on the disk, rescue files and journals included."""
    files = sorted(path.parent.glob(f"{path.name}*"))
    return b"".join(file.read_bytes() for file in files if file.is_file())


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a ledger; what a crash has left half written is left for octoplan to roll back."""
    journal = path.with_name(f"{path.name}-journal")
    with contextlib.ExitStack() as stack:
        if journal.exists() and journal.stat().st_size:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            for file in (path, journal):
                shutil.copyfile(file, folder / file.name)
            path = folder / path.name
        yield stack.enter_context(contextlib.closing(sqlite3.connect(path, timeout=10)))


def _batches(db: sqlite3.Connection) -> Iterator[Batch]:
    rows = db.execute(
        "SELECT id, campaign, edition, plan_id, state, rejected, contacts, worst, charged, attempt, run, keys,"
        " held"
        " FROM batches JOIN batch_keys ON batch = id ORDER BY campaign, edition, number"
    )
    for row in rows:
        keys = row[11]
        yield Batch(
            id=row[0],
            campaign=row[1],
            edition=row[2],
            plan=row[3],
            state=row[4],
            rejected=bool(row[5]),
            contacts=row[6],
            worst=Decimal(row[7]),
            charged=None if row[8] is None else Decimal(row[8]),
            attempt=row[9],
            run=row[10],
            keys=frozenset(keys[start : start + SIZE] for start in range(0, len(keys), SIZE)),
            held=bool(row[12]),
        )


def _attempts(db: sqlite3.Connection) -> Iterator[Attempt]:
    rows = db.execute(
        "SELECT id, batch, run, request_id, claimed_at, deadline, state, ticket, contacts, cost FROM attempts"
    )
    for row in rows:
        yield Attempt(
            id=row[0],
            batch=row[1],
            run=row[2],
            request_id=row[3],
            claimed_at=row[4],
            deadline=row[5],
            state=row[6],
            ticket=row[7],
            contacts=row[8],
            cost=row[9],
        )


def _events(db: sqlite3.Connection) -> Iterator[Event]:
    for row in db.execute("SELECT id, at, what, run, batch, actor, reason, details FROM events ORDER BY id"):
        yield Event(
            id=row[0], at=row[1], what=row[2], run=row[3], batch=row[4], actor=row[5], reason=row[6], details=row[7]
        )


def _plans(db: sqlite3.Connection) -> Iterator[RecordedPlan]:
    covered: dict[str, set[str]] = {}
    for plan, campaign in db.execute("SELECT plan_id, campaign FROM plan_campaigns"):
        covered.setdefault(plan, set()).add(campaign)
    for row in db.execute("SELECT plan_id, created_at, everything, recorded_at FROM plans"):
        yield RecordedPlan(
            id=row[0],
            created_at=row[1],
            everything=bool(row[2]),
            recorded_at=row[3],
            campaigns=frozenset(covered.get(row[0], ())),
        )
