"""What the state file knows of campaigns of calls. Every function belongs into a transaction of its caller's."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson

from octoplan.sandbox.world import Accepted, Campaign, Message, Named

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

_ACCEPTED = """
SELECT campaigns.ticket, name, login, created, answer, groups, provider, channel, sender, text, content, parts,
    all_parts, send_at, at, cost, unit_cost, addresses, held
FROM campaigns JOIN messages USING (ticket) WHERE cancelled IS NULL
"""


def keep(connection: sqlite3.Connection, campaign: Campaign) -> None:
    """Keep a new campaign; its message is kept as any other."""
    connection.execute(
        "INSERT INTO campaigns VALUES (?, ?, ?, ?, ?, ?)",
        (
            campaign.ticket,
            campaign.name,
            campaign.login,
            campaign.created.timestamp(),
            orjson.dumps(campaign.answer).decode(),
            orjson.dumps(campaign.groups).decode(),
        ),
    )


def known(connection: sqlite3.Connection, ticket: str) -> Accepted | None:
    """Look up a campaign that is not deleted."""
    row = connection.execute(f"{_ACCEPTED} AND campaigns.ticket = ?", (ticket,)).fetchone()
    return _accepted(row) if row else None


def accepted(connection: sqlite3.Connection, name: str | None) -> Iterator[Accepted]:
    """Go through the campaigns of a name, or through all, that are not deleted, in the order they were accepted."""
    where = "" if name is None else "AND name = ? AND name = ? COLLATE BINARY"  # the first finds, by the index
    values = () if name is None else (name, name)
    yield from map(_accepted, connection.execute(f"{_ACCEPTED} {where} ORDER BY messages.id", values))


def named(connection: sqlite3.Connection, name: str) -> list[Named]:
    """List the campaigns of a name, in small or capital letters, deleted ones too."""
    rows = connection.execute(
        "SELECT name, created, cancelled IS NOT NULL FROM campaigns JOIN messages USING (ticket) WHERE name = ?",
        (name,),
    )
    return [Named(found, datetime.fromtimestamp(created, UTC), bool(gone)) for found, created, gone in rows]


def _accepted(row: tuple[Any, ...]) -> Accepted:
    ticket, name, login, created, answer, groups, *rest = row
    provider, channel, sender, text, content, parts, all_parts, send_at, at, cost, unit_cost, addresses, held = rest
    campaign = Campaign(
        ticket=ticket,
        name=name,
        login=login,
        created=datetime.fromtimestamp(created, UTC),
        answer=orjson.loads(answer),
        groups=orjson.loads(groups),
    )
    message = Message(
        ticket=ticket,
        provider=provider,
        channel=channel,
        campaign=name,
        sender=sender,
        text=text,
        content=orjson.loads(content),
        encoding="",
        parts=parts,
        all_parts=all_parts,
        request_id=name,
        send_at=datetime.fromisoformat(send_at) if send_at else None,
        at=datetime.fromisoformat(at),
        cost=Decimal(cost),
        unit_cost={where: Decimal(amount) for where, amount in orjson.loads(unit_cost).items()},
        addresses=addresses.split("\n") if addresses else [],
        held={where: datetime.fromisoformat(until) for where, until in orjson.loads(held or "{}").items()},
    )
    return Accepted(campaign, message)
