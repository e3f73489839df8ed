"""Checks of RCS messages: their shape, and the sizes a phone takes.

Sizes are those of Google's RCS for Business; a text counts its characters or its UTF-8 bytes, whichever
are more. Static texts are judged when a campaign is read, the others as each contact would see them.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from octoplan.core.message import leaves
from octoplan.core.model import Channel
from octoplan.core.quantity import quantity
from octoplan.core.rules import finding
from octoplan.core.rules.url import check_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from octoplan.core.message import Action, Card
    from octoplan.core.model import Campaign, Finding, KeyPath

LONGEST: Mapping[str, int] = {
    "title": 200,
    "description": 2000,
    "label": 25,
    "postback": 2048,
    "open_url": 2048,
    "url": 2000,
    "thumbnail": 2000,
}
"""The most characters or bytes of a text, by the last part of its path."""

OPEN_URL = "open_url"

ACTIONS, CARD_ACTIONS, CARDS, PAYLOAD = 11, 4, 10, 250_000

_HOST = re.compile(r"https://[^/]+/")

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")

_MESSAGE: KeyPath = ("message",)


def check(campaign: Campaign) -> Iterator[Finding]:
    """Yield what these rules find; nothing for another channel."""
    if campaign.channel is not Channel.RCS:
        return
    yield from _kind(campaign)
    yield from _suggestions(campaign.message.actions, (*_MESSAGE, "actions"), most=ACTIONS)
    for index, card in enumerate(campaign.message.cards):
        yield from _card(card, (*_MESSAGE, "cards", index))
    for path, text in leaves(campaign.message.content(campaign.message.locales[0])):
        if not is_open(text):  # only the text itself is by locale, and is judged elsewhere
            yield from _too_long(key_path(path), size(text))


def is_open(text: str) -> bool:
    """Tell whether a folded text still depends on the contact."""
    return "{{" in text or "{%" in text


def size(text: str) -> int:
    """Return what a text counts: characters, or UTF-8 bytes where they are more."""
    return len(text.encode())


def key_path(path: str) -> KeyPath:
    """Return the campaign's key of a leaf such as `cards.0.title`."""
    return (*_MESSAGE, *(int(part) if part.isdecimal() else part for part in path.split(".")))


def _kind(campaign: Campaign) -> Iterator[Finding]:
    message = campaign.message
    if message.cards and message.actions:
        hint = "put them on a card"
        yield finding("rcs-shape", "`message.cards` exclude `actions`", path=(*_MESSAGE, "actions"), hint=hint)
    if message.cards and message.text is not None:
        hint = "put it into a card's `description`"
        yield finding("rcs-shape", "`message.cards` exclude `text`", path=(*_MESSAGE, "text"), hint=hint)
    if len(message.cards) > CARDS:
        told = f"{len(message.cards)} cards, a carousel has 2 to {CARDS}"
        path = (*_MESSAGE, "cards")
        yield finding(
            "rcs-limits", told, path=path, value=str(len(message.cards)), limit=str(CARDS), hint="remove some"
        )


def _card(card: Card, path: KeyPath) -> Iterator[Finding]:
    if card.title is None and card.description is None and card.media is None:
        yield finding("rcs-shape", "a card shows nothing", path=path, hint="write `title`, `description` or `media`")
    if card.media is not None:
        yield from check_url(card.media.url, (*path, "media", "url"))
        if card.media.thumbnail is not None:
            yield from check_url(card.media.thumbnail, (*path, "media", "thumbnail"))
    yield from _suggestions(card.actions, (*path, "actions"), most=CARD_ACTIONS)


def _suggestions(actions: Sequence[Action], path: KeyPath, *, most: int) -> Iterator[Finding]:
    if len(actions) > most:
        what = "a card" if most == CARD_ACTIONS else "a message"
        message = f"{len(actions)} actions, {what} has at most {most}"
        yield finding("rcs-limits", message, path=path, value=str(len(actions)), limit=str(most), hint="remove some")
    for index, action in enumerate(actions):
        yield from _action(action, (*path, index))


