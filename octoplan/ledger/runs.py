"""Runs: who is sending now, who is gone, and what becomes of the claims of those."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from octoplan.core.errors import Refused
from octoplan.ledger import process
from octoplan.ledger.process import Process
from octoplan.ledger.transaction import moment, written

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from octoplan.ledger.transaction import Transaction

HEARTBEAT_SECONDS = 5.0
SILENCE = timedelta(seconds=60)
"""How old the heartbeat of another host's run may be."""

TOLERANCE = timedelta(minutes=1)
"""How far the clock may be behind the newest time in the ledger."""


def start(tx: Transaction, run: str, *, plan_id: str) -> None:
    """Begin a run of this process."""
    here = process.current()
    tx.change(
        "INSERT INTO runs (id, plan_id, host, pid, process_started, opened_at, heartbeat_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        run,
        plan_id,
        here.host,
        here.pid,
        here.started,
        tx.at,
        tx.at,
    )
    tx.event("run-opened", run=run, details=plan_id)


def beat(tx: Transaction, run: str) -> None:
    """Show that a run lives."""
    tx.change("UPDATE runs SET heartbeat_at = ? WHERE id = ? AND ended_at IS NULL", tx.at, run)


def end(tx: Transaction, run: str, *, why: str) -> None:
    """End a run, once."""
    if tx.change("UPDATE runs SET ended_at = ? WHERE id = ? AND ended_at IS NULL", tx.at, run):
        tx.event("run-closed", run=run, reason=why)


def refuse_clock(tx: Transaction) -> None:
    """Refuse to go on with a clock that stands before what the ledger remembers.

    Raises:
        Refused: `clock`.
    """
    newest = moment(tx.rows("SELECT newest_at FROM meta")[0]["newest_at"])
    if tx.now < newest - TOLERANCE:
        raise Refused(
            f"this machine's clock says {written(tx.now)}, the ledger's newest entry is of {written(newest)}: "
            "set the clock right, or see docs/ledger.md",
            reason="clock",
        )


def alive(tx: Transaction) -> Mapping[str, str]:
    """Return the living runs, each with its plan."""
    return {row["id"]: row["plan_id"] for row in _open(tx) if not _is_gone(tx, row)}


def sweep(tx: Transaction) -> None:
    """Make durable what is already true: a claim whose run is gone is in doubt."""
    _end_dead(tx)
    living = alive(tx)
    claimed = tx.rows(
        "SELECT batches.id, run, attempt, ended_at FROM batches JOIN runs ON runs.id = run WHERE state = 'claimed'"
    )
    for row in claimed:
        if row["run"] in living:
            continue
        tx.change(
            "UPDATE batches SET state = 'in_doubt', reason = 'run-gone', settled_at = ? WHERE id = ?", tx.at, row[0]
        )
        if row["ended_at"] is not None:
            silence(tx, row["attempt"])
        tx.event("in-doubt", run=row["run"], batch=row["id"], reason="run-gone")


def silence(tx: Transaction, attempt: str) -> None:
    """Note that from now on an attempt can write nothing more to the provider."""
    tx.change("UPDATE attempts SET silent_at = ? WHERE id = ? AND silent_at > ?", tx.at, attempt, tx.at)


def _end_dead(tx: Transaction) -> None:
    """End the runs whose process is certainly dead; a heartbeat that stopped elsewhere may start again."""
    for row in _open(tx):
        if process.is_alive(_process(row)) is False:
            end(tx, row["id"], why="process-gone")


def _open(tx: Transaction) -> list[sqlite3.Row]:
    return tx.rows("SELECT * FROM runs WHERE ended_at IS NULL")


def _is_gone(tx: Transaction, row: sqlite3.Row) -> bool:
    living = process.is_alive(_process(row))
    if living is None:
        return tx.now - moment(row["heartbeat_at"]) > SILENCE
    return not living


def _process(row: sqlite3.Row) -> Process:
    return Process(host=row["host"], pid=row["pid"], started=row["process_started"])
