"""The provider's second opinion: every batch of a campaign, over a wire that is unable to send."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING

from octoplan.core.errors import Refused, Unfinished
from octoplan.core.rules.all import SecondOpinion
from octoplan.wire import Deadline

if TYPE_CHECKING:
    from collections.abc import Iterable

    from octoplan.core.model import Batch
    from octoplan.project.wires import Wires
    from octoplan.providers import Provider, Simulated
    from octoplan.wire import PlanningWire
    from octoplan.workflow.progress import Progress

TOLERANCE = Decimal("0.01")
"""How far a batch's simulated cost may be from ours, in the price book's currency."""


def simulate(batches: Iterable[Batch], *, name: str, wires: Wires, workers: int, progress: Progress) -> SecondOpinion:
    """Simulate every batch with `workers` threads, one keep-alive connection each.

    Raises:
        Unfinished: the provider cannot be reached or is limiting.
        Refused: it does not accept the credentials.
    """
    provider = wires.project.provider(name)
    local = threading.local()
    opened: list[PlanningWire] = []

    def ask(batch: Batch) -> tuple[Batch, Simulated]:
        if not hasattr(local, "wire"):
            local.wire = wires.planning(name)
            opened.append(local.wire)
        answer = _ask(provider, local.wire, batch=batch)
        progress.advance(len(batch.keys))
        return batch, answer

    calls = contacts = differing = 0
    cost = Decimal(0)
    refused: Counter[str] = Counter()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="simulate")
    try:
        for batch, answer in pool.map(ask, batches):
            calls += 1
            if answer.refused:
                refused[answer.refused] += 1
                continue
            contacts += answer.contacts or 0
            cost += answer.cost or Decimal(0)
            differing += answer.contacts != len(batch.keys) or abs((answer.cost or 0) - batch.cost) > TOLERANCE
    finally:
        pool.shutdown(cancel_futures=True)
        for wire in opened:
            wire.close()
    return SecondOpinion(calls=calls, contacts=contacts, cost=cost, differing=differing, refused=refused)


def _ask(provider: Provider, wire: PlanningWire, *, batch: Batch) -> Simulated:
    answer = provider.simulated(wire.exchange(provider.simulate(batch), Deadline()))
    if answer.unreachable:
        raise Unfinished(
            f"the simulation got no answer ({answer.unreachable}): run the same command again", reason="unreachable"
        )
    if answer.unauthorised:
        raise Refused(
            f"the provider refuses the credentials ({answer.unauthorised}): check login and key", reason="credentials"
        )
    return answer