def _action(action: Action, path: KeyPath) -> Iterator[Finding]:
    if action.open_url is not None and action.dial is not None:
        hint = "make two actions of it"
        yield finding("rcs-shape", "an action either opens an address or dials a number", path=path, hint=hint)
    if action.open_url is not None:
        yield from _opens(action.open_url, (*path, "open_url"))
    if action.dial is not None and not _E164.fullmatch(action.dial):
        message = "`dial` must be a number with its country code"
        yield finding("rcs-shape", message, path=(*path, "dial"), hint="for example +33139980001, in quotes")
    if not action.label.strip():
        yield finding("rcs-shape", "`label` is blank", path=(*path, "label"), hint="say what the button does")


def _opens(url: str, path: KeyPath) -> Iterator[Finding]:
    """Judge an address; of one that depends on the contact what comes before, which names the host."""
    known = re.split(r"\{[{%]", url)[0]
    if known == url or _HOST.match(known):
        yield from check_url(known, path)
    else:
        message = "the host of the address depends on the contact"
        yield finding("url", message, path=path, hint="write `https://` and the host, then a slash, before any value")


def _too_long(path: KeyPath, found: int, *, contacts: int = 0) -> Iterator[Finding]:
    name = str(path[-1])
    most = LONGEST.get(name)
    if most is not None and found > most:
        who = f" for {quantity(contacts, 'contact')}" if contacts else ""
        message = f"`{name}` has {found:,} characters or bytes{who}, at most {most:,} are shown"
        yield finding("rcs-limits", message, path=path, value=f"{found:,}", limit=f"{most:,}", hint="shorten it")


class Sizes:
    """Judges what each contact would see, chunk by chunk."""

    def __init__(self, opened: Mapping[str, bool]) -> None:
        self._opened = [path for path, is_template in opened.items() if is_template]
        self._contacts: Counter[str] = Counter()
        self._most: dict[str, int] = {}
        self._broken: Counter[str] = Counter()
        self._heavy = 0

    def look(self, columns: Mapping[str, list[str]]) -> None:
        """Judge one chunk: the rendered texts of each leaf."""
        for path in self._opened:
            self._judge(path, columns[path])
        payloads = map(sum, zip(*(map(size, texts) for texts in columns.values()), strict=True))
        self._heavy = max(self._heavy, *payloads)

    def findings(self) -> tuple[Finding, ...]:
        """Return one finding a leaf that is too long for somebody, and one on the whole."""
        found = [
            one
            for path, contacts in self._contacts.items()
            for one in _too_long(key_path(path), self._most[path], contacts=contacts)
        ]
        found += [_unusable(key_path(path), contacts) for path, contacts in self._broken.items()]
        if self._heavy > PAYLOAD:
            told = f"the message has {self._heavy:,} bytes, at most {PAYLOAD:,} travel"
            found.append(
                finding(
                    "rcs-limits", told, path=_MESSAGE, value=f"{self._heavy:,}", limit=f"{PAYLOAD:,}", hint="shorten it"
                )
            )
        return tuple(found)

    def _judge(self, path: str, texts: Sequence[str]) -> None:
        name = path.rpartition(".")[2]
        most = LONGEST.get(name)
        if most is None:  # the text itself
            return
        sizes = list(map(size, texts))
        if max(sizes) > most:
            self._contacts[path] += sum(found > most for found in sizes)
            self._most[path] = max(self._most.get(path, 0), *sizes)
        broken = sum(not _usable(name, text) for text in texts)
        if broken:
            self._broken[path] += broken


def _usable(name: str, text: str) -> bool:
    return not check_url(text, ()) if name == OPEN_URL else bool(text.strip())


def _unusable(path: KeyPath, contacts: int) -> Finding:
    who = quantity(contacts, "contact")
    if path[-1] == OPEN_URL:
        hint = "an address is plain ASCII without blanks: mend the values, or use another column"
        return finding("url", f"`{OPEN_URL}` is no usable address for {who}", path=path, hint=hint)
    message = f"`{path[-1]}` is blank for {who}"
    return finding("rcs-shape", message, path=path, hint="write what stands there for them too")
