"""Why a verb ends. Every exception carries its exit code and its reason word.

```
OctoplanError            exit code, reason word
├── InputError           1   what a user wrote; carries every finding
├── Refused              1   credentials, ledger, environment: put something right first
├── Blocked              3   a limit, or a warning nobody accepted
├── Stale                4   the plan no longer describes what would be sent
├── Unfinished           5   run the same command again
└── InDoubt              7   a person must look
```
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from octoplan.core.model import Finding


class Exit(IntEnum):
    """Exit codes: one per human action."""

    DONE = 0
    INPUT = 1
    USAGE = 2
    BLOCKED = 3
    STALE = 4
    UNFINISHED = 5
    REJECTED = 6
    DOUBT = 7
    BUG = 70
    INTERRUPTED = 130


WORST_FIRST = (
    Exit.DOUBT,
    Exit.BUG,
    Exit.REJECTED,
    Exit.INPUT,
    Exit.STALE,
    Exit.BLOCKED,
    Exit.UNFINISHED,
    Exit.INTERRUPTED,
    Exit.DONE,
)


def worst(codes: Iterable[Exit]) -> Exit:
    """Return the code a person must act on first; `DONE` for none."""
    return min(codes, key=WORST_FIRST.index, default=Exit.DONE)


class OctoplanError(Exception):
    """An expected end of a verb. The message names place, what was found and the way out."""

    exit: Exit

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class InputError(OctoplanError):
    """What a user wrote must be put right; carries every finding of every file."""

    exit = Exit.INPUT

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(f"{len(self.findings)} to put right", reason="input")


class Refused(OctoplanError):
    """Credentials, ledger or environment: put something right first."""

    exit = Exit.INPUT


class Blocked(OctoplanError):
    """A limit, or a warning nobody accepted."""

    exit = Exit.BLOCKED


class Stale(OctoplanError):
    """The plan no longer describes what would be sent."""

    exit = Exit.STALE


class Unfinished(OctoplanError):
    """Nothing is wrong with the input; the same command, run again, goes on."""

    exit = Exit.UNFINISHED


class InDoubt(OctoplanError):
    """A person must look."""

    exit = Exit.DOUBT
