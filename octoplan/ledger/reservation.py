"""Reserve: the one transaction that decides who is sent an edition, and by whom (invariants I1 and I4)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from octoplan.core.errors import Stale, Unfinished
from octoplan.core.keys import SIZE
from octoplan.core.trial import PREFIX, is_trial
from octoplan.ledger import batches, packed, plans, runs
from octoplan.ledger.records import FREE, BatchState

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence

    from octoplan.ledger.packed import Keys, Mask
    from octoplan.ledger.records import BatchRow, NewBatch, Reserve
    from octoplan.ledger.transaction import Transaction

_RECORDED = """
    SELECT batches.id, number, plan_id, state, rejected, generation, attempt, keys, held,
           EXISTS (SELECT 1 FROM drafts WHERE drafts.batch = batches.id) AS drafted
    FROM batches JOIN batch_keys ON batch = batches.id WHERE campaign = ? AND edition = ? ORDER BY number
"""

_SENDING = """
    SELECT 1 FROM batches b
    JOIN plan_campaigns c ON c.plan_id = b.plan_id AND c.campaign = b.campaign AND c.edition = b.edition
    WHERE b.plan_id = ? AND b.campaign NOT LIKE ?
      AND (state = 'claimed' OR state = 'reserved' AND apply_until >= ?)
"""
_SINCE = """
    SELECT 1 FROM events
    WHERE id > ? AND (what = 'import' OR what = 'reserve' AND details NOT LIKE ? AND details NOT LIKE ?)
"""


def reserve(tx: Transaction, run: str, *, plan_id: str, wanted: Reserve) -> tuple[BatchRow, ...]:
    """Reserve what is owed and not yet reserved; return all reserved batches of the plan, with keys.

    Raises:
        Stale: another plan has moved the edition on, or the cost would exceed what was approved.
        Refused: another ledger has sent some of the edition.
        Unfinished: another plan is being applied, or was since it was read who is owed.
        ValueError: a key is given twice.
    """
    plans.refuse_superseded(tx, plan_id, campaign=wanted.campaign)
    batches.refuse_foreign(tx, wanted.campaign, edition=wanted.edition)
    version = _next_version(tx, plan_id, wanted=wanted)
    if not is_trial(wanted.campaign):
        _refuse_others(tx, plan_id, wanted=wanted)
    _release_others(tx, plan_id, wanted=wanted)
    recorded = tx.rows(_RECORDED, wanted.campaign, wanted.edition)
    given = packed.keys(b"".join(batch.keys for batch in wanted.batches))
    if packed.repeats(given):
        raise ValueError("a contact key is given twice")
    free = ~packed.within(given, _joined(plan_id, recorded))
    if packed.within(given[free], _keys(recorded, lambda row: BatchState(row["state"]) not in FREE)).any():
        raise _moved_on(wanted)
    if _is_mixed(wanted, recorded):
        raise _moved_on(wanted)
    generations = _generations(given, recorded)
    number = recorded[-1]["number"] if recorded else 0
    for batch, mask, generation in _remaining(wanted.batches, free, generations=generations):
        number += 1
        new = _cut(batch, mask)
        batches.insert(
            tx,
            new.keys,
            columns={
                "campaign": wanted.campaign,
                "edition": wanted.edition,
                "number": number,
                "version": version,
                "plan_id": plan_id,
                "provider": wanted.provider,
                "parts": new.parts,
                "worst": str(new.worst),
                "currency": wanted.currency,
                "generation": generation,
            },
            held=new.held,
        )
    plans.refuse_cost(tx, plan_id, campaign=wanted.campaign, edition=wanted.edition)
    tx.change("UPDATE meta SET serial = serial + 1")
    tx.event("reserve", run=run, details=f"{wanted.campaign}/{wanted.edition} version {version} plan {plan_id}")
    return _reserved(tx, plan_id, wanted=wanted)


def _next_version(tx: Transaction, plan_id: str, *, wanted: Reserve) -> int:
    """Raise the edition's version by one; others of the same plan may have done so since it was read."""
    edition = (wanted.campaign, wanted.edition)
    found = tx.row("SELECT version FROM editions WHERE campaign = ? AND edition = ?", *edition)
    version: int = found["version"] if found else 0
    newer = "SELECT 1 FROM batches WHERE campaign = ? AND edition = ? AND version > ? AND plan_id <> ?"
    if version < wanted.version or tx.row(newer, *edition, wanted.version, plan_id):
        raise _moved_on(wanted)
    tx.change(
        "INSERT INTO editions (campaign, edition, version, closed) VALUES (?, ?, 1, 0)"
        " ON CONFLICT (campaign, edition) DO UPDATE SET version = editions.version + 1",
        *edition,
    )
    return version + 1


