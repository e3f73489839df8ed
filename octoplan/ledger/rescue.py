"""The rescue file: where an outcome goes that the ledger cannot take any more.

It lies beside the ledger, is made and filled with NULs when a run opens, so that a full disk cannot
keep it from taking a line, and vanishes with the run if nothing was written.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from decimal import Decimal
from typing import TYPE_CHECKING

from octoplan.core.model import Receipt
from octoplan.ledger.records import BatchState, Settlement

if TYPE_CHECKING:
    from pathlib import Path

ALLOCATED = 1 << 16


class RescueFile:
    """The open rescue file of one run.

    Raises:
        OSError: it cannot be made or filled.
    """

    def __init__(self, ledger: Path, run: str) -> None:
        self.path = ledger.with_name(f"{ledger.name}.rescue-{run}")
        self._end = 0
        self._lock = threading.Lock()
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            self._put(bytes(ALLOCATED), 0)
            os.fsync(self._file)
        except OSError:
            self.close()
            raise

    def write(self, line: str) -> None:
        """Append a line, durably.

        Raises:
            OSError: the disk does not take even that.
        """
        content = line.encode() + b"\n"
        with self._lock:
            self._put(content, self._end)
            os.fsync(self._file)
            self._end += len(content)

    def _put(self, content: bytes, place: int) -> None:
        while content:  # a disk that fills up takes a part first and fails after
            taken = os.pwrite(self._file, content, place)
            content, place = content[taken:], place + taken

    def close(self) -> None:
        """Let go of the file; without a line in it, it goes away."""
        os.close(self._file)
        if not self._end:
            with contextlib.suppress(OSError):
                self.path.unlink()


def run_of(path: Path) -> str:
    """Return the run whose rescue file this is."""
    return path.name.rpartition(".rescue-")[2]


def files(ledger: Path) -> tuple[Path, ...]:
    """Return the rescue files beside a ledger."""
    start = f"{ledger.name}.rescue-"
    return tuple(sorted(path for path in ledger.parent.iterdir() if path.name.startswith(start)))


def lines(path: Path) -> tuple[str, ...]:
    """Return the lines of a rescue file; none if it is just waiting."""
    try:
        content = path.read_bytes().replace(b"\0", b"")
    except FileNotFoundError:  # its run has ended since
        return ()
    return tuple(content.decode(errors="replace").splitlines())


def line(attempt: str, settlement: Settlement) -> str:
    """Return an outcome as one line of JSON."""
    receipt = settlement.receipt
    outcome: dict[str, object] = {
        "attempt": attempt,
        "state": settlement.state,
        "reason": settlement.reason,
        "rejected": settlement.rejected,
    }
    if receipt is not None:
        outcome["receipt"] = {
            "ticket": receipt.ticket,
            "contacts": receipt.contacts,
            "parts": receipt.parts,
            "cost": None if receipt.cost is None else str(receipt.cost),
            "credit": None if receipt.credit is None else str(receipt.credit),
            "details": dict(receipt.details),
        }
    return json.dumps(outcome, sort_keys=True)


def read(text: str) -> tuple[str, Settlement] | None:
    """Read a line back: attempt and outcome; None for a line that is torn."""
    try:
        outcome = json.loads(text)
        receipt = outcome.get("receipt")
        return outcome["attempt"], Settlement(
            state=BatchState(outcome["state"]),
            reason=outcome["reason"],
            rejected=outcome["rejected"],
            receipt=None if receipt is None else _receipt(receipt),
        )
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError):
        return None


def _receipt(fields: dict[str, object]) -> Receipt:
    money = {name: None if fields[name] is None else Decimal(str(fields[name])) for name in ("cost", "credit")}
    return Receipt(**{**fields, **money})  # type: ignore[arg-type]  # our own line, written by `line`
