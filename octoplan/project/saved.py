"""Where a plan is saved: over nothing but an older plan, and whole or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from octoplan.core import approval
from octoplan.core.errors import Refused, Stale
from octoplan.core.quoting import typed
from octoplan.project import STATE


def check(path: Path) -> None:
    """Make sure that a plan may be saved at `path`.

    Raises:
        Refused: something other than a saved plan is there, or the place is octoplan's own or cannot be written.
    """
    folder = Path(os.path.realpath(path.parent))
    if STATE in map(str.casefold, folder.parts):
        raise _refused(path, f"{STATE}/ is octoplan's own: choose another place")
    try:
        found = path.lstat()
    except FileNotFoundError:
        found = None
    except OSError as error:
        raise _refused(path, _why(error)) from error
    if not folder.is_dir():
        raise _refused(path, "its folder is not there: make it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _refused(path, "its folder cannot be written: choose another place")
    if found is not None and not (stat.S_ISREG(found.st_mode) and _is_plan(path, found.st_size)):
        raise _refused(path, "what is there is no saved plan, and is not overwritten: choose another name")


def write(path: Path, content: bytes) -> None:
    """Save a plan in one step: whoever reads the file meets the older plan or this one.

    Raises:
        Refused: as `check` does, or the disk is full.
    """
    check(path)
    partial = path.with_name(f".octoplan-{secrets.token_hex(8)}")
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise _refused(path, _why(error)) from error
    finally:
        partial.unlink(missing_ok=True)


def _is_plan(path: Path, size: int) -> bool:
    if size > approval.LARGEST_PLAN:
        return False
    try:
        approval.read_saved(path.read_bytes())
    except (Stale, OSError):
        return False
    return True


def _why(error: OSError) -> str:
    return (error.strerror or "unknown reason").lower()


def _refused(path: Path, why: str) -> Refused:
    return Refused(f"the plan cannot be saved to {typed(str(path))}: {why}", reason="out")
