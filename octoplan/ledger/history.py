"""How far a ledger's history has come, so that a copy which lacks some of it shows itself.

Events are never changed or deleted and have ascending numbers: a ledger whose event of some number is
not the one that was seen there is a restored backup, or a copy that went its own way. The serial alone
would not tell: a backup made between a reserve and its claims has the same one.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from octoplan.core.errors import Refused
from octoplan.ledger import runs
from octoplan.ledger.records import Acceptance, Mark
from octoplan.ledger.transaction import moment

if TYPE_CHECKING:
    import sqlite3

    from octoplan.ledger.transaction import Transaction


def newest(tx: Transaction) -> Mark:
    """Return how far the history has come; a new ledger has no event yet."""
    serial = tx.rows("SELECT serial FROM meta")[0]["serial"]
    event = tx.row("SELECT * FROM events ORDER BY id DESC LIMIT 1")
    return Mark(serial=serial, event=event["id"] if event else 0, fingerprint=_fingerprint(event) if event else "")


def goes_on_from(tx: Transaction, mark: Mark) -> bool:
    """Tell whether the history holds what was seen, or a person has accepted since that it does not."""
    event = tx.row("SELECT * FROM events WHERE id = ?", mark.event)
    if not mark.event or (event is not None and _fingerprint(event) == mark.fingerprint):
        return True
    found = accepted(tx)
    return found is not None and found.serial > mark.serial


def accept(tx: Transaction, serial: int, *, above: int, actor: str, reason: str) -> int:
    """Note that a person accepts the history as it is; return the new serial, above every one that was seen.

    Raises:
        Refused: `ledger-serial`: that is not the ledger's; `reason-missing`; `clock`.
    """
    runs.refuse_clock(tx)
    present: int = tx.rows("SELECT serial FROM meta")[0]["serial"]
    if serial != present:
        raise Refused(
            f"the ledger's serial is {present}, not {serial}: look at this ledger first, then accept that number",
            reason="ledger-serial",
        )
    if not reason.strip():
        raise Refused("accepting a serial needs a reason: --reason TEXT", reason="reason-missing")
    raised = max(present, above) + 1
    tx.change("UPDATE meta SET serial = ?", raised)
    tx.event("serial-accepted", actor=actor, reason=reason, details=json.dumps({"from": present, "to": raised}))
    return raised


def accepted(tx: Transaction) -> Acceptance | None:
    """Return the newest acceptance, if any."""
    event = tx.row("SELECT at, details FROM events WHERE what = 'serial-accepted' ORDER BY id DESC LIMIT 1")
    return Acceptance(at=moment(event["at"]), serial=json.loads(event["details"])["to"]) if event else None


def _fingerprint(event: sqlite3.Row) -> str:
    return hashlib.sha256(json.dumps(list(event), ensure_ascii=False).encode()).hexdigest()[:32]
