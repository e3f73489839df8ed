"""A saved plan as the checker reads it: the zip, its document and the approved set, without octoplan's code."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from faults.book import SIZE

if TYPE_CHECKING:
    from pathlib import Path

SENT = ("send", "resume", "wait", "in_doubt")
"""Actions of campaigns whose contacts a plan approves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """One campaign of a plan."""

    id: str
    edition: int
    action: str
    provider: str
    channel: str
    contacts: int
    calls: int
    cost: Decimal
    worst: Decimal
    spec: str
    opens: datetime | None
    closes: datetime | None
    held: str

    @property
    def of(self) -> tuple[str, int]:
        """Campaign and edition."""
        return self.id, self.edition

    def is_open(self, at: datetime, *, slack: timedelta) -> bool:
        """Tell whether a moment is in its time, give or take."""
        return bool(self.opens and self.closes and self.opens - slack <= at <= self.closes + slack)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What was approved."""

    path: Path
    id: str
    created_at: datetime
    everything: bool
    approvable: bool
    campaigns: tuple[Approved, ...]
    entries: frozenset[bytes]
    text: str

    def campaign(self, of: tuple[str, int]) -> Approved | None:
        """Return one campaign of it."""
        return next((one for one in self.campaigns if one.of == of), None)

    def says_the_same(self, other: Document, of: tuple[str, int]) -> bool:
        """Tell whether one edition is word for word the same in another document."""
        mine, theirs = self.campaign(of), other.campaign(of)
        return bool(mine and theirs and mine.spec == theirs.spec)

    @property
    def wanted(self) -> tuple[Approved, ...]:
        """The campaigns that are sent under it."""
        return tuple(one for one in self.campaigns if one.action in SENT)


def read(path: Path) -> Document:
    """Read a saved plan."""
    with zipfile.ZipFile(path) as archive:
        text = archive.read("plan.json").decode()
        approved = archive.read("approved")
    found = json.loads(text)
    return Document(
        path=path,
        id=found["plan_id"],
        created_at=datetime.fromisoformat(found["created_at"]),
        everything=found["selection"]["all"],
        approvable=found["approvable"],
        campaigns=tuple(map(_campaign, found["campaigns"])),
        entries=frozenset(approved[start : start + SIZE] for start in range(0, len(approved), SIZE)),
        text=text,
    )


def _campaign(row: dict[str, Any]) -> Approved:
    estimate = row["estimate"] or {"contacts": 0, "cost": "0", "worst": "0"}
    return Approved(
        id=row["id"],
        edition=row["edition"],
        action=row["action"],
        provider=row["provider"],
        channel=row["channel"],
        contacts=estimate["contacts"],
        calls=row["calls"],
        cost=Decimal(estimate["cost"]),
        worst=Decimal(estimate["worst"]),
        spec=json.dumps(row["spec"], sort_keys=True),
        opens=row["apply_from"] and datetime.fromisoformat(row["apply_from"]),
        closes=row["apply_until"] and datetime.fromisoformat(row["apply_until"]),
        held=row["held"],
    )
