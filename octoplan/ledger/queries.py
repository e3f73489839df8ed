"""What the ledger tells: editions, sums, one contact's history."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from octoplan.core.trial import PREFIX
from octoplan.ledger import batches, packed, runs
from octoplan.ledger.records import HELD, IMPORTED, BatchState, Edition, EditionSummary
from octoplan.ledger.transaction import moment, written

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

    from octoplan.ledger.records import BatchRow
    from octoplan.ledger.transaction import Transaction

LONGEST_LEAD = timedelta(days=90)
"""How long before it arrives a message may be claimed."""

_OPEN = HELD | {BatchState.RESERVED}
"""The states in which a batch without a charge may still cost its worst."""


def edition(tx: Transaction, campaign: str, *, number: int, read_keys: Callable[[tuple[str, ...]], bytes]) -> Edition:
    """Return an edition; one that was never reserved is empty."""
    row = tx.row(
        "SELECT version, closed, spec FROM editions e LEFT JOIN plan_campaigns c"
        " ON c.plan_id = claimed_plan AND c.campaign = e.campaign AND c.edition = e.edition"
        " WHERE e.campaign = ? AND e.edition = ?",
        campaign,
        number,
    )
    return Edition(
        campaign=campaign,
        edition=number,
        version=row["version"] if row else 0,
        newest=tx.rows("SELECT COALESCE(MAX(id), 0) FROM events")[0][0],
        closed=bool(row and row["closed"]),
        spec=row["spec"] if row else None,
        batches=batches.of_edition(tx, campaign, edition=number),
        read_keys=read_keys,
    )


def editions(tx: Transaction, campaign: str) -> tuple[int, ...]:
    """Return the editions of which something was reserved."""
    rows = tx.rows("SELECT edition FROM editions WHERE campaign = ? ORDER BY edition", campaign)
    return tuple(row["edition"] for row in rows)


def summaries(tx: Transaction) -> tuple[EditionSummary, ...]:
    """Return the sums of every edition."""
    living = runs.alive(tx)
    sums: dict[tuple[str, int], _Sums] = defaultdict(_Sums)
    rows = tx.rows(
        "SELECT b.campaign, b.edition, b.state, b.run, b.reason, b.contacts, b.held, b.worst, charged, b.currency,"
        " ticket,"
        " a.contacts AS taken,"
        " created_at, b.plan_id, c.worst AS approved"
        " FROM batches b LEFT JOIN attempts a ON a.id = attempt JOIN plans p ON p.plan_id = b.plan_id"
        " JOIN plan_campaigns c ON c.plan_id = b.plan_id AND c.campaign = b.campaign AND c.edition = b.edition"
    )
    for row in rows:
        sums[row["campaign"], row["edition"]].add(row, batches.state_now(row, living))
    return tuple(
        sums[row["campaign"], row["edition"]].summary(row["campaign"], row["edition"], closed=bool(row["closed"]))
        for row in tx.rows("SELECT campaign, edition, closed FROM editions ORDER BY campaign, edition")
    )


@dataclass(slots=True)
class _Sums:
    """Adds up the batches of one edition."""

    contacts: dict[BatchState, int] = field(default_factory=lambda: defaultdict(int))
    batches: dict[BatchState, int] = field(default_factory=lambda: defaultdict(int))
    charged: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    open: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    without_ticket: int = 0
    imported: int = 0
    fewer: int = 0
    of_provider: bool = False
    bounds: dict[tuple[str, str, str], Decimal] = field(default_factory=dict)
    """The approved worst of each plan: by its time, id and currency, so that the greatest is the newest."""
    spent: dict[tuple[str, str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def add(self, row: sqlite3.Row, state: BatchState) -> None:
        self.contacts[state] += row["contacts"]
        self.batches[state] += 1
        self.of_provider = self.of_provider or bool(row["held"])
        imported = row["reason"] == IMPORTED and state is BatchState.ACCEPTED
        self.imported += row["contacts"] if imported else 0
        self.without_ticket += state is BatchState.ACCEPTED and not row["ticket"] and not imported
        if state is BatchState.ACCEPTED and row["taken"] is not None:
            self.fewer += max(0, row["contacts"] - row["taken"])
        if row["charged"] is not None:
            self.charged[row["currency"]] += Decimal(row["charged"])
        elif state in _OPEN:
            self.open[row["currency"]] += Decimal(row["worst"])
        plan = (row["created_at"], row["plan_id"], row["currency"])
        self.bounds[plan] = Decimal(row["approved"])
        if state in HELD:
            self.spent[plan] += Decimal(row["charged"] or row["worst"])

    def approved(self) -> dict[str, Decimal]:
        newest = max(self.bounds, default=None)
        approved: dict[str, Decimal] = defaultdict(Decimal)
        for plan, bound in self.bounds.items():
            approved[plan[-1]] += bound if plan == newest else self.spent[plan]
        return dict(approved)

    def summary(self, campaign: str, number: int, *, closed: bool) -> EditionSummary:
        return EditionSummary(
            campaign=campaign,
            edition=number,
            closed=closed,
            contacts=dict(self.contacts),
            batches=dict(self.batches),
            without_ticket=self.without_ticket,
            imported=self.imported,
            fewer=self.fewer,
            of_provider=self.of_provider,
            charged=dict(self.charged),
            open=dict(self.open),
            approved=self.approved(),
        )


def specs(tx: Transaction, campaign: str, *, edition: int) -> dict[str, str]:
    """Return what an edition was in each recorded plan, by the plan's id."""
    rows = tx.rows("SELECT plan_id, spec FROM plan_campaigns WHERE campaign = ? AND edition = ?", campaign, edition)
    return {row["plan_id"]: row["spec"] for row in rows}


