"""What the ledger remembers: by campaign, or for one contact."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from octoplan.core import keys
from octoplan.core.address import read
from octoplan.core.errors import Refused
from octoplan.core.plan import money_text
from octoplan.core.quantity import quantity
from octoplan.core.quoting import typed
from octoplan.core.trial import is_trial, tried
from octoplan.formats.text import cents
from octoplan.ledger import HELD, BatchState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from decimal import Decimal

    from octoplan.ledger import BatchRow, EditionSummary, Ledger
    from octoplan.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Contacts of one edition, each by what became of them in the end, and the money by currency.

    Of the `sent`, `cancelled` will not get it after all, `imported` got it elsewhere, and the provider accepted a
    batch without `fewer` of them. `without_ticket` counts
    batches. `charged` is what providers told, `open` what else it may cost at worst,
    `approved` what it was allowed to.
    """

    campaign: str
    edition: int
    test: bool
    sent: int
    cancelled: int
    imported: int
    fewer: int
    sending: int
    owed: int
    rejected: int
    in_doubt: int
    without_ticket: int
    charged: dict[str, str]
    open: dict[str, str]
    approved: dict[str, str]

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        return {name: getattr(self, name) for name in self.__slots__}

    def line(self) -> str:
        """Return it as one line for people."""
        mark = "?" if self.in_doubt else ">" if self.owed else "="
        parts = [
            *(["test"] if self.test else []),
            f"sent {self.sent:,}",
            *([f"of them imported {self.imported:,}"] if self.imported else []),
            *([f"of them not taken by the provider {self.fewer:,}"] if self.fewer else []),
            *([f"of them cancelled {self.cancelled:,}, still counted as sent"] if self.cancelled else []),
            f"owed {self.owed:,}",
            f"rejected {self.rejected:,}",
            f"in doubt {self.in_doubt:,}",
            *([f"on the wire {self.sending:,}"] if self.sending else []),
            *(
                f"cost {cents(self.charged.get(currency, '0'))} of {cents(amount)} {currency}"
                for currency, amount in self.approved.items()
            ),
            *(f"open {cents(amount)} {currency}" for currency, amount in self.open.items()),
        ]
        if self.without_ticket:
            parts.append(f"{quantity(self.without_ticket, 'batch')} accepted without ticket")
        return f"{mark} {self.campaign} #{self.edition}: {' · '.join(parts)}"


OF_PROVIDER = "sent to an audience of the provider, which alone knows who is in it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What one contact got of one edition."""

    campaign: str
    edition: int
    test: bool
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
        state = ("test · " if self.test else "") + self.state.replace("_", " ")
        return f"{self.campaign} #{self.edition}: {state} · batch {self.batch} · {details}"


def ledger_status(project: Project, campaign: str | None) -> tuple[Standing, ...]:
    """Return every edition's standing, or one campaign's with its tests.

    Raises:
        Refused: the ledger knows no such campaign.
    """
    with contextlib.closing(project.open_ledger(reads=True)) as ledger:
        found = tuple(
            _standing(ledger, summary) for summary in ledger.campaigns() if _is_about(summary.campaign, campaign)
        )
    if campaign is not None and not found and all(known.id != campaign for known in project.load().campaigns):
        raise Refused(f"neither the ledger nor the files know {typed(campaign)}", reason="campaign-unknown")
    return found


def _is_about(found: str, campaign: str | None) -> bool:
    return campaign in (None, found, tried(found))


def _standing(ledger: Ledger, summary: EditionSummary) -> Standing:
    contacts = summary.contacts
    owed, rejected = _left(ledger, summary)
    return Standing(
        campaign=summary.campaign,
        edition=summary.edition,
        test=is_trial(summary.campaign),
        sent=contacts.get(BatchState.ACCEPTED, 0) + contacts.get(BatchState.CANCELLED, 0),
        cancelled=contacts.get(BatchState.CANCELLED, 0),
        imported=summary.imported,
        fewer=summary.fewer,
        sending=contacts.get(BatchState.CLAIMED, 0),
        owed=owed,
        rejected=rejected,
        in_doubt=contacts.get(BatchState.IN_DOUBT, 0),
        without_ticket=summary.without_ticket,
        charged=_money(summary.charged),
        open=_money(summary.open),
        approved=_money(summary.approved),
    )


def _left(ledger: Ledger, summary: EditionSummary) -> tuple[int, int]:
    """Return how many people are owed an edition, and how many were rejected and are not held by another batch."""
    if summary.batches.keys() <= HELD:
        return 0, 0
    edition = ledger.edition(summary.campaign, summary.edition)
    members, held, rejected = (
        edition.people(packed) for packed in (edition.members(), edition.held(), edition.rejected())
    )
    return members - held - rejected, rejected


def _money(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {currency: money_text(amount) for currency, amount in sorted(amounts.items()) if amount}


def contact_status(project: Project, address: str, *, campaign: str | None) -> tuple[Delivery, ...]:
    """Return what one address got: "did she get it?".

    Raises:
        Refused: it is no address.
    """
    canonical = read(address, country=project.settings.defaults.country)
    if canonical is None:
        ways = "write a number as +33 6 … or as a national number, an e-mail address as name@domain"
        raise Refused(f"that is neither a phone number nor an e-mail address: {ways}", reason="address")
    key = keys.contact_key(project.key, canonical)
    with contextlib.closing(project.open_ledger(reads=True)) as ledger:
        rows = [*ledger.find(key), *_unknown(ledger)]
    return tuple(_delivery(row) for row in rows if _is_about(row.campaign, campaign))


def _unknown(ledger: Ledger) -> Iterator[BatchRow]:
    """Yield the batches that were sent to lists and tags of the provider: who is in them octoplan does not know."""
    for summary in ledger.campaigns():
        if summary.of_provider:
            batches = ledger.edition(summary.campaign, summary.edition).batches
            yield from (batch for batch in batches if batch.state in HELD)


def _delivery(row: BatchRow) -> Delivery:
    at = row.settled_at or row.claimed_at or row.reserved_at
    return Delivery(
        campaign=row.campaign,
        edition=row.edition,
        test=is_trial(row.campaign),
        batch=row.id,
        state="unknown" if row.held else row.state.value,
        reason=OF_PROVIDER if row.held else row.reason,
        ticket=row.ticket,
        at=f"{at:%Y-%m-%d %H:%M %Z}",
    )


def status_lines(rows: Iterable[Standing | Delivery], *, contact: bool) -> list[str]:
    """Return rows for people."""
    lines = [row.line() for row in rows]
    return lines or ["This contact got nothing." if contact else "Nothing was sent yet."]
