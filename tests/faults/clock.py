"""The time of a schedule: two offsets that the worker, its sandbox and every run of octoplan share."""

from __future__ import annotations

import mmap
import struct
import time
from datetime import UTC, datetime, timedelta

START = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
"""When every schedule begins: a Tuesday, ten o'clock in Paris."""

_PLACES = {"truth": 0, "skew": 8}


class Clock:
    """The world is `truth` seconds ahead of this machine; octoplan's own machine is `skew` off from that.

    The offsets lie in memory that forked processes share, so that a jump in the middle of a run is one
    for everybody.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 16)

    def _get(self, name: str) -> float:
        found: float = struct.unpack_from("d", self._memory, _PLACES[name])[0]
        return found

    def _set(self, name: str, seconds: float) -> None:
        struct.pack_into("d", self._memory, _PLACES[name], seconds)

    @property
    def truth(self) -> float:
        return self._get("truth")

    @property
    def skew(self) -> float:
        return self._get("skew")

    @skew.setter
    def skew(self, seconds: float) -> None:
        self._set("skew", seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass for everybody."""
        self._set("truth", self.truth + seconds)

    def reset(self) -> None:
        """Begin at `START`, whenever that is: the same schedule is the same on every day."""
        self._set("truth", (START - datetime.now(UTC)).total_seconds())
        self._set("skew", 0.0)

    def true(self) -> datetime:
        """Return the world's time."""
        return datetime.now(UTC) + timedelta(seconds=self.truth)

    def now(self) -> datetime:
        """Return the time by octoplan's machine."""
        return self.true() + timedelta(seconds=self.skew)

    def wall(self) -> float:
        """Return the time by octoplan's machine in seconds since the epoch."""
        return time.time() + self.truth + self.skew

    def elapsed(self) -> float:
        """Return seconds since boot, which no clock that is set wrong moves."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) + self.truth
