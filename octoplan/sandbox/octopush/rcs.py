"""Channel `rcs`: a text with actions, or cards. What cards and actions look like inside is not documented."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from octoplan.sandbox import casts
from octoplan.sandbox.octopush import mail, sms, stop
from octoplan.sandbox.octopush.bill import accepted, by_country, number
from octoplan.sandbox.octopush.channel import Channel
from octoplan.sandbox.octopush.order import Rejected

if TYPE_CHECKING:
    from decimal import Decimal

    from octoplan.sandbox.octopush.order import Fields, Order
    from octoplan.sandbox.switches import Settings
    from octoplan.sandbox.world import Message, World


def _read(fields: Fields) -> Order:
    cards = _cards(fields) if fields.word("message_type") == "rich_card" else []
    return fields.order(
        fields.text(needed=not cards or fields.settings.on("rich_card_needs_text")),
        sender=_sender(fields),
        content={
            "message_type": "rich_card" if cards else "simple_text",
            "cards": cards,
            "actions": [] if cards else casts.items(fields.metadata.get("actions")),
            "with_replies": fields.flag("with_replies"),
        },
    )


def _cards(fields: Fields) -> list[dict[str, Any]]:
    cards = [card for card in casts.items(fields.metadata.get("cards")) if isinstance(card, dict)]
    if not cards and fields.settings.text("cards_missing") == "rejected":
        raise Rejected(400, "Cards are missing.", field="cards")
    return cards


def _sender(fields: Fields) -> str:
    if fields.settings.text("rcs_sender") == "repaired":
        return fields.sender()
    return fields.sender_as_given() or fields.settings.text("default_sender")


def _stop(order: Order, settings: Settings) -> Order:
    return stop.mentioned(order, settings) if settings.on("stop_on_rcs") else stop.filled(order, settings)


def _prices(order: Order, world: World) -> dict[str, Decimal]:
    return by_country(order, "rcs", world=world)


def _answer(message: Message, world: World) -> dict[str, Any]:
    shape = world.settings.text("rcs_success_body")
    if shape == "sms":
        return sms.answer(message, world)
    if shape == "email":
        return mail.answer(message, world)
    return accepted(message, shape) | {"residual_credit": number(world.balance)}


RCS = Channel(prefix="rcs", read=_read, stop=_stop, prices=_prices, answer=_answer)
