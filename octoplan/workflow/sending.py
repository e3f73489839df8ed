"""Step 9: one batch from claim to settlement. Only here bytes leave that contact anybody."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from octoplan.core import keys
from octoplan.core.model import Exchange, NotSent, Outcome, Request, Verdict, Wait, Waited
from octoplan.ledger import BatchState, Claim, Settlement
from octoplan.wire import Deadline

if TYPE_CHECKING:
    from decimal import Decimal

    from octoplan.core.model import Batch, History
    from octoplan.ledger import BatchRow, Ledger
    from octoplan.providers import Provider
    from octoplan.wire import Wire

FOREIGN = "foreign duplicate: another ledger has sent this batch"
STOPPED = "stopped"

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

    def wait(self) -> None:
        """Sleep until the next request may leave."""
        if self.rate is None:
            return
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + 1 / float(self.rate)
        time.sleep(turn - now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Sends the batches of one campaign in one run. `spec_hash` is the campaign's digest plus the account."""

    ledger: Ledger
    run: str
    key: bytes
    spec_hash: str
    provider: Provider
    stop: threading.Event

    def send(self, wire: Wire, row: BatchRow, *, batch: Batch, dropped: bytes) -> Outcome | None:
        """Claim, send once and settle; None if another runner has taken the batch.

        From the claim on nothing prints, logs or raises until the outcome is recorded.
        """
        identified = self._identified(batch, row.generation)
        request = self.provider.next(identified, ())
        if not isinstance(request, Request):
            raise TypeError(request)
        deadline = Deadline()
        claim = Claim(
            request_id=identified.request_id,
            payload_hash=keys.payload_hash(self.key, request.body),
            deadline=deadline.at,
            dropped=dropped,
        )
        attempt = self.ledger.claim(self.run, row.id, claim)
        if attempt is None:
            return None
        try:
            outcome, history = self._exchange(wire, identified, attempt=attempt, deadline=deadline)
            if outcome.verdict is Verdict.DUPLICATE:
                outcome = self._duplicate(attempt, outcome, history=history)
        except BaseException as error:
            doubt = Outcome(verdict=Verdict.IN_DOUBT, reason=f"interrupted by {type(error).__name__}")
            self._settle(attempt, doubt)
            raise
        self._settle(attempt, outcome)
        return outcome

    def drop(self, row: BatchRow, keys: bytes) -> None:
        """Release a batch in which nobody is left."""
        self.ledger.claim(self.run, row.id, Claim(request_id="", payload_hash="", deadline=Deadline().at, dropped=keys))

    def _identified(self, batch: Batch, generation: int) -> Batch:
        bare = self.provider.next(batch, ())
        if not isinstance(bare, Request):
            raise TypeError(bare)
        identity = keys.request_id(self.key, self.spec_hash, keys=batch.keys, payload=bare.body, generation=generation)
        return replace(batch, request_id=identity)

    def _exchange(self, wire: Wire, batch: Batch, *, attempt: str, deadline: Deadline) -> tuple[Outcome, History]:
        history: History = ()
        while True:
            step = self.provider.next(batch, history)
            match step:
                case Outcome():
                    return step, history
                case Wait():
                    if self.stop.wait(step.seconds * random.uniform(1.0, 1.2)):  # noqa: S311  jitter, no secret
                        return Outcome(verdict=Verdict.UNREACHABLE, reason=STOPPED), history
                    deadline = Deadline()
                    self.ledger.renew(attempt, deadline.at)
                    history += (Waited(seconds=step.seconds),)
                case Request():
                    history += (Exchange(request=step, seen=wire.exchange(step, deadline)),)

    def _duplicate(self, attempt: str, outcome: Outcome, *, history: History) -> Outcome:
        """Tell our own duplicate, after an answer that a middle box may have invented, from a foreign one."""
        earlier = [item for item in history if isinstance(item, Exchange)][:-1]
        if any(not isinstance(item.seen, NotSent) for item in earlier) or self.ledger.earlier(attempt):
            return replace(outcome, verdict=Verdict.ACCEPTED)
        return replace(outcome, verdict=Verdict.IN_DOUBT, reason=FOREIGN)

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
