"""The values of written files: money, shares, durations, codes, paths. Each says what it must look like."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticKnownError

from octoplan.core import paths
from octoplan.core.codes import COUNTRIES, CURRENCIES
from octoplan.core.model import Money
from octoplan.core.written.mistakes import wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Sized

    from pydantic import ValidationInfo

S = TypeVar("S", bound="Sized")

_SHA256 = "[0-9a-f]{64}"

DIGEST = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""The digest of nothing: an example."""

ZONE = r"UTC|[A-Z][A-Za-z_]+(/[A-Za-z0-9_+-]+)+"
"""`Area/City` or UTC: no name whose meaning depends on the machine, such as `localtime`."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _described(pattern: str, *examples: str) -> WithJsonSchema:
    """Describe a text for editors; a template may stand in its place."""
    return WithJsonSchema({"type": "string", "pattern": rf"^({pattern})$|\{{\{{", "examples": list(examples)})


def _matched(value: Any, pattern: str, *, must: str) -> re.Match[str]:
    if not isinstance(value, str):
        raise PydanticKnownError("string_type")
    match = re.fullmatch(pattern, value, re.ASCII)
    if match is None:
        raise wrong(must)
    return match


_MONEY = r"([0-9]{1,9}(?:\.[0-9]{1,2})?) ([A-Z]{3})"


def _money(value: Any) -> Money:
    match = _matched(value, _MONEY, must="must be an amount and a currency, such as 90 EUR or 90.50 EUR")
    return Money(amount=Decimal(match[1]), currency=_currency(match[2]))


_UNIT_PRICE = r"([0-9]{1,6}(?:\.[0-9]{1,6})?) ([A-Z]{3})"
"""As exact as the prices of a price book."""


def _unit_price(value: Any) -> Money:
    match = _matched(value, _UNIT_PRICE, must="must be an amount and a currency, such as 0.08 EUR or 0.055 EUR")
    return Money(amount=Decimal(match[1]), currency=_currency(match[2]))


def _currency(value: str) -> str:
    if value not in CURRENCIES:
        raise wrong("must be in a currency of ISO 4217, such as EUR", hint="see the list of ISO 4217")
    return value


_SHARE = r"([0-9]{1,4}(?:\.[0-9]{1,2})?)%"


def _share(value: Any) -> Decimal:
    return Decimal(_matched(value, _SHARE, must="must be a percentage, such as 20% or 2.5%")[1]) / 100


_DURATION = r"([0-9]{1,6})([smhd])"


def _duration(value: Any, *, least: str, most: str) -> timedelta:
    match = _matched(value, _DURATION, must="must be a whole number with s, m, h or d, such as 90s, 15m, 24h or 7d")
    found = timedelta(seconds=int(match[1]) * _UNITS[match[2]])
    if not _seconds(least) <= found.total_seconds() <= _seconds(most):
        raise wrong(f"must be between {least} and {most}")
    return found


def _seconds(text: str) -> int:
    return int(text[:-1]) * _UNITS[text[-1]]


_RATE = r"([0-9]{1,4}(?:\.[0-9])?)/s"


def _rate(value: Any) -> Decimal:
    rate = Decimal(_matched(value, _RATE, must="must be calls per second, such as 10/s or 0.5/s")[1])
    if not rate:
        raise wrong("must be more than 0/s")
    return rate


def _country(value: str) -> str:
    if value not in COUNTRIES:
        close = "GB" if value == "UK" else value.upper()
        hint = f"did you mean `{close}`?" if close in COUNTRIES else ""
        raise wrong("must be a country code of ISO 3166, such as FR", hint=hint)
    return value


def _zone(value: str) -> str:
    try:
        known = re.fullmatch(ZONE, value, re.ASCII) and ZoneInfo(value)
    except (ZoneInfoNotFoundError, OSError):
        known = None
    if not known:
        raise wrong("must be a time zone such as Europe/Paris", hint="names: the IANA time zone database")
    return value


def _path(value: str, info: ValidationInfo) -> str:
    try:
        return paths.resolve(value, within=(info.context or {})["folder"])
    except paths.Outside as problem:
        raise wrong(f"is not usable: {problem}", rule="file", hint="name a file of the project") from None


def _csv(value: str, info: ValidationInfo) -> str:
    if paths.is_pattern(value):
        raise wrong("must name one file, not a pattern", rule="source", hint="name every list")
    if not value.lower().endswith(".csv"):
        raise wrong("must end in .csv: lists of addresses are CSV", rule="source", hint="export it as CSV")
    return _path(value, info)


_CONTACTS = (".csv", ".jsonl", ".parquet")

_INSTEAD = {
    ".sql": "name a query under `query`, with its `connection`",
    ".json": "write one object a line, in a file that ends in .jsonl",
    ".ndjson": "rename it: one object a line is .jsonl",
    ".gz": "unpack it",
    ".zip": "unpack it",
}
"""The way out for a file of contacts with another ending; for all others, an export."""


def _contacts(value: str, info: ValidationInfo) -> str:
    ending = value[value.rfind(".") :].lower()
    if ending not in _CONTACTS:
        hint = _INSTEAD.get(ending, "end the pattern in one of them" if paths.is_pattern(value) else "export it as CSV")
        raise wrong("must end in .csv, .jsonl or .parquet", rule="source", hint=hint)
    if "**" in value:
        raise wrong("must not hold `**`", rule="source", hint="one `*` stands for any name, in one folder")
    return _path(value, info)


def _sql(value: str, info: ValidationInfo) -> str:
    if paths.is_pattern(value) or not value.lower().endswith(".sql"):
        raise wrong("must be a file that ends in .sql", rule="source", hint="put one SELECT into a file of its own")
    return _path(value, info)


def some(value: S) -> S:
    """Refuse an empty list."""
    if not value:
        raise wrong("must name at least one")
    return value


_MOST_NAMES, _LONGEST_NAME = 1000, 100


def _held_names(value: tuple[str, ...]) -> tuple[str, ...]:
    """Check names at a provider, and show none of them: it may be somebody's."""
    if not 0 < len(value) <= _MOST_NAMES:
        raise wrong(f"must hold 1 to {_MOST_NAMES:,} entries, and holds {len(value):,}")
    first: dict[str, int] = {}
    for entry, name in enumerate(value, start=1):
        if not (name.isprintable() and name.strip() and len(name) <= _LONGEST_NAME):
            raise wrong(f"must hold entries of 1 to {_LONGEST_NAME} printable characters: entry {entry} is none")
        if first.setdefault(name, entry) != entry:
            raise wrong(f"must hold each entry once: entry {entry} repeats entry {first[name]}", hint="remove it")
    return value


