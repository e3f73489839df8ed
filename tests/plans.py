"""Plans for tests: everything usual, one thing different."""

from __future__ import annotations

from datetime import UTC, datetime

from octoplan.core.plan import (
    AudienceCounts,
    Estimate,
    Git,
    LedgerReference,
    Plan,
    PlannedCampaign,
    PriceReference,
    Selection,
    Simulation,
    TextFacts,
    total,
)

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)


def row(**changes: object) -> PlannedCampaign:
    """Return a usual campaign of a plan."""
    usual = PlannedCampaign(
        id="noel-2026",
        edition=1,
        provider="octopush",
        channel="sms",
        purpose="marketing",
        file="campaigns/noel-2026.yaml",
        action="send",
        reason="new-campaign",
        digest="sha256:1",
        audience=AudienceCounts(
            rows=1214, contacts=1184, excluded={"suppressed": 12, "duplicate": 9, "invalid": 6, "over-cap": 3}
        ),
        text=TextFacts(
            pattern="ACME: ‹first_name ≤11›, -20% a ‹store ≤12› avec ‹code 8›. STOP au XXXXX",
            longest=97,
            encodings={"gsm7": 1184},
            parts={"1": 1184},
            replaced={"ç→c": 31, "ê→e": 9},
        ),
        calls=3,
        timezone="Europe/Paris",
        apply_from=NOW,
        apply_until=datetime(2026, 12, 8, 9, tzinfo=UTC),
        limit="90.00",
        estimate=Estimate(contacts=1184, parts=1184, cost="58.046", worst="58.05", currency="EUR"),
        simulation=Simulation(calls=3, contacts=1184, cost="58.046"),
    )
    return usual.model_copy(update=changes)


def plan(*rows: PlannedCampaign, **changes: object) -> Plan:
    """Return a usual plan of some campaigns."""
    campaigns = rows or (row(),)
    totals = total(campaigns)
    usual = Plan(
        octoplan_version="0.1.0",
        plan_id="0" * 32,
        digest="sha256:9c1e42d0ffff",
        created_at=NOW,
        apply_until=datetime(2026, 12, 8, 9, tzinfo=UTC),
        env="prod",
        sandbox=False,
        accounts={"octopush": "7f3a91c2"},
        offline=False,
        ledger=LedgerReference(id="4f2a9c01", serial=42),
        git=Git(commit=None, dirty=False),
        selection=Selection(all=True),
        prices={"octopush": PriceReference(as_of="2026-11-01", digest="sha256:2")},
        limits={"max_cost": {"amount": "3000", "currency": "EUR"}},
        campaigns=campaigns,
        totals=totals,
        approvable=totals.blocked == 0,
    )
    return usual.model_copy(update=changes)
