"""Local times exist, and exist once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from octoplan.core.moment import NoMoment, local


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2026-12-03T10:00", "Europe/Paris", datetime(2026, 12, 3, 9, tzinfo=UTC)),
        ("2026-07-14 10:00:30", "Europe/Paris", datetime(2026, 7, 14, 8, 0, 30, tzinfo=UTC)),
        ("2026-12-03T10:00", "Pacific/Chatham", datetime(2026, 12, 2, 20, 15, tzinfo=UTC)),
        # the last moment before clocks go forward, and the first after
        ("2027-03-28T01:59:59", "Europe/Paris", datetime(2027, 3, 28, 0, 59, 59, tzinfo=UTC)),
        ("2027-03-28T03:00", "Europe/Paris", datetime(2027, 3, 28, 1, tzinfo=UTC)),
        # the edges of the hour that is twice
        ("2026-10-25T01:59:59", "Europe/Paris", datetime(2026, 10, 24, 23, 59, 59, tzinfo=UTC)),
        ("2026-10-25T03:00", "Europe/Paris", datetime(2026, 10, 25, 2, tzinfo=UTC)),
    ],
)
def test_a_local_time_is_one_moment(text: str, zone: str, utc: datetime) -> None:
    assert local(text, zone) == utc


def test_adding_hours_counts_hours_where_clocks_change() -> None:
    eve = local("2027-03-27T12:00", "Europe/Paris")
    assert eve + timedelta(hours=24) == datetime(2027, 3, 28, 11, tzinfo=UTC)
    assert eve.isoformat() == "2027-03-27T12:00:00+01:00"


@pytest.mark.parametrize(
    ("text", "zone", "message", "hint"),
    [
        ("2027-03-28T02:30", "Europe/Paris", "does not exist in Europe/Paris", "write 2027-03-28T03:30 or earlier"),
        ("2027-03-28T02:00", "Europe/Paris", "does not exist", "write 2027-03-28T03:00"),
        ("2026-10-25T02:30", "Europe/Paris", "is twice in Europe/Paris", "outside that hour"),
        ("2026-10-25T02:00", "Europe/Paris", "is twice", "outside"),
        # half an hour only, at Lord Howe
        ("2026-10-04T02:15", "Australia/Lord_Howe", "does not exist", "write 2026-10-04T02:45"),
        ("2026-12-19", "Europe/Paris", "a date without a time", "write the time"),
        ("2026-12-19T10:00:00+01:00", "Europe/Paris", "has an offset", "leave the offset out"),
        ("2026-12-19T10:00:00+99:00", "Europe/Paris", "has an offset", "leave"),
        ("2026-12-19T10:00Z", "Europe/Paris", "has an offset", "leave"),
        ("2026-13-40T10:00", "Europe/Paris", "not in the calendar", "2026-12-03T10:00"),
        ("2026-02-29T10:00", "Europe/Paris", "not in the calendar", ""),
        ("0001-01-01T00:00", "Europe/Paris", "not in the years 2000 to 2199", "2026-12-03T10:00"),
        ("9999-12-31T23:59", "UTC", "not in the years", ""),
        ("tomorrow", "Europe/Paris", "is not a date and time", "2026-12-03T10:00"),
        ("2026-12-19T10:00:00.5", "Europe/Paris", "is not a date and time", ""),
        ("٢٠٢٦-12-19T10:00", "Europe/Paris", "is not a date and time", ""),
        ("", "UTC", "is not a date and time", ""),
    ],
)
def test_a_time_that_is_none_or_two_says_why(text: str, zone: str, message: str, hint: str) -> None:
    with pytest.raises(NoMoment, match=message) as raised:
        local(text, zone)
    assert hint in raised.value.hint
