"""Campaigns as reading a file makes them, for tests of what comes after."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from octoplan.core.model import Audience, Campaign, Channel, Limits, Message, Options, Purpose, Schedule

PLAIN = Campaign(
    id="noel-2026",
    edition=1,
    provider="octopush",
    channel=Channel.SMS,
    purpose=Purpose.MARKETING,
    sender="ACME",
    audience=Audience(address="mobile", country="FR", file="audiences/lyon.csv"),
    message=Message(text="ACME: {{ contact.first_name }}. STOP au XXXXX"),
    schedule=Schedule(timezone="Europe/Paris", lead=timedelta(hours=24), grace=timedelta(minutes=15)),
    options=Options(),
    limits=Limits(),
    file="campaigns/noel-2026.yaml",
)


def campaign(**changes: Any) -> Campaign:
    """Return a campaign without findings, changed."""
    return replace(PLAIN, **changes)
