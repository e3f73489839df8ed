"""What a person wrote, as a message may repeat it: escaped, short, without anything like a number or a key."""

from __future__ import annotations

import difflib
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST = 80
SHOWN = 12
LONGEST_NOTE, LONGEST_READ = 200, 1000
"""Characters kept of a reason, and looked at: a megabyte must not keep the masks busy."""

_PRIVATE = re.compile(r"[0-9]{6,}|[A-Za-z0-9_+/=-]{33,}")
_ADDRESS = re.compile(r"\s*[+(]{0,2}[0-9][0-9\s./()-]{5,}|.*@.*", re.DOTALL)
_HIDDEN = "…"
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories that drive a terminal, reorder a line or show nothing."""


def quoted(text: str) -> str:
    """Return `text` in backticks; runs of six digits or of 33 key-like characters are hidden."""
    plain = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text[: LONGEST + 1])
    plain = masked(plain)
    return f"`{plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + _HIDDEN}`"


def masked(text: str) -> str:
    """Return `text` without what could be a number or a key."""
    return _PRIVATE.sub(_HIDDEN, text)


def noted(text: str) -> str:
    """Return a person's reason fit to be kept: one short line, numbers and addresses masked."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text[:LONGEST_READ]).split())
    hidden = re.sub(r"\S+@\S+", "<address>", re.sub(r"\+?\d(?:[ .()/-]{0,2}\d){5,}", "<number>", line))
    return hidden if len(hidden) <= LONGEST_NOTE else hidden[: LONGEST_NOTE - 1] + _HIDDEN


def typed(word: str) -> str:
    """Return a word of a command line as `quoted` does; hidden where an address stands in the place of a name."""
    return f"`{_HIDDEN}`" if _ADDRESS.fullmatch(word) else quoted(word)


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return `did you mean …?`, or what there is to choose from."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1)
    if near:
        return f"did you mean {quoted(near[0])}?"
    if not names:
        return "there is none"
    return "there is " + ", ".join(map(quoted, names[:SHOWN])) + (", …" if len(names) > SHOWN else "")


def visible(text: str) -> str:
    """Return text that cannot drive a terminal: line ends as ⏎, other controls and format characters escaped."""
    if text.isprintable():
        return text
    return "".join(
        "⏎"
        if character == "\n"
        else f"\\u{ord(character):04x}"
        if unicodedata.category(character) in _UNSEEN
        else character
        for character in text
    )
