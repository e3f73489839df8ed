"""What the ledger remembers: by campaign, or for one contact."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from octoplan.core import keys, phone
from octoplan.core.errors import Refused
from octoplan.core.plan import money_text
from octoplan.ledger import BatchState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from octoplan.ledger import BatchRow
    from octoplan.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Contacts of one edition by what became of them, and the money."""

    campaign: str
    edition: int
    sent: int
    waiting: int
    rejected: int
    in_doubt: int
    owed_again: int
    charged: str
    reserved: str
    currency: str

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        return {name: getattr(self, name) for name in self.__slots__}

    def line(self) -> str:
        """Return it as one line for people."""
        mark = "?" if self.in_doubt else ">" if self.waiting or self.owed_again else "="
        return (
            f"{mark} {self.campaign} #{self.edition}: sent {self.sent:,} · owed {self.waiting + self.owed_again:,} · "
            f"rejected {self.rejected:,} · in doubt {self.in_doubt:,} · "
            f"cost {self.charged} of {self.reserved} {self.currency}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What one contact got of one edition."""

    campaign: str
    edition: int
    batch: str
    state: str
    reason: str
    ticket: str
    at: str

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        return {name: getattr(self, name) for name in self.__slots__}

    def line(self) -> str:
        """Return it as one line for people."""
        details = " · ".join(part for part in (self.reason, self.ticket and f"ticket {self.ticket}", self.at) if part)
        return f"{self.campaign} #{self.edition}: {self.state.replace('_', ' ')} · batch {self.batch} · {details}"


def ledger_status(project: Project, campaign: str | None) -> tuple[Standing, ...]:
    """Return every edition's standing, or one campaign's.

    Raises:
        Refused: the ledger knows no such campaign.
    """
    with contextlib.closing(project.open_ledger()) as ledger:
        names = sorted({name for name, _ in ledger.campaigns()})
        if campaign is not None and campaign not in names:
            if any(known.id == campaign for known in project.load().campaigns):
                return ()
            raise Refused(f"neither the ledger nor the files know `{campaign}`", reason="campaign-unknown")
        return tuple(
            _standing(name, edition, ledger.edition(name, edition).batches)
            for name in names
            if campaign in (None, name)
            for edition in ledger.editions(name)
        )


def _standing(campaign: str, edition: int, batches: Sequence[BatchRow]) -> Standing:
    counts: Counter[str] = Counter()
    charged = reserved = Decimal(0)
    for batch in batches:
        counts["rejected" if batch.rejected else batch.state.value] += batch.count
        charged += batch.charged or Decimal(0)
        if batch.state not in (BatchState.RELEASED, BatchState.NOT_SENT):
            reserved += batch.worst
    return Standing(
        campaign=campaign,
        edition=edition,
        sent=counts[BatchState.ACCEPTED] + counts[BatchState.CANCELLED],
        waiting=counts[BatchState.RESERVED] + counts[BatchState.CLAIMED],
        rejected=counts["rejected"],
        in_doubt=counts[BatchState.IN_DOUBT],
        owed_again=0,
        charged=money_text(charged),
        reserved=money_text(reserved),
        currency=next((batch.currency for batch in batches), ""),
    )


def contact_status(project: Project, address: str, campaign: str | None) -> tuple[Delivery, ...]:
    """Return what one address got: "did she get it?".

    Raises:
        Refused: it is no number.
    """
    read = phone.canonical(address, project.settings.defaults.country)
    if isinstance(read, str):
        raise Refused("that is no phone number: write it as +33 6 … or as a national number", reason="address")
    key = keys.contact_key(project.key, read.e164)
    with contextlib.closing(project.open_ledger()) as ledger:
        rows = ledger.find(key)
    return tuple(_delivery(row) for row in rows if campaign in (None, row.campaign))


def _delivery(row: BatchRow) -> Delivery:
    at = row.settled_at or row.claimed_at or row.reserved_at
    return Delivery(
        campaign=row.campaign,
        edition=row.edition,
        batch=row.id,
        state=row.state.value,
        reason=row.reason,
        ticket=row.ticket,
        at="" if at is None else f"{at:%Y-%m-%d %H:%M %Z}",
    )


def status_lines(rows: Iterable[Standing | Delivery], *, contact: bool) -> list[str]:
    """Return rows for people."""
    lines = [row.line() for row in rows]
    return lines or ["This contact got nothing." if contact else "Nothing was sent yet."]
