"""Batches as rows: reading them, and moving them from state to state."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

from octoplan.core.errors import Refused
from octoplan.core.keys import SIZE
from octoplan.core.model import Receipt
from octoplan.ledger import packed, runs
from octoplan.ledger.connection import damaged
from octoplan.ledger.records import FOREIGN, BatchRow, BatchState
from octoplan.ledger.transaction import moment

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from octoplan.ledger.transaction import Transaction

_SELECT = """
    SELECT batches.*, a.state AS answered, a.request_id, a.payload_hash, a.ticket, a.contacts AS billed_contacts,
           a.parts AS billed_parts, a.cost, a.credit, a.details
    FROM batches LEFT JOIN attempts a ON a.id = batches.attempt
"""

_INSERT = """
    INSERT INTO batches (id, campaign, edition, number, version, plan_id, provider, state, reason, rejected,
                         contacts, parts, worst, currency, generation, held, reserved_at)
    VALUES (:id, :campaign, :edition, :number, :version, :plan_id, :provider, 'reserved', '', 0,
            :contacts, :parts, :worst, :currency, :generation, :held, :reserved_at)
"""


def of_edition(tx: Transaction, campaign: str, *, edition: int) -> tuple[BatchRow, ...]:
    """Return the batches of one edition by number."""
    return _read(tx, tx.rows(f"{_SELECT} WHERE campaign = ? AND edition = ? ORDER BY number", campaign, edition))


def by_ids(tx: Transaction, ids: Iterable[str]) -> tuple[BatchRow, ...]:
    """Return batches by id, in the order of their reservation."""
    rows = [row for batch in ids for row in tx.rows(f"{_SELECT} WHERE batches.id = ?", batch)]
    return _read(tx, sorted(rows, key=lambda row: (row["reserved_at"], row["campaign"], row["edition"], row["number"])))


def unsettled(tx: Transaction) -> tuple[BatchRow, ...]:
    """Return the batches that read as in doubt, by id."""
    rows = tx.rows(f"{_SELECT} WHERE batches.state IN ('claimed', 'in_doubt') ORDER BY campaign, edition, number")
    return tuple(row for row in _read(tx, rows) if row.state is BatchState.IN_DOUBT)


def keys_of(tx: Transaction, ids: Iterable[str]) -> bytes:
    """Return the packed keys of batches, one batch after another.

    Raises:
        Refused: `ledger-corrupt`.
    """
    found = [row["keys"] for batch in ids for row in tx.rows("SELECT keys FROM batch_keys WHERE batch = ?", batch)]
    refuse_disorder(found)
    return b"".join(found)


def refuse_disorder(lists: Sequence[bytes]) -> None:
    """Refuse keys that were overwritten: SQLite does not notice, and whoever they stood for would look new.

    Raises:
        Refused: `ledger-corrupt`.
    """
    if lists and not packed.ascend(lists):
        raise damaged("the keys of a batch are not in order")


def insert(tx: Transaction, keys: bytes, *, columns: Mapping[str, object], held: int = 0) -> str:
    """Add a reserved batch of packed keys and return its id; `held` as in `NewBatch`."""
    identity = f"{columns['campaign']}/{columns['edition']}/{columns['number']}"
    counted = {"contacts": held or len(keys) // SIZE, "held": int(held > 0)}
    made = {"id": identity, "reserved_at": tx.at, **counted}
    tx.db.execute(_INSERT, {**columns, **made})
    tx.change("INSERT INTO batch_keys (batch, keys) VALUES (?, ?)", identity, keys)
    tx.event("reserved", batch=identity)
    return identity


def refuse_foreign(tx: Transaction, campaign: str, *, edition: int) -> None:
    """Refuse to send more of an edition that another ledger has sent some of: the rest would be sent twice, too.

    Raises:
        Refused: `foreign`.
    """
    row = tx.row(
        "SELECT id FROM batches WHERE campaign = ? AND edition = ? AND state = 'in_doubt' AND substr(reason, 1, ?) = ?",
        campaign,
        edition,
        len(FOREIGN),
        FOREIGN,
    )
    if row is not None:
        raise Refused(
            f"{campaign}: another ledger has sent batch {row['id']}, and may have sent the others: nothing more of it "
            "is sent. Find that ledger and apply from there; or import whom it sent to, then "
            f"`octoplan resolve {row['id']} --as sent --reason TEXT`",
            reason="foreign",
        )


def release(tx: Transaction, batch: str, *, why: str) -> None:
    """Let the people of a batch go that was never sent."""
    tx.change("UPDATE batches SET state = 'released', reason = ?, settled_at = ? WHERE id = ?", why, tx.at, batch)
    tx.event("released", batch=batch, reason=why)


def cancel(tx: Transaction, batch: str, *, actor: str, reason: str) -> bool:
    """Note that an accepted batch will not reach anybody: it still counts as sent. False if it is not accepted."""
    if not tx.change(
        "UPDATE batches SET state = 'cancelled', reason = ?, settled_at = ? WHERE id = ? AND state = 'accepted'",
        reason,
        tx.at,
        batch,
    ):
        return False
    tx.event("cancelled", batch=batch, actor=actor, reason=reason)
    return True


def state_now(row: sqlite3.Row, living: Mapping[str, str]) -> BatchState:
    """Return a batch's state as it is: claimed by a run that is gone means in doubt."""
    state = BatchState(row["state"])
    return BatchState.IN_DOUBT if state is BatchState.CLAIMED and row["run"] not in living else state


def _read(tx: Transaction, rows: Iterable[sqlite3.Row]) -> tuple[BatchRow, ...]:
    living = runs.alive(tx)
    plans = frozenset(living.values())
    return tuple(_batch(row, living, plans=plans) for row in rows)


def _batch(row: sqlite3.Row, living: Mapping[str, str], *, plans: frozenset[str]) -> BatchRow:
    state = state_now(row, living)
    return BatchRow(
        id=row["id"],
        campaign=row["campaign"],
        edition=row["edition"],
        number=row["number"],
        plan_id=row["plan_id"],
        provider=row["provider"],
        state=state,
        reason=row["reason"],
        rejected=bool(row["rejected"]),
        count=row["contacts"],
        parts=row["parts"],
        worst=Decimal(row["worst"]),
        charged=_money(row["charged"]),
        currency=row["currency"],
        generation=row["generation"],
        held=bool(row["held"]),
        request_id=row["request_id"] or "",
        payload_hash=row["payload_hash"] or "",
        receipt=_receipt(row),
        reserved_at=moment(row["reserved_at"]),
        claimed_at=_moment(row["claimed_at"]),
        settled_at=_moment(row["settled_at"]),
        alive=row["plan_id"] in plans if state is BatchState.RESERVED else row["run"] in living,
    )


def _receipt(row: sqlite3.Row) -> Receipt | None:
    if row["ticket"] is None:
        return None
    return Receipt(
        ticket=row["ticket"],
        contacts=row["billed_contacts"],
        parts=row["billed_parts"],
        cost=_money(row["cost"]),
        credit=_money(row["credit"]),
        details=json.loads(row["details"]),
    )


def _money(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else moment(text)
