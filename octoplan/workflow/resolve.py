"""Closing doubt: by what was rescued, by the identical request where it may be repeated, or by a person."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from octoplan.core.errors import Exit, InDoubt, worst
from octoplan.core.model import Verdict
from octoplan.core.quantity import quantity
from octoplan.core.quoting import noted
from octoplan.core.trial import is_trial, tried
from octoplan.ledger import BatchState
from octoplan.workflow import repeat
from octoplan.workflow.repeat import Repeater, Unrepeatable
from octoplan.workflow.suppressions import Suppressions

if TYPE_CHECKING:
    from datetime import datetime

    from octoplan.core.model import Outcome
    from octoplan.ledger import BatchRow, Doubtful, Ledger
    from octoplan.project import Project
    from octoplan.workflow.progress import Stop

GONE = "the run that sent it ended before an answer was recorded"
REASONS = {"": GONE, "run-gone": GONE}
"""Reason words of doubts, for people."""

PLAN = "resolve"
"""What a run that applies no plan is called in the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One batch whose outcome is unknown, why its request is not repeated, and what to look up at the provider."""

    batch: str
    contacts: int
    reason: str
    since: datetime
    provider: str
    request_id: str
    sender: str
    next: str

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        return {
            "batch": self.batch,
            "contacts": self.contacts,
            "reason": self.reason,
            "since": self.since.isoformat(),
            "provider": self.provider,
            "request_id": self.request_id,
            "sender": self.sender,
            "next": self.next,
        }

    def lines(self) -> tuple[str, str, str]:
        """Return it as three lines for people."""
        sender = f" from {self.sender}" if self.sender else ""
        return (
            f"? {self.batch} · {quantity(self.contacts, 'contact')} · {self.reason}",
            f"    {self.provider} · {self.since:%Y-%m-%d %H:%M:%S %Z}{sender} · request {self.request_id}",
            f"    {self.next}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """One batch that is in doubt no more, and by what evidence."""

    batch: str
    contacts: int
    sent: bool
    how: str

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        return {"batch": self.batch, "contacts": self.contacts, "as": _word(sent=self.sent), "how": self.how}

    def line(self) -> str:
        """Return it as one line for people."""
        outcome = "sent" if self.sent else "not sent"
        return f"= {self.batch} · {quantity(self.contacts, 'contact')} · {outcome}: {self.how}"


@dataclass(slots=True, kw_only=True)
class Doubts:
    """What was in doubt: settled now, or still for a person; `notes` are what could not be recorded, or is dearer."""

    settled: list[Settled] = field(default_factory=list)
    batches: list[Doubt] = field(default_factory=list)
    notes: dict[str, Exit] = field(default_factory=dict)

    @property
    def exit(self) -> Exit:
        """7 while a person must look."""
        return worst([*self.notes.values(), Exit.DOUBT if self.batches else Exit.DONE])

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        return {
            "settled": [one.as_json() for one in self.settled],
            "batches": [one.as_json() for one in self.batches],
            "notes": list(self.notes),
            "exit": int(self.exit),
        }

    def lines(self) -> list[str]:
        """Return them for people, with the way out."""
        settled = [one.line() for one in self.settled]
        if not self.batches:
            return [*settled, "No batch is in doubt any more." if settled else "No batch is in doubt."]
        return [
            *settled,
            *(line for doubt in self.batches for line in doubt.lines()),
            "",
            "To decide, look up at the provider whether it was sent, then record it:",
            "  octoplan resolve BATCH --as sent --reason TEXT      nobody in it is sent it again",
            "  octoplan resolve BATCH --as not-sent --reason TEXT  everybody in it is owed it again",
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A person's decision about one batch."""

    batch: str
    contacts: int
    sent: bool

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        return {"batch": self.batch, "contacts": self.contacts, "as": _word(sent=self.sent)}

    def line(self) -> str:
        """Return it as one line for people."""
        if self.sent:
            return f"{self.batch}: {quantity(self.contacts, 'contact')} counted as sent"
        if is_trial(self.batch):
            return f"{self.batch}: not sent; `octoplan test {tried(self.batch.partition('/')[0])}` sends another test"
        return f"{self.batch}: the message is owed to {quantity(self.contacts, 'contact')} again, see `octoplan plan`"


def resolve(project: Project, *, stop: Stop) -> Doubts:
    """Settle what evidence proves, repeat the identical requests that may be, list the rest, oldest first.

    Raises:
        Refused: the ledger cannot be opened, or this machine's clock stands before its newest entry.
    """
    suppressions = Suppressions.of(project)
    found = Doubts()
    with contextlib.closing(project.open_ledger()) as ledger:
        before = ledger.in_doubt()
        if not before and not ledger.rescues():
            return found
        run = ledger.open_run(PLAN)
        try:
            found.settled += _recorded(ledger, before)
            _repeat_all(found, project, ledger=ledger, run=run, watched=(suppressions, stop))
        finally:
            ledger.close_run(run)
    return found


