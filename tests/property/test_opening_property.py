"""The next open time is open, and nothing before it is: two ways to the same answer."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from octoplan.core.hours import CALLS_IN_FRANCE, EVERY_DAY, POLICIES
from octoplan.core.opening import Opening, Place, Span, Week

ZONES = (
    "Europe/Paris",
    "Indian/Reunion",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/New_York",
    "America/Santiago",
)
HOLIDAYS = (date(2026, 12, 25), date(2026, 12, 26), date(2027, 1, 1), date(2026, 4, 3))
STEPS = 300
"""Moments looked at before the next open time."""


@st.composite
def weeks(draw: st.DrawFn) -> Week:
    """Hours between 06:00 and 23:00, when no clock is changed anywhere."""

    def day() -> tuple[Span, ...]:
        ends = sorted(draw(st.sets(st.integers(6, 23), max_size=4)))
        return tuple((time(start), time(end)) for start, end in zip(ends[::2], ends[1::2], strict=False))

    return Week(days=tuple(day() for _ in range(7)), holidays=draw(st.booleans()))


places = st.builds(
    Place,
    country=st.sampled_from(("FR", "US", "AC")),
    zones=st.sets(st.sampled_from(ZONES), min_size=1, max_size=3).map(lambda zones: tuple(sorted(zones))),
)
openings = st.builds(
    Opening,
    week=st.one_of(weeks(), st.sampled_from([CALLS_IN_FRANCE, EVERY_DAY])),
    places=st.frozensets(places, min_size=1, max_size=2),
)
moments = st.one_of(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),  # noqa: DTZ001  the zone comes with `timezones`
    st.sampled_from([datetime.combine(day, time(21)) for day in HOLIDAYS]),
).map(lambda moment: moment.replace(tzinfo=UTC))

STRICT = POLICIES["fr-strict"].messages
assert STRICT


@settings(deadline=None)  # the first asks for calendars of holidays
@given(opening=openings, at=moments)
@example(
    opening=Opening(week=STRICT, places=frozenset({Place(country="FR", zones=("Europe/Paris",))})),
    at=datetime(2027, 3, 27, 17, tzinfo=UTC),  # the eve of a change of clocks, two days before Easter Monday
)
def test_the_next_open_time_is_open_and_nothing_between(opening: Opening, at: datetime) -> None:
    found = opening.next_open(at)
    before = (found or at + timedelta(days=14)) - at
    assert found is None or opening.is_open(found)
    assert not any(opening.is_open(at + before * step / STEPS) for step in range(STEPS if before else 0))
    assert found is None or found == at or not opening.is_open(found - timedelta(microseconds=1))
    around = opening.around(at)
    if around:
        start, end = around
        assert opening.is_open(start)
        assert opening.is_open(end - timedelta(microseconds=1))
        assert not opening.is_open(end)
        assert opening.is_open(at) is (start <= at < end)


@settings(deadline=None)  # the first asks for calendars of holidays
@given(opening=openings, at=moments)
def test_open_means_open_by_every_clock(opening: Opening, at: datetime) -> None:
    """By an oracle that knows nothing of intervals."""
    clocks = [(place.country, at.astimezone(ZoneInfo(zone))) for place in opening.places for zone in place.zones]
    expected = all(
        any(start <= clock.time() < end for start, end in opening.week.days[clock.weekday()])
        and (opening.week.holidays or not _is_holiday(country, clock.date()))
        for country, clock in clocks
    )
    assert opening.is_open(at) is expected


def _is_holiday(country: str, day: date) -> bool:
    import holidays  # noqa: PLC0415  the library itself, beside what we make of it

    calendars = {"FR": (("FR", "57"), ("FR", "6AE")), "US": (("US", None),)}.get(country, ())
    return any(day in holidays.country_holidays(name, subdiv=part) for name, part in calendars)
