"""Another id that says the same to the same people: a copy in one change, or a new name for what was sent."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from octoplan.core.model import Severity
from octoplan.core.quantity import quantity
from octoplan.core.rules import finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from octoplan.core.model import Finding

DAYS = 30
"""How long a message is remembered by who reads it."""

MOST = Decimal("0.80")
"""The share of a campaign's contacts to whom another one may say the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """Another campaign that says the same; counts are contacts.

    Of `contacts` of the campaign that is judged and `theirs` of the other, both have `shared`. `later`: the
    other one is the later of the two. `sent`: it was sent to somebody; else it is in the same plan. `held`: both are
    for the same audience of the provider, which counts as one contact.
    """

    campaign: str
    contacts: int
    theirs: int
    shared: int
    later: bool
    sent: bool
    held: str = ""

    @property
    def is_near(self) -> bool:
        """Tell whether this is to be told of the campaign that is judged: of two copies, of the later one."""
        return self.shared > MOST * self.contacts and not (self.later and self.shared > MOST * self.theirs)


def check(found: Iterable[Likeness]) -> Iterator[Finding]:
    """Yield one finding about a campaign, which names the nearest of the others; an info where few get it twice."""
    likes = sorted((one for one in found if one.shared), key=lambda one: (-one.shared, one.campaign))
    near = [one for one in likes if one.is_near] or [one for one in likes if not one.later]
    if not near:
        return
    one, share = near[0], Decimal(near[0].shared) / near[0].contacts
    others = f" (and {quantity(len(near) - 1, 'other campaign')})" if len(near) > 1 else ""
    when = f"it was sent in the last {DAYS} days" if one.sent else "it is in this plan too"
    whom = one.held or f"{one.shared:,} of {quantity(one.contacts, 'contact')}"
    message = f"`{one.campaign}`{others} says the same to {whom}, and {when}"
    hint = "go back to its id if this is a new name for it" if one.sent else "deselect one of them"
    severity = Severity.WARNING if one.is_near else Severity.INFO
    yield finding(
        "near-duplicate",
        message,
        severity=severity,
        path=("id",),
        value=f"{share * 100:.1f}%",
        limit=f"{MOST * 100:.1f}%",
        hint=f"{hint}, change the text, or accept under `allow` that they get it again",
    )
