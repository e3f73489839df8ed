"""A mask never reads a number differently from the library it is made of."""

from __future__ import annotations

import random
import re

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from octoplan.core.phone import Phone, canonical, mask

COUNTRIES = (
    "FR",
    "BE",
    "CH",
    "LU",
    "ES",
    "IT",
    "DE",
    "GB",
    "US",
    "PT",
    "NL",
    "AU",
    "RE",
    "DK",
    "PL",
    "MC",
    "SE",
    "IN",
    "CO",
)


def example(country: str, rng: random.Random) -> str:
    """Return the national digits of some number of a country, most often a mobile."""
    kinds = (phonenumbers.PhoneNumberType.MOBILE,) * 4 + tuple(phonenumbers.PhoneNumberType.values())
    number = phonenumbers.example_number_for_type(country, rng.choice(kinds))
    return str(number.national_number) if number else "612345678"


def mutate(digits: str, rng: random.Random) -> str:
    """Change, drop, double or add some digits."""
    found = list(digits)
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(found))
        found[at] = rng.choice((rng.choice("0123456789"), "", found[at] * 2, found[at]))
        found = list("".join(found)) or ["0"]
    return "".join(found)


def spell(country: str, digits: str, rng: random.Random) -> str:
    code = str(phonenumbers.country_code_for_region(country))
    head = rng.choice(("", "0", "1", "+" + code, "00" + code, "+" + code + "0", "00" + code + "0", code, "011" + code))
    return head + digits


def read(spelling: str, country: str, home: str | None) -> tuple[str, str] | None:
    """Return country and number as the mask of `country` reads them."""
    made = mask(country, home)
    match = re.fullmatch(made.accept, spelling) if made else None
    if made is None or match is None or (made.refuse and re.fullmatch(made.refuse, match[1])):
        return None
    return made.country, made.prefix + match[1]


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("home", ["the same", "FR", None])
def test_masks_agree_with_the_library_on_mutated_numbers(country: str, home: str | None) -> None:
    rng = random.Random(f"{country} {home}")  # noqa: S311 - a seed that names the case, no secret
    default = country if home == "the same" else home
    recognised = 0
    for _ in range(500):
        spelling = spell(country, mutate(example(country, rng), rng), rng)
        found = read(spelling, country, default)
        if found:
            recognised += 1
            judged = canonical(spelling, default)
            assert isinstance(judged, Phone), (spelling, judged)
            assert (judged.country, judged.e164) == found
            assert (judged.kind, judged.fiction) == ("mobile", False)
    assert recognised > 5


@given(st.from_regex(r"(\+33|0033|33|0)?[0-9]{8,10}", fullmatch=True))
def test_the_french_mask_agrees_on_any_digits(spelling: str) -> None:
    found = read(spelling, "FR", "FR")
    judged = canonical(spelling, "FR")
    if found:
        assert judged == Phone(e164=found[1], country="FR", kind="mobile")


@given(st.text(max_size=30), st.sampled_from([None, "FR", "US", "IT"]))
def test_any_text_has_a_number_or_a_reason(raw: str, country: str | None) -> None:
    judged = canonical(raw, country)
    if isinstance(judged, Phone):
        assert canonical(judged.e164, None) == judged
    else:
        assert re.fullmatch("[a-z-]+", judged)
