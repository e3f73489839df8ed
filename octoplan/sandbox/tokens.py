"""What the state file knows of tokens: never a token itself. Every function belongs into a caller's transaction."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from octoplan.sandbox.world import Token

if TYPE_CHECKING:
    import sqlite3


def keep(connection: sqlite3.Connection, token: Token, *, now: datetime) -> None:
    """Keep a token that is given out; forget those that are over."""
    connection.execute("DELETE FROM tokens WHERE expires <= ?", (now.timestamp(),))
    connection.execute("INSERT INTO tokens VALUES (?, ?, ?)", (token.digest, token.login, token.expires.timestamp()))


def known(connection: sqlite3.Connection, digest: str) -> Token | None:
    """Look up a token, were it over."""
    row = connection.execute("SELECT login, expires FROM tokens WHERE digest = ?", (digest,)).fetchone()
    return Token(digest=digest, login=row[0], expires=datetime.fromtimestamp(row[1], UTC)) if row else None
