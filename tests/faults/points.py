"""The points at which a run can be struck: around every durable write and every system call of the network.

A strike is counted out by the n-th point of its kinds, and may do any of what `strike` knows: kill the
process, send it a signal, make the write fail, let time pass, or do something to the files of the project.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import sqlite3
import threading
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

from faults.patch import put

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS: dict[str, tuple[str, ...]] = {
    "commit": ("before commit", "after commit"),
    "read": ("before read",),
    "file": ("before file", "after file"),
    "connect": ("before connect", "after connect"),
    "send": ("before send", "after send"),
    "receive": ("before receive", "after receive"),
}
"""What a strike can wait for."""

SPOKEN = {"COMMIT": "commit", "BEGIN": "read"}
"""What a ledger says to its database when it writes, and when it is about to read."""

FILES = ("fsync", "pwrite", "replace", "link", "unlink")
"""The system calls by which octoplan makes files durable."""

KILLED = -signal.SIGKILL
PAUSE = 0.25
"""Real seconds in which another process may get on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """What is done at the `at`-th point of some kinds, and to how many points from there on."""

    what: str
    kinds: tuple[str, ...]
    at: int
    times: int = 1

    def __str__(self) -> str:
        times = f" x{self.times}" if self.times > 1 else ""
        return f"{self.what} at {'/'.join(self.kinds)} {self.at}{times}"


class Points:
    """Counts the points of one process and strikes; `acts` are the strikes that need the world.

    What has struck is noted, once each, in the file `note`.
    """

    def __init__(self, strikes: tuple[Strike, ...], acts: dict[str, Callable[[], None]], *, note: str) -> None:
        self._strikes = strikes
        self._acts = acts
        self._note = note
        self._counts: Counter[Strike] = Counter()
        self._lock = threading.Lock()

    def reach(self, name: str) -> None:
        """Note that a point is reached; may not return, or raise what the system would."""
        with self._lock:
            struck = [one for one in self._strikes if self._is_struck(one, name)]
        for one in struck:
            self._strike(one, name)

    def _is_struck(self, strike: Strike, name: str) -> bool:
        if not any(name in KINDS[kind] for kind in strike.kinds):
            return False
        self._counts[strike] += 1
        return strike.at <= self._counts[strike] < strike.at + strike.times

    def _strike(self, strike: Strike, name: str) -> None:
        if self._counts[strike] == strike.at:
            with open(self._note, "a", encoding="utf-8") as file:  # noqa: PTH123  its own system calls are no points
                file.write(f"{strike.what}-{strike.kinds[0]}\n")
        if strike.what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif strike.what in ("SIGINT", "SIGTERM", "SIGHUP"):
            os.kill(os.getpid(), getattr(signal, strike.what))
        elif strike.what == "disk":
            _fail(name)
        elif strike.what == "pause":
            time.sleep(PAUSE)
        elif strike.what == "mute":
            os.dup2(os.open("/dev/full", os.O_WRONLY), 1)
        else:
            self._acts[strike.what]()


def _fail(name: str) -> None:
    """Raise what a full disk raises; at a point of the network nothing."""
    if name.endswith("commit"):
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error
    if name.endswith("file"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def install(points: Points) -> None:
    """Make this process reach its points; for a process that does nothing else any more."""

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
            name = SPOKEN.get(sql)
            if name is None:
                return super().execute(sql, parameters)
            points.reach(f"before {name}")
            done = super().execute(sql, parameters)
            points.reach(f"after {name}")
            return done

    put(sqlite3, connect=partial(sqlite3.connect, factory=Connection))
    for name in FILES:
        put(os, **{name: _around(getattr(os, name), "file", points)})
    for name, called in {"connect": "connect", "send": "send", "recv": "receive"}.items():
        put(socket.socket, **{name: _around(getattr(socket.socket, name), called, points)})


def _around(call: Callable[..., Any], name: str, points: Points) -> Callable[..., Any]:
    @wraps(call)
    def around(*words: Any, **named: Any) -> Any:
        points.reach(f"before {name}")
        done = call(*words, **named)
        points.reach(f"after {name}")
        return done

    return around
