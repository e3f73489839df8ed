"""When somebody may be reached: local clocks, every candidate zone, every calendar, to the second."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from campaigns import batch, campaign, rows
from octoplan.core.closed_days import closed_days, has_calendar
from octoplan.core.hours import CALLS_IN_FRANCE, EVERY_DAY, POLICIES
from octoplan.core.opening import Opening, Place, Week
from octoplan.core.places import Whereabouts, place
from octoplan.workflow.hours import closes_in

if TYPE_CHECKING:
    from octoplan.core.model import Rows

PARIS, REUNION = "Europe/Paris", "Indian/Reunion"
STRICT = POLICIES["fr-strict"].messages
CHARTER = POLICIES["fr-charter"].messages
NUMBERS = {
    "FR": "+33639980012",
    "BE": "+32000000000",
    "RE": "+262000000000",
    "GB": "+447700900123",
    "RU": "+70000000000",
    "NZ": "+64000000000",
}


def opening(*countries: str, week: Week | None = STRICT) -> Opening:
    assert week
    return Opening(week=week, places=frozenset(place(NUMBERS[country], country) for country in countries))


def local(text: str, zone: str = PARIS) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-12-03T07:59:59", False),
        ("2026-12-03T08:00", True),
        ("2026-12-03T19:59:59.999999", True),
        ("2026-12-03T20:00", False),
        ("2026-12-05T09:59", False),  # a Saturday
        ("2026-12-05T10:00", True),
        ("2026-12-05T17:59:59", True),
        ("2026-12-05T18:00", False),
        ("2026-12-06T11:00", False),  # a Sunday
        ("2026-12-25T11:00", False),
        ("2025-12-26T11:00", False),  # a holiday in Strasbourg, and nobody knows who is there
        ("2026-04-03T11:00", False),  # Good Friday, the same
        ("2026-12-24T11:00", True),
        ("2026-07-14T11:00", False),
        ("2026-10-26T07:30", False),  # the Monday after clocks were put back: 08:30 by the days before
        ("2026-10-26T08:00", True),
        ("2026-03-30T08:00", True),  # after they were put forward
        ("2026-03-30T07:59", False),
    ],
)
def test_messages_to_france_keep_the_strict_hours(at: str, *, is_open: bool) -> None:
    assert opening("FR").is_open(local(at)) is is_open


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-12-03T10:00", True),
        ("2026-12-03T12:59", True),
        ("2026-12-03T13:00", False),
        ("2026-12-03T13:30", False),
        ("2026-12-03T14:00", True),
        ("2026-12-03T20:00", False),
        ("2026-12-05T11:00", False),
        ("2026-11-11T11:00", False),
    ],
)
def test_calls_to_france_leave_people_their_lunch_and_their_weekend(at: str, *, is_open: bool) -> None:
    assert opening("FR", week=CALLS_IN_FRANCE).is_open(local(at)) is is_open


def test_the_charter_is_wider_and_closed_on_the_same_days() -> None:
    for at, is_open in (("2026-12-05T21:59", True), ("2026-12-05T22:00", False), ("2026-12-06T11:00", False)):
        assert opening("FR", week=CHARTER).is_open(local(at)) is is_open
    assert not opening("FR", week=CHARTER).is_open(local("2026-12-25T11:00"))


def test_a_notice_by_voice_keeps_people_asleep_on_holidays_too() -> None:
    everyday = opening("FR", week=EVERY_DAY)
    assert everyday.is_open(local("2026-12-25T20:59"))
    assert not everyday.is_open(local("2026-12-25T07:59"))


def test_a_mobile_of_262_is_reached_where_it_is_open_in_both_of_its_zones() -> None:
    assert place(NUMBERS["RE"], "RE").zones == ("Indian/Mayotte", REUNION)
    both = opening("RE")
    assert not both.is_open(local("2026-12-03T08:30", REUNION))  # 07:30 in Mayotte
    assert both.is_open(local("2026-12-03T09:00", REUNION))
    assert both.is_open(local("2026-12-03T19:59", REUNION))
    assert not both.is_open(local("2026-12-03T20:00", REUNION))  # 19:00 in Mayotte
    assert not both.is_open(local("2027-12-20T11:00", REUNION))  # abolition of slavery, in Réunion
    assert not both.is_open(local("2026-04-27T11:00", REUNION))  # and in Mayotte
    assert opening("FR").is_open(local("2027-12-20T11:00"))


def test_a_country_has_its_own_holidays() -> None:
    assert not opening("BE").is_open(local("2026-07-21T11:00"))
    assert opening("FR").is_open(local("2026-07-21T11:00"))
    assert not opening("FR", "BE").is_open(local("2026-07-21T11:00"))
    assert opening("BE").is_open(local("2026-07-14T11:00"))


def test_holidays_by_region() -> None:
    christmas = {date(2025, 12, 25)}
    assert date(2025, 12, 26) in closed_days("FR", 2025)
    assert date(2025, 12, 26) not in closed_days("MQ", 2025)
    assert closed_days("GP", 2026) == closed_days("MF", 2026)
    assert date(2026, 5, 22) in closed_days("MQ", 2026)
    assert date(2026, 8, 31) in closed_days("GB", 2026)  # in England, not in Scotland
    assert all(christmas <= closed_days(country, 2025) for country in ("FR", "RE", "GP", "GF", "PM", "NC"))
    assert closed_days("AC", 2026) == frozenset()
    assert not has_calendar("AC")


def test_the_next_open_time_skips_nights_weekends_and_holidays() -> None:
    assert opening("FR").next_open(local("2026-12-03T10:00")) == local("2026-12-03T10:00")
    assert opening("FR").next_open(local("2026-12-03T20:00")) == local("2026-12-04T08:00")
    assert opening("FR").next_open(local("2026-12-24T20:00")) == local("2026-12-28T08:00")  # 26 December is Saturday
    assert opening("FR", week=CALLS_IN_FRANCE).next_open(local("2026-12-04T13:30")) == local("2026-12-04T14:00")
    assert opening("FR").around(local("2026-12-05T12:00")) == (local("2026-12-05T10:00"), local("2026-12-05T18:00"))


def test_clocks_that_change_overnight_move_the_opening_with_them() -> None:
    before = opening("FR").next_open(local("2027-03-26T22:00"))
    after = opening("FR").next_open(local("2027-03-29T01:00"))
    assert before is not None
    assert after is not None
    assert (before.hour, before.tzinfo) == (9, UTC)  # Saturday, 10:00 in winter
    assert after.hour == 6
    assert opening("FR").next_open(local("2027-03-28T02:30")) == after


def test_from_hawaii_to_puerto_rico_only_some_hours_are_common() -> None:
    there = {"US": ("+18085550100", "+12125550100", "+14155550100"), "PR": ("+17875550100",)}
    places = frozenset(place(number, country) for country, numbers in there.items() for number in numbers)
    assert {zone for one in places for zone in one.zones} == {
        "Pacific/Honolulu",
        "America/New_York",
        "America/Los_Angeles",
        "America/Puerto_Rico",
    }
    assert STRICT
    everybody = Opening(week=STRICT, places=places)
    start, end = everybody.around(local("2026-12-03T00:00", "UTC")) or (None, None)
    assert (start, end) == (local("2026-12-03T08:00", "Pacific/Honolulu"), local("2026-12-03T20:00", "Etc/GMT+4"))
    assert everybody.is_open(local("2026-12-02T08:00", "Pacific/Honolulu"))
    assert not everybody.is_open(local("2026-12-02T07:59", "Pacific/Honolulu"))


def test_eleven_zones_leave_an_hour_or_none() -> None:
    russia = opening("RU")
    assert len(russia.places) == 1
    assert russia.next_open(local("2026-12-02T20:00", "UTC")) == local("2026-12-03T06:00", "UTC")
    saturday = russia.next_open(local("2026-12-05T00:00", "UTC"))
    assert saturday == local("2026-12-07T06:00", "UTC")


def test_two_sides_of_the_earth_are_never_open_together() -> None:
    assert opening("FR", "NZ").next_open(local("2026-12-03T10:00")) is None
    assert opening("FR", "NZ").around(local("2026-12-03T10:00")) is None


def test_nobody_of_whom_no_zone_is_known_is_reached() -> None:
    assert place("+881000000000", "001").zones == ()
    unknown = Opening(week=EVERY_DAY, places=frozenset({place("+881000000000", "001")}))
    assert not unknown.is_open(local("2026-12-03T12:00"))
    assert unknown.next_open(local("2026-12-03T12:00")) is None


def test_a_number_whose_area_code_is_unknown_may_be_anywhere_that_shares_its_code() -> None:
    assert {"Pacific/Guam", "America/New_York", "Pacific/Honolulu"} <= set(place("+15005550100", "US").zones)


def test_every_zone_that_a_number_may_have_is_known() -> None:
    from phonenumbers.tzdata import TIMEZONE_DATA  # noqa: PLC0415  the library's own table

    for zone in {zone for zones in TIMEZONE_DATA.values() for zone in zones}:
        ZoneInfo(zone)


def test_a_week_says_what_it_is() -> None:
    assert str(STRICT) == "Mon–Fri 08:00–20:00, Sat 10:00–18:00, not on public holidays"
    assert str(CALLS_IN_FRANCE) == "Mon–Fri 10:00–13:00 and 14:00–20:00, not on public holidays"
    assert str(EVERY_DAY) == "Mon–Sun 08:00–21:00"


def mixed() -> Rows:
    people = rows(4, countries=("FR", "US"))
    numbers = ["+33639980001", "+18085550101", "+33639980002", "+12125550102"]
    people.addresses[:] = numbers
    return people


def test_whereabouts_are_counted_and_told_of_each_batch() -> None:
    found = Whereabouts(week=STRICT, held=True)
    found.add(mixed())
    found.add(mixed())
    france, hawaii, york = (
        Place(country=country, zones=(zone,))
        for country, zone in (("FR", PARIS), ("US", "Pacific/Honolulu"), ("US", "America/New_York"))
    )
    assert found.counts == {france: 4, hawaii: 2, york: 2}
    together = found.opening([0, 1])
    assert together is not None
    assert together.places == {france, hawaii}
    assert found.opening([4, 5, 6]) is together
    alone = found.opening([2])
    assert alone is not None
    assert alone.places == {france}


def test_what_is_not_held_back_has_no_hours() -> None:
    found = Whereabouts(week=STRICT)
    found.add(mixed())
    assert found.opening([0]) is None
    assert sum(found.counts.values()) == 4
    free = Whereabouts(held=True)
    free.add(mixed())
    assert free.opening([0]) is None
    assert not free.counts


def test_a_span_may_be_any_length() -> None:
    minute = Week(days=(((time(12), time(12, 1)),),) * 7, holidays=True)
    noon = opening("FR", week=minute)
    assert noon.next_open(local("2026-12-03T12:01")) == local("2026-12-04T12:00")
    assert noon.around(local("2026-12-03T12:00:59")) == (local("2026-12-03T12:00"), local("2026-12-03T12:01"))
    never = opening("FR", week=Week(days=((),) * 7))
    assert never.next_open(local("2026-12-03T12:01")) is None


@pytest.mark.parametrize(
    ("at", "seconds"),
    [
        ("2026-12-03T19:58:00", None),
        ("2026-12-03T19:59:00", 60),
        ("2026-12-03T19:59:59", 1),
        ("2026-12-03T20:00:00", 43_200 + 12 * 3600),  # closed at that moment, which is found out by `is_closed`
    ],
)
def test_how_soon_a_batch_closes_matters_in_its_last_minute(at: str, seconds: int | None) -> None:
    closes = closes_in(batch(opening=opening("FR")), local(at), within=timedelta(minutes=1))
    assert closes == (None if seconds is None else timedelta(seconds=seconds))


def test_what_arrives_later_or_is_never_closed_may_leave_to_the_end() -> None:
    now, minute = local("2026-12-03T19:59:30"), timedelta(minutes=1)
    later = campaign(sender=None, schedule=replace(campaign().schedule, send_at=now + timedelta(days=1)))
    assert closes_in(batch(campaign=later, opening=opening("FR")), now, within=minute) is None
    assert closes_in(batch(opening=None), now, within=minute) is None
    nowhere = replace(opening("FR"), places=frozenset({Place(country="RU", zones=())}))
    assert closes_in(batch(opening=nowhere), now, within=minute) == timedelta(0)
