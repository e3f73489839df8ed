"""What the state file knows of cancels. Every function belongs into a transaction of its caller's."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from octoplan.sandbox.world import Known

if TYPE_CHECKING:
    import sqlite3


def known(connection: sqlite3.Connection, ticket: str, *, provider: str) -> Known | None:
    """Look up what was accepted under a ticket."""
    row = connection.execute(
        "SELECT channel, at, contacts, cancelled FROM messages WHERE ticket = ? AND provider = ?", (ticket, provider)
    ).fetchone()
    if row is None:
        return None
    channel, at, contacts, cancelled = row
    return Known(channel=channel, at=datetime.fromisoformat(at), contacts=contacts, cancelled=cancelled is not None)


def cancel(connection: sqlite3.Connection, ticket: str, *, at: str, refund: bool) -> tuple[int, Decimal]:
    """Mark a message as cancelled; return how many deliveries fewer there are, and what is given back.

    Deliveries are numbered without a gap, so those after it move up. What is cancelled already stays as it is.
    """
    row = connection.execute(
        "SELECT id, contacts, cost FROM messages WHERE ticket = ? AND cancelled IS NULL", (ticket,)
    ).fetchone()
    if row is None:
        return 0, Decimal(0)
    number, contacts, cost = row
    connection.execute("UPDATE messages SET cancelled = ? WHERE id = ?", (at, number))
    connection.execute("UPDATE messages SET first = first - ? WHERE id > ?", (contacts, number))
    if not refund:
        return contacts, Decimal(0)
    connection.execute("UPDATE messages SET cost = '0' WHERE id = ?", (number,))
    return contacts, Decimal(cost)


def calls(connection: sqlite3.Connection, login: str, *, now: datetime) -> int:
    """Count the cancels of a login in the month."""
    row = connection.execute("SELECT calls FROM cancels WHERE login = ? AND month = ?", (login, _month(now))).fetchone()
    return 0 if row is None else int(row[0])


def count(connection: sqlite3.Connection, login: str, *, now: datetime) -> None:
    """Count one more."""
    connection.execute(
        "INSERT INTO cancels VALUES (?, ?, 1) ON CONFLICT (login, month) DO UPDATE SET calls = calls + 1",
        (login, _month(now)),
    )


def _month(now: datetime) -> str:
    return f"{now.astimezone(UTC):%Y-%m}"
