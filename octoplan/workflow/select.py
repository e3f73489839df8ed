"""SELECT: which campaigns a verb is about."""

from __future__ import annotations

import difflib
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from octoplan.core.errors import Refused
from octoplan.core.plan import Selection
from octoplan.core.quoting import typed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from octoplan.core.model import Campaign


def spared(broken: frozenset[str], words: Iterable[str]) -> frozenset[str]:
    """Return the broken campaign files that a selection leaves out: by name, or by naming others."""
    given = tuple(words)
    names = {word: word.removeprefix("!").removeprefix("./") for word in given}
    wanted = {names[word] for word in given if not word.startswith("!")}
    return broken - wanted if wanted else broken & set(names.values())


def select(campaigns: Sequence[Campaign], words: Iterable[str], *, broken: frozenset[str] = frozenset()) -> Selection:
    """Return what the words choose: ids, globs, `tag:NAME`, files; `!` before one excludes. No word: everything.

    Raises:
        Refused: a word matches no campaign, or nothing is left.
    """
    given = tuple(words)
    if not given:
        return Selection(all=True)
    chosen: set[str] = set()
    dropped: set[str] = set()
    for word in given:
        bare = word.removeprefix("!")
        matching = {campaign.id for campaign in campaigns if _matches(campaign, bare)}
        if not matching and bare.removeprefix("./") not in broken:
            raise Refused(_nothing(campaigns, bare), reason="selection-empty")
        (dropped if word.startswith("!") else chosen).update(matching)
    if all(word.startswith("!") for word in given):
        chosen = {campaign.id for campaign in campaigns}
    kept = tuple(campaign.id for campaign in campaigns if campaign.id in chosen - dropped)
    if not kept:
        raise Refused("the selection excludes every campaign it chooses", reason="selection-empty")
    return Selection(ids=kept)


def selected(campaigns: Sequence[Campaign], selection: Selection) -> tuple[Campaign, ...]:
    """Return the campaigns of a selection, perhaps made earlier, that are there."""
    return tuple(campaign for campaign in campaigns if selection.all or campaign.id in selection.ids)


def _matches(campaign: Campaign, word: str) -> bool:
    if word.startswith("tag:"):
        return word.removeprefix("tag:") in campaign.tags
    return fnmatchcase(campaign.id, word) or word.removeprefix("./") == campaign.file


def _nothing(campaigns: Sequence[Campaign], word: str) -> str:
    known = {campaign.id for campaign in campaigns} | {campaign.file for campaign in campaigns}
    known |= {f"tag:{tag}" for campaign in campaigns for tag in campaign.tags}
    near = difflib.get_close_matches(word, sorted(known), n=1)
    hint = f": did you mean `{near[0]}`?" if near else ""
    return f"{typed(word)} matches no campaign{hint}"
