"""A run of octoplan in a process forked for it: its clock, its patience, its points; then the real command line."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import random
import sys
import threading
import time
import traceback
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpcore

from faults import people, points
from faults.patch import put
from octoplan import audience, cli, project, wire
from octoplan.core.plan import Git
from octoplan.ledger import connection
from octoplan.project import Project
from octoplan.providers import octopush
from octoplan.providers.routee import Routee
from octoplan.workflow import ledger as ledger_verb
from octoplan.workflow import simulate
from octoplan.workflow.progress import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from httpcore._backends.sync import SyncStream

    from faults.clock import Clock
    from faults.points import Strike

HARNESS_BROKE = 98
BATCH_SIZE = 3
"""Contacts in a batch, so that a dozen people make several."""

_PATIENCE = [20.0]
"""Real seconds for an answer of the present run; a second number says that this process is adapted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a run lives in. `plain`: audiences by sets, not by the engine. `patience`: real seconds for an answer."""

    clock: Clock
    environ: Mapping[str, str]
    seed: int
    plain: bool = True
    patience: float = 20.0
    acts: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    mutant: Callable[[], None] | None = None


def start(words: tuple[str, ...], setting: Setting, *, strikes: tuple[Strike, ...], out: str) -> int:
    """Fork a run and return its process; it prints to the files `out`.out and `out`.err."""
    process = os.fork()
    if process:
        return process
    try:
        code = _live(words, setting, strikes=strikes, out=out)
        Path(f"{out}.done").touch()
    except BaseException:  # noqa: BLE001  nothing of this process may return into the worker
        traceback.print_exc()
        code = HARNESS_BROKE
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def here(words: tuple[str, ...], setting: Setting, *, out: str) -> int:
    """Run octoplan in this process, which costs less, for a run that nothing happens to."""
    before = dict(os.environ)
    told = io.StringIO(), io.StringIO()
    os.environ.update(setting.environ)
    random.seed(setting.seed)
    try:
        adapt(setting)
        with contextlib.redirect_stdout(told[0]), contextlib.redirect_stderr(told[1]):
            return int(cli.run(words))
    finally:
        os.environ.clear()
        os.environ.update(before)
        for text, name in zip(told, ("out", "err"), strict=True):
            Path(f"{out}.{name}").write_text(text.getvalue(), encoding="utf-8")


def _live(words: tuple[str, ...], setting: Setting, *, strikes: tuple[Strike, ...], out: str) -> int:
    gc.disable()
    sys.settrace(None)
    threading.settrace(None)
    for number, name in ((1, f"{out}.out"), (2, f"{out}.err")):
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, number)
        os.close(file)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  for the rest of the process
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
    os.environ.update(setting.environ)
    random.seed(setting.seed)
    adapt(setting)
    if strikes:
        points.install(points.Points(strikes, dict(setting.acts), note=f"{out}.struck"))
    return int(cli.run(words))


def adapt(setting: Setting) -> None:
    """Put octoplan into the time of the schedule, once a process; only patience changes from run to run."""
    _PATIENCE[0] = setting.patience
    if _PATIENCE[1:]:
        return
    _PATIENCE.append(0.0)
    clock = setting.clock
    put(project, open_project=partial(project.open_project, clock=clock.now))
    ends = wire.Deadline.__init__.__kwdefaults__ or {}
    ends.update(wall=clock.wall, elapsed=clock.elapsed)
    put(connection, WRITE_TEST=1 << 16)
    put(import_module("octoplan.cli.apply"), ONCE=0.0)  # who strikes twice means it
    put(octopush, BATCH_SIZE=BATCH_SIZE)
    put(Routee, limits=replace(Routee.limits, batch_size=BATCH_SIZE))
    put(Project, git=lambda _: Git(commit=None, dirty=False))  # two processes saved
    if setting.plain:
        put(audience.Engine, resolve=lambda _, query: people.resolve(query))
    dice = random.Random(setting.seed)  # noqa: S311  a ledger whose keys have the same order each time
    put(ledger_verb, secrets=_Secrets(dice))
    _hasten(clock)
    if setting.mutant:
        setting.mutant()


class _Secrets:
    """The randomness of `ledger init`, by seed."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def token_bytes(self, size: int) -> bytes:
        return self._dice.randbytes(size)

    def token_hex(self, size: int) -> str:
        return self._dice.randbytes(size).hex()


def _hasten(clock: Clock) -> None:
    """Let waits pass in no time, by moving the clock of the schedule."""
    pause = simulate.pause

    def wait(self: Stop, timeout: float | None = None) -> bool:
        if timeout is None:
            return threading.Event.wait(self)
        if not self.is_set() and timeout > 0:
            clock.advance(timeout)
            time.sleep(0.001)
        return self.is_set()

    def briefly(history: Any) -> float | None:
        seconds = pause(history)
        return None if seconds is None else seconds / 1000

    put(Stop, wait=wait)
    put(simulate, pause=briefly)
    _read_briefly(clock)


def _read_briefly(clock: Clock) -> None:
    """Give up on an answer after real `patience`, in the schedule's time at the deadline."""
    from httpcore._backends import sync  # noqa: PLC0415  as private as this is

    read = sync.SyncStream.read

    def impatient(self: SyncStream, max_bytes: int, timeout: float | None = None) -> bytes:
        patience = _PATIENCE[0]
        try:
            return read(self, max_bytes, min(patience, timeout or patience))
        except httpcore.ReadTimeout:
            if timeout:
                clock.advance(timeout)
            raise

    put(sync.SyncStream, read=impatient)
