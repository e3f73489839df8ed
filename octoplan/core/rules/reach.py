"""What the ledger knows of people by one kind of address says nothing of them by another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octoplan.core.model import AddressKind, Channel
from octoplan.core.rules import ERROR, finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from octoplan.core.model import Campaign, Finding

WORDS = {AddressKind.PHONE: "telephone numbers", AddressKind.EMAIL: "e-mail addresses"}


def check_edition(campaign: Campaign, begun: str | None) -> Iterator[Finding]:
    """Yield an error where an edition that was `begun` on another channel would find everybody new on this one."""
    before = kind(begun)
    if before and before is not campaign.channel.address_kind:
        message = f"this edition was begun with {WORDS[before]}: whoever got it cannot be told among {_ours(campaign)}"
        hint = f"go back to channel {begun}, or write a campaign with an id of its own"
        yield finding("other-address", message, severity=ERROR, path=("channel",), value=campaign.channel, hint=hint)


def check_excluded(campaign: Campaign, others: Iterable[tuple[str, str | None]]) -> Iterator[Finding]:
    """Yield a warning for each excluded campaign, given with a channel, that was sent to other addresses."""
    for name, channel in others:
        theirs = kind(channel)
        if theirs and theirs is not campaign.channel.address_kind:
            message = f"{name} was sent to {WORDS[theirs]}: among {_ours(campaign)} nobody is excluded by it"
            hint = "exclude a file with their addresses, or accept it under `allow`"
            yield finding("other-address", message, path=("audience", "exclude"), value=name, hint=hint)


def kind(channel: str | None) -> AddressKind | None:
    """Return what a channel addresses people by; None where no channel is known."""
    return Channel(channel).address_kind if channel else None


def _ours(campaign: Campaign) -> str:
    return WORDS[campaign.channel.address_kind]
