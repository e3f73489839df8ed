"""What the channels of a send differ in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from octoplan.sandbox.octopush.bill import Bill
    from octoplan.sandbox.octopush.order import Fields, Order
    from octoplan.sandbox.switches import Settings
    from octoplan.sandbox.world import Message, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One channel: how it reads a body, counts and prices an order, and answers.

    `prefix` begins its tickets. `stop` does to an order what the opt-out mention asks for, or raises Rejected.
    `answer` sees the world as it is after the send. `charges_removal`: leaving out who opted out is on the bill.
    """

    prefix: str
    read: Callable[[Fields], Order]
    bill: Callable[[Order, World], Bill]
    answer: Callable[[Message, World], dict[str, Any]]
    stop: Callable[[Order, Settings], Order] = lambda order, _: order
    charges_removal: bool = True
