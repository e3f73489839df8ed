"""The wire model of `POST /sms-campaign/send` and `/voice-campaign/send`: one text with placeholders, and its values.

These are the calls whose recipients are documented to have values. Their other fields are those of the list
campaigns, with request id and simulation mode at top level; a call by voice has no purpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from octoplan.core.merge import MergeFields
from octoplan.core.model import Channel
from octoplan.providers.octopush.body import PURPOSES, TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from octoplan.core.model import Batch

PATHS: Mapping[Channel, str] = {Channel.SMS: "/sms-campaign/send", Channel.VOICE: "/voice-campaign/send"}

FIELDS = MergeFields(
    names=("param1", "param2", "param3", "param4", "param5", "first_name", "last_name"),
    longest=50,
    channels=tuple(PATHS),
)
"""The names and the limit are those of the provider's page on personalised sendings."""


def send(batch: Batch, *, simulate: bool) -> bytes:
    """Return the bytes that leave for a batch with placeholders.

    A simulation carries no request id, which it might burn.
    """
    campaign = batch.campaign
    body = {
        "recipients": list(_recipients(batch)),
        "text": batch.content.text,
        "sender": campaign.sender,
        **OWN[campaign.channel](batch),
        "send_at": campaign.schedule.send_at and campaign.schedule.send_at.isoformat(timespec="seconds"),
        "simulation_mode": True if simulate else None,
        "auto_remove_blacklisted_numbers": True,
        "request_id": None if simulate or not batch.carries_id else batch.request_id or None,
    }
    return orjson.dumps({name: value for name, value in body.items() if value is not None})


def _recipients(batch: Batch) -> Iterator[dict[str, str]]:
    """Yield each contact with their values, in the order the documentation names them in."""
    order = sorted(range(len(batch.names)), key=lambda place: batch.names[place])
    for address, values in zip(batch.addresses, batch.values, strict=True):
        yield {"phone_number": address, **{batch.names[place]: values[place] for place in order}}


def _sms(batch: Batch) -> dict[str, Any]:
    campaign = batch.campaign
    return {
        "type": TYPES[campaign.options.quality],
        "purpose": PURPOSES[campaign.purpose],
        "with_replies": campaign.options.replies,
        "auto_optimize_text": False,
        "recipient_tracking": campaign.options.track_recipients,
    }


def _voice(batch: Batch) -> dict[str, Any]:
    return {
        "voice_gender": batch.campaign.message.gender,
        "voice_language": batch.content.language,
        "get_back_pressed_keys": batch.campaign.options.collect_keys,
    }


OWN: Mapping[Channel, Callable[[Batch], dict[str, Any]]] = {Channel.SMS: _sms, Channel.VOICE: _voice}
"""What the calls of one channel have besides, to numbers and to lists alike."""
