"""Which contacts of a campaign share a text with placeholders: decided for each by their own values alone.

So whoever else is owed the message, the same contact always travels the same way, and a batch can be made again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from octoplan.core import parts
from octoplan.core.compose import TEXT, together, within
from octoplan.core.measure import parted
from octoplan.core.merge import DIFFERENT, Form, Merged, MergeFields, misfits
from octoplan.core.message import joined, leaves
from octoplan.core.model import Channel
from octoplan.core.rules.merge import Shares
from octoplan.core.rules.texts import MAX_LENGTH, NUMBER, STOP
from octoplan.core.templates import Placed, Renderer, Unplaced, place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from octoplan.core.batch import Packed
    from octoplan.core.compose import Composed
    from octoplan.core.model import Campaign, Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Version:
    """A locale's form, and what renders each of its values."""

    form: Form
    values: tuple[Renderer, ...]


class Merging:
    """Finds the form and the values of one campaign's contacts, and counts whom it finds none for.

    `misfits` are contacts by what is wrong with their values, `unplaced` by why their locale's text has no form.
    Without `fields` the provider, or the project, wants no merging, and nothing is counted.
    """

    def __init__(self, campaign: Campaign, fields: MergeFields | None) -> None:
        self.misfits: Counter[str] = Counter()
        self.unplaced: Counter[str] = Counter()
        self._plain = campaign.channel is Channel.SMS and campaign.message.encoding == parts.GSM7
        self._longest = fields.longest if fields else 0
        self._versions: dict[str, _Version] = {}
        self._refused: dict[str, str] = {}
        self._forms: dict[tuple[str, tuple[str, ...]], Form] = {}
        if fields and campaign.channel in fields.channels:
            for locale in campaign.message.locales:
                self._place(campaign, locale, fields=fields)

    def merge(self, rows: Rows, composed: Composed) -> Merged | None:
        """Return how the contacts of one chunk travel; None: each by a text of their own.

        A contact has a form only if that, filled in with the very values of the request, is the content that was
        composed, measured and is approved.
        """
        groups = together(composed.locales) if composed.locales else {"": range(len(rows.keys))}
        for locale, why in self._refused.items():
            self.unplaced[why] += len(groups.get(locale, ()))
        if not self._versions:
            return None
        forms: list[Form | None] = [None] * len(rows.keys)
        values: list[tuple[str, ...]] = [()] * len(rows.keys)
        for locale, members in groups.items():
            version = self._versions.get(locale)
            if version is None:
                continue
            contents = [composed.contents[index] for index in members]
            people = self._values(version, within(rows.columns, members), contents=contents)
            for index, given in zip(members, people, strict=True):
                if given is not None:
                    forms[index], values[index] = version.form, given
        return Merged(forms=forms, values=values)

    def shares(self, packed: Packed) -> Shares:
        """Return how the texts share calls, now that all of them are packed."""
        return Shares(
            merged=packed.merged,
            misfits=self.misfits,
            longest=self._longest,
            unplaced=self.unplaced,
            calls=packed.calls,
            alone=packed.alone,
            fewest=packed.fewest,
        )

    def _place(self, campaign: Campaign, locale: str, *, fields: MergeFields) -> None:
        content = campaign.message.content(locale)
        placed = place(content.text or "", fields.names, plain=self._plainly)
        if isinstance(placed, Placed) and not placed.outputs:
            return
        found = _judged(placed, campaign)
        if isinstance(found, Unplaced):
            self._refused[locale] = found.why
            return
        texts = [[found.text if path == TEXT else Renderer(text).render({}, 1)[0]] for path, text in leaves(content)]
        whole, names = joined(texts)[0], tuple(found.outputs)
        form = self._forms.setdefault((whole, names), Form(content=whole, names=names, carries_id=fields.carries_id))
        self._versions[locale] = _Version(form=form, values=tuple(map(Renderer, found.outputs.values())))

    def _values(
        self, version: _Version, columns: Mapping[str, list[str]], *, contents: Sequence[str]
    ) -> list[tuple[str, ...] | None]:
        """Return the values of each contact; None for those that do not fit, who are counted."""
        rendered = [one.render(columns, len(contents)) for one in version.values]
        if self._plain:
            rendered = [parted(self._plainly("\n".join(values)), values) for values in rendered]
        wrong: dict[int, str] = {}
        for values in rendered:
            for index, why in misfits(values, self._longest):
                wrong.setdefault(index, why)
        people: list[tuple[str, ...] | None] = list(zip(*rendered, strict=True))
        for index in _different(version.form, contents, filled=list(version.form.filled(zip(*rendered, strict=True)))):
            wrong.setdefault(index, DIFFERENT)
        self.misfits.update(wrong.values())
        for index in wrong:
            people[index] = None
        return people

    def _plainly(self, text: str) -> str:
        return parts.replace(text)[0] if self._plain else text


def _different(form: Form, contents: Sequence[str], *, filled: Sequence[str]) -> Iterator[int]:
    """Yield the place of each content that is not its form filled in, or has more of what the provider looks for.

    A value can add to that and take nothing away, so that the sums tell whether any of them does.
    """
    number, stop = _fixed(form.content)
    if contents == filled and _fixed("\n".join(contents)) == (number * len(contents), stop * len(contents)):
        return
    for index, (content, made) in enumerate(zip(contents, filled, strict=True)):
        if content != made or _fixed(content) != (number, stop):
            yield index


def _fixed(content: str) -> tuple[int, int]:
    """Return how often a content has what the provider looks for, perhaps before it puts the values in."""
    return content.count(NUMBER), content.count(STOP)


def _judged(placed: Placed | Unplaced, campaign: Campaign) -> Placed | Unplaced:
    """Return a text with placeholders, unless something beside its outputs is against it."""
    if isinstance(placed, Unplaced):
        return placed
    if campaign.options.list_name is not None:
        return Unplaced("`options.list_name` would store the values, too")
    if len(placed.text) > MAX_LENGTH:
        return Unplaced(
            f"the text has {len(placed.text):,} characters with its placeholders, at most {MAX_LENGTH:,} travel"
        )
    return placed
