"""POST multi-channel/send."""

from __future__ import annotations

import secrets
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

import orjson

from octoplan.sandbox import countries, prices
from octoplan.sandbox.octopush.bill import NOWHERE
from octoplan.sandbox.octopush.mail import MAIL
from octoplan.sandbox.octopush.order import Fields, Rejected
from octoplan.sandbox.octopush.rcs import RCS
from octoplan.sandbox.octopush.sms import SMS
from octoplan.sandbox.octopush.voice import VOICE
from octoplan.sandbox.world import Call, Message, Verdict, World, verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from octoplan.sandbox.octopush.channel import Channel
    from octoplan.sandbox.octopush.order import Order


def multi_channel_send(call: Call, world: World) -> Verdict:
    """Send by one of CHANNELS, or say why not."""
    settings = world.settings
    fields = Fields(call.content, settings)
    try:
        return _sent(_checked(_read(fields), world), world)
    except Rejected as rejected:
        duplicate = rejected.outcome == "duplicate"
        status = settings.number("duplicate_status" if duplicate else "rejection_status")
        burned = settings.on("rejection_burns_id") and not fields.simulated and not duplicate
        burns = fields.request_id if burned else None
        return replace(verdict(status, rejected.body(), outcome=rejected.outcome), burns=burns)


def _read(fields: Fields) -> Order:
    if not fields:
        raise Rejected(100, "POST data is missing.")
    channel = CHANNELS.get(fields.channel)
    if channel is None:
        raise Rejected(400, "Channel is missing or not supported.", field="channel")
    return channel.read(fields)


def _checked(order: Order, world: World) -> Order:
    """Apply the checks that look beyond single fields: the STOP mention, then the request id."""
    order = CHANNELS[order.channel].stop(order, world.settings)
    checked = not order.simulated or world.settings.on("simulation_burns_id")
    if checked and order.request_id and world.remembers(order.request_id):
        field = "request_id" if world.settings.text("duplicate_shape") == "nested" else None
        message = "A SMS with the same request_id has already been sent."
        raise Rejected(120, message, field=field, outcome="duplicate")
    return order


def _sent(order: Order, world: World) -> Verdict:
    """Send and charge; a simulation makes up the same answer and leaves the world alone."""
    channel = CHANNELS[order.channel]
    message = _message(channel, _without_opted_out(order, world), world=world)
    if message.cost > world.balance:
        raise Rejected(104, "No credit left.")
    charged = not order.simulated or world.settings.text("simulated_credit") == "reduced"
    burned = not order.simulated or world.settings.on("simulation_burns_id")
    after = replace(world, balance=world.balance - message.cost) if charged else world
    return Verdict(
        status=world.settings.number("success_status"),
        body=orjson.dumps(channel.answer(message, after)),
        outcome="simulated" if order.simulated else "sent",
        message=None if order.simulated else message,
        burns=order.request_id if burned else None,
    )


def _without_opted_out(order: Order, world: World) -> Order:
    by_itself = order.channel == "email" and world.settings.on("email_removes_unsubscribed")
    if not world.blacklist or not (order.remove_blacklisted or by_itself):
        return order
    return replace(order, addresses=[one for one in order.addresses if one.lower() not in world.blacklist])


def _message(channel: Channel, order: Order, *, world: World) -> Message:
    """Count and price what is left of an order."""
    bill = channel.bill(order, world)
    cost = sum((bill.unit_cost[where] * n for where, n in _contacts(order).items()), Decimal(0))
    if order.remove_blacklisted and channel.charges_removal:
        cost += world.prices.opt_out_removal_per_request
    return Message(
        ticket=f"{channel.prefix}_{secrets.token_hex(10)}",
        provider="octopush",
        channel=order.channel,
        campaign=order.list_name,
        sender=order.sender,
        text=order.text,
        content=order.content,
        encoding=bill.encoding,
        parts=bill.parts,
        request_id=order.request_id,
        send_at=order.send_at,
        at=max(order.send_at or world.now, world.now),
        cost=prices.rounded(cost),
        unit_cost=bill.unit_cost,
        addresses=order.addresses,
    )


def _contacts(order: Order) -> dict[str, int]:
    if order.channel == "email":
        return {NOWHERE: len(order.addresses)}
    return {country or NOWHERE: n for country, n in countries.count(order.addresses).items()}


CHANNELS: Mapping[str, Channel] = MappingProxyType({"sms": SMS, "voice_sms": VOICE, "rcs": RCS, "email": MAIL})
