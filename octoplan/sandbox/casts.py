"""How the provider reads what it is sent: JSON or forms, and wrong types cast until something fits."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import orjson

from octoplan.sandbox.world import Contact

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

PLACEHOLDERS = ("first_name", "last_name", "param1", "param2", "param3", "param4", "param5")
_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off", ""})
_WELL_FORMED = re.compile(r"(?:\+[1-9][0-9]{6,14}\n)*", re.ASCII)
_NOT_A_DIGIT = re.compile(r"[^0-9]", re.ASCII)
_PHONE_DIGITS = re.compile(r"[1-9][0-9]{6,14}", re.ASCII)
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_OFFSET_WITHOUT_COLON = re.compile(r"([+-][0-9]{2})([0-9]{2})$", re.ASCII)
_EMAIL_PART = r"[^\s@<>()\[\]\\,;:\".]+"
_EMAIL = re.compile(rf"{_EMAIL_PART}(?:\.{_EMAIL_PART})*@[\w-]+(?:\.[\w-]+)+")
_LONGEST_EMAIL = 254
_DEEPEST = 8
_PROHIBITED = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_phone_number = itemgetter("phone_number")


def body(content: bytes) -> dict[str, Any] | None:
    """Read a request body, whatever its Content-Type says; None where there is no object in it."""
    if content.lstrip()[:1] in (b"{", b"["):
        with suppress(orjson.JSONDecodeError):
            read = orjson.loads(content)
            return read if isinstance(read, dict) else None
        return None
    pairs = parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True)
    return _nested(pairs) or None


def _nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Build what PHP makes of `metadata[type]=x` and `recipients[0][phone_number]=y`; lists stay keyed by number."""
    form: dict[str, Any] = {}
    for name, value in pairs:
        head, bracket, rest = name.partition("[")
        keys = [head, *_BRACKETS.findall(bracket + rest)]
        node = form
        for key in keys[:-1]:
            child = node.setdefault(key or str(len(node)), {})
            node = child if isinstance(child, dict) else {}
        node[keys[-1] or str(len(node))] = value
    return form


def text(value: object) -> str | None:
    """Cast to text as PHP does; None for what has no text."""
    if isinstance(value, bool):
        return "1" if value else ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str | int | float):
        return str(value)
    return None


def flag(value: object, *, default: bool) -> bool:
    """Cast to a boolean; what looks like none is ignored, so `default` holds."""
    written = text(value)
    word = None if written is None else written.strip().lower()
    return True if word in _TRUE else False if word in _FALSE else default


def mapping(value: object) -> dict[str, Any]:
    """Cast to an object; forms carry one as JSON text."""
    if isinstance(value, str):
        with suppress(orjson.JSONDecodeError):
            value = orjson.loads(value)
    return value if isinstance(value, dict) else {}


def moment(value: object, zone: ZoneInfo) -> datetime | None:
    """Cast to an aware moment; a naive one is in `zone`. None for what cannot be understood."""
    written = _OFFSET_WITHOUT_COLON.sub(r"\1:\2", (text(value) or "").strip())
    try:
        read = datetime.fromisoformat(written)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=zone)


def recipients(value: object) -> list[Any]:
    """Cast to a list of recipients: a form's numbered fields, JSON text, one object, or bare addresses."""
    if isinstance(value, str):
        with suppress(orjson.JSONDecodeError):
            value = orjson.loads(value)
    if isinstance(value, dict):
        return [value] if value.keys() & {"phone_number", "email"} else list(value.values())
    if isinstance(value, list):
        return value
    return [part for part in re.split(r"[,;\s]+", text(value) or "") if part]


def phone_numbers(entries: list[Any]) -> list[str]:
    """Find the usable numbers of `entries`, in order, as `+` and digits; the rest is missing from the result."""
    try:
        numbers: list[str] = list(map(_phone_number, entries))
        joined = "\n".join(numbers) + "\n"
        if _WELL_FORMED.fullmatch(joined) and joined.count("\n") == len(numbers):
            return numbers
    except (KeyError, TypeError, IndexError):
        pass
    return [number for entry in entries if (number := _phone(entry))]


def contacts(entries: list[Any]) -> list[Contact]:
    """Find the usable numbers of `entries`, in order, each with the values that came with it."""
    usable = phone_numbers(entries)
    numbers = usable if len(usable) == len(entries) else map(_phone, entries)
    return [Contact(number, _values(entry)) for number, entry in zip(numbers, entries, strict=True) if number]


def _values(entry: object) -> dict[str, str]:
    """Read the values for placeholders; an empty one is none."""
    if not isinstance(entry, dict):
        return {}
    read = {name: without_prohibited(text(entry[name]) or "") for name in PLACEHOLDERS if name in entry}
    return {name: value for name, value in read.items() if value}


def _phone(entry: object) -> str | None:
    raw = (text(entry.get("phone_number") if isinstance(entry, dict) else entry) or "").strip()
    digits = _NOT_A_DIGIT.sub("", raw)
    if not raw.startswith("+") and digits.startswith("00"):
        digits = digits[2:]
    return f"+{digits}" if _PHONE_DIGITS.fullmatch(digits) else None


def emails(entries: list[Any]) -> list[str]:
    """Find the usable e-mail addresses of `entries`, in order and as spelled; the rest is missing from the result."""
    return [address for entry in entries if (address := _email(entry))]


def _email(entry: object) -> str | None:
    written = (text(entry.get("email") if isinstance(entry, dict) else entry) or "").strip()
    return written if len(written) <= _LONGEST_EMAIL and _EMAIL.fullmatch(written) else None


def items(value: object) -> list[Any]:
    """Cast to a list of objects and texts: a form's numbered fields, JSON text, or one object; the rest is dropped."""
    if isinstance(value, str):
        with suppress(orjson.JSONDecodeError):
            value = orjson.loads(value)
    if isinstance(value, dict):
        value = list(value.values()) if _numbered(value) else [value]
    if not isinstance(value, list):
        return []
    return [item for item in map(_nested_item, value) if item and isinstance(item, dict | str)]


def _nested_item(value: Any, depth: int = 0) -> Any:
    """Clean texts at any depth and make lists of a form's numbered fields; what is nested too deep is left out."""
    if isinstance(value, str):
        return without_prohibited(value)
    if not isinstance(value, dict | list):
        return value
    if depth == _DEEPEST:
        return None
    if isinstance(value, dict) and not _numbered(value):
        return {without_prohibited(name): _nested_item(child, depth + 1) for name, child in value.items()}
    return [_nested_item(child, depth + 1) for child in (value.values() if isinstance(value, dict) else value)]


def _numbered(value: dict[str, Any]) -> bool:
    return bool(value) and all(name.isdigit() for name in value)


def without_prohibited(text: str) -> str:
    """Drop control characters; line breaks stay."""
    return _PROHIBITED.sub("", text)
