"""The pinned contract of campaigns on a list or tag that Octopush holds: what may be in a body that leaves.

Written from the documentation of the SMS and the voice `create` call, field by field; that of the
confirmation and of its cancel names `ticket_number` alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from octoplan.providers.octopush.contract import (
    Line,
    Moment,
    RequestId,
    Sender,
    Text,
    Ticket,
    VoiceLanguage,
    check,
)
from octoplan.providers.pinned import Pinned

if TYPE_CHECKING:
    from octoplan.core.model import Finding

LONGEST_LIST, LONGEST_TAG = 30, 20
"""Characters of a name."""


class Create(Pinned):
    """What both bodies hold: everything at top level."""

    list_name: Annotated[Line, Field(max_length=LONGEST_LIST)] = ""
    tag_name: Annotated[Line, Field(max_length=LONGEST_TAG)] = ""
    segmentation: Literal["filter", "group", ""] = ""
    text: Text
    sender: Sender = ""
    send_at: Moment = ""
    simulation_mode: bool = False
    auto_remove_blacklisted_numbers: bool
    request_id: RequestId = ""

    @model_validator(mode="after")
    def _one_audience(self) -> Self:
        """Refuse a body for nobody or for two audiences, and a simulation that might burn a request id."""
        if bool(self.list_name) is bool(self.tag_name):
            raise PydanticCustomError("audience", "exactly one of list_name and tag_name goes with a campaign")
        if self.simulation_mode and self.request_id:
            raise PydanticCustomError("simulation", "a simulation holds no request_id")
        return self


class CreateSms(Create):
    """The whole body of `POST /sms-campaign-on-list/create`, and of its sibling for a tag."""

    type: Literal["sms_premium", "sms_low_cost"]
    purpose: Literal["alert", "wholesale"]
    with_replies: bool
    auto_optimize_text: bool
    recipient_tracking: bool = False


class CreateVoice(Create):
    """The whole body of `POST /voice-campaign-on-list/create`, and of its sibling for a tag; it has no purpose."""

    voice_gender: Literal["male", "female"]
    voice_language: VoiceLanguage
    get_back_pressed_keys: bool = False


CREATES: dict[str, type[Create]] = {"sms": CreateSms, "voice": CreateVoice}
"""The body of each channel."""


FIELDS = frozenset([*Ticket.model_fields, *(name for body in CREATES.values() for name in body.model_fields)])
"""Every name that can stand in a body."""


def check_create(channel: str, body: bytes) -> tuple[Finding, ...]:
    """Return a `wire-contract` finding per field of a create that breaks its contract."""
    return check(CREATES[channel].model_validate_json, body)


def check_ticket(body: bytes) -> tuple[Finding, ...]:
    """Return a `wire-contract` finding per field of a confirmation or a cancel that breaks its contract."""
    return check(Ticket.model_validate_json, body)
