"""Campaigns, rows, batches and prices for tests: everything usual, one thing different.

Numbers are those reserved for fiction.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from octoplan.core.message import Content, Message
from octoplan.core.model import (
    Audience,
    Batch,
    Campaign,
    Channel,
    Limits,
    Money,
    Options,
    Prices,
    Purpose,
    Rows,
    Schedule,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

PRICES = Prices(
    currency="EUR",
    as_of="2026-11-01",
    sample=True,
    products={
        "sms_premium": {"FR": Decimal("0.049"), "BE": Decimal("0.079")},
        "sms_low_cost": {"FR": Decimal("0.039")},
    },
    opt_out_removal=Decimal("0.01"),
    replies=Decimal("0.03"),
)

SCHEDULE = Schedule(timezone="Europe/Paris", lead=timedelta(hours=24), grace=timedelta(minutes=15))

PLAIN = Campaign(
    id="noel-2026",
    edition=1,
    provider="octopush",
    channel=Channel.SMS,
    purpose=Purpose.MARKETING,
    sender="ACME",
    audience=Audience(address="mobile", country="FR", file="audiences/lyon.csv"),
    message=Message(text="ACME: {{ contact.first_name }}. STOP au XXXXX"),
    schedule=SCHEDULE,
    options=Options(),
    limits=Limits(max_cost=Money(amount=Decimal(10_000), currency="EUR")),
    file="campaigns/noel-2026.yaml",
)


def campaign(**changes: Any) -> Campaign:
    """Return a campaign without findings, changed."""
    return replace(PLAIN, **changes)


def rows(count: int, *, start: int = 0, countries: Sequence[str] = ("FR",)) -> Rows:
    """Return contacts in key order; their keys and addresses are numbered."""
    numbers = range(start, start + count)
    return Rows(
        keys=[number.to_bytes(16, "big") for number in numbers],
        addresses=[f"+3363998{number:04}" for number in numbers],
        countries=[countries[number % len(countries)] for number in numbers],
        columns={},
    )


def batch(contacts: int = 2, **changes: Any) -> Batch:
    """Return a batch of `contacts` people at five cents each."""
    people = rows(contacts)
    given: dict[str, Any] = {
        "campaign": campaign(sender=None),
        "keys": tuple(people.keys),
        "addresses": tuple(people.addresses),
        "content": Content(text="ACME: -20% a Lyon. STOP au XXXXX"),
        "parts": 1,
        "cost": Decimal("0.05") * contacts,
        "worst": Decimal("0.05") * contacts,
        "currency": "EUR",
    }
    if "text" in changes:
        changes["content"] = Content(text=changes.pop("text"))
    return Batch(**{**given, **changes})
