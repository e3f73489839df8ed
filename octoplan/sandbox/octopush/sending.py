"""What every send has in common: the checks beyond single fields, what it costs, and the verdict."""

from __future__ import annotations

import secrets
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import orjson

from octoplan.sandbox import countries, prices
from octoplan.sandbox.octopush import placeholders
from octoplan.sandbox.octopush.bill import NOWHERE
from octoplan.sandbox.octopush.channels import CHANNELS
from octoplan.sandbox.octopush.order import Rejected
from octoplan.sandbox.world import Contact, Message, Personal, Stored, Verdict, World, verdict

if TYPE_CHECKING:
    from octoplan.sandbox.octopush.channel import Channel
    from octoplan.sandbox.octopush.order import Fields, Order
    from octoplan.sandbox.switches import Settings


def checked(order: Order, world: World) -> Order:
    """Apply the checks that look beyond single fields: the STOP mention, then the request id. Raises Rejected."""
    order = CHANNELS[order.channel].stop(order, world.settings)
    looks = not order.simulated or world.settings.on("simulation_burns_id")
    if looks and order.request_id and world.remembers(order.request_id):
        field = "request_id" if world.settings.text("duplicate_shape") == "nested" else None
        message = "A SMS with the same request_id has already been sent."
        raise Rejected(120, message, field=field, outcome="duplicate")
    return order


def sent(order: Order, world: World) -> Verdict:
    """Send and charge; a simulation makes up the same answer and leaves the world alone. Raises Rejected."""
    channel = CHANNELS[order.channel]
    message = composed(channel, without_opted_out(order, world), world=world)
    if message.cost > world.balance:
        raise Rejected(104, "No credit left.")
    charged = not order.simulated or world.settings.text("simulated_credit") == "reduced"
    after = replace(world, balance=world.balance - message.cost) if charged else world
    return Verdict(
        status=world.settings.number("success_status"),
        body=orjson.dumps(channel.answer(message, after)),
        outcome="simulated" if order.simulated else "sent",
        message=None if order.simulated else message,
        stores=None if order.simulated else _stored(order),
        burns=burnt(order, world.settings),
    )


def _stored(order: Order) -> Stored | None:
    """Give the list an order also makes: of all its recipients, whoever of them has opted out."""
    if not order.list_name:
        return None
    values = order.values or [{}] * len(order.addresses)
    contacts = [Contact(address, own) for address, own in zip(order.addresses, values, strict=True)]
    return Stored(name=order.list_name, contacts=contacts)


def burnt(order: Order, settings: Settings) -> str | None:
    """Give the request id that an accepted order uses up."""
    return order.request_id if not order.simulated or settings.on("simulation_burns_id") else None


def refused(rejected: Rejected, fields: Fields, *, world: World) -> Verdict:
    """Say why not; a repeat has its own status."""
    settings = world.settings
    duplicate = rejected.outcome == "duplicate"
    status = settings.number("duplicate_status" if duplicate else "rejection_status")
    burned = settings.on("rejection_burns_id") and not fields.simulated and not duplicate
    answered = verdict(status, rejected.body(), outcome=rejected.outcome)
    return replace(answered, burns=fields.request_id if burned else None)


def without_opted_out(order: Order, world: World) -> Order:
    """Leave out who has opted out, where the order asks for it."""
    by_itself = order.channel == "email" and world.settings.on("email_removes_unsubscribed")
    if not world.blacklist or not (order.remove_blacklisted or by_itself):
        return order
    kept = [n for n, address in enumerate(order.addresses) if address.lower() not in world.blacklist]
    return replace(
        order,
        addresses=[order.addresses[n] for n in kept],
        values=[order.values[n] for n in kept] if order.values else (),
    )


def composed(channel: Channel, order: Order, *, world: World, ticket: str = "") -> Message:
    """Count and price an order, and put values in its text; without a ticket it gets a new one. Raises Rejected."""
    texts = placeholders.expanded(order, world.settings) or []
    if len(set(texts)) == 1:
        order, texts = replace(order, text=texts[0]), []
    charges = channel.prices(order, world)
    measured = {text: channel.measure(text, world) for text in set(texts)}
    personal = [
        Personal(text, *measured[text], charges[countries.of(address) or NOWHERE] * measured[text].parts)
        for text, address in zip(texts, order.addresses, strict=bool(texts))
    ]
    shared = channel.measure(order.text, world)
    longest = max(personal, key=lambda one: one.parts, default=None)
    parts = longest.parts if longest else shared.parts
    unit_cost = {where: price * parts for where, price in charges.items()}
    cost = sum((unit_cost[where] * n for where, n in _contacts(order).items()), Decimal(0))
    if personal:
        cost = sum((one.cost for one in personal), Decimal(0))
    if order.remove_blacklisted and channel.charges_removal:
        cost += world.prices.opt_out_removal_per_request
    return Message(
        ticket=ticket or f"{channel.prefix}_{secrets.token_hex(10)}",
        provider="octopush",
        channel=order.channel,
        campaign=order.list_name,
        sender=order.sender,
        text=order.text,
        content=order.content,
        encoding=longest.encoding if longest else shared.encoding,
        parts=parts,
        all_parts=sum(one.parts for one in personal) if personal else parts * len(order.addresses),
        request_id=order.request_id,
        send_at=order.send_at,
        at=max(order.send_at or world.now, world.now),
        cost=prices.rounded(cost),
        unit_cost=unit_cost,
        addresses=order.addresses,
        personal=personal,
    )


def _contacts(order: Order) -> dict[str, int]:
    if order.channel == "email":
        return {NOWHERE: len(order.addresses)}
    return {country or NOWHERE: n for country, n in countries.count(order.addresses).items()}
