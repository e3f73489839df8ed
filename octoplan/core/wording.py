"""What a message says, whoever gets it: how a copy of it is known, under whatever id."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXTS = ("subject", "template", "text")
"""The keys of texts that a message may hold in several languages; of an e-mail's template, its name."""

CARD_TEXTS = ("description", "title")

_SLOT = re.compile(r'\{[{%](?:"(?:[^"\\]|\\.)*"|[^"])*?[%}]\}', re.DOTALL)
"""A tag of a folded template: its constants stand in double quotes."""

_BETWEEN = "\0"
"""Between two texts: no message that may leave holds this character."""

_SAID = "LNS"
"""General categories of what is read aloud (Unicode Standard Annex 44): letters, numbers, symbols; not punctuation."""


def wordings(message: Mapping[str, Any]) -> frozenset[str]:
    """Return what a message, as the digest sees it, says in each of its languages: letters and figures alone.

    Addresses of links and pictures, and buttons, are no part of it. Only of a message that says nothing in words
    do they count, and slots too; one that has not even those says nothing. A recording is its digest.
    """
    languages = {name for key in TEXTS if isinstance(message.get(key), Mapping) for name in message[key]} or {""}
    said = {_together(_SLOT.sub("", text) for text in _texts(message, language)) for language in languages}
    return frozenset(said - {""}) or frozenset({_together(_wordless(message))} - {""})


def _texts(message: Mapping[str, Any], language: str) -> Iterator[str]:
    """Yield the texts of a message in one language; where it lacks that one, in another."""
    for key in TEXTS:
        value = message.get(key)
        if isinstance(value, Mapping):
            yield value.get(language) or next(iter(value.values()), "")
        elif value is not None:
            yield value
    for card in message.get("cards", ()):
        yield from (card[key] for key in CARD_TEXTS if key in card)


def _wordless(message: Mapping[str, Any]) -> Iterator[str]:
    """Yield what there is beside words; where a recording is kept is no part of what it says."""
    yield from _leaves(message, (*TEXTS, "cards", "actions"))
    yield from _leaves(message.get("audio", {}), ("sha256",))


def _leaves(value: Any, keys: tuple[str, ...] | None = None) -> Iterator[str]:
    """Yield every text there is, of a mapping only those at `keys`: by key, since a spec that was kept is sorted."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key in sorted(value if keys is None else value.keys() & set(keys)):
            yield from _leaves(value[key])
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)


def _together(texts: Iterator[str]) -> str:
    plain = [_plain(text) for text in texts]
    return _BETWEEN.join(plain) if any(plain) else ""


def _plain(text: str) -> str:
    """Return the letters, figures and signs of a text, without capitals and accents: a copy may differ in those."""
    parted = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(char for char in parted if unicodedata.category(char)[0] in _SAID)
