"""What the channels of a send differ in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from octoplan.sandbox.octopush.order import Fields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from octoplan.sandbox.octopush.order import Order
    from octoplan.sandbox.switches import Settings
    from octoplan.sandbox.world import Message, World


class Measure(NamedTuple):
    """How a text is counted; `encoding` is of SMS only."""

    encoding: str
    parts: int


ONE = Measure("", 1)
"""What is never counted by its length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One channel: how it reads a body, counts and prices an order, and answers.

    `prefix` begins its tickets. `read` leaves out whom it goes to, which is read by `whom`. `prices` are those of a
    part in each country. `stop` does to an order what the opt-out mention asks for, or raises Rejected. `answer` sees
    the world as it is after the send. `charges_removal`: leaving out who opted out is on the bill.
    """

    prefix: str
    read: Callable[[Fields], Order]
    prices: Callable[[Order, World], Mapping[str, Decimal]]
    answer: Callable[[Message, World], dict[str, Any]]
    whom: Callable[[Fields], list[str]] = Fields.numbers
    measure: Callable[[str, World], Measure] = lambda _text, _world: ONE
    stop: Callable[[Order, Settings], Order] = lambda order, _: order
    charges_removal: bool = True
