"""octoplan.yaml as written."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema

from octoplan.core.written import File, Written
from octoplan.core.written.values import (
    Amount,
    Countries,
    Country,
    CsvPath,
    ProjectPath,
    QuietTime,
    Rate,
    UnitPrice,
    Zone,
    pattern,
    some,
)

REFERENCE = r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}"
"""How a value names a variable of the environment, as a whole."""

LedgerId = Annotated[str, AfterValidator(pattern("[0-9a-f]{8}", "must be the 8 digits that `ledger init` wrote"))]

TestAddress = Annotated[
    str,
    AfterValidator(
        pattern(
            r"\+[1-9][0-9]{6,14}|[^@\s]+@[^@\s]+\.[^@\s]+",
            "must be a number in full, with + and country, in quotes, or an e-mail address",
        )
    ),
]

Vars = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": {"type": ["string", "array", "object"]},
            "examples": [{"shop": "acme.example"}],
        }
    ),
]


def _variable(example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "examples": [example]})


class DefaultsFile(Written):
    """What a campaign need not repeat."""

    provider: str | None = Field(
        default=None, description="Who sends. Default: octopush, else the first provider.", examples=["octopush"]
    )
    sender: str | None = Field(default=None, description="Who messages come from.", examples=["ACME"])
    country: Country | None = Field(
        default=None, description="The country of numbers written without +.", examples=["FR"]
    )
    timezone: Zone | None = Field(
        default=None, description="The time zone of every send_at.", examples=["Europe/Paris"]
    )


class PerContactFile(Written):
    """How much one person may get, over all campaigns."""

    messages: int = Field(ge=1, description="The most messages …", examples=[4])
    days: int = Field(ge=1, le=366, description="… in this many days.", examples=[7])


class ProjectLimitsFile(Written):
    """What no plan may exceed; environments and campaigns can only tighten it."""

    max_cost: Amount | None = Field(default=None, description="The most a plan may cost.", examples=["3000 EUR"])
    max_unit_price: UnitPrice | None = Field(
        default=None,
        description="The most that one part may cost; of a call one billing step, else one message.",
        examples=["0.08 EUR"],
    )
    max_contacts: int | None = Field(default=None, ge=1, description="The most contacts of a plan.", examples=[50000])
    max_parts: int | None = Field(default=None, ge=1, description="The most parts of one text.", examples=[3])
    countries: Countries | None = Field(
        default=None, description="The only countries of recipients.", examples=[["FR", "BE"]]
    )
    senders: Annotated[tuple[str, ...], AfterValidator(some)] | None = Field(
        default=None, description="The only senders.", examples=[["ACME", "VILLE"]]
    )
    per_contact: PerContactFile | None = Field(default=None, description="How much one person may get.")
    min_balance: Amount | None = Field(
        default=None, description="What must be left at the provider after the send.", examples=["50 EUR"]
    )


class ProviderFile(Written):
    """An account at a provider. Credentials are named, never written."""

    kind: Literal["octopush", "routee"] | None = Field(
        default=None, description="What it is; default: its name.", examples=["octopush"]
    )
    login: Annotated[str, _variable("${OCTOPUSH_API_LOGIN}")] | None = Field(
        default=None, description="Octopush: the variable that holds the login."
    )
    key: Annotated[str, _variable("${OCTOPUSH_API_KEY}")] | None = Field(
        default=None, repr=False, description="Octopush: the variable that holds the key."
    )
    application_id: Annotated[str, _variable("${ROUTEE_APPLICATION_ID}")] | None = Field(
        default=None, description="Routee: the variable that holds the application's id."
    )
    application_secret: Annotated[str, _variable("${ROUTEE_APPLICATION_SECRET}")] | None = Field(
        default=None, repr=False, description="Routee: the variable that holds the application's secret."
    )
    prices: ProjectPath | None = Field(
        default=None, description="Its price book. Default: prices/NAME.yaml.", examples=["prices/octopush.yaml"]
    )
    workers: int = Field(default=4, ge=1, le=64, description="Calls at the same time. Default 4.", examples=[4])
    rate: Rate | None = Field(default=None, description="The most calls per second.", examples=["10/s"])
    merge_fields: Literal["auto", "never"] = Field(
        default="auto",
        description="Whether personal texts may travel as the provider's placeholders. Default auto.",
        examples=["auto"],
    )
    single_channel_request_id: bool = Field(
        default=True,
        description="Octopush: false if this account's page of sms-campaign/send and voice-campaign/send shows no "
        "request_id; then none is sent by merge fields, and doubt there is for a person. Default true.",
        examples=[False],
    )
    own_tag_paths: bool = Field(
        default=False,
        description="Octopush: true if this account's pages give tags paths of their own (sms-campaign-on-tag/create), "
        "as older ones do; else a tag goes to the paths of lists, as its field there says. Default false.",
        examples=[True],
    )
    quiet_time: QuietTime = Field(
        default_factory=lambda: timedelta(minutes=12),
        description="How long a request may still be travelling; at least 2m outside a rehearsal. Default 12m.",
        examples=["12m"],
    )


class LedgerFile(Written):
    """Where an environment remembers what was sent."""

    url: Annotated[str, _variable("${OCTOPLAN_LEDGER_URL}")] = Field(
        description="sqlite:///FILE, or the variable that holds the address.", examples=["${OCTOPLAN_LEDGER_URL}"]
    )
    id: LedgerId | None = Field(
        default=None, description="Written by `octoplan ledger init`, committed.", examples=["4f2a9c01"]
    )


class EnvironmentFile(Written):
    """A place to send from, with its own ledger."""

    sandbox: bool = Field(default=False, description="A rehearsal: requests go to the sandbox.", examples=[True])
    ledger: LedgerFile | None = Field(default=None, description="Where it remembers what was sent.")
    vars: Vars = Field(default={}, description="Values for templates; they replace the project's.")
    limits: ProjectLimitsFile = Field(default_factory=ProjectLimitsFile, description="Tighter limits.")


class ProjectFile(File):
    """The project: defaults, limits, providers and environments of all campaigns."""

    model_config = ConfigDict(title="octoplan project")

    version: int = Field(ge=1, le=1, description="The version of this format.", examples=[1])
    campaigns: ProjectPath = Field(
        default="campaigns", description="The folder of campaign files. Default campaigns/.", examples=["campaigns/"]
    )
    defaults: DefaultsFile = Field(default_factory=DefaultsFile, description="What a campaign need not repeat.")
    suppressions: tuple[CsvPath, ...] = Field(
        default=(),
        description="Files of addresses that no campaign ever reaches; a missing file is an error.",
        examples=[["audiences/opposition.csv"]],
    )
    limits: ProjectLimitsFile = Field(default_factory=ProjectLimitsFile, description="What no plan may exceed.")
    vars: Vars = Field(default={}, description="Values for templates, all text: {{ vars.shop }}.")
    test_contacts: dict[str, Annotated[tuple[TestAddress, ...], AfterValidator(some)]] = Field(
        default={},
        repr=False,
        description="The only addresses that `octoplan test` may reach.",
        examples=[{"crm-team": ["+33639980012"]}],
    )
    providers: dict[str, ProviderFile] = Field(
        default={},
        description="Accounts by name. Default: octopush.",
        examples=[{"octopush": {"login": "${OCTOPUSH_API_LOGIN}", "key": "${OCTOPUSH_API_KEY}"}}],
    )
    environments: dict[str, EnvironmentFile] = Field(
        default={},
        description="Where to send from; `sandbox` is built in.",
        examples=[{"prod": {"ledger": {"url": "${OCTOPLAN_LEDGER_URL}", "id": "4f2a9c01"}}}],
    )
    connections: dict[str, Annotated[str, _variable("${WAREHOUSE_URL}")]] = Field(
        default={},
        repr=False,
        description="Databases for `audience.query`.",
        examples=[{"warehouse": "${WAREHOUSE_URL}"}],
    )
