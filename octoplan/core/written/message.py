"""The message and the options of a campaign as written: every key of every channel, and which channel has which."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticKnownError

from octoplan.core.message import LOCALE, SERVICES
from octoplan.core.quoting import quoted
from octoplan.core.rules.voice import KEY_WAIT, RING
from octoplan.core.written import Written
from octoplan.core.written.mistakes import wrong
from octoplan.core.written.values import DIGEST, RecordingDigest, pattern, some

if TYPE_CHECKING:
    from collections.abc import Mapping

MESSAGE_KEYS: Mapping[str, tuple[str, ...]] = {
    "sms": ("text", "text_file", "locale", "encoding"),
    "voice": ("text", "text_file", "locale", "language", "gender", "audio"),
    "rcs": ("text", "text_file", "locale", "actions", "cards"),
    "email": ("text", "text_file", "locale", "format", "template", "subject", "from", "service", "language"),
}
"""The keys of `message`, by channel."""

OPTION_KEYS: Mapping[str, tuple[str, ...]] = {
    "sms": ("quality", "replies", "track_recipients", "list_name"),
    "voice": (
        *("collect_keys", "key_wait_seconds", "ring_seconds", "respect_quiet_hours"),
        *("callback", "campaign_callback", "list_name"),
    ),
    "rcs": ("replies", "list_name"),
    "email": ("list_name",),
}
"""The keys of `options`, by channel."""


def _localised(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        raise PydanticKnownError("string_type")
    for locale, text in value.items():
        if not re.fullmatch(LOCALE, locale, re.ASCII):
            raise wrong(f"must be by language: {quoted(locale)} is none", hint="write two letters, or pt-BR")
        if not isinstance(text, str):
            raise wrong("must hold text in each language", rule="wrong-type", hint="put it in quotes")
    return some(value)


Localised = Annotated[
    Any,
    PlainValidator(_localised),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "propertyNames": {"pattern": f"^{LOCALE}$"},
                    "additionalProperties": {"type": "string"},
                    "minProperties": 1,
                },
            ]
        }
    ),
]
"""A text, or one by language."""


class LocaleFile(Written):
    """How a contact's language is known."""

    column: str = Field(min_length=1, description="The column with the contact's language.", examples=["lang"])
    default: Annotated[str, AfterValidator(pattern(LOCALE, "must be a language, such as fr or pt-BR"))] = Field(
        description="The language of everybody whose language there is no text in.", examples=["fr"]
    )


class ActionFile(Written):
    """A button below an RCS message: opens an address, dials a number, or answers."""

    label: str = Field(description="What the button says, at most 25 characters.", examples=["Our shops"])
    open_url: str | None = Field(
        default=None, description="The https address it opens.", examples=["https://www.acme.example/shops"]
    )
    dial: str | None = Field(
        default=None, description="The number it dials, with country code, in quotes.", examples=["+33199000001"]
    )
    postback: str | None = Field(
        default=None,
        min_length=1,
        description="What the sender gets back when it is tapped. Default: the label.",
        examples=["shops"],
    )


class MediaFile(Written):
    """A picture or film on a card."""

    url: str = Field(description="Its https address.", examples=["https://www.acme.example/card.jpg"])
    height: Literal["short", "medium", "tall"] = Field(
        default="medium", description="How much of the card it takes. Default medium.", examples=["medium"]
    )
    thumbnail: str | None = Field(
        default=None,
        description="The https address of a small picture shown while it loads.",
        examples=["https://www.acme.example/small.jpg"],
    )


class CardFile(Written):
    """An RCS card; several are a carousel."""

    title: str | None = Field(
        default=None, min_length=1, description="At most 200 characters.", examples=["Your card is ready"]
    )
    description: str | None = Field(
        default=None, min_length=1, description="At most 2,000 characters.", examples=["Come and fetch it."]
    )
    media: MediaFile | None = Field(
        default=None,
        description="A picture or film above the text.",
        examples=[{"url": "https://www.acme.example/card.jpg"}],
    )
    actions: tuple[ActionFile, ...] = Field(
        default=(), description="At most four buttons.", examples=[[{"label": "Call us", "dial": "+33199000001"}]]
    )


class FromFile(Written):
    """Who an e-mail comes from."""

    address: str = Field(description="The address people see, and answer to.", examples=["shop@acme.example"])
    name: str | None = Field(default=None, description="The name people see.", examples=["ACME"])


class AudioFile(Written):
    """A recording, which the provider fetches and plays to everybody."""

    url: str = Field(
        description="The https address of a .wav file, the same for everybody.",
        examples=["https://media.acme.example/hello.wav"],
    )
    sha256: RecordingDigest = Field(
        description="Pins the bytes of the file, as sha256sum prints it; they are read at plan, and again at apply."
    )


