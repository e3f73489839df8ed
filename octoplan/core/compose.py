"""Step 4: rows become contents and parts, chunk by chunk: list in, list out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from octoplan.core import templates
from octoplan.core.measure import Terms, measure, most_common
from octoplan.core.message import SEPARATOR, joined, leaves
from octoplan.core.quantity import quantity
from octoplan.core.rules import finding
from octoplan.core.rules.contents import Chunk, ContentRules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from octoplan.core.model import Campaign, Finding, Rows

TEXT = "text"

_UNREAD = ".height"
"""A leaf that nobody reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """The contents of one chunk in the order of its rows, how many parts each takes, and the locale of each.

    `locales` is empty where the message is not localised.
    """

    contents: list[str]
    parts: list[int]
    locales: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSummary:
    """What all contents of a campaign need; no contact's value is in it.

    `longest` is in characters of the text; `seconds` what it takes to be said; `encodings`, `parts`,
    `locales` and `blamed` (characters outside GSM-7) count contacts, `replaced` (`ç→c`) occurrences.
    `pattern` is that of the text, in the default language; `patterns` are those of every other text of
    the message, by path and locale.
    """

    longest: int
    seconds: int
    encodings: dict[str, int]
    parts: dict[int, int]
    locales: dict[str, int]
    replaced: dict[str, int]
    blamed: dict[str, int]
    pattern: str
    patterns: dict[str, str]
    findings: tuple[Finding, ...]


class Composer:
    """Renders and measures one campaign's messages, and keeps count.

    `sizes` are the fewest and most characters of each used column; `live` means real people.
    """

    def __init__(
        self, campaign: Campaign, *, live: bool, sizes: Mapping[str, tuple[int, int]], terms: Terms | None = None
    ) -> None:
        terms = terms or Terms()
        self._locale = campaign.message.locale
        self._versions = {locale: dict(_renderers(campaign, locale)) for locale in campaign.message.locales}
        self._patterns = dict(_patterns(campaign, sizes))
        self._main = TEXT if TEXT in self._patterns else f"{TEXT}.{campaign.message.locales[0]}"
        self._known: dict[str, str] = {}
        self._measure = measure(campaign, terms)
        self._rules = ContentRules(campaign, live=live, longest=terms.text)
        self._plays = campaign.message.audio is not None
        self._longest = 0
        self._parts: Counter[int] = Counter()
        self._locales: Counter[str] = Counter()
        self._elsewhere = 0

    def compose(self, rows: Rows) -> Composed:
        """Render and judge one chunk of rows."""
        if not rows.keys:
            return Composed(contents=[], parts=[])
        locales = self._chosen_of(rows)
        columns = self._rendered(rows, locales)
        bodies = [""] * len(rows.keys) if self._plays else columns.get(TEXT) or joined(list(columns.values()))
        bodies, together = self._measure.plain(bodies, "\n".join(bodies))
        if TEXT in columns:
            columns[TEXT] = bodies
        self._rules.look(Chunk(columns={} if self._plays else columns, countries=rows.countries))
        self._longest = max(self._longest, *map(len, bodies))
        counts = self._measure.count(bodies, together)
        self._parts.update(counts)
        return Composed(contents=joined(_separable(list(columns.values()))), parts=counts, locales=locales)

    def summary(self) -> TextSummary:
        """Return the counts over every chunk so far."""
        return TextSummary(
            longest=self._longest,
            seconds=self._measure.seconds,
            encodings=dict(sorted(self._measure.encodings.items())),
            parts=dict(sorted(self._parts.items())),
            locales=dict(sorted(self._locales.items())),
            replaced=most_common(self._measure.replaced),
            blamed=most_common(self._measure.blamed),
            pattern=self._patterns.get(self._main, ""),
            patterns={path: pattern for path, pattern in self._patterns.items() if path != self._main},
            findings=(*self._rules.findings(), *self._measure.findings(), *self._foreign()),
        )

    def _chosen_of(self, rows: Rows) -> list[str]:
        return [] if self._locale is None else list(map(self._chosen, rows.columns[self._locale.column]))

    def _rendered(self, rows: Rows, locales: Sequence[str]) -> dict[str, list[str]]:
        """Return the rendered texts of each leaf."""
        if not locales:
            return {path: one.render(rows.columns, len(rows.keys)) for path, one in self._versions[""].items()}
        self._locales.update(locales)
        found: dict[str, list[str]] = {path: [""] * len(rows.keys) for path in self._versions[locales[0]]}
        for locale, members in together(locales).items():
            columns = within(rows.columns, members)
            for path, renderer in self._versions[locale].items():
                for index, text in zip(members, renderer.render(columns, len(members)), strict=True):
                    found[path][index] = text
        return found

    def _chosen(self, value: str) -> str:
        """Return the locale of a contact: the one its value names, also with a region, or else the default."""
        locale = self._known.get(value)
        if locale is None:
            by_name = {name.lower(): name for name in self._versions}
            written = value.strip().lower().replace("_", "-")
            locale = self._known[value] = by_name.get(written) or by_name.get(written.partition("-")[0]) or ""
        if locale:
            return locale
        self._elsewhere += 1
        return self._locale.default if self._locale else ""

    def _foreign(self) -> Iterator[Finding]:
        if self._elsewhere and self._locale:
            default, known = self._locale.default, ", ".join(self._versions)
            message = f"{quantity(self._elsewhere, 'contact')} in another language than {known}: they get {default}"
            path = ("message", "locale")
            hint = f"write a text for it, or mend the column `{self._locale.column}`"
            yield finding("locale", message, path=path, value=f"{self._elsewhere:,}", hint=hint)


def together(locales: Sequence[str]) -> dict[str, list[int]]:
    """Return the places of the contacts of each locale."""
    groups: dict[str, list[int]] = {}
    for index, locale in enumerate(locales):
        groups.setdefault(locale, []).append(index)
    return groups


def within(columns: Mapping[str, list[str]], members: Sequence[int]) -> dict[str, list[str]]:
    """Return the values of some contacts."""
    return {name: [values[index] for index in members] for name, values in columns.items()}


def _renderers(campaign: Campaign, locale: str) -> Iterator[tuple[str, templates.Renderer]]:
    for path, text in leaves(campaign.message.content(locale)):
        yield path, templates.Renderer(text, html=path == TEXT and campaign.message.format == "html")


def _patterns(campaign: Campaign, sizes: Mapping[str, tuple[int, int]]) -> Iterator[tuple[str, str]]:
    """Yield the pattern of every text; those that are the same in each locale once."""
    message = campaign.message
    for locale, content in message.contents.items():
        for path, text in leaves(content):
            if path.endswith(_UNREAD):
                continue
            localised = not isinstance(getattr(message, path, ""), str)
            if localised or locale == message.locales[0]:
                yield f"{path}.{locale}" if localised else path, templates.pattern(text, sizes)


def _separable(columns: list[list[str]]) -> list[list[str]]:
    """Return the texts without the character that separates them; a rule has refused it before."""
    if len(columns) == 1:
        return columns
    return [[text.replace(SEPARATOR, "\N{REPLACEMENT CHARACTER}") for text in texts] for texts in columns]
