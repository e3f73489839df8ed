"""What a send costs, and the amounts an answer shows."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson

from octoplan.sandbox import countries, prices
from octoplan.sandbox.octopush.order import Rejected

if TYPE_CHECKING:
    from octoplan.sandbox.octopush.order import Order
    from octoplan.sandbox.world import Message, World

NOWHERE = ""
"""Where an address without country is."""


def price(product: str, where: str, *, world: World) -> Decimal:
    """Look up a price, of e-mail by service. Raises Rejected where there is none."""
    if not world.prices.products:
        return Decimal(world.settings.text("price_without_book"))
    found = world.prices.products.get(product, {}).get(where)
    if found is not None:
        return found
    fallback = world.settings.text("unknown_country_price")
    if not fallback:
        raise Rejected(151, "Country is not served.")
    return Decimal(fallback)


def by_country(order: Order, product: str, *, world: World) -> dict[str, Decimal]:
    """Give the price of `product` in each country the order goes to."""
    found = countries.count(order.addresses)
    return {country or NOWHERE: price(product, country or NOWHERE, world=world) for country in found}


def accepted(message: Message, ticket: str = "ticket_number") -> dict[str, Any]:
    """Begin the answer to an accepted send; `ticket` is the name its ticket goes by."""
    return {
        ticket: message.ticket,
        "number_of_contacts": len(message.addresses),
        "total_cost": number(message.cost),
    }


def number(amount: Decimal) -> orjson.Fragment:
    """Write an amount as a JSON number."""
    return orjson.Fragment(prices.literal(amount))
