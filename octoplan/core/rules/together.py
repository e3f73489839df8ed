"""What the campaigns of one plan are to each other's contacts; each was resolved against the ledger alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octoplan.core.quantity import quantity
from octoplan.core.rules import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from octoplan.core.model import Finding

FIRST = "apply the others first, then plan this one again, which leaves these contacts out"


def check_cap(contacts: int, cap: str) -> Iterator[Finding]:
    """Yield a finding if, with what the same plan sends before, contacts would get more than the cap allows."""
    if contacts:
        message = f"with what this plan sends before it, {quantity(contacts, 'contact')} would get more than {cap}"
        hint = f"{FIRST}; or accept under `allow` that they get it"
        path = ("limits", "per_contact")
        yield finding("contact-cap", message, path=path, value=str(contacts), limit=cap, hint=hint)


def check_excluded(campaign: str, contacts: int) -> Iterator[Finding]:
    """Yield a finding if the same plan sends an excluded campaign to contacts whom no ledger excludes yet."""
    if contacts:
        message = (
            f"`{campaign}` is excluded, and this plan sends it to {quantity(contacts, 'contact')} of this campaign"
        )
        hint = f"{FIRST}; or accept under `allow` that they get both"
        yield finding("excluded-in-plan", message, path=("audience", "exclude"), value=str(contacts), hint=hint)
