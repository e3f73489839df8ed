"""What an imitated provider sees and says: the world before a call, and the verdict on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime
    from decimal import Decimal

    from octoplan.sandbox.prices import Prices
    from octoplan.sandbox.switches import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One HTTP request below a provider's base address; `endpoint` is the path after it.

    `asked` is the query as it was written, `query` the last value of each of its names. `private`: neither query nor
    content may be kept.
    """

    provider: str
    method: str
    endpoint: str
    query: Mapping[str, str]
    login: str
    key: str
    content: bytes
    asked: str = ""
    private: bool = False


class Contact(NamedTuple):
    """An address, and the values that are put for placeholders in a text, by the placeholder's name."""

    address: str
    values: Mapping[str, str]


class Personal(NamedTuple):
    """What one contact gets of a message whose texts differ; `cost` is what that contact costs."""

    text: str
    encoding: str
    parts: int
    cost: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What was accepted under a ticket, as far as a cancel looks at it; `at` is when it reaches people."""

    channel: str
    at: datetime
    contacts: int
    cancelled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A campaign to a list or tag, prepared and waiting for its confirm; `stage` is open, confirmed or cancelled.

    It goes to the contacts of `list_name` or of `tag_name`; where both are named, to those in both (`combines` is
    filter) or in either (group). `by` is which of the two its address has. `removes`: without those who opted out.
    `order` is the rest, as JSON has it. From `ready_at` on it has `contacts`, as they were then; `found` says whether
    there was such a list. `sending_date` is what its confirm answered.
    """

    ticket: str
    channel: str
    by: str
    list_name: str | None
    tag_name: str | None
    combines: str
    removes: bool
    order: Mapping[str, Any]
    ready_at: datetime
    stage: str = "open"
    sending_date: str | None = None
    found: bool = True
    contacts: Sequence[Contact] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Contacts that a send also puts on a list."""

    name: str
    contacts: Sequence[Contact]


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token, known by its digest alone: whose it is, and until when."""

    digest: str
    login: str
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A campaign of calls as it was accepted, besides its message.

    `answer` is what was answered. `groups` are the groups that somebody was called for, by address.
    """

    ticket: str
    name: str | None
    login: str
    created: datetime
    answer: Mapping[str, Any]
    groups: Mapping[str, Sequence[str]]


class Accepted(NamedTuple):
    """A campaign of calls with its message, as they are in the file."""

    campaign: Campaign
    message: Message


class Named(NamedTuple):
    """A campaign as far as its name goes."""

    name: str
    created: datetime
    deleted: bool


@dataclass(slots=True, kw_only=True)
class World:
    """The account at a provider, at the sandbox's own time `now`.

    `remembers` says whether a request id is used up, `known` what a ticket stands for, `cancels` how many cancels
    of a login count in this month, `draft` what was prepared under a ticket, `exists` whether there is a list or tag
    (by kind and name), `members` who is on those of a draft at this moment.

    `token` is one that was given out, by its digest; `listed` gives the addresses of a list (by kind and name), None
    where there is none. `campaign` is one that is not deleted, by its ticket; `campaigns` are those of a name, or all;
    `named` are those whose name is the same but for small and capital letters, deleted ones too.
    """

    settings: Settings
    prices: Prices
    now: datetime
    balance: Decimal
    blacklist: AbstractSet[str]
    remembers: Callable[[str], bool]
    known: Callable[[str], Known | None]
    cancels: Callable[[str], int]
    draft: Callable[[str], Draft | None]
    exists: Callable[[str, str], bool]
    members: Callable[[Draft], Sequence[Contact]]
    token: Callable[[str], Token | None]
    listed: Callable[[str, str], Sequence[str] | None]
    campaign: Callable[[str], Accepted | None]
    campaigns: Callable[[str | None], Iterator[Accepted]]
    named: Callable[[str], Sequence[Named]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message on its way to `addresses`; `unit_cost` is what one contact costs, by country.

    `content` is what the channel carries besides the text, as JSON has it. `encoding` is of SMS only. `parts` are
    parts of an SMS or billing steps of a call, else 1; `all_parts` are those of all contacts together. E-mail has
    no country: its `unit_cost` is at "". `at` is when it reaches people: `send_at`, or the moment of the request
    where that is later; `held` is that by country, where it is later still. `personal` is what each of `addresses`
    gets, in their order, where the texts differ: `text` is then the one with placeholders, and `encoding` and `parts`
    those of the longest.
    """

    ticket: str
    provider: str
    channel: str
    campaign: str | None
    sender: str
    text: str
    content: Mapping[str, Any]
    encoding: str
    parts: int
    all_parts: int
    request_id: str | None
    send_at: datetime | None
    at: datetime
    cost: Decimal
    unit_cost: Mapping[str, Decimal]
    addresses: Sequence[str]
    personal: Sequence[Personal] = ()
    held: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer to a call and what follows from it.

    `burns` is a request id used up from now on, `cancels` the ticket of a message that now reaches nobody;
    `counts`: the call is one of the cancels a login has in a month. `draft` is one that is new, or in another stage
    now; `stores` fills a list. `token` is given out, `campaign` is new; `login` is whose call it was, where the call
    itself does not say. `kept` is kept of the answer in place of a `body` that must not be.
    """

    status: int
    body: bytes
    outcome: str
    message: Message | None = None
    burns: str | None = None
    cancels: str | None = None
    counts: bool = False
    draft: Draft | None = None
    stores: Stored | None = None
    token: Token | None = None
    campaign: Campaign | None = None
    login: str | None = None
    kept: bytes | None = None


def verdict(status: int, body: Mapping[str, Any], *, outcome: str) -> Verdict:
    """Make a verdict that changes nothing in the world."""
    return Verdict(status=status, body=orjson.dumps(body), outcome=outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imitation:
    """What answers below one base address of a provider.

    `signed` reads the login and the secret of a call from its headers. `refusal` is the body of an error that has no
    more to say than its status. `private`: what is asked below this base is not kept.
    """

    provider: str
    base: str
    answer: Callable[[Call, World], Verdict]
    signed: Callable[[Mapping[str, str]], tuple[str, str]]
    refusal: Callable[[int, str], Mapping[str, Any]]
    private: bool = False
