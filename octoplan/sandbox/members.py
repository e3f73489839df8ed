"""What the state file knows of lists, tags, groups and ids. Every function belongs into a caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from octoplan.sandbox.lists import KINDS
from octoplan.sandbox.world import Contact

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from octoplan.sandbox.lists import Lists
    from octoplan.sandbox.world import Draft


def replace(connection: sqlite3.Connection, lists: Lists) -> None:
    """Have each of `lists` hold these contacts and no others; other lists stay as they are."""
    for kind, groups in lists.items():
        for name, contacts in groups.items():
            connection.execute("DELETE FROM members WHERE kind = ? AND name = ?", (kind, name))
            add(connection, contacts, kind=kind, name=name)


def add(connection: sqlite3.Connection, contacts: Sequence[Contact], *, kind: str, name: str) -> None:
    """Put contacts on a list, made where it is missing. Each is on it once; values that come anew replace the old."""
    connection.execute("INSERT OR IGNORE INTO lists VALUES (?, ?)", (kind, name))
    connection.executemany(
        "INSERT INTO members (kind, name, address, content) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
        " SET content = CASE WHEN excluded.content = '{}' THEN content ELSE excluded.content END",
        ((kind, name, one.address, orjson.dumps(one.values).decode()) for one in contacts),
    )


def exists(connection: sqlite3.Connection, kind: str, *, name: str) -> bool:
    """Whether there is such a list, were it empty."""
    return connection.execute("SELECT 1 FROM lists WHERE kind = ? AND name = ?", (kind, name)).fetchone() is not None


def counts(connection: sqlite3.Connection) -> dict[str, dict[str, int]]:
    """Count the contacts of all there is, by kind and name."""
    rows = connection.execute(
        "SELECT lists.kind, lists.name, count(members.id) FROM lists LEFT JOIN members USING (kind, name) GROUP BY 1, 2"
    ).fetchall()
    return {
        written: {name: contacts for found, name, contacts in rows if found == kind} for written, kind in KINDS.items()
    }


def addresses(connection: sqlite3.Connection, kind: str, *, name: str) -> list[str] | None:
    """Give the numbers on a list; None where there is no such list."""
    return list(_members(connection, kind, name=name)) if exists(connection, kind, name=name) else None


def of(connection: sqlite3.Connection, draft: Draft, *, blacklist: AbstractSet[str]) -> list[Contact]:
    """Give whom a draft goes to as things are: contacts with a phone number, each once."""
    listed = _members(connection, "list", name=draft.list_name)
    tagged = _members(connection, "tag", name=draft.tag_name)
    found = {**tagged, **listed}
    if draft.combines == "filter":
        found = {address: found[address] for address in listed if address in tagged}
    removed = blacklist if draft.removes else frozenset()
    return [Contact(address, values) for address, values in found.items() if address not in removed]


def _members(connection: sqlite3.Connection, kind: str, *, name: str | None) -> dict[str, Mapping[str, str]]:
    rows = connection.execute(
        "SELECT address, content FROM members WHERE kind = ? AND name = ? AND address LIKE '+%' ORDER BY id",
        (kind, name),
    )
    return {address: orjson.loads(content) for address, content in rows}
