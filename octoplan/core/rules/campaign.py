"""Every check of a campaign that needs nothing but the campaign; limits are its own, the tightest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from octoplan.core.hours import hours
from octoplan.core.message import leaves
from octoplan.core.model import Severity
from octoplan.core.rules import email, finding, held, rcs, sms, voice
from octoplan.core.rules.rcs import key_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from octoplan.core.model import Campaign, Finding

_SHORTENERS = re.compile(
    r"\b(?:bit\.ly|tinyurl\.com|goo\.gl|t\.co|ow\.ly|is\.gd|buff\.ly|rebrand\.ly|cutt\.ly|shorturl\.at|t\.ly|rb\.gy)(?=/)",
    re.IGNORECASE,
)


def check_campaign(campaign: Campaign) -> tuple[Finding, ...]:
    """Return what the rules of every channel find, whoever the provider is."""
    return tuple(found for rule in _RULES for found in rule(campaign))


def _public_shortener(campaign: Campaign) -> Iterator[Finding]:
    """Operators filter links whose target they cannot see, and so do readers."""
    texts = [leaf for content in campaign.message.contents.values() for leaf in leaves(content)]
    found = {path: sorted({match.lower() for match in _SHORTENERS.findall(text)}) for path, text in texts}
    for path, domains in found.items():
        if domains:
            listed = ", ".join(domains)
            message = f"a link on a public shortener ({listed}) hides where it leads and is often filtered"
            hint = "use a domain of your own, or accept it under `allow`"
            yield finding("public-shortener", message, path=key_path(path), value=listed, hint=hint)


def _hours_unused(campaign: Campaign) -> Iterator[Finding]:
    """Nobody may believe that an hour is kept which is not."""
    named = campaign.schedule.hours
    if named not in (None, "any") and hours(campaign) is None:
        message = f"`schedule.hours` holds nothing back: {campaign.purpose} {campaign.channel} may go at any hour"
        hint = "leave it out, or choose `schedule.send_at`"
        path = ("schedule", "hours")
        yield finding("hours", message, severity=Severity.INFO, path=path, value=named, hint=hint)


_RULES: tuple[Callable[[Campaign], Iterator[Finding]], ...] = (
    sms.check,
    voice.check,
    rcs.check,
    email.check,
    held.check,
    _public_shortener,
    _hours_unused,
)
