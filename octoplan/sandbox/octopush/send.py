"""POST multi-channel/send, and the sends that have one channel and values for placeholders."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from octoplan.sandbox.octopush.channels import CHANNELS
from octoplan.sandbox.octopush.order import Fields, Rejected
from octoplan.sandbox.octopush.sending import checked, refused, sent

if TYPE_CHECKING:
    from collections.abc import Callable

    from octoplan.sandbox.octopush.order import Order
    from octoplan.sandbox.world import Call, Verdict, World


def multi_channel_send(call: Call, world: World) -> Verdict:
    """Send by one of CHANNELS, or say why not."""
    return _answered(Fields(call.content, world.settings), _any_channel, world=world)


def _single_send(call: Call, world: World, *, channel: str) -> Verdict:
    knows_id = world.settings.on("single_request_id")
    fields = Fields(call.content, world.settings, channel=channel, knows_id=knows_id)
    return _answered(fields, _one_channel, world=world)


sms_send = partial(_single_send, channel="sms")
voice_send = partial(_single_send, channel="voice_sms")


def _answered(fields: Fields, read: Callable[[Fields], Order], *, world: World) -> Verdict:
    try:
        if not fields:
            raise Rejected(100, "POST data is missing.")  # noqa: TRY301 - as every other refusal
        return sent(checked(read(fields), world), world)
    except Rejected as rejected:
        return refused(rejected, fields, world=world)


def _any_channel(fields: Fields) -> Order:
    channel = CHANNELS.get(fields.channel)
    if channel is None:
        raise Rejected(400, "Channel is missing or not supported.", field="channel")
    return replace(channel.read(fields), addresses=channel.whom(fields))


def _one_channel(fields: Fields) -> Order:
    order = CHANNELS[fields.channel].read(fields)
    contacts = fields.contacts()
    return replace(order, addresses=[one.address for one in contacts], values=[one.values for one in contacts])
