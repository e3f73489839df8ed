"""Every check of a campaign that needs nothing but the campaign; limits are its own, the tightest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from octoplan.core.message import leaves
from octoplan.core.rules import email, finding, rcs, sender, sms, voice
from octoplan.core.rules.rcs import key_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from octoplan.core.model import Campaign, Finding

_SHORTENERS = re.compile(
    r"\b(?:bit\.ly|tinyurl\.com|goo\.gl|t\.co|ow\.ly|is\.gd|buff\.ly|rebrand\.ly|cutt\.ly|shorturl\.at|t\.ly|rb\.gy)(?=/)",
    re.IGNORECASE,
)


def check_campaign(campaign: Campaign) -> tuple[Finding, ...]:
    """Return what the rules of every channel find."""
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


def _hours_unchecked(campaign: Campaign) -> Iterator[Finding]:
    """Nobody may believe that an hour was checked which was not."""
    if campaign.schedule.hours is not None:
        message = "this version does not check sending hours: `schedule.hours` refuses nothing yet"
        hint = "choose `schedule.send_at`, and when you apply, with it in mind"
        yield finding("hours", message, path=("schedule", "hours"), value=campaign.schedule.hours, hint=hint)


_RULES: tuple[Callable[[Campaign], Iterator[Finding]], ...] = (
    sender.check,
    sms.check,
    voice.check,
    rcs.check,
    email.check,
    _public_shortener,
    _hours_unchecked,
)
