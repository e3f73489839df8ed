"""Checks of a plan as a whole: what its campaigns come to, one after the other, against the project's limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from octoplan.core.model import Money
from octoplan.core.quantity import quantity
from octoplan.core.rules import finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from octoplan.core.model import Finding, Limits

WAY_OUT = "deselect campaigns, or raise the limit in a reviewed change"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What a plan comes to with one more campaign; `worst` is the cost at worst, in `currency`.

    `balance` is what the campaign's account holds now, None if nobody asked; `drawn` what the plan takes
    from it at worst. `least` is what has to stay.
    """

    limits: Limits
    worst: Decimal
    contacts: int
    currency: str
    drawn: Decimal
    balance: Money | None = None
    least: Money | None = None


def check_running(running: Running) -> tuple[Finding, ...]:
    """Return what the plan exceeds with this campaign; paths are those of octoplan.yaml."""
    return (*_cost_limit(running), *_contacts_limit(running), *_balance(running))


def _cost_limit(running: Running) -> Iterator[Finding]:
    limit = running.limits.max_cost
    if limit is not None and running.worst > limit.amount:
        cost = Money(amount=running.worst, currency=running.currency)
        message = f"with this campaign the plan may cost {cost}, the project's limit for one plan is {limit}"
        path = ("limits", "max_cost")
        yield finding("cost-limit", message, path=path, value=str(cost), limit=str(limit), hint=WAY_OUT)


def _contacts_limit(running: Running) -> Iterator[Finding]:
    limit = running.limits.max_contacts
    if limit is not None and running.contacts > limit:
        contacts = quantity(running.contacts, "contact")
        message = f"with this campaign the plan has {contacts}, the project's limit is {limit:,}"
        path = ("limits", "max_contacts")
        yield finding("contacts-limit", message, path=path, value=str(running.contacts), limit=str(limit), hint=WAY_OUT)


def _balance(running: Running) -> Iterator[Finding]:
    if running.balance is None or running.least is None:
        return
    path = ("limits", "min_balance")
    held, least = running.balance, running.least
    if {held.currency, least.currency} != {running.currency}:
        message = f"prices are in {running.currency}, the balance is {held} and the limit {least}: they do not compare"
        hint = f"write `limits.min_balance` in {running.currency}"
        yield finding("currency-limit", message, path=path, value=held.currency, limit=str(least), hint=hint)
        return
    left = Money(amount=held.amount - running.drawn, currency=held.currency)
    if left.amount < least.amount:
        message = f"with this campaign {left} of {held} may be left, the least is {least}"
        hint = "top up the account, deselect campaigns, or lower the limit in a reviewed change"
        yield finding("balance", message, path=path, value=str(left), limit=str(least), hint=hint)
