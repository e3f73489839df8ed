"""The opt-out mention: marketing to France must have it, and XXXXX becomes the number that takes it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from octoplan.sandbox import text
from octoplan.sandbox.octopush.order import Rejected

if TYPE_CHECKING:
    from octoplan.sandbox.octopush.order import Order
    from octoplan.sandbox.switches import Settings

_MISSING = {
    "documented": "Mention STOP is missing.",
    "observed": "STOP mention ([STOP au {number}]) is missing from your text.",
}


def mentioned(order: Order, settings: Settings) -> Order:
    """Demand the mention, or add it; then fill in the number. Raises Rejected."""
    number = settings.text("short_number")
    if _needed(order, settings) and not _has_mention(order, settings):
        if settings.text("stop_missing") == "rejected":
            raise Rejected(121, _MISSING[settings.text("stop_message")].format(number=number))
        order = replace(order, text=f"{order.text} STOP au {number}".strip())
    return filled(order, settings)


def filled(order: Order, settings: Settings) -> Order:
    """Put the short number for each XXXXX, in the text and in all the channel carries."""

    def fill(written: str) -> str:
        return written.replace(text.STOP_PLACEHOLDER, settings.text("short_number"))

    return replace(order, text=fill(order.text), content=text.rewritten(order.content, fill))


def _needed(order: Order, settings: Settings) -> bool:
    checked = not order.simulated or settings.on("simulation_checks_stop")
    anywhere = order.held and settings.text("held_stop") == "created"
    return checked and order.marketing and (anywhere or any(phone.startswith("+33") for phone in order.addresses))


def _has_mention(order: Order, settings: Settings) -> bool:
    accepts = settings.text("stop_accepts")
    return any(text.has_stop(one, accepts=accepts) for one in (order.text, *text.leaves(order.content.get("cards"))))
