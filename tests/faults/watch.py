"""What must hold after every single run: history only grows, money stays within what was approved, sums add up."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from faults import book, saved
from faults.project import CANARIES

if TYPE_CHECKING:
    from faults.book import Book
    from faults.saved import Document
    from faults.world import Ran, World

CENT = Decimal("0.01")
UNFINISHED, REJECTED, DOUBT = 5, 6, 7
_FIGURES = re.compile(r"(accepted|rejected|in doubt|dropped|not started) ([\d,]+)")


class Watch:
    """Remembers how the ledger was, to compare it with how it is."""

    def __init__(self) -> None:
        self._before: Book | None = None
        self._plans: dict[str, Document] = {}
        self._read = 0

    def look(self, world: World) -> None:
        """Hold what is there against what was."""
        for path in world.plans[self._read :]:
            document = saved.read(path)
            self._plans[document.id] = document
        self._read = len(world.plans)
        ran = world.runs[-1]
        _keep_silent(world, ran)
        now = None if world.troubled else book.read(world.ledger)
        if now is None:
            return
        if self._before is not None:
            _grow(world, self._before, now=now)
        _stay_within(world, now, plans=self._plans)
        if ran.alone and ran.last_line and ran.home == world.home:
            self._add_up(world, ran, now=now)
        self._before = now

    def _add_up(self, world: World, ran: Ran, *, now: Book) -> None:
        """Hold the last line of an apply against the ledger.

        A commit that a broken disk calls failed may have taken effect: whoever was told so must say "in doubt",
        whatever can be read, for what can be read need not be on the disk.
        """
        document = self._of(ran)
        told = {name: int(number.replace(",", "")) for name, number in _FIGURES.findall(ran.last_line)}
        before = self._before
        if document is None or before is None:
            return
        own = [
            one for run, plan in now.runs.items() if run not in before.runs and plan == document.id for one in (run,)
        ]
        accepted = sum(
            batch.contacts
            for batch in now.batches.values()
            if batch.run in own and batch.state == "accepted" and not _already(before, batch)
        )
        doubts = sum(
            batch.contacts
            for batch in now.batches.values()
            if batch.state in ("in_doubt", "claimed") and document.campaign(batch.of) is not None
        )
        unsure = accepted - told["accepted"] if any(strike.what == "disk" for strike in ran.strikes) else 0
        _equal(world, ran, "accepted", told["accepted"], accepted - max(0, unsure))
        _equal(world, ran, "in doubt", told["in doubt"], doubts + max(0, unsure))
        if doubts and ran.code != DOUBT:
            world.broken("exit", f"run {ran.number} ended {ran.code} and left {doubts} in doubt")
        if ran.code == 0 and told["rejected"]:
            world.broken("exit", f"run {ran.number} ended 0 with {told['rejected']} rejected")
        self._nobody_vanishes(world, ran, now=now, told=told)

    def _nobody_vanishes(self, world: World, ran: Ran, *, now: Book, told: dict[str, int]) -> None:
        """Every planned contact is in one of the figures, or was accepted before."""
        document = self._of(ran)
        if document is None or self._before is None:
            return
        wanted = {
            one.of: one for one in document.wanted if not one.held
        }  # of a list the plan says the most there may be
        held = sum(
            batch.contacts
            for batch in now.batches.values()
            if batch.of in wanted
            and batch.state in ("accepted", "cancelled")
            and batch.attempt
            and (batch.plan == document.id or now.attempts[batch.attempt].claimed_at >= _written(document))
        )
        told_of = held + told["rejected"] + told["in doubt"] + told["dropped"] + told["not started"]
        planned = sum(one.contacts for one in wanted.values())
        if told_of < planned:
            world.broken(
                "I3", f"run {ran.number}: {planned} were planned, {told_of} are accounted for: {ran.last_line}"
            )

    def _of(self, ran: Ran) -> Document | None:
        return None if ran.plan is None else next((one for one in self._plans.values() if one.path == ran.plan), None)


def _already(before: Book, batch: book.Batch) -> bool:
    found = before.batches.get(batch.id)
    return found is not None and found.state == "accepted"


def _written(document: Document) -> str:
    return document.created_at.isoformat(timespec="microseconds")


def _equal(world: World, ran: Ran, figure: str, told: int, is_: int) -> None:
    if told != is_:
        world.broken("I3", f"run {ran.number} says {figure} {told}, the ledger {is_}: {ran.last_line}")


def _keep_silent(world: World, ran: Ran) -> None:
    """I9: nothing that is printed or waits beside the ledger holds an address or a value."""
    rescued = [path for path in ran.home.glob("rehearsal.db.rescue-*") if path.is_file()]
    for name, content in (
        ("output", (ran.out + ran.err).encode()),
        *(("rescue file", path.read_bytes()) for path in rescued),
    ):
        if any(one in content for one in CANARIES):
            world.broken("I9", f"the {name} of run {ran.number} tells who somebody is, or a value of theirs")


def _grow(world: World, before: Book, *, now: Book) -> None:
    """I8: events are only added, and the serial never falls."""
    if now.events[: len(before.events)] != before.events:
        world.broken("I8", "an event was changed or is gone")
    if now.serial < before.serial:
        world.broken("I8", f"the serial fell from {before.serial} to {now.serial}")
    reserves = sum(event.what == "reserve" for event in now.events[len(before.events) :])
    if now.serial - before.serial < reserves:
        world.broken("I8", "a reserve did not raise the serial")


def _stay_within(world: World, now: Book, *, plans: dict[str, Document]) -> None:
    """I4: what was charged and what may still be is within what the plan approved, but for cents of rounding."""
    bound: dict[tuple[str, tuple[str, int]], list[Decimal]] = {}
    for batch in now.batches.values():
        if not batch.free:
            amount = batch.worst if batch.charged is None else min(batch.charged, batch.worst)
            bound.setdefault((batch.plan, batch.of), []).append(amount)
    for (plan, of), amounts in bound.items():
        document = plans.get(plan)
        approved = document.campaign(of) if document else None
        if approved is None:
            world.broken("I2", f"{of[0]} #{of[1]} is reserved under a plan that does not hold it")
        elif sum(amounts) > approved.worst + CENT * len(amounts):
            world.broken("I4", f"{of[0]} #{of[1]}: {sum(amounts)} at stake, approved were {approved.worst}")
