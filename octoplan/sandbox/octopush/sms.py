"""Channel `sms`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from octoplan.sandbox import prices, text
from octoplan.sandbox.octopush import stop
from octoplan.sandbox.octopush.bill import Bill, accepted, by_country, number
from octoplan.sandbox.octopush.channel import Channel

if TYPE_CHECKING:
    from octoplan.sandbox.octopush.order import Fields, Order
    from octoplan.sandbox.world import Message, World


def _read(fields: Fields) -> Order:
    product, replies = fields.word("type"), fields.flag("with_replies")
    return fields.order(
        fields.text(),
        fields.numbers(),
        sender=fields.settings.text("short_number") if replies else fields.sender(),
        content={"type": product if product in prices.SMS else prices.SMS[0], "with_replies": replies},
    )


def _bill(order: Order, world: World) -> Bill:
    measured = text.measure(order.text)
    more = world.prices.replies_per_part if order.content["with_replies"] else 0
    costs = by_country(order, order.content["type"], world=world)
    return Bill(
        encoding=measured.encoding,
        parts=measured.parts,
        unit_cost={country: (price + more) * measured.parts for country, price in costs.items()},
    )


def answer(message: Message, world: World) -> dict[str, Any]:
    """Answer an accepted send."""
    return accepted(message, "sms_ticket") | {
        "number_of_sms_needed": message.parts * len(message.addresses),
        "residual_credit": number(world.balance),
        "message": "",
    }


SMS = Channel(prefix="sms", read=_read, stop=stop.mentioned, bill=_bill, answer=answer)
