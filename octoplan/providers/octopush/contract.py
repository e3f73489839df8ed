"""The pinned contract of every call that sends or cancels: what may be in a body that leaves.

Octopush casts, fixes or ignores what it does not understand and sends anyway, so the bytes are read
back and held against this before they go. Written from the provider's documentation of the multi-channel
call and its four examples, of the list campaigns (whose fields the single-channel calls have) and of personalised
sendings, and sharing nothing with the wire model: two readings must agree.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from octoplan.providers.pinned import Pinned, broken, named

if TYPE_CHECKING:
    from collections.abc import Callable

    from octoplan.core.model import Finding

MOST_RECIPIENTS = 500

PhoneNumber = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]
EmailAddress = Annotated[str, Field(pattern=r"^[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,253}$")]
Moment = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[+-][0-9]{2}:[0-9]{2}$")]
Text = Annotated[str, Field(min_length=1, max_length=1224)]
Sender = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{3,11}$")]
RequestId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Url = Annotated[str, Field(pattern=r"^https://[^\s\x00-\x1f]+$", max_length=2048)]
VoiceLanguage = Annotated[
    str, Field(pattern="^(?:en-US|en-GB|el-GR|pl-PL|hu-HU|sv-SE|de-DE|es-ES|es-LA|fr-FR|it-IT|pt-BR|ru-RU)$")
]
Line = Annotated[str, Field(min_length=1, pattern=r"^[^\x00-\x1f\x7f]*$")]


PLACEHOLDER = re.compile(r"\{(first_name|last_name|param[1-5])\}")


class PhoneRecipient(Pinned):
    """One contact of sms, voice_sms and rcs."""

    phone_number: PhoneNumber


class EmailRecipient(Pinned):
    """One contact of email."""

    email: EmailAddress


PhoneRecipients = Annotated[list[PhoneRecipient], Field(min_length=1, max_length=MOST_RECIPIENTS)]
EmailRecipients = Annotated[list[EmailRecipient], Field(min_length=1, max_length=MOST_RECIPIENTS)]


class Metadata(Pinned):
    """What `metadata` holds on every channel."""

    request_id: RequestId = ""


class Body(Pinned):
    """What a body holds on every channel."""

    sender: Sender = ""
    send_at: Moment = ""
    purpose: Literal["alert", "wholesale"]
    list_name: Annotated[str, Field(min_length=1, max_length=30)] = ""
    simulation_mode: bool = False
    metadata: Metadata

    @model_validator(mode="after")
    def _simulate_only(self) -> Self:
        """Refuse a simulation that could leave something behind: a burnt request id, a list."""
        if self.simulation_mode and (self.metadata.request_id or self.list_name):
            raise PydanticCustomError("simulation", "a simulation holds neither request_id nor list_name")
        return self


class SmsMetadata(Metadata):
    """`metadata` on channel sms."""

    type: Literal["sms_premium", "sms_low_cost"]
    with_replies: bool


class SmsSend(Body):
    """The whole body on channel sms."""

    channel: Literal["sms"]
    text: Text
    recipients: PhoneRecipients
    recipient_tracking: bool = False
    auto_optimize_text: bool
    auto_remove_blacklisted_contacts: bool
    metadata: SmsMetadata


class VoiceMetadata(Metadata):
    """`metadata` on channel voice_sms."""

    type: Literal["voice_sms"]
    voice_gender: Literal["male", "female"]
    voice_language: VoiceLanguage
    get_back_pressed_keys: bool = False


class VoiceSend(Body):
    """The whole body on channel voice_sms."""

    channel: Literal["voice_sms"]
    text: Text
    recipients: PhoneRecipients
    auto_remove_blacklisted_contacts: bool
    metadata: VoiceMetadata


class OpenUrl(Pinned):
    """Where an action leads."""

    url: Url


class Dial(Pinned):
    """Whom an action calls."""

    phone_number: Annotated[PhoneNumber, Field(alias="phoneNumber")]


class Shown(Pinned):
    """What a suggestion shows, and what comes back when it is tapped."""

    text: Annotated[str, Field(min_length=1, max_length=25)]
    postback_data: Annotated[str, Field(min_length=1, max_length=2048, alias="postbackData")]


class Doing(Shown):
    """A suggestion that does something on the phone."""

    open_url: Annotated[OpenUrl | None, Field(alias="openUrlAction")] = None
    dial: Annotated[Dial | None, Field(alias="dialAction")] = None


class Suggestion(Pinned):
    """An action or a reply."""

    action: Doing | None = None
    reply: Shown | None = None


class ContentInfo(Pinned):
    """The address of a picture or film."""

    file_url: Annotated[Url, Field(alias="fileUrl")]
    thumbnail_url: Annotated[Url, Field(alias="thumbnailUrl")] = ""


class Medium(Pinned):
    """A picture or film on a card."""

    height: Literal["SHORT", "MEDIUM", "TALL"]
    content_info: Annotated[ContentInfo, Field(alias="contentInfo")]


class Card(Pinned):
    """One card."""

    title: Annotated[str, Field(min_length=1, max_length=200)] = ""
    description: Annotated[str, Field(min_length=1, max_length=2000)] = ""
    media: Medium | None = None
    suggestions: Annotated[list[Suggestion], Field(min_length=1, max_length=4)] = Field(default_factory=list)


class RcsMetadata(Metadata):
    """`metadata` on channel rcs."""

    with_replies: bool = False
    message_type: Literal["simple_text", "rich_card"] = "simple_text"
    cards: Annotated[list[Card], Field(min_length=1, max_length=10)] = Field(default_factory=list)
    actions: Annotated[list[Suggestion], Field(min_length=1, max_length=11)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        """Refuse cards without rich_card, and actions beside cards."""
        if (self.message_type == "rich_card") is not bool(self.cards) or (self.cards and self.actions):
            raise PydanticCustomError("kind", "cards go with rich_card, actions with simple_text")
        return self


class RcsSend(Body):
    """The whole body on channel rcs; the sender is the name of an agent."""

    channel: Literal["rcs"]
    text: Text = ""
    recipients: PhoneRecipients
    sender: Annotated[Line, Field(max_length=100)] = ""
    auto_remove_blacklisted_contacts: bool
    metadata: RcsMetadata

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        """Refuse a simple text that has none."""
        if not (self.text or self.metadata.cards):
            raise PydanticCustomError("empty", "text is missing")
        return self


class EmailMetadata(Metadata):
    """`metadata` on channel email."""

    email_from: EmailAddress
    name_from: Line = ""
    subject: Annotated[Line, Field(max_length=1000)]
    emailing_service: Literal["mailbox", "gateway"]
    template_name: Line = ""
    body_format: Literal["plain_text", "html"] = "plain_text"
    language: Annotated[str, Field(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")] = ""


class EmailSend(Body):
    """The whole body on channel email; the example has a text beside its template."""

    channel: Literal["email"]
    text: Text = ""
    recipients: EmailRecipients
    metadata: EmailMetadata

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        """Refuse an e-mail without a body."""
        if not (self.text or self.metadata.template_name):
            raise PydanticCustomError("empty", "text and metadata.template_name are missing")
        return self


Value = Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[^{}\x00-\x1f\x7f]*$")]


class Person(Pinned):
    """One contact of a single-channel call, with the values of the text's placeholders."""

    phone_number: PhoneNumber
    first_name: Value = ""
    last_name: Value = ""
    param1: Value = ""
    param2: Value = ""
    param3: Value = ""
    param4: Value = ""
    param5: Value = ""


