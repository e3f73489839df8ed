"""Step 9 for all batches of a run: worker threads claim, send and settle; what became of each is counted."""

from __future__ import annotations

import contextlib
import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from octoplan.core.errors import Exit, InDoubt
from octoplan.core.model import Verdict
from octoplan.core.plan import money_text
from octoplan.ledger import BatchState
from octoplan.workflow import hours
from octoplan.workflow.drafting import BEYOND, Drafting
from octoplan.workflow.hours import CLOSED
from octoplan.workflow.sending import CHANGED, OVER, STATES, STOPPED, Pace
from octoplan.workflow.tally import Tally, reached

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from decimal import Decimal

    from octoplan.core.model import Batch, Outcome
    from octoplan.core.plan import Plan
    from octoplan.ledger import BatchRow
    from octoplan.project import Project
    from octoplan.project.wires import Wires
    from octoplan.wire import Wire
    from octoplan.workflow.progress import Progress, Stop
    from octoplan.workflow.sending import Sender
    from octoplan.workflow.suppressions import Suppressions

REASONS: Mapping[str, Exit | None] = {STOPPED: None, OVER: Exit.STALE, BEYOND: Exit.BLOCKED}
"""Exit codes of outcomes of our own making; whoever says stop gives the code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One reserved batch, the request it stands for, and the keys that dropped out since."""

    row: BatchRow
    batch: Batch
    dropped: bytes
    sender: Sender

    @property
    def contacts(self) -> int:
        """How many people it is for; of an audience that the provider holds, at most."""
        return self.batch.contacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How one batch ended in this run: `state` as the ledger has it, `cost` None where the provider names none."""

    batch: str
    state: BatchState
    contacts: int
    cost: Decimal | None = None
    reason: str = ""

    def as_json(self) -> dict[str, object]:
        """Return it for programs; money as text."""
        return {
            "batch": self.batch,
            "state": self.state.value,
            "contacts": self.contacts,
            "cost": None if self.cost is None else money_text(self.cost),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervision:
    """How an apply is watched, in the thread that called it.

    `confirm` sees the plan before anything is reserved and may refuse by raising; `told` sees how each
    batch ended, never between a claim and its settlement.
    """

    progress: Progress
    stop: Stop
    confirm: Callable[[Plan], None]
    told: Callable[[Ended], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """The workers of one run, and what they have to tell."""

    project: Project
    wires: Wires
    suppressions: Suppressions
    watch: Supervision
    tally: Tally = field(default_factory=Tally)
    lock: threading.Lock = field(default_factory=threading.Lock)
    ended: queue.SimpleQueue[Ended | None] = field(default_factory=queue.SimpleQueue)
    """What the workers have to tell; None from each that leaves."""
    taken: dict[str, int] = field(default_factory=dict)
    """Batches that another run was quicker to claim, each with its contacts."""
    failed: dict[str, int] = field(default_factory=dict)
    """Batches that raised before anything was sent of them, each with its contacts."""
    unrecorded: dict[str, int] = field(default_factory=dict)
    """Batches of which nobody knows, or the ledger may not, how they ended."""
    sentences: dict[str, str] = field(default_factory=dict)
    """By an outcome's reason, all there is to say of it: the ledger keeps the reason alone."""

    def send(self, jobs: list[Job]) -> None:
        """Send until everything is settled or something says stop; what is left was not started."""
        self.watch.progress.begin("send", sum(job.contacts for job in jobs))
        for name in sorted({job.batch.campaign.provider for job in jobs}):
            self._send_through(name, [job for job in jobs if job.batch.campaign.provider == name])
        self.watch.progress.end()

    def _send_through(self, name: str, jobs: list[Job]) -> None:
        """Send the batches of one provider with its worker threads."""
        waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
        for job in jobs:
            waiting.put(job)
        settings = self.project.settings.providers[name]
        pace = Pace(None if self.project.surroundings.sandbox else settings.rate)
        workers = min(settings.workers, len(jobs))
        with ThreadPoolExecutor(workers, thread_name_prefix="send") as pool:
            crew = [pool.submit(self._work, name, waiting, pace=pace) for _ in range(workers)]
            self._tell(workers)
        for worker in crew:
            if isinstance(error := worker.exception(), Exception):
                self.tally.fail(error)
        self.tally.not_started += sum(job.contacts for job in _left(waiting))

    def _tell(self, workers: int) -> None:
        """Tell what the workers have to tell, until all have left; if that fails, stop them."""
        try:
            while workers:
                ended = self.ended.get()
                if ended is None:
                    workers -= 1
                else:
                    self.watch.told(ended)
        except BaseException:
            self.watch.stop.set()
            raise

    def _work(self, name: str, waiting: queue.SimpleQueue[Job], *, pace: Pace) -> None:
        """Send batches one by one; runs in a worker thread with a wire of its own."""
        try:
            with contextlib.closing(self.wires.open(name)) as wire:
                for job in self._claimable(waiting, pace):
                    self._send_one(wire, job)
        finally:
            self.ended.put(None)

    def _send_one(self, wire: Wire, job: Job) -> None:
        try:
            outcome = self._outcome(wire, job)
        except Exception as error:  # noqa: BLE001  it must hide neither this batch nor the others
            self._failed(job, error)
        else:
            self._count(job, outcome)

    def _outcome(self, wire: Wire, job: Job) -> Outcome | None:
        if job.row.held:
            return Drafting(sender=job.sender, wire=wire, row=job.row, batch=job.batch).send()
        return job.sender.send(wire, job.row, batch=job.batch, dropped=job.dropped)

    def _claimable(self, waiting: queue.SimpleQueue[Job], pace: Pace) -> Iterator[Job]:
        """Yield the batches that may be claimed at this moment, until none is left or something says stop."""
        while not self.watch.stop.is_set():
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                return
            pace.wait(self.watch.stop)
            if self._stops():
                waiting.put(job)
            elif job.sender.is_over():
                self._late(job)
            elif job.sender.is_closed(job.batch):
                self._closed(job)
            else:
                yield job

    def _stops(self) -> bool:
        if not self.watch.stop.is_set() and self.suppressions.changed():
            self._note_changed()
        return self.watch.stop.is_set()

    def _note_changed(self) -> None:
        self.watch.stop.set()
        sentence = "a suppression list has changed: run the same command again, which reads it"
        self.tally.end(Exit.UNFINISHED, CHANGED, sentence=sentence)

    def _late(self, job: Job) -> None:
        with self.lock:
            self.tally.not_started += job.contacts
            self.note_over(job.row.campaign)

    def _closed(self, job: Job) -> None:
        with self.lock:
            self.tally.not_started += job.contacts
            self._note_closed(job)

    def _failed(self, job: Job, error: Exception) -> None:
        """Count a batch that raised: in doubt from its claim on, before it not started."""
        self.watch.stop.set()
        with self.lock:
            if isinstance(error, InDoubt):
                self.unrecorded[job.row.id] = job.contacts
                self.tally.in_doubt += job.contacts
                self.ended.put(_ended(job, BatchState.IN_DOUBT, contacts=job.contacts, reason=str(error)))
            else:
                self.failed[job.row.id] = job.contacts
                self.tally.not_started += job.contacts
            self.tally.fail(error)

    def _count(self, job: Job, outcome: Outcome | None) -> None:
        contacts = job.contacts
        with self.lock:
            if outcome is None:
                self.tally.not_started += contacts
                self.taken[job.row.id] = contacts
                sentence = "not ours to send any more: another run took it"
                self.tally.end(Exit.DONE, "taken", sentence=sentence, batch=job.row.id)
            else:
                self._settled(job, outcome)
        self.watch.progress.advance(contacts)

    def _settled(self, job: Job, outcome: Outcome) -> None:
        self.tally.count(job.batch, outcome)
        cost = outcome.receipt.cost if outcome.receipt else None
        contacts = reached(job.batch, outcome)
        self.ended.put(_ended(job, _state(job, outcome), contacts=contacts, reason=outcome.reason, cost=cost))
        code = _code(outcome)
        if outcome.reason == CLOSED:
            self._note_closed(job)
        elif outcome.reason == CHANGED:
            self._note_changed()
        elif code is not None:
            sentence = self.sentences[outcome.reason] = _sentence(outcome)
            word = outcome.reason if outcome.reason in REASONS else outcome.verdict.value
            self.tally.end(code, word, sentence=sentence, batch=job.row.id)
            waits = job.row.held and outcome.verdict is Verdict.UNREACHABLE  # the others need not wait for a list
            if code is not Exit.REJECTED and not waits:
                self.watch.stop.set()

    def _note_closed(self, job: Job) -> None:
        code, sentence = hours.told(job.batch, self.project.clock(), closes=job.sender.closes)
        self.tally.end(code, CLOSED, sentence=sentence)

    def note_over(self, campaign: str) -> None:
        """Note that a campaign's time in the plan is over."""
        self.tally.end(Exit.STALE, OVER, sentence=f"the time of {campaign} in this plan is over: make a new plan")


