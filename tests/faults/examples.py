"""`python -m tests.faults --machine N`: so many examples of the state machine, over some processes."""

from __future__ import annotations

import os
import pickle
import tempfile
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from faults import child, runner, warmth
from faults.clock import Clock
from faults.machine import Broken, Machine, Stage
from faults.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BATCH_SIZE = 2
STEPS = 12


@dataclass(slots=True, kw_only=True)
class Came:
    """What came of the examples of one process, or of all."""

    examples: int = 0
    deliveries: int = 0
    steps: Counter[str] = field(default_factory=Counter)
    codes: Counter[int] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)

    def add(self, other: Came) -> None:
        """Add those of another process."""
        self.examples += other.examples
        self.deliveries += other.deliveries
        self.steps += other.steps
        self.codes += other.codes
        self.named += other.named
        self.failed += other.failed

    def lines(self) -> Iterator[str]:
        """Yield it for people."""
        yield from self.failed
        yield f"examples {self.examples:,}, steps {self.steps.total():,}, deliveries {self.deliveries:,}"
        yield "steps " + ", ".join(f"{name} {number:,}" for name, number in sorted(self.steps.items()))
        yield "exit codes " + ", ".join(f"{code}: {number:,}" for code, number in sorted(self.codes.items()))
        yield "not sent at the end " + ", ".join(f"{word} {number:,}" for word, number in sorted(self.named.items()))
        yield f"violations {len(self.failed)}"


def run(examples: int, *, start: int, jobs: int, mutant: Callable[[], None] | None = None) -> Came:
    """Run the examples that some seeds give, one seed for each process, until one of them breaks a promise."""
    warmth.prepare(runner.memory())
    pipes = [_begin(-(-examples // jobs), number=start + job, mutant=mutant) for job in range(jobs)]
    came = Came()
    for process, reading in pipes:
        with open(reading, "rb") as results:  # noqa: PTH123  a descriptor
            came.add(pickle.load(results))  # noqa: S301  our own child's
        os.waitpid(process, 0)
    return came


def _begin(examples: int, *, number: int, mutant: Callable[[], None] | None) -> tuple[int, int]:
    """Fork a process for the examples of one seed; return it, and where it tells what came of them."""
    reading, writing = os.pipe()
    process = os.fork()
    if process:
        os.close(writing)
        return process, reading
    try:
        came = _play(examples, number=number, mutant=mutant)
        with open(writing, "wb") as results:  # noqa: PTH123  a descriptor
            pickle.dump(came, results)
    finally:
        os._exit(0)


def _play(examples: int, *, number: int, mutant: Callable[[], None] | None) -> Came:
    child.BATCH_SIZE = BATCH_SIZE
    failed = []
    clock = Clock()
    with tempfile.TemporaryDirectory(prefix="faults-", dir=runner.memory()) as name:
        stage = Machine.stage = Stage(server=Server(Path(name), clock), clock=clock, mutant=mutant)
        try:
            run_state_machine_as_test(seed(number)(Machine), settings=_settings(examples, shrinks=mutant is None))
        except Broken as broken:
            notes = "\n".join(getattr(broken, "__notes__", ())).splitlines()
            played = [line for line in notes if line != "state.promises()"]
            failed.append("\n".join([f"--- seed {number}", str(broken), *played]))
        except BaseException:  # noqa: BLE001  a machine that breaks is told of like a promise that is broken
            failed.append(f"--- seed {number}\n{traceback.format_exc()}")
        stage.server.close()
    return Came(
        examples=stage.examples,
        deliveries=stage.deliveries,
        steps=stage.rules,
        codes=stage.codes,
        named=stage.named,
        failed=failed,
    )


def _settings(examples: int, *, shrinks: bool) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        phases=(Phase.generate, Phase.shrink) if shrinks else (Phase.generate,),
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
