"""The hours of recipients: found while planning, kept at each request."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from octoplan.core.errors import Exit
from octoplan.core.hours import due, hours
from octoplan.core.places import Whereabouts
from octoplan.core.rules.hours import Due
from octoplan.core.trial import is_trial

if TYPE_CHECKING:
    from datetime import datetime

    from octoplan.core.batch import Packed, Packer
    from octoplan.core.held import HeldPacker
    from octoplan.core.model import Batch, Campaign
    from octoplan.project import Project

RULE = "hours"
"""The rule whose acceptance lets messages go at any hour."""

CLOSED = "closed"


def policy(campaign: Campaign) -> str | None:
    """Return the name of the policy that a campaign names, or is held to; None: neither."""
    found = hours(campaign)
    return campaign.schedule.hours or (found.policy.name if found else None)


def whereabouts(campaign: Campaign, project: Project) -> Whereabouts:
    """Return what is to remember where a campaign's contacts may be; a trial reaches nobody but test contacts.

    In the built-in sandbox what has no `send_at` is not held back: a demonstration on a Sunday works.
    """
    found = None if is_trial(campaign.id) else hours(campaign)
    demonstration = project.surroundings.is_built_in and campaign.schedule.send_at is None
    held = RULE not in campaign.allow and not demonstration
    return Whereabouts(week=found.week if found else None, held=held)


def planned(packer: Packer | HeldPacker, packed: Packed, *, now: datetime, takes: timedelta) -> Due | None:
    """Return when a campaign's messages are due, planned now; None where that is nobody's business."""
    found, counts = hours(packer.campaign), packer.whereabouts.counts
    if found is None or not counts:
        return None
    return Due(
        campaign=packer.campaign,
        hours=found,
        counts=counts,
        now=now,
        held=packer.whereabouts.held,
        together=packed.calls < packed.contacts,
        takes=takes,
    )


def shown(planned: Due | None) -> dict[str, object]:
    """Return what a plan's row holds of the hours: from when until when everybody may be reached, if they are kept."""
    found = planned.around if planned and planned.held else None
    if planned is None or found is None:
        return {}
    zone = ZoneInfo(planned.campaign.schedule.timezone)
    return {"open_from": found[0].astimezone(zone), "open_until": found[1].astimezone(zone)}


def is_closed(batch: Batch, now: datetime) -> bool:
    """Tell whether a batch that is requested now would be due when somebody in it may not be reached."""
    return batch.opening is not None and not batch.opening.is_open(due(batch.campaign, now))


def closes_in(batch: Batch, now: datetime, *, within: timedelta) -> timedelta | None:
    """Return in what time somebody in a batch that is due when requested can be reached no more; None: not so soon."""
    if batch.opening is None or due(batch.campaign, now) > now or batch.opening.is_open(now + within):
        return None
    found = batch.opening.around(now)
    return found[1] - now if found else timedelta(0)


def told(batch: Batch, now: datetime, *, closes: datetime | None) -> tuple[Exit, str]:
    """Return what to say of a closed batch whose campaign's time in its plan `closes`, and the exit code of that."""
    campaign = batch.campaign
    opens = batch.opening.next_open(due(campaign, now)) if batch.opening else None
    told = f"{campaign.id} is closed under {policy(campaign)}"
    if opens is not None:
        zone = ZoneInfo(campaign.schedule.timezone)
        told += f" until {opens.astimezone(zone):%a %Y-%m-%d %H:%M} {zone.key}"
    if opens is None or closes is None or opens > closes:
        return Exit.STALE, f"{told}, which is after its time in this plan: make a new plan"
    return Exit.UNFINISHED, f"{told}: run the same command again then"
