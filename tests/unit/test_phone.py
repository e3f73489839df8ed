"""The canonical form of a telephone number, and the masks made for an engine."""

from __future__ import annotations

import pytest

from octoplan.core import phone
from octoplan.core.phone import Phone, canonical, mask


@pytest.mark.parametrize(
    "raw",
    [
        "0639981951",
        "06 39 98 19 51",
        "06.39.98.19.51",
        "06-39-98-19-51",
        "06/39/98/19/51",
        "+33639981951",
        "+33 6 39 98 19 51",
        "+33 (0)6 39 98 19 51",
        "(+33) 6 39 98 19 51",
        "0033639981951",
        "0033 (0)6 39 98 19 51",
        "33639981951",
        "639981951",
        "'0639981951",
        "tel:+33639981951",
        "TEL:06 39 98 19 51",
        "\u202a+33 6 39 98 19 51\u202c",
        "\u200e0639981951\u2069",
        "\t06\u00a039\u202f98\u200719 51 ",
    ],
)
def test_every_spelling_of_a_number_is_one_number(raw: str) -> None:
    assert canonical(raw, "FR") == Phone(e164="+33639981951", country="FR", kind="mobile", fiction=True)


@pytest.mark.parametrize(
    ("raw", "country", "reason"),
    [
        ("", "FR", "empty"),
        (" \u00a0-()", "FR", "empty"),
        ("n/a", "FR", "letters"),
        ("+3363998195O", "FR", "letters"),
        ("abc0639981951", "FR", "letters"),
        ("3.36E+10", "FR", "letters"),
        ("0639981951é", "FR", "letters"),
        ("zoe.m@acme.example", "FR", "email-address"),
        ("+zoe@acme", None, "email-address"),
        ("Zoe <z@a.example>", "FR", "email-address"),
        ("@x", "FR", "letters"),
        ("x@", "FR", "letters"),
        ("+@1", "FR", "characters"),
        ("++33639981951", "FR", "characters"),
        ("06+39981951", "FR", "characters"),
        ("=0639981951", "FR", "characters"),
        ("0639981951\n", "FR", "characters"),
        ("0639981951;", "FR", "characters"),
        ("\u200b0639981951", "FR", "characters"),
        ("٠٦٣٩٩٨١٩٥١", "FR", "characters"),
        ("+", "FR", "too-short"),
        ("1", "FR", "too-short"),
        ("+33", "FR", "too-short"),
        ("112", "FR", "too-short"),
        ("063998", "FR", "too-short"),
        ("0033", "FR", "too-short"),
        ("0639981951065", "FR", "too-long"),
        ("+336399819511", "FR", "too-long"),
        ("9" * 300, "FR", "too-long"),
        ("0639981951", None, "no-country"),
        ("0033639981951", None, "no-country"),
        ("+0639981951", "FR", "not-valid"),
        ("+999123456789", "FR", "not-valid"),
        ("0700000000", "FR", "not-valid"),
        ("0639981951", "XX", "not-valid"),
        ("0891234567", "FR", "premium-rate"),
        ("0810123456", "FR", "shared-cost"),
        ("0800123456", "FR", "number-type"),
        ("0970123456", "FR", "number-type"),
        ("+80012345678", "FR", "number-type"),
    ],
)
def test_what_cannot_be_contacted_has_a_reason(raw: str, country: str | None, reason: str) -> None:
    assert canonical(raw, country) == reason


@pytest.mark.parametrize(
    ("raw", "country", "kind"),
    [
        ("+33612345678", "FR", "mobile"),
        ("0111222333", "FR", "fixed"),
        ("+262692123456", "RE", "mobile"),
        ("+32470123456", "BE", "mobile"),
        ("+12025551234", "US", "mobile"),
        ("+14165551234", "CA", "mobile"),
        ("+447781123456", "GG", "mobile"),
    ],
)
def test_a_number_has_the_country_and_kind_of_its_range(raw: str, country: str, kind: str) -> None:
    found = canonical(raw, "FR")
    assert isinstance(found, Phone)
    assert (found.country, found.kind, found.fiction) == (country, kind, False)


@pytest.mark.parametrize(
    ("raw", "country"),
    [
        ("0639980000", "FR"),
        ("0199001234", "FR"),
        ("0261919999", "FR"),
        ("0353012345", "FR"),
        ("0465712345", "FR"),
        ("0536492345", "FR"),
        ("+447700900123", "GB"),
        ("+12025550199", "US"),
        ("+14165550100", "CA"),
    ],
)
def test_numbers_reserved_for_fiction_are_mobiles_and_say_so(raw: str, country: str) -> None:
    found = canonical(raw, "FR")
    assert isinstance(found, Phone)
    assert (found.country, found.kind, found.fiction) == (country, "mobile", True)


@pytest.mark.parametrize("raw", ["0639970000", "+12025550200", "+447700901123"])
def test_their_neighbours_are_not(raw: str) -> None:
    found = canonical(raw, "FR")
    assert isinstance(found, str) or not found.fiction


def test_a_number_is_never_part_of_a_reason() -> None:
    assert all("1951" not in str(canonical(raw, "FR")) for raw in ("0639981951x", "=0639981951", "06399819511951"))


@pytest.mark.parametrize(
    ("digits", "regions"), [("33612345678", ("FR",)), ("44", ("GB", "GG", "IM", "JE")), ("999", ()), ("", ())]
)
def test_a_calling_code_is_the_beginning_of_a_number(digits: str, regions: tuple[str, ...]) -> None:
    assert phone.calling_regions(digits) == regions


@pytest.mark.parametrize("country", ["CA", "GG", "VA", "MA", "RU", "BR", "AR", "XX", "001"])
def test_there_is_no_mask_where_digits_do_not_say_the_country(country: str) -> None:
    assert mask(country, "FR") is None


def test_a_mask_without_a_home_country_reads_only_numbers_with_a_plus() -> None:
    made = mask("FR", None)
    assert made is not None
    assert made.accept.startswith(r"(?:(?:\+)33)(?:0)?(")


def test_a_trunk_prefix_that_hides_a_carrier_digit_is_left_to_the_library() -> None:
    made = mask("CO", "CO")
    assert made is not None
    assert made.accept.startswith(r"(?:(?:\+|00)57)?(") or made.accept.startswith(r"(?:(?:\+)57)?(")
    assert canonical("03211234567", "CO") == "not-valid"
