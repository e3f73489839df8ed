"""Steps 8 to 10 of one apply: record, reserve, send with worker threads, settle, add up."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from octoplan.core.errors import Exit, OctoplanError, Unfinished
from octoplan.core.model import Verdict
from octoplan.ledger import HELD, BatchState, NewBatch, RecordedCampaign, RecordedPlan, Reserve
from octoplan.workflow import approve
from octoplan.workflow.crew import Crew, Job
from octoplan.workflow.drafting import discard_left
from octoplan.workflow.repeat import way_out
from octoplan.workflow.sending import STOPPED, Sender

if TYPE_CHECKING:
    from datetime import datetime

    from octoplan.core.batch import Packer
    from octoplan.core.held import HeldPacker
    from octoplan.core.plan import Plan, PlannedCampaign
    from octoplan.ledger import BatchRow, Edition, Ledger
    from octoplan.project import Project
    from octoplan.project.wires import Wires
    from octoplan.workflow.crew import Supervision
    from octoplan.workflow.plan import Draft
    from octoplan.workflow.prepare import Prepared
    from octoplan.workflow.suppressions import Suppressions
    from octoplan.workflow.tally import Tally

PLANNED = ("send", "resume", "wait", "in_doubt")
"""Actions of a plan whose contacts are in its totals."""


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
    crew: Crew

    @property
    def tally(self) -> Tally:
        """What it comes to."""
        return self.crew.tally

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
        self.crew.send([job for item in due for job in self._reserve(item)])
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
        cleared = partial(discard_left, self.ledger, self.wires)
        for step in (cleared, partial(self.ledger.close_run, self.id), self._look_back):
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
            self.crew.note_over(row.id)
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

    def _jobs(self, item: Prepared, packer: Packer | HeldPacker, *, rows: tuple[BatchRow, ...]) -> list[Job]:
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

    def _look_back(self) -> None:
        """Count what this and earlier runs left: doubts of these campaigns, and rejections under this plan."""
        editions = [self.ledger.edition(row.id, row.edition) for row in self.fresh.plan.campaigns]
        batches = [batch for edition in editions for batch in edition.batches]
        doubts = [batch for batch in batches if batch.state is BatchState.IN_DOUBT]
        started = {batch.id for batch in batches if batch.state in HELD or batch.rejected}
        elsewhere = {**self.crew.taken, **self.crew.failed}
        self.tally.not_started -= sum(count for batch, count in elsewhere.items() if batch in started)
        if self.crew.taken.keys() - started:
            sentence = "another run took batches and did not send them: run the same command again"
            self.tally.end(Exit.UNFINISHED, "taken", sentence=sentence)
        doubts += [batch for batch in batches if batch.id in self.crew.failed and batch.state is BatchState.CLAIMED]
        doubted = {**self.crew.unrecorded, **{batch.id: batch.count for batch in doubts}}
        self.tally.in_doubt = sum(doubted.values())
        self.tally.rejected = sum(self._rejected(edition) for edition in editions)
        if doubts:
            sentence = way_out(self.project, self.ledger.doubtful(), now=self.project.clock())
            again = "; then run the same command again" if self.tally.not_started else ""
            self.tally.end(Exit.DOUBT, Verdict.IN_DOUBT.value, sentence=sentence + again)

    def _rejected(self, edition: Edition) -> int:
        """Count who was rejected under this plan and has not been sent it since, and tell why."""
        people = edition.people(edition.rejected(self.plan.plan_id))
        for batch in edition.batches if people else ():
            if batch.rejected and batch.plan_id == self.plan.plan_id:
                sentence = self.crew.sentences.get(batch.reason, batch.reason)
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


def _reservation(item: Prepared, packer: Packer | HeldPacker, *, edition: Edition) -> Reserve:
    batches = packer.batches(first=not edition.batches)
    return Reserve(
        campaign=item.campaign.id,
        edition=item.campaign.edition,
        version=edition.version,
        seen=edition.newest,
        provider=item.campaign.provider,
        currency=packer.prices.currency,
        batches=tuple(
            NewBatch(
                keys=b"".join(batch.keys),
                parts=batch.parts,
                worst=batch.worst,
                held=batch.contacts if batch.campaign.audience.held else 0,
            )
            for batch in batches
        ),
    )
