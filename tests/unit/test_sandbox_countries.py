from __future__ import annotations

import phonenumbers
import pytest

from octoplan.sandbox import countries


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+33639980012", "FR"),
        ("+262692000000", "RE"),
        ("+262639000000", "YT"),
        ("+590690000000", "GP"),
        ("+594694000000", "GF"),
        ("+596696000000", "MQ"),
        ("+508550000", "PM"),
        ("+12025550123", "US"),
        ("+15145550123", "CA"),
        ("+18765550123", "JM"),
        ("+447700900123", "GB"),
        ("+447797712345", "JE"),
        ("+77012345678", "KZ"),
        ("+79012345678", "RU"),
        ("+35818123456", "AX"),
        ("+358401234567", "FI"),
        ("+999123456789", None),
        ("+8613800138000", None),
    ],
)
def test_country(number: str, country: str | None) -> None:
    assert countries.of(number) == country


REGIONS = """
AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME MK MT NL NO
PL PT RO RS RU SE SI SJ SK SM TR UA VA XK US CA GP GF MQ RE YT PM NC PF WF
"""


@pytest.mark.parametrize("region", REGIONS.split())
def test_an_example_of_each_region_agrees_with_the_library(region: str) -> None:
    kind = phonenumbers.PhoneNumberType.FIXED_LINE if region == "VA" else phonenumbers.PhoneNumberType.MOBILE
    example = phonenumbers.example_number_for_type(region, kind)
    assert example is not None
    number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    assert countries.of(number) == phonenumbers.region_code_for_number(example)


def test_count() -> None:
    assert countries.count(["+33639980012", "+33639980013", "+32460000001", "+999123456789"]) == {
        "FR": 2,
        "BE": 1,
        None: 1,
    }