class Single(Pinned):
    """What the body of a single-channel call holds on both channels."""

    recipients: Annotated[list[Person], Field(min_length=1, max_length=MOST_RECIPIENTS)]
    text: Text
    sender: Sender = ""
    send_at: Moment = ""
    simulation_mode: bool = False
    auto_remove_blacklisted_numbers: bool
    request_id: RequestId = ""

    @model_validator(mode="after")
    def _simulate_only(self) -> Self:
        """Refuse a simulation that could burn a request id."""
        if self.simulation_mode and self.request_id:
            raise PydanticCustomError("simulation", "a simulation holds no request_id")
        return self

    @model_validator(mode="after")
    def _values_for_all(self) -> Self:
        """Refuse braces that are no placeholder, and a recipient who lacks a value or has one more."""
        named = set(PLACEHOLDER.findall(self.text))
        if not named or re.search("[{}]", PLACEHOLDER.sub("", self.text)):
            raise PydanticCustomError("braces", "text must have placeholders, and no other braces")
        if any(person.model_fields_set != {"phone_number", *named} for person in self.recipients):
            raise PydanticCustomError("values", "every recipient must have a value for each placeholder and no other")
        return self


class SmsSingle(Single):
    """The whole body of `POST /sms-campaign/send`."""

    type: Literal["sms_premium", "sms_low_cost"]
    purpose: Literal["alert", "wholesale"]
    with_replies: bool
    auto_optimize_text: bool
    recipient_tracking: bool = False


