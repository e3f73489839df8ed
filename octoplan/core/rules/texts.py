"""Rules on what each person would read: judged on the rendered texts, reported with counts only.

A chunk of texts is searched as one string first; single texts are looked at where that found something.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from octoplan.core.model import Channel, Purpose
from octoplan.core.parts import named
from octoplan.core.quantity import quantity
from octoplan.core.rules import WARNING, finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from octoplan.core.model import Campaign, Finding, KeyPath

PATH: KeyPath = ("message", "text")
MAX_LENGTH = 1224
STOP = "STOP au XXXXX"
"""The opt-out mention French marketing needs, in this exact case; the provider puts its number for the X."""
NUMBER = "XXXXX"
SHOWN = 10
"""Characters a message names at most."""

_UNSEEN = {
    "text-control": re.compile("[\0-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]"),
    "text-invisible": re.compile(
        "[\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\U000e0000-\U000e007f]"
    ),
}
_HINTS = {
    "text-control": "remove it from the text or the audience; only line breaks may be in a text",
    "text-invisible": "remove it from the text or the audience: nobody would see it, and it may hide something",
}
_LEFTOVER = re.compile(r"\{[{%]")
_PLACEHOLDER = re.compile(r"\{\w[\w.]*\}")
_DRAFT = re.compile(r"\b(?:TODO|lorem|test)\b", re.IGNORECASE)
_DRAFT_WORDS = ("todo", "lorem", "test")


class TextRules:
    """Judges the texts of one campaign, chunk by chunk. `live` switches on what only matters to real people.

    `most` is how many characters a text may have.
    """

    def __init__(self, campaign: Campaign, *, live: bool, most: int = MAX_LENGTH) -> None:
        self._live = live
        self._most = most
        self._filled_in = campaign.channel in (Channel.SMS, Channel.RCS)
        self._stop = campaign.purpose is Purpose.MARKETING and self._filled_in
        self._contacts: Counter[str] = Counter()
        self._first: dict[str, str] = {}
        self._longest = 0

    def look(
        self, texts: Sequence[str], bodies: Sequence[str] | None, *, seen: Sequence[str], countries: Sequence[str]
    ) -> None:
        """Judge one chunk: all that each person receives, the `text` in it if there is one, what is seen; countries."""
        joined = "\n".join(texts)
        if bodies is not None:
            self._count_lengths(bodies)
        for rule, pattern in _UNSEEN.items():
            if pattern.search(joined):
                self._note_unseen(rule, texts)
        if "{" in joined:
            self._contacts["text-leftover"] += _matching(_LEFTOVER, texts)
            self._contacts["text-placeholder"] += _matching(_PLACEHOLDER, texts)
        if self._live:
            small = joined.lower()
            if any(word in small for word in _DRAFT_WORDS):
                self._contacts["draft"] += _matching(_DRAFT, texts)
        if not self._filled_in:
            self._contacts["stop-nowhere"] += sum(STOP in text for text in texts) if STOP in joined else 0
        elif joined.count(NUMBER) != joined.count(STOP):
            self._contacts["stop-number"] += sum(text.count(NUMBER) > text.count(STOP) for text in texts)
        if self._stop:
            french = zip(seen, countries, strict=True)
            self._contacts["stop-missing"] += sum(country == "FR" and STOP not in text for text, country in french)

    def findings(self) -> tuple[Finding, ...]:
        """Return one finding a rule, each with the number of contacts."""
        told = {
            "text-length": (f"are empty or longer than {self._most:,} characters", "shorten the text"),
            **{rule: (f"hold {self._first.get(rule)}", hint) for rule, hint in _HINTS.items()},
            "text-leftover": ("hold `{{` or `{%` after rendering", "mend the braces in the text or the audience"),
            "text-placeholder": ("hold a `{word}` that nothing fills in", "write `{{ contact.column }}`"),
            "draft": ("hold TODO, lorem or test as a word", "finish the text"),
            "stop-missing": (f"in France lack the exact words `{STOP}`", "write `{{ stop }}` in the text"),
            "stop-number": (f"hold `{NUMBER}` outside `{STOP}`", "each would be replaced by a short number: remove it"),
            "stop-nowhere": (f"hold `{STOP}`, whose number is put in on sms and rcs only", "remove it"),
        }
        return tuple(self._finding(rule, told[rule]) for rule in told if self._contacts[rule])

    def _finding(self, rule: str, told: tuple[str, str]) -> Finding:
        what, hint = told
        message = f"{texts_of(self._contacts[rule])} {what}"
        if rule == "text-length":
            return finding(rule, message, path=PATH, hint=hint, value=f"{self._longest:,}", limit=f"{self._most:,}")
        named = {"draft": "text-placeholder", "stop-nowhere": "stop-number"}.get(rule, rule)
        return finding(named, message, path=PATH, hint=hint)

    def _count_lengths(self, texts: Sequence[str]) -> None:
        lengths = list(map(len, texts))
        self._longest = max(self._longest, *lengths)
        if max(lengths) > self._most or not all(map(str.strip, texts)):
            self._contacts["text-length"] += sum(len(text) > self._most or not text.strip() for text in texts)

    def _note_unseen(self, rule: str, texts: Sequence[str]) -> None:
        for text in texts:
            found = _UNSEEN[rule].search(text)
            if found:
                self._contacts[rule] += 1
                self._first.setdefault(rule, f"U+{ord(found[0]):04X}, first at {_position(text, found.start())}")


def encoding_refused(blamed: Mapping[str, int], contacts: int) -> Finding:
    """Return what `encoding: gsm7` says to characters that have no plain form."""
    message = f"{texts_of(contacts)} hold what GSM-7 cannot: {_characters(blamed)}"
    return finding("encoding", message, path=PATH, hint="replace these characters, or write `encoding: auto`")


def encoding_dearer(blamed: Mapping[str, int], contacts: int, *, parts: tuple[int, int]) -> Finding:
    """Return the warning of `encoding: auto` where characters raise the parts from one sum to another."""
    fewer, more = parts
    taken = f"{quantity(more, 'part')} instead of {fewer:,}"
    message = f"{texts_of(contacts)} take {taken} because of {_characters(blamed)}"
    hint = "write `encoding: gsm7` to replace what has a plain form, or change the text"
    return finding("encoding", message, severity=WARNING, path=PATH, value=f"{more:,}", limit=f"{fewer:,}", hint=hint)


def texts_of(contacts: int) -> str:
    """Return how many people's texts a message is about."""
    return f"the texts of {quantity(contacts, 'contact')}"


def _characters(blamed: Mapping[str, int]) -> str:
    most = sorted(blamed.items(), key=lambda pair: (-pair[1], pair[0]))
    listed = ", ".join(f"{named(char)} ({count:,})" for char, count in most[:SHOWN])
    return listed + (f" and {len(most) - SHOWN:,} more" if len(most) > SHOWN else "")


def _matching(pattern: re.Pattern[str], texts: Sequence[str]) -> int:
    return sum(map(bool, map(pattern.search, texts)))


def _position(text: str, offset: int) -> str:
    line = text.count("\n", 0, offset) + 1
    column = offset - text.rfind("\n", 0, offset)
    return f"line {line}, column {column}" if line > 1 else f"column {column}"
