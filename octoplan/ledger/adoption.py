"""Adoption: people who were sent an edition elsewhere are known from now on, and never sent it here."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from octoplan.core.errors import Unfinished
from octoplan.core.keys import SIZE
from octoplan.ledger import batches, packed, runs
from octoplan.ledger.records import HELD, IMPORTED, Adopted, BatchState
from octoplan.ledger.transaction import written

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from octoplan.ledger.packed import Keys
    from octoplan.ledger.records import Adoption
    from octoplan.ledger.transaction import Transaction

BATCH = 10_000
"""Contacts of one adopted batch: no request is made of it, so no provider limits it."""

_NEVER = datetime.min.replace(tzinfo=UTC)
"""When an adoption's plan was made: no plan that somebody applied is older, so that it supersedes none."""

_RECORDED = """
    SELECT batches.id, plan_id, run, state, keys FROM batches JOIN batch_keys ON batch = batches.id
    WHERE campaign = ? AND edition = ? ORDER BY number
"""


def adopt(tx: Transaction, wanted: Adoption) -> Adopted:
    """Record as sent whoever the edition does not hold yet; release reserved batches that they are in.

    Raises:
        Refused: `clock`.
        Unfinished: `run-alive`: a living run may still send it to some of them.
    """
    runs.refuse_clock(tx)
    recorded = tx.rows(_RECORDED, wanted.campaign, wanted.edition)
    given = packed.keys(wanted.keys)
    _refuse_living(tx, wanted, given=given, recorded=recorded)
    held = packed.within(given, _keys(row for row in recorded if BatchState(row["state"]) in HELD))
    doubtful = packed.within(given, _keys(row for row in recorded if row["state"] in _UNSURE))
    new = given[~held]
    for row in recorded:
        if row["state"] == BatchState.RESERVED and packed.within(packed.keys(row["keys"]), new).any():
            batches.release(tx, row["id"], why=IMPORTED)
    if new.size:
        _insert(tx, wanted, keys=new.tobytes())
    tx.change("UPDATE meta SET serial = serial + 1")
    told = Adopted(contacts=int(new.size), known=int(held.sum()), in_doubt=int(doubtful.sum()))
    details = f"{wanted.campaign}/{wanted.edition} contacts {told.contacts} known {told.known}"
    tx.event("import", actor=wanted.actor, details=details)
    return told


_UNSURE = (BatchState.CLAIMED, BatchState.IN_DOUBT)


def _refuse_living(tx: Transaction, wanted: Adoption, *, given: Keys, recorded: Iterable[sqlite3.Row]) -> None:
    living = runs.alive(tx)
    plans = frozenset(living.values())
    for row in recorded:
        alive = {
            BatchState.RESERVED: row["plan_id"] in plans,
            BatchState.CLAIMED: row["run"] in living,
        }
        if alive.get(BatchState(row["state"])) and packed.within(given, packed.keys(row["keys"])).any():
            raise Unfinished(
                f"{wanted.campaign} is being applied at this moment, to some of these people: wait for it, "
                "then run the same command again",
                reason="run-alive",
            )


def _keys(rows: Iterable[sqlite3.Row]) -> Keys:
    return packed.keys(b"".join(row["keys"] for row in rows))


def _insert(tx: Transaction, wanted: Adoption, *, keys: bytes) -> None:
    """Add batches that were sent, under a plan of their own; the edition stays open, or closed."""
    plan = f"import-{secrets.token_hex(12)}"
    version, number = _entered(tx, wanted, plan=plan)
    for start in range(0, len(keys), BATCH * SIZE):
        number += 1
        made = batches.insert(
            tx,
            keys[start : start + BATCH * SIZE],
            columns={
                "campaign": wanted.campaign,
                "edition": wanted.edition,
                "number": number,
                "version": version,
                "plan_id": plan,
                "provider": wanted.provider,
                "parts": 0,
                "worst": "0",
                "currency": wanted.currency,
                "generation": 0,
            },
        )
        sent = written(wanted.sent_at)
        tx.change(
            "UPDATE batches SET state = 'accepted', reason = ?, claimed_at = ?, settled_at = ? WHERE id = ?",
            IMPORTED,
            sent,
            sent,
            made,
        )
        tx.event("imported", batch=made, actor=wanted.actor)


def _entered(tx: Transaction, wanted: Adoption, *, plan: str) -> tuple[int, int]:
    """Enter the plan and raise the edition's version; return the version and the number of its last batch."""
    edition = (wanted.campaign, wanted.edition)
    never = written(_NEVER)
    tx.change(
        "INSERT INTO plans (plan_id, created_at, everything, recorded_at) VALUES (?, ?, 0, ?)", plan, never, tx.at
    )
    tx.change(
        "INSERT INTO plan_campaigns (plan_id, campaign, edition, apply_from, apply_until, worst, currency, spec)"
        " VALUES (?, ?, ?, ?, ?, '0', ?, ?)",
        plan,
        *edition,
        never,
        never,
        wanted.currency,
        wanted.spec,
    )
    tx.change(
        "INSERT INTO editions (campaign, edition, version, closed, claimed_plan) VALUES (?, ?, 1, 0, ?)"
        " ON CONFLICT (campaign, edition) DO UPDATE SET version = editions.version + 1, claimed_plan ="
        " CASE WHEN editions.closed = 1 THEN editions.claimed_plan ELSE excluded.claimed_plan END",
        *edition,
        plan,
    )
    row = tx.rows(
        "SELECT e.version, COALESCE(MAX(b.number), 0) AS number FROM editions e"
        " LEFT JOIN batches b ON b.campaign = e.campaign AND b.edition = e.edition"
        " WHERE e.campaign = ? AND e.edition = ? GROUP BY e.version",
        *edition,
    )[0]
    return row["version"], row["number"]
