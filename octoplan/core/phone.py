"""Telephone numbers: one spelling for each, or the reason there is none.

`canonical` judges one number with libphonenumber's metadata. `mask` turns the same metadata into
regular expressions that an engine can run over millions of cells; a mask recognises fewer spellings
than `canonical`, never more, and never reads one differently (a property test holds it to that).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber, PhoneNumberType, ValidationResult

Kind = Literal["mobile", "fixed"]

_UNSEEN = "".join(map(chr, (0xA0, 0x2007, 0x202F, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))))

PUNCTUATION = f"(?i)^tel:|[- \t.()/'{_UNSEEN}]+"
"""A regular expression of what is not of a number: between digits blanks (also the no-break ones of French
typography) and `. - ( ) /`; the apostrophe by which a sheet marks text; invisible marks of direction, which
telephones copy along; the scheme of a link (RFC 3966)."""

EMAIL = r"[^+@]@[^@]"
"""What tells an e-mail address from a number, somewhere in its unpunctuated text."""

FICTION = re.compile(
    r"\+(?:"
    r"33(?:63998|19900|26191|35301|46571|53649)[0-9]{4}"  # Arcep: 06 39 98, 01 99 00, 02 61 91 …
    r"|447700900[0-9]{3}"  # Ofcom: 07700 900
    r"|1[2-9][0-9]{2}55501[0-9]{2}"  # NANPA: 555-01xx of any area
    r")"
)
"""E.164 numbers reserved for fiction: no person can answer one."""

_KINDS: dict[int, Kind] = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "fixed",
}

_REFUSED_TYPES = {PhoneNumberType.PREMIUM_RATE: "premium-rate", PhoneNumberType.SHARED_COST: "shared-cost"}

_UNPARSED = {
    NumberParseException.INVALID_COUNTRY_CODE: "not-valid",
    NumberParseException.NOT_A_NUMBER: "too-short",
    NumberParseException.TOO_SHORT_AFTER_IDD: "too-short",
    NumberParseException.TOO_SHORT_NSN: "too-short",
    NumberParseException.TOO_LONG: "too-long",
}

_IMPOSSIBLE = {
    ValidationResult.TOO_SHORT: "too-short",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "too-short",
    ValidationResult.TOO_LONG: "too-long",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A number that can be contacted. `country` is its ISO 3166-1 alpha-2 region.

    A number reserved for fiction is `fiction` and a mobile, whatever its range is elsewhere.
    """

    e164: str
    country: str
    kind: Kind
    fiction: bool = False


def canonical(raw: str, country: str | None) -> Phone | str:
    """Read a number as people write them; `country` is that of numbers without a country code.

    Returns the reason word of a number nobody can be contacted at: `empty`, `email-address` for what
    looks like one, `letters`, `characters`, `no-country`, `too-short`, `too-long`, `not-valid`,
    `premium-rate`, `shared-cost` or, for every other type (toll-free, voice over IP, pager …), `number-type`.
    """
    spelling = unpunctuated(raw)
    reason = _unreadable(spelling, country)
    if reason:
        return reason
    try:
        number = phonenumbers.parse(spelling, country)
    except NumberParseException as error:
        return _UNPARSED[error.error_type]
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if FICTION.fullmatch(e164):
        return Phone(e164=e164, country=_fiction_country(number), kind="mobile", fiction=True)
    return _judge(number, e164)


def unpunctuated(raw: str) -> str:
    """Return a text without what is not of a number."""
    return re.sub(PUNCTUATION, "", raw)


def _unreadable(spelling: str, country: str | None) -> str | None:
    if not spelling:
        return "empty"
    if re.search(EMAIL, spelling):
        return "email-address"
    digits = spelling.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        return "letters" if any(map(str.isalpha, digits)) else "characters" if digits else "too-short"
    return None if country or spelling.startswith("+") else "no-country"


