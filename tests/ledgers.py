"""Ledgers for tests: real SQLite files, a clock that is set by hand, and short ways to say what happens."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from octoplan.core.model import Kind, Receipt
from octoplan.ledger import (
    Adopted,
    Adoption,
    BatchRow,
    BatchState,
    Claim,
    NewBatch,
    RecordedCampaign,
    RecordedPlan,
    Reserve,
    Settlement,
)
from octoplan.ledger.sqlite import SqliteLedger

if TYPE_CHECKING:
    from collections.abc import Iterator

K = bytes(range(32))
ID = "4f2a9c01"
MEMORY = Path("/dev/shm")  # noqa: S108  `TemporaryDirectory` makes a private folder in it
NOON = datetime(2026, 12, 3, 12, tzinfo=UTC)
FAR = NOON + timedelta(days=3650)
SENT = Settlement(state=BatchState.ACCEPTED, receipt=Receipt(ticket="t-1", contacts=2, cost=Decimal("0.10")))
UNKNOWN = Settlement(state=BatchState.IN_DOUBT, reason="time-out")
REJECTED = Settlement(state=BatchState.NOT_SENT, reason="103", rejected=True)
UNREACHABLE = Settlement(state=BatchState.NOT_SENT, reason="refused")


@contextlib.contextmanager
def quick_folder() -> Iterator[Path]:
    """Make a folder in memory where the machine has one: what these tests ask is not asked of the disk."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Path(folder)


@dataclass(slots=True)
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


def packed(*people: int) -> bytes:
    """Return the contact keys of numbered people, ascending; they differ in the last bytes only."""
    return b"".join(person.to_bytes(16, "big") for person in sorted(people))


def people(keys: bytes) -> list[int]:
    """Return the numbers behind packed contact keys."""
    return [int.from_bytes(keys[start : start + 16], "big") for start in range(0, len(keys), 16)]


@dataclass(slots=True)
class World:
    """One ledger with a clock, and the campaign `noel` sent from it."""

    path: Path
    clock: Clock = field(default_factory=Clock)
    ledger: SqliteLedger = field(init=False)

    def __post_init__(self) -> None:
        if self.path.exists():
            self.ledger = self.reopened()
        else:
            self.ledger = SqliteLedger.create(self.path, id=ID, kind=Kind.LIVE, key=K, clock=self.clock)

    def reopened(self) -> SqliteLedger:
        """Open the file once more, as another process would."""
        return SqliteLedger.open(self.path, id=ID, kind=Kind.LIVE, key=K, clock=self.clock)

    def plan(self, plan_id: str, *, worst: str = "100", **more: Any) -> str:
        """Record a plan made at this moment that covers everything, and return a new run of it."""
        row = RecordedCampaign(
            id=more.get("campaign", "noel"),
            edition=more.get("edition", 1),
            apply_from=self.clock(),
            apply_until=more.get("until", self.clock() + timedelta(days=7)),
            worst=Decimal(worst),
            currency="EUR",
            spec=more.get("spec", f'{{"by": "{plan_id}"}}'),
        )
        self.ledger.record(
            RecordedPlan(
                plan_id=plan_id,
                created_at=more.get("created_at", self.clock()),
                everything=more.get("everything", True),
                campaigns=(row, *(replace(row, id=other) for other in more.get("others", ()))),
            )
        )
        return self.ledger.open_run(plan_id)

    def reserve(self, run: str, plan_id: str, *batches: tuple[int, ...], **more: Any) -> tuple[BatchRow, ...]:
        """Reserve batches of numbered people, one euro and one part each."""
        campaign, edition = more.get("campaign", "noel"), more.get("edition", 1)
        version = more.get("version", self.ledger.edition(campaign, edition).version)
        return self.ledger.reserve(
            run,
            plan_id,
            wanted=Reserve(
                campaign=campaign,
                edition=edition,
                version=version,
                seen=more.get("seen", self.ledger.edition(campaign, edition).newest),
                provider="octopush",
                currency="EUR",
                batches=tuple(
                    NewBatch(keys=packed(*batch), parts=len(batch), worst=Decimal(len(batch))) for batch in batches
                ),
            ),
        )

    def claim(self, run: str, batch: str, *dropped: int, payload: str = "h") -> str | None:
        """Claim a batch for a minute."""
        return self.ledger.claim(
            run,
            batch,
            wanted=Claim(
                request_id="request",
                payload_hash=payload,
                deadline=self.clock() + timedelta(seconds=60),
                dropped=packed(*dropped),
            ),
        )

    def send(self, run: str, batch: str, settlement: Settlement = SENT) -> str:
        """Claim and settle a batch, and return the attempt."""
        attempt = self.claim(run, batch)
        assert attempt is not None
        self.ledger.settle(attempt, settlement)
        return attempt

    def adopt(self, *people: int, **more: Any) -> Adopted:
        """Import numbered people as sent elsewhere, at this moment."""
        wanted = Adoption(
            campaign=more.get("campaign", "noel"),
            edition=more.get("edition", 1),
            provider="octopush",
            currency="EUR",
            spec=more.get("spec", '{"channel": "sms"}'),
            keys=packed(*people),
            sent_at=more.get("sent_at", self.clock()),
            actor="ada",
        )
        return self.ledger.adopt(wanted)

    def batch(self, batch: str) -> BatchRow:
        """Return one batch as it reads now."""
        campaign, edition, _number = batch.rsplit("/", 2)
        return next(row for row in self.ledger.edition(campaign, int(edition)).batches if row.id == batch)

    def states(self, edition: int = 1) -> list[str]:
        """Return the states of noel's batches, by number."""
        return [str(row.state) for row in self.ledger.edition("noel", edition).batches]

    def events(self) -> list[tuple[str, str | None, str]]:
        """Return what happened, to which batch, and why."""
        rows = self.ledger._read(lambda tx: tx.rows("SELECT what, batch, reason FROM events ORDER BY id"))
        return [(row["what"], row["batch"], row["reason"]) for row in rows]