def _refuse_others(tx: Transaction, plan_id: str, *, wanted: Reserve) -> None:
    """Refuse beside another plan: what it sends, of any campaign, decides who is over a cap or excluded here."""
    for other in sorted(frozenset(runs.alive(tx).values()) - {plan_id}):
        if tx.row(_SENDING, other, f"{PREFIX}%", tx.at):
            raise Unfinished(
                f"{wanted.campaign}: another plan is being applied at this moment: run the same command again after it",
                reason="run-alive",
            )
    if tx.row(_SINCE, wanted.seen, f"{PREFIX}%", f"% plan {plan_id}"):
        raise Unfinished(
            f"{wanted.campaign}: another plan was applied while this one was prepared: run the same command again",
            reason="ledger-moved-on",
        )


def _release_others(tx: Transaction, plan_id: str, *, wanted: Reserve) -> None:
    """Release what other plans reserved and nobody is sending."""
    others = tx.rows(
        "SELECT id FROM batches WHERE campaign = ? AND edition = ? AND state = 'reserved' AND plan_id <> ?",
        wanted.campaign,
        wanted.edition,
        plan_id,
    )
    for row in others:
        batches.release(tx, row["id"], why="another-plan")


def _is_mixed(wanted: Reserve, recorded: Sequence[sqlite3.Row]) -> bool:
    """Tell whether an edition was begun with addresses and goes on with a provider's list, or the reverse."""
    begun = {bool(row["held"]) for row in recorded}
    return len(begun | {batch.held > 0 for batch in wanted.batches}) > 1


def _joined(plan_id: str, recorded: Sequence[sqlite3.Row]) -> Keys:
    """Return the keys this plan has dealt with: in a batch that holds them, or definitely rejected."""
    return _keys(
        recorded, lambda row: row["plan_id"] == plan_id and (BatchState(row["state"]) not in FREE or row["rejected"])
    )


def _keys(recorded: Sequence[sqlite3.Row], chosen: Callable[[sqlite3.Row], bool]) -> Keys:
    return packed.keys(b"".join(row["keys"] for row in recorded if chosen(row)))


def _generations(given: Keys, recorded: Sequence[sqlite3.Row]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return of each key the highest generation it was ever attempted with; 0 for never."""
    highest = np.zeros(given.size, dtype=np.int64)
    attempted = [row for row in recorded if row["attempt"] is not None or row["drafted"]]
    for generation in sorted({row["generation"] for row in attempted}):
        same = _keys(attempted, lambda row, now=generation: row["generation"] == now)  # type: ignore[misc]
        highest[packed.within(given, same)] = generation
    return highest


def _remaining(
    given: Sequence[NewBatch], free: Mask, *, generations: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> Iterator[tuple[NewBatch, Mask, int]]:
    """Yield every batch with somebody left in it: which of its keys, and the generation it goes out with."""
    end = 0
    for batch in given:
        start, end = end, end + len(batch.keys) // SIZE
        left = free[start:end]
        if left.any():
            yield batch, left, int(generations[start:end][left].max()) + 1


def _cut(batch: NewBatch, left: Mask) -> NewBatch:
    if left.all():
        return batch
    keys = packed.keys(batch.keys)[left]
    return replace(batch, keys=keys.tobytes(), parts=batch.parts * keys.size // left.size)


def _reserved(tx: Transaction, plan_id: str, *, wanted: Reserve) -> tuple[BatchRow, ...]:
    rows = tx.rows(
        "SELECT batches.id, keys FROM batches JOIN batch_keys ON batch = batches.id"
        " WHERE campaign = ? AND edition = ? AND plan_id = ? AND state = 'reserved'",
        wanted.campaign,
        wanted.edition,
        plan_id,
    )
    keys = {row["id"]: row["keys"] for row in rows}
    return tuple(replace(row, keys=keys[row.id]) for row in batches.by_ids(tx, keys))


def _moved_on(wanted: Reserve) -> Stale:
    return Stale(
        f"{wanted.campaign} has moved on since it was planned: another plan reserved or sent some of it; "
        "make a new plan",
        reason="ledger-moved-on",
    )
