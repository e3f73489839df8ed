"""Whether recipients would be reached at an hour at which they may be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from octoplan.core import hours
from octoplan.core.closed_days import has_calendar
from octoplan.core.model import Severity
from octoplan.core.opening import Opening
from octoplan.core.quantity import quantity
from octoplan.core.rules import finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from octoplan.core.hours import Hours
    from octoplan.core.model import Campaign, Finding, KeyPath
    from octoplan.core.opening import Interval, Place

SEND_AT: KeyPath = ("schedule", "send_at")
HOURS: KeyPath = ("schedule", "hours")
OTHER_TIME = "`schedule.send_at` names a moment, `schedule.hours` another policy"
OTHERWISE = "name another policy in `schedule.hours`, or accept it under `allow`"
APART = "no hour is open for all of them: write a campaign for each country (`for_each`)"


@dataclass(frozen=True, kw_only=True)
class Due:
    """When the messages of one edition are due: planned `now`, and sending all of them `takes` some time.

    `counts` are owed contacts. `held` says whether batches wait for their hours, `together` whether
    contacts share batches, which then wait for all of them.
    """

    campaign: Campaign
    hours: Hours
    counts: Mapping[Place, int]
    now: datetime
    held: bool
    together: bool = True
    takes: timedelta = timedelta(0)

    @cached_property
    def at(self) -> datetime:
        """When the first message is due."""
        return hours.due(self.campaign, self.now)

    @cached_property
    def closed(self) -> int:
        """How many contacts may not be reached then."""
        return sum(count for place, count in self.counts.items() if not self._opening(place).is_open(self.at))

    @cached_property
    def around(self) -> Interval | None:
        """From when until when everybody may be reached, then or next; None: never, or not all of a batch."""
        found = self._opening(*self.counts).around(self.at)
        if found is not None or self.together:
            return found
        each = [self._opening(place).around(self.at) for place in self.counts]
        known = [interval for interval in each if interval is not None]
        if len(known) < len(each):
            return None
        return max(start for start, _ in known), max(end for _, end in known)

    def _opening(self, *places: Place) -> Opening:
        return Opening(week=self.hours.week, places=frozenset(places))

    def tell(self, moment: datetime) -> str:
        """Return a moment as people write it, in the campaign's zone."""
        zone = self.campaign.schedule.timezone
        return f"{moment.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M} {zone}"


def check_hours(due: Due) -> tuple[Finding, ...]:
    """Return what is to be said of the hours at which people would be reached."""
    return (
        *_country(due),
        *(_unscheduled(due) if due.campaign.schedule.send_at is None else _scheduled(due)),
        *_cut(due),
    )


def _country(due: Due) -> Iterator[Finding]:
    if due.campaign.schedule.hours is not None or due.hours.policy.name == "any":
        return
    counts: Counter[str] = Counter()
    for place, count in due.counts.items():
        counts[place.country] += count
    others = {country: count for country, count in sorted(counts.items()) if country not in hours.FRANCE}
    if others:
        listed = ", ".join(f"{country} {count:,}" for country, count in others.items())
        message = f"no hours are known for recipients in {listed}: {due.hours.policy.name} is kept in their time"
        without = [country for country in others if not has_calendar(country)]
        message += f", without public holidays in {', '.join(without)}" if without else ", and their public holidays"
        hint = f"name a policy in `schedule.hours` ({', '.join(hours.POLICIES)}), or accept it under `allow`"
        yield finding("hours-country", message, path=HOURS, value=", ".join(others), hint=hint)


def _scheduled(due: Due) -> Iterator[Finding]:
    schedule = due.campaign.schedule
    missed = schedule.send_at is not None and due.now > schedule.send_at + schedule.grace
    if due.closed and not missed:
        policy, at = due.hours.policy.name, due.tell(due.at)
        message = f"{quantity(due.closed, 'contact')} would be reached out of hours: {at} is not within {policy}"
        way = APART if due.around is None else f"everybody may be reached from {due.tell(due.around[0])}"
        hint = f"{way}; change `schedule.send_at`, {OTHERWISE}"
        yield finding("hours", message, path=SEND_AT, value=at, limit=str(due.hours.week), hint=hint)


def _unscheduled(due: Due) -> Iterator[Finding]:
    reason, policy = due.campaign.allow.get("hours"), due.hours.policy.name
    limit = str(due.hours.week)
    if reason is not None:
        message = f"{policy} holds nothing back (accepted: {reason})"
        hint = "remove it from `allow` to keep the hours"
        yield finding("hours", message, severity=Severity.INFO, path=HOURS, value=policy, limit=limit, hint=hint)
    elif due.held and due.around is None:
        message = f"{quantity(sum(due.counts.values()), 'contact')} could never be reached under {policy}"
        yield finding("hours", message, path=HOURS, value=policy, limit=limit, hint=f"{APART}, {OTHERWISE}")
    elif due.held:
        hint = (
            "apply then, or earlier and again then: until then it stops with exit code 5" if due.closed else OTHER_TIME
        )
        message = f"{_state(due)} ({policy})"
        yield finding("hours", message, severity=Severity.INFO, path=HOURS, value=policy, limit=limit, hint=hint)
    else:
        message = f"the sandbox keeps no hours; live: {_state(due)} ({policy})"
        yield finding("hours", message, severity=Severity.INFO, path=HOURS, value=policy, limit=limit, hint=OTHER_TIME)


def _state(due: Due) -> str:
    """Say whether recipients may be reached when the messages are due."""
    if due.around is None:
        return "never open for everybody"
    start, end = due.around
    if not due.closed:
        return f"open until {due.tell(end)}"
    everybody = sum(due.counts.values())
    some = "" if due.closed == everybody else f" for {due.closed:,} of {quantity(everybody, 'contact')}"
    return f"closed{some} until {due.tell(start)}"


def _cut(due: Due) -> Iterator[Finding]:
    """Say that closing time comes before the last request, which leaves when sending has lasted as long as it takes."""
    if due.around is None or not due.held:
        return
    start, end = due.around
    last = max(due.at, start, due.now + due.takes) if due.campaign.schedule.send_at else max(due.at, start) + due.takes
    if last >= end:
        message = f"sending takes {due.takes}: closing time at {due.tell(end)} comes first, and the rest waits"
        hint = "apply earlier, or again when it is open: what has left is not sent again"
        path = HOURS if due.campaign.schedule.send_at is None else SEND_AT
        yield finding("hours", message, severity=Severity.INFO, path=path, value=str(due.takes), hint=hint)
