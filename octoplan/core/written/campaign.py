"""A campaign file as written: every key of every channel."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from octoplan.core.hours import PolicyName  # noqa: TC001  pydantic resolves annotations at run time
from octoplan.core.written import File, Written
from octoplan.core.written.message import MESSAGE_KEYS, OPTION_KEYS, MessageFile, OptionsFile
from octoplan.core.written.mistakes import wrong
from octoplan.core.written.values import (
    Amount,
    ConnectionName,
    ContactsPath,
    Countries,
    Country,
    CsvPath,
    Fingerprint,
    Grace,
    HeldNames,
    Identity,
    Lead,
    Share,
    SqlPath,
    UnitPrice,
    Zone,
    some,
)

if TYPE_CHECKING:
    from octoplan.core.model import KeyPath


class ExpectFile(Written):
    """What the audience must look like; anything else waits for a reviewer."""

    min: int | None = Field(default=None, ge=0, description="Fewer contacts than this block the plan.", examples=[800])
    max_change: Share = Field(
        default_factory=lambda: Decimal("0.20"),
        description="How much the number of contacts may differ from the last edition. Default 20%.",
        examples=["20%"],
    )
    max_invalid: Share = Field(
        default_factory=lambda: Decimal("0.02"),
        description="The share of rows that may lack a valid address. Default 2%.",
        examples=["2%"],
    )


class ExcludeFile(Written):
    """Whoever the ledger says got another campaign."""

    file: CsvPath | None = Field(default=None, description="A CSV file of addresses, relative to this file.")
    campaign: Identity | None = Field(default=None, description="The id of a campaign; all its editions count.")


def _item(value: Any) -> Any:
    if (
        isinstance(value, dict)
        and len(value.keys() & {"file", "campaign"}) != 1
        and value.keys() <= {"file", "campaign"}
    ):
        raise wrong("must name either a file or a campaign")
    if not isinstance(value, str | dict):
        raise wrong("must be a file, or {campaign: ID}", rule="wrong-type")
    return {"file": value} if isinstance(value, str) else value


class AudienceFile(Written):
    """Whom the campaign addresses: one of `file`, `query`, `contacts`, `list`, `tag`, `groups` and `contact_ids`."""

    file: ContactsPath | None = Field(
        default=None,
        description="A file of contacts (.csv, .jsonl or .parquet), or a pattern of such files with the same columns, "
        "relative to this file. Every column is text.",
        examples=["../audiences/lyon.csv", "../audiences/lyon-*.parquet"],
    )
    query: SqlPath | None = Field(
        default=None,
        description="A file with one SELECT, run at `connection` by plan and again by apply. Every column is text.",
        examples=["../audiences/lyon.sql"],
    )
    connection: ConnectionName | None = Field(
        default=None,
        description="Where `query` runs: a name of `connections` in octoplan.yaml.",
        examples=["warehouse"],
    )
    contacts: Annotated[tuple[dict[str, str], ...], AfterValidator(some)] | None = Field(
        default=None,
        repr=False,
        description="Contacts written here, for small sends; every value is text in quotes.",
        examples=[[{"phone_number": "+33639980001", "first_name": "Zoe"}]],
    )
    list_: Annotated[str, Field(min_length=1, max_length=30)] | None = Field(
        default=None,
        alias="list",
        description="Octopush: a list that it holds, by its name there. Needs `limits.max_cost` and "
        "`limits.max_contacts`: what it comes to is known only when the provider has prepared it.",
        examples=["clients-lyon"],
    )
    tag: Annotated[str, Field(min_length=1, max_length=20)] | None = Field(
        default=None,
        description="Octopush: a tag that it holds, by its name there, under the conditions of `list`.",
        examples=["vip"],
    )
    segmentation: Literal["filter", "group"] | None = Field(
        default=None,
        description="Handed to the provider beside `list` or `tag`; it documents the two words and not what they do.",
        examples=["filter"],
    )
    groups: HeldNames | None = Field(
        default=None,
        description="Routee: groups that it holds, by their names there, at most 1,000; under those of `list`.",
        examples=[["gold", "silver"]],
    )
    contact_ids: HeldNames | None = Field(
        default=None,
        repr=False,
        description="Routee: contacts that it holds, by their ids there, at most 1,000; under those of `list`.",
        examples=[["6d2a4c1e", "9b0f7a35"]],
    )
    sha256: Fingerprint | None = Field(default=None, description="Pins the bytes of `file`, which is then no pattern.")
    address: Annotated[str, Field(min_length=1)] | None = Field(
        default=None,
        description="The column that holds the address. Default phone_number; on channel email: email.",
        examples=["mobile"],
    )
    country: Country | None = Field(
        default=None,
        description="The country of numbers written without +. Default: defaults.country of octoplan.yaml.",
        examples=["FR"],
    )
    where: str | None = Field(
        default=None,
        min_length=1,
        description="An SQL condition over the columns, which are all text.",
        examples=["ville = 'Lyon' and actif = 'oui'"],
    )
    exclude: tuple[Annotated[ExcludeFile, BeforeValidator(_item, json_schema_input_type=str | ExcludeFile)], ...] = (
        Field(
            default=(),
            description="Files of addresses, and campaigns whose contacts are left out.",
            examples=[["../audiences/vip.csv", {"campaign": "black-friday-2026"}]],
        )
    )
    fallback: dict[str, str] = Field(
        default={},
        description="What stands for an empty value of a column; counted in the plan.",
        examples=[{"first_name": "cher client"}],
    )
    expect: ExpectFile = Field(default_factory=ExpectFile, description="What the audience must look like.")
    new_contacts: Literal["skip", "send"] = Field(
        default="skip",
        description="What happens to people who join after the edition has begun. Default skip.",
        examples=["skip"],
    )


class ScheduleFile(Written):
    """When the campaign may leave."""

    send_at: str | None = Field(
        default=None,
        description="Local time in `timezone`, without offset. Absent: as soon as applied.",
        examples=["2026-12-03T10:00"],
    )
    timezone: Zone | None = Field(
        default=None,
        description="The time zone of `send_at`. Default: defaults.timezone of octoplan.yaml.",
        examples=["Europe/Paris"],
    )
    hours: PolicyName | None = Field(
        default=None,
        description="The hours that marketing, and calls, keep at the recipients'. Default: fr-strict for marketing.",
        examples=["fr-strict"],
    )
    lead: Lead = Field(
        default_factory=lambda: timedelta(hours=24),
        description="How long before `send_at` the plan can be applied. Default 24h.",
        examples=["24h"],
    )
    grace: Grace = Field(
        default_factory=lambda: timedelta(minutes=15),
        description="How long after `send_at` it may still leave; never later. Default 15m.",
        examples=["15m"],
    )


class CampaignLimitsFile(Written):
    """Limits of this campaign; they tighten the project's, never loosen them."""

    max_cost: Amount | None = Field(default=None, description="The most it may cost.", examples=["90 EUR"])
    max_unit_price: UnitPrice | None = Field(
        default=None,
        description="The most that one part may cost; of a call one billing step, else one message.",
        examples=["0.08 EUR"],
    )
    max_contacts: int | None = Field(default=None, ge=1, description="The most contacts.", examples=[1300])
    max_parts: int | None = Field(default=None, ge=1, description="The most parts of one text.", examples=[1])
    countries: Countries | None = Field(
        default=None, description="The only countries of recipients.", examples=[["FR"]]
    )


