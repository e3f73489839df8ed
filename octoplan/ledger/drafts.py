"""Drafts: what a provider prepares of a batch whose audience it holds, before anybody is contacted.

A draft belongs to a reserved batch. Whatever becomes of the request for it, nothing was sent: it is given up
with its request id, and asked for again under the next generation.
"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

from octoplan.core.held import kind_of
from octoplan.core.model import Channel
from octoplan.ledger import batches, plans, runs
from octoplan.ledger.records import Draft, LeftDraft
from octoplan.ledger.transaction import moment

if TYPE_CHECKING:
    import sqlite3

    from octoplan.ledger.records import Claim
    from octoplan.ledger.transaction import Transaction

GONE = "the run that asked for it ended before its ticket was known"

_CURRENT = "SELECT * FROM drafts WHERE batch = ? AND state <> 'gone'"

_LEFT = """
    SELECT d.id, d.batch, b.provider, d.ticket, c.spec FROM drafts d JOIN batches b ON b.id = d.batch
    JOIN plan_campaigns c ON c.plan_id = b.plan_id AND c.campaign = b.campaign AND c.edition = b.edition
    WHERE d.state = 'ready' AND b.state IN ('not_sent', 'released')
    ORDER BY d.asked_at
"""

_RESERVED = """
    SELECT b.id, b.plan_id, b.campaign, c.apply_until FROM drafts d JOIN batches b ON b.id = d.batch
    JOIN plan_campaigns c ON c.plan_id = b.plan_id AND c.campaign = b.campaign AND c.edition = b.edition
    WHERE d.state = 'ready' AND b.state = 'reserved'
"""


def current(tx: Transaction, run: str, *, batch_id: str) -> Draft | None:
    """Return the draft of a reserved batch, or what the next one is made with; None if it is not this run's to make."""
    batch = tx.row("SELECT generation FROM batches WHERE id = ? AND state = 'reserved'", batch_id)
    if batch is None:
        return None
    row = tx.row(_CURRENT, batch_id)
    if row is None:
        return Draft(id="", generation=batch["generation"])
    if _is_anothers(tx, row, run=run):
        return None
    if row["state"] == "ready":
        return Draft(**{name: row[name] for name in ("id", "generation", "ticket", "request_id", "payload_hash")})
    abandon(tx, row["id"], reason=GONE)
    return Draft(id="", generation=batch["generation"] + 1)


def begin(tx: Transaction, run: str, *, batch_id: str, wanted: Claim) -> str | None:
    """Note that a draft is asked for, and return it; None if the batch, or its draft, is another runner's by now.

    Raises:
        Stale: the batch's plan is superseded.
        LookupError: the run is closed.
    """
    if not tx.row("SELECT 1 FROM runs WHERE id = ? AND ended_at IS NULL", run):
        raise LookupError(run)
    batch = tx.row("SELECT * FROM batches WHERE id = ? AND state = 'reserved'", batch_id)
    if batch is None or tx.row(_CURRENT, batch_id):
        return None
    plans.refuse_superseded(tx, batch["plan_id"], campaign=batch["campaign"])
    batches.refuse_foreign(tx, batch["campaign"], edition=batch["edition"])
    draft = secrets.token_hex(16)
    tx.change(
        "INSERT INTO drafts (id, batch, run, request_id, payload_hash, generation, asked_at, state, reason)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 'open', '')",
        draft,
        batch_id,
        run,
        wanted.request_id,
        wanted.payload_hash,
        batch["generation"],
        tx.at,
    )
    tx.event("draft-asked", run=run, batch=batch_id, details=draft)
    return draft


def keep(tx: Transaction, draft: str, *, ticket: str) -> bool:
    """Note the ticket of a draft; False if it was given up meanwhile, as of a run that seemed to be gone."""
    if not tx.change("UPDATE drafts SET state = 'ready', ticket = ? WHERE id = ? AND state = 'open'", ticket, draft):
        return False
    tx.event("draft-ready", batch=_batch(tx, draft), details=draft)
    return True


def abandon(tx: Transaction, draft: str, *, reason: str) -> None:
    """Give a draft up; while its batch is reserved, the next one has another generation."""
    if not tx.change("UPDATE drafts SET state = 'gone', reason = ? WHERE id = ? AND state <> 'gone'", reason, draft):
        return
    batch = _batch(tx, draft)
    tx.change("UPDATE batches SET generation = generation + 1 WHERE id = ? AND state = 'reserved'", batch)
    tx.event("draft-gone", batch=batch, reason=reason, details=draft)


def end(tx: Transaction, batch_id: str, *, reason: str, rejected: bool) -> None:
    """End a batch while it is reserved: as rejected, or released."""
    if not rejected:
        if tx.row("SELECT 1 FROM batches WHERE id = ? AND state = 'reserved'", batch_id):
            batches.release(tx, batch_id, why=reason)
        return
    changed = tx.change(
        "UPDATE batches SET state = 'not_sent', rejected = 1, reason = ?, settled_at = ?"
        " WHERE id = ? AND state = 'reserved'",
        reason,
        tx.at,
        batch_id,
    )
    if changed:
        tx.event("not-sent", batch=batch_id, reason=reason)


def forget(tx: Transaction, batch_id: str) -> None:
    """Note that a person has decided what became of the drafts that an edition's earlier batches left.

    That of the batch itself is still to be cancelled: if it cannot be, the word was wrong, and it is a doubt again.
    """
    edition, _, _ = batch_id.rpartition("/")
    tx.change(
        "UPDATE drafts SET state = 'gone', reason = 'decided' WHERE state = 'ready' AND batch <> ?"
        " AND batch IN (SELECT id FROM batches WHERE campaign || '/' || edition = ?)",
        batch_id,
        edition,
    )


def left(tx: Transaction) -> tuple[LeftDraft, ...]:
    """Return the ready drafts of batches that nobody will send; reserved ones of plans that are over are released."""
    living = frozenset(runs.alive(tx).values())
    for row in tx.rows(_RESERVED):
        newer = plans.superseding(tx, row["plan_id"], campaign=row["campaign"])
        if row["plan_id"] not in living and (newer is not None or moment(row["apply_until"]) < tx.now):
            batches.release(tx, row["id"], why="plan-over")
    return tuple(_left(row) for row in tx.rows(_LEFT))


def _left(row: sqlite3.Row) -> LeftDraft:
    spec = json.loads(row["spec"])
    return LeftDraft(
        id=row["id"],
        batch=row["batch"],
        provider=row["provider"],
        ticket=row["ticket"],
        channel=Channel(spec["channel"]),
        kind=kind_of(spec),
    )


def _is_anothers(tx: Transaction, row: sqlite3.Row, *, run: str) -> bool:
    return row["run"] != run and row["run"] in runs.alive(tx)


def _batch(tx: Transaction, draft: str) -> str:
    batch: str = tx.rows("SELECT batch FROM drafts WHERE id = ?", draft)[0]["batch"]
    return batch