def _ended(job: Job, state: BatchState, *, contacts: int, reason: str, cost: Decimal | None = None) -> Ended:
    return Ended(batch=job.row.id, state=state, contacts=contacts, cost=cost, reason=reason)


def _state(job: Job, outcome: Outcome) -> BatchState:
    """Return a batch's state as the ledger has it: a list that was not confirmed stays reserved, or is released."""
    if job.row.held and outcome.verdict in (Verdict.UNREACHABLE, Verdict.REFUSED):
        return BatchState.RELEASED if outcome.reason == BEYOND else BatchState.RESERVED
    return STATES[outcome.verdict]


def _left(waiting: queue.SimpleQueue[Job]) -> list[Job]:
    left = []
    with contextlib.suppress(queue.Empty):
        while True:
            left.append(waiting.get_nowait())
    return left


def _code(outcome: Outcome) -> Exit | None:
    """Return the exit code that an outcome asks for; every one but `REJECTED` also ends the run."""
    if outcome.reason in REASONS:
        return REASONS[outcome.reason]
    match outcome.verdict:
        case Verdict.ACCEPTED:
            return Exit.BLOCKED if outcome.excess else None
        case Verdict.REJECTED:
            return Exit.REJECTED
        case Verdict.REFUSED:
            return Exit.INPUT
        case Verdict.UNREACHABLE:
            return Exit.UNFINISHED
    return Exit.DOUBT


def _sentence(outcome: Outcome) -> str:
    return " — ".join(part for part in (outcome.reason, outcome.excess, outcome.hint) if part)
