"""What one part may cost: it tells of expensive countries, and of a price book with a comma in the wrong place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octoplan.core import price
from octoplan.core.limits import exact
from octoplan.core.model import Channel, Money
from octoplan.core.rules import finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from decimal import Decimal

    from octoplan.core.model import Campaign, Finding, Prices

SHOWN = 5
"""Countries that a finding names."""


def check(campaign: Campaign, prices: Prices | None, *, countries: Iterable[str]) -> Iterator[Finding]:
    """Yield a finding where a part to one of the countries costs more than `limits.max_unit_price`."""
    limit = campaign.limits.max_unit_price
    if limit is None or prices is None:
        return
    path = ("limits", "max_unit_price")
    if limit.currency != prices.currency:
        message = f"prices are in {prices.currency}, and the limit of one part is {exact(limit)}: they do not compare"
        hint = f"write `limits.max_unit_price` in {prices.currency}"
        value, most = prices.currency, exact(limit)
        yield finding("currency-limit", message, path=path, value=value, limit=most, hint=hint)
        return
    units = _units(campaign, prices, countries=countries)
    above = {place: unit for place, unit in units if unit > limit.amount}
    if above:
        dearest = sorted(above, key=lambda place: (-above[place], place))
        listed = ", ".join(f"{place} {_money(above[place], limit)}" for place in dearest[:SHOWN])
        more = f" and {len(dearest) - SHOWN} more" if len(dearest) > SHOWN else ""
        what = f"{_PART.get(campaign.channel, 'a message')} of {price.product(campaign)}"
        message = f"{what} costs more than the limit of {exact(limit)}: {listed}{more}"
        hint = "check the price book, take these contacts out, or raise the limit in a reviewed change"
        value = _money(above[dearest[0]], limit)
        yield finding("unit-price", message, path=path, value=value, limit=exact(limit), hint=hint)


_PART = {Channel.SMS: "a part", Channel.VOICE: "a billing step"}
"""What is priced on the channels whose messages may take several."""


def _units(campaign: Campaign, prices: Prices, *, countries: Iterable[str]) -> Iterator[tuple[str, Decimal]]:
    """Yield what is priced, a country or an e-mail's service, with the price of one part; unpriced ones never."""
    email = campaign.channel is Channel.EMAIL
    for place in (campaign.message.service or "",) if email else countries:
        unit = price.unit(prices, campaign, country=place)
        if unit is not None:
            yield place, unit


def _money(amount: Decimal, limit: Money) -> str:
    return exact(Money(amount=amount, currency=limit.currency))
