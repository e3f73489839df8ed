"""Whether what would be sent now is what was approved; refused with the name of what differs."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

from octoplan.core import approval
from octoplan.core.errors import Blocked, Refused, Stale

if TYPE_CHECKING:
    from octoplan.core.approval import SavedPlan
    from octoplan.core.plan import Plan, PlannedCampaign
    from octoplan.ledger import Ledger
    from octoplan.project import Project
    from octoplan.workflow.plan import Draft
    from octoplan.workflow.prepare import Prepared

SMALL = 10
"""An audience under ten contacts may lose any share of them."""

SENDING = ("send", "resume", "wait", "in_doubt")
NEW_PLAN = "make a new plan and have it approved"


def check_seal(saved: SavedPlan, project: Project) -> None:
    """Refuse a saved plan that is not whole, not applicable, or made elsewhere.

    Raises:
        Stale: damaged, of another environment, or an offline preview.
        Blocked: it holds a blocked campaign.
    """
    plan = saved.plan
    if plan.env != project.surroundings.name:
        raise Stale(
            f"the plan is for environment `{plan.env}`, not `{project.surroundings.name}`: {NEW_PLAN}",
            reason="plan-environment",
        )
    if plan.offline:
        raise Stale(f"an offline plan is a preview and cannot be applied: {NEW_PLAN}", reason="plan-offline")
    if not saved.is_sealed(project.key):
        raise Stale(
            f"the plan's seal does not fit: a byte was changed, or it was made with another ledger's key; {NEW_PLAN}",
            reason="plan-seal",
        )
    if not plan.approvable:
        raise Blocked("the plan holds a blocked campaign: deselect or mend it and plan again", reason="plan-blocked")


def check_ledger(plan: Plan, ledger: Ledger) -> None:
    """Refuse a plan of another ledger, and a ledger older than the plan.

    Raises:
        Stale: another ledger.
        Refused: the ledger's serial is below the plan's: a restored backup.
    """
    if plan.ledger is None or plan.ledger.id != ledger.identity.id:
        raise Stale(f"the plan was made against another ledger: {NEW_PLAN}", reason="plan-ledger")
    if ledger.identity.serial < plan.ledger.serial:
        raise Refused(
            f"the ledger's serial {ledger.identity.serial} is below the plan's {plan.ledger.serial}: "
            "it is a restored backup and may not remember what was sent; see docs/ledger.md",
            reason="ledger-restored",
        )


def check_accounts(plan: Plan, fresh: Plan) -> None:
    """Refuse a plan made for another account.

    Raises:
        Stale: an account differs.
    """
    for name, account in plan.accounts.items():
        if fresh.accounts.get(name) != account:
            raise Stale(f"the account of {name} differs from the approved plan's: {NEW_PLAN}", reason="plan-account")


def check_approved(saved: SavedPlan, fresh: Draft) -> None:
    """Refuse what was not approved: another digest, people who joined, changed values, higher cost.

    Raises:
        Stale: naming what differs.
    """
    if fresh.plan.digest != saved.plan.digest:
        raise Stale(f"{difference(saved.plan, fresh)}; {NEW_PLAN}", reason="plan-digest")
    planned = {(row.id, row.edition): row for row in saved.plan.campaigns}
    for item in fresh.prepared:
        if item.row.action in SENDING:
            _check_campaign(saved, planned[item.row.id, item.row.edition], item=item)


def _check_campaign(saved: SavedPlan, planned: PlannedCampaign, *, item: Prepared) -> None:
    strangers = sum(entry not in saved.approved for entry in item.entries)
    if strangers:
        raise Stale(
            f"{strangers:,} contacts of {planned.id} would get something that was not approved: "
            f"they joined, or a value of theirs changed; {NEW_PLAN}",
            reason="plan-contacts",
        )
    if planned.estimate is None or item.row.estimate is None:
        return
    if Decimal(item.row.estimate.worst) > Decimal(planned.estimate.worst):
        raise Stale(
            f"{planned.id} would cost up to {item.row.estimate.worst}, approved were {planned.estimate.worst}: "
            f"{NEW_PLAN}",
            reason="plan-cost",
        )
    before = planned.estimate.contacts
    gone = before - item.row.estimate.contacts - _sent_since(planned, item)
    change = item.campaign.audience.expect.max_change
    if before >= SMALL and gone > before * change:
        raise Stale(
            f"{gone:,} of {before:,} planned contacts of {planned.id} are gone, more than expect.max_change "
            f"({change:.0%}); {NEW_PLAN}",
            reason="plan-shrunk",
        )


def _sent_since(planned: PlannedCampaign, item: Prepared) -> int:
    then = planned.audience.already_sent if planned.audience else 0
    now = item.row.audience.already_sent if item.row.audience else 0
    return max(0, now - then)


def difference(plan: Plan, fresh: Draft) -> str:
    """Say what differs between an approved plan and a fresh one, field by field where it can be told."""
    told: list[str] = []
    before = {row.id: row for row in plan.campaigns}
    after = {row.id: row for row in fresh.plan.campaigns}
    told += [f"campaign {name} is gone" for name in sorted(before.keys() - after.keys())]
    told += [f"campaign {name} is new" for name in sorted(after.keys() - before.keys())]
    for name in sorted(before.keys() & after.keys()):
        changed = approval.changes(before[name].spec, after[name].spec)
        told += [f"campaign {name}: {change.path} differs" for change in changed]
    for name in sorted(plan.prices.keys() | fresh.plan.prices.keys()):
        old, new = plan.prices.get(name), fresh.plan.prices.get(name)
        if old is None or new is None or old.digest != new.digest:
            told.append(f"the price book of {name} differs")
    if json.dumps(plan.limits, sort_keys=True) != json.dumps(fresh.plan.limits, sort_keys=True):
        told.append("the project's limits differ")
    return "; ".join(told) or "the campaigns differ from the approved plan"
