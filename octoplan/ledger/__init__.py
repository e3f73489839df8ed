"""The durable memory: nobody is sent the same edition twice, and whoever might have been sent it is listed.

`reserve, claim, send, settle` are the four steps of a batch; three of them are here, and each of those
is one transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from octoplan.ledger.ledger import Backend, Ledger
from octoplan.ledger.records import (
    FOREIGN,
    FREE,
    HELD,
    IMPORTED,
    Acceptance,
    Adopted,
    Adoption,
    BatchRow,
    BatchState,
    Claim,
    Doubtful,
    Draft,
    Edition,
    EditionSummary,
    Identity,
    LeftDraft,
    Mark,
    NewBatch,
    RecordedCampaign,
    RecordedPlan,
    Reserve,
    Settlement,
)
from octoplan.ledger.sent import Sent
from octoplan.ledger.sqlite import SqliteLedger

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BACKENDS",
    "FOREIGN",
    "FREE",
    "HELD",
    "IMPORTED",
    "Acceptance",
    "Adopted",
    "Adoption",
    "Backend",
    "BatchRow",
    "BatchState",
    "Claim",
    "Doubtful",
    "Draft",
    "Edition",
    "EditionSummary",
    "Identity",
    "Ledger",
    "LeftDraft",
    "Mark",
    "NewBatch",
    "RecordedCampaign",
    "RecordedPlan",
    "Reserve",
    "Sent",
    "Settlement",
]

BACKENDS: Mapping[str, Backend] = {"sqlite": SqliteLedger}
"""Ledger backends by the scheme of their address."""
