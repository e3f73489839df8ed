"""Steps 8 to 10 of one apply: record, reserve, send with worker threads, settle, add up."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from octoplan.core import keys
from octoplan.core.errors import Exit, InDoubt, OctoplanError, Unfinished
from octoplan.core.model import Verdict
from octoplan.core.plan import money_text
from octoplan.ledger import HELD, BatchState, NewBatch, RecordedCampaign, RecordedPlan, Reserve
from octoplan.workflow import approve, hours
from octoplan.workflow.hours import CLOSED
from octoplan.workflow.repeat import way_out
from octoplan.workflow.sending import CHANGED, OVER, STATES, STOPPED, Pace, Sender
from octoplan.workflow.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from octoplan.core.batch import Packer
    from octoplan.core.model import Batch, Outcome
    from octoplan.core.plan import Plan, PlannedCampaign
    from octoplan.ledger import BatchRow, Edition, Ledger
    from octoplan.project import Project
    from octoplan.project.wires import Wires
    from octoplan.wire import Wire
    from octoplan.workflow.plan import Draft
    from octoplan.workflow.prepare import Prepared
    from octoplan.workflow.progress import Progress, Stop
    from octoplan.workflow.suppressions import Suppressions

PLANNED = ("send", "resume", "wait", "in_doubt")
"""Actions of a plan whose contacts are in its totals."""

REASONS: Mapping[str, Exit | None] = {STOPPED: None, OVER: Exit.STALE}
"""Exit codes of outcomes of our own making; whoever says stop gives the code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One reserved batch, the request it stands for, and the keys that dropped out since."""

    row: BatchRow
    batch: Batch
    dropped: bytes
    sender: Sender


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
class Run:
    """One apply from the recorded plan to the last settlement.

    `id` is the ledger's open run; `now` the moment by which campaigns were judged to be in time.
    """

    id: str
    project: Project
    plan: Plan
    fresh: Draft
    now: datetime
    ledger: Ledger
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

    def send(self) -> None:
        """Reserve and send every campaign that is in time.

        From the first reservation on no expected error is raised: it is counted, beside what was sent.

        Raises:
            OctoplanError: before anything was reserved.
        """
        self._refuse_rivals()
        self.ledger.record(self._recorded())
        due = self._due()
        before = self.tally.not_started
        self.watch.stop.sending = True  # who is told to stop while something is reserved must not take it for an error
        self._send_all([job for item in due for job in self._reserve(item)])
        wished = self.watch.stop.wished
        if wished is not None and self.tally.not_started > before:
            self.tally.end(wished, STOPPED, sentence="stopped on request: run the same command again")

    def _refuse_rivals(self) -> None:
        """Refuse before this plan is recorded: recording it would supersede the plan that is being applied."""
        for row in self.plan.campaigns:
            for batch in self.ledger.edition(row.id, row.edition).batches:
                rival = batch.plan_id != self.plan.plan_id and batch.alive
                if rival and batch.state in (BatchState.RESERVED, BatchState.CLAIMED):
                    raise Unfinished(
                        f"{row.id}: another plan is being applied at this moment: wait for it, then make a new plan",
                        reason="run-alive",
                    )

    def conclude(self) -> Tally:
        """End the run and look at how things stand; what cannot be read now, the next plan shows."""
        for step in (partial(self.ledger.close_run, self.id), self._look_back):
            try:
                step()
            except OctoplanError as error:
                self.tally.fail(error)
        return self.tally

    def _due(self) -> list[Prepared]:
        """Return the campaigns somebody is owed and whose time, in the recorded plan, is now."""
        due = []
        for row, item in approve.paired(self.plan, self.fresh):
            if row.estimate is None or row.action not in PLANNED:
                continue
            self.tally.approve(Decimal(row.estimate.worst), row.estimate.currency)
            owed = _contacts(item)
            self.tally.dropped += approve.gone(self.plan, row, item=item)
            if self._is_superseded(row):
                self.tally.not_started += owed
                continue
            if owed and self._is_in_time(row):
                due.append(item)
            else:
                self.tally.not_started += owed
        return due

    def _is_in_time(self, row: PlannedCampaign) -> bool:
        """Tell whether a campaign may be sent now, by the recorded plan; if not, note why."""
        if row.apply_from is not None and self.now < row.apply_from:
            self.tally.end(Exit.DONE, "waiting", sentence=f"{row.id} waits until {row.apply_from}")
        elif not approve.is_in_time(row, self.now):
            self._note_over(row.id)
        else:
            return True
        return False

    def _is_superseded(self, row: PlannedCampaign) -> bool:
        """Tell whether a newer applied plan covers a campaign; if so, note it."""
        newer = self.ledger.superseded(self.plan.plan_id, row.id)
        if newer is not None:
            sentence = f"{row.id} is superseded by the newer applied plan {newer[:8]}: make a new plan"
            self.tally.end(Exit.STALE, "plan-superseded", sentence=sentence)
        return newer is not None

    def _note_closed(self, job: Job) -> None:
        code, sentence = hours.told(job.batch, self.project.clock(), closes=job.sender.closes)
        self.tally.end(code, CLOSED, sentence=sentence)

    def _note_over(self, campaign: str) -> None:
        self.tally.end(Exit.STALE, OVER, sentence=f"the time of {campaign} in this plan is over: make a new plan")

    def _recorded(self) -> RecordedPlan:
        fresh = {(item.row.id, item.row.edition): item for item in self.fresh.prepared}
        return RecordedPlan(
            plan_id=self.plan.plan_id,
            created_at=self.plan.created_at,
            everything=self.plan.selection.all,
            campaigns=tuple(
                RecordedCampaign(
                    id=row.id,
                    edition=row.edition,
                    apply_from=row.apply_from,
                    apply_until=row.apply_until,
                    worst=_bound(row, fresh[row.id, row.edition].row),
                    currency=row.estimate.currency if row.estimate else "",
                    spec=json.dumps(fresh[row.id, row.edition].spec, sort_keys=True, ensure_ascii=False),
                )
                for row in self.plan.campaigns
                if row.apply_from is not None and row.apply_until is not None
            ),
        )

    def _reserve(self, item: Prepared) -> list[Job]:
        """Return the batches of a campaign that are now ours to claim; none, and why, if it cannot be reserved."""
        if item.packer is None or item.edition is None:
            return []
        if self.watch.stop.is_set():
            self.tally.not_started += _contacts(item)
            return []
        try:
            rows = self.ledger.reserve(
                self.id, self.plan.plan_id, wanted=_reservation(item, item.packer, edition=item.edition)
            )
            return self._jobs(item, item.packer, rows=rows)
        except OctoplanError as error:
            self.tally.fail(error)
            self.tally.not_started += _contacts(item)
            return []

    def _jobs(self, item: Prepared, packer: Packer, *, rows: tuple[BatchRow, ...]) -> list[Job]:
        """Return the jobs of reserved batches; one in which nobody is left is released."""
        closes = {(row.id, row.edition): row.apply_until for row in self.plan.campaigns}
        sender = Sender(
            ledger=self.ledger,
            run=self.id,
            key=self.project.key,
            spec_hash=f"{item.row.digest}/{self.plan.accounts[item.campaign.provider]}",
            provider=self.project.provider(item.campaign.provider),
            closes=closes[item.row.id, item.row.edition],
            clock=self.project.clock,
            stop=self.watch.stop,
            suppressions=self.suppressions,
        )
        jobs = []
        for row in rows:
            batch, dropped = packer.rebuild(row.keys, first=row.number == 1)
            if batch is None:
                sender.drop(row, dropped)
            else:
                jobs.append(Job(row=row, batch=batch, dropped=dropped, sender=sender))
        return jobs

    def _send_all(self, jobs: list[Job]) -> None:
        """Send until everything is settled or something says stop; what is left was not started."""
        self.watch.progress.begin("send", sum(len(job.batch.keys) for job in jobs))
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
        self.tally.not_started += sum(len(job.batch.keys) for job in _left(waiting))

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
            outcome = job.sender.send(wire, job.row, batch=job.batch, dropped=job.dropped)
        except Exception as error:  # noqa: BLE001  it must hide neither this batch nor the others
            self._failed(job, error)
        else:
            self._count(job, outcome)

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
            self.tally.not_started += len(job.batch.keys)
            self._note_over(job.row.campaign)

    def _closed(self, job: Job) -> None:
        with self.lock:
            self.tally.not_started += len(job.batch.keys)
            self._note_closed(job)

    def _failed(self, job: Job, error: Exception) -> None:
        """Count a batch that raised: in doubt from its claim on, before it not started."""
        self.watch.stop.set()
        with self.lock:
            if isinstance(error, InDoubt):
                self.unrecorded[job.row.id] = len(job.batch.keys)
                self.tally.in_doubt += len(job.batch.keys)
                self.ended.put(_ended(job, BatchState.IN_DOUBT, reason=str(error)))
            else:
                self.failed[job.row.id] = len(job.batch.keys)
                self.tally.not_started += len(job.batch.keys)
            self.tally.fail(error)

    def _count(self, job: Job, outcome: Outcome | None) -> None:
        contacts = len(job.batch.keys)
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
        self.ended.put(_ended(job, STATES[outcome.verdict], reason=outcome.reason, cost=cost))
        code = _code(outcome)
        if outcome.reason == CLOSED:
            self._note_closed(job)
        elif outcome.reason == CHANGED:
            self._note_changed()
        elif code is not None:
            sentence = self.sentences[outcome.reason] = _sentence(outcome)
            self.tally.end(code, outcome.verdict.value, sentence=sentence, batch=job.row.id)
            if code is not Exit.REJECTED:
                self.watch.stop.set()

    def _look_back(self) -> None:
        """Count what this and earlier runs left: doubts of these campaigns, and rejections under this plan."""
        editions = [self.ledger.edition(row.id, row.edition) for row in self.fresh.plan.campaigns]
        batches = [batch for edition in editions for batch in edition.batches]
        doubts = [batch for batch in batches if batch.state is BatchState.IN_DOUBT]
        started = {batch.id for batch in batches if batch.state in HELD or batch.rejected}
        elsewhere = {**self.taken, **self.failed}
        self.tally.not_started -= sum(count for batch, count in elsewhere.items() if batch in started)
        if self.taken.keys() - started:
            sentence = "another run took batches and did not send them: run the same command again"
            self.tally.end(Exit.UNFINISHED, "taken", sentence=sentence)
        doubts += [batch for batch in batches if batch.id in self.failed and batch.state is BatchState.CLAIMED]
        doubted = {**self.unrecorded, **{batch.id: batch.count for batch in doubts}}
        self.tally.in_doubt = sum(doubted.values())
        self.tally.rejected = sum(self._rejected(edition) for edition in editions)
        if doubts:
            sentence = way_out(self.project, self.ledger.doubtful(), now=self.project.clock())
            again = "; then run the same command again" if self.tally.not_started else ""
            self.tally.end(Exit.DOUBT, Verdict.IN_DOUBT.value, sentence=sentence + again)

    def _rejected(self, edition: Edition) -> int:
        """Count who was rejected under this plan and has not been sent it since, and tell why."""
        people = len(edition.rejected(self.plan.plan_id)) // keys.SIZE
        for batch in edition.batches if people else ():
            if batch.rejected and batch.plan_id == self.plan.plan_id:
                sentence = self.sentences.get(batch.reason, batch.reason)
                self.tally.end(Exit.REJECTED, Verdict.REJECTED.value, sentence=sentence, batch=batch.id)
        return people


def _bound(row: PlannedCampaign, fresh: PlannedCampaign) -> Decimal:
    """Return what a campaign's batches may cost together: its approved worst cost, but for cents of rounding.

    Whoever drops out moves the others between batches, each of which is rounded up by itself; that the
    exact cost is within the approved worst has been checked.
    """
    if row.estimate is None or row.action not in PLANNED:
        return Decimal(0)
    return max(Decimal(row.estimate.worst), Decimal(fresh.estimate.worst) if fresh.estimate else Decimal(0))


def _contacts(item: Prepared) -> int:
    return 0 if item.row.estimate is None else item.row.estimate.contacts


def _reservation(item: Prepared, packer: Packer, *, edition: Edition) -> Reserve:
    batches = packer.batches(first=not edition.batches)
    return Reserve(
        campaign=item.campaign.id,
        edition=item.campaign.edition,
        version=edition.version,
        seen=edition.newest,
        provider=item.campaign.provider,
        currency=packer.prices.currency,
        batches=tuple(NewBatch(keys=b"".join(batch.keys), parts=batch.parts, worst=batch.worst) for batch in batches),
    )


def _ended(job: Job, state: BatchState, *, reason: str, cost: Decimal | None = None) -> Ended:
    return Ended(batch=job.row.id, state=state, contacts=len(job.batch.keys), cost=cost, reason=reason)


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