def _judge(number: PhoneNumber, e164: str) -> Phone | str:
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible != ValidationResult.IS_POSSIBLE:
        return _IMPOSSIBLE.get(possible, "not-valid")
    region = phonenumbers.region_code_for_number(number)
    if region is None or not phonenumbers.is_valid_number_for_region(number, region):
        return "not-valid"
    number_type = phonenumbers.number_type(number)
    kind = _KINDS.get(number_type)
    if kind is None:
        return _REFUSED_TYPES.get(number_type, "number-type")
    return Phone(e164=e164, country=region, kind=kind)


def _fiction_country(number: PhoneNumber) -> str:
    """Return the region, the main one of the calling code where the range is assigned to nobody."""
    return phonenumbers.region_code_for_number(number) or calling_regions(str(number.country_code))[0]


def calling_regions(digits: str) -> tuple[str, ...]:
    """Return the regions whose calling code these digits begin with, the main one first."""
    for length in (1, 2, 3):
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(digits[:length] or 0))
        if regions:
            return tuple(regions)
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask:
    """The usual spellings of one country's mobile numbers, as RE2 patterns for whole strings.

    A spelling without its punctuation that matches `accept`, and whose only group does not match
    `refuse`, is the mobile number `prefix` + group of `country`.
    """

    country: str
    prefix: str
    accept: str
    refuse: str


@cache
def mask(country: str, default: str | None) -> Mask | None:
    """Make the mask of `country` for a file whose national numbers are of country `default`.

    None where the metadata allows no sound one: a country that shares its calling code without
    leading it, or whose national numbers are rewritten while parsing.
    """
    metadata = PhoneMetadata.metadata_for_region(country, None)
    if metadata is None or metadata.mobile is None or not _readable(metadata):
        return None
    trunk = f"(?:{metadata.national_prefix})?" if _plain_trunk(metadata) else ""
    abroad = rf"(?:\+{_exit_code(default)}){metadata.country_code}"
    optional = "?" if country == default else ""
    return Mask(
        country=country,
        prefix=f"+{metadata.country_code}",
        accept=f"(?:{abroad}){optional}{trunk}({metadata.mobile.national_number_pattern})",
        refuse="|".join(_refusals(metadata)),
    )


def _readable(metadata: PhoneMetadata) -> bool:
    """Tell whether a number of this country means what its digits say, whoever shares its calling code."""
    parsing = metadata.national_prefix_for_parsing
    shared = calling_regions(str(metadata.country_code))[0] != metadata.id or metadata.leading_digits
    rewritten = metadata.national_prefix_transform_rule or (parsing and re.fullmatch(parsing, ""))
    return not shared and not rewritten


def _plain_trunk(metadata: PhoneMetadata) -> bool:
    """Tell whether parsing drops the trunk prefix and never more: Colombia's also drops a carrier's digit."""
    trunk = metadata.national_prefix or ""
    dropped = (metadata.national_prefix_for_parsing or "").split("|")
    others = [prefix for prefix in dropped if prefix != trunk]
    return trunk in dropped and all(prefix.isdigit() and prefix[0] != trunk[0] for prefix in others)


def _exit_code(default: str | None) -> str:
    """Return the alternative to a leading plus, where it is the plain 00."""
    metadata = PhoneMetadata.metadata_for_region(default, None) if default else None
    return "|00" if metadata is not None and metadata.international_prefix == "00" else ""


def _refusals(metadata: PhoneMetadata) -> list[str]:
    """Return patterns of national numbers that only look like mobiles of this country."""
    parsing = metadata.national_prefix_for_parsing
    others = (
        metadata.premium_rate,
        metadata.toll_free,
        metadata.shared_cost,
        metadata.voip,
        metadata.personal_number,
        metadata.pager,
        metadata.uan,
        metadata.voicemail,
    )
    patterns = [f"(?:{parsing}).*"] if parsing else []
    patterns += [f"(?:{other.national_number_pattern})" for other in others if other and other.national_number_pattern]
    return [*patterns, *_FICTION_NATIONAL.get(metadata.country_code or 0, ())]


_FICTION_NATIONAL = {
    33: ("63998[0-9]{4}",),
    44: ("7700900[0-9]{3}",),
    1: ("[2-9][0-9]{2}55501[0-9]{2}",),
}
"""The part of `FICTION` that mobiles overlap with, without the country code."""
