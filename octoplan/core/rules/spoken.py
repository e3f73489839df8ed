"""Rules on how a text reads: what a voice says badly, and what does not sound like a service message.

Both are told with counts and kinds only. A chunk of texts is searched as one string first, single texts are
looked at where that found something.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from octoplan.core.rules import finding
from octoplan.core.rules.texts import texts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from octoplan.core.model import Finding, KeyPath


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Something to find in texts, what it is called, and what to write instead.

    One of the `signs`, if there are any, is in every text in small letters that the pattern is found in.
    """

    name: str
    pattern: re.Pattern[str]
    signs: tuple[str, ...] = ()
    hint: str = ""


_DOMAINS = (
    "ai",
    "app",
    "be",
    "ch",
    "co",
    "de",
    "es",
    "eu",
    "example",
    "fr",
    "info",
    "io",
    "it",
    "lu",
    "me",
    "net",
    "org",
    "shop",
    "uk",
)
_CAPITALS = "A-ZÀ-ÖØ-ÞŒŠŽŸΑ-ΩА-Я"
_EMOJI = (
    "\u203c\u2049\u20e3\u231a\u231b\u23e9-\u23f3\u23f8-\u23fa\u2600-\u27bf\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55"
    "\U0001f000-\U0001faff"
)

_SPOKEN = (
    Kind(
        name="web addresses",
        pattern=re.compile(rf"://|\bwww\.|(?<=[\w-])\.(?:com|{'|'.join(_DOMAINS)})(?![\w@-])", re.IGNORECASE),
        signs=("://", "www.", *(f".{domain}" for domain in _DOMAINS)),
        hint="say where to look instead of a web address",
    ),
    Kind(
        name="e-mail addresses",
        pattern=re.compile(r"(?<=[\w.+-])@(?=[\w-])"),
        signs=("@",),
        hint="give a telephone number instead of an e-mail address",
    ),
    Kind(
        name="times in digits",
        pattern=re.compile(r"[0-9](?<![\w:.,].)[0-9]?(?: ?[hH] ?|:)[0-5][0-9](?![0-9:])"),
        hint="write a time as it is said: `20 heures 30`",
    ),
    Kind(
        name="amounts with a symbol",
        pattern=re.compile(r"[€$£¥]"),
        signs=("€", "$", "£", "¥"),
        hint="write an amount as it is said, without blanks inside: `1250 euros 50`",
    ),
    Kind(
        name="words in capitals",
        pattern=re.compile(rf"[{_CAPITALS}](?<!\w.)[{_CAPITALS}]{{2,}}(?!\w)"),
        hint="write a word in small letters, and letters to be spelt with points: `S.N.C.F.`",
    ),
    Kind(name="emoji", pattern=re.compile(f"[{_EMOJI}]"), hint="remove the emoji"),
)

_PROMOTIONS = (
    Kind(
        name="a stop mention",
        pattern=re.compile(r"\bSTOP (?:au\b|3[0-9])|\b(?i:unsubscribe|d[ée]sabonner|d[ée]sinscrire)\b"),
        signs=("stop au", "stop 3", "unsubscribe", "sabonner", "sinscrire"),
    ),
    *(
        Kind(name=f"`{word}`", pattern=re.compile(rf"\b{word}{ending}\b", re.IGNORECASE), signs=(word,))
        for word, ending in (("promo", "(?:s|tions?)?"), ("remise", "s?"), ("soldes", ""), ("offre", "s?"))
    ),
    Kind(
        name="a discount in percent",
        pattern=re.compile(r"[-\u2212\u2013](?<![\w.,%].)[0-9]+(?:[.,][0-9]+)?[ \u00a0\u202f]?%"),
        signs=("%",),
    ),
)


class _Kinds:
    """Counts the contacts whose texts hold something of each kind."""

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self._kinds = kinds
        self.contacts = 0
        self.each: Counter[str] = Counter()

    def look(self, texts: Sequence[str]) -> None:
        """Search one chunk of texts."""
        joined = "\n".join(texts)
        small = joined.lower()
        there = [kind for kind in self._kinds if _may_hold(small, kind) and kind.pattern.search(joined)]
        concerned: set[int] = set()
        for kind in there:
            held = [index for index, text in enumerate(texts) if kind.pattern.search(text)]
            self.each[kind.name] += len(held)
            concerned.update(held)
        self.contacts += len(concerned)

    def listed(self) -> str:
        """Return the kinds that were found, each with its contacts."""
        return ", ".join(f"{kind.name} ({self.each[kind.name]:,})" for kind in self._kinds if self.each[kind.name])

    def hints(self) -> str:
        """Return the way out of each kind that was found."""
        return "; ".join(kind.hint for kind in self._kinds if self.each[kind.name])


def _may_hold(small: str, kind: Kind) -> bool:
    return not kind.signs or any(sign in small for sign in kind.signs)


class ReadAloud:
    """Looks for what a voice reads badly, chunk by chunk."""

    def __init__(self) -> None:
        self._found = _Kinds(_SPOKEN)

    def look(self, texts: Sequence[str]) -> None:
        """Judge one chunk of texts."""
        self._found.look(texts)

    def findings(self, path: KeyPath) -> tuple[Finding, ...]:
        """Return one warning over all chunks, if there is anything to warn of."""
        if not self._found.contacts:
            return ()
        message = f"{texts_of(self._found.contacts)} hold what a voice reads badly: {self._found.listed()}"
        return (finding("read-aloud", message, path=path, hint=self._found.hints()),)


class Wording:
    """Looks for the words of marketing in transactional texts, chunk by chunk."""

    def __init__(self) -> None:
        self._found = _Kinds(_PROMOTIONS)

    def look(self, texts: Sequence[str]) -> None:
        """Judge one chunk of texts."""
        self._found.look(texts)

    def findings(self, path: KeyPath) -> tuple[Finding, ...]:
        """Return one warning over all chunks, if there is anything to warn of."""
        if not self._found.contacts:
            return ()
        message = f"{texts_of(self._found.contacts)} sound like marketing: {self._found.listed()}"
        hint = "write `purpose: marketing`, or leave the words out: marketing sent as transactional is fined"
        return (finding("marketing-as-transactional", message, path=path, hint=hint),)
