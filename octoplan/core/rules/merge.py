"""What there is to say where personal texts could not share calls, or do so by a call that says less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from octoplan.core.model import Channel
from octoplan.core.quantity import quantity
from octoplan.core.rules import finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from octoplan.core.model import Campaign, Finding, KeyPath

PATH: KeyPath = ("message", "text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How the texts of a campaign share calls.

    Contacts: `merged` have a placeholder's value in a call, `misfits`, by reason, have values that fit none, which
    have at most `longest` bytes; `unplaced`, by reason, get a text that has no placeholders. Calls: of `calls` some
    are for one text `alone`; `fewest` would do if everybody shared.
    """

    merged: int
    misfits: Mapping[str, int]
    longest: int
    unplaced: Mapping[str, int]
    calls: int
    alone: int
    fewest: int


def check(campaign: Campaign, shares: Shares) -> Iterator[Finding]:
    """Yield whose texts travel in calls of their own, and why; where nobody needs a further call, of values alone."""
    take = f"texts of their own take {quantity(shares.alone, 'call')}"
    if count := sum(shares.misfits.values()):
        reasons = ", ".join(f"{why} {number:,}" for why, number in sorted(shares.misfits.items()))
        message = f"{quantity(count, 'contact')} with values that fit no merge field ({reasons}): {take}"
        hint = f"they are sent all the same; what fits has at most {shares.longest} bytes, single blanks and no braces"
        yield finding("merge-value", message, path=PATH, value=f"{count:,}", limit=str(shares.longest), hint=hint)
    for why, count in sorted(shares.unplaced.items()) if shares.calls > shares.fewest else ():
        message = f"no merge fields for {quantity(count, 'contact')}: {why}; {take}, where {shares.fewest:,} would do"
        hint = "they are sent all the same; what differs may stand in a column of the audience instead"
        yield finding("merge-text", message, path=PATH, value=f"{count:,}", hint=hint)
    if shares.merged and campaign.channel is Channel.VOICE:
        purpose = campaign.purpose.value
        message = f"the call with merge fields has no `purpose`: that this is {purpose} is not transmitted"
        hint = "where that matters, write `merge_fields: never` for the provider in octoplan.yaml"
        yield finding("voice-purpose", message, path=("purpose",), value=purpose, hint=hint)
