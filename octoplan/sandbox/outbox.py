"""Reading the outbox: who was sent what. Each call opens its own connection and never holds up a sender."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson

from octoplan.sandbox import countries, prices
from octoplan.sandbox.file import connect

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK = 500
_MESSAGE = "ticket, provider, channel, campaign, sender, text, content, encoding, parts, request_id, send_at, at, cost"
_REQUEST = "id, at, provider, method, endpoint, query, login, status, outcome, answer, body"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which part of a listing is wanted; `limit` None is all of it."""

    limit: int | None = None
    offset: int = 0


def deliveries(path: Path, page: Page, *, address: str = "", ticket: str = "") -> list[dict[str, Any]]:
    """List deliveries in the order they were accepted, one for each address of each message that is not cancelled.

    What is scheduled is listed from the moment it is accepted; `at` says when it is due.
    """
    found: list[dict[str, Any]] = []
    skipped = 0
    start = 0 if address or ticket else page.offset
    for row in _messages(path, address=address, ticket=ticket, start=start):
        people = _people(row)
        wanted = [one for one in people if one[0] == address] if address else people
        before = skipped if address or ticket else row["first"]
        skipped += len(wanted)
        wanted = wanted[max(page.offset - before, 0) :]
        room = len(wanted) if page.limit is None else page.limit - len(found)
        found += _expanded(row, wanted[:room])
        if page.limit is not None and len(found) >= page.limit:
            break
    return found


def counts(path: Path, *, ticket: str = "") -> dict[str, int]:
    """Count deliveries, distinct addresses, and how often the most contacted address was contacted."""
    times: Counter[str] = Counter()
    for row in _messages(path, ticket=ticket):
        if row["addresses"]:
            times.update(row["addresses"].split("\n"))
    return {
        "deliveries": times.total(),
        "addresses": len(times),
        "most_per_address": max(times.values(), default=0),
    }


def tickets(path: Path, page: Page, *, search: str = "") -> dict[str, Any]:
    """List messages newest first without their addresses, and the totals of all that match `search`.

    What is cancelled is listed too, with the moment. Of the totals it counts to `messages` alone, and to the cost what
    was not given back. `costs` are those of each provider, whose currencies may differ. Where a ticket is `personal`,
    its text has placeholders, and its parts are those of the longest.
    """
    where, values = _matching(search)
    limit = -1 if page.limit is None else page.limit
    with closing(_reader(path)) as connection:
        total = connection.execute(
            "SELECT count(*) AS messages, coalesce(sum(contacts * (cancelled IS NULL)), 0) AS contacts,"  # noqa: S608 - own fragments
            " coalesce(sum(coalesce(all_parts, contacts * parts) * (cancelled IS NULL)), 0) AS parts"
            f" FROM messages {where}",
            values,
        ).fetchone()
        charged = connection.execute(f"SELECT provider, cost FROM messages {where}", values).fetchall()  # noqa: S608
        rows = connection.execute(
            f"SELECT id, {_MESSAGE}, contacts, cancelled, personal IS NOT NULL AS personal"  # noqa: S608
            f" FROM messages {where} ORDER BY id DESC LIMIT ? OFFSET ?",
            (*values, limit, page.offset),
        ).fetchall()
    costs: dict[str, Decimal] = {}
    for row in charged:
        costs[row["provider"]] = costs.get(row["provider"], Decimal(0)) + Decimal(row["cost"])
    totals = {
        **total,
        "cost": _fragment(prices.literal(sum(costs.values(), Decimal(0)))),
        "costs": {provider: _fragment(prices.literal(cost)) for provider, cost in sorted(costs.items())},
    }
    return {"totals": totals, "tickets": [_ticket(row) for row in rows]}


def requests(path: Path, page: Page) -> dict[str, Any]:
    """List every request in the order it was answered, with what was answered; keys and tokens are never stored."""
    limit = -1 if page.limit is None else page.limit
    with closing(_reader(path)) as connection:
        total = connection.execute("SELECT count(*) AS total FROM requests").fetchone()["total"]
        rows = connection.execute(
            f"SELECT {_REQUEST} FROM requests ORDER BY id LIMIT ? OFFSET ?",  # noqa: S608 - own column names
            (limit, page.offset),
        ).fetchall()
    return {"total": total, "requests": [{**row, "answer": _fragment(row["answer"])} for row in rows]}


def _matching(search: str) -> tuple[str, tuple[str, ...]]:
    if not search:
        return "", ()
    fields = ("text", "addresses", "ticket", "campaign", "sender", "request_id")
    pattern = "%" + search.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
    columns = [rf"{name} LIKE ? ESCAPE '\'" for name in fields]
    carried = r"EXISTS (SELECT 1 FROM json_tree(content) WHERE type = 'text' AND atom LIKE ? ESCAPE '\')"
    said = r"EXISTS (SELECT 1 FROM json_tree(personal) WHERE type = 'text' AND key = 0 AND atom LIKE ? ESCAPE '\')"
    conditions = [*columns, carried, said]
    return "WHERE " + " OR ".join(conditions), (pattern,) * len(conditions)


def _messages(path: Path, *, address: str = "", ticket: str = "", start: int = 0) -> Iterator[dict[str, Any]]:
    """Go through messages in chunks, so that no lock is held while a chunk is worked on."""
    after = 0
    with closing(_reader(path)) as connection:
        while chunk := connection.execute(
            "SELECT id, first, contacts, unit_cost, addresses, personal, held, "  # noqa: S608 - own column names
            f"{_MESSAGE} FROM messages WHERE id > ? AND first + contacts > ?"
            " AND cancelled IS NULL AND (? = '' OR ticket = ?) AND (? = '' OR instr(addresses, ?)) ORDER BY id LIMIT ?",
            (after, start, ticket, ticket, address, address, _CHUNK),
        ).fetchall():
            yield from chunk
            after = chunk[-1]["id"]


def _people(row: dict[str, Any]) -> list[tuple[str, list[Any] | None]]:
    """Give each address of a message, and what only this one gets."""
    addresses = row["addresses"].split("\n") if row["addresses"] else []
    personal = orjson.loads(row["personal"]) if row["personal"] else [None] * len(addresses)
    return list(zip(addresses, personal, strict=True))


def _expanded(row: dict[str, Any], people: list[tuple[str, list[Any] | None]]) -> list[dict[str, Any]]:
    unit_cost = orjson.loads(row["unit_cost"])
    held = orjson.loads(row["held"] or "{}")
    shared = {name: row[name] for name in _MESSAGE.split(", ")} | {"content": _fragment(row["content"])}
    found = []
    for address, personal in people:
        delivery = shared | {"address": address, "at": held.get(_country(address), row["at"])}
        if personal is None:
            delivery["cost"] = _fragment(unit_cost[_country(address)])
        else:
            delivery["text"], delivery["encoding"], delivery["parts"] = personal[:3]
            delivery["cost"] = _fragment(personal[3])
        found.append(delivery)
    return found


def _country(address: str) -> str:
    return "" if "@" in address else countries.of(address) or ""


def _ticket(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **row,
        "content": _fragment(row["content"]),
        "cost": _fragment(row["cost"]),
        "personal": bool(row["personal"]),
    }


def _fragment(literal: str) -> orjson.Fragment:
    return orjson.Fragment(literal)


def _reader(path: Path) -> sqlite3.Connection:
    connection = connect(path)
    connection.row_factory = _by_name
    return connection


def _by_name(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> dict[str, Any]:
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}
