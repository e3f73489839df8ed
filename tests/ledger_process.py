"""Another process on a ledger: `python ledger_process.py PATH hold|share SEED`.

`hold` claims a batch of two people and waits to be killed. `share` reserves and claims what it can of
400 people, packed in its own way, and prints the batches it claimed with their people.
"""

from __future__ import annotations

import random
import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from ledgers import ID, NOON, Clock, K, packed, people

from octoplan.core.model import Kind
from octoplan.ledger import Claim, NewBatch, RecordedCampaign, RecordedPlan, Reserve
from octoplan.ledger.sqlite import SqliteLedger

MADE = datetime(2026, 1, 1, tzinfo=UTC)


def plan() -> RecordedPlan:
    """Return the plan that all these processes apply."""
    row = RecordedCampaign(
        id="noel",
        edition=1,
        apply_from=MADE,
        apply_until=datetime.max.replace(tzinfo=UTC),
        worst=Decimal(10_000),
        currency="EUR",
        spec="{}",
    )
    return RecordedPlan(plan_id="p1", created_at=MADE, everything=True, campaigns=(row,))


def reserve(given: list[list[int]]) -> Reserve:
    """Return the reservation of numbered people, as planned before anybody reserved anything."""
    batches = tuple(NewBatch(keys=packed(*batch), parts=len(batch), worst=Decimal(len(batch))) for batch in given)
    return Reserve(campaign="noel", edition=1, version=0, seen=0, provider="octopush", currency="EUR", batches=batches)


def main(path: str, what: str, seed: str) -> None:
    ledger = SqliteLedger.open(Path(path), id=ID, kind=Kind.LIVE, key=K, clock=Clock())
    run = ledger.open_run("p1")
    ledger.record(plan())
    if what == "hold":
        (row,) = ledger.reserve(run, "p1", wanted=reserve([[1, 2]]))
        ledger.claim(run, row.id, wanted=_claim())
        print("claimed", flush=True)  # noqa: T201  the parent waits for it
        time.sleep(60)
    for row in ledger.reserve(run, "p1", wanted=reserve(_packing(random.Random(seed)))):  # noqa: S311  a test's dice
        if ledger.claim(run, row.id, wanted=_claim()):
            print(row.id, *people(row.keys), flush=True)  # noqa: T201  the parent reads it
    ledger.close_run(run)
    ledger.close()


def _claim() -> Claim:
    deadline = NOON + timedelta(seconds=60)
    return Claim(request_id="r", payload_hash="h", deadline=deadline)


def _packing(dice: random.Random) -> list[list[int]]:
    everybody = dice.sample(range(1, 401), k=300)
    size = dice.randint(3, 6)
    return [sorted(everybody[start : start + size]) for start in range(0, len(everybody), size)]


if __name__ == "__main__":
    main(*sys.argv[1:])
