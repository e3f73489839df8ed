"""Channel `sms`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from octoplan.sandbox import prices, text
from octoplan.sandbox.octopush import stop
from octoplan.sandbox.octopush.bill import accepted, by_country, number
from octoplan.sandbox.octopush.channel import Channel, Measure

if TYPE_CHECKING:
    from decimal import Decimal

    from octoplan.sandbox.octopush.order import Fields, Order
    from octoplan.sandbox.world import Message, World


def _read(fields: Fields) -> Order:
    product, replies = fields.word("type"), fields.flag("with_replies")
    return fields.order(
        fields.text(),
        sender=fields.settings.text("short_number") if replies else fields.sender(),
        content={"type": product if product in prices.SMS else prices.SMS[0], "with_replies": replies},
    )


def _measure(said: str, _world: World) -> Measure:
    measured = text.measure(said)
    return Measure(measured.encoding, measured.parts)


def _prices(order: Order, world: World) -> dict[str, Decimal]:
    more = world.prices.replies_per_part if order.content["with_replies"] else 0
    costs = by_country(order, order.content["type"], world=world)
    return {country: price + more for country, price in costs.items()}


def answer(message: Message, world: World) -> dict[str, Any]:
    """Answer an accepted send."""
    return accepted(message, "sms_ticket") | {
        "number_of_sms_needed": message.all_parts,
        "residual_credit": number(world.balance),
        "message": "",
    }


SMS = Channel(prefix="sms", read=_read, stop=stop.mentioned, measure=_measure, prices=_prices, answer=answer)
