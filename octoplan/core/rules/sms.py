"""Checks of an SMS campaign that need nothing but the campaign: its options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octoplan.core.model import Channel
from octoplan.core.rules import finding
from octoplan.core.rules.sender import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from octoplan.core.model import Campaign, Finding


def check(campaign: Campaign) -> Iterator[Finding]:
    """Yield what these rules find; nothing for another channel."""
    if campaign.channel is Channel.SMS:
        yield from _sender_with_replies(campaign)
        yield from _low_cost_options(campaign)


def _sender_with_replies(campaign: Campaign) -> Iterator[Finding]:
    if campaign.options.replies and campaign.sender is not None:
        message = "with `replies` the provider replaces the sender by a short number"
        hint = "write `sender: null`, or `replies: false`"
        yield finding("sender-with-replies", message, path=("options", "replies"), value=shown(campaign), hint=hint)


def _low_cost_options(campaign: Campaign) -> Iterator[Finding]:
    if campaign.options.quality != "low_cost":
        return
    if campaign.sender is not None:
        message = "quality low_cost cannot show a sender"
        hint = "write `sender: null`, or `quality: premium`"
        yield finding("low-cost-options", message, path=("options", "quality"), value=shown(campaign), hint=hint)
    if campaign.options.replies:
        message = "quality low_cost cannot take replies"
        hint = "write `replies: false`, or `quality: premium`"
        yield finding("low-cost-options", message, path=("options", "quality"), value="replies", hint=hint)
