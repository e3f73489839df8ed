"""What a plan does with a campaign, and why; and the time in which it may leave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from octoplan.core.model import Campaign
    from octoplan.core.plan import Action

OPEN_FOR = timedelta(days=7)
"""How long a campaign without `send_at` may be applied after its plan was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The time in which a campaign may be applied."""

    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What decides the action: counts of contacts by what became of them, and the time."""

    owed: int
    already_sent: int
    in_doubt: int
    claimed: bool
    unfinished: bool
    edited: bool
    edition: int
    blocked: bool
    now: datetime
    window: Window
    trial: bool = False
    left_out: int = 0


def window(campaign: Campaign, planned_at: datetime) -> Window:
    """Return `send_at` less `lead` to `send_at` plus `grace`; without `send_at`, seven days from the plan."""
    schedule = campaign.schedule
    if schedule.send_at is None:
        return Window(opens=planned_at, closes=planned_at + OPEN_FOR)
    return Window(opens=schedule.send_at - schedule.lead, closes=schedule.send_at + schedule.grace)


def decide(seen: Situation) -> tuple[Action, str]:
    """Return the action and its reason word."""
    if seen.blocked:
        return "blocked", "blocked"
    if seen.in_doubt:
        return "in_doubt", "in-doubt"
    if not seen.owed:
        return "none", _why_nobody(seen)
    if seen.now > seen.window.closes:
        return "none", "missed"
    return _when_owed(seen)


def _when_owed(seen: Situation) -> tuple[Action, str]:
    if seen.now < seen.window.opens:
        return "wait", "waiting"
    if seen.trial:
        return "send", "trial"
    if seen.unfinished:
        return "resume", "resume"
    if seen.claimed:
        return "send", "new-contacts"
    return "send", "new-edition" if seen.edition > 1 else "new-campaign"


def _why_nobody(seen: Situation) -> str:
    if seen.left_out:
        return "left-out"
    if not seen.already_sent:
        return "nobody-owed"
    return "edited-after-send" if seen.edited else "sent"
