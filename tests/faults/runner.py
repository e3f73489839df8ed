"""One schedule from its seed to its verdict."""

from __future__ import annotations

import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from faults import checker, recovery, schedule, steps
from faults.watch import Watch
from faults.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.clock import Clock
    from faults.server import Server


def memory() -> Path | None:
    """Return a folder in memory, where there is one."""
    found = Path("/dev/shm")  # noqa: S108  a folder of its own is made in it
    return found if found.is_dir() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a schedule went."""

    seed: int
    trouble: tuple[str, ...]
    codes: tuple[int, ...]
    violations: tuple[str, ...]
    trace: tuple[str, ...]
    seconds: float
    deliveries: int


def run(seed: int, server: Server, clock: Clock, *, mutant: Callable[[], None] | None = None) -> Verdict:
    """Run the schedule of a seed in a new world."""
    began = time.monotonic()
    drawn = schedule.draw(seed)
    world = World(
        root=Path(tempfile.mkdtemp(prefix="faults-", dir=memory())),
        server=server,
        clock=clock,
        project=drawn.project,
        seed=seed,
        plain=drawn.plain,
        mutant=mutant,
    )
    try:
        _live(world, drawn)
    except Exception:  # noqa: BLE001  a harness that breaks is told of like a promise that is broken
        world.broken("harness", traceback.format_exc())
    finally:
        deliveries = len(server.deliveries())
        world.close()
    return Verdict(
        seed=seed,
        trouble=tuple(world.trouble),
        codes=tuple(ran.code for ran in world.runs),
        violations=tuple(world.violations),
        trace=tuple(world.trace),
        seconds=time.monotonic() - began,
        deliveries=deliveries,
    )


def hung(seed: int) -> Verdict:
    """Return the verdict on a schedule that did not end, or broke so badly that it told nothing."""
    return Verdict(
        seed=seed,
        trouble=(),
        codes=(),
        violations=("harness: it hangs, or broke without a word",),
        trace=(),
        seconds=0.0,
        deliveries=0,
    )


def _live(world: World, drawn: schedule.Schedule) -> None:
    world.clock.reset()
    world.server.ask("reset")
    (world.root / "temporary").mkdir()
    world.begin()
    world.looks.append(Watch().look)
    for step in drawn.steps:
        steps.take(world, step)
    recovery.recover(world)
    checker.check(world)
