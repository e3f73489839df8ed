"""How long a call takes, and what it costs, by the billing step."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING

from octoplan.sandbox import countries, text
from octoplan.sandbox.routee.refusal import invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from octoplan.sandbox.routee.order import Order
    from octoplan.sandbox.world import World

PRODUCT = "voice_sms"
"""What calls are called in a price book."""


def seconds(order: Order, world: World) -> int:
    """Estimate how long a call takes that is answered."""
    settings = world.settings
    if order.said.file_url:
        spoken = settings.number("routee_file_seconds")
    else:
        spoken = text.seconds(order.said.text, characters_per_second=settings.number("voice_characters_per_second"))
    pause = order.pause if order.collects and settings.on("routee_pause_billed") else None
    return spoken + math.ceil(pause or 0)


def steps(length: int, world: World) -> int:
    """Count the billing steps of a call."""
    return -(-length // world.prices.voice_step_seconds)


def by_country(addresses: Sequence[str], world: World) -> dict[str, Decimal]:
    """Give the price of a step in each country, at "" where a number has none. Raises Rejected."""
    return {country or "": _price(country or "", world) for country in countries.count(addresses)}


def total(addresses: Sequence[str], unit_cost: dict[str, Decimal]) -> Decimal:
    """Sum up what calls cost."""
    return sum((unit_cost[country or ""] * n for country, n in countries.count(addresses).items()), Decimal(0))


def _price(country: str, world: World) -> Decimal:
    if not world.prices.products:
        return Decimal(world.settings.text("price_without_book"))
    found = world.prices.products.get(PRODUCT, {}).get(country)
    fallback = world.settings.text("unknown_country_price")
    if found is None and not fallback:
        raise invalid(world.settings, "The country is not served.")
    return Decimal(fallback) if found is None else found