def has_history(tx: Transaction) -> bool:
    """Tell whether anything but a trial was ever claimed or imported."""
    claimed = "SELECT 1 FROM batches WHERE claimed_at IS NOT NULL AND campaign NOT LIKE ? LIMIT 1"
    return tx.row(claimed, f"{PREFIX}%") is not None


def find(tx: Transaction, key: bytes) -> tuple[BatchRow, ...]:
    """Return the batches that hold a contact key; reads every key there is, in the database's own loop."""
    rows = tx.db.execute("SELECT batch, keys FROM batch_keys WHERE instr(keys, ?) > 0", (key,))
    return batches.by_ids(tx, [row["batch"] for row in rows if packed.holds(row["keys"], key)])


def arrival(claimed_at: str, spec: str) -> datetime:
    """Return when a message arrives: it may be claimed long before its campaign's moment, or a little after."""
    return max(moment(claimed_at), _send_at(spec) or moment(claimed_at))


@lru_cache(maxsize=1024)
def _send_at(spec: str) -> datetime | None:
    found = json.loads(spec).get("schedule", {}).get("send_at")
    return None if found is None else datetime.fromisoformat(found)


def recent(tx: Transaction, since: datetime, *, until: datetime, like: Mapping[str, str]) -> tuple[bytes, ...]:
    """Return the keys of each batch that arrives in a time and counts as sent; trials count for nothing.

    Only of campaigns whose spec, as it was planned, has the values of `like`.
    """
    rows = tx.db.execute(
        "SELECT keys, claimed_at, spec FROM batches b JOIN batch_keys ON batch = b.id"
        " JOIN plan_campaigns c ON c.plan_id = b.plan_id AND c.campaign = b.campaign AND c.edition = b.edition"
        " WHERE claimed_at >= ? AND state IN ('claimed', 'accepted', 'in_doubt', 'cancelled')"
        " AND b.campaign NOT LIKE ?",
        (written(since - LONGEST_LEAD), f"{PREFIX}%"),
    )
    fits = cache(lambda spec: like.items() <= json.loads(spec).items())
    found = tuple(
        row["keys"] for row in rows if fits(row["spec"]) and since <= arrival(row["claimed_at"], row["spec"]) <= until
    )
    batches.refuse_disorder(found)
    return found
