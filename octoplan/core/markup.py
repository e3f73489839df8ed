"""A folded HTML text taken apart: its branches, then tags, in the one spelling that every mail program reads alike.

The standard library's `html.parser` repairs what is written badly, differently from one Python version to the next and
from what mail programs do, and knows no branches; so do the tree builders. Here what is not plain is not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SLOT = "\ufdd0"
"""Stands for a contact's value: no character that may be in a text."""

_STRING = r'"(?:[^"\\]|\\.)*"'
_CODE = re.compile(rf"\{{\{{ ((?:{_STRING}|[^\"])*?) \}}\}}|\{{% ((?:{_STRING}|[^\"])*?) %\}}", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:U([0-9a-f]{8})|(.))", re.DOTALL)
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}
_LITERAL = re.compile(_STRING, re.DOTALL)
_ARGUMENTS = re.compile(rf"\|(?!default\()\w+\((?:{_STRING}|[^\")])*\)", re.DOTALL)
_MARKUP = re.compile("[<>&\"']")

_BLANK = "[ \t\n\f\r]"
_OPENING = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]*)")
_ATTRIBUTE = re.compile(
    rf"{_BLANK}+([A-Za-z_:][A-Za-z0-9_:.-]*)"
    rf"(?:{_BLANK}*={_BLANK}*(\"[^\"]*\"|'[^']*'|[^ \t\n\f\r\"'=<>`{SLOT}]+))?"
)
_CLOSING = re.compile(rf"{_BLANK}*(/?)>")


@dataclass(frozen=True, slots=True)
class Branches:
    """The ways in which one place of a text may be written."""

    arms: tuple[tuple[Piece, ...], ...]


Piece = str | Branches


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """One tag; names are in small letters, values as they are written, without their quotes."""

    name: str
    closes: bool
    closed: bool
    attributes: tuple[tuple[str, str], ...]


def pieces(folded: str) -> tuple[Piece, ...]:
    """Return a folded text as texts and branches; a contact's value is a `SLOT`."""
    arms: list[list[list[Piece]]] = [[[]]]  # of each open `{% if %}` its arms; the first stands for no arm at all
    position = 0
    for code in _CODE.finditer(folded):
        _add(arms[-1][-1], _plain(folded[position : code.start()]))
        position = code.end()
        if code[1] is not None:
            _put(arms[-1][-1], code[1])
        elif code[2] == "endif":
            branches = Branches(tuple(map(tuple, arms.pop())))
            arms[-1][-1].append(branches)
        elif code[2].startswith("if "):
            arms.append([[], []])
        elif code[2] == "else":
            arms[-1].append(arms[-1].pop(0))
        else:
            arms[-1].append([])
    _add(arms[-1][-1], _plain(folded[position:]))
    return tuple(arms[-1][-1])


def tag(written: str) -> Tag | None:
    """Return the tag that is written from `<` to `>`, or None for what is none to everybody."""
    opening = _OPENING.match(written)
    if opening is None:
        return None
    attributes: list[tuple[str, str]] = []
    position = opening.end()
    while found := _ATTRIBUTE.match(written, position):
        value = found[2] or ""
        attributes.append((found[1].lower(), value[1:-1] if value[:1] in ('"', "'") else value))
        position = found.end()
    closing = _CLOSING.fullmatch(written, position)
    if closing is None or (opening[1] and (attributes or closing[1])):
        return None
    name = opening[2].lower()
    return Tag(name=name, closes=bool(opening[1]), closed=bool(closing[1]), attributes=tuple(attributes))


def _add(arm: list[Piece], text: str) -> None:
    """Add text to what is before it: a tag is read more often the more pieces it is in."""
    if arm and isinstance(arm[-1], str):
        arm[-1] += text
    elif text:
        arm.append(text)


def _put(arm: list[Piece], expression: str) -> None:
    """Add what an expression puts out: its text, a contact's value, or either."""
    if _LITERAL.fullmatch(expression):
        _add(arm, _text(expression))
        return
    literals = map(_text, _LITERAL.findall(_ARGUMENTS.sub("", expression)))
    written = [text for text in literals if _MARKUP.search(text)]
    if written:
        arm.append(Branches(((SLOT,), *((text,) for text in written))))
    else:
        _add(arm, SLOT)


def _text(literal: str) -> str:
    def character(found: re.Match[str]) -> str:
        return chr(int(found[1], 16)) if found[1] else _CONTROLS.get(found[2], found[2])

    return _plain(_ESCAPE.sub(character, literal[1:-1]))


def _plain(text: str) -> str:
    return text.replace(SLOT, "\ufffd")
