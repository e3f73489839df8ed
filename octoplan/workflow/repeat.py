"""Whether the request of a batch in doubt may be repeated, and its repetition: byte for byte, under the same id.

A provider that remembers request ids answers such a request either with its acceptance or by calling it a
duplicate; both prove that it was sent, once. Whatever else it answers proves nothing.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from octoplan.core import approval
from octoplan.core.errors import Exit, InputError, OctoplanError, Refused, Stale
from octoplan.core.held import kind_of
from octoplan.core.model import Channel, Effect, Exchange, Outcome, Verdict
from octoplan.core.outcome import told_at
from octoplan.core.quantity import quantity
from octoplan.core.trial import is_trial
from octoplan.ledger import FOREIGN, BatchState, Settlement
from octoplan.providers import Lost
from octoplan.wire import Deadline
from octoplan.workflow import hours
from octoplan.workflow.plan import load
from octoplan.workflow.ports import Ports
from octoplan.workflow.prepare import Preparation
from octoplan.workflow.progress import Silent
from octoplan.workflow.sending import Sender

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from octoplan.audience import Engine
    from octoplan.core.batch import Packer
    from octoplan.core.held import HeldPacker
    from octoplan.core.model import Batch, Campaign
    from octoplan.ledger import BatchRow, Doubtful, Ledger
    from octoplan.project import Project
    from octoplan.project.wires import Wires
    from octoplan.providers import Provider
    from octoplan.wire import Wire
    from octoplan.workflow.progress import Stop
    from octoplan.workflow.suppressions import Suppressions

APART = timedelta(minutes=5)
"""How far this machine's clock may be from the provider's: further off, the age of a request is not known."""

QUIET = timedelta(minutes=12)
"""How long a request may be travelling to a provider that `octoplan.yaml` names no more."""

ENDED = ("plan-superseded", "edition-later", "foreign")
"""Why a ledger lets no request of an edition, or of a plan, be repeated."""

PROOFS = {Verdict.ACCEPTED: BatchState.ACCEPTED, Verdict.REJECTED: BatchState.NOT_SENT}
"""What a record of the provider makes of a doubt."""

OVER = "the time of its campaign in its plan is over: decide"
NAMELESS = "its request had no request id, so the provider cannot tell it from a second one: decide"
BROKEN = "the files are broken: see `octoplan validate`, then resolve again"


class Unrepeatable(Exception):
    """The request is not repeated; the message says why, and what happens next."""


@dataclass(slots=True, kw_only=True)
class Repeater:
    """Repeats requests of one run; `suppressions` as they were before anybody read them."""

    project: Project
    ledger: Ledger
    run: str
    wires: Wires
    engine: Engine
    suppressions: Suppressions
    stop: Stop
    _known: dict[str, tuple[Campaign, Packer | HeldPacker]] = field(default_factory=dict)
    _ahead: dict[str, timedelta] = field(default_factory=dict)
    """By provider, how far its clock is before this machine's."""

    def repeat(self, doubt: Doubtful) -> Outcome | None:
        """Send the identical request once more; None if the batch is in doubt no more.

        What may not be repeated is looked up at the provider.

        Raises:
            Unrepeatable: it is not sent.
            InDoubt: it was, and the outcome could not be recorded.
        """
        if is_looked_up(self.project, doubt):
            return self._evidence(doubt)
        sender, batch = self._rebuilt(doubt)
        self._refuse_clock(doubt)
        if sender.is_closed(batch):
            code, told = hours.told(batch, self.project.clock(), closes=doubt.closes)
            raise Unrepeatable(told if code is Exit.UNFINISHED else "its hours open after its time in its plan: decide")
        if sender.is_over():
            raise Unrepeatable(OVER)
        if self.stop.is_set() or self.suppressions.changed():
            raise Unrepeatable("stopped, or a suppression list has changed: run `octoplan resolve` again")
        with contextlib.closing(self.wires.open(doubt.row.provider)) as wire:
            try:
                return sender.repeat(wire, doubt.row, identified=batch)
            except (Stale, Refused) as error:
                if error.reason in ENDED:
                    raise Unrepeatable(str(error)) from error
                raise

    def _evidence(self, doubt: Doubtful) -> Outcome | None:
        """Return what the provider's records prove; None if the batch is in doubt no more.

        That what was prepared was not confirmed is proved only once nobody can confirm it any more.
        """
        row = doubt.row
        spec = json.loads(self.ledger.specs(row.campaign, row.edition)[row.plan_id])
        lost = Lost(
            channel=Channel(spec["channel"]),
            request_id=row.request_id,
            ticket=doubt.ticket or row.ticket,
            kind=kind_of(spec) if row.held else "",
        )
        known_by = f"ticket {lost.ticket}" if lost.ticket else row.request_id or "it"
        look = f"look up {known_by} at the provider, then decide"
        provider = self.project.provider(row.provider)
        with contextlib.closing(self.wires.open(row.provider)) as wire:
            found = look_up(provider, lost, wire=wire)
            if found.verdict not in PROOFS:
                raise Unrepeatable(f"{found.reason}: {look}")
            if found.verdict is Verdict.REJECTED and doubt.ticket:
                cancel = provider.discard(lost.channel, lost.kind, ticket=doubt.ticket)
                if provider.cancelled(wire.exchange(cancel, Deadline())).verdict is not Verdict.ACCEPTED:
                    raise Unrepeatable(f"{found.reason}, but it cannot be cancelled: {look}")
        proved = Settlement(state=PROOFS[found.verdict], reason=found.reason, receipt=found.receipt)
        return found if self.ledger.prove(row.id, proved) else None

    def _as_now(self, row: BatchRow) -> tuple[Campaign, Packer | HeldPacker]:
        """Return the campaign of a batch as its file has it now, and what makes batches of everybody in it."""
        known = self._known.get(row.campaign)
        if known is None:
            known = self._known[row.campaign] = self._read(row)
        if known[0].edition != row.edition:
            raise Unrepeatable(f"the file is at edition {known[0].edition} now: decide")
        return known

    def _read(self, row: BatchRow) -> tuple[Campaign, Packer | HeldPacker]:
        try:
            loaded = load(self.project, [row.campaign])
        except InputError as error:
            raise Unrepeatable(BROKEN) from error
        campaign = next((each for each in loaded.campaigns if each.id == row.campaign), None)
        if campaign is None and loaded.broken:
            raise Unrepeatable(BROKEN)
        if campaign is None:
            raise Unrepeatable(f"no file holds {row.campaign} any more: put it back, or decide")
        now = self.project.clock()
        preparation = Preparation(
            project=self.project,
            loaded=loaded,
            ports=Ports(ledger=self.ledger, wires=None, progress=Silent()),
            simulates=False,
            now=now,
            planned_at=now,
        )
        try:
            return campaign, preparation.everybody(campaign, self.engine)
        except InputError as error:
            raise Unrepeatable(f"its audience cannot be read: {error.findings[0].message}") from error

    def _rebuilt(self, doubt: Doubtful) -> tuple[Sender, Batch]:
        """Return the batch as it was sent, proved by the hash of its request."""
        row = doubt.row
        campaign, packer = self._as_now(row)
        try:
            batch, gone = packer.rebuild(row.keys, first=row.number == 1)
        except Stale as error:
            raise Unrepeatable("its contacts no longer get the same text: decide") from error
        if batch is None or gone:
            left = quantity(row.count if batch is None else row.count - len(batch.keys), "contact")
            raise Unrepeatable(f"{left} opted out or left the audience since: decide")
        try:
            sender = self._sender(doubt, campaign)
        except OctoplanError as error:
            raise Unrepeatable(f"not repeated here: {error}") from error
        if not batch.carries_id:
            raise Unrepeatable(NAMELESS)
        identified = sender.identified(replace(batch, worst=row.worst), row.generation)
        if (identified.request_id, sender.payload_hash(identified)) != (row.request_id, row.payload_hash):
            raise Unrepeatable("text, values, options or account are not what they were when it was sent: decide")
        return sender, identified

    def _sender(self, doubt: Doubtful, campaign: Campaign) -> Sender:
        digest = approval.fingerprint(approval.campaign_spec(campaign))
        return Sender(
            ledger=self.ledger,
            run=self.run,
            key=self.project.key,
            spec_hash=f"{digest}/{self.project.account(doubt.row.provider)}",
            provider=self.project.provider(doubt.row.provider),
            closes=doubt.closes,
            clock=self.project.clock,
            stop=self.stop,
            suppressions=self.suppressions,
        )

    def _refuse_clock(self, doubt: Doubtful) -> None:
        """Refuse where the provider's own clock does not confirm the age of the first attempt."""
        name = doubt.row.provider
        if name not in self._ahead:
            self._ahead[name] = self._ask_time(name) - self.project.clock()
        now = self.project.clock()
        there = now + self._ahead[name]
        if abs(there - now) > APART:
            raise Unrepeatable(
                f"this machine's clock says {now:%H:%M}, the provider's {there:%H:%M} UTC: set the clock right"
            )
        refuse_age(self.project, doubt, now=there)

    def _ask_time(self, name: str) -> datetime:
        provider = self.project.provider(name)
        with contextlib.closing(self.wires.planning(name)) as wire:
            told = told_at(wire.exchange(provider.balance(), Deadline()))
        if told is None:
            raise Unrepeatable("the provider cannot be reached, or does not tell its time: run it again later")
        return told


