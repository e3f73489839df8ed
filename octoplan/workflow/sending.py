"""Step 9: one batch from claim to settlement. Only here bytes leave that contact anybody."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from octoplan.core import keys
from octoplan.core.errors import InDoubt, OctoplanError
from octoplan.core.model import (
    Agreed,
    Doubted,
    Effect,
    Exchange,
    NotSent,
    Outcome,
    Reply,
    Request,
    Verdict,
    Wait,
    Waited,
)
from octoplan.ledger import FOREIGN, BatchState, Claim, Settlement
from octoplan.wire import SECONDS, Deadline
from octoplan.workflow import hours
from octoplan.workflow.hours import CLOSED

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from decimal import Decimal

    from octoplan.core.model import Batch, History, Quote
    from octoplan.ledger import BatchRow, Ledger
    from octoplan.providers import Provider
    from octoplan.wire import Wire
    from octoplan.workflow.suppressions import Suppressions

DUPLICATED = f"{FOREIGN}: another ledger has sent this batch"
ELSEWHERE = (
    "this ledger is new in the place of another, or a copy of one: see docs/ledger.md "
    "(in the built-in sandbox: delete the folder .octoplan to begin anew)"
)
STOPPED = "stopped"
OVER = "plan-expired"
CHANGED = "suppressions-changed"

CONNECTING = 1.0
"""Seconds that a request which was in time still has to reach the wire."""

STATES = {
    Verdict.ACCEPTED: BatchState.ACCEPTED,
    Verdict.REJECTED: BatchState.NOT_SENT,
    Verdict.REFUSED: BatchState.NOT_SENT,
    Verdict.UNREACHABLE: BatchState.NOT_SENT,
    Verdict.IN_DOUBT: BatchState.IN_DOUBT,
}


@dataclass(slots=True)
class Pace:
    """Spaces requests over all worker threads to at most `rate` a second; None: no limit."""

    rate: Decimal | None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _next: float = 0.0

    def wait(self, stop: threading.Event) -> None:
        """Sleep until the next request may leave, or something says stop."""
        if self.rate is None:
            return
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + 1 / float(self.rate)
        stop.wait(turn - now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Sends the batches of one campaign in one run, until its time in the plan `closes`.

    `spec_hash` is the campaign's digest plus the account.
    """

    ledger: Ledger
    run: str
    key: bytes
    spec_hash: str
    provider: Provider
    closes: datetime | None
    clock: Callable[[], datetime]
    stop: threading.Event
    suppressions: Suppressions

    def is_over(self) -> bool:
        """Tell whether no request of this campaign may leave any more."""
        return self.closes is None or self.clock() > self.closes

    def is_closed(self, batch: Batch) -> bool:
        """Tell whether a batch would be due, if it were requested now, when somebody in it may not be reached."""
        return hours.is_closed(batch, self.clock())

    def send(self, wire: Wire, row: BatchRow, *, batch: Batch, dropped: bytes) -> Outcome | None:
        """Claim, send once and settle; None if another runner has taken the batch.

        From the claim on nothing prints, logs or raises until the outcome is recorded.

        Raises:
            InDoubt: after the claim; the outcome could not be recorded, or octoplan broke.
            OctoplanError: before it; nothing was sent.
        """
        identified = self.identified(batch, row.generation)
        deadline = self._deadline(batch)
        claim = replace(self._claim(identified, deadline), dropped=dropped)
        attempt = self.ledger.claim(self.run, row.id, wanted=claim)
        return None if attempt is None else self._settled(wire, row, batch=identified, attempt=(attempt, deadline))

    def repeat(self, wire: Wire, row: BatchRow, *, identified: Batch) -> Outcome | None:
        """Claim a batch in doubt again, send the identical request once and settle; None if it is in doubt no more.

        Only acceptance, or the answer that the request id is known, closes the doubt. Raises as `send` does.
        """
        deadline = self._deadline(identified)
        attempt = self.ledger.repeat(self.run, row.id, wanted=self._claim(identified, deadline))
        if attempt is None:
            return None
        return self._settled(wire, row, batch=identified, attempt=(attempt, deadline), history=(Doubted(),))

    def confirm(self, wire: Wire, row: BatchRow, *, batch: Batch, prepared: tuple[History, Quote]) -> Outcome | None:
        """Claim what the provider has prepared or counted, confirm it once and settle; None if another runner has it.

        Late or closed, it is not claimed. What the answer does not count is as it was quoted. Raises as `send` does.
        """
        history, quote = prepared
        late = self.ended() or self._late(batch, ())
        if late is not None:
            return late
        agreed = (*history, Agreed())
        deadline = self._deadline(batch)
        hashed = keys.payload_hash(self.key, self._request(batch, agreed).body)
        wanted = Claim(request_id=batch.request_id, payload_hash=hashed, deadline=deadline.at, quote=quote)
        attempt = self.ledger.claim(self.run, row.id, wanted=wanted)
        if attempt is None:
            return None
        outcome = self._settled(wire, row, batch=batch, attempt=(attempt, deadline), history=agreed)
        receipt = outcome.receipt
        if outcome.verdict is not Verdict.ACCEPTED or receipt is None:
            return outcome
        cost = quote.cost if receipt.cost is None else receipt.cost
        return replace(outcome, receipt=replace(receipt, contacts=receipt.contacts or quote.contacts, cost=cost))

    def ended(self) -> Outcome | None:
        """Return why nothing new may be begun any more; None if it may."""
        reason = STOPPED if self.stop.is_set() else OVER if self.is_over() else ""
        return Outcome(verdict=Verdict.UNREACHABLE, reason=reason) if reason else None

    def doubt(self, row: BatchRow, *, reason: str) -> Outcome | None:
        """Record that a batch may have been sent by somebody else; None if another runner has taken it."""
        wanted = Claim(request_id="", payload_hash="", deadline=Deadline().at)
        claimed = self.ledger.claim(self.run, row.id, wanted=wanted)
        if claimed is None:
            return None
        outcome = Outcome(verdict=Verdict.IN_DOUBT, reason=reason)
        self._settle(claimed, outcome)
        return outcome

    def payload_hash(self, identified: Batch) -> str:
        """Return what a recorded request is compared by: the keyed hash of its exact bytes."""
        return keys.payload_hash(self.key, self._request(identified).body)

    def _claim(self, identified: Batch, deadline: Deadline) -> Claim:
        return Claim(request_id=identified.request_id, payload_hash=self.payload_hash(identified), deadline=deadline.at)

    def _settled(
        self, wire: Wire, row: BatchRow, *, batch: Batch, attempt: tuple[str, Deadline], history: History = ()
    ) -> Outcome:
        """Exchange and settle; nothing prints, logs or raises in between."""
        claimed, deadline = attempt
        try:
            outcome, history = self._exchange(wire, batch, attempt=claimed, deadline=deadline, history=history)
            if outcome.verdict is Verdict.DUPLICATE:
                outcome = self._duplicate(claimed, outcome, history=history)
        except BaseException as error:
            broken = f"octoplan broke with {type(error).__name__} while this was on the wire"
            self._settle(claimed, Outcome(verdict=Verdict.IN_DOUBT, reason=broken))
            raise InDoubt(f"{row.id}: {broken}", reason=Verdict.IN_DOUBT) from error
        self._settle(claimed, outcome)
        return outcome

    def drop(self, row: BatchRow, keys: bytes) -> None:
        """Release a batch in which nobody is left."""
        self.ledger.claim(
            self.run, row.id, wanted=Claim(request_id="", payload_hash="", deadline=Deadline().at, dropped=keys)
        )

    def identified(self, batch: Batch, generation: int) -> Batch:
        """Return a batch with the request id that its campaign, people, payload and generation give it."""
        bare = self._request(batch)
        identity = keys.request_id(self.key, self.spec_hash, keys=batch.keys, payload=bare.body, generation=generation)
        return replace(batch, request_id=identity)

    def _request(self, batch: Batch, history: History = ()) -> Request:
        request = self.provider.next(batch, history)
        if not isinstance(request, Request):
            raise TypeError(request)
        return request

    def _exchange(
        self, wire: Wire, batch: Batch, *, attempt: str, deadline: Deadline, history: History
    ) -> tuple[Outcome, History]:
        while True:
            step = self.provider.next(batch, history)
            match step:
                case Outcome():
                    return step, history
                case Wait():
                    waited = self._wait(step.seconds, batch, attempt=attempt)
                    if isinstance(waited, Outcome):
                        return waited, history
                    deadline = waited
                    history += (Waited(seconds=step.seconds),)
                case Request():
                    late = self._late(batch, history)  # claiming, or renewing, may have waited for the ledger
                    if late is not None:
                        return late, history
                    history += (Exchange(request=step, seen=wire.exchange(step, deadline)),)
                case _:
                    raise TypeError(step)

    def _deadline(self, batch: Batch) -> Deadline:
        """Return the deadline of a request that must begin while its campaign's time and its hours last."""
        now = self.clock()
        left = [] if self.closes is None else [self.closes - now]
        closing = hours.closes_in(batch, now, within=timedelta(seconds=SECONDS))
        ends = [*left, *([] if closing is None else [closing])]
        return Deadline(begins=max(CONNECTING, min(ends).total_seconds()) if ends else None)

    def _late(self, batch: Batch, history: History) -> Outcome | None:
        """Return why a request must not leave any more; None if it may. An earlier attempt's doubt stays."""
        reason = OVER if self.is_over() else CLOSED if self.is_closed(batch) else ""
        doubted = any(isinstance(step, Doubted) for step in history)
        verdict = Verdict.IN_DOUBT if doubted else Verdict.UNREACHABLE
        return Outcome(verdict=verdict, reason=reason) if reason else None

    def _wait(self, seconds: float, batch: Batch, *, attempt: str) -> Deadline | Outcome:
        """Return the deadline after a wait in which nothing is on the wire, or why nothing is sent after it."""
        if self.stop.wait(seconds * random.uniform(1.0, 1.2)):  # noqa: S311  jitter, no secret
            return Outcome(verdict=Verdict.UNREACHABLE, reason=STOPPED)
        if self.suppressions.changed():
            return Outcome(verdict=Verdict.UNREACHABLE, reason=CHANGED)
        deadline = self._deadline(batch)
        try:
            self.ledger.renew(attempt, deadline.at)
        except OctoplanError as error:
            return Outcome(verdict=Verdict.UNREACHABLE, reason=error.reason, hint=str(error))
        return deadline

    def _duplicate(self, attempt: str, outcome: Outcome, *, history: History) -> Outcome:
        """Tell our own duplicate, after an answer that a middle box may have invented, from a foreign one."""
        exchanges = (item for item in history if isinstance(item, Exchange))
        *earlier, last = (item.seen for item in exchanges if item.request.effect is Effect.SEND)
        again = isinstance(last, Reply) and last.again
        if again or any(not isinstance(seen, NotSent) for seen in earlier) or self.ledger.earlier(attempt):
            return replace(outcome, verdict=Verdict.ACCEPTED)
        return replace(outcome, verdict=Verdict.IN_DOUBT, reason=DUPLICATED, hint=ELSEWHERE)

    def _settle(self, attempt: str, outcome: Outcome) -> None:
        self.ledger.settle(
            attempt,
            Settlement(
                state=STATES[outcome.verdict],
                reason=outcome.reason,
                rejected=outcome.verdict is Verdict.REJECTED,
                receipt=outcome.receipt,
            ),
        )
