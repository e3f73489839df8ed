"""What strace wrote down: every durable or network call of a run, and where each stands."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

CALLS = (
    "openat,write,writev,pwrite64,fsync,fdatasync,ftruncate,fallocate,mkdir,link,linkat,rename,renameat,renameat2,"
    "unlink,unlinkat,connect,sendto,sendmsg,recvfrom,recvmsg"
)
"""The calls that make something durable, undo it, or speak to the network."""

LEDGER = "rehearsal.db"
ALIKE = 100
"""From so many calls in a row that are alike, in one transaction, only some are tried: SQLite's write test of 4 MiB."""

STEP = 200
"""How far beyond the other threads' counters one is moved."""

_LINE = re.compile(r"(?P<thread>\d+)\s+(?P<name>\w+)\((?P<rest>.*)")
_PLACE = re.compile(r"(?P<open>\w+\()?\d*<(?P<path>[^>]+)>")
_NAMED = re.compile(r'"(?P<path>/[^"]*)"')
_WRITES = re.compile(r"O_(CREAT|RDWR|WRONLY)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call: the `nth` of its name in its thread."""

    thread: str
    name: str
    nth: int
    place: str
    injected: bool

    def is_at(self, point: Point) -> bool:
        """Tell whether this is the call at a point, in a run in which others were made beforehand."""
        there = (point.call.thread, point.call.name, point.when, point.call.place)
        return (self.thread, self.name, self.nth, self.place) == there


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A call at which a run is struck. `aside`: how many calls of that name its thread makes before anything else.

    strace counts in each thread by itself and strikes every one that comes to the number; where another would, the
    counter of the one that is meant is moved on, out of the others' reach.
    """

    number: int
    call: Call
    aside: int

    @property
    def when(self) -> int:
        """The number of the call in a run in which its thread has stepped aside."""
        return self.aside + self.call.nth

    def __str__(self) -> str:
        return f"{self.number} {self.call.name} {self.call.place} {self.call.thread} {self.call.nth}"


def read(log: Path, root: Path, *, threads: Path) -> list[Call]:
    """Return the calls that touch the project in `root` or the network, in the order in which they began."""
    names = dict(line.split() for line in threads.read_text(encoding="utf-8").splitlines())
    counts: Counter[tuple[str, str]] = Counter()
    found = []
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        thread, name, rest = names.get(match["thread"], "other"), match["name"], match["rest"]
        counts[thread, name] += 1
        if place := _place(name, rest, root=root):
            nth, injected = counts[thread, name], rest.endswith("(INJECTED)")
            found.append(Call(thread=thread, name=name, nth=nth, place=place, injected=injected))
    return found


def points(calls: Sequence[Call]) -> tuple[list[Point], int]:
    """Return the points to strike at, and how many calls were left out because they are like their neighbours."""
    chosen = list(_chosen(calls))
    found = [Point(number=number, call=call, aside=_aside(call, calls)) for number, call in enumerate(chosen, start=1)]
    return found, len(calls) - len(chosen)


def _aside(call: Call, calls: Sequence[Call]) -> int:
    """Return by how much a thread's counter must move so that no other comes to where it will be."""
    others = max((other.nth for other in calls if other.name == call.name and other.thread != call.thread), default=0)
    if call.name == "openat":  # which every thread makes, many of them nowhere near the project
        return STEP
    return others + STEP if others >= call.nth else 0


def _chosen(calls: Iterable[Call]) -> Iterator[Call]:
    for _, group in itertools.groupby(calls, lambda call: (call.thread, call.name, call.place)):
        row = list(group)
        if len(row) > ALIKE:
            row = [*row[:2], row[len(row) // 2], *row[-2:]]
        yield from row


def _place(name: str, rest: str, *, root: Path) -> str:
    """Say what a call is about; empty for what is none of ours."""
    if name == "openat" and not _WRITES.search(rest):
        return ""
    if name in {"openat", "mkdir"} or name.startswith(("unlink", "rename", "link")):
        match = _NAMED.search(rest)
    else:
        match = _PLACE.match(rest)
    if match is None:
        return ""
    path = match["path"]
    if path.startswith(("socket:", "TCP")):
        return "network"
    if path == str(root):
        return "folder"
    if not path.startswith(f"{root}/"):
        return ""
    return _kind(path.rpartition("/")[2])


def _kind(name: str) -> str:
    if name == LEDGER:
        return "ledger"
    if name == f"{LEDGER}-journal":
        return "journal"
    return "rescue" if name.startswith(f"{LEDGER}.rescue-") else "state"
