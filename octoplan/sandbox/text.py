"""What a text becomes on the way to people: optimising, parts, the seconds it takes to say, the STOP mention."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PLAIN = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPED = frozenset("\f^{}\\[~]|€")
_GSM = _PLAIN | _ESCAPED

_SCRIPT = re.compile(r"<script\b.*?(?:</script\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_BLANKS = re.compile(r"[ \u00a0\u2009\u202f]+")
_LOOKS_LIKE = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201a", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"')
    | dict.fromkeys("\u2010\u2011\u2013\u2014\u2022", "-")
    | {"\u0153": "oe", "\u0152": "OE"}
)

STOP_PLACEHOLDER = "XXXXX"
_STOP_WITH_PLACEHOLDER = f"STOP au {STOP_PLACEHOLDER}"
_STOP_WITH_NUMBER = re.compile(r"STOP au [0-9]{5}(?![0-9])")


class Measure(NamedTuple):
    """`units` are septets under gsm7 and UTF-16 units under ucs2."""

    encoding: str
    units: int
    parts: int


def measure(text: str) -> Measure:
    """Count the parts of `text`; neither an escape pair nor a surrogate pair is ever cut in two."""
    if _GSM.issuperset(text):
        return _packed("gsm7", [2 if character in _ESCAPED else 1 for character in text], alone=160, joined=153)
    return _packed("ucs2", [2 if character > "\uffff" else 1 for character in text], alone=70, joined=67)


def _packed(encoding: str, sizes: list[int], *, alone: int, joined: int) -> Measure:
    units = sum(sizes)
    if units <= alone:
        return Measure(encoding, units, 1)
    parts, room = 1, joined
    for size in sizes:
        if size > room:
            parts, room = parts + 1, joined
        room -= size
    return Measure(encoding, units, parts)


def seconds(text: str, *, characters_per_second: int) -> int:
    """Estimate how long it takes to say `text`, at least a second."""
    spoken = " ".join(text.split())
    return max(math.ceil(len(spoken) / characters_per_second), 1)


def without_scripts(html: str) -> str:
    """Drop script elements with what they hold."""
    return _SCRIPT.sub("", html)


def leaves(value: Any) -> Iterator[str]:
    """Yield every text in nested lists and objects."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for child in value.values() if isinstance(value, dict) else value:
            yield from leaves(child)


def rewritten(value: Any, change: Callable[[str], str]) -> Any:
    """Change every text in nested lists and objects, names excepted."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {name: rewritten(child, change) for name, child in value.items()}
    return [rewritten(child, change) for child in value] if isinstance(value, list) else value


def optimise(text: str, *, keep_leftover: bool) -> str:
    """Do what `auto_optimize_text` announces: no useless spaces, no Unicode characters.

    A character without a plain form is removed, or kept when `keep_leftover`.
    """
    plain = "".join(_plain_form(character, keep_leftover=keep_leftover) for character in text.translate(_LOOKS_LIKE))
    return _BLANKS.sub(" ", plain).strip()


def _plain_form(character: str, *, keep_leftover: bool) -> str:
    if character in _GSM:
        return character
    stripped = "".join(c for c in unicodedata.normalize("NFKD", character) if c in _GSM)
    return stripped or (character if keep_leftover else "")


def has_stop(text: str, *, accepts: str) -> bool:
    """Whether the opt-out mention is there, in its exact case; `accepts`: placeholder, number or both."""
    if accepts != "number" and _STOP_WITH_PLACEHOLDER in text:
        return True
    return accepts != "placeholder" and _STOP_WITH_NUMBER.search(text) is not None
