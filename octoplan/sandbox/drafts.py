"""What the state file knows of drafts. Every function belongs into a transaction of its caller's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from octoplan.sandbox import members
from octoplan.sandbox.world import Contact, Draft

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Set as AbstractSet

_COLUMNS = (
    "ticket, channel, by, list_name, tag_name, combines, removes, content, ready_at, stage, sending_date, found,"
    " contacts"
)


def keep(connection: sqlite3.Connection, draft: Draft) -> None:
    """Keep a new draft, or the stage a known one has now."""
    connection.execute(
        f"INSERT INTO drafts ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL) ON CONFLICT (ticket)"  # noqa: S608 - own names
        " DO UPDATE SET stage = excluded.stage, sending_date = excluded.sending_date",
        (
            draft.ticket,
            draft.channel,
            draft.by,
            draft.list_name,
            draft.tag_name,
            draft.combines,
            draft.removes,
            orjson.dumps(draft.order).decode(),
            draft.ready_at.timestamp(),
            draft.stage,
            draft.sending_date,
            draft.found,
        ),
    )


def known(connection: sqlite3.Connection, ticket: str) -> Draft | None:
    """Look up what was prepared under a ticket."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM drafts WHERE ticket = ?", (ticket,)).fetchone()  # noqa: S608
    return _draft(row) if row else None


def compute(connection: sqlite3.Connection, *, now: datetime, blacklist: AbstractSet[str]) -> None:
    """Give the drafts that are due their contacts, as they are; to be called before these change, too."""
    due = connection.execute(
        f"SELECT {_COLUMNS} FROM drafts WHERE contacts IS NULL AND ready_at <= ?",  # noqa: S608 - own names
        (now.timestamp(),),
    ).fetchall()
    for draft in map(_draft, due):
        named = (("list", draft.list_name), ("tag", draft.tag_name))
        found = all(members.exists(connection, kind, name=name) for kind, name in named if name)
        contacts = orjson.dumps([tuple(one) for one in members.of(connection, draft, blacklist=blacklist)]).decode()
        connection.execute(
            "UPDATE drafts SET found = ?, contacts = ? WHERE ticket = ?", (found, contacts, draft.ticket)
        )


def _draft(row: tuple[Any, ...]) -> Draft:
    ticket, channel, by, list_name, tag_name, combines, removes, order, ready_at, stage, date, found, contacts = row
    return Draft(
        ticket=ticket,
        channel=channel,
        by=by,
        list_name=list_name,
        tag_name=tag_name,
        combines=combines,
        removes=bool(removes),
        order=orjson.loads(order),
        ready_at=datetime.fromtimestamp(ready_at, UTC),
        stage=stage,
        sending_date=date,
        found=bool(found),
        contacts=None if contacts is None else [Contact(*one) for one in orjson.loads(contacts)],
    )
