"""Whether what would be sent now is what was approved; refused with the name of what differs."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from octoplan.core import approval
from octoplan.core.errors import Blocked, Refused, Stale
from octoplan.ledger import HELD
from octoplan.project.seen import way_out
from octoplan.workflow.plan import verdict
from octoplan.workflow.remembered import distinct

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from octoplan.core.approval import SavedPlan
    from octoplan.core.plan import Plan, PlannedCampaign, PolicyReference, PriceReference
    from octoplan.ledger import Ledger
    from octoplan.project import Project
    from octoplan.workflow.digest import Digested
    from octoplan.workflow.plan import Draft
    from octoplan.workflow.prepare import Prepared

SMALL = 10
"""An audience under ten contacts may lose any share of them."""

NEW_PLAN = "make a new plan and have it approved"


def check_origin(plan: Plan, project: Project) -> None:
    """Refuse a plan that this environment does not apply, whatever its ledger says.

    Raises:
        Stale: it is of another environment, or an offline preview.
    """
    if plan.env != project.surroundings.name:
        raise Stale(
            f"the plan is for environment `{plan.env}`, not `{project.surroundings.name}`: {NEW_PLAN}",
            reason="plan-environment",
        )
    if plan.offline:
        raise Stale(f"an offline plan is a preview and cannot be applied: {NEW_PLAN}", reason="plan-offline")


def check_seal(saved: SavedPlan, ledger: Ledger, *, key: bytes) -> None:
    """Refuse a saved plan that is not whole, is blocked, or was not made against this ledger.

    Raises:
        Stale: a byte differs, it is another ledger's, or of a history that a person has given up.
        Blocked: it holds a blocked campaign.
        Refused: the ledger is older than the plan.
    """
    if not saved.is_sealed(key):
        raise Stale(
            f"the plan's seal does not fit: a byte was changed, or it was made with another ledger's key; {NEW_PLAN}",
            reason="plan-seal",
        )
    _check_ledger(saved.plan, ledger)
    if not saved.plan.approvable:
        raise Blocked("the plan holds a blocked campaign: deselect or mend it and plan again", reason="plan-blocked")


def _check_ledger(plan: Plan, ledger: Ledger) -> None:
    if plan.ledger is None or plan.ledger.id != ledger.identity.id:
        raise Stale(f"the plan was made against another ledger: {NEW_PLAN}", reason="plan-ledger")
    accepted = ledger.accepted()
    if accepted is not None and (plan.ledger.serial < accepted.serial or plan.created_at < accepted.at):
        raise Stale(
            f"the plan was made before a restored ledger was accepted ({accepted.at:%Y-%m-%d %H:%M %Z}), which may not "
            f"remember what this plan sent: {NEW_PLAN}",
            reason="ledger-restored",
        )
    serial = ledger.identity.serial
    if serial < plan.ledger.serial:
        raise Refused(
            f"the ledger's serial {serial} is below the plan's {plan.ledger.serial}: it is a restored backup and may "
            f"not remember what was sent; {way_out(plan.env, serial)}",
            reason="ledger-restored",
        )


def check_content(plan: Plan, content: Digested, *, project: Project) -> None:
    """Refuse files that differ from those the plan was made of, and another account.

    Raises:
        Stale: naming what differs.
    """
    if content.digest != plan.digest:
        raise Stale(f"{_difference(plan, content)}; {NEW_PLAN}", reason="plan-digest")
    for name, account in plan.accounts.items():
        if project.account(name) != account:
            raise Stale(f"the account of {name} differs from the approved plan's: {NEW_PLAN}", reason="plan-account")


def check_approved(saved: SavedPlan, fresh: Draft, *, now: datetime) -> None:
    """Refuse what was not approved, of the campaigns in time: new people or values, or a higher cost.

    Raises:
        Stale: naming what differs.
    """
    for planned, item in paired(saved.plan, fresh):
        if is_in_time(planned, now):
            _check_campaign(saved, planned, item=item)


def paired(plan: Plan, fresh: Draft) -> Iterator[tuple[PlannedCampaign, Prepared]]:
    """Yield every campaign as planned and as it is now; both plans have the same digest."""
    planned = {(row.id, row.edition): row for row in plan.campaigns}
    for item in fresh.prepared:
        yield planned[item.row.id, item.row.edition], item


def is_in_time(planned: PlannedCampaign, now: datetime) -> bool:
    """Tell whether a campaign may be applied now under the plan it is in."""
    return bool(planned.apply_from and planned.apply_until and planned.apply_from <= now <= planned.apply_until)


def check_blocked(plan: Plan, fresh: Draft, *, now: datetime | None) -> None:
    """Refuse to send while a rule stops a campaign that is in time; without `now`, any campaign.

    Raises:
        Blocked: with the exit code of what was found.
    """
    blocked = [(planned, item.row) for planned, item in paired(plan, fresh) if item.row.action == "blocked"]
    stopped = [row for planned, row in blocked if now is None or is_in_time(planned, now)]
    if not stopped:
        return
    told = [f"{row.id}: {one.rule}: {one.message}" for row in stopped for one in row.findings if one.severity != "info"]
    error = Blocked(f"nothing was sent, blocked by {'; '.join(told)}", reason="blocked")
    error.exit = verdict(stopped)
    raise error


def _check_campaign(saved: SavedPlan, planned: PlannedCampaign, *, item: Prepared) -> None:
    strangers = sum(entry not in saved.approved for entry in item.entries)
    if strangers:
        raise Stale(
            f"{strangers:,} contact{'' if strangers == 1 else 's'} of {planned.id} would get something that was not "
            f"approved: they joined, or a value of theirs changed; {NEW_PLAN}",
            reason="plan-contacts",
        )
    if planned.estimate is None:
        return
    if item.row.estimate is not None and Decimal(item.row.estimate.cost) > Decimal(planned.estimate.worst):
        raise Stale(
            f"{planned.id} would cost {item.row.estimate.cost}, approved were at most {planned.estimate.worst}: "
            f"{NEW_PLAN}",
            reason="plan-cost",
        )
    before = planned.estimate.contacts
    dropped = gone(saved.plan, planned, item=item)
    change = item.campaign.audience.expect.max_change
    if before >= SMALL and dropped > before * change:
        raise Stale(
            f"{dropped:,} of {before:,} planned contacts of {planned.id} are gone, more than expect.max_change "
            f"({change:.0%}); {NEW_PLAN}",
            reason="plan-shrunk",
        )


def gone(plan: Plan, planned: PlannedCampaign, *, item: Prepared) -> int:
    """Return how many planned contacts are neither owed now nor were sent, or rejected, since the plan was made."""
    if planned.estimate is None or item.campaign.audience.held:  # of a list only the provider knows who left it
        return 0
    owed = item.row.estimate.contacts if item.row.estimate else 0
    batches = item.edition.batches if item.edition else ()
    claimed = ((batch, max(batch.claimed_at, batch.reserved_at)) for batch in batches if batch.claimed_at is not None)
    # what is imported now was sent earlier; what this plan sent counts whatever the clock says, which may be set back
    since = (batch for batch, at in claimed if batch.plan_id == plan.plan_id or at >= plan.created_at)
    sent = sum(batch.count for batch in since if batch.state in HELD)
    rejected = distinct(item.edition.rejected(plan.plan_id)) if item.edition else set()
    still_owed = item.packer.count(rejected) if item.packer else 0
    return max(0, planned.estimate.contacts - owed - sent - (len(rejected) - still_owed))


def _difference(plan: Plan, content: Digested) -> str:
    """Say what differs from an approved plan, field by field where it can be told."""
    told: list[str] = []
    before = {row.id: row.spec for row in plan.campaigns if row.spec}
    after = content.specs
    told += [f"campaign {name} is gone" for name in sorted(before.keys() - after.keys())]
    told += [f"campaign {name} is new" for name in sorted(after.keys() - before.keys())]
    for name in sorted(before.keys() & after.keys()):
        changed = approval.changes(before[name], after[name])
        told += [f"campaign {name}: {change.path} differs" for change in changed]
    told += [f"the price book of {name} differs" for name in _differing(plan.prices, content.prices)]
    told += [f"the hours policy {name} differs" for name in _differing(plan.hours, content.hours)]
    told += [f"the project's limits.{change.path} differs" for change in approval.changes(plan.limits, content.limits)]
    return "; ".join(told) or "the campaigns, or by which calls they travel, differ from the approved plan"


def _differing(
    old: Mapping[str, PriceReference | PolicyReference], new: Mapping[str, PriceReference | PolicyReference]
) -> list[str]:
    """Return the names of what has another digest, or is in one of the two alone."""
    digests = [{name: one.digest for name, one in references.items()} for references in (old, new)]
    return sorted({name for name, _ in digests[0].items() ^ digests[1].items()})