class VoiceSingle(Single):
    """The whole body of `POST /voice-campaign/send`."""

    voice_gender: Literal["male", "female"]
    voice_language: VoiceLanguage
    get_back_pressed_keys: bool = False


class Ticket(Pinned):
    """The whole body of a cancel by a channel's own call, of a confirmation, and of the cancel of a draft."""

    ticket_number: Annotated[Line, Field(max_length=255)]


class Cancel(Pinned):
    """The whole body of `DELETE /multi-channel/cancel`."""

    channel: Literal["sms", "voice_sms", "rcs", "email"]
    ticket_number: Annotated[Line, Field(max_length=255)]


BODIES: dict[str, type[Body]] = {"sms": SmsSend, "voice_sms": VoiceSend, "rcs": RcsSend, "email": EmailSend}
"""The body of each channel."""

SINGLES: dict[str, type[Single]] = {"sms": SmsSingle, "voice_sms": VoiceSingle}
"""The body of each channel's own call."""

SEND: TypeAdapter[SmsSend | VoiceSend | RcsSend | EmailSend] = TypeAdapter(
    Annotated[SmsSend | VoiceSend | RcsSend | EmailSend, Field(discriminator="channel")]
)


def fields(channel: str) -> dict[str, tuple[str, ...]]:
    """Return the names that can stand in a channel's body: top level, `metadata`, and one recipient."""
    body = BODIES[channel].model_fields
    metadata = body["metadata"].annotation
    recipient = EmailRecipient if channel == "email" else PhoneRecipient
    return {
        "": tuple(body),
        "metadata": tuple(metadata.model_fields) if isinstance(metadata, type) and issubclass(metadata, Pinned) else (),
        "recipients": tuple(recipient.model_fields),
    }


def single_fields(channel: str) -> dict[str, tuple[str, ...]]:
    """Return the names that can stand in the body of a channel's own call: top level, and one recipient."""
    return {"": tuple(SINGLES[channel].model_fields), "recipients": tuple(Person.model_fields)}


FIELDS = frozenset(
    [
        *Cancel.model_fields,
        *(name for channel in BODIES for names in fields(channel).values() for name in names),
        *(name for channel in SINGLES for names in single_fields(channel).values() for name in names),
    ]
)
"""Every name that can stand in a body; any other name that an answer gives might be a contact's value."""


def _named(path: tuple[int | str, ...]) -> str:
    """Return a field as the documentation calls it: without the channel that chose its model."""
    return named(path[1:] if path[:1] and path[0] in BODIES else path)


def check_body(body: bytes) -> tuple[Finding, ...]:
    """Return a `wire-contract` finding per field that breaks the contract: its name, never its value."""
    return check(SEND.validate_json, body)


def check_single(body: bytes, channel: str) -> tuple[Finding, ...]:
    """Return a `wire-contract` finding per field that breaks the contract of a channel's own call."""
    return check(SINGLES[channel].model_validate_json, body)


def check_cancel(body: bytes, *, single: bool = False) -> tuple[Finding, ...]:
    """Return a `wire-contract` finding per field of a cancel that breaks its contract; `single`: of a channel's own."""
    return check((Ticket if single else Cancel).model_validate_json, body)


def check(read: Callable[[bytes], object], body: bytes) -> tuple[Finding, ...]:
    """Return a `wire-contract` finding per field of a body that `read` refuses."""
    return broken(read, body, whose="Octopush's", name=_named)
