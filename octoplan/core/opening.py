"""When people may be reached: weekly hours by local clocks, wherever somebody may be.

A place is what a number tells of its owner: the country, and every time zone it may be in. What is not
certain counts against sending: it is open where all of these zones are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import groupby
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from octoplan.core.closed_days import closed_days

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Span = tuple[time, time]
"""Open from the first on and before the second: at 20:00 what closes at 20:00 is closed."""

Interval = tuple[datetime, datetime]

HORIZON = timedelta(days=31)
"""What is not open within this time counts as never open: weekends and holidays are shorter everywhere."""

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DASH = "\N{EN DASH}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """Opening hours by local time, one tuple of spans a day from Monday on; `holidays` are days like others."""

    days: tuple[tuple[Span, ...], ...]
    holidays: bool = False

    def __str__(self) -> str:
        """Return it as people write it, days with the same hours together."""
        told = []
        for spans, group in groupby(range(len(DAYS)), key=lambda day: self.days[day]):
            days = [DAYS[day] for day in group]
            if spans:
                hours = " and ".join(f"{start:%H:%M}{DASH}{end:%H:%M}" for start, end in spans)
                told.append(f"{DASH.join(dict.fromkeys((days[0], days[-1])))} {hours}")
        return ", ".join([*told, *([] if self.holidays else ["not on public holidays"])])


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the owner of a number may be: an ISO 3166-1 alpha-2 country, and candidate zones; none: unknown."""

    country: str
    zones: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """When everybody in some places may be reached. Where no zone is known, that is never."""

    week: Week
    places: frozenset[Place]

    def is_open(self, at: datetime) -> bool:
        """Tell whether it is open everywhere at a moment."""
        return all(
            place.zones and all(self._is_open(at.astimezone(ZoneInfo(zone)), place.country) for zone in place.zones)
            for place in self.places
        )

    def next_open(self, at: datetime) -> datetime | None:
        """Return the first moment from `at` on when it is open everywhere; None: never."""
        found = self.around(at)
        return None if found is None else max(found[0], at.astimezone(UTC))

    def around(self, at: datetime) -> Interval | None:
        """Return from when until when it is open everywhere, at a moment or next after it; None: never."""
        return next((found for found in self._intervals(at) if at < found[1]), None)

    def _is_open(self, local: datetime, country: str) -> bool:
        clock = local.time()
        spans = self.week.days[local.weekday()]
        return any(start <= clock < end for start, end in spans) and not self._is_closed_day(local, country)

    def _is_closed_day(self, local: datetime, country: str) -> bool:
        return not self.week.holidays and local.date() in closed_days(country, local.year)

    def _intervals(self, at: datetime) -> Iterable[Interval]:
        """Return when it is open everywhere, from the day before a moment to the horizon."""
        spots = {(place.country, zone) for place in self.places for zone in place.zones}
        if not all(place.zones for place in self.places):
            return []
        found: Sequence[Interval] = [(at.astimezone(UTC) - timedelta(days=1), at.astimezone(UTC) + HORIZON)]
        for country, zone in sorted(spots):
            found = list(_common(found, list(self._local(at, country=country, zone=ZoneInfo(zone)))))
        return found

    def _local(self, at: datetime, *, country: str, zone: ZoneInfo) -> Iterator[Interval]:
        midnight = datetime.combine(at.astimezone(zone).date() - timedelta(days=1), time(), zone)
        for number in range(HORIZON.days + 3):
            day = midnight + timedelta(days=number)
            for start, end in () if self._is_closed_day(day, country) else self.week.days[day.weekday()]:
                yield _moment(day, start), _moment(day, end)


def _moment(day: datetime, clock: time) -> datetime:
    return datetime.combine(day.date(), clock, day.tzinfo).astimezone(UTC)


def _common(one: Sequence[Interval], other: Sequence[Interval]) -> Iterator[Interval]:
    """Yield what two rows of intervals, each in order and apart, have in common."""
    first = second = 0
    while first < len(one) and second < len(other):
        start = max(one[first][0], other[second][0])
        end = min(one[first][1], other[second][1])
        if start < end:
            yield start, end
        if one[first][1] < other[second][1]:
            first += 1
        else:
            second += 1
