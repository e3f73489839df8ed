"""`python -m tests.faults`: so many schedules from a seed on, over some processes, and what came of them."""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import pickle
import select
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from faults import examples, mutants, runner, warmth
from faults.clock import Clock
from faults.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from faults.runner import Verdict

LONGEST = 180
"""Real seconds after which a schedule hangs."""

MANY = 3
"""Faults from which on a schedule is one of many."""


@dataclass(frozen=True, slots=True)
class Order:
    """A schedule to run: its seed, and the mutant to run it against."""

    seed: int
    mutant: Callable[[], None] | None = None


@dataclass(slots=True)
class Report:
    """What came of all schedules so far."""

    schedules: int = 0
    many: int = 0
    deliveries: int = 0
    trouble: Counter[str] = field(default_factory=Counter)
    codes: Counter[int] = field(default_factory=Counter)
    failed: list[Verdict] = field(default_factory=list)

    def add(self, verdict: Verdict) -> None:
        """Count a schedule."""
        self.schedules += 1
        self.many += len(verdict.trouble) >= MANY
        self.deliveries += verdict.deliveries
        self.trouble.update(verdict.trouble)
        self.codes.update(verdict.codes)
        if verdict.violations:
            self.failed.append(verdict)

    def lines(self) -> Iterator[str]:
        """Yield it for people."""
        violations = sum(len(verdict.violations) for verdict in self.failed)
        yield f"schedules {self.schedules:,}, of them with three or more faults {self.many:,}"
        yield "faults " + ", ".join(f"{name} {number:,}" for name, number in sorted(self.trouble.items()))
        yield "exit codes " + ", ".join(f"{code}: {number:,}" for code, number in sorted(self.codes.items()))
        yield f"deliveries {self.deliveries:,}"
        yield f"violations {violations:,} in {len(self.failed):,} schedules"


def main(words: Sequence[str] | None = None) -> int:
    """Run schedules and print what came of them; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--schedules", type=int, default=200, help="how many")
    parser.add_argument("--seed", type=int, default=1, help="the first one's seed; the others' follow")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    parser.add_argument("--only", type=int, metavar="SEED", help="this one alone, with its trace")
    parser.add_argument("--mutant", choices=sorted(mutants.MUTANTS), help="with this rule of octoplan's switched off")
    parser.add_argument("--controls", action="store_true", help="each mutant that has a kept seed")
    parser.add_argument("--machine", type=int, metavar="N", help="so many examples of the state machine instead")
    given = parser.parse_args(words)
    if given.controls:
        return _controls(given.jobs)
    mutant = mutants.MUTANTS[given.mutant] if given.mutant else None
    began = time.monotonic()
    if given.machine:
        came = examples.run(given.machine, start=given.seed, jobs=given.jobs, mutant=mutant)
        _print("\n".join((*came.lines(), f"seconds {time.monotonic() - began:.1f}")))
        return 1 if came.failed else 0
    seeds = [given.only] if given.only is not None else range(given.seed, given.seed + given.schedules)
    report = Report()
    for verdict in verdicts([Order(seed, mutant) for seed in seeds], jobs=min(given.jobs, len(seeds))):
        report.add(verdict)
        if verdict.violations:
            _print(f"--- seed {verdict.seed}: python -m tests.faults --only {verdict.seed}")
        if verdict.violations or given.only is not None:
            _print("\n".join((*verdict.trace, *verdict.violations)))
        if verdict.violations and mutant:
            break
    for line in report.lines():
        _print(line)
    _print(f"seconds {time.monotonic() - began:.1f}")
    return 1 if report.failed else 0


def _controls(jobs: int) -> int:
    """Run every mutant that has a kept seed; 1 if one of them is not caught."""
    orders = [Order(seed, mutants.MUTANTS[name]) for name, seed in sorted(mutants.CAUGHT.items())]
    names = dict(zip(orders, sorted(mutants.CAUGHT), strict=True))
    missed = set()
    for order, verdict in _told(orders, jobs=jobs):
        broken = [line for line in verdict.violations if not line.startswith("harness: ")]
        _print(f"{names[order]}: seed {order.seed}: {broken[0] if broken else 'not caught'}")
        if not broken:
            missed.add(names[order])
    _print(f"mutants {len(mutants.MUTANTS)}, with a kept seed {len(orders)}, not caught {len(missed)}")
    return 1 if missed else 0


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def verdicts(orders: Sequence[Order], *, jobs: int) -> Iterator[Verdict]:
    """Yield the verdict on every order, in no order."""
    return (verdict for _, verdict in _told(orders, jobs=jobs))


def _told(orders: Sequence[Order], *, jobs: int) -> Iterator[tuple[Order, Verdict]]:
    """Yield every order with its verdict; each job is a process with a sandbox of its own."""
    warmth.prepare(runner.memory())
    pipes: dict[BinaryIO, Iterator[Order]] = {}
    processes = []
    for job in range(jobs):
        reading, writing = os.pipe()
        process = os.fork()
        if not process:
            os.close(reading)
            try:
                with contextlib.suppress(BrokenPipeError), open(writing, "wb") as results:  # noqa: PTH123  a descriptor
                    _work(orders[job::jobs], results)
            finally:
                os._exit(0)
        os.close(writing)
        processes.append(process)
        pipes[open(reading, "rb")] = iter(orders[job::jobs])  # noqa: PTH123, SIM115  a descriptor, closed below
    try:
        yield from _all(pipes)
    finally:
        for pipe in pipes:
            pipe.close()
        for process in processes:
            os.waitpid(process, 0)


def _all(pipes: dict[BinaryIO, Iterator[Order]]) -> Iterator[tuple[Order, Verdict]]:
    waiting = dict(pipes)
    while waiting:
        for pipe, orders in tuple(waiting.items()):
            try:
                verdict = pickle.load(pipe)  # noqa: S301  our own child's
            except EOFError:
                del waiting[pipe]
            else:
                yield next(orders), verdict


def _work(orders: Sequence[Order], pipe: BinaryIO) -> None:
    clock = Clock()
    with tempfile.TemporaryDirectory(prefix="faults-", dir=runner.memory()) as name:
        server = Server(Path(name), clock)
        with contextlib.suppress(BrokenPipeError):  # whoever asked has heard enough
            for order in orders:
                pipe.write(apart(order.seed, server, clock, mutant=order.mutant))
                pipe.flush()
        server.close()


def apart(seed: int, server: Server, clock: Clock, *, mutant: Callable[[], None] | None) -> bytes:
    """Run a schedule in a process of its own, which octoplan may be changed in; return the pickled verdict."""
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        os.setpgid(0, 0)
        os.close(reading)
        gc.disable()
        server.reconnect()
        try:
            told = pickle.dumps(runner.run(seed, server, clock, mutant=mutant))
            with open(writing, "wb") as results:  # noqa: PTH123  a descriptor
                results.write(told)
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as results:  # noqa: PTH123  a descriptor
        content = results.read() if select.select([reading], [], [], LONGEST)[0] else b""
    if not content:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)
        content = pickle.dumps(runner.hung(seed))
    os.waitpid(process, 0)
    return content