def look_up(provider: Provider, lost: Lost, *, wire: Wire) -> Outcome:
    """Return what a provider's records say of a lost request; raises TypeError where it would do more than read."""
    answered: tuple[Exchange, ...] = ()
    while True:
        step = provider.evidence(lost, answered)
        if isinstance(step, Outcome):
            return step
        if step.effect is not Effect.READ:
            raise TypeError(step)
        answered += (Exchange(request=step, seen=wire.exchange(step, Deadline())),)


def refuse(project: Project, doubt: Doubtful) -> None:
    """Refuse what the ledger alone shows may not be repeated, or not yet.

    Raises:
        Unrepeatable: saying why.
    """
    now = project.clock()
    if is_trial(doubt.row.campaign):
        raise Unrepeatable("a test is not repeated: decide, then test again")
    if doubt.row.reason.startswith(FOREIGN):
        raise Unrepeatable("another ledger sent it: find that ledger; decide `--as sent`, and import whom it sent to")
    if is_looked_up(project, doubt):
        _refuse_early(project, doubt, now=now)
        return
    if doubt.newer_plan is not None:
        raise Unrepeatable(f"its plan is superseded by the newer applied plan {doubt.newer_plan[:8]}: decide")
    if doubt.later_edition is not None:
        raise Unrepeatable(f"edition {doubt.later_edition} was sent since: decide")
    if now > doubt.closes:
        raise Unrepeatable(OVER)
    refuse_age(project, doubt, now=now)
    _refuse_early(project, doubt, now=now)


