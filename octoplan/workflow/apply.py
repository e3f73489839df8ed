"""Steps 8 to 10: plan again, compare with what was approved, record, reserve, send, settle."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from octoplan.core.errors import Blocked, Exit, worst
from octoplan.core.keys import SIZE
from octoplan.core.model import Verdict
from octoplan.core.plan import Selection, money_text
from octoplan.ledger import BatchState, NewBatch, RecordedCampaign, RecordedPlan, Reserve
from octoplan.workflow import approve
from octoplan.workflow.plan import draft, load, verdict
from octoplan.workflow.ports import Ports
from octoplan.workflow.sending import Pace, Sender

if TYPE_CHECKING:
    from collections.abc import Callable

    from octoplan.core.approval import SavedPlan
    from octoplan.core.model import Batch, Outcome
    from octoplan.core.plan import Plan
    from octoplan.ledger import BatchRow, Ledger
    from octoplan.project import Project
    from octoplan.project.files import Loaded
    from octoplan.project.wires import Wires
    from octoplan.workflow.plan import Draft
    from octoplan.workflow.prepare import Prepared
    from octoplan.workflow.progress import Progress, Stop

SENDING = ("send", "resume", "in_doubt")


@dataclass(slots=True)
class Tally:
    """What one run did, in contacts, and what it cost; the last line of every apply."""

    accepted: int = 0
    rejected: int = 0
    in_doubt: int = 0
    dropped: int = 0
    not_started: int = 0
    cost: dict[str, Decimal] = field(default_factory=dict)
    approved: dict[str, Decimal] = field(default_factory=dict)
    codes: list[Exit] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    """Reason words of what was not simply done, each with a sentence."""

    @property
    def exit(self) -> Exit:
        """The code a person must act on first."""
        return worst(self.codes)

    def end(self, code: Exit, reason: str, *, sentence: str) -> None:
        """Note why the run is not simply done."""
        self.codes.append(code)
        self.reasons.setdefault(reason, sentence)

    def line(self) -> str:
        """Return the last line of an apply, in contacts."""
        money = " + ".join(
            f"{self.cost.get(currency, Decimal(0)):,.2f} of {approved:,.2f} {currency}"
            for currency, approved in sorted(self.approved.items())
        )
        return (
            f"accepted {self.accepted:,} · rejected {self.rejected:,} · in doubt {self.in_doubt:,} · "
            f"dropped {self.dropped:,} · not started {self.not_started:,} · cost {money or '0.00'}"
        )

    def as_json(self) -> dict[str, object]:
        """Return the last line for programs; money as text."""
        return {
            "accepted": self.accepted,
            "rejected": self.rejected,
            "in_doubt": self.in_doubt,
            "dropped": self.dropped,
            "not_started": self.not_started,
            "cost": {currency: money_text(amount) for currency, amount in self.cost.items()},
            "approved": {currency: money_text(amount) for currency, amount in self.approved.items()},
            "exit": int(self.exit),
            "reason": next(iter(self.reasons), "done"),
            "reasons": self.reasons,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One reserved batch, the request it stands for, and the keys that dropped out since."""

    row: BatchRow
    batch: Batch
    dropped: bytes
    sender: Sender


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervision:
    """How an apply is watched. `confirm` sees the plan when none was saved and may refuse by raising."""

    progress: Progress
    stop: Stop
    confirm: Callable[[Plan], None]


def apply(project: Project, saved: SavedPlan | None, *, watch: Supervision) -> tuple[Plan, Tally]:
    """Send what was approved; without a saved plan, what is planned now and confirmed.

    Raises:
        OctoplanError: before anything was sent, with the exit code that names the human action.
    """
    if saved is not None:
        approve.check_seal(saved, project)
    loaded = load(project)
    with contextlib.ExitStack() as stack:
        ledger = stack.enter_context(contextlib.closing(project.open_ledger()))
        if saved is not None:
            approve.check_ledger(saved.plan, ledger)
        wires = stack.enter_context(project.wires())
        ports = Ports(ledger=ledger, wires=wires, progress=watch.progress)
        fresh = _approved_draft(project, loaded, saved=saved, ports=ports, watch=watch)
        plan = fresh.plan if saved is None else saved.plan
        return plan, Run(project=project, plan=plan, fresh=fresh, ledger=ledger, wires=wires, watch=watch).execute()


