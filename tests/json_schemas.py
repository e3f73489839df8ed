"""A reading of JSON Schema of our own: just the words our schemas use, any other is an error."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
SAYS_NOTHING = {"$defs", "title", "description", "default", "examples", "$schema", "$id"}


def mismatches(value: Any, schema: Mapping[str, Any], *, root: Mapping[str, Any], at: str = "$") -> Iterator[str]:
    """Yield where and how a value is not what a schema says."""
    for word, said in schema.items():
        if word not in SAYS_NOTHING:
            yield from CHECKS[word](value, said, schema=schema, root=root, at=at)


def _reference(value: Any, said: str, *, root: Mapping[str, Any], at: str, **_: Any) -> Iterator[str]:
    return mismatches(value, root["$defs"][said.removeprefix("#/$defs/")], root=root, at=at)


def _any_of(value: Any, said: list[Any], *, root: Mapping[str, Any], at: str, **_: Any) -> Iterator[str]:
    tried = [list(mismatches(value, option, root=root, at=at)) for option in said]
    return iter(()) if [] in tried else iter(tried[0])


def _type(value: Any, said: str, *, at: str, **_: Any) -> Iterator[str]:
    if not isinstance(value, TYPES[said]) or (isinstance(value, bool) and said != "boolean"):
        yield f"{at} is no {said}"


def _enum(value: Any, said: list[Any], *, at: str, **_: Any) -> Iterator[str]:
    if value not in said:
        yield f"{at} is none of {said}"


def _pattern(value: Any, said: str, *, at: str, **_: Any) -> Iterator[str]:
    if isinstance(value, str) and not re.search(said, value):
        yield f"{at} does not match {said}"


def _format(value: Any, said: str, *, at: str, **_: Any) -> Iterator[str]:
    assert said == "date-time"
    if isinstance(value, str) and datetime.fromisoformat(value).utcoffset() is None:
        yield f"{at} has no offset"


def _required(value: Any, said: list[str], *, at: str, **_: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (f"{at}.{name} is missing" for name in said if name not in value)


def _properties(value: Any, said: Mapping[str, Any], *, root: Mapping[str, Any], at: str, **_: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name in said.keys() & value.keys():
            yield from mismatches(value[name], said[name], root=root, at=f"{at}.{name}")


def _additional(value: Any, said: Any, *, schema: Mapping[str, Any], root: Mapping[str, Any], at: str) -> Iterator[str]:
    if isinstance(value, dict) and said is not True:
        for name in value.keys() - schema.get("properties", {}).keys():
            yield from (
                mismatches(value[name], said, root=root, at=f"{at}.{name}") if said else [f"{at}.{name} is too much"]
            )


def _items(value: Any, said: Mapping[str, Any], *, root: Mapping[str, Any], at: str, **_: Any) -> Iterator[str]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from mismatches(item, said, root=root, at=f"{at}[{index}]")


CHECKS: Mapping[str, Any] = {
    "$ref": _reference,
    "anyOf": _any_of,
    "type": _type,
    "enum": _enum,
    "const": lambda value, said, *, at, **_: _enum(value, [said], at=at),
    "pattern": _pattern,
    "format": _format,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _additional,
    "items": _items,
}