def _channels() -> dict[str, Any]:
    """Return what editors are taught of the keys that only some channels have."""
    rules = []
    for channel in MESSAGE_KEYS:
        keys = {"message": MESSAGE_KEYS[channel], "options": OPTION_KEYS[channel]}
        then = {name: {"propertyNames": {"enum": list(allowed)}} for name, allowed in keys.items()}
        rules.append({"if": {"properties": {"channel": {"const": channel}}}, "then": {"properties": then}})
    return {"allOf": rules}


class CampaignFile(File):
    """A message to an audience on one channel."""

    model_config = ConfigDict(title="octoplan campaign", json_schema_extra=_channels())

    DATES: ClassVar[frozenset[KeyPath]] = frozenset({("schedule", "send_at")})
    NULLABLE: ClassVar[frozenset[KeyPath]] = frozenset({("sender",), ("options", "list_name")})

    id: Identity = Field(description="Permanent identity; never reused.", examples=["noel-2026"])
    edition: int = Field(default=1, ge=1, description="Raised only to send again to the same people.", examples=[1])
    description: str | None = Field(default=None, description="What it is about.", examples=["Christmas offer, Lyon"])
    owner: str | None = Field(default=None, description="Whom to ask.", examples=["crm@acme.example"])
    tags: tuple[Annotated[str, Field(min_length=1, max_length=63)], ...] = Field(
        default=(), description="Words to select campaigns by: tag:promo.", examples=[["promo", "q4"]]
    )
    for_each: Annotated[tuple[dict[str, Any], ...], AfterValidator(some)] | None = Field(
        default=None,
        description="Makes one campaign of each item; every other text may use `{{ each.name }}`, the id must.",
        examples=[[{"country": "FR", "file": "fr.csv"}, {"country": "BE", "file": "be.csv"}]],
    )
    provider: str | None = Field(
        default=None,
        description="Who sends it. Default: defaults.provider of octoplan.yaml.",
        examples=["octopush"],
    )
    channel: Literal["sms", "voice", "rcs", "email"] = Field(description="How it travels.", examples=["sms"])
    purpose: Literal["marketing", "transactional"] = Field(
        description="Why it is sent: it decides opt-out mention and hours.", examples=["marketing"]
    )
    sender: str | None = Field(
        default=None,
        description="Who it comes from; null: nobody. Default: defaults.sender of octoplan.yaml, but on rcs none.",
        examples=["ACME"],
    )
    audience: AudienceFile = Field(description="Whom it addresses.", examples=[{"file": "../audiences/lyon.csv"}])
    message: MessageFile = Field(description="What is said.", examples=[{"text": "ACME: {{ contact.first_name }}"}])
    schedule: ScheduleFile = Field(default_factory=ScheduleFile, description="When it may leave.")
    options: OptionsFile = Field(default_factory=OptionsFile, description="What the channel and provider offer.")
    limits: CampaignLimitsFile = Field(default_factory=CampaignLimitsFile, description="Limits of this campaign.")
    allow: dict[str, Annotated[str, Field(min_length=1)]] = Field(
        default={},
        description="Warnings and limits accepted in review, each with the reason.",
        examples=[{"fixed-line": "the shops' own lines"}],
    )
