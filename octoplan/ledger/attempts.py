"""Attempts: a batch from claim to settlement, and a person's word where no answer came."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from octoplan.core.errors import InDoubt, Refused, Stale, Unfinished
from octoplan.core.keys import SIZE
from octoplan.core.quoting import typed
from octoplan.ledger import batches, drafts, packed, plans, runs
from octoplan.ledger.records import FOREIGN, BatchState, Doubtful, Settlement
from octoplan.ledger.transaction import moment, written

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from octoplan.core.model import Receipt
    from octoplan.ledger.records import BatchRow, Claim
    from octoplan.ledger.transaction import Transaction

_SECOND = timedelta(seconds=1)


def claim(tx: Transaction, run: str, *, batch_id: str, wanted: Claim) -> str | None:
    """Move a reserved batch to claimed and return the new attempt; None if there is nothing to send.

    Raises:
        Stale: the batch's plan is superseded.
        LookupError: there is no such batch, or the run is closed.
        ValueError: a dropped key is not in the batch.
    """
    attempt = secrets.token_hex(16)
    if not tx.change(
        "UPDATE batches SET state = 'claimed', run = ?, attempt = ?, claimed_at = ?"
        " WHERE id = ? AND state = 'reserved'",
        run,
        attempt,
        tx.at,
        batch_id,
    ):
        return None
    batch = _claimed(tx, run, batch_id=batch_id)
    if wanted.dropped and not _drop(tx, batch, dropped=wanted.dropped):
        return None
    _begin(tx, attempt, batch=batch, wanted=wanted)
    if wanted.quote is not None:
        figures = (wanted.quote.contacts, str(wanted.quote.cost))
        tx.change("UPDATE batches SET contacts = ?, worst = ? WHERE id = ?", *figures, batch_id)
    tx.change(
        "UPDATE editions SET closed = 1, claimed_plan = ?"
        " WHERE campaign = ? AND edition = ? AND (closed = 0 OR claimed_plan <> ?)",
        batch["plan_id"],
        batch["campaign"],
        batch["edition"],
        batch["plan_id"],
    )
    return attempt


def repeat(tx: Transaction, run: str, *, batch_id: str, wanted: Claim) -> str | None:
    """Move a batch in doubt back to claimed for the identical request; None if it is in doubt no more.

    Its age still counts from the first claim.

    Raises:
        Stale: the batch's plan is superseded, or a later edition was claimed.
        LookupError: the run is closed.
        ValueError: the request is not the identical one.
    """
    before = tx.row("SELECT attempt FROM batches WHERE id = ? AND state = 'in_doubt'", batch_id)
    if before is None:
        return None
    attempt = secrets.token_hex(16)
    tx.change("UPDATE batches SET state = 'claimed', run = ?, attempt = ? WHERE id = ?", run, attempt, batch_id)
    batch = _claimed(tx, run, batch_id=batch_id, repeats=True)
    if later_edition(tx, batch) is not None:
        raise Stale(f"{batch['campaign']}: a later edition was sent: a person must decide", reason="edition-later")
    old = tx.rows("SELECT request_id, payload_hash FROM attempts WHERE id = ?", before["attempt"])[0]
    if (wanted.request_id, wanted.payload_hash) != (old["request_id"], old["payload_hash"]):
        raise ValueError(batch_id)
    tx.change("UPDATE attempts SET state = 'in_doubt' WHERE id = ? AND state = 'open'", before["attempt"])
    _begin(tx, attempt, batch=batch, wanted=wanted)
    return attempt


def doubtful(tx: Transaction) -> tuple[Doubtful, ...]:
    """Return the batches in doubt with what decides whether their requests may be repeated."""
    return tuple(_doubtful(tx, row) for row in batches.unsettled(tx))


def _doubtful(tx: Transaction, row: BatchRow) -> Doubtful:
    batch = tx.rows(
        "SELECT b.*, apply_until, silent_at, (SELECT MIN(claimed_at) FROM attempts WHERE batch = b.id) AS first_at,"
        " COALESCE((SELECT ticket FROM drafts d WHERE d.batch = b.id AND d.state = 'ready'), '') AS ticket"
        " FROM batches b JOIN attempts a ON a.id = b.attempt"
        " JOIN plan_campaigns c ON c.plan_id = b.plan_id AND c.campaign = b.campaign AND c.edition = b.edition"
        " WHERE b.id = ?",
        row.id,
    )[0]
    return Doubtful(
        row=replace(row, keys=batches.keys_of(tx, (row.id,))),
        first_at=moment(batch["first_at"]),
        silent_at=moment(batch["silent_at"]),
        closes=moment(batch["apply_until"]),
        newer_plan=plans.superseding(tx, batch["plan_id"], campaign=batch["campaign"], edition=batch["edition"]),
        later_edition=later_edition(tx, batch),
        ticket=batch["ticket"],
    )


def later_edition(tx: Transaction, batch: sqlite3.Row) -> int | None:
    """Return a later edition of a batch's campaign of which something was claimed, if there is one."""
    of = (batch["campaign"], batch["edition"])
    row = tx.row("SELECT edition FROM editions WHERE campaign = ? AND edition > ? AND closed = 1", *of)
    return None if row is None else row["edition"]


