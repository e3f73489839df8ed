"""What was sent of late: which campaigns said what, and to whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from octoplan.core.trial import PREFIX
from octoplan.ledger.queries import LONGEST_LEAD, arrival
from octoplan.ledger.transaction import moment, written

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from octoplan.ledger.transaction import Transaction

_SINCE = """
    SELECT begun.campaign, begun.edition, begun.plan_id, held, last_at, created_at, spec
    FROM (SELECT campaign, edition, plan_id, MAX(claimed_at) AS last_at,
                 MAX(CASE WHEN state IN ('claimed', 'accepted', 'in_doubt', 'cancelled') THEN 1 ELSE 0 END) AS held
          FROM batches WHERE claimed_at >= ? AND campaign NOT LIKE ? GROUP BY campaign, edition, plan_id) begun
    JOIN plans ON plans.plan_id = begun.plan_id
    JOIN plan_campaigns c
      ON c.plan_id = begun.plan_id AND c.campaign = begun.campaign AND c.edition = begun.edition
    ORDER BY created_at, begun.campaign, begun.edition
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What one plan claimed of one edition; `spec` is the campaign's canonical JSON in that plan.

    `held`: a batch of it counts as sent; else all were refused. `read_keys` gives the packed keys of everybody whom
    that plan reserved for it, also of those it was not sent yet.
    """

    campaign: str
    edition: int
    planned_at: datetime
    spec: str
    held: bool
    read_keys: Callable[[], bytes] = field(repr=False, compare=False)


def since(tx: Transaction, start: datetime, *, read_keys: Callable[..., bytes]) -> tuple[Sent, ...]:
    """Return what arrives since then, the oldest plan first; trials count for nothing.

    `read_keys` is given a plan's id and, by name, campaign and edition.
    """
    return tuple(
        Sent(
            campaign=row["campaign"],
            edition=row["edition"],
            planned_at=moment(row["created_at"]),
            spec=row["spec"],
            held=bool(row["held"]),
            read_keys=partial(read_keys, row["plan_id"], campaign=row["campaign"], edition=row["edition"]),
        )
        for row in tx.rows(_SINCE, written(start - LONGEST_LEAD), f"{PREFIX}%")
        if arrival(row["last_at"], row["spec"]) >= start
    )


def keys(tx: Transaction, plan_id: str, *, campaign: str, edition: int) -> bytes:
    """Return the packed keys of everybody whom a plan reserved for an edition, batch after batch."""
    rows = tx.rows(
        "SELECT keys FROM batches JOIN batch_keys ON batch = id WHERE plan_id = ? AND campaign = ? AND edition = ?",
        plan_id,
        campaign,
        edition,
    )
    return b"".join(row["keys"] for row in rows)
