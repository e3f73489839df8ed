"""The values that flow from a campaign file to a receipt; the vocabulary of the product."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, TypedDict

from octoplan.core.quantity import quantity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from octoplan.core.message import Content, Message
    from octoplan.core.opening import Opening

KeyPath = tuple[str | int, ...]
"""A path into a YAML document: mapping keys and list indices."""

HELD_THERE = ("list", "tag", "groups", "contact_ids")
"""The keys of an audience that a provider holds: octoplan knows no address of it."""

LEFT_AUDIENCE = "left-the-audience"
"""The reason of a member of an edition whom no row of its audience names any more."""

NOTHING: Mapping[str, str] = MappingProxyType({})
NO_RATES: Mapping[str, Decimal] = MappingProxyType({})
NO_COUNTS: Mapping[str, int] = MappingProxyType({})

_SHOWN = 10
"""Groups that are named at most, where all would be too many to read."""


class Kind(StrEnum):
    """What an environment is, and what its ledger remembers: a stamp that keeps rehearsals and live sends apart."""

    SANDBOX = "sandbox"
    REHEARSAL = "rehearsal"
    LIVE = "live"


class Severity(StrEnum):
    """What a finding demands: `error` a correction, `limit` and `warning` a correction or an `allow`."""

    ERROR = "error"
    LIMIT = "limit"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A position in a file a user wrote; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of one rule.

    `path` names the key inside the file and `within` the 1-based (line, column) inside the text at
    that key; whoever holds the source turns both into `place`. Neither `message`, `value`, `limit`
    nor `hint` may hold an address or a contact's value.
    """

    rule: str
    severity: Severity
    message: str
    path: KeyPath = ()
    within: tuple[int, int] | None = None
    value: str | None = None
    limit: str | None = None
    hint: str = ""
    place: Place | None = None


class FindingFields(TypedDict, total=False):
    """The optional fields of a finding, for whoever makes one by rule name."""

    severity: Severity
    path: KeyPath
    within: tuple[int, int] | None
    value: str | None
    limit: str | None
    hint: str
    place: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An amount in one currency; always exact."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount:,.2f} {self.currency}"

    @property
    def exact(self) -> str:
        """The amount with all its decimals, at least two: prices of parts differ by less than a cent."""
        exponent = self.amount.normalize().as_tuple().exponent
        decimals = max(2, -exponent if isinstance(exponent, int) else 2)
        return f"{self.amount:,.{decimals}f} {self.currency}"


class Channel(StrEnum):
    """How a message travels."""

    SMS = "sms"
    VOICE = "voice"
    RCS = "rcs"
    EMAIL = "email"

    @property
    def address_kind(self) -> AddressKind:
        """What its contacts are addressed by."""
        return AddressKind.EMAIL if self is Channel.EMAIL else AddressKind.PHONE


class AddressKind(StrEnum):
    """What a contact is addressed by."""

    PHONE = "phone"
    EMAIL = "email"


