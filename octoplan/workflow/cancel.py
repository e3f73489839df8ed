"""Taking back what the provider still lets us: batches that are scheduled, one by one, and the rest by name."""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from octoplan.core.errors import Exit, OctoplanError, Refused, worst
from octoplan.core.held import kind_of
from octoplan.core.model import NOTHING, Channel, Outcome, Request, Verdict
from octoplan.core.quantity import quantity
from octoplan.core.quoting import typed
from octoplan.ledger import HELD, IMPORTED, BatchState
from octoplan.providers import Sent
from octoplan.wire import Deadline
from octoplan.workflow.sending import Pace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from octoplan.ledger import BatchRow, Ledger
    from octoplan.project import Project
    from octoplan.project.wires import Wires
    from octoplan.workflow.progress import Progress

State = Literal["cancelled", "not cancelled", "unknown", "not asked"]

OPEN = HELD - {BatchState.CANCELLED}

REASON = "cancelled at the provider"

EXITS: Mapping[Verdict, Exit] = {
    Verdict.ACCEPTED: Exit.DONE,
    Verdict.REJECTED: Exit.REJECTED,
    Verdict.REFUSED: Exit.INPUT,
    Verdict.UNREACHABLE: Exit.UNFINISHED,
    Verdict.IN_DOUBT: Exit.UNFINISHED,
}
STATES: Mapping[Verdict, State] = {
    Verdict.ACCEPTED: "cancelled",
    Verdict.REJECTED: "not cancelled",
    Verdict.REFUSED: "not asked",
    Verdict.UNREACHABLE: "not asked",
    Verdict.IN_DOUBT: "unknown",
}
WORDS: Mapping[Exit, str] = {
    Exit.DONE: "done",
    Exit.REJECTED: "not-cancelled",
    Exit.INPUT: "refused",
    Exit.UNFINISHED: "unfinished",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What became of one batch that was to be cancelled, and the exit code it asks for."""

    batch: str
    contacts: int
    state: State
    exit: Exit
    reason: str = ""

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        state = self.state.replace(" ", "-")
        return {"batch": self.batch, "contacts": self.contacts, "state": state, "reason": self.reason}

    def line(self) -> str:
        """Return it as one line for people."""
        told = " · ".join(filter(None, (self.batch, quantity(self.contacts, "contact"), self.reason)))
        return f"{self.state}: {told}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """What became of everything that was to be cancelled.

    In contacts: `before` were cancelled earlier, `reserved` are not sent yet. `file` is the campaign's, if it has one.
    """

    campaign: str
    sandbox: bool
    batches: tuple[Tried, ...]
    before: int
    reserved: int
    file: str

    @property
    def exit(self) -> Exit:
        """6 while something is definitely not cancelled, 5 while it is unknown or was not asked."""
        return worst(each.exit for each in self.batches)

    def contacts(self, *states: State) -> int:
        """Return how many contacts are in batches that ended in some of these states."""
        return sum(each.contacts for each in self.batches if each.state in states)

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        return {
            "campaign": self.campaign,
            "batches": [each.as_json() for each in self.batches],
            "cancelled": self.contacts("cancelled"),
            "not_cancelled": self.contacts("not cancelled"),
            "unknown": self.contacts("unknown", "not asked"),
            "before": self.before,
            "reserved": self.reserved,
            "exit": int(self.exit),
            "reason": WORDS[self.exit],
        }

    def lines(self) -> Iterator[str]:
        """Yield it for people, with the way out."""
        yield from (each.line() for each in self.batches)
        unknown = self.contacts("unknown", "not asked")
        if unknown:
            yield "Run the same command again: it asks for these once more, and cancelling twice does no harm."
        way = f"edit or delete {self.file}" if self.file else "no file holds it any more"
        if self.reserved:
            yield f"Not sent yet, so not to be cancelled: {quantity(self.reserved, 'contact')}; to send nothing, {way}."
        elif not (self.batches or self.before):
            yield f"Nothing was sent, so there is nothing to cancel; to send nothing, {way}."
        yield (
            f"cancelled {self.contacts('cancelled'):,} · not cancelled {self.contacts('not cancelled'):,} · "
            f"unknown {unknown:,} · cancelled before {self.before:,}"
        )
        if self.before or self.contacts("cancelled"):
            yield "Whoever is cancelled still counts as sent: raise `edition` to send to them after all."


def cancel(project: Project, campaign: str, *, progress: Progress) -> Cancelled:
    """Cancel every scheduled batch of a campaign that its provider still cancels.

    Of earlier editions, only what is still to arrive is looked at, whether or not it can be cancelled. Reserved
    batches stay: they are nobody's message.

    Raises:
        Refused: the campaign is unknown, or credentials are.
    """
    files = {known.id: known.file for known in project.load().campaigns}
    with contextlib.closing(project.open_ledger()) as ledger:
        editions = ledger.editions(campaign)
        if not editions and campaign not in files:
            raise Refused(f"neither the ledger nor the files know {typed(campaign)}", reason="campaign-unknown")
        rows = [row for number in editions for row in ledger.edition(campaign, number).batches]
        specs = {number: ledger.specs(campaign, number) for number in editions}
        newest = max((row.edition for row in rows if row.state in HELD), default=0)
        answers = [(row, _wanted(project, row, specs=specs[row.edition])) for row in rows if row.state in OPEN]
        now = project.clock()
        wanted = [
            (row, answer)
            for row, answer in answers
            if row.edition == newest or isinstance(answer, Request) or _is_ahead(specs[row.edition][row.plan_id], now)
        ]
        return Cancelled(
            campaign=campaign,
            sandbox=project.surroundings.sandbox,
            batches=_carry_out(project, ledger, wanted=wanted, progress=progress),
            before=sum(row.count for row in rows if row.edition == newest and row.state is BatchState.CANCELLED),
            reserved=sum(row.count for row in rows if row.state is BatchState.RESERVED),
            file=files.get(campaign, ""),
        )


def _is_ahead(spec: str, now: datetime) -> bool:
    """Tell whether messages of a campaign that was planned like this are still to arrive."""
    send_at = _send_at(json.loads(spec))
    return send_at is not None and send_at > now


def _send_at(spec: Mapping[str, Any]) -> datetime | None:
    found = spec.get("schedule", {}).get("send_at")
    return None if found is None else datetime.fromisoformat(found)


def _wanted(project: Project, row: BatchRow, *, specs: Mapping[str, str]) -> Request | Outcome:
    """Return the request that cancels a batch; the outcome, if it can be told without asking."""
    if row.state is BatchState.CLAIMED:
        return Outcome(verdict=Verdict.UNREACHABLE, reason="it is being sent at this moment")
    if row.state is BatchState.IN_DOUBT:
        return _kept("whether it was sent is in doubt: `octoplan resolve` lists it")
    if row.reason == IMPORTED:
        return _kept("it was sent elsewhere")
    if not row.ticket:
        return _kept("the provider named no ticket for it")
    if row.provider not in project.settings.providers:
        return _kept(f"octoplan.yaml has no provider `{row.provider}` any more")
    spec = json.loads(specs[row.plan_id])
    send_at = _send_at(spec)
    billed = row.receipt.contacts if row.receipt else None
    sent = Sent(
        channel=Channel(spec["channel"]),
        ticket=row.ticket,
        contacts=row.count if billed is None else billed,
        ahead=send_at - project.clock() if send_at else None,
        kind=kind_of(spec) if row.held else "",
        details=row.receipt.details if row.receipt else NOTHING,
    )
    return project.provider(row.provider).cancel(sent)


def _kept(reason: str) -> Outcome:
    return Outcome(verdict=Verdict.REJECTED, reason=reason)


def _carry_out(
    project: Project, ledger: Ledger, *, wanted: list[tuple[BatchRow, Request | Outcome]], progress: Progress
) -> tuple[Tried, ...]:
    """Ask for one batch after the other; when nobody answers or the credentials are refused, for none any more."""
    told = [_tried(row, answer) for row, answer in wanted if isinstance(answer, Outcome)]
    asked = [(row, answer) for row, answer in wanted if isinstance(answer, Request)]
    if asked:
        stopped: Outcome | None = None
        actor = project.actor()  # before anything is cancelled: nobody may be named
        progress.begin("cancel", len(asked))
        with project.wires() as wires:
            caller = Caller(project=project, wires=wires)
            for row, request in asked:
                outcome = stopped or caller.ask(row.provider, request)
                stopped = outcome if outcome.verdict in (Verdict.REFUSED, Verdict.UNREACHABLE) else None
                told.append(_noted(ledger, row, outcome=outcome, actor=actor))
                progress.advance()
        progress.end()
    order = {row.id: place for place, (row, _) in enumerate(wanted)}
    return tuple(sorted(told, key=lambda each: order[each.batch]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Asks providers to cancel, no faster than their settings allow; the sandbox may be asked at any rate."""

    project: Project
    wires: Wires
    paces: dict[str, Pace] = field(default_factory=dict)

    def ask(self, name: str, request: Request) -> Outcome:
        """Return what a provider answers."""
        rate = None if self.project.surroundings.sandbox else self.project.settings.providers[name].rate
        self.paces.setdefault(name, Pace(rate)).wait(threading.Event())
        with contextlib.closing(self.wires.open(name)) as wire:
            return self.project.provider(name).cancelled(wire.exchange(request, Deadline()))


def _noted(ledger: Ledger, row: BatchRow, *, outcome: Outcome, actor: str) -> Tried:
    """Note in the ledger what is proved; that it cannot be noted does not hide that it is cancelled."""
    tried = _tried(row, outcome)
    if outcome.verdict is not Verdict.ACCEPTED:
        return tried
    try:
        ledger.cancel(row.id, actor=actor, reason=REASON)
    except OctoplanError as error:
        return replace(tried, exit=error.exit, reason=f"the ledger could not note it: {error}")
    return tried


def _tried(row: BatchRow, outcome: Outcome) -> Tried:
    return Tried(
        batch=row.id,
        contacts=row.count,
        state=STATES[outcome.verdict],
        exit=EXITS[outcome.verdict],
        reason=" — ".join(filter(None, (outcome.reason, outcome.hint))),
    )
