"""Step 9 for an audience that the provider holds: prepared there, compared with what was approved, then confirmed.

Until it is confirmed nobody is contacted, so whatever becomes of the requests before leaves no doubt.
"""

from __future__ import annotations

import contextlib
import json
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from octoplan.core.errors import OctoplanError
from octoplan.core.model import Channel, Drafted, Effect, Exchange, Outcome, Quote, Request, Verdict, Wait, Waited
from octoplan.core.rules.held import beyond
from octoplan.ledger import Claim, Draft
from octoplan.wire import Deadline
from octoplan.workflow.remembered import last_contacts
from octoplan.workflow.sending import OVER, STOPPED

if TYPE_CHECKING:
    from octoplan.core.model import Batch, History, Step
    from octoplan.ledger import BatchRow, Ledger
    from octoplan.project.wires import Wires
    from octoplan.wire import Wire
    from octoplan.workflow.sending import Sender

TRIES = 3
"""How often one run asks for a draft whose ticket it did not learn, or whose request id was known."""

BEYOND = "beyond-limits"
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
        """Prepare, compare, claim, confirm and settle; None if another runner has taken the batch.

        Raises:
            InDoubt: after the claim; the outcome could not be recorded, or octoplan broke.
            OctoplanError: before it; nothing was sent.
        """
        draft = self._draft()
        if draft is None or isinstance(draft, Outcome):
            return self._unsent(draft)
        step, history = self._asked(self.batch, (Drafted(ticket=draft.ticket),))
        if not isinstance(step, Quote):
            return self._unsent(step, draft)
        told = self._beyond(step)
        if told:
            return self._refused(draft, told)
        identified = replace(self.batch, request_id=draft.request_id)
        return self.sender.confirm(self.wire, self.row, batch=identified, prepared=(history, step))

    def _beyond(self, quote: Quote) -> tuple[str, ...]:
        campaign = self.batch.campaign
        return tuple(beyond(campaign, quote, last=last_contacts(self.sender.ledger, campaign)))

    def _draft(self) -> Draft | Outcome | None:
        """Return the draft of the batch with its ticket, asked for where there is none, or why there is none."""
        ledger = self.sender.ledger
        for _ in range(TRIES):
            draft = ledger.draft(self.sender.run, self.row.id)
            if draft is None or draft.ticket:
                return draft
            identified = self.sender.identified(self.batch, draft.generation)
            wanted = Claim(
                request_id=identified.request_id,
                payload_hash=self.sender.payload_hash(identified),
                deadline=Deadline().at,
            )
            made = ledger.prepare(self.sender.run, self.row.id, wanted=wanted)
            if made is None:
                return None
            step, _ = self._asked(identified, ())
            if isinstance(step, Drafted):
                known = Draft(
                    id=made, generation=draft.generation, ticket=step.ticket, request_id=identified.request_id
                )
                return known if ledger.prepared(made, step.ticket) else None
            ended = _outcome(step)
            ledger.abandon(made, ended.reason)
            if ended.verdict not in UNKNOWN:
                return ended
        told = f"{TRIES} requests to prepare it had no usable answer"
        way = "nobody was contacted; run the same command again"
        return Outcome(verdict=Verdict.UNREACHABLE, reason=told, hint=way)

    def _asked(self, batch: Batch, history: History) -> tuple[Step | Outcome, History]:
        """Ask what contacts nobody until something else comes next."""
        while True:
            step = self.sender.provider.next(batch, history)
            if isinstance(step, Wait):
                if self.sender.stop.wait(step.seconds * random.uniform(1.0, 1.2)):  # noqa: S311  jitter, no secret
                    return Outcome(verdict=Verdict.UNREACHABLE, reason=STOPPED), history
                if self.sender.is_over():
                    return Outcome(verdict=Verdict.UNREACHABLE, reason=OVER), history
                history += (Waited(seconds=step.seconds),)
            elif isinstance(step, Request) and step.effect in (Effect.PREPARE, Effect.READ):
                history += (Exchange(request=step, seen=self.wire.exchange(step, Deadline())),)
            else:
                return step, history

    def _unsent(self, step: Step | Outcome | None, draft: Draft | None = None) -> Outcome | None:
        """Return why nothing was confirmed; what is rejected ends the batch, all else leaves it for the next run."""
        if step is None:
            return None
        ended = _outcome(step)
        if ended.verdict is Verdict.REJECTED:
            if draft is not None:
                self.sender.ledger.abandon(draft.id, ended.reason)
            self.sender.ledger.unsendable(self.row.id, reason=ended.reason, rejected=True)
        return ended

    def _refused(self, draft: Draft, told: tuple[str, ...]) -> Outcome:
        """Release a batch that comes to more than was approved, and cancel its draft."""
        ledger, campaign = self.sender.ledger, self.batch.campaign
        ledger.unsendable(self.row.id, reason=BEYOND, rejected=False)
        provider = self.sender.provider
        request = provider.discard(campaign.channel, campaign.audience.kind, ticket=draft.ticket)
        answer = provider.cancelled(self.wire.exchange(request, Deadline()))
        if answer.verdict is Verdict.ACCEPTED:
            ledger.abandon(draft.id, BEYOND)
        left = "cancelled" if answer.verdict is Verdict.ACCEPTED else "left unconfirmed"
        way = "make the audience at the provider smaller, or raise the limit in a reviewed change"
        return Outcome(
            verdict=Verdict.UNREACHABLE,
            reason=BEYOND,
            hint=f"{campaign.id}: {'; '.join(told)}: nobody was contacted, the draft is {left}; {way}",
        )


def discard_left(ledger: Ledger, wires: Wires) -> None:
    """Cancel the drafts of batches that nobody will send; what cannot be cancelled now is tried by the next run."""
    known = wires.project.settings.providers
    for left in ledger.left_drafts():
        if left.provider not in known:
            continue
        provider, spec = wires.project.provider(left.provider), json.loads(left.spec)
        kind = "tag" if "tag" in spec["audience"] else "list"
        request = provider.discard(Channel(spec["channel"]), kind, ticket=left.ticket)
        with contextlib.closing(wires.open(left.provider)) as wire, contextlib.suppress(OctoplanError):
            if provider.cancelled(wire.exchange(request, Deadline())).verdict in (Verdict.ACCEPTED, Verdict.REJECTED):
                ledger.abandon(left.id, "discarded")


def _outcome(step: Step | Outcome) -> Outcome:
    if not isinstance(step, Outcome):
        raise TypeError(step)
    return step