class Purpose(StrEnum):
    """Why a message is sent; it decides opt-out mention and hours, so it has no default."""

    MARKETING = "marketing"
    TRANSACTIONAL = "transactional"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """What an audience must look like; shares are fractions of one."""

    min: int | None = None
    max_change: Decimal = Decimal("0.20")
    max_invalid: Decimal = Decimal("0.02")


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Whom a campaign addresses, as written. Files are paths relative to the project; `file` may be a pattern.

    `query` is a file of SQL that runs at `connection`, a name of octoplan.yaml. `list_`, `tag` and `groups` are names
    at the provider, which alone knows who is in them, and `contact_ids` are contacts there; `segmentation` goes to it
    as it is.
    """

    address: str
    country: str | None
    contacts: tuple[Mapping[str, str], ...] | None = field(default=None, repr=False)
    file: str | None = None
    sha256: str | None = None
    query: str | None = None
    connection: str | None = None
    where: str | None = None
    exclude_files: tuple[str, ...] = ()
    exclude_campaigns: tuple[str, ...] = ()
    fallback: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    expect: Expect = field(default_factory=Expect)
    new_contacts: str = "skip"
    list_: str | None = None
    tag: str | None = None
    segmentation: str | None = None
    groups: tuple[str, ...] | None = None
    contact_ids: tuple[str, ...] | None = field(default=None, repr=False)

    @property
    def kind(self) -> str:
        """What the provider holds it as, one of `HELD_THERE`; empty: octoplan has the addresses."""
        given = (self.list_, self.tag, self.groups, self.contact_ids)
        return next((kind for kind, value in zip(HELD_THERE, given, strict=True) if value is not None), "")

    @property
    def held(self) -> str:
        """What the provider holds of it, in words: `list NAME`, `3 contact ids`; empty: octoplan has the addresses."""
        if self.contact_ids is not None:
            return quantity(len(self.contact_ids), "contact id")
        if self.groups is not None:
            more = len(self.groups) - _SHOWN
            return f"groups {', '.join(self.groups[:_SHOWN])}" + (f" and {more:,} more" if more > 0 else "")
        return f"{self.kind} {self.list_ or self.tag}" if self.kind else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a campaign may leave. `send_at` is aware; None means as soon as applied."""

    timezone: str
    lead: timedelta
    grace: timedelta
    send_at: datetime | None = None
    hours: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """An address that the provider calls: at every `change`, or at `completion` alone."""

    url: str
    when: str = "completion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the channel and provider offer; each maps to one wire field of the channels that have it.

    None is what nobody wrote. `callback` is told of each call, `campaign_callback` of the campaign as a whole.
    """

    quality: str = "premium"
    replies: bool = False
    track_recipients: bool | None = None
    collect_keys: bool = False
    list_name: str | None = None
    key_wait_seconds: int | None = None
    ring_seconds: int | None = None
    respect_quiet_hours: bool | None = None
    callback: Callback | None = None
    campaign_callback: Callback | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The tightest of project, environment and campaign. None: no limit was written."""

    max_cost: Money | None = None
    max_unit_price: Money | None = None
    max_contacts: int | None = None
    max_parts: int | None = None
    countries: tuple[str, ...] | None = None
    senders: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One campaign, validated, with defaults filled and everything but `contact` rendered."""

    id: str
    edition: int
    provider: str
    channel: Channel
    purpose: Purpose
    sender: str | None
    audience: Audience
    message: Message
    schedule: Schedule
    options: Options
    limits: Limits
    allow: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    description: str | None = None
    owner: str | None = None
    tags: tuple[str, ...] = ()
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """A price book: what one part costs, by product (`sms_premium`) and country (ISO 3166-1 alpha-2).

    Product `email` is by service instead of country. A part of a call is a billing step of `voice_step`
    seconds. `opt_out_removal` is charged per request, `replies` per part of an SMS.
    """

    currency: str
    as_of: str
    sample: bool
    products: Mapping[str, Mapping[str, Decimal]]
    opt_out_removal: Decimal = Decimal(0)
    replies: Decimal = Decimal(0)
    voice_step: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Owed contacts in key order, as parallel columns; `columns` holds the values a message uses.

    `countries` are ISO 3166-1 alpha-2 regions of the numbers.
    """

    keys: list[bytes]
    addresses: list[str]
    countries: list[str]
    columns: Mapping[str, list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One provider request: contacts who receive the same content, but for the values of placeholders.

    It is for up to 500 contacts, or for an audience that the provider holds.

    `keys` are contact keys in ascending order, `addresses` theirs in the same order. Where `content` has
    placeholders, `names` are theirs and `values` those of each contact, names in the same order. `parts` is the
    total over its contacts. `worst` is what the batch may cost at most, rounded up to cents. `first` marks the first
    batch of an edition. `request_id` is empty until the batch is about to be sent, and in the request only if that
    `carries_id`. `opening` is when its contacts may be reached; None: at any hour. `step` is a billing step of a call,
    in seconds; 0: it is no call. `rates` is what one contact costs by country, of an audience that the provider holds.
    """

    campaign: Campaign
    keys: tuple[bytes, ...]
    addresses: tuple[str, ...]
    content: Content
    parts: int
    cost: Decimal
    worst: Decimal
    currency: str
    first: bool = False
    request_id: str = ""
    opening: Opening | None = None
    names: tuple[str, ...] = ()
    values: tuple[tuple[str, ...], ...] = field(default=(), repr=False)
    carries_id: bool = True
    step: int = 0
    rates: Mapping[str, Decimal] = field(default_factory=lambda: NO_RATES)

    @property
    def contacts(self) -> int:
        """How many people it is for; of an audience that the provider holds, at most."""
        most = self.campaign.limits.max_contacts
        return most if self.campaign.audience.held and most else len(self.keys)


class Effect(StrEnum):
    """What a request does at the provider. Only READ and SIMULATE may leave while planning."""

    READ = "read"
    SIMULATE = "simulate"
    PREPARE = "prepare"
    SEND = "send"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What leaves: method, path below the provider's base address, and the exact body bytes, of type `media`."""

    method: str
    path: str
    effect: Effect
    body: bytes = b""
    media: str = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A whole answer; header names are lower case.

    `again`: the request was made twice, for it was first answered that its token is not valid.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """The request cannot have reached the provider: no byte of its body left this machine."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Bytes left and no whole answer came back: the provider may or may not have acted."""

    reason: str


Seen = Reply | NotSent | Unknown
"""What the wire saw of one request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request that was made, and what was seen of it."""

    request: Request
    seen: Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Waited:
    """A wait that the provider asked for, or that follows a failed connection, has passed."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubted:
    """An earlier attempt of the same request, in this run or another, to which no answer is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """The provider has prepared the batch under this ticket: nobody is contacted until that is confirmed."""

    ticket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """The figures of what was prepared are within what was approved, and its confirmation is claimed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What the provider says that confirming a batch comes to: contacts, and money in the book's currency.

    `countries` counts them by country (ISO 3166-1 alpha-2), as far as it tells.
    """

    contacts: int
    cost: Decimal
    countries: Mapping[str, int] = field(default_factory=lambda: NO_COUNTS)


History = tuple[Exchange | Waited | Doubted | Drafted | Agreed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the provider answered, without address-bearing values.

    `ticket` is empty where a duplicate answer proved acceptance without naming one. `details` are
    the provider's other fields as text; address-bearing ones are counts.
    """

    ticket: str
    contacts: int | None = None
    parts: int | None = None
    cost: Decimal | None = None
    credit: Decimal | None = None
    details: Mapping[str, str] = field(default_factory=lambda: NOTHING)

    def fewer(self, given: int) -> int:
        """Return how many of the contacts it was given the provider did not take; 0 where it names no number."""
        return 0 if self.contacts is None else max(0, given - self.contacts)


class Verdict(StrEnum):
    """How a batch ended, and what the run does next."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    """The provider knows this request id: ours or foreign, the ledger decides."""
    REJECTED = "rejected"
    """Definitely not sent; the next batch may go."""
    REFUSED = "refused"
    """Definitely not sent for a reason every batch shares (credentials, credit): stop, exit 1."""
    UNREACHABLE = "unreachable"
    """Definitely not sent, the provider could not be reached or is limiting: stop, exit 5."""
    IN_DOUBT = "in-doubt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an exchange means for its batch. `reason` is a short word or sentence without addresses.

    `excess` says what an accepted batch took beyond its reservation, contacts or money: stop, exit 3.
    """

    verdict: Verdict
    reason: str = ""
    hint: str = ""
    receipt: Receipt | None = None
    excess: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Ask again after `seconds`; nothing was sent by the last request."""

    seconds: float
    reason: str


Step = Request | Wait | Drafted | Quote
"""What a provider says comes next for a batch that has not ended yet."""
