"""The codes are those of the libraries and standards they stand for."""

from __future__ import annotations

from phonenumbers import SUPPORTED_REGIONS

from octoplan.core.codes import COUNTRIES, CURRENCIES


def test_countries_are_those_with_a_numbering_plan() -> None:
    assert set(SUPPORTED_REGIONS) == COUNTRIES


def test_currencies_are_three_letters() -> None:
    assert all(len(code) == 3 and code.isupper() and code.isalpha() for code in CURRENCIES)
    assert {"EUR", "USD", "CHF", "GBP"} <= CURRENCIES
