"""The port: what a ledger promises, whatever it is kept in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from octoplan.core.model import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, timedelta
    from decimal import Decimal
    from pathlib import Path

    from octoplan.core.model import Kind
    from octoplan.ledger.records import (
        Acceptance,
        Adopted,
        Adoption,
        BatchRow,
        Claim,
        Doubtful,
        Draft,
        Edition,
        EditionSummary,
        Identity,
        LeftDraft,
        Mark,
        RecordedPlan,
        Reserve,
        Settlement,
    )
    from octoplan.ledger.sent import Sent

    Clock = Callable[[], datetime]
    """Returns the present as an aware datetime."""


class Ledger(Protocol):
    """The durable memory of one environment; safe to use from many threads.

    Every method may raise `Unfinished` (`ledger-busy`: another process holds the file too long) or
    `Refused` (`ledger-unwritable`, `ledger-corrupt`). What raised did not happen.
    """

    @property
    def identity(self) -> Identity:
        """Return id, kind and the present serial."""

    def edition(self, campaign: str, edition: int) -> Edition:
        """Return one edition with all its batches."""

    def editions(self, campaign: str) -> tuple[int, ...]:
        """Return the editions of which something was reserved, ascending."""

    def campaigns(self) -> tuple[EditionSummary, ...]:
        """Return the sums of every edition, by campaign and edition."""

    def in_doubt(self) -> tuple[BatchRow, ...]:
        """Return the batches a person must look at."""

    def doubtful(self) -> tuple[Doubtful, ...]:
        """Return the same with their keys, and with what decides whether a request may be repeated."""

    def find(self, key: bytes) -> tuple[BatchRow, ...]:
        """Return the batches that hold one contact key, oldest first."""

    def recent(self, since: datetime, *, until: datetime, like: Mapping[str, str] = NOTHING) -> tuple[bytes, ...]:
        """Return the packed keys of each batch that arrives in a time and counts as sent, but of trials.

        A batch arrives when it is claimed, or at its campaign's `send_at`, whichever comes later.
        Only of campaigns whose spec has the values of `like`, such as `channel`.
        """

    def specs(self, campaign: str, edition: int) -> Mapping[str, str]:
        """Return an edition's canonical JSON in each recorded plan, by the plan's id."""

    def has_history(self) -> bool:
        """Tell whether it remembers that anybody, but for test contacts, was sent anything, here or elsewhere."""

    def sent_since(self, start: datetime) -> tuple[Sent, ...]:
        """Return what was claimed of each edition under each plan since then, the oldest plan first; but of trials."""

    def rescues(self) -> tuple[str, ...]:
        """Return the rescue files beside the ledger that wait to be imported, or cannot be."""

    # how far it has come

    def mark(self) -> Mark:
        """Return how far the history has come."""

    def goes_on_from(self, mark: Mark) -> bool:
        """Tell whether the history holds what was seen, or a person has accepted since that it does not."""

    def watch(self, moved: Callable[[], None]) -> None:
        """Call `moved` whenever something was reserved, before any of it can be sent, and before the ledger closes."""

    def accept(self, serial: int, *, above: int, actor: str, reason: str) -> int:
        """Note that a person accepts the history as it is; return the new serial, above all that were seen.

        Raises:
            Refused: `ledger-serial`, `reason-missing`, `clock`.
        """

    def accepted(self) -> Acceptance | None:
        """Return the newest acceptance, if any."""

    def refuse_clock(self) -> None:
        """Refuse to go on with a clock that stands before what the ledger remembers.

        Raises:
            Refused: `clock`.
        """

    def refuse_damage(self) -> None:
        """Refuse a file that is broken anywhere, also where nothing would look before a message has left.

        Raises:
            Refused: `ledger-corrupt`.
        """

    def open_run(self, plan_id: str) -> str:
        """Begin a run and return its id; claims of runs that are gone become in doubt for good.

        Raises:
            Refused: `clock`, or `ledger-unwritable`.
        """

    def heartbeat(self, run: str) -> None:
        """Show that a run lives. A thread of the ledger's own does so while the run is open."""

    def close_run(self, run: str) -> None:
        """End a run; what it reserved stays for the next run of the same plan."""

    def record(self, plan: RecordedPlan) -> None:
        """Record a plan that is being applied; recording it again does nothing."""

    def superseded(self, plan_id: str, campaign: str) -> str | None:
        """Return the newer recorded plan that covers the campaign in place of this recorded one, if any."""

    def reserve(self, run: str, plan_id: str, *, wanted: Reserve) -> tuple[BatchRow, ...]:
        """Reserve a campaign's batches in one transaction; return the plan's reserved ones, with keys.

        Raises:
            Stale: `plan-superseded`, `ledger-moved-on`, `cost-over-approved`.
            Refused: `foreign`: another ledger has sent some of the edition.
            Unfinished: `run-alive`: a living run of another plan holds batches of this edition.
        """

    def claim(self, run: str, batch_id: str, *, wanted: Claim) -> str | None:
        """Make a reserved batch ours to send, durably, and return the attempt.

        None: it is not reserved any more, or everybody in it was dropped. If this raises, do not send.

        Raises:
            Stale: `plan-superseded`.
            Refused: `foreign`, as `reserve`.
        """

    def repeat(self, run: str, batch_id: str, *, wanted: Claim) -> str | None:
        """Claim a batch in doubt for the identical request, durably, and return the attempt.

        None: it is in doubt no more. If this raises, do not send.

        Raises:
            Stale: `plan-superseded`, or `edition-later`: a later edition was claimed.
        """

    def draft(self, run: str, batch_id: str) -> Draft | None:
        """Return the draft of a reserved batch, or what the next one is made with.

        What a dead run left open is given up. None: the batch is not reserved any more, or a living run of the same
        plan is preparing it.
        """

    def prepare(self, run: str, batch_id: str, *, wanted: Claim) -> str | None:
        """Note, before its request leaves, that a reserved batch is to be prepared; return the draft.

        None: as for `draft`.

        Raises:
            Stale: the plan is superseded.
        """

    def prepared(self, draft: str, ticket: str) -> bool:
        """Note the ticket of a draft: from now on any run of its plan may confirm it. False: it was given up before."""

    def abandon(self, draft: str, reason: str) -> None:
        """Give a draft up, with its request id: the next one of its batch has another."""

    def unsendable(self, batch_id: str, *, reason: str, rejected: bool) -> None:
        """End a reserved batch of which nothing was sent: `rejected` for good, or released and owed again."""

    def left_drafts(self) -> tuple[LeftDraft, ...]:
        """Return the drafts that nobody will confirm, and that were not cancelled at the provider yet."""

    def prove(self, batch_id: str, settlement: Settlement) -> bool:
        """Close a batch in doubt by a record of the provider, accepted or not sent; False if it is in doubt no more.

        Of what was not sent, the draft is cancelled.
        """

    def renew(self, attempt: str, deadline: datetime) -> None:
        """Set a later deadline for an attempt of which nothing was sent yet.

        Raises:
            InDoubt: `attempt-lost`: somebody took this run for gone.
            Stale: `plan-superseded`.
        """

    def earlier(self, attempt: str) -> bool:
        """Tell whether an earlier attempt of the same batch had the same request id and payload."""

    def settle(self, attempt: str, settlement: Settlement) -> Decimal:
        """Record how an attempt ended; return what was charged beyond the reservation, else 0.

        Raises:
            InDoubt: `not-recorded`, the outcome is in the rescue file or, that failing, in the message;
                `attempt-closed`, a person had decided before.
        """

    def decide(self, batch_id: str, *, sent: bool, actor: str, reason: str, quiet: timedelta) -> None:
        """Close a batch in doubt by a person's word.

        Raises:
            Refused: `batch-unknown`, `batch-not-in-doubt`, `reason-missing`.
            Unfinished: `quiet-time`: a request may still be travelling.
        """

    def cancel(self, batch_id: str, *, actor: str, reason: str) -> bool:
        """Note that the provider has cancelled a batch, which counts as sent for ever; False if it is not accepted."""

    def adopt(self, wanted: Adoption) -> Adopted:
        """Record what was sent elsewhere, so that it is never sent here; whom the edition holds is left alone.

        Reserved batches with some of these people are released: the others in them are owed as before.

        Raises:
            Refused: `clock`.
            Unfinished: `run-alive`: a living run may still send it to some of them.
        """

    def check(self) -> tuple[str, ...]:
        """Return what is wrong with the ledger, one line each."""

    def close(self) -> None:
        """Let go of the ledger. Open runs are not ended: what they claimed will be in doubt."""


class Backend(Protocol):
    """Makes and opens ledgers of one sort."""

    def create(self, path: Path, *, id: str, kind: Kind, key: bytes, clock: Clock) -> Ledger:  # noqa: A002  its name
        """Make a new ledger and open it.

        Raises:
            FileExistsError: there is something already.
        """

    def open(self, path: Path, *, id: str | None, kind: Kind, key: bytes, clock: Clock) -> Ledger:  # noqa: A002  its name
        """Open a ledger; `id` is the one the project names, None for the built-in sandbox's.

        Raises:
            Refused: `ledger-missing`, `ledger-empty`, `ledger-foreign`, `ledger-newer`, `ledger-corrupt`,
                `ledger-kind`, `ledger-key`, `ledger-path`.
        """
