"""Step 4: rows become texts and parts, chunk by chunk: list in, list out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from octoplan.core import parts, templates
from octoplan.core.rules.texts import TextRules, encoding_dearer, encoding_refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from octoplan.core.model import Campaign, Finding, Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """The texts of one chunk in the order of its rows, and how many parts each takes."""

    texts: list[str]
    parts: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSummary:
    """What all texts of a campaign need; no contact's value is in it.

    `longest` is in characters; `encodings`, `parts` and `blamed` (characters outside GSM-7) count
    contacts, `replaced` (`ç→c`) occurrences.
    """

    longest: int
    encodings: dict[str, int]
    parts: dict[int, int]
    replaced: dict[str, int]
    blamed: dict[str, int]
    pattern: str
    findings: tuple[Finding, ...]


class Composer:
    """Renders and measures one campaign's texts, and keeps count.

    `sizes` are the fewest and most characters of each used column; `live` means real people.
    """

    def __init__(self, campaign: Campaign, *, live: bool, sizes: Mapping[str, tuple[int, int]]) -> None:
        self._renderer = templates.Renderer(campaign.message.text)
        self._pattern = templates.pattern(campaign.message.text, sizes)
        self._plain_only = campaign.message.encoding == parts.GSM7
        self._rules = TextRules(campaign, live=live)
        self._longest = 0
        self._encodings: Counter[str] = Counter()
        self._parts: Counter[int] = Counter()
        self._replaced: Counter[str] = Counter()
        self._blamed: Counter[str] = Counter()
        self._dearer = 0
        self._plain_parts = 0
        self._wide_parts = 0

    def compose(self, rows: Rows) -> Composed:
        """Render and judge one chunk of rows."""
        texts = self._renderer.render(rows.columns, len(rows.keys))
        if not texts:
            return Composed(texts=[], parts=[])
        joined = "\n".join(texts)
        if self._plain_only:
            texts, joined = self._plain(texts, joined)
        self._rules.look(texts, joined, countries=rows.countries)
        self._longest = max(self._longest, *map(len, texts))
        counts = self._measure(texts, joined)
        self._parts.update(counts)
        return Composed(texts=texts, parts=counts)

    def summary(self) -> TextSummary:
        """Return the counts over every chunk so far."""
        return TextSummary(
            longest=self._longest,
            encodings=dict(sorted(self._encodings.items())),
            parts=dict(sorted(self._parts.items())),
            replaced=_most_common(self._replaced),
            blamed=_most_common(self._blamed),
            pattern=self._pattern,
            findings=(*self._rules.findings(), *self._encoding()),
        )

    def _plain(self, texts: list[str], joined: str) -> tuple[list[str], str]:
        plain, counts = parts.replace(joined)
        if plain == joined:
            return texts, joined
        self._replaced.update(counts)
        return _split(plain, texts), plain

    def _measure(self, texts: list[str], joined: str) -> list[int]:
        if parts.is_basic(joined):
            self._encodings[parts.GSM7] += len(texts)
            return list(map(parts.basic_parts, map(len, texts)))
        measured = list(map(parts.measure, texts))
        self._encodings.update(each.encoding for each in measured)
        wide = [(text, each.parts) for text, each in zip(texts, measured, strict=True) if each.encoding == parts.UCS2]
        if wide:
            self._blame(wide)
        return [each.parts for each in measured]

    def _blame(self, wide: list[tuple[str, int]]) -> None:
        """Count the characters outside GSM-7, and the parts that their plain forms would save."""
        for text, _ in wide:
            self._blamed.update(parts.outside_gsm7(text))
        longer = [pair for pair in wide if pair[1] > 1]
        texts = [text for text, _ in longer]
        plain = _split(parts.within_gsm7("\n".join(texts)), texts)
        for text, (_, more) in zip(plain, longer, strict=False):
            fewer = parts.measure(text).parts
            if fewer < more:
                self._dearer += 1
                self._plain_parts += fewer
                self._wide_parts += more

    def _encoding(self) -> tuple[Finding, ...]:
        if self._plain_only and self._blamed:
            return (encoding_refused(self._blamed, self._encodings[parts.UCS2]),)
        if self._dearer:
            return (encoding_dearer(self._blamed, self._dearer, parts=(self._plain_parts, self._wide_parts)),)
        return ()


def _most_common(counts: Counter[str]) -> dict[str, int]:
    """Return counts from the highest, equal ones by name: the order of contacts differs between ledgers."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _split(joined: str, texts: list[str]) -> list[str]:
    """Take joined texts apart; a text that itself has line breaks counts them."""
    lines = joined.split("\n")
    if len(lines) == len(texts):
        return lines
    parted: list[str] = []
    start = 0
    for text in texts:
        end = start + text.count("\n") + 1
        parted.append("\n".join(lines[start:end]))
        start = end
    return parted