def pattern(expression: str, must: str) -> Callable[[str], str]:
    """Return a check that the whole of a text matches; `must` continues the key's name."""

    def check(value: str) -> str:
        return _matched(value, expression, must=must)[0]

    return check


def _duration_between(least: str, most: str) -> PlainValidator:
    return PlainValidator(lambda value: _duration(value, least=least, most=most))


Amount = Annotated[Money, PlainValidator(_money), _described(_MONEY, "90 EUR")]
UnitPrice = Annotated[Money, PlainValidator(_unit_price), _described(_UNIT_PRICE, "0.08 EUR")]
Currency = Annotated[str, AfterValidator(_currency), _described("[A-Z]{3}", "EUR")]
Share = Annotated[Decimal, PlainValidator(_share), _described(_SHARE, "20%")]
Rate = Annotated[Decimal, PlainValidator(_rate), _described(_RATE, "10/s")]
Lead = Annotated[timedelta, _duration_between("1m", "90d"), _described(_DURATION, "24h")]
Grace = Annotated[timedelta, _duration_between("0m", "24h"), _described(_DURATION, "15m")]
QuietTime = Annotated[timedelta, _duration_between("1s", "24h"), _described(_DURATION, "12m")]
Country = Annotated[str, AfterValidator(_country), _described("[A-Z]{2}", "FR")]
Zone = Annotated[str, AfterValidator(_zone), _described(ZONE, "Europe/Paris")]
ProjectPath = Annotated[str, AfterValidator(_path), _described(r"[^~/\\][^\\]*", "prices/octopush.yaml")]
CsvPath = Annotated[str, AfterValidator(_csv), _described(r"[^~/\\][^\\]*\.[cC][sS][vV]", "../audiences/lyon.csv")]
ContactsPath = Annotated[
    str,
    AfterValidator(_contacts),
    _described(
        r"[^~/\\][^\\]*\.([cC][sS][vV]|[jJ][sS][oO][nN][lL]|[pP][aA][rR][qQ][uU][eE][tT])",
        "../audiences/lyon.csv",
        "../audiences/lyon-*.parquet",
    ),
]
SqlPath = Annotated[str, AfterValidator(_sql), _described(r"[^~/\\][^\\]*\.[sS][qQ][lL]", "../audiences/lyon.sql")]
Fingerprint = Annotated[
    str,
    AfterValidator(pattern(_SHA256, "must be 64 hexadecimal digits, as sha256sum prints them")),
    _described(_SHA256, DIGEST),
]
RecordingDigest = Annotated[str, _described(_SHA256, DIGEST)]
"""What it must look like the rule `audio` says."""
ID_PATTERN = "[a-z0-9][a-z0-9-]{0,62}"
"""What a campaign's id is made of."""

Identity = Annotated[
    str,
    AfterValidator(pattern(ID_PATTERN, "must be 1 to 63 of a-z, 0-9 and `-`, no `-` first")),
    _described(ID_PATTERN, "noel-2026"),
]
ConnectionName = Annotated[
    str,
    AfterValidator(pattern(_NAME := "[a-z0-9][a-z0-9-]{0,62}", "must be a name of `connections` in octoplan.yaml")),
    _described(_NAME, "warehouse"),
]
Countries = Annotated[
    tuple[Country, ...], AfterValidator(some), Field(json_schema_extra={"minItems": 1, "examples": [["FR"]]})
]
HeldNames = Annotated[
    tuple[str, ...], AfterValidator(_held_names), Field(json_schema_extra={"minItems": 1, "maxItems": _MOST_NAMES})
]
