"""What octoplan asks of a provider: to be a function of what has been answered so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from octoplan.core.errors import Refused
from octoplan.core.model import NO_COUNTS, NOTHING, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from decimal import Decimal

    from octoplan.core.merge import MergeFields
    from octoplan.core.model import (
        Batch,
        Campaign,
        Channel,
        Exchange,
        Finding,
        History,
        Money,
        Receipt,
        Reply,
        Request,
        Seen,
        Step,
    )
    from octoplan.core.settings import ProviderSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a provider can do: `batch_size` in contacts a request, `text` in characters.

    `request_id_window`: for how long after the first attempt an identical request may be repeated; None: never, what
    became of it is looked up. `quiet_time`: after which nothing can still be travelling. `merge_fields`: how one
    request carries a text of their own to each of many people, if any does.
    """

    channels: tuple[Channel, ...]
    batch_size: int
    request_id_window: timedelta | None
    quiet_time: timedelta = timedelta(minutes=12)
    merge_fields: MergeFields | None = None
    text: int = 1224


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """A provider's own estimate of one batch: `parts` over all contacts, `credit` what would be left.

    `countries` counts contacts by country (ISO 3166-1 alpha-2), as far as it tells.

    What it does not tell is None. At most one of the reasons is set, and then there are no figures: `refused` (this
    batch would be rejected), `unauthorised` (the credentials are), `unreachable` (no usable answer; ask again).
    """

    contacts: int | None = None
    parts: int | None = None
    cost: Decimal | None = None
    credit: Decimal | None = None
    countries: Mapping[str, int] = field(default_factory=lambda: NO_COUNTS)
    refused: str = ""
    unauthorised: str = ""
    unreachable: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """How a provider is asked for the token that its other requests need, at a base address of its own.

    What authenticates `ask` are the provider's `headers`. `read` returns the headers that authenticate everything
    else while the token lasts; None: the answer has none.
    """

    host: str
    sandbox_path: str
    ask: Request
    read: Callable[[Reply], Mapping[str, str] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An accepted batch that somebody wants cancelled, with the `details` of its receipt.

    `ahead` is how long until it is due, None if it left at once. `kind` is what the provider holds its audience as:
    list or tag; empty: it had the addresses.
    """

    channel: Channel
    ticket: str
    contacts: int
    ahead: timedelta | None
    kind: str = ""
    details: Mapping[str, str] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A request of which nobody knows the outcome, and what its provider may know it by.

    `ticket` is that of what was prepared, or one that an unusable answer named; `kind` as in `Sent`.
    """

    channel: Channel
    request_id: str
    ticket: str = ""
    kind: str = ""


def refuse_unsendable(kind: str, credentials: Mapping[str, str], *, names: Iterable[str]) -> None:
    """Refuse credentials that no header can carry.

    Raises:
        Refused: one of these `names` is empty, or holds what a header may not.
    """
    for name in names:
        value = credentials[name]
        if not (value.isascii() and value.isprintable() and value.strip() == value and value):
            raise Refused(
                f"providers.{kind}.{name} is empty, or holds blanks around it, line breaks or letters outside "
                "ASCII: check the variable it is read from",
                reason="credentials",
            )


def left_at_once(sent: Sent) -> Outcome | None:
    """Return that nothing is left to cancel of what had no time to be sent at, whatever it was sent by."""
    told = "it left at once: only what is scheduled can be cancelled"
    return Outcome(verdict=Verdict.REJECTED, reason=told) if sent.ahead is None else None


def opinion(found: Receipt | Outcome) -> Simulated:
    """Return what was consulted as an estimate, or why there is none."""
    if not isinstance(found, Outcome):
        return Simulated(contacts=found.contacts, parts=found.parts, cost=found.cost, credit=found.credit)
    match found.verdict:
        case Verdict.REJECTED:
            return Simulated(refused=f"{found.reason} ({found.hint})" if found.hint else found.reason)
        case Verdict.REFUSED:
            return Simulated(unauthorised=found.reason)
        case _:
            return Simulated(unreachable=found.reason)


class Provider(Protocol):
    """One provider. No method touches network, clock or disk.

    `host` is the live base address; `sandbox_path` where the sandbox imitates it; `credentials`
    the names octoplan.yaml must give; `stop_mention` what `{{ stop }}` renders to; `tokens` how it is asked for
    one, where `headers` alone do not authenticate a request;
    `failed` the reason of an outcome by which it says itself that it could not prepare a campaign.
    """

    kind: str
    limits: Limits
    host: str
    sandbox_path: str
    credentials: tuple[str, ...]
    stop_mention: str
    failed: str
    tokens: Tokens | None

    def adapted(self, settings: ProviderSettings) -> Provider:
        """Return it as one account's settings have it: by which calls it is reached, and what it is asked to do."""
        ...

    def login(self, credentials: Mapping[str, str]) -> str:
        """Return the login that names the account."""
        ...

    def headers(self, credentials: Mapping[str, str]) -> dict[str, str]:
        """Return what authenticates a request, or the one for a token.

        Raises:
            Refused: no header can carry these credentials.
        """
        ...

    def check(self, campaign: Campaign) -> tuple[Finding, ...]:
        """Return what this provider cannot do for a campaign."""
        ...

    def simulate(self, batch: Batch, answered: tuple[Exchange, ...]) -> Request | Simulated:
        """Return the next request that asks what `batch` would be, after what was `answered`; then what it would be.

        None sends anything or holds a request id. One with the effect READ may be asked once for many batches.
        """
        ...

    def next(self, batch: Batch, history: History) -> Step | Outcome:
        """Return what to do for `batch` after `history`; nothing yet: the request that sends it.

        After `Doubted` it is that very request again, byte for byte: only its acceptance, or the answer
        that its id is known, closes the doubt. Without a `request_id_window` nothing is ever asked for again.

        Of an audience that the provider holds the first request prepares it: then come `Drafted`, looks at the
        draft, its `Quote`, and only after `Agreed` the request that contacts anybody. Where nothing is prepared the
        first request READs, and the `Quote` comes after it. That which contacts is never repeated.

        The body has no request-id field while `batch.request_id` is empty. Raises `InputError` with
        `wire-contract` findings if the body would break the pinned contract.
        """
        ...

    def evidence(self, lost: Lost, answered: tuple[Exchange, ...]) -> Request | Outcome:
        """Return the next request that READs what became of a lost one, after what was `answered`; then what is known.

        ACCEPTED is a proof that it was sent. REJECTED that it was not, of what was prepared only together with an
        accepted `discard`. IN_DOUBT: the provider does not tell.
        """
        ...

    def discard(self, channel: Channel, kind: str, *, ticket: str) -> Request:
        """Return the request that cancels what was prepared on a list or tag, and not confirmed; see `cancelled`."""
        ...

    def cancel(self, sent: Sent) -> Request | Outcome:
        """Return the request that cancels what was sent; an outcome is REJECTED: why it cannot be."""
        ...

    def cancelled(self, seen: Seen) -> Outcome:
        """Read the answer to `cancel`.

        ACCEPTED is a proof that it is cancelled, REJECTED that it is not. REFUSED: the credentials are.
        UNREACHABLE: nobody was asked. IN_DOUBT: somebody may have been.
        """
        ...

    def balance(self) -> Request:
        """Return the request that reads the account's balance."""
        ...

    def read_balance(self, seen: Seen) -> Money | Outcome:
        """Read the answer to `balance`; an outcome is REFUSED (the credentials), REJECTED or UNREACHABLE."""
        ...

    def may_plan(self, request: Request) -> bool:
        """Tell whether `request`, judged by its outgoing bytes alone, cannot send anything."""
        ...
