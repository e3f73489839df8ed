"""What goes into a ledger and what comes out of it: plain values, no database."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from octoplan.core.keys import SIZE
from octoplan.ledger import packed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from octoplan.core.model import Channel, Kind, Quote, Receipt


class BatchState(StrEnum):
    """`reserved → claimed → accepted | not_sent | in_doubt`; `reserved → released`; `accepted → cancelled`."""

    RESERVED = "reserved"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    NOT_SENT = "not_sent"
    IN_DOUBT = "in_doubt"
    RELEASED = "released"
    CANCELLED = "cancelled"


HELD = frozenset({BatchState.CLAIMED, BatchState.ACCEPTED, BatchState.IN_DOUBT, BatchState.CANCELLED})
"""The states that count as sent: nobody in such a batch is owed this edition."""

FREE = frozenset({BatchState.NOT_SENT, BatchState.RELEASED})
"""The states whose people are owed again; every other state holds a key for its batch alone."""


FOREIGN = "foreign duplicate"
"""How the reason of a doubt begins that shows another ledger at work: nothing more of its edition is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a ledger is. `serial` rises with every reserve, so a restored backup shows itself."""

    id: str
    kind: Kind
    serial: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far a ledger had come when it was seen: its serial, the number of its newest event, and what that was."""

    serial: int
    event: int
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """When a person accepted a restored ledger, and the serial it went on with: older plans are of a lost history."""

    at: datetime
    serial: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCampaign:
    """One campaign of a plan: when it may leave, its approved worst cost, and its canonical JSON."""

    id: str
    edition: int
    apply_from: datetime
    apply_until: datetime
    worst: Decimal
    currency: str
    spec: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedPlan:
    """A plan somebody applied. `everything`: it covers every campaign, also one it no longer holds."""

    plan_id: str
    created_at: datetime
    everything: bool
    campaigns: tuple[RecordedCampaign, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBatch:
    """A batch as packed from owed people. `keys` are packed, ascending; `parts` are those of all contacts.

    `held`: at most so many contacts of an audience that the provider holds, for which one key stands; 0: a key each.
    """

    keys: bytes
    parts: int
    worst: Decimal
    held: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """All batches that one campaign's owed people make, joined ones included, at the edition's `version`.

    People whom this plan has in a batch already, or who were rejected under it, are left out by the
    ledger; what remains of a batch keeps that batch's whole `worst`, an upper bound. `seen` is the ledger's
    newest event when it was read who is owed.
    """

    campaign: str
    edition: int
    version: int
    seen: int
    provider: str
    currency: str
    batches: tuple[NewBatch, ...]


IMPORTED = "imported"
"""The reason of a batch that was sent elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """People who were sent an edition elsewhere, at `sent_at`. `keys` are packed, ascending, each once.

    `spec` is JSON of what is known of the campaign: its channel, perhaps its purpose.
    """

    campaign: str
    edition: int
    provider: str
    currency: str
    spec: str
    keys: bytes
    sent_at: datetime
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """What came of an adoption, in contacts: new ones, and those the edition held, some of them in doubt."""

    contacts: int
    known: int
    in_doubt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What is about to be sent. `dropped` are packed keys of the batch who must not get it any more.

    `quote` is what the provider says that a prepared batch comes to.
    """

    request_id: str
    payload_hash: str
    deadline: datetime
    dropped: bytes = b""
    quote: Quote | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a provider was asked to prepare of a reserved batch, or, with an empty `id`, will be.

    `generation` goes into the request id. `ticket` is empty until it is known.
    """

    id: str
    generation: int
    ticket: str = ""
    request_id: str = ""
    payload_hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftDraft:
    """A draft that stayed at the provider; `kind` is what it holds the audience as: list or tag."""

    id: str
    batch: str
    provider: str
    ticket: str
    channel: Channel
    kind: str


SETTLED = frozenset({BatchState.ACCEPTED, BatchState.NOT_SENT, BatchState.IN_DOUBT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How an attempt ended. `rejected`: the provider refused this very batch; a new plan is needed."""

    state: BatchState
    reason: str = ""
    rejected: bool = False
    receipt: Receipt | None = None

    def __post_init__(self) -> None:
        if self.state not in SETTLED:
            raise ValueError(self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """A batch as the ledger knows it; `id` is `campaign/edition/number`.

    `held`: the provider holds its audience, for which one key stands; `count` is then what was approved, and from
    the claim on what the provider counts, in the end by its answer.

    A claimed batch whose run is gone reads as in doubt. `alive`: the claim's run lives, or, of a
    reserved batch, some run of its plan. `keys` (packed, ascending) are filled in by `reserve` and
    `doubtful` alone; elsewhere `Edition` has them. `request_id`, `payload_hash` and `receipt` are of the
    newest attempt.
    """

    id: str
    campaign: str
    edition: int
    number: int
    plan_id: str
    provider: str
    state: BatchState
    reason: str
    rejected: bool
    count: int
    parts: int
    worst: Decimal
    charged: Decimal | None
    currency: str
    generation: int
    held: bool
    request_id: str
    payload_hash: str
    receipt: Receipt | None
    reserved_at: datetime
    claimed_at: datetime | None
    settled_at: datetime | None
    alive: bool
    keys: bytes = b""

    @property
    def ticket(self) -> str:
        """The provider's ticket; empty if there is none, or a duplicate answer named none."""
        return self.receipt.ticket if self.receipt else ""

    @property
    def cost(self) -> Decimal:
        """What it was charged, or the worst that it may be."""
        return self.worst if self.charged is None else self.charged


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubtful:
    """A batch in doubt, with its keys, and what decides whether its request may be repeated.

    `first_at` is its first claim, `silent_at` when its newest attempt could write no more; `closes` the end of
    the campaign's time in its plan, `newer_plan` a plan that supersedes that one, `later_edition` one that was
    claimed since. `ticket` is that of the draft which was to be confirmed, where the provider holds the audience.
    """

    row: BatchRow
    first_at: datetime
    silent_at: datetime
    closes: datetime
    newer_plan: str | None
    later_edition: int | None
    ticket: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One edition of one campaign, as it was when read; `version` 0 if nothing was ever reserved.

    `newest` is the number of the ledger's newest event at that moment.
    `closed`: a batch of it was claimed once, so its members are fixed. `spec` is the campaign's
    canonical JSON as in the newest plan that claimed a batch; before that, what an import knew of it.
    Keys are read when asked for.
    """

    campaign: str
    edition: int
    version: int
    newest: int
    closed: bool
    spec: str | None
    batches: tuple[BatchRow, ...]
    read_keys: Callable[[tuple[str, ...]], bytes] = field(repr=False, compare=False)

    @property
    def of_provider(self) -> bool:
        """Whether the provider holds its audience."""
        return any(batch.held for batch in self.batches)

    def people(self, keys: bytes) -> int:
        """Return how many people packed keys of this edition stand for: one each, or all of a provider's list."""
        return len(keys) // SIZE * (self.batches[-1].count if self.of_provider else 1)

    def held(self) -> bytes:
        """Return the packed keys of everybody who got this edition, or may have."""
        return self.read_keys(tuple(batch.id for batch in self.batches if batch.state in HELD))

    def members(self) -> bytes:
        """Return the packed keys of everybody ever reserved for this edition, each once, ascending."""
        return packed.distinct(self.read_keys(tuple(batch.id for batch in self.batches)))

    def rejected(self, plan_id: str | None = None) -> bytes:
        """Return the packed keys of everybody rejected, under one plan or any, and not held since; each once."""
        of = tuple(batch.id for batch in self.batches if batch.rejected and plan_id in (None, batch.plan_id))
        return packed.without(packed.distinct(self.read_keys(of)), self.held()) if of else b""

    @property
    def cost(self) -> Decimal:
        """What everything sent, or perhaps sent, was charged or may be at worst."""
        return sum((batch.cost for batch in self.batches if batch.state in HELD), start=Decimal(0))

    @property
    def is_settled(self) -> bool:
        """Tell whether the edition is closed and nobody of its members is owed it."""
        states = {batch.state for batch in self.batches}
        if not self.closed or BatchState.RESERVED in states:
            return False
        if states <= HELD:
            return True
        return bool(packed.within(packed.keys(self.members()), packed.keys(self.held())).all())


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionSummary:
    """An edition's sums, without any key. Money is by currency.

    `contacts` and `batches` count by state, so that a person sent again after a failure counts under
    both. `open` is the worst cost of what is reserved, or held without a charge; `approved` what was spent
    under earlier plans and the worst of the newest. `without_ticket` counts accepted batches that a duplicate
    answer or a person's word closed; `imported` contacts who were sent it elsewhere, `fewer` those whom the
    provider accepted a batch without. `of_provider`: the provider holds its audience.
    """

    campaign: str
    edition: int
    closed: bool
    contacts: Mapping[BatchState, int]
    batches: Mapping[BatchState, int]
    without_ticket: int
    imported: int
    fewer: int
    of_provider: bool
    charged: Mapping[str, Decimal]
    open: Mapping[str, Decimal]
    approved: Mapping[str, Decimal]
