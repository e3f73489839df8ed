"""The wire model of `POST /multi-channel/send`: a batch becomes its exact bytes.

Fields stand in the order of the seed's examples, and one that was not asked for is left out, so the
same batch gives the same bytes on every machine and every attempt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from octoplan.core.model import Channel, Purpose
from octoplan.providers.octopush import rcs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from octoplan.core.model import Batch

PURPOSES: Mapping[Purpose, str] = {Purpose.MARKETING: "wholesale", Purpose.TRANSACTIONAL: "alert"}
CHANNELS: Mapping[Channel, str] = {
    Channel.SMS: "sms",
    Channel.VOICE: "voice_sms",
    Channel.RCS: "rcs",
    Channel.EMAIL: "email",
}
TYPES: Mapping[str, str] = {"premium": "sms_premium", "low_cost": "sms_low_cost"}
FORMATS: Mapping[str, str] = {"plain": "plain_text", "html": "html"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """The body of one call. None leaves its field out, in `metadata` too."""

    channel: str
    addresses: tuple[str, ...]
    purpose: str
    metadata: Mapping[str, Any]
    text: str | None = None
    sender: str | None = None
    send_at: datetime | None = None
    list_name: str | None = None
    simulation_mode: bool | None = None
    recipient_tracking: bool | None = None
    auto_optimize_text: bool | None = None
    auto_remove_blacklisted_contacts: bool | None = None

    def encode(self) -> bytes:
        """Return the bytes that leave."""
        name = "email" if self.channel == "email" else "phone_number"
        body = {
            "channel": self.channel,
            "text": self.text,
            "recipients": [{name: address} for address in self.addresses],
            "sender": self.sender,
            "send_at": self.send_at and self.send_at.isoformat(timespec="seconds"),
            "purpose": self.purpose,
            "list_name": self.list_name,
            "simulation_mode": self.simulation_mode,
            "recipient_tracking": self.recipient_tracking,
            "auto_optimize_text": self.auto_optimize_text,
            "auto_remove_blacklisted_contacts": self.auto_remove_blacklisted_contacts,
            "metadata": _given(self.metadata),
        }
        return orjson.dumps(_given(body))


def send(batch: Batch, *, simulate: bool) -> Send:
    """Return the body of `batch` on its channel.

    A simulation carries neither request id, which it might burn, nor list name, which it might create.
    The text planned is the text sent: an SMS is never optimised on its way.
    """
    campaign = batch.campaign
    is_sms = campaign.channel is Channel.SMS
    request_id = {} if simulate or not batch.request_id else {"request_id": batch.request_id}
    return Send(
        channel=CHANNELS[campaign.channel],
        text=batch.content.text,
        addresses=batch.addresses,
        sender=campaign.sender,
        send_at=campaign.schedule.send_at,
        purpose=PURPOSES[campaign.purpose],
        list_name=campaign.options.list_name if batch.first and not simulate else None,
        simulation_mode=True if simulate else None,
        recipient_tracking=campaign.options.track_recipients if is_sms else None,
        auto_optimize_text=False if is_sms else None,
        auto_remove_blacklisted_contacts=None if campaign.channel is Channel.EMAIL else True,
        metadata={**METADATA[campaign.channel](batch), **request_id},
    )


def _sms(batch: Batch) -> dict[str, Any]:
    options = batch.campaign.options
    return {"type": TYPES[options.quality], "with_replies": options.replies}


def _voice(batch: Batch) -> dict[str, Any]:
    return {
        "type": "voice_sms",
        "voice_gender": batch.campaign.message.gender,
        "voice_language": batch.content.language,
        "get_back_pressed_keys": batch.campaign.options.collect_keys,
    }


def _rcs(batch: Batch) -> dict[str, Any]:
    return {"with_replies": batch.campaign.options.replies, **rcs.metadata(batch.content)}


def _email(batch: Batch) -> dict[str, Any]:
    message, content = batch.campaign.message, batch.content
    return {
        "email_from": message.from_ and message.from_.address,
        "name_from": message.from_ and message.from_.name,
        "subject": content.subject,
        "emailing_service": message.service,
        "template_name": content.template,
        "body_format": None if content.text is None else FORMATS[message.format],
        "language": content.language,
    }


METADATA: Mapping[Channel, Callable[[Batch], dict[str, Any]]] = {
    Channel.SMS: _sms,
    Channel.VOICE: _voice,
    Channel.RCS: _rcs,
    Channel.EMAIL: _email,
}


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