def _claimed(tx: Transaction, run: str, *, batch_id: str, repeats: bool = False) -> sqlite3.Row:
    """Return a batch that was just claimed by an open run, under the newest plan that covers it.

    What `repeats` a request may be of an older plan, if the newest one says the same.
    """
    if not tx.row("SELECT 1 FROM runs WHERE id = ? AND ended_at IS NULL", run):
        raise LookupError(run)
    batch = tx.rows("SELECT * FROM batches WHERE id = ?", batch_id)[0]
    edition = batch["edition"] if repeats else None
    plans.refuse_superseded(tx, batch["plan_id"], campaign=batch["campaign"], edition=edition)
    batches.refuse_foreign(tx, batch["campaign"], edition=batch["edition"])
    return batch


def _begin(tx: Transaction, attempt: str, *, batch: sqlite3.Row, wanted: Claim) -> None:
    tx.change(
        "INSERT INTO attempts"
        " (id, batch, run, request_id, payload_hash, generation, claimed_at, deadline, silent_at,"
        " state, reason, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', '', '{}')",
        attempt,
        batch["id"],
        batch["run"],
        wanted.request_id,
        wanted.payload_hash,
        batch["generation"],
        tx.at,
        written(wanted.deadline),
        written(wanted.deadline),
    )
    tx.event("claimed", run=batch["run"], batch=batch["id"], details=attempt)


def withdraw(tx: Transaction, run: str, *, batch_id: str) -> None:
    """Record that nothing was sent of a claim whose commit took effect although it failed."""
    found = tx.row("SELECT attempt FROM batches WHERE id = ? AND run = ? AND state = 'claimed'", batch_id, run)
    if found is not None:
        settle(tx, found["attempt"], settlement=Settlement(state=BatchState.NOT_SENT, reason="claim-failed"))


def renew(tx: Transaction, attempt: str, *, deadline: datetime) -> None:
    """Set a later deadline while nothing was sent.

    Raises:
        InDoubt: the attempt is not ours any more.
        Stale: the batch's plan is superseded.
    """
    batch = tx.row(
        "SELECT plan_id, campaign, edition FROM batches JOIN attempts ON attempts.id = attempt"
        " WHERE attempt = ? AND batches.state = 'claimed' AND attempts.state = 'open'",
        attempt,
    )
    if batch is None:
        raise InDoubt("this run was taken for gone while it waited: nothing more is sent", reason="attempt-lost")
    edition = batch["edition"] if earlier(tx, attempt) else None
    plans.refuse_superseded(tx, batch["plan_id"], campaign=batch["campaign"], edition=edition)
    until = written(deadline)
    tx.change("UPDATE attempts SET deadline = ?, silent_at = ? WHERE id = ?", until, until, attempt)


def earlier(tx: Transaction, attempt: str) -> bool:
    """Tell whether the batch was attempted before with the same request id and payload."""
    return (
        tx.row(
            "SELECT 1 FROM attempts now JOIN attempts old ON old.batch = now.batch AND old.request_id = now.request_id"
            " AND old.payload_hash = now.payload_hash AND old.id <> now.id WHERE now.id = ?",
            attempt,
        )
        is not None
    )


def awaits_answer(tx: Transaction, attempt: str) -> bool:
    """Tell whether no answer that closes an attempt is recorded; a person's word is none."""
    row = tx.row("SELECT state FROM attempts WHERE id = ?", attempt)
    return row is not None and row["state"] in ("open", "decided", "in_doubt")


