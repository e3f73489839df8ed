"""What only other providers have: written for Octopush it would be ignored, so it is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octoplan.core.rules.offered import not_offered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from octoplan.core.model import Campaign, Finding

ROUTEE = (
    *("audience.groups", "audience.contact_ids", "message.audio"),
    *("options.key_wait_seconds", "options.ring_seconds", "options.respect_quiet_hours"),
    *("options.callback", "options.campaign_callback"),
)
"""Keys that Routee has and Octopush does not."""


def check(campaign: Campaign) -> Iterator[Finding]:
    """Yield an error for each of them."""
    yield from not_offered(campaign, ROUTEE, kind="octopush", has="routee")
