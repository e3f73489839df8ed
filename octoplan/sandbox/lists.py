"""Lists, tags, groups and contact ids as a test or a user writes them, to fill a sandbox with: JSON, checked."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import orjson

from octoplan.sandbox import casts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from octoplan.sandbox.world import Contact

    Lists = Mapping[str, Mapping[str, Sequence[Contact]]]
    """Contacts by kind and name."""

KINDS: Mapping[str, str] = MappingProxyType(
    {"lists": "list", "tags": "tag", "groups": "group", "contact_ids": "contact id"}
)
LONGEST_NAME: Mapping[str, int] = MappingProxyType({"list": 30, "tag": 20, "group": 100, "contact id": 100})
"""Of lists and tags by Octopush's pages; Routee's say nothing of groups and ids."""

SHAPE = (
    '{"lists": {"lyon": [{"phone_number": "+33639980012", "first_name": "Zoe"}]}, "tags": {}, "groups": {},'
    ' "contact_ids": {"zoe": {"phone_number": "+33639980012"}}}'
)
_FIELDS = ("phone_number", *casts.PLACEHOLDERS)
_MOST_TOLD = 10
_LIKE_A_NUMBER = re.compile(r"[0-9](?:[ .()/-]*[0-9]){5}")
_SINGLE = "contact_ids"
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,29}")


class ListsUnusable(ValueError):
    """Lists cannot be understood; the message names each place and what belongs there, and never a number."""


def read(document: object) -> Lists:
    """Read lists, tags, groups and contact ids, checked. Raises ListsUnusable."""
    if not isinstance(document, dict) or not document.keys() <= KINDS.keys():
        raise ListsUnusable(f"lists must be such as {SHAPE}")
    problems = [problem for written in document for problem in _problems(written, document[written])]
    if problems:
        more = f"; and {len(problems) - _MOST_TOLD} more" if len(problems) > _MOST_TOLD else ""
        raise ListsUnusable("; ".join(problems[:_MOST_TOLD]) + more)
    return {
        kind: {name: casts.contacts(_several(written, held)) for name, held in document.get(written, {}).items()}
        for written, kind in KINDS.items()
    }


def _several(written: str, held: Any) -> Any:
    """Give the contacts that a name stands for; an id stands for one, without a list around it."""
    return [held] if written == _SINGLE else held


def load(path: Path) -> object:
    """Load a file of lists (JSON), checked. Raises ListsUnusable, which names the file."""
    try:
        document = orjson.loads(path.read_bytes())
    except OSError as error:
        raise ListsUnusable(f"{path.name}: the lists cannot be read: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise ListsUnusable(f"{path.name}: the lists are not JSON: {error}; they must be such as {SHAPE}") from error
    try:
        read(document)
    except ListsUnusable as unusable:
        raise ListsUnusable(f"{path.name}: {unusable}") from unusable
    return document


def _problems(written: str, groups: object) -> Iterator[str]:
    if not isinstance(groups, dict):
        yield f"{written} must be such as {SHAPE}"
        return
    longest = LONGEST_NAME[KINDS[written]]
    for n, (name, held) in enumerate(groups.items(), start=1):
        entries = _several(written, held)
        usable = isinstance(name, str) and name.isprintable() and 0 < len(name.strip()) == len(name) <= longest
        where = f"{written}.{name}" if usable and not _LIKE_A_NUMBER.search(name) else f"{written}, number {n}"
        if not usable:
            yield f"{where}: a name has 1 to {longest} printable characters, no blanks around"
        if not isinstance(entries, list):
            yield f"{where} must be a list of contacts"
            continue
        yield from (
            f"{where}, contact {i}: {what}" for i, entry in enumerate(entries, start=1) if (what := _wrong(entry))
        )


def _wrong(entry: Any) -> str | None:
    """Say what is wrong with a contact, without its values."""
    if not isinstance(entry, dict):
        return 'must be an object such as {"phone_number": "+33639980012"}'
    for name, value in entry.items():
        if name not in _FIELDS:
            shown = f"no {name!r}" if _WORD.fullmatch(str(name)) else "not all its fields"
            return f"takes {shown}; it takes {', '.join(_FIELDS)}"
        if value is not None and casts.text(value) is None:
            return f"{name} must be a text"
    return None if casts.contacts([entry]) else 'phone_number must be a number such as "+33639980012"'