def is_known(tx: Transaction, attempt: str) -> bool:
    """Tell whether there is such an attempt."""
    return tx.row("SELECT 1 FROM attempts WHERE id = ?", attempt) is not None


def settle(tx: Transaction, attempt: str, *, settlement: Settlement) -> Decimal | None:
    """Record how an open attempt ended; return the charge beyond the reservation, else 0.

    None: the attempt was closed before, by a person's word or a further attempt. What the provider answered
    is then an event; that it accepted closes a doubt all the same.
    """
    batch = tx.rows(
        "SELECT b.id, b.state AS now, worst, a.state FROM attempts a JOIN batches b ON b.id = a.batch WHERE a.id = ?",
        attempt,
    )[0]
    details = _details(settlement.receipt)
    proves = settlement.state is BatchState.ACCEPTED and batch["now"] == BatchState.IN_DOUBT
    if batch["state"] != "open" and not proves:
        late = f"{settlement.state}, but the attempt is {batch['state']}: {settlement.reason}"
        tx.event("late-answer", batch=batch["id"], reason=late, details=details)
        return None
    _close(tx, attempt, settlement=settlement, details=details)
    charged = _charge(settlement.receipt)
    tx.change(
        "UPDATE batches SET state = ?, attempt = ?, reason = ?, rejected = ?, charged = ?, settled_at = ? WHERE id = ?",
        settlement.state,
        attempt,
        settlement.reason,
        int(settlement.rejected),
        _text(charged),
        tx.at,
        batch["id"],
    )
    if settlement.receipt is not None and settlement.receipt.contacts:
        held = (settlement.receipt.contacts, batch["id"])
        tx.change("UPDATE batches SET contacts = ? WHERE id = ? AND held = 1", *held)
    tx.event(settlement.state.replace("_", "-"), batch=batch["id"], reason=settlement.reason, details=details)
    return max(Decimal(0), (charged or Decimal(0)) - Decimal(batch["worst"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A person's word on a batch in doubt; `quiet` is how long a request may still be travelling."""

    sent: bool
    actor: str
    reason: str
    quiet: timedelta


def decide(tx: Transaction, batch_id: str, *, decision: Decision) -> None:
    """Close a batch in doubt as accepted without ticket, or as not sent.

    Raises:
        Refused: there is no such batch, it is not in doubt, or no reason is given.
        Unfinished: "not sent" cannot be known yet.
    """
    batch = tx.row("SELECT state, attempt, reason FROM batches WHERE id = ?", batch_id)
    if batch is None:
        raise Refused(
            f"there is no batch {typed(batch_id)}: `octoplan resolve` lists those in doubt", reason="batch-unknown"
        )
    if batch["state"] != BatchState.IN_DOUBT:
        raise Refused(f"batch {batch_id} is {batch['state']}, not in doubt", reason="batch-not-in-doubt")
    if not decision.reason.strip():
        raise Refused("a decision needs a reason: --reason TEXT", reason="reason-missing")
    if not decision.sent and batch["reason"].startswith(FOREIGN):
        raise Refused(
            f"batch {batch_id} was sent, by another ledger: decide `--as sent`, find that ledger, and import whom it "
            "sent to",
            reason=FOREIGN.replace(" ", "-"),
        )
    if not decision.sent:
        _refuse_early(tx, batch_id, attempt=batch["attempt"], quiet=decision.quiet)
    state = BatchState.ACCEPTED if decision.sent else BatchState.NOT_SENT
    why = f"decided by {decision.actor}"
    tx.change("UPDATE attempts SET state = 'decided', reason = ? WHERE id = ?", why, batch["attempt"])
    tx.change("UPDATE batches SET state = ?, reason = ?, settled_at = ? WHERE id = ?", state, why, tx.at, batch_id)
    drafts.forget(tx, batch_id)
    tx.event(
        "decided-sent" if decision.sent else "decided-not-sent",
        batch=batch_id,
        actor=decision.actor,
        reason=decision.reason,
    )


def prove(tx: Transaction, batch_id: str, *, settlement: Settlement) -> bool:
    """Close a batch in doubt as accepted or not sent, by a record of the provider; False if it is in doubt no more.

    Of what was not sent, the draft is cancelled there.
    """
    batch = tx.row("SELECT attempt FROM batches WHERE id = ? AND state = 'in_doubt'", batch_id)
    if batch is None:
        return False
    if settlement.state is BatchState.ACCEPTED:
        settle(tx, batch["attempt"], settlement=settlement)
        return True
    reason = settlement.reason
    tx.change("UPDATE attempts SET state = 'not_sent', reason = ? WHERE id = ?", reason, batch["attempt"])
    tx.change("UPDATE batches SET state = 'not_sent', reason = ?, settled_at = ? WHERE id = ?", reason, tx.at, batch_id)
    tx.change("UPDATE drafts SET state = 'gone', reason = ? WHERE batch = ? AND state = 'ready'", reason, batch_id)
    tx.event("not-sent", batch=batch_id, reason=reason)
    return True


def _refuse_early(tx: Transaction, batch_id: str, *, attempt: str, quiet: timedelta) -> None:
    until = moment(tx.rows("SELECT silent_at FROM attempts WHERE id = ?", attempt)[0]["silent_at"]) + quiet
    if tx.now < until:
        raise Unfinished(
            f"batch {batch_id} may still be travelling until {until + _SECOND:%Y-%m-%d %H:%M:%S %Z}: "
            "only then can it be declared not sent (--as sent is always allowed)",
            reason="quiet-time",
        )


def _drop(tx: Transaction, batch: sqlite3.Row, *, dropped: bytes) -> bool:
    """Move people of a batch to a released one of their own; tell whether anybody is left."""
    members = packed.keys(tx.rows("SELECT keys FROM batch_keys WHERE batch = ?", batch["id"])[0]["keys"])
    gone = packed.within(members, packed.keys(dropped))
    count = int(gone.sum())
    if count != len(dropped) // SIZE:
        raise ValueError("a dropped contact key is not in the batch")
    if gone.all():
        tx.change("UPDATE batches SET attempt = NULL, run = NULL, claimed_at = NULL WHERE id = ?", batch["id"])
        batches.release(tx, batch["id"], why="dropped")
        return False
    left = members[~gone]
    tx.change("UPDATE batch_keys SET keys = ? WHERE batch = ?", left.tobytes(), batch["id"])
    parts = batch["parts"] * left.size // members.size
    tx.change("UPDATE batches SET contacts = ?, parts = ? WHERE id = ?", int(left.size), parts, batch["id"])
    _insert_dropped(tx, batch, keys=members[gone].tobytes(), parts=batch["parts"] - parts)
    return True


def _insert_dropped(tx: Transaction, batch: sqlite3.Row, *, keys: bytes, parts: int) -> None:
    edition = (batch["campaign"], batch["edition"])
    newest = tx.rows("SELECT MAX(number) FROM batches WHERE campaign = ? AND edition = ?", *edition)[0][0]
    made = batches.insert(tx, keys, columns={**batch, "number": newest + 1, "parts": parts, "worst": "0"})
    batches.release(tx, made, why=f"dropped from {batch['id']}")


def _close(tx: Transaction, attempt: str, *, settlement: Settlement, details: str) -> None:
    receipt = settlement.receipt
    figures: tuple[object, ...] = (None, None, None, None, None)
    if receipt is not None:
        cost, credit = _finite(receipt.cost), _finite(receipt.credit)
        figures = (receipt.ticket, receipt.contacts, receipt.parts, _text(cost), _text(credit))
    tx.change(
        "UPDATE attempts SET state = ?, reason = ?, ticket = ?, contacts = ?, parts = ?, cost = ?, credit = ?,"
        " details = ?, settled_at = ? WHERE id = ?",
        settlement.state,
        settlement.reason,
        *figures,
        details,
        tx.at,
        attempt,
    )
    runs.silence(tx, attempt)


def _details(receipt: Receipt | None) -> str:
    return json.dumps(dict(receipt.details) if receipt else {}, sort_keys=True, ensure_ascii=False)


def _finite(amount: Decimal | None) -> Decimal | None:
    """Return an amount unless it is none that can be added up; settling must not fail on one."""
    return amount if amount is not None and amount.is_finite() else None


def _charge(receipt: Receipt | None) -> Decimal | None:
    cost = _finite(receipt.cost) if receipt else None
    return cost if cost is not None and cost >= 0 else None


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)
