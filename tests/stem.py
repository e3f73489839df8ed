"""A process that has imported all of octoplan and forks: a run costs what it does, not a second of imports.

For programs of one thread only: what a fork makes of another thread's locks is nobody's promise.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import pkgutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import httpx
from workspaces import Ended, Workspace

import octoplan
from octoplan.cli import run
from octoplan.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from octoplan.sandbox import Options

LAST = ("encodings.ascii", "encodings.cp437", "encodings.idna", "phonenumbers.data.region_FR")
"""What would be imported in the middle of a run, by whichever thread comes first."""

PATIENCE = 60.0

ANY_TRACER = ctypes.c_ulong(-1)
SET_TRACER = 0x59616D61
"""PR_SET_PTRACER of Linux: where only parents may trace, a child may allow it to others."""


def warm() -> None:
    """Import everything; a program must set OPENBLAS_NUM_THREADS to 1 before, or numpy starts threads."""
    own = [module.name for module in pkgutil.walk_packages(octoplan.__path__, "octoplan.")]
    for name in (*own, *LAST):
        if not name.endswith("__main__"):
            importlib.import_module(name)
    if len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208  a count
        raise RuntimeError("a process that forks must have one thread")


def fork(
    words: tuple[str, ...], *, environ: Mapping[str, str], out: Path, ready: Callable[[], None] = lambda: None
) -> int:
    """Start octoplan in a child that calls `ready` first; `out`, and `.err` beside it, get what it says."""
    child = os.fork()
    if child:
        return child
    code = 71
    try:
        for number, path in ((1, out), (2, out.with_suffix(".err"))):
            os.dup2(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), number)
        os.environ.update(environ)
        ctypes.CDLL(None).prctl(SET_TRACER, ANY_TRACER, 0, 0, 0)
        ready()
        code = run(["-q", *words])
    except BaseException:  # noqa: BLE001  whatever it is, a child never returns into its parent's code
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


class Forked(Workspace):
    """A project in which octoplan runs in children of this process."""

    def environ(self) -> dict[str, str]:
        """Give what every run is told; whatever octoplan keeps for its user lies in the project, too."""
        return {**super().environ(), "HOME": str(self.root), "XDG_STATE_HOME": str(self.root / "state")}

    def ask(self, path: str, **body: Any) -> Any:
        """Ask the sandbox, with more patience than others: a crowd keeps it busy."""
        url = f"{self.served}/_sandbox/{path}"
        method = "POST" if body else "GET"
        answer = httpx.request(method, url, json=body or None, trust_env=False, timeout=PATIENCE)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def fork(self, *words: str, out: Path, ready: Callable[[], None] = lambda: None) -> int:
        return fork(("-C", str(self.root), *words), environ=self.environ(), out=out, ready=ready)

    def run(self, *words: str, code: int | None = 0) -> Ended:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "out"
            ended = heard(os.waitstatus_to_exitcode(os.waitpid(self.fork(*words, out=out), 0)[1]), out)
        if code is not None and ended.code != code:
            raise AssertionError(f"{words}: {ended.code}\n{ended.out}\n{ended.err}")
        return ended


def heard(code: int, out: Path) -> Ended:
    """Read what a child said."""
    return Ended(code, out.read_text(encoding="utf-8"), out.with_suffix(".err").read_text(encoding="utf-8"))


@contextlib.contextmanager
def sandbox_apart(state: Path, prices: Path, **options: Unpack[Options]) -> Iterator[str]:
    """Serve the sandbox from a process of its own, which nothing of what is tried here touches; give its address."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            with Sandbox(state, prices, **options) as sandbox:
                os.write(writing, sandbox.url.encode())
                os.close(writing)
                while True:
                    time.sleep(3600)
        finally:
            os._exit(1)
    os.close(writing)
    try:
        url = os.read(reading, 200).decode()
        os.close(reading)
        yield url
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