def _recorded(ledger: Ledger, before: tuple[BatchRow, ...]) -> list[Settled]:
    """Return what rescue files, imported as the run began, have told of batches that were in doubt."""
    open_still = {row.id for row in ledger.in_doubt()}
    closed = [row for row in before if row.id not in open_still]
    states = {
        batch.id: batch.state
        for campaign, edition in dict.fromkeys((row.campaign, row.edition) for row in closed)
        for batch in ledger.edition(campaign, edition).batches
    }
    how = "a rescue file recorded the provider's answer"
    return [
        Settled(batch=row.id, contacts=row.count, sent=states[row.id] is BatchState.ACCEPTED, how=how) for row in closed
    ]


def _repeat_all(
    found: Doubts, project: Project, *, ledger: Ledger, run: str, watched: tuple[Suppressions, Stop]
) -> None:
    from octoplan.audience import Engine  # noqa: PLC0415  a decision needs none

    suppressions, stop = watched
    with contextlib.ExitStack() as stack:
        repeater: Repeater | None = None
        for doubt in ledger.doubtful():
            try:
                repeat.refuse(project, doubt)
                if repeater is None:
                    repeater = Repeater(
                        project=project,
                        ledger=ledger,
                        run=run,
                        wires=stack.enter_context(project.wires()),
                        engine=stack.enter_context(Engine(project.temporary_folder(), root=project.root)),
                        suppressions=suppressions,
                        stop=stop,
                    )
                outcome = repeater.repeat(doubt)
                how = outcome.reason if outcome and repeat.is_looked_up(project, doubt) else ""
                _note(found, ledger, doubt=doubt, outcome=outcome, how=how)
            except Unrepeatable as why:
                found.batches.append(_doubt(ledger, doubt, next=str(why)))
            except InDoubt as error:
                found.notes[str(error)] = error.exit
                found.batches.append(_doubt(ledger, doubt, next="its answer could not be recorded: see above"))


def _note(found: Doubts, ledger: Ledger, *, doubt: Doubtful, outcome: Outcome | None, how: str) -> None:
    """Note what a repeated request came to; None: another runner has settled or repeated it.

    `how` is what a record of the provider proves, where nothing was repeated.
    """
    row = doubt.row
    if outcome is None:
        return
    if outcome.verdict is Verdict.REJECTED:
        found.settled.append(Settled(batch=row.id, contacts=row.count, sent=False, how=outcome.reason))
        return
    if outcome.verdict is not Verdict.ACCEPTED:
        found.batches.append(_doubt(ledger, doubt, next=f"repeated, and not closed by the answer: {outcome.reason}"))
        return
    ticket = outcome.receipt.ticket if outcome.receipt else ""
    how = how or (f"repeated and accepted, ticket {ticket}" if ticket else "the provider says it is a duplicate")
    found.settled.append(Settled(batch=row.id, contacts=row.count, sent=True, how=how))
    if outcome.excess:
        found.notes[f"{row.id}: {outcome.excess}"] = Exit.BLOCKED


def _doubt(ledger: Ledger, doubt: Doubtful, *, next: str) -> Doubt:  # noqa: A002  the field's name
    row = doubt.row
    spec = json.loads(ledger.specs(row.campaign, row.edition)[row.plan_id])
    return Doubt(
        batch=row.id,
        contacts=row.count,
        reason=REASONS.get(row.reason, row.reason),
        since=doubt.first_at,
        provider=row.provider,
        request_id=row.request_id,
        sender=spec.get("sender") or spec.get("message", {}).get("from", {}).get("address", ""),
        next=next,
    )


def _word(*, sent: bool) -> str:
    return "sent" if sent else "not-sent"


def decide(project: Project, batch: str, *, sent: bool, reason: str) -> Decided:
    """Record that a batch was sent, or was not; numbers and addresses in the reason are masked.

    Raises:
        Refused: there is no such batch, or it is not in doubt.
        Unfinished: not-sent, while its request may still be travelling.
    """
    with contextlib.closing(project.open_ledger()) as ledger:
        known = {row.id: row for row in ledger.in_doubt()}
        row = known.get(batch)
        quiet = repeat.quiet_time(project, row.provider if row else "")
        ledger.decide(batch, sent=sent, actor=project.actor(), reason=noted(reason), quiet=quiet)
        return Decided(batch=batch, contacts=row.count if row else 0, sent=sent)
