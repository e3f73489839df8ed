"""Campaigns, rows and prices for tests: everything usual, one thing different."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from octoplan.core.model import (
    Audience,
    Campaign,
    Channel,
    Limits,
    Message,
    Options,
    Prices,
    Purpose,
    Rows,
    Schedule,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

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


def campaign(
    *,
    text: str = "ACME: bonjour {{ contact.first_name }}",
    send_at: datetime | None = None,
    purpose: Purpose = Purpose.TRANSACTIONAL,
    audience: Mapping[str, object] | None = None,
    **changes: object,
) -> Campaign:
    """Return a usual campaign; `changes` are its fields, `audience` those of its audience."""
    usual = Audience(address="phone_number", country="FR", file="audiences/lyon.csv")
    made = Campaign(
        id="noel-2026",
        edition=1,
        provider="octopush",
        channel=Channel.SMS,
        purpose=purpose,
        sender="ACME",
        audience=replace(usual, **(audience or {})),  # type: ignore[arg-type]  # fields by name
        message=Message(text=text),
        schedule=Schedule(
            timezone="Europe/Paris", lead=timedelta(hours=24), grace=timedelta(minutes=15), send_at=send_at
        ),
        options=Options(),
        limits=Limits(),
        file="campaigns/noel-2026.yaml",
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # fields by name


def rows(count: int, *, start: int = 0, countries: Sequence[str] = ("FR",)) -> Rows:
    """Return contacts in key order; their keys and addresses are numbered."""
    numbers = range(start, start + count)
    return Rows(
        keys=[number.to_bytes(16, "big") for number in numbers],
        addresses=[f"+3363998{number:04}" for number in numbers],
        countries=[countries[number % len(countries)] for number in numbers],
        columns={},
    )
