"""Every rule on what each person would receive, chunk by chunk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from octoplan.core.message import leaves
from octoplan.core.model import Channel, Purpose
from octoplan.core.rules.email import Subjects
from octoplan.core.rules.rcs import Sizes, is_open
from octoplan.core.rules.spoken import ReadAloud, Wording
from octoplan.core.rules.texts import MAX_LENGTH, TextRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from octoplan.core.model import Campaign, Finding

TEXT, SUBJECT = "text", "subject"

SEEN = (TEXT, SUBJECT, "title", "description", "label")
"""The last parts of the paths of what stands on a screen, or is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some contacts: the rendered texts of each leaf of their message, by path, and their countries."""

    columns: Mapping[str, list[str]]
    countries: list[str]

    @property
    def wholes(self) -> list[str]:
        """All that each person would receive, leaf after leaf."""
        return self._together(list(self.columns.values()))

    @property
    def seen(self) -> list[str]:
        """All that each person would see: no address behind a button, no postback."""
        return self._together([texts for path, texts in self.columns.items() if path.rpartition(".")[2] in SEEN])

    def _together(self, columns: list[list[str]]) -> list[str]:
        if len(columns) == 1:
            return columns[0]
        return list(map("\n".join, zip(*columns, strict=True))) if columns else [""] * len(self.countries)


class ContentRules:
    """Judges the messages of one campaign. `live` switches on what only matters to real people.

    `longest` is how many characters a text may have.
    """

    def __init__(self, campaign: Campaign, *, live: bool, longest: int = MAX_LENGTH) -> None:
        opened: dict[str, bool] = {}
        for content in campaign.message.contents.values():
            opened |= {path: opened.get(path, False) or is_open(text) for path, text in leaves(content)}
        self._texts = TextRules(campaign, live=live, most=longest)
        self._wording = Wording() if campaign.purpose is Purpose.TRANSACTIONAL else None
        self._spoken = ReadAloud() if campaign.channel is Channel.VOICE else None
        self._sizes = Sizes(opened) if campaign.channel is Channel.RCS else None
        self._subjects = Subjects() if campaign.channel is Channel.EMAIL and opened.get(SUBJECT) else None

    def look(self, chunk: Chunk) -> None:
        """Judge one chunk."""
        wholes, bodies = chunk.wholes, chunk.columns.get(TEXT)
        seen = chunk.seen
        self._texts.look(wholes, bodies, seen=seen, countries=chunk.countries)
        if self._wording:
            self._wording.look(seen)
        if self._spoken and bodies:
            self._spoken.look(bodies)
        if self._sizes:
            self._sizes.look(chunk.columns)
        if self._subjects:
            self._subjects.look(chunk.columns[SUBJECT])

    def findings(self) -> tuple[Finding, ...]:
        """Return everything that was found."""
        path = ("message", "text")
        return (
            *self._texts.findings(),
            *(self._wording.findings(path) if self._wording else ()),
            *(self._spoken.findings(path) if self._spoken else ()),
            *(self._sizes.findings() if self._sizes else ()),
            *(self._subjects.findings() if self._subjects else ()),
        )
