"""Step 9 for an audience that the provider holds: prepared or counted, compared with what was approved, then sent.

Until it is confirmed nobody is contacted, so whatever becomes of the requests before leaves no doubt.
"""

from __future__ import annotations

import contextlib
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from octoplan.core.errors import OctoplanError
from octoplan.core.model import Drafted, Effect, Exchange, Outcome, Quote, Request, Verdict, Wait, Waited
from octoplan.core.rules.held import beyond
from octoplan.ledger import Claim, Draft, LeftDraft
from octoplan.wire import Deadline
from octoplan.workflow.remembered import last_contacts

if TYPE_CHECKING:
    from octoplan.core.model import Batch, History, Step
    from octoplan.ledger import BatchRow, Ledger
    from octoplan.project.wires import Wires
    from octoplan.providers import Provider
    from octoplan.wire import Wire
    from octoplan.workflow.sending import Sender

TRIES = 3
"""How often one run asks for a draft whose ticket it did not learn, or whose request id was known."""

BEYOND = "beyond-limits"
CANCELLED = "cancelled at the provider"
AGAIN = "nobody was contacted; run the same command again"
UNKNOWN = (Verdict.IN_DOUBT, Verdict.DUPLICATE)
"""Verdicts on a request for a draft after which another is asked for: nobody will confirm that one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafting:
    """Sends one batch whose audience the provider holds."""

    sender: Sender
    wire: Wire
    row: BatchRow
    batch: Batch

    def send(self) -> Outcome | None:
        """Prepare or count, compare, claim, confirm and settle; None if another runner has taken the batch.

        Raises:
            InDoubt: after the claim; the outcome could not be recorded, or octoplan broke.
            OctoplanError: before it; nothing was sent.
        """
        cleared = self._cleared()
        if cleared is not None:
            return self._unsent(cleared)
        if not self._is_prepared():
            return self._confirmed(self.sender.identified(self.batch, self.row.generation), None)
        draft = self._draft()
        if draft is None or isinstance(draft, Outcome):
            return self._unsent(draft)
        return self._confirmed(replace(self.batch, request_id=draft.request_id), draft)

    def _is_prepared(self) -> bool:
        """Tell whether the provider prepares a campaign before it is confirmed; else it only counts its audience."""
        first = self.sender.provider.next(self.batch, ())
        return isinstance(first, Request) and first.effect is Effect.PREPARE

    def _confirmed(self, batch: Batch, draft: Draft | None) -> Outcome | None:
        """Compare what it comes to with what was approved, then claim, confirm and settle."""
        begun: History = (Drafted(ticket=draft.ticket),) if draft else ()
        step, history = self._asked(self.batch, begun)
        if not isinstance(step, Quote):
            return self._unsent(step, draft)
        told = self._beyond(step)
        if told:
            return self._refused(draft, told)
        return self.sender.confirm(self.wire, self.row, batch=batch, prepared=(history, step))

    def _beyond(self, quote: Quote) -> tuple[str, ...]:
        campaign = self.batch.campaign
        return tuple(beyond(campaign, quote, last=last_contacts(self.sender.ledger, campaign)))

    def _cleared(self) -> Outcome | None:
        """Cancel what is left of earlier drafts of this edition; an outcome: one of them may yet be sent, or was."""
        edition = self.row.id.rpartition("/")[0]
        for left in self.sender.ledger.left_drafts():
            if left.batch.rpartition("/")[0] == edition:
                found = self._discarded(left) if left.provider == self.row.provider else _elsewhere(left)
                if found is not None:
                    return found
        return None

    def _discarded(self, left: LeftDraft) -> Outcome | None:
        """Cancel a draft; None: that is proved, and nothing of it can be sent any more."""
        answer = discard(self.sender.provider, left, wire=self.wire)
        match answer.verdict:
            case Verdict.ACCEPTED:
                self.sender.ledger.abandon(left.id, CANCELLED)
                return None
            case Verdict.REJECTED:
                told = f"an earlier draft, ticket {left.ticket}, may have been confirmed elsewhere ({answer.reason})"
                return self.sender.doubt(self.row, reason=told)
            case Verdict.REFUSED:
                return answer
        told = f"it is not known whether the earlier draft {left.ticket} is cancelled ({answer.reason})"
        return Outcome(verdict=Verdict.UNREACHABLE, reason=told, hint=AGAIN)

    def _draft(self) -> Draft | Outcome | None:
        """Return the draft of the batch with its ticket, asked for where there is none, or why there is none."""
        ledger = self.sender.ledger
        for _ in range(TRIES):
            draft = ledger.draft(self.sender.run, self.row.id)
            if draft is None:
                return None
            identified = self.sender.identified(self.batch, draft.generation)
            hashed = self.sender.payload_hash(identified)
            if draft.ticket and draft.payload_hash == hashed:
                return draft
            if draft.ticket:
                found = self._discarded(self._left(draft))
                if found is not None:
                    return found
                continue
            made = self._made(identified, hashed)
            if not isinstance(made, Outcome) or made.verdict not in UNKNOWN:
                return made
        told = f"{TRIES} requests to prepare it had no usable answer"
        return Outcome(verdict=Verdict.UNREACHABLE, reason=told, hint=AGAIN)

    def _made(self, identified: Batch, hashed: str) -> Draft | Outcome | None:
        """Ask for a draft once, and keep its ticket; what cannot be used is given up."""
        ledger, identity = self.sender.ledger, identified.request_id
        wanted = Claim(request_id=identity, payload_hash=hashed, deadline=Deadline().at)
        made = ledger.prepare(self.sender.run, self.row.id, wanted=wanted)
        if made is None:
            return None
        step, _ = self._asked(identified, ())
        if isinstance(step, Drafted):
            known = Draft(id=made, generation=0, ticket=step.ticket, request_id=identity, payload_hash=hashed)
            if ledger.prepared(made, step.ticket):
                return known
            discard(self.sender.provider, self._left(known), wire=self.wire)
            return None
        ended = _outcome(step)
        ledger.abandon(made, ended.reason)
        return ended

    def _asked(self, batch: Batch, history: History) -> tuple[Step | Outcome, History]:
        """Ask what contacts nobody until something else comes next; nothing is asked any more once it must stop."""
        while True:
            step = self.sender.provider.next(batch, history)
            if isinstance(step, Wait):
                self.sender.stop.wait(step.seconds * random.uniform(1.0, 1.2))  # noqa: S311  jitter, no secret
                history += (Waited(seconds=step.seconds),)
            elif isinstance(step, Request) and step.effect in (Effect.PREPARE, Effect.READ):
                late = self.sender.ended()
                if late is not None:
                    return late, history
                history += (Exchange(request=step, seen=self.wire.exchange(step, Deadline())),)
            else:
                return step, history

    def _unsent(self, step: Step | Outcome | None, draft: Draft | None = None) -> Outcome | None:
        """Return why nothing was confirmed; what is rejected ends the batch, all else leaves it for the next run.

        A draft that is not there any more may have been confirmed elsewhere, unless its cancel is still accepted.
        """
        if step is None:
            return None
        ended = _outcome(step)
        if ended.verdict is not Verdict.REJECTED:
            return ended
        if draft is not None and ended.reason != self.sender.provider.failed:
            gone = Outcome(verdict=Verdict.UNREACHABLE, reason=f"its draft is gone ({ended.reason})", hint=AGAIN)
            return self._discarded(self._left(draft)) or gone
        if draft is not None:
            self.sender.ledger.abandon(draft.id, ended.reason)
        self.sender.ledger.unsendable(self.row.id, reason=ended.reason, rejected=True)
        return ended

    def _refused(self, draft: Draft | None, told: tuple[str, ...]) -> Outcome:
        """Release a batch that comes to more than was approved, and cancel its draft."""
        self.sender.ledger.unsendable(self.row.id, reason=BEYOND, rejected=False)
        left = "" if draft is None else f", the draft is {self._given_up(draft)}"
        way = "make the audience at the provider smaller, or raise the limit in a reviewed change"
        return Outcome(
            verdict=Verdict.UNREACHABLE,
            reason=BEYOND,
            hint=f"{self.batch.campaign.id}: {'; '.join(told)}: nobody was contacted{left}; {way}",
        )

    def _given_up(self, draft: Draft) -> str:
        """Cancel the draft of a released batch; return what became of it."""
        if discard(self.sender.provider, self._left(draft), wire=self.wire).verdict is not Verdict.ACCEPTED:
            return "left unconfirmed, and cancelled by the next apply"
        self.sender.ledger.abandon(draft.id, BEYOND)
        return "cancelled"

    def _left(self, draft: Draft) -> LeftDraft:
        campaign = self.batch.campaign
        return LeftDraft(
            id=draft.id,
            batch=self.row.id,
            provider=campaign.provider,
            ticket=draft.ticket,
            channel=campaign.channel,
            kind=campaign.audience.kind,
        )


def _elsewhere(left: LeftDraft) -> Outcome:
    """Return that an earlier draft is at another provider: the end of a run cancels it there."""
    told = f"an earlier draft of this edition, ticket {left.ticket}, is not cancelled yet at {left.provider}"
    return Outcome(verdict=Verdict.UNREACHABLE, reason=told, hint=AGAIN)


def discard(provider: Provider, left: LeftDraft, *, wire: Wire) -> Outcome:
    """Ask the provider to cancel a draft: ACCEPTED proves that nothing of it can be sent any more."""
    request = provider.discard(left.channel, left.kind, ticket=left.ticket)
    return provider.cancelled(wire.exchange(request, Deadline()))


def discard_left(ledger: Ledger, wires: Wires) -> None:
    """Cancel the drafts of batches that nobody will send; what cannot be cancelled now is tried by the next run."""
    for left in ledger.left_drafts():
        with contextlib.suppress(OctoplanError, KeyError):  # a provider may be gone, or its credentials
            provider = wires.project.provider(left.provider)
            with contextlib.closing(wires.open(left.provider)) as wire:
                if discard(provider, left, wire=wire).verdict is Verdict.ACCEPTED:
                    ledger.abandon(left.id, CANCELLED)


def _outcome(step: Step | Outcome) -> Outcome:
    if not isinstance(step, Outcome):
        raise TypeError(step)
    return step
