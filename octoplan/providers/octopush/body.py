"""The wire model of `POST /multi-channel/send`: a batch becomes its exact bytes.

Fields stand in the order of the seed's example, and one that was not asked for is left out, so the
same batch gives the same bytes on every machine and every attempt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from octoplan.core.model import Channel, Purpose

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from octoplan.core.model import Batch

PURPOSES: Mapping[Purpose, str] = {Purpose.MARKETING: "wholesale", Purpose.TRANSACTIONAL: "alert"}
TYPES: Mapping[str, str] = {"premium": "sms_premium", "low_cost": "sms_low_cost"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sms:
    """The body of one SMS call. None and an empty `request_id` leave their field out.

    `auto_optimize_text` is always false here: the text planned is the text sent.
    """

    text: str
    phone_numbers: tuple[str, ...]
    purpose: str
    type: str
    with_replies: bool
    sender: str | None = None
    send_at: datetime | None = None
    list_name: str | None = None
    simulation_mode: bool | None = None
    recipient_tracking: bool | None = None
    auto_optimize_text: bool = False
    auto_remove_blacklisted_contacts: bool = True
    request_id: str = ""

    def encode(self) -> bytes:
        """Return the bytes that leave."""
        metadata = {"type": self.type, "with_replies": self.with_replies, "request_id": self.request_id or None}
        body = {
            "channel": "sms",
            "text": self.text,
            "recipients": [{"phone_number": number} for number in self.phone_numbers],
            "sender": self.sender,
            "send_at": self.send_at and self.send_at.isoformat(timespec="seconds"),
            "purpose": self.purpose,
            "list_name": self.list_name,
            "simulation_mode": self.simulation_mode,
            "recipient_tracking": self.recipient_tracking,
            "auto_optimize_text": self.auto_optimize_text,
            "auto_remove_blacklisted_contacts": self.auto_remove_blacklisted_contacts,
            "metadata": _given(metadata),
        }
        return orjson.dumps(_given(body))


def sms(batch: Batch, *, simulate: bool) -> Sms:
    """Return the SMS body of `batch`.

    A simulation carries neither request id, which it might burn, nor list name, which it might create.
    """
    campaign = batch.campaign
    options = campaign.options
    return Sms(
        text=batch.text,
        phone_numbers=batch.addresses,
        purpose=PURPOSES[campaign.purpose],
        type=TYPES[options.quality],
        with_replies=options.replies,
        sender=campaign.sender,
        send_at=campaign.schedule.send_at,
        list_name=options.list_name if batch.first and not simulate else None,
        simulation_mode=True if simulate else None,
        recipient_tracking=options.track_recipients,
        request_id="" if simulate else batch.request_id,
    )


def encode(batch: Batch, *, simulate: bool) -> bytes:
    """Return the bytes of `batch` on its channel."""
    return BODIES[batch.campaign.channel](batch, simulate=simulate).encode()


BODIES: Mapping[Channel, Callable[..., Sms]] = {Channel.SMS: sms}


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
