"""How many parts a text takes on its channel: what it is priced by, chunk by chunk.

An SMS has parts, a call billing steps; RCS and e-mail are priced by message.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from octoplan.core import parts, spoken
from octoplan.core.model import Channel
from octoplan.core.recording import ASSUMED, Recording
from octoplan.core.rules.texts import MAX_LENGTH, encoding_dearer, encoding_refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from octoplan.core.model import Campaign, Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What messages are measured by: `text` is the most characters, `step` the billing step of a call in seconds.

    `recording` is what is known of one that is played instead of a text.
    """

    text: int = MAX_LENGTH
    step: int = 30
    recording: Recording = field(default_factory=Recording)


class Measure(Protocol):
    """Counts the parts of one campaign's texts, and what they need.

    `encodings` and `blamed` (characters outside GSM-7) count contacts, `replaced` (`ç→c`) occurrences;
    `seconds` is how long the longest text takes to be said, 0 where none is.
    """

    encodings: Counter[str]
    replaced: Counter[str]
    blamed: Counter[str]
    seconds: int

    def plain(self, texts: list[str], joined: str) -> tuple[list[str], str]:
        """Return a chunk's texts, and all of them joined by line breaks, as they will travel."""
        ...

    def count(self, texts: list[str], joined: str) -> list[int]:
        """Return the parts of each text."""
        ...

    def findings(self) -> tuple[Finding, ...]:
        """Return what is to say about all chunks."""
        ...


def measure(campaign: Campaign, terms: Terms) -> Measure:
    """Return the measure of a campaign's channel."""
    if campaign.channel is Channel.SMS:
        return SmsParts(plain_only=campaign.message.encoding == parts.GSM7)
    pause = campaign.options.key_wait_seconds or 0  # it is part of the call
    if campaign.message.audio is not None:
        return Played(terms, pause=pause)
    return Steps(terms.step, pause=pause) if campaign.channel is Channel.VOICE else Messages()


class Messages:
    """One part a message, whatever it says."""

    def __init__(self) -> None:
        self.encodings: Counter[str] = Counter()
        self.replaced: Counter[str] = Counter()
        self.blamed: Counter[str] = Counter()
        self.seconds = 0

    def plain(self, texts: list[str], joined: str) -> tuple[list[str], str]:
        """Return them as they are."""
        return texts, joined

    def count(self, texts: list[str], _joined: str) -> list[int]:
        """Return one for each."""
        return [1] * len(texts)

    def findings(self) -> tuple[Finding, ...]:
        """Return nothing: any character can travel."""
        return ()


class Steps(Messages):
    """The billing steps of a call."""

    def __init__(self, step: int, *, pause: int) -> None:
        super().__init__()
        self._step = step
        self._pause = pause

    def count(self, texts: list[str], _joined: str) -> list[int]:
        """Return the steps it takes to say each text, and to wait for keys after it."""
        lengths = [spoken.seconds(text) + self._pause for text in texts]
        self.seconds = max(self.seconds, *lengths)
        return [-(-length // self._step) for length in lengths]


class Played(Messages):
    """The billing steps of a call that plays a recording: the same for all, by a usual length where none is known."""

    def __init__(self, terms: Terms, *, pause: int) -> None:
        super().__init__()
        self.seconds = terms.recording.seconds and terms.recording.seconds + pause
        self._steps = -(-(self.seconds or ASSUMED + pause) // terms.step)
        self._findings = terms.recording.findings

    def count(self, texts: list[str], _joined: str) -> list[int]:
        """Return the steps it takes, for each."""
        return [self._steps] * len(texts)

    def findings(self) -> tuple[Finding, ...]:
        """Return what reading it showed."""
        return self._findings


class SmsParts(Messages):
    """The parts of an SMS; with `plain_only` characters outside GSM-7 are replaced or refused."""

    def __init__(self, *, plain_only: bool) -> None:
        super().__init__()
        self._plain_only = plain_only
        self._dearer = 0
        self._plain_parts = 0
        self._wide_parts = 0

    def plain(self, texts: list[str], joined: str) -> tuple[list[str], str]:
        """Replace what has a plain form, if the campaign asks for it."""
        if not self._plain_only:
            return texts, joined
        plain, counts = parts.replace(joined)
        if plain == joined:
            return texts, joined
        self.replaced.update(counts)
        return parted(plain, texts), plain

    def count(self, texts: list[str], joined: str) -> list[int]:
        """Return the parts of each text by the exact packer."""
        if parts.is_basic(joined):
            self.encodings[parts.GSM7] += len(texts)
            return list(map(parts.basic_parts, map(len, texts)))
        measured = list(map(parts.measure, texts))
        self.encodings.update(each.encoding for each in measured)
        wide = [(text, each.parts) for text, each in zip(texts, measured, strict=True) if each.encoding == parts.UCS2]
        if wide:
            self._blame(wide)
        return [each.parts for each in measured]

    def findings(self) -> tuple[Finding, ...]:
        """Return what characters outside GSM-7 cost, or that they are refused."""
        if self._plain_only and self.blamed:
            return (encoding_refused(self.blamed, self.encodings[parts.UCS2]),)
        if self._dearer:
            return (encoding_dearer(self.blamed, self._dearer, parts=(self._plain_parts, self._wide_parts)),)
        return ()

    def _blame(self, wide: list[tuple[str, int]]) -> None:
        """Count the characters outside GSM-7, and the parts that their plain forms would save."""
        for text, _ in wide:
            self.blamed.update(parts.outside_gsm7(text))
        longer = [pair for pair in wide if pair[1] > 1]
        texts = [text for text, _ in longer]
        plain = parted(parts.within_gsm7("\n".join(texts)), texts)
        for text, (_, more) in zip(plain, longer, strict=False):
            fewer = parts.measure(text).parts
            if fewer < more:
                self._dearer += 1
                self._plain_parts += fewer
                self._wide_parts += more


def most_common(counts: Mapping[str, int]) -> dict[str, int]:
    """Return counts from the highest, equal ones by name: the order of contacts differs between ledgers."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def parted(joined: str, texts: list[str]) -> list[str]:
    """Return joined texts, whose line breaks alone are as they were, taken apart again."""
    lines = joined.split("\n")
    if len(lines) == len(texts):
        return lines
    found: list[str] = []
    start = 0
    for text in texts:
        end = start + text.count("\n") + 1
        found.append("\n".join(lines[start:end]))
        start = end
    return found
