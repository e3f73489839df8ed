"""Which process runs here, and whether another one still does."""

from __future__ import annotations

import contextlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")

# Of /proc/<pid>/stat, counted from after the command's closing parenthesis: proc(5) fields 3 and 22.
_STATE, _START_TIME = 0, 19


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process that outlives the reuse of its id. `started` is empty where nothing tells it.

    `host` names machine, boot and pid namespace: only there does `pid` mean anything.
    """

    host: str
    pid: int
    started: str


def current() -> Process:
    """Return this process."""
    pid = os.getpid()
    return Process(host=_host(), pid=pid, started=_started(pid) or "")


def is_alive(process: Process) -> bool | None:
    """Tell whether a process of this host lives; None for another host's."""
    if process.host != _host():
        return None
    started = _started(process.pid)
    return started is not None and (started == process.started or not started or not process.started)


def _host() -> str:
    boot = namespace = ""
    with contextlib.suppress(OSError):
        boot = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = str((PROC / "self/ns/pid").readlink())
    return f"{socket.gethostname()} {boot} {namespace}".rstrip()


def _started(pid: int) -> str | None:
    """Return a process's start in clock ticks since boot, empty if it cannot be read, None if it is gone."""
    try:
        with contextlib.suppress(PermissionError):
            os.kill(pid, 0)
        text = (PROC / str(pid) / "stat").read_bytes()
    except ProcessLookupError:
        return None
    except OSError:
        return ""
    fields = text.rpartition(b")")[2].split()
    return None if fields[_STATE] in (b"Z", b"X") else fields[_START_TIME].decode()
