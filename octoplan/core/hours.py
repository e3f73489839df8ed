"""The policies on sending hours: named, dated data. What a campaign may do when follows from its kind and policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import TYPE_CHECKING, Literal

from octoplan.core.model import Channel, Purpose
from octoplan.core.opening import Span, Week

if TYPE_CHECKING:
    from datetime import datetime

    from octoplan.core.model import Campaign

PolicyName = Literal["fr-strict", "fr-charter", "any"]

FRANCE = frozenset({"FR", "BL", "GF", "GP", "MF", "MQ", "NC", "PF", "PM", "RE", "WF", "YT"})
"""The countries that the `fr-` policies are made for: France and its overseas regions."""


def _span(start: int, end: int) -> Span:
    return time(start), time(end)


_OFFICE = (_span(8, 20),)
_CALLING = (_span(10, 13), _span(14, 20))
_LONG = (_span(8, 22),)
_WAKING = (_span(8, 21),)

CALLS_IN_FRANCE = Week(days=(*(_CALLING,) * 5, (), ()))
EVERY_DAY = Week(days=(_WAKING,) * 7, holidays=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When recipients may be reached, as of a date. None: at any hour.

    `messages` are marketing by sms and rcs, `calls` marketing by voice, `notices` transactional calls. All
    else may go at any hour under every policy: transactional messages, and e-mail.
    """

    name: PolicyName
    as_of: str
    source: str
    messages: Week | None
    calls: Week | None
    notices: Week | None = EVERY_DAY


POLICIES: dict[str, Policy] = {
    "fr-strict": Policy(
        name="fr-strict",
        as_of="2026-11-01",
        source="calls: decree 2022-1313 of 13 October 2022; messages: the narrowest hours that resellers name",
        messages=Week(days=(*(_OFFICE,) * 5, (_span(10, 18),), ())),
        calls=CALLS_IN_FRANCE,
    ),
    "fr-charter": Policy(
        name="fr-charter",
        as_of="2026-11-01",
        source="calls: decree 2022-1313 of 13 October 2022; messages: the charter of the French carriers",
        messages=Week(days=(*(_LONG,) * 6, ())),
        calls=CALLS_IN_FRANCE,
    ),
    "any": Policy(
        name="any",
        as_of="2026-11-01",
        source="ours: no call wakes anybody",
        messages=None,
        calls=EVERY_DAY,
    ),
}

USUAL: PolicyName = "fr-strict"
"""The policy of marketing that names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """What holds for one campaign: a policy, and the week it has for this kind of message."""

    policy: Policy
    week: Week


def hours(campaign: Campaign) -> Hours | None:
    """Return the hours that a campaign must keep; None: it may go at any hour."""
    marketing = campaign.purpose is Purpose.MARKETING
    policy = POLICIES[campaign.schedule.hours or (USUAL if marketing else "any")]
    week = _week(campaign, policy)
    return None if week is None else Hours(policy=policy, week=week)


def _week(campaign: Campaign, policy: Policy) -> Week | None:
    marketing = campaign.purpose is Purpose.MARKETING
    match campaign.channel:
        case Channel.EMAIL:
            return None
        case Channel.VOICE:
            return policy.calls if marketing else policy.notices
    return policy.messages if marketing else None


def due(campaign: Campaign, now: datetime) -> datetime:
    """Return when a message that is requested now would be due."""
    return max(campaign.schedule.send_at or now, now)
