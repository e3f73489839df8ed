"""Runs under strace: watched, or struck at one call."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .listing import CALLS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stem import Forked

    from .listing import Point

PATIENCE = 60.0
NOWHERE = -1

HOWS: Mapping[str, str] = {
    "kill": "signal=KILL:when={}",
    "ENOSPC": "error=ENOSPC:when={}",
    "EIO": "error=EIO:when={}",
    "full": "error=ENOSPC:when={}+",
}
"""What happens to a call instead of what it asks for: the process that is killed has not made it.

Where the disk is `full`, all later calls of the same name in the same thread fail as well.
"""

USUAL = ("kill", "ENOSPC", "EIO")

ASIDE: Mapping[str, Callable[[], object]] = {
    "openat": lambda: os.open("/nonexistent/nothing", os.O_RDONLY),
    "write": lambda: os.write(NOWHERE, b""),
    "pwrite64": lambda: os.pwrite(NOWHERE, b"", 0),
    "fsync": lambda: os.fsync(NOWHERE),
    "fdatasync": lambda: os.fdatasync(NOWHERE),
    "ftruncate": lambda: os.ftruncate(NOWHERE, 0),
    "unlink": lambda: os.unlink("/nonexistent/nothing"),  # noqa: PTH108  the call itself is meant
}
"""Calls that do nothing but count."""


class Refused(Exception):
    """There is no strace here, or it may not trace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Where one run's traces go: what it says, strace's log, and the names of its threads."""

    folder: Path

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def log(self) -> Path:
        return self.folder / "strace"

    @property
    def threads(self) -> Path:
        return self.folder / "threads"


def traced(project: Forked, words: tuple[str, ...], *, records: Records, strike: tuple[Point, str] | None) -> int:
    """Run octoplan in a child under strace and return its exit code, negative for a signal.

    Raises:
        Refused: strace cannot.
    """
    reading, writing = os.pipe()

    def ready() -> None:
        os.close(writing)
        os.read(reading, 1)
        _instruct(records.threads, strike[0] if strike else None)

    child = project.fork(*words, out=records.out, ready=ready)
    os.close(reading)
    inject = [f"inject={strike[0].call.name}:{HOWS[strike[1]].format(strike[0].when)}"] if strike else []
    expressions = [word for expression in (f"trace={CALLS}", *inject) for word in ("-e", expression)]
    command = [_program(), "-f", "-y", "-s", "0", "-o", str(records.log), *expressions, "-p", str(child)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as strace:
        try:
            _wait_until_traced(child, strace)
        finally:
            os.close(writing)  # the child goes on
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        strace.communicate(timeout=PATIENCE)
    return code


def _instruct(names: Path, point: Point | None) -> None:
    """Let every thread of this process note its name as it begins, and one step aside."""
    noted = os.open(names, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_APPEND, 0o600)
    usual = threading.Thread.run

    def begin(name: str) -> None:
        os.write(noted, f"{threading.get_native_id()} {name}\n".encode())
        for _ in range(point.aside if point and point.call.thread == name else 0):
            with contextlib.suppress(OSError):
                ASIDE[point.call.name]()  # type: ignore[union-attr]  # there is one

    def run(self: threading.Thread) -> None:
        begin(self.name)
        usual(self)

    begin(threading.current_thread().name)
    threading.Thread.run = run  # type: ignore[method-assign]  # no other hook runs in the thread itself


def _program() -> str:
    found = shutil.which("strace")
    if found is None:
        raise Refused("strace is not installed (Debian: apt install strace)")
    return found


def _wait_until_traced(child: int, strace: subprocess.Popen[str]) -> None:
    until = time.monotonic() + PATIENCE
    while "TracerPid:\t0\n" in Path(f"/proc/{child}/status").read_text(encoding="ascii"):
        if strace.poll() is not None or time.monotonic() > until:
            said = strace.stderr.read().strip() if strace.stderr else ""
            raise Refused(f"strace may not trace here ({said}): allow ptrace, in a container --cap-add=SYS_PTRACE")
        time.sleep(0.001)
