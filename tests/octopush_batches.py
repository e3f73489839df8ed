"""Batches for whoever tests what leaves for Octopush. Numbers are those reserved for fiction, or the seed's own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from octoplan.core.model import (
    Audience,
    Batch,
    Campaign,
    Channel,
    Limits,
    Message,
    Options,
    Purpose,
    Schedule,
)

SCHEDULE = Schedule(timezone="Europe/Paris", lead=timedelta(hours=24), grace=timedelta(minutes=15))

CAMPAIGN = Campaign(
    id="noel-2026",
    edition=1,
    provider="octopush",
    channel=Channel.SMS,
    purpose=Purpose.MARKETING,
    sender=None,
    audience=Audience(address="phone_number", country="FR"),
    message=Message(text="ACME: -20% a Lyon. STOP au XXXXX"),
    schedule=SCHEDULE,
    options=Options(),
    limits=Limits(),
    file="campaigns/noel-2026.yaml",
)


def campaign(**fields: Any) -> Campaign:
    """Return the campaign with some fields of its own."""
    return replace(CAMPAIGN, **fields)


def batch(contacts: int = 2, **fields: Any) -> Batch:
    """Return a batch of `contacts` people at five cents each."""
    given: dict[str, Any] = {
        "campaign": CAMPAIGN,
        "keys": tuple(number.to_bytes(16, "big") for number in range(contacts)),
        "addresses": tuple(f"+3363998{number:04}" for number in range(contacts)),
        "text": "ACME: -20% a Lyon. STOP au XXXXX",
        "parts": 1,
        "cost": Decimal("0.05") * contacts,
        "worst": Decimal("0.05") * contacts,
        "currency": "EUR",
    }
    return Batch(**{**given, **fields})