def is_looked_up(project: Project, doubt: Doubtful) -> bool:
    """Tell whether what became of a request is read at the provider, for it may not be repeated."""
    name = doubt.row.provider
    known = name in project.settings.providers
    return known and (doubt.row.held or project.provider(name).limits.request_id_window is None)


def _refuse_early(project: Project, doubt: Doubtful, *, now: datetime) -> None:
    quiet = quiet_until(project, doubt)
    if now < quiet:
        raise Unrepeatable(f"it may still be travelling until {quiet:%H:%M:%S} UTC: run `octoplan resolve` after that")


def refuse_age(project: Project, doubt: Doubtful, *, now: datetime) -> None:
    """Refuse once the provider may have forgotten the request id: it would send the batch again.

    Raises:
        Unrepeatable: it is that old, or its provider is not in `octoplan.yaml` any more.
    """
    name = doubt.row.provider
    if name not in project.settings.providers:
        raise Unrepeatable(f"octoplan.yaml has no provider {name} any more: decide")
    window = project.provider(name).limits.request_id_window
    if window is not None and now - doubt.first_at >= window:
        old = int(window.total_seconds() // 3600)
        raise Unrepeatable(
            f"its first attempt is {old} hours old or more: the provider may have forgotten it, and would send it "
            "again: decide"
        )


def quiet_until(project: Project, doubt: Doubtful) -> datetime:
    """Return when nothing of a batch can be travelling any more."""
    return doubt.silent_at + quiet_time(project, doubt.row.provider)


def way_out(project: Project, doubts: Iterable[Doubtful], *, now: datetime) -> str:
    """Say what to run about batches in doubt, and from when on it may repeat their requests."""
    quiet = max((quiet_until(project, doubt) for doubt in doubts), default=now)
    after = f" after {quiet:%H:%M:%S} UTC" if quiet > now else ""
    return f"a person must look: `octoplan resolve`{after} settles what can be proved, and lists the rest"


def quiet_time(project: Project, name: str) -> timedelta:
    """Return how long a request to a provider may be travelling; of one that is named no more, the usual time."""
    settings = project.settings.providers.get(name)
    return settings.quiet_time if settings else QUIET
