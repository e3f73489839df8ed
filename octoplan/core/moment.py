"""Local times of a time zone: each must exist, and exist once."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from datetime import timezone as fixed_offset
from zoneinfo import ZoneInfo

_LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")
_OFFSET = re.compile(r"(Z|[+-][0-9]{1,2}(:?[0-9]{2})?)$", re.IGNORECASE)
YEARS = range(2000, 2200)
"""Years in which something may be sent: every sum of a moment with a lead or a grace stays in the calendar."""


class NoMoment(ValueError):
    """A text that names no moment, or two; the message says why, `hint` what to write."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def local(text: str, timezone: str) -> datetime:
    """Return the moment that `2026-12-03T10:00` names in a known time zone.

    It carries the zone's offset, not the zone: adding hours to it then counts hours, also where clocks
    change. A written offset is refused even where it fits: one place says when, and it is the zone.

    Raises:
        NoMoment: the time does not exist there, or is there twice.
    """
    zone = ZoneInfo(timezone)
    moment = _written(text).replace(tzinfo=zone)
    offset = moment.utcoffset() or timedelta()
    if offset == moment.replace(fold=1).utcoffset():
        return moment.replace(tzinfo=fixed_offset(offset))
    exists = moment.astimezone(UTC).astimezone(zone).replace(fold=0) == moment
    if exists:
        raise NoMoment(f"is twice in {timezone}: clocks are put back that night", "choose a time outside that hour")
    later = moment.astimezone(UTC).astimezone(zone)
    raise NoMoment(
        f"does not exist in {timezone}: clocks are put forward that night", f"write {later:%Y-%m-%dT%H:%M} or earlier"
    )


def _written(text: str) -> datetime:
    if _DAY.fullmatch(text):
        raise NoMoment("is a date without a time", "write the time too: 2026-12-03T10:00")
    if not _LOCAL.fullmatch(text):
        if _OFFSET.search(text) and _LOCAL.match(text):
            raise NoMoment(
                "has an offset, and is local time", "leave the offset out; `schedule.timezone` names the zone"
            )
        raise NoMoment("is not a date and time", "write it like 2026-12-03T10:00")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise NoMoment("is not in the calendar", "write it like 2026-12-03T10:00") from None
    if moment.year not in YEARS:
        raise NoMoment(f"is not in the years {YEARS[0]} to {YEARS[-1]}", "write it like 2026-12-03T10:00")
    return moment
