"""Recorded plans: which of them may still send a campaign, and for how much."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from octoplan.core.errors import Stale
from octoplan.core.model import Money
from octoplan.core.trial import is_trial
from octoplan.ledger.transaction import written

if TYPE_CHECKING:
    import sqlite3

    from octoplan.ledger.records import RecordedPlan
    from octoplan.ledger.transaction import Transaction

_NEWEST = """
    SELECT plan_id FROM plans
    WHERE (everything = 1 AND ? = 0)
       OR EXISTS (SELECT 1 FROM plan_campaigns c WHERE c.plan_id = plans.plan_id AND c.campaign = ?)
    ORDER BY created_at DESC, plan_id DESC LIMIT 1
"""

_SAME = """
    SELECT 1 FROM plan_campaigns a JOIN plan_campaigns b USING (campaign, edition, spec)
    WHERE a.plan_id = ? AND b.plan_id = ? AND campaign = ? AND edition = ?
"""


def record(tx: Transaction, plan: RecordedPlan) -> None:
    """Record a plan once."""
    if tx.row("SELECT 1 FROM plans WHERE plan_id = ?", plan.plan_id):
        return
    tx.change(
        "INSERT INTO plans (plan_id, created_at, everything, recorded_at) VALUES (?, ?, ?, ?)",
        plan.plan_id,
        written(plan.created_at),
        int(plan.everything),
        tx.at,
    )
    tx.db.executemany(
        "INSERT INTO plan_campaigns (plan_id, campaign, edition, apply_from, apply_until, worst, currency, spec)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                plan.plan_id,
                row.id,
                row.edition,
                written(row.apply_from),
                written(row.apply_until),
                str(row.worst),
                row.currency,
                row.spec,
            )
            for row in plan.campaigns
        ],
    )
    tx.event("plan-recorded", details=plan.plan_id)


def superseding(tx: Transaction, plan_id: str, *, campaign: str, edition: int | None = None) -> str | None:
    """Return the newer plan that covers a campaign; None for the newest, and for a plan not recorded.

    With an edition, the question is whether a request of it may be repeated: a newer plan in which it is word for
    word the same wants nothing else.
    """
    newest = _newest(tx, campaign)
    if newest is None or newest["plan_id"] == plan_id or not tx.row("SELECT 1 FROM plans WHERE plan_id = ?", plan_id):
        return None
    of = (plan_id, newest["plan_id"], campaign, edition)
    return None if tx.row(_SAME, *of) else str(newest["plan_id"])


def refuse_superseded(tx: Transaction, plan_id: str, *, campaign: str, edition: int | None = None) -> None:
    """Refuse to send a campaign under anything but the newest recorded plan that covers it, as `superseding` says.

    Raises:
        Stale: `plan-superseded`.
        LookupError: the plan was not recorded, or does not cover the campaign.
    """
    if _newest(tx, campaign) is None or not tx.row("SELECT 1 FROM plans WHERE plan_id = ?", plan_id):
        raise LookupError(plan_id, campaign)
    newer = superseding(tx, plan_id, campaign=campaign, edition=edition)
    if newer is not None:
        raise Stale(
            f"{campaign}: the newer applied plan {newer[:8]} covers it: make a new plan", reason="plan-superseded"
        )


def _newest(tx: Transaction, campaign: str) -> sqlite3.Row | None:
    """Return the newest plan that covers a campaign; one of everything covers no trial."""
    return tx.row(_NEWEST, int(is_trial(campaign)), campaign)


def refuse_cost(tx: Transaction, plan_id: str, *, campaign: str, edition: int) -> None:
    """Refuse what would make charges and open worst costs exceed what the plan approved for this edition.

    Raises:
        Stale: `cost-over-approved`.
    """
    of = (plan_id, campaign, edition)
    row = tx.rows("SELECT worst, currency FROM plan_campaigns WHERE plan_id = ? AND campaign = ? AND edition = ?", *of)[
        0
    ]
    batches = tx.rows(
        "SELECT worst, charged FROM batches"
        " WHERE plan_id = ? AND campaign = ? AND edition = ? AND state NOT IN ('not_sent', 'released')",
        *of,
    )
    approved = Money(amount=Decimal(row["worst"]), currency=row["currency"])
    bound = sum((Decimal(row["charged"] or row["worst"]) for row in batches), start=Decimal(0))
    if bound > approved.amount:
        raise Stale(
            f"{campaign}: {replace(approved, amount=bound)} charged or at stake would exceed the approved {approved}: "
            "make a new plan",
            reason="cost-over-approved",
        )
