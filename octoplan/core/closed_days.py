"""Public holidays: of every calendar that the owner of a number may live by.

A number tells a country, and of France not whether it is in Alsace or Moselle, which have two days more:
what may be a holiday counts as one. Overseas regions have numbers, and calendars, of their own.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

CALENDARS: dict[str, tuple[tuple[str, str | None], ...]] = {
    "FR": (("FR", "57"), ("FR", "6AE")),  # Moselle and Alsace: the national days, Good Friday, 26 December
    "RE": (("RE", None), ("YT", None)),  # a mobile of +262 does not tell which of the two zones it is in
    "YT": (("RE", None), ("YT", None)),
    "GP": (("GP", None), ("BL", None), ("MF", None)),  # +590 is one range for all three
    "BL": (("GP", None), ("BL", None), ("MF", None)),
    "MF": (("GP", None), ("BL", None), ("MF", None)),
    "GB": (("GB", "ENG"), ("GB", "NIR"), ("GB", "SCT"), ("GB", "WLS")),  # what all four share lacks most of them
}
"""By country, the calendars (country, subdivision) that count together; of every other, the national one."""


@cache
def closed_days(country: str, year: int) -> frozenset[date]:
    """Return the public holidays of a country in a year; none where its calendar is unknown."""
    return frozenset(day for calendar in CALENDARS.get(country, ((country, None),)) for day in _days(calendar, year))


def has_calendar(country: str) -> bool:
    """Tell whether the public holidays of a country are known."""
    from holidays import list_supported_countries  # noqa: PLC0415  most plans need no calendar

    return country in list_supported_countries()


def _days(calendar: tuple[str, str | None], year: int) -> frozenset[date]:
    from holidays import country_holidays  # noqa: PLC0415  three hundred modules that most plans never need

    country, subdivision = calendar
    if not has_calendar(country):
        return frozenset()
    return frozenset(country_holidays(country, subdiv=subdivision, years=year, expand=False))
