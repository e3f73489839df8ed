"""Who a message comes from: the sender's shape, which is the provider's, and whether the project knows it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from octoplan.core.model import Channel
from octoplan.core.quoting import masked, quoted
from octoplan.core.rules import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from octoplan.core.model import Campaign, Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a provider's senders look like: `must` continues the key's name. `needed`: there is none by default."""

    pattern: re.Pattern[str]
    must: str
    hint: str
    needed: bool = False


NAME = Shape(
    pattern=re.compile(r"[A-Za-z0-9]{3,11}"),
    must="must be 3 to 11 letters and digits, without accents and blanks",
    hint="for example ACME",
)

CALLER = Shape(
    pattern=re.compile(r"\+?[0-9]{1,16}|[A-Za-z0-9]{1,11}"),
    must="must be a number of at most 16 digits, or at most 11 letters and digits",
    hint="write a number that may call, with its country, or a name",
    needed=True,
)

AGENT = re.compile(r"[^\W_](?:.{0,98}\S)?")
"""The name of an RCS agent: one line."""

_NUMBER = 6
"""A sender with this many digits may be a number."""


def check(campaign: Campaign, shape: Shape = NAME) -> Iterator[Finding]:
    """Yield what is wrong with the sender; on rcs it is an agent, whatever the provider's other senders look like."""
    if campaign.sender is not None:
        found = tuple(_shape(campaign, shape))
        yield from found or _unknown(campaign)
    elif shape.needed:
        message = f"`sender` is missing: {campaign.provider} has none by itself"
        yield finding("sender-shape", message, path=("sender",), hint=shape.hint)


def shown(campaign: Campaign) -> str | None:
    """Return the sender for a finding; None where it may be somebody's number."""
    sender = campaign.sender or ""
    return None if sum(map(str.isdigit, sender)) >= _NUMBER else quoted(sender)[1:-1]


def _shape(campaign: Campaign, shape: Shape) -> Iterator[Finding]:
    sender = campaign.sender or ""
    if campaign.channel is Channel.RCS:
        if not (AGENT.fullmatch(sender) and sender.isprintable()):
            message = "`sender` must be the name of an RCS agent: one line of at most 100 characters"
            hint = "write the name as in the provider's settings, or leave it out"
            yield finding("sender-shape", message, path=("sender",), value=shown(campaign), hint=hint)
    elif not shape.pattern.fullmatch(sender):
        message = f"`sender` {shape.must}"
        yield finding("sender-shape", message, path=("sender",), value=shown(campaign), hint=shape.hint)


def _unknown(campaign: Campaign) -> Iterator[Finding]:
    known = campaign.limits.senders
    if known is None or campaign.sender in known:
        return
    listed = masked(", ".join(known)) or "none"
    message = f"the sender is not among the project's ({listed})"
    hint = "use one of them, or add it to `limits.senders` in octoplan.yaml"
    yield finding("sender-unknown", message, path=("sender",), value=shown(campaign), limit=listed, hint=hint)
