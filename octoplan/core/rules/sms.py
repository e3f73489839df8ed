"""Checks of an SMS campaign that need nothing but the campaign: its sender, its options, its links."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from octoplan.core.model import Channel
from octoplan.core.quoting import quoted
from octoplan.core.rules import finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from octoplan.core.model import Campaign, Finding

_SHORTENERS = re.compile(
    r"\b(?:bit\.ly|tinyurl\.com|goo\.gl|t\.co|ow\.ly|is\.gd|buff\.ly|rebrand\.ly|cutt\.ly|shorturl\.at|t\.ly|rb\.gy)(?=/)",
    re.IGNORECASE,
)

SENDER = re.compile(r"[A-Za-z0-9]{3,11}")

_NUMBER = 6
"""A sender with this many digits may be a number."""


def check(campaign: Campaign) -> tuple[Finding, ...]:
    """Return what these rules find; nothing for another channel."""
    if campaign.channel is not Channel.SMS:
        return ()
    return tuple(found for rule in _RULES for found in rule(campaign))


def _sender_shape(campaign: Campaign) -> Iterator[Finding]:
    sender = campaign.sender
    if sender is not None and not SENDER.fullmatch(sender):
        message = "`sender` must be 3 to 11 letters and digits, without accents and blanks"
        yield finding("sender-shape", message, path=("sender",), value=_shown(campaign), hint="for example ACME")


def _sender_unknown(campaign: Campaign) -> Iterator[Finding]:
    sender, known = campaign.sender, campaign.limits.senders
    if sender is None or known is None or sender in known or not SENDER.fullmatch(sender):
        return
    listed = ", ".join(known) or "none"
    message = f"the sender is not among the project's ({listed})"
    hint = "use one of them, or add it to `limits.senders` in octoplan.yaml"
    yield finding("sender-unknown", message, path=("sender",), value=_shown(campaign), limit=listed, hint=hint)


def _sender_with_replies(campaign: Campaign) -> Iterator[Finding]:
    if campaign.options.replies and campaign.sender is not None:
        message = "with `replies` the provider replaces the sender by a short number"
        hint = "write `sender: null`, or `replies: false`"
        yield finding("sender-with-replies", message, path=("options", "replies"), value=_shown(campaign), hint=hint)


def _low_cost_options(campaign: Campaign) -> Iterator[Finding]:
    if campaign.options.quality != "low_cost":
        return
    if campaign.sender is not None:
        message = "quality low_cost cannot show a sender"
        hint = "write `sender: null`, or `quality: premium`"
        yield finding("low-cost-options", message, path=("options", "quality"), value=_shown(campaign), hint=hint)
    if campaign.options.replies:
        message = "quality low_cost cannot take replies"
        hint = "write `replies: false`, or `quality: premium`"
        yield finding("low-cost-options", message, path=("options", "quality"), value="replies", hint=hint)


def _public_shortener(campaign: Campaign) -> Iterator[Finding]:
    """Operators filter links whose target they cannot see, and so do readers."""
    found = sorted(set(map(str.lower, _SHORTENERS.findall(campaign.message.text))))
    if found:
        listed = ", ".join(found)
        message = f"a link on a public shortener ({listed}) hides where it leads and is often filtered"
        hint = "use a domain of your own, or accept it under `allow`"
        yield finding("public-shortener", message, path=("message", "text"), value=listed, hint=hint)


def _hours_unchecked(campaign: Campaign) -> Iterator[Finding]:
    """Nobody may believe that an hour was checked which was not."""
    if campaign.schedule.hours is not None:
        message = "this version does not check sending hours: `schedule.hours` refuses nothing yet"
        hint = "choose `schedule.send_at`, and when you apply, with it in mind"
        yield finding("hours", message, path=("schedule", "hours"), value=campaign.schedule.hours, hint=hint)


def _shown(campaign: Campaign) -> str | None:
    """Return the sender for a finding; None where it may be somebody's number."""
    sender = campaign.sender or ""
    return None if sum(map(str.isdigit, sender)) >= _NUMBER else quoted(sender)[1:-1]


_RULES: tuple[Callable[[Campaign], Iterator[Finding]], ...] = (
    _sender_shape,
    _sender_unknown,
    _sender_with_replies,
    _low_cost_options,
    _public_shortener,
    _hours_unchecked,
)
