"""What one part may cost: it tells of expensive countries, and of a price book with a point in the wrong place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octoplan.core.model import Channel, Money
from octoplan.core.rules import finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal

    from octoplan.core.model import Campaign, Finding

SHOWN = 5
"""Countries that a finding names."""

PRICED = {Channel.SMS: "part", Channel.VOICE: "billing step"}
"""What is priced on the channels whose messages may take several."""


def check(campaign: Campaign, units: Mapping[str, Decimal], *, currency: str) -> Iterator[Finding]:
    """Yield a finding where one part costs more than `limits.max_unit_price`; `units` is its price by country."""
    limit, path = campaign.limits.max_unit_price, ("limits", "max_unit_price")
    if limit is None or not units:
        return
    if limit.currency != currency:
        message = f"prices are in {currency}, and the limit of one part is {limit.exact}: they do not compare"
        hint = f"write `limits.max_unit_price` in {currency}"
        yield finding("currency-limit", message, path=path, value=currency, limit=limit.exact, hint=hint)
        return
    above = {country: Money(amount=unit, currency=currency) for country, unit in units.items() if unit > limit.amount}
    if above:
        dearest = sorted(above, key=lambda country: (-above[country].amount, country))
        listed = ", ".join(f"{_place(campaign, name)} {above[name].exact}" for name in dearest[:SHOWN])
        more = f" and {len(dearest) - SHOWN} more" if len(dearest) > SHOWN else ""
        what = PRICED.get(campaign.channel, "message")
        message = f"one {what} costs more than the limit of {limit.exact}: {listed}{more}"
        hint = "check the price book, take these contacts out, or raise the limit in a reviewed change"
        value = above[dearest[0]].exact
        yield finding("unit-price", message, path=path, value=value, limit=limit.exact, hint=hint)


def _place(campaign: Campaign, country: str) -> str:
    """Return what a price is of: an e-mail's is of its service."""
    return (campaign.message.service or "") if campaign.channel is Channel.EMAIL else country
