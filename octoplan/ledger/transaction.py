"""One operation's view of the ledger: the rows, the moment, and the events that tell what changed."""

from __future__ import annotations

import sqlite3  # noqa: TC003  mypy and readers alike: the field's type
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction on the ledger at one moment, aware."""

    db: sqlite3.Connection
    now: datetime

    @property
    def at(self) -> str:
        """The moment as the ledger writes it."""
        return written(self.now)

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """Return the first row."""
        found: sqlite3.Row | None = self.db.execute(sql, values).fetchone()
        return found

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Return every row."""
        return self.db.execute(sql, values).fetchall()

    def change(self, sql: str, *values: Any) -> int:
        """Change rows and return how many."""
        return self.db.execute(sql, values).rowcount

    def event(self, what: str, *, run: str | None = None, batch: str | None = None, **more: str) -> None:
        """Write down what happened: `more` may hold `actor`, `reason` and `details` (JSON)."""
        self.db.execute(
            "INSERT INTO events (at, what, run, batch, actor, reason, details) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (self.at, what, run, batch, more.get("actor", ""), more.get("reason", ""), more.get("details", "")),
        )
        self.db.execute("UPDATE meta SET newest_at = ? WHERE newest_at < ?", (self.at, self.at))


def written(moment: datetime) -> str:
    """Return a moment as UTC text of one width, so that texts compare as moments do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def moment(text: str) -> datetime:
    """Read a moment back, aware, in UTC."""
    return datetime.fromisoformat(text)
