"""What octoplan asks of a provider: to be a function of what has been answered so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from octoplan.core.model import NOTHING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from octoplan.core.merge import MergeFields
    from octoplan.core.model import (
        Batch,
        Campaign,
        Channel,
        Finding,
        History,
        Money,
        Outcome,
        Request,
        Seen,
        Step,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a provider can do: `batch_size` in contacts a request, `text` in characters.

    `request_id_window`: for how long after the first attempt an identical request may be repeated.
    `quiet_time`: after which nothing can still be travelling. `merge_fields`: how one request carries a text of
    their own to each of many people, if any does.
    """

    channels: tuple[Channel, ...]
    batch_size: int
    request_id_window: timedelta
    quiet_time: timedelta = timedelta(minutes=12)
    merge_fields: MergeFields | None = None
    text: int = 1224


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """A provider's own estimate of one batch: `parts` over all contacts, `credit` what would be left.

    At most one of the reasons is set, and then there are no figures: `refused` (this batch would be
    rejected), `unauthorised` (the credentials are), `unreachable` (no usable answer; ask again).
    """

    contacts: int | None = None
    parts: int | None = None
    cost: Decimal | None = None
    credit: Decimal | None = None
    refused: str = ""
    unauthorised: str = ""
    unreachable: str = ""


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


class Provider(Protocol):
    """One provider. No method touches network, clock or disk.

    `host` is the live base address; `sandbox_path` where the sandbox imitates it; `credentials`
    the names octoplan.yaml must give; `stop_mention` what `{{ stop }}` renders to;
    `failed` the reason of an outcome by which it says itself that it could not prepare a campaign.
    """

    kind: str
    limits: Limits
    host: str
    sandbox_path: str
    credentials: tuple[str, ...]
    stop_mention: str
    failed: str

    def adapted(self, *, own_tag_paths: bool) -> Provider:
        """Return it as one account's documentation has it, where that differs: tags at paths of their own."""
        ...

    def login(self, credentials: Mapping[str, str]) -> str:
        """Return the login that names the account."""
        ...

    def headers(self, credentials: Mapping[str, str]) -> dict[str, str]:
        """Return what authenticates a request; raises `Refused` for credentials no header can carry."""
        ...

    def check(self, campaign: Campaign) -> tuple[Finding, ...]:
        """Return what this provider cannot do for a campaign."""
        ...

    def simulate(self, batch: Batch) -> Request:
        """Return the request that asks what `batch` would cost; it sends nothing and holds no request id."""
        ...

    def simulated(self, seen: Seen) -> Simulated:
        """Read the answer to a simulation."""
        ...

    def next(self, batch: Batch, history: History) -> Step | Outcome:
        """Return what to do for `batch` after `history`; nothing yet: the request that sends it.

        After `Doubted` it is that very request again, byte for byte: only its acceptance, or the answer
        that its id is known, closes the doubt.

        Of an audience that the provider holds the first request prepares it: then come `Drafted`, looks at the
        draft, its `Quote`, and only after `Agreed` the request that contacts anybody. That one is never repeated:
        `Doubted` after it asks for evidence, and REJECTED is the proof that nothing was sent.

        The body has no request-id field while `batch.request_id` is empty. Raises `InputError` with
        `wire-contract` findings if the body would break the pinned contract.
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
