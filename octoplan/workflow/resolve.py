"""Closing doubt: what a person must decide, and the decision itself."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from octoplan.core.errors import Exit
from octoplan.core.quantity import quantity
from octoplan.core.quoting import noted
from octoplan.core.trial import is_trial, tried

if TYPE_CHECKING:
    from datetime import datetime

    from octoplan.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One batch whose outcome is unknown."""

    batch: str
    contacts: int
    reason: str
    since: datetime | None

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        since = None if self.since is None else self.since.isoformat()
        return {"batch": self.batch, "contacts": self.contacts, "reason": self.reason, "since": since}

    def line(self) -> str:
        """Return it as one line for people."""
        since = "" if self.since is None else f" · since {self.since:%Y-%m-%d %H:%M %Z}"
        return f"? {self.batch} · {quantity(self.contacts, 'contact')} · {self.reason}{since}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """All batches in doubt."""

    batches: tuple[Doubt, ...]

    @property
    def exit(self) -> Exit:
        """7 while a person must look."""
        return Exit.DOUBT if self.batches else Exit.DONE

    def lines(self) -> list[str]:
        """Return them for people, with the way out."""
        if not self.batches:
            return ["No batch is in doubt."]
        return [
            *(doubt.line() for doubt in self.batches),
            "",
            "Look up at the provider whether each was sent, then record it:",
            "  octoplan resolve BATCH --as sent --reason TEXT      nobody in it is sent it again",
            "  octoplan resolve BATCH --as not-sent --reason TEXT  everybody in it is owed it again",
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A person's decision about one batch."""

    batch: str
    contacts: int
    sent: bool

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        return {"batch": self.batch, "contacts": self.contacts, "as": "sent" if self.sent else "not-sent"}

    def line(self) -> str:
        """Return it as one line for people."""
        if self.sent:
            return f"{self.batch}: {quantity(self.contacts, 'contact')} counted as sent"
        if is_trial(self.batch):
            return f"{self.batch}: not sent; `octoplan test {tried(self.batch.partition('/')[0])}` sends another test"
        return f"{self.batch}: the message is owed to {quantity(self.contacts, 'contact')} again, see `octoplan plan`"


def doubts(project: Project) -> Doubts:
    """List the batches in doubt, oldest first."""
    with contextlib.closing(project.open_ledger()) as ledger:
        found = [
            Doubt(batch=row.id, contacts=row.count, reason=row.reason or "outcome unknown", since=row.claimed_at)
            for row in ledger.in_doubt()
        ]
    return Doubts(batches=tuple(found))


def decide(project: Project, batch: str, *, sent: bool, reason: str) -> Decided:
    """Record that a batch was sent, or was not; numbers and addresses in the reason are masked.

    Raises:
        Refused: there is no such batch, or it is not in doubt.
        Unfinished: not-sent, while its request may still be travelling.
    """
    with contextlib.closing(project.open_ledger()) as ledger:
        known = {row.id: row for row in ledger.in_doubt()}
        row = known.get(batch)
        settings = project.settings.providers.get(row.provider) if row else None
        quiet = settings.quiet_time if settings else timedelta(minutes=12)
        ledger.decide(batch, sent=sent, actor=project.actor(), reason=noted(reason), quiet=quiet)
        return Decided(batch=batch, contacts=row.count if row else 0, sent=sent)