def _approved_draft(
    project: Project, loaded: Loaded, *, saved: SavedPlan | None, ports: Ports, watch: Supervision
) -> Draft:
    approved = None if saved is None else saved.plan
    selection = Selection(all=True) if approved is None else approved.selection
    fresh = draft(project, loaded, selection=selection, ports=ports, approved=approved)
    if saved is not None:
        approve.check_accounts(saved.plan, fresh.plan)
        approve.check_approved(saved, fresh)
    else:
        watch.confirm(fresh.plan)
    code = verdict(fresh.plan)
    if fresh.plan.totals.blocked:
        error = Blocked("a campaign is blocked: nothing was sent", reason="blocked")
        error.exit = code
        raise error
    return fresh


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One apply from the recorded plan to the last settlement."""

    project: Project
    plan: Plan
    fresh: Draft
    ledger: Ledger
    wires: Wires
    watch: Supervision
    tally: Tally = field(default_factory=Tally)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def execute(self) -> Tally:
        """Reserve and send every campaign that is in time, and add up."""
        for row in self.plan.campaigns:
            if row.estimate is not None and row.action in SENDING:
                known = self.tally.approved.get(row.estimate.currency, Decimal(0))
                self.tally.approved[row.estimate.currency] = known + Decimal(row.estimate.worst)
        run = self.ledger.open_run(self.plan.plan_id)
        try:
            self.ledger.record(self._recorded())
            jobs = [job for item in self._due() for job in self._reserve(run, item)]
            self._send_all(jobs)
        finally:
            self.ledger.close_run(run)
        self._remaining()
        return self.tally

    def _due(self) -> list[Prepared]:
        """Return the campaigns somebody is owed and whose time, in the recorded plan, is now."""
        planned = {(row.id, row.edition): row for row in self.plan.campaigns}
        now = self.project.clock()
        due = []
        for item in self.fresh.prepared:
            row = planned[item.row.id, item.row.edition]
            owed = item.row.estimate is not None and item.row.estimate.contacts > 0
            if not owed or row.apply_from is None or row.apply_until is None or now < row.apply_from:
                continue
            if now > row.apply_until:
                self.tally.end(
                    Exit.STALE,
                    "plan-expired",
                    sentence=f"{row.id} could be applied until {row.apply_until}: make a new plan",
                )
            elif newer := self.ledger.superseded(self.plan.plan_id, row.id):
                self.tally.end(
                    Exit.STALE,
                    "plan-superseded",
                    sentence=f"{row.id} is superseded by the newer applied plan {newer[:8]}",
                )
            else:
                due.append(item)
        return due

    def _recorded(self) -> RecordedPlan:
        specs = {(item.row.id, item.row.edition): item.spec for item in self.fresh.prepared}
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
                    worst=Decimal(row.estimate.worst) if row.estimate else Decimal(0),
                    currency=row.estimate.currency if row.estimate else "",
                    spec=json.dumps(specs[row.id, row.edition], sort_keys=True, ensure_ascii=False),
                )
                for row in self.plan.campaigns
                if row.apply_from is not None and row.apply_until is not None
            ),
        )

    def _reserve(self, run: str, item: Prepared) -> list[Job]:
        """Reserve all batches of one campaign in one transaction, joined with those of an earlier run."""
        if item.packer is None or item.edition is None:
            return []
        first = not item.edition.batches
        reserve = Reserve(
            campaign=item.campaign.id,
            edition=item.campaign.edition,
            version=item.edition.version,
            provider=item.campaign.provider,
            currency=item.packer.prices.currency,
            batches=tuple(
                NewBatch(keys=b"".join(batch.keys), parts=batch.parts * len(batch.keys), worst=batch.worst)
                for batch in item.packer.batches(first=first)
            ),
        )
        rows = self.ledger.reserve(run, self.plan.plan_id, reserve)
        sender = Sender(
            ledger=self.ledger,
            run=run,
            key=self.project.key,
            spec_hash=f"{item.row.digest}/{self.plan.accounts[item.campaign.provider]}",
            provider=self.project.provider(item.campaign.provider),
            stop=self.watch.stop,
        )
        jobs = []
        for row in rows:
            batch, dropped = item.packer.rebuild(row.keys, first=row.number == 1)
            self.tally.dropped += len(dropped) // SIZE
            if batch is None:
                sender.drop(row, dropped)
            else:
                jobs.append(Job(row=row, batch=batch, dropped=dropped, sender=sender))
        return jobs

    def _send_all(self, jobs: list[Job]) -> None:
        """Send until everything is settled or something says stop; what is left was not started."""
        self.watch.progress.begin("send", sum(len(job.batch.keys) for job in jobs))
        halt = threading.Event()
        for name in sorted({job.batch.campaign.provider for job in jobs}):
            waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
            mine = [job for job in jobs if job.batch.campaign.provider == name]
            for job in mine:
                waiting.put(job)
            settings = self.project.settings.providers[name]
            pace = Pace(None if self.project.surroundings.sandbox else settings.rate)
            workers = min(settings.workers, len(mine))
            with ThreadPoolExecutor(workers, thread_name_prefix="send") as pool:
                crew = [pool.submit(self._work, name, waiting, pace=pace, halt=halt) for _ in range(workers)]
            self.tally.not_started += sum(len(job.batch.keys) for job in _left(waiting))
            for worker in crew:
                worker.result()
        self.watch.progress.end()
        if self.watch.stop.is_set() and self.tally.not_started:
            self.tally.end(self.watch.stop.code, "stopped", sentence="stopped on request: run the same command again")

    def _work(self, name: str, waiting: queue.SimpleQueue[Job], *, pace: Pace, halt: threading.Event) -> None:
        """Take batches one by one; runs in a worker thread with a wire of its own."""
        with contextlib.closing(self.wires.open(name)) as wire:
            while not halt.is_set() and not self.watch.stop.is_set():
                try:
                    job = waiting.get_nowait()
                except queue.Empty:
                    return
                pace.wait()
                try:
                    outcome = job.sender.send(wire, job.row, batch=job.batch, dropped=job.dropped)
                except BaseException:
                    halt.set()
                    raise
                if outcome is not None:
                    self._count(job, outcome, halt=halt)

    def _count(self, job: Job, outcome: Outcome, *, halt: threading.Event) -> None:
        contacts = len(job.batch.keys)
        with self.lock:
            match outcome.verdict:
                case Verdict.ACCEPTED:
                    self.tally.accepted += contacts
                    self._charge(job.batch, outcome)
                case Verdict.REJECTED:
                    self.tally.rejected += contacts
                case Verdict.IN_DOUBT:
                    self.tally.in_doubt += contacts
                case _:
                    self.tally.not_started += contacts
            if (code := _code(outcome)) is not None:
                self.tally.end(code, outcome.verdict.value, sentence=f"{job.row.id}: {_sentence(outcome)}")
                if code is not Exit.REJECTED:
                    halt.set()
        self.watch.progress.advance(contacts)

    def _charge(self, batch: Batch, outcome: Outcome) -> None:
        receipt = outcome.receipt
        cost = batch.worst if receipt is None or receipt.cost is None else receipt.cost
        self.tally.cost[batch.currency] = self.tally.cost.get(batch.currency, Decimal(0)) + cost

    def _remaining(self) -> None:
        """Look at what earlier runs of these campaigns left: doubts, and rejections of this plan."""
        doubt = 0
        for row in self.plan.campaigns:
            for batch in self.ledger.edition(row.id, row.edition).batches:
                if batch.state is BatchState.IN_DOUBT:
                    doubt += batch.count
                elif batch.rejected and batch.plan_id == self.plan.plan_id:
                    self.tally.end(Exit.REJECTED, Verdict.REJECTED.value, sentence=f"{batch.id}: {batch.reason}")
        self.tally.in_doubt = doubt
        if doubt:
            self.tally.end(
                Exit.DOUBT, Verdict.IN_DOUBT.value, sentence="a person must look: `octoplan resolve` lists them"
            )


def _left(waiting: queue.SimpleQueue[Job]) -> list[Job]:
    left = []
    with contextlib.suppress(queue.Empty):
        while True:
            left.append(waiting.get_nowait())
    return left


def _code(outcome: Outcome) -> Exit | None:
    """Return the exit code that an outcome asks for; every one but `REJECTED` also ends the run."""
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
