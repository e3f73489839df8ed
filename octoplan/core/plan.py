"""The plan: the reviewed document, as `plan.json` holds it.

It never holds an address or a contact's value: what is not in here cannot leak through any format.
Money is text with at least two decimals, exact. Unknown keys are ignored on reading, so that a newer
minor version can be shown; another major version is refused by whoever reads the file.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  pydantic resolves annotations at run time
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

FORMAT_VERSION = "1.0"

Action = Literal["send", "resume", "wait", "none", "blocked", "in_doubt"]

SYMBOLS: dict[Action, str] = {
    "send": "+",
    "resume": ">",
    "none": "=",
    "blocked": "!",
    "in_doubt": "?",
    "wait": "…",
}

MoneyText = Annotated[str, Field(pattern=r"^-?\d+\.\d{2,}$", examples=["58.02"])]


class _Part(BaseModel):
    """A part of the plan: frozen; unknown keys of newer minor versions are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class LedgerReference(_Part):
    """The ledger a plan was made against."""

    id: str
    serial: int


class Git(_Part):
    """The commit the files were read at; null outside a repository."""

    commit: str | None
    dirty: bool


class Selection(_Part):
    """What SELECT resolved to: everything, or these ids."""

    all: bool = False
    ids: tuple[str, ...] = ()


class PriceReference(_Part):
    """The price book a plan was priced with."""

    as_of: str
    digest: str


class PolicyReference(_Part):
    """The hours policy that a campaign was held to."""

    as_of: str
    digest: str


class AudienceCounts(_Part):
    """Where every row went: rows = contacts + already_sent + the sum of excluded.

    `left_out` are the people a partly sent edition was begun for who were not sent it and are not owed it now, by
    reason. They are in no other count but, where a row still names them, in `excluded`.
    """

    rows: int
    contacts: int
    excluded: dict[str, int] = {}
    already_sent: int = 0
    left_out: dict[str, int] = {}
    fallback: dict[str, int] = {}


class TextFacts(_Part):
    """The text with sized slots for contact values, and what its renderings need.

    `blamed` are the characters outside GSM-7, `encodings`, `parts` and `locales` counts, all of contacts;
    `replaced` (`ç→c`) counts occurrences. A part is one of an SMS, a billing step of a call of `step`
    seconds, or a whole message; `seconds` is how long the longest call takes. `patterns` are those of the
    message's other texts, by path and locale.
    """

    pattern: str
    longest: int
    encodings: dict[str, int]
    parts: dict[str, int]
    blamed: dict[str, int] = {}
    replaced: dict[str, int] = {}
    locales: dict[str, int] = {}
    patterns: dict[str, str] = {}
    seconds: int = 0
    step: int = 0


class Estimate(_Part):
    """Our own figures; `worst` rounds every batch up to cents and is what limits are compared with."""

    contacts: int
    parts: int
    cost: MoneyText
    worst: MoneyText
    currency: str


class Simulation(_Part):
    """The provider's second opinion over every batch, perhaps a fake one. Counts of batches but `contacts`.

    `cost` is null where it tells none. Of an audience that it holds, `contacts` is 0 where it tells none.
    """

    calls: int
    contacts: int
    cost: MoneyText | None
    countries: dict[str, int] = {}
    differing: int = 0
    refused: int = 0


class Change(_Part):
    """One field that differs from the campaign as last applied."""

    path: str
    old: str | None
    new: str | None


class PlannedFinding(_Part):
    """A finding with its place in the user's file."""

    rule: str
    severity: Literal["error", "limit", "warning", "info"]
    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    value: str | None = None
    limit: str | None = None
    hint: str = ""


class PlannedCampaign(_Part):
    """One campaign of the plan. `again` counts contacts who got another edition.

    `held` is what the provider holds of its audience (`list NAME`): its figures are then the most that was approved.

    `merge_fields`: contacts with texts of their own share calls, by `placeholders`. `hours` is the policy it is held
    to; its contacts are due, or next may be, between `open_from` and `open_until`.

    An edition in doubt that no file holds any more has no `channel`, `purpose`, `digest` and `spec`.
    """

    id: str
    edition: int
    provider: str
    channel: str
    purpose: str
    file: str
    action: Action
    reason: str
    digest: str
    again: int = 0
    in_doubt: int = 0
    audience: AudienceCounts | None = None
    held: str = ""
    text: TextFacts | None = None
    calls: int = 0
    merge_fields: bool = False
    placeholders: tuple[str, ...] = ()
    send_at: datetime | None = None
    timezone: str | None = None
    hours: str | None = None
    open_from: datetime | None = None
    open_until: datetime | None = None
    apply_from: datetime | None = None
    apply_until: datetime | None = None
    limit: MoneyText | None = None
    estimate: Estimate | None = None
    simulation: Simulation | None = None
    changes: tuple[Change, ...] = ()
    findings: tuple[PlannedFinding, ...] = ()
    spec: dict[str, object] = {}


class Totals(_Part):
    """The sums over all campaigns, money by currency."""

    send: int = 0
    resume: int = 0
    wait: int = 0
    blocked: int = 0
    in_doubt: int = 0
    unchanged: int = 0
    contacts: int = 0
    parts: int = 0
    cost: dict[str, MoneyText] = {}
    worst: dict[str, MoneyText] = {}


class Plan(_Part):
    """Who will be contacted, with which text, in how many parts, for how much money."""

    model_config = ConfigDict(frozen=True, extra="ignore", title="octoplan plan")

    format_version: str = FORMAT_VERSION
    octoplan_version: str
    plan_id: str
    digest: str
    created_at: datetime
    apply_until: datetime | None
    env: str
    sandbox: bool
    accounts: dict[str, str]
    offline: bool
    ledger: LedgerReference | None
    git: Git
    selection: Selection
    prices: dict[str, PriceReference]
    hours: dict[str, PolicyReference] = {}
    limits: dict[str, object] = {}
    campaigns: tuple[PlannedCampaign, ...]
    totals: Totals
    approvable: bool


def money_text(amount: Decimal) -> str:
    """Return an exact amount as text with at least two decimals."""
    _sign, _digits, exponent = amount.normalize().as_tuple()
    decimals = max(2, -exponent if isinstance(exponent, int) else 2)
    return f"{amount:.{decimals}f}"


def total(campaigns: tuple[PlannedCampaign, ...]) -> Totals:
    """Add up the campaigns: those that send, resume, wait or are in doubt count with their money."""
    counts = dict.fromkeys(SYMBOLS, 0)
    contacts = parts = 0
    cost: dict[str, Decimal] = {}
    worst: dict[str, Decimal] = {}
    for campaign in campaigns:
        counts[campaign.action] += 1
        estimate = campaign.estimate
        if estimate is None or campaign.action in ("none", "blocked"):
            continue
        contacts += estimate.contacts
        parts += estimate.parts
        cost[estimate.currency] = cost.get(estimate.currency, Decimal(0)) + Decimal(estimate.cost)
        worst[estimate.currency] = worst.get(estimate.currency, Decimal(0)) + Decimal(estimate.worst)
    return Totals(
        send=counts["send"],
        resume=counts["resume"],
        wait=counts["wait"],
        blocked=counts["blocked"],
        in_doubt=counts["in_doubt"],
        unchanged=counts["none"],
        contacts=contacts,
        parts=parts,
        cost={currency: money_text(amount) for currency, amount in sorted(cost.items())},
        worst={currency: money_text(amount) for currency, amount in sorted(worst.items())},
    )
