"""Merge fields: one text with placeholders for many people, and the values that a provider puts into it.

What a provider does to a value it does not expect is documented nowhere, and what it delivers cannot be
unsent. So a value travels this way only if no reading of the documentation could change it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from octoplan.core.rules.texts import NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from octoplan.core.model import Channel

MARK = "{{{}}}"
"""How a text names a value: in single braces."""

EMPTY, LONG, BRACES, BLANKS, SIGNS, DIFFERENT = (
    "empty",
    "too long",
    "with braces",
    "with blanks at an end or in a row",
    "with characters that may be taken for code",
    "read otherwise beside their text",
)
"""Why people's values do not fit, in words that follow their number."""

_MARKED = re.compile(r"\{([a-z0-9_]+)\}", re.ASCII)
_BRACE = re.compile("[{}]")

# Beside braces: what replaces by patterns, or takes markup out, reads these as its own. And the provider puts its
# short number for each X, perhaps only where the text itself has them.
_SIGN = re.compile(rf"[<>\\$]|{NUMBER}")

_TWO_SEPTETS = re.compile(r"[\^\[~\]|]")
"""Of what fits otherwise, the characters that GSM-7 counts twice and UTF-8 once."""

_SUSPECT = re.compile(rf"[{{}}<>\\$^\[~\]|]|{NUMBER}|  |(?:\A|\n)[ \n]|[ \n](?:\n|\Z)|\A\Z")
"""In values joined by line breaks: all that `unfit` may find in one that is short and can be printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeFields:
    """What a provider offers: the names of its placeholders, and how long a value may be.

    A column that is called like one of the names gets that one, others get them in this order. A request on one
    of `channels` carries the request id unless `carries_id` is off.
    """

    names: tuple[str, ...]
    longest: int
    channels: tuple[Channel, ...]
    carries_id: bool = True


@dataclass(frozen=True, eq=False, kw_only=True)
class Form:
    """A content with placeholders, and their names in the order of its people's values; each is made once."""

    content: str
    names: tuple[str, ...]
    carries_id: bool = True

    @cached_property
    def _format(self) -> str:
        places = {name: MARK.format(place) for place, name in enumerate(self.names)}
        return filled_in(self.content, places)

    def filled(self, people: Iterable[Sequence[str]]) -> Iterator[str]:
        """Return the content of each person, given their values."""
        expand = self._format.format
        return (expand(*values) for values in people)


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """Of the contacts of one chunk, the form that each is reached by, and the values; None: by a text of their own."""

    forms: list[Form | None]
    values: list[tuple[str, ...]]


def filled_in(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its placeholders filled in, all at once: a value is never looked at for another one.

    Raises:
        KeyError: it names one that has no value.
    """
    return _MARKED.sub(lambda found: values[found[1]], text)


def has_braces(text: str) -> bool:
    """Tell whether a text has braces of its own: a provider might take them for a placeholder, or for half of one."""
    return _BRACE.search(text) is not None


def unfit(value: str, longest: int) -> str:
    """Return why a value may not travel by itself, empty if it may.

    Whether the provider's limit is one of characters, UTF-16 units, septets or bytes is not documented, nor what an
    empty value becomes. So a value counts as long as it is in any of them.
    """
    if not value:
        return EMPTY
    if len(value.encode("utf-8", "surrogatepass")) + len(_TWO_SEPTETS.findall(value)) > longest:
        return LONG
    if has_braces(value):
        return BRACES
    if value.strip() != value or "  " in value:
        return BLANKS
    return SIGNS if _SIGN.search(value) or not value.isprintable() else ""


def misfits(values: Sequence[str], longest: int) -> Iterator[tuple[int, str]]:
    """Yield the place of each value that may not travel by itself, and why; most columns have none."""
    plain = "".join(values).isprintable() and not _SUSPECT.search("\n".join(values))
    if not plain or max(map(len, map(str.encode, values)), default=0) > longest:
        yield from ((place, why) for place, value in enumerate(values) if (why := unfit(value, longest)))
