"""What is said: the message of a campaign as written, and the content one person receives.

A `Content` is a template over `contact` until it is filled. All of it that is text stands in one order,
so that the rendered content of a person is one string: what batches are packed by and what is approved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

Localised = str | Mapping[str, str]
"""One text, or one by locale."""

SERVICES = ("mailbox", "gateway")
"""How a provider sends e-mails."""

LOCALE = "[a-z]{2}(-[A-Z]{2})?"
"""What a language is written like."""

SEPARATOR = "\0"
"""Between the leaves of a content: no message that may leave holds this character."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Locale:
    """Which column names a contact's language, and the language of everybody else."""

    column: str
    default: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A suggestion of an RCS message: opens an address, dials a number, or, with neither, is a reply.

    `postback` is what the sender gets back when it is tapped; None: the label.
    """

    label: str
    open_url: str | None = None
    dial: str | None = None
    postback: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A picture or film on an RCS card: `height` is short, medium or tall."""

    url: str
    height: str = "medium"
    thumbnail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """An RCS card; several are a carousel."""

    title: str | None = None
    description: str | None = None
    media: Media | None = None
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class From:
    """Who an e-mail comes from."""

    address: str
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio:
    """A recording to be played: the address of a WAVE file that the provider fetches, and the digest of its bytes."""

    url: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What one person receives; None and empty: not part of this message."""

    text: str | None = None
    subject: str | None = None
    template: str | None = None
    language: str | None = None
    actions: tuple[Action, ...] = ()
    cards: tuple[Card, ...] = ()
    audio: Audio | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """The message of a campaign: its texts are templates over `contact` alone, everything else is rendered.

    `format` is that of an e-mail's text: plain or html. `service` is how the provider sends an e-mail:
    mailbox or gateway. `gender` is that of a voice. `audio` is played instead of a text, the same to everybody.
    """

    text: Localised | None = None
    subject: Localised | None = None
    template: Localised | None = None
    language: Localised | None = None
    locale: Locale | None = None
    encoding: str = "auto"
    gender: str | None = None
    actions: tuple[Action, ...] = ()
    cards: tuple[Card, ...] = ()
    from_: From | None = None
    service: str | None = None
    format: str = "plain"
    audio: Audio | None = None

    @property
    def locales(self) -> tuple[str, ...]:
        """The locales there are, the default first; one empty word where the message is not localised."""
        if self.locale is None:
            return ("",)
        named = {name for value in (self.text, self.subject, self.template, self.language) for name in _names(value)}
        return (self.locale.default, *sorted(named - {self.locale.default}))

    def content(self, locale: str = "") -> Content:
        """Return the content for a locale, one of `locales`."""
        return Content(
            text=_chosen(self.text, locale),
            subject=_chosen(self.subject, locale),
            template=_chosen(self.template, locale),
            language=_chosen(self.language, locale),
            actions=self.actions,
            cards=self.cards,
            audio=self.audio,
        )

    @property
    def contents(self) -> dict[str, Content]:
        """The content of each locale."""
        return {locale: self.content(locale) for locale in self.locales}


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text of a content with its path (`cards.0.title`), always in the same order."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}.{index}")
    elif is_dataclass(value):
        for each in fields(value):
            yield from leaves(getattr(value, each.name), f"{path}.{each.name}" if path else each.name)


def joined(columns: list[list[str]]) -> list[str]:
    """Return the content of each person as one string, from one list of rendered texts per leaf."""
    if len(columns) == 1:
        return columns[0]
    return list(map(SEPARATOR.join, zip(*columns, strict=True)))


def filled(skeleton: Content, content: str) -> Content:
    """Return the content of one person; `skeleton` has its leaves in the same order."""
    if SEPARATOR not in content and skeleton.text is not None:
        return replace(skeleton, text=content)
    return _filled(skeleton, iter(content.split(SEPARATOR)))


def _filled(value: T, values: Iterator[str]) -> T:
    if isinstance(value, str):
        return next(values)  # type: ignore[return-value]  # a str for a str
    if isinstance(value, tuple):
        return tuple(_filled(item, values) for item in value)  # type: ignore[return-value]  # the same length and types
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _filled(getattr(value, each.name), values) for each in fields(value)})
    return value


def _names(value: Localised | None) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, Mapping) else ()


def _chosen(value: Localised | None, locale: str) -> str | None:
    """Return the text of a locale; any of them where a file that is found wanting lacks it."""
    return value.get(locale, next(iter(value.values()))) if isinstance(value, Mapping) else value
