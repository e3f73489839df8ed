"""What one apply did, in contacts and money, and why it is not simply done."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from octoplan.core.errors import Exit, InDoubt, OctoplanError, worst
from octoplan.core.model import Verdict
from octoplan.core.plan import money_text
from octoplan.core.quantity import quantity
from octoplan.formats.text import cents

if TYPE_CHECKING:
    from octoplan.core.model import Batch, Outcome


@dataclass(slots=True)
class Cause:
    """Why a run is not simply done: the code it asks for, and each sentence with the batches it is about."""

    code: Exit
    sentences: dict[str, list[str]] = field(default_factory=dict)

    def __str__(self) -> str:
        return "; ".join(_about(batches) + sentence for sentence, batches in self.sentences.items())


def _about(batches: list[str]) -> str:
    if not batches:
        return ""
    more = f" and {len(batches) - 1:,} more" if len(batches) > 1 else ""
    return f"{batches[0]}{more}: "


@dataclass(slots=True)
class Tally:
    """The last line of every apply. Accepted and cost are this run's; the other counts tell how things stand now."""

    accepted: int = 0
    rejected: int = 0
    in_doubt: int = 0
    dropped: int = 0
    not_started: int = 0
    fewer: int = 0
    """Of the accepted, how many the provider left out by itself."""
    cost: dict[str, Decimal] = field(default_factory=dict)
    approved: dict[str, Decimal] = field(default_factory=dict)
    causes: dict[str, Cause] = field(default_factory=dict)
    """What was not simply done, by reason word."""
    bugs: list[Exception] = field(default_factory=list)

    @property
    def exit(self) -> Exit:
        """The code a person must act on first."""
        return worst(cause.code for cause in self.causes.values())

    @property
    def reason(self) -> str:
        """The word for `exit`."""
        return next((word for word, cause in self.causes.items() if cause.code is self.exit), "done")

    @property
    def reasons(self) -> dict[str, str]:
        """Everything that was not simply done: a word, and what there is to say of it."""
        told = {word: str(cause) for word, cause in self.causes.items()}
        if self.fewer:
            told["fewer-contacts"] = (
                f"the provider took {quantity(self.fewer, 'contact')} fewer than it was given, whom its own lists may "
                "hold: they count as sent"
            )
        return told

    def end(self, code: Exit, reason: str, *, sentence: str, batch: str = "") -> None:
        """Note why the run is not simply done; of batches with the same story it is told once."""
        cause = self.causes.setdefault(reason, Cause(code))
        cause.code = worst((cause.code, code))
        batches = cause.sentences.setdefault(sentence, [])
        if batch and batch not in batches:
            batches.append(batch)

    def fail(self, error: Exception) -> None:
        """Note an exception. All sentences are kept: one may hold an outcome that is recorded nowhere else.

        What was in doubt may be so because octoplan broke; other errors of ours only put a cause into words.
        """
        if isinstance(error, OctoplanError):
            self.end(error.exit, error.reason, sentence=str(error))
        for bug in (error, error.__cause__ if isinstance(error, InDoubt) else None):
            if isinstance(bug, Exception) and not isinstance(bug, OctoplanError):
                self.end(Exit.BUG, "bug", sentence=f"octoplan broke with {type(bug).__name__}")
                self.bugs.append(bug)

    def count(self, batch: Batch, outcome: Outcome) -> None:
        """Add a batch by how it ended."""
        contacts = reached(batch, outcome)
        match outcome.verdict:
            case Verdict.ACCEPTED:
                self.accepted += contacts
                self.fewer += outcome.receipt.fewer(contacts) if outcome.receipt else 0
                self._charge(batch, outcome)
            case Verdict.REJECTED:
                self.rejected += contacts
            case Verdict.IN_DOUBT:
                self.in_doubt += contacts
            case _:
                self.not_started += contacts

    def _charge(self, batch: Batch, outcome: Outcome) -> None:
        receipt = outcome.receipt
        cost = batch.worst if receipt is None or receipt.cost is None else receipt.cost
        self.cost[batch.currency] = self.cost.get(batch.currency, Decimal(0)) + cost

    def approve(self, amount: Decimal, currency: str) -> None:
        """Add to what the run may cost at most."""
        self.approved[currency] = self.approved.get(currency, Decimal(0)) + amount

    def line(self) -> str:
        """Return the last line of an apply, in contacts."""
        money = " + ".join(
            f"{cents(self.cost.get(currency, Decimal(0)))} of {cents(approved)} {currency}"
            for currency, approved in sorted(self.approved.items())
        )
        return (
            f"accepted {self.accepted:,} · rejected {self.rejected:,} · in doubt {self.in_doubt:,} · "
            f"dropped {self.dropped:,} · not started {self.not_started:,} · cost {money or '0.00'}"
        )

    def as_json(self) -> dict[str, object]:
        """Return the last line for programs; money as text."""
        return {
            "accepted": self.accepted,
            "fewer": self.fewer,
            "rejected": self.rejected,
            "in_doubt": self.in_doubt,
            "dropped": self.dropped,
            "not_started": self.not_started,
            "cost": {currency: money_text(amount) for currency, amount in self.cost.items()},
            "approved": {currency: money_text(amount) for currency, amount in self.approved.items()},
            "exit": int(self.exit),
            "reason": self.reason,
            "reasons": self.reasons,
        }


def reached(batch: Batch, outcome: Outcome) -> int:
    """Return how many people a batch was for; only the provider counts an audience that it holds."""
    told = outcome.receipt.contacts if outcome.receipt and batch.campaign.audience.held else None
    return batch.contacts if told is None else told
