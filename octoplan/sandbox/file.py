"""The state file: its tables, those of an earlier release brought up to date, and the rows that are only ever added."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC
from importlib import resources
from typing import TYPE_CHECKING

import orjson

from octoplan.sandbox import prices

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from octoplan.sandbox.world import Call, Message, Verdict

_APPLICATION_ID = 0x0C70B0C5
_BUSY_SECONDS = 30
_ADDED = {
    "messages": {
        "content": "content TEXT NOT NULL DEFAULT '{}'",
        "cancelled": "cancelled TEXT",
        "all_parts": "all_parts INTEGER",
        "personal": "personal TEXT",
        "held": "held TEXT",
    },
    "requests": {"query": "query TEXT NOT NULL DEFAULT ''"},
}
"""Columns that earlier releases had not."""


class StateUnusable(OSError):
    """The state file cannot be used; the message names it and says why."""


def opened(path: Path) -> sqlite3.Connection:
    """Open the file with its tables laid, made where it is missing. Raises StateUnusable."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = connect(path)
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("PRAGMA synchronous = OFF")
        _lay(connection, path)
    except (OSError, sqlite3.Error) as error:
        if isinstance(error, StateUnusable):
            raise
        raise StateUnusable(f"{path}: the sandbox's state cannot be used: {error}") from error
    return connection


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection; the caller keeps it in one thread at a time."""
    return sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def _lay(connection: sqlite3.Connection, path: Path) -> None:
    """Lay the tables that are missing; two processes may try at once."""
    connection.execute("BEGIN IMMEDIATE")
    found = connection.execute("PRAGMA application_id").fetchone()[0]
    empty = not connection.execute("SELECT 1 FROM sqlite_schema").fetchone()
    if found != _APPLICATION_ID and not empty:
        connection.close()
        raise StateUnusable(f"{path}: not a sandbox state; it is left as it is: name another file")
    for table, columns in {} if empty else _ADDED.items():
        _add(connection, table, columns=columns)
    account = _earlier_account(connection)
    for statement in resources.files(__package__).joinpath("schema.sql").read_text("utf-8").split(";"):
        connection.execute(statement)
    if account:
        connection.execute("INSERT INTO balances VALUES ('octopush', ?)", account[:1])
        connection.execute("INSERT INTO account VALUES (?, ?, ?)", account[1:])
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    connection.execute("COMMIT")


def _add(connection: sqlite3.Connection, table: str, *, columns: dict[str, str]) -> None:
    found = _columns(connection, table)
    for name, column in columns.items():
        if name not in found:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {column}")


def _earlier_account(connection: sqlite3.Connection) -> tuple[object, ...] | None:
    """Take away the account of an earlier release, which had one balance: Octopush's."""
    if "balance" not in _columns(connection, "account"):
        return None
    account: tuple[object, ...] | None
    account = connection.execute("SELECT balance, delivered, ahead, switches FROM account").fetchone()
    connection.execute("DROP TABLE account")
    return account


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))}


def record(connection: sqlite3.Connection, answered: Iterable[tuple[Call, Verdict]], *, now: datetime) -> None:
    """Keep requests with their answers."""
    at = written(now)
    connection.executemany(
        "INSERT INTO requests (at, provider, method, endpoint, query, login, status, outcome, answer, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (_request(call, decided, at=at) for call, decided in answered),
    )


def deliver(connection: sqlite3.Connection, messages: Iterable[Message], *, first: int) -> int:
    """Keep messages; deliveries are numbered from `first` on. Return the number after the last."""
    rows = []
    for message in messages:
        rows.append(_message(message, first))
        first += len(message.addresses)
    connection.executemany(
        "INSERT INTO messages (ticket, provider, channel, campaign, sender, text, content, encoding, parts, all_parts,"
        " request_id, send_at, at, cost, unit_cost, first, contacts, addresses, personal, held)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )
    return first


def written(moment: datetime) -> str:
    """Write a moment as all the file has it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def _request(call: Call, decided: Verdict, *, at: str) -> tuple[object, ...]:
    return (
        at,
        call.provider,
        call.method,
        call.endpoint,
        "" if call.private else call.asked,
        call.login if decided.login is None else decided.login,
        decided.status,
        decided.outcome,
        (decided.body if decided.kept is None else decided.kept).decode() or "null",
        "" if call.private else call.content.decode("utf-8", "replace"),
    )


def _message(message: Message, first: int) -> tuple[object, ...]:
    personal = [(*one[:3], prices.literal(one.cost)) for one in message.personal]
    return (
        message.ticket,
        message.provider,
        message.channel,
        message.campaign,
        message.sender,
        message.text,
        orjson.dumps(message.content).decode(),
        message.encoding,
        message.parts,
        message.all_parts,
        message.request_id,
        message.send_at.isoformat() if message.send_at else None,
        written(message.at),
        prices.literal(message.cost),
        orjson.dumps({country: prices.literal(cost) for country, cost in message.unit_cost.items()}).decode(),
        first,
        len(message.addresses),
        "\n".join(message.addresses),
        orjson.dumps(personal).decode() if personal else None,
        orjson.dumps({country: written(at) for country, at in message.held.items()}).decode() if message.held else None,
    )
