"""Whether a ledger is whole: what `octoplan ledger check` asks."""

from __future__ import annotations

import sqlite3
from itertools import groupby
from typing import TYPE_CHECKING

from octoplan.core.keys import SIZE
from octoplan.ledger import packed
from octoplan.ledger.connection import damaged, wrong_pragmas
from octoplan.ledger.records import FREE, BatchState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from octoplan.ledger.transaction import Transaction

TRIGGERS = frozenset({"events_are_not_changed", "events_are_not_deleted", "keys_are_not_deleted"})

_BATCHES = """
    SELECT batches.id, campaign, edition, batches.state, batches.contacts, held, keys, a.state AS answered
    FROM batches LEFT JOIN batch_keys ON batch_keys.batch = batches.id LEFT JOIN attempts a ON a.id = attempt
    ORDER BY campaign, edition, number
"""


def problems(tx: Transaction) -> Iterator[str]:
    """Yield what is wrong, one line each; nothing is asked of a damaged file but where it is damaged."""
    if damage := _damage(tx):
        yield from (f"damaged: {line}" for line in damage)
        return
    for row in tx.rows("PRAGMA foreign_key_check"):
        yield f"a row of {row['table']} points to a row of {row['parent']} that is not there"
    yield from (f"setting {name}" for name in wrong_pragmas(tx.db))
    present = {row["name"] for row in tx.rows("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    yield from (f"trigger {name} is missing" for name in sorted(TRIGGERS - present))
    for (campaign, edition), rows in groupby(tx.db.execute(_BATCHES), lambda row: (row["campaign"], row["edition"])):
        yield from _edition(f"{campaign}/{edition}", list(rows))


def refuse_damage(tx: Transaction) -> None:
    """Refuse a file that is broken anywhere; quick enough to be asked every time.

    Raises:
        Refused: `ledger-corrupt`.
    """
    if broken := [row[0] for row in tx.rows("PRAGMA quick_check(1)") if row[0] != "ok"]:
        raise damaged(broken[0])


def _damage(tx: Transaction) -> list[str]:
    try:
        return [row[0] for row in tx.rows("PRAGMA integrity_check") if row[0] != "ok"]
    except sqlite3.DatabaseError as error:
        return [str(error)]


def _edition(name: str, rows: list[sqlite3.Row]) -> Iterator[str]:
    for row in rows:
        yield from _batch(row)
    held = b"".join(row["keys"] or b"" for row in rows if BatchState(row["state"]) not in FREE)
    if len(held) % SIZE == 0 and packed.repeats(packed.keys(held)):
        yield f"{name}: a contact is in two batches at once"


def _batch(row: sqlite3.Row) -> Iterator[str]:
    keys = row["keys"] or b""
    expected = 1 if row["held"] else row["contacts"]
    if len(keys) != expected * SIZE:
        yield f"{row['id']}: {expected} contacts are recorded, {len(keys) / SIZE:g} keys are there"
    elif packed.distinct(keys) != keys:
        yield f"{row['id']}: its keys are not in order, or one is there twice"
    if row["state"] == BatchState.CLAIMED and row["answered"] != "open":
        yield f"{row['id']}: claimed without an open attempt"