class MessageFile(Written):
    """What is said. Which keys there are depends on the channel."""

    text: Localised | None = Field(
        default=None,
        description="The text, a template over `contact`, `vars`, `each`, `campaign`, `env`, `stop`; or by language.",
        examples=["ACME: {{ contact.first_name }}, -20% today. {{ stop }}"],
    )
    text_file: Localised | None = Field(
        default=None,
        description="A file that holds the text, relative to this file; or one by language.",
        examples=["sms.fr.txt"],
    )
    locale: LocaleFile | None = Field(
        default=None,
        description="How a contact's language is known, where texts are by language.",
        examples=[{"column": "lang", "default": "fr"}],
    )
    encoding: Literal["auto", "gsm7"] = Field(
        default="auto",
        description="sms: gsm7 replaces what has a plain form and refuses the rest. Default auto.",
        examples=["gsm7"],
    )
    language: Localised | None = Field(
        default=None,
        description="voice: the voice's language, such as fr-FR. email: that of the unsubscribe mention, such as fr.",
        examples=["fr-FR"],
    )
    gender: str | None = Field(default=None, description="voice: male or female.", examples=["female"])
    audio: AudioFile | None = Field(
        default=None,
        description="voice, Routee: a recording that is played instead of a text; it needs no language and no gender.",
        examples=[{"url": "https://media.acme.example/hello.wav", "sha256": DIGEST}],
    )
    actions: tuple[ActionFile, ...] = Field(
        default=(),
        description="rcs: at most eleven buttons below the text.",
        examples=[[{"label": "Our shops", "open_url": "https://www.acme.example/shops"}]],
    )
    cards: tuple[CardFile, ...] = Field(
        default=(),
        description="rcs: one card, or a carousel of two to ten, in place of a text.",
        examples=[[{"title": "Your card is ready", "description": "Come and fetch it."}]],
    )
    subject: Localised | None = Field(
        default=None, description="email: the subject, or one by language.", examples=["Your card is ready"]
    )
    from_: FromFile | None = Field(
        default=None,
        alias="from",
        description="email: who it comes from.",
        examples=[{"address": "shop@acme.example", "name": "ACME"}],
    )
    service: str | None = Field(
        default=None, description=f"email: how it is sent, {' or '.join(SERVICES)}.", examples=["gateway"]
    )
    format: Literal["plain", "html"] = Field(
        default="plain",
        description="email: how `text` is to be read. In html, contacts' values are escaped. Default plain.",
        examples=["html"],
    )
    template: Localised | None = Field(
        default=None,
        description="email: the name of a template at the provider, in place of `text`; or one by language.",
        examples=["welcome_email_template"],
    )


class CallbackFile(Written):
    """An address of yours that the provider calls."""

    url: str = Field(description="Its https address.", examples=["https://hooks.acme.example/calls"])
    when: Literal["change", "completion"] = Field(
        default="completion",
        description="Whether it is called at every change, or when there is nothing more to come. Default completion.",
        examples=["completion"],
    )


class OptionsFile(Written):
    """What the channel and provider offer. Which keys there are depends on the channel."""

    quality: Literal["premium", "low_cost"] = Field(
        default="premium",
        description="sms: low_cost has neither sender nor replies. Default premium.",
        examples=["premium"],
    )
    replies: bool = Field(
        default=False,
        description="sms, rcs: let people answer; an SMS then comes from a short number.",
        examples=[False],
    )
    track_recipients: bool | None = Field(
        default=None, description="sms: let the provider track each recipient.", examples=[True]
    )
    collect_keys: bool = Field(
        default=False, description="voice: report the key that was pressed to the callback.", examples=[True]
    )
    key_wait_seconds: int | None = Field(
        default=None,
        description="voice, Routee: how long a key is waited for after the message, 1 to 30; with collect_keys.",
        examples=[10],
        json_schema_extra={"minimum": KEY_WAIT[0], "maximum": KEY_WAIT[1]},
    )
    ring_seconds: int | None = Field(
        default=None,
        description="voice, Routee: how long it rings before the call is given up, 1 to 60.",
        examples=[30],
        json_schema_extra={"minimum": RING[0], "maximum": RING[1]},
    )
    respect_quiet_hours: bool | None = Field(
        default=None,
        description="voice, Routee: let the provider keep its quiet hours, too. Default true for marketing.",
        examples=[True],
    )
    callback: CallbackFile | None = Field(
        default=None,
        description="voice, Routee: where each call is reported to.",
        examples=[{"url": "https://hooks.acme.example/calls", "when": "completion"}],
    )
    campaign_callback: CallbackFile | None = Field(
        default=None,
        description="voice, Routee: where the campaign as a whole is reported to.",
        examples=[{"url": "https://hooks.acme.example/campaigns", "when": "change"}],
    )
    list_name: Annotated[str, Field(min_length=1, max_length=30)] | None = Field(
        default=None,
        description="Also store the recipients as a list at the provider (a privacy choice).",
        examples=["noel-lyon"],
    )
