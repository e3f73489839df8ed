"""The provider's second opinion: every batch of a campaign, over a wire that is unable to send."""

from __future__ import annotations

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING

from octoplan.core import outcome
from octoplan.core.errors import Refused, Unfinished
from octoplan.core.model import Effect, Exchange, Reply, Request
from octoplan.core.rules.all import SecondOpinion
from octoplan.wire import Deadline
from octoplan.workflow.sending import Pace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from octoplan.core.model import Batch, Seen
    from octoplan.project.wires import Wires
    from octoplan.providers import Simulated
    from octoplan.wire import PlanningWire
    from octoplan.workflow.progress import Progress

TOLERANCE = Decimal("0.01")
"""How far a batch's simulated cost may be from ours, in the price book's currency."""

RATE_LIMITS, RETRIES = 5, 2
"""Rate limits waited for, and other failures tried again, for one batch. Asking twice sends nothing."""

AT_ONCE = 1000
"""Batches in memory at a time, with their contacts."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks one provider from any number of threads, each over a keep-alive connection of its own."""

    wires: Wires
    name: str
    pace: Pace
    stop: threading.Event = field(default_factory=threading.Event)
    known: dict[Request, Seen] = field(default_factory=dict)
    """What reading showed: it is the same for all batches."""
    opened: list[PlanningWire] = field(default_factory=list)
    thread: threading.local = field(default_factory=threading.local)

    def ask(self, batch: Batch) -> tuple[Batch, Simulated]:
        """Return what the provider thinks of a batch, after waiting as long as it asks for.

        Raises:
            Unfinished: it cannot be reached or goes on limiting, or something said stop.
            Refused: it does not accept the credentials.
        """
        provider = self.wires.project.provider(self.name)
        failures: list[Seen] = []
        answered: tuple[Exchange, ...] = ()
        while True:
            step = provider.simulate(batch, answered)
            if isinstance(step, Request):
                answered += (Exchange(request=step, seen=self.seen(step)),)
                continue
            if step.unauthorised:
                told = f"the provider refuses the credentials ({step.unauthorised}): check them in octoplan.yaml"
                raise Refused(told, reason="credentials")
            if not step.unreachable:
                return batch, step
            failures.append(answered[-1].seen)
            self.known.pop(answered[-1].request, None)
            answered = answered[:-1]
            seconds = pause(failures)
            if seconds is None or self.stop.wait(seconds * random.uniform(1.0, 1.2)):  # noqa: S311  jitter, no secret
                told = f"the simulation got no answer ({step.unreachable}): run the same command again"
                raise Unfinished(told, reason="unreachable")

    def seen(self, request: Request) -> Seen:
        """Return what is seen of a request; of one that reads, perhaps what was seen before."""
        if request in self.known:
            return self.known[request]
        self.pace.wait(self.stop)
        seen = self.wire().exchange(request, Deadline())
        if request.effect is Effect.READ:
            self.known[request] = seen
        return seen

    def wire(self) -> PlanningWire:
        """Return this thread's wire."""
        if not hasattr(self.thread, "wire"):
            self.thread.wire = self.wires.planning(self.name)
            self.opened.append(self.thread.wire)
        wire: PlanningWire = self.thread.wire
        return wire

    def close(self) -> None:
        """Close every wire; no thread may be asking any more."""
        for wire in self.opened:
            wire.close()


def pause(history: Sequence[Seen]) -> float | None:
    """Return the seconds until a batch is asked about again after useless answers; None: it is given up."""
    limits = [seen for seen in history if isinstance(seen, Reply) and seen.status == outcome.TOO_MANY]
    if limits and limits[-1] is history[-1]:
        return outcome.pause(limits[-1].headers) if len(limits) <= RATE_LIMITS else None
    failures = len(history) - len(limits)
    return 2.0 ** (failures - 1) if failures <= RETRIES else None


def simulate(batches: Iterable[Batch], *, name: str, wires: Wires, workers: int, progress: Progress) -> SecondOpinion:
    """Simulate every batch with `workers` threads, no faster than the provider's `rate`.

    Raises:
        Unfinished: the provider cannot be reached or is limiting.
        Refused: it does not accept the credentials.
    """
    project = wires.project
    asker = Asker(wires, name, Pace(None if project.surroundings.sandbox else project.settings.providers[name].rate))
    pool = ThreadPoolExecutor(workers, thread_name_prefix="simulate")
    calls = contacts = differing = 0
    cost: Decimal | None = Decimal(0)
    refused: Counter[str] = Counter()
    countries: Counter[str] = Counter()
    try:
        for batch, answer in _answers(pool, asker, batches=batches):
            progress.advance(batch.contacts)
            calls += 1
            if answer.refused:
                refused[answer.refused] += 1
                continue
            contacts += answer.contacts or 0
            countries.update(answer.countries)
            cost = None if cost is None or answer.cost is None else cost + answer.cost
            differing += not batch.campaign.audience.held and _differs(batch, answer)
    finally:
        asker.stop.set()
        pool.shutdown(cancel_futures=True)
        asker.close()
    return SecondOpinion(
        calls=calls,
        contacts=contacts,
        cost=cost,
        countries=dict(sorted(countries.items())),
        differing=differing,
        refused=dict(sorted(refused.items())),
    )


def _differs(batch: Batch, answer: Simulated) -> bool:
    other = answer.cost is not None and abs(answer.cost - batch.cost) > TOLERANCE
    return other or answer.contacts != len(batch.keys)


def _answers(pool: ThreadPoolExecutor, asker: Asker, *, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Simulated]]:
    """Yield answers as they come."""
    waiting = iter(batches)
    while chunk := [pool.submit(asker.ask, batch) for batch in islice(waiting, AT_ONCE)]:
        for future in as_completed(chunk):
            yield future.result()
