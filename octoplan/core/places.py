"""Where the owners of numbers may be, told without asking the library about each number.

The zones are those libphonenumber has for a calling code. Only where mobiles have area codes (North
America, Mexico, Brazil …) a number's own leading digits say more.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import phonenumbers

from octoplan.core.opening import Opening, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from octoplan.core.model import Rows
    from octoplan.core.opening import Week

NORTH_AMERICA = 1


def place(address: str, country: str) -> Place:
    """Return where the owner of an E.164 number of a country may be."""
    telling = _telling(country)
    return Place(country=country, zones=_zones(address[1 : 1 + telling]) if telling else _country_zones(country))


@lru_cache(maxsize=50_000)
def _zones(digits: str) -> tuple[str, ...]:
    """Return what is known of the longest head of some digits; nothing is known of a code that is no country's."""
    from phonenumbers.tzdata import TIMEZONE_DATA  # noqa: PLC0415  what may go at any hour needs no zones

    for end in range(len(digits), 0, -1):
        if (found := TIMEZONE_DATA.get(digits[:end])) is not None:
            return tuple(found)
    return ()


@cache
def _country_zones(country: str) -> tuple[str, ...]:
    return _zones(str(phonenumbers.country_code_for_region(country)))


@cache
def _telling(country: str) -> int:
    """Return how many leading digits tell all that is known of a number of a country; 0: no more than the country."""
    from phonenumbers.tzdata import TIMEZONE_DATA  # noqa: PLC0415  the same

    code = phonenumbers.country_code_for_region(country)
    mobile = phonenumbers.PhoneNumberType.MOBILE
    if code != NORTH_AMERICA and not phonenumbers.is_number_type_geographical(mobile, code):
        return 0
    return max(len(digits) for digits in TIMEZONE_DATA if digits.startswith(str(code)))


@dataclass(slots=True)
class Whereabouts:
    """Where each contact of a campaign may be, in the order they are added; of what may go at any hour nothing is kept.

    `week` is None for that. `held` says whether batches wait for their hours.
    """

    week: Week | None = None
    held: bool = False
    _numbers: dict[Place, int] = field(default_factory=dict)
    _countries: dict[str, int] = field(default_factory=dict)
    _contacts: array[int] = field(default_factory=lambda: array("I"))
    _openings: dict[frozenset[int], Opening] = field(default_factory=dict)

    def add(self, rows: Rows) -> None:
        """Add contacts."""
        if self.week is not None:
            numbered = self._countries.get
            self._contacts.extend(
                number if (number := numbered(country)) is not None else self._number(address, country)
                for address, country in zip(rows.addresses, rows.countries, strict=True)
            )

    def _number(self, address: str, country: str) -> int:
        """Return the number of a contact's place, and remember that of a country whose numbers tell no more."""
        number = self._numbers.setdefault(place(address, country), len(self._numbers))
        if not _telling(country):
            self._countries[country] = number
        return number

    @property
    def counts(self) -> Mapping[Place, int]:
        """How many contacts are in each place."""
        counts = Counter(self._contacts)
        return {one: counts[number] for one, number in self._numbers.items()}

    def opening(self, members: Iterable[int]) -> Opening | None:
        """Return when all of some contacts may be reached; None: at any hour."""
        if self.week is None or not self.held:
            return None
        numbers = frozenset({0} if len(self._numbers) == 1 else (self._contacts[index] for index in members))
        found = self._openings.get(numbers)
        if found is None:
            places = frozenset(one for one, number in self._numbers.items() if number in numbers)
            found = self._openings[numbers] = Opening(week=self.week, places=places)
        return found
