"""The pinned contract of `POST /multi-channel/send`: what may be in a body that leaves.

Octopush casts, fixes or ignores what it does not understand and sends anyway, so the bytes are read
back and held against this before they go. Written from the provider's documentation of the call and
its SMS example, and sharing nothing with the wire model: two readings must agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from octoplan.core.rules import finding

if TYPE_CHECKING:
    from octoplan.core.model import Finding

PhoneNumber = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]
Moment = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[+-][0-9]{2}:[0-9]{2}$")]


class Pinned(BaseModel):
    """Known fields only, JSON types only; a field that is not sent has a default that is never sent."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Recipient(Pinned):
    """One contact."""

    phone_number: PhoneNumber


class SmsMetadata(Pinned):
    """`metadata` on channel sms."""

    type: Literal["sms_premium", "sms_low_cost"]
    with_replies: bool
    request_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = ""


class SmsSend(Pinned):
    """The whole body on channel sms."""

    channel: Literal["sms"]
    text: Annotated[str, Field(min_length=1, max_length=1224)]
    recipients: Annotated[list[Recipient], Field(min_length=1, max_length=500)]
    sender: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{3,11}$")] = ""
    send_at: Moment = ""
    purpose: Literal["alert", "wholesale"]
    list_name: Annotated[str, Field(min_length=1, max_length=30)] = ""
    simulation_mode: bool = False
    recipient_tracking: bool = False
    auto_optimize_text: bool
    auto_remove_blacklisted_contacts: bool
    metadata: SmsMetadata

    @model_validator(mode="after")
    def _simulate_only(self) -> Self:
        """Refuse a simulation that could leave something behind: a burnt request id, a list."""
        if self.simulation_mode and (self.metadata.request_id or self.list_name):
            raise PydanticCustomError("simulation", "a simulation holds neither request_id nor list_name")
        return self


FIELDS = frozenset[str]().union(*(model.model_fields for model in (SmsSend, SmsMetadata, Recipient)))
"""Every name that can stand in a body; any other name that an answer gives might be a contact's value."""

BODY: TypeAdapter[SmsSend] = TypeAdapter(SmsSend)
"""Other channels join as members of a union discriminated by `channel`."""


def check_body(body: bytes) -> tuple[Finding, ...]:
    """Return a `wire-contract` finding per field that breaks the contract: its name, never its value."""
    try:
        BODY.validate_json(body)
    except ValidationError as error:
        return tuple(
            finding(
                "wire-contract",
                f"the outgoing request breaks Octopush's contract at `{'.'.join(map(str, each['loc'])) or 'body'}`: "
                f"{each['msg']}",
                hint="nothing was sent; change the campaign, or report it as a bug in octoplan",
            )
            for each in error.errors(include_url=False, include_context=False, include_input=False)
        )
    return ()
