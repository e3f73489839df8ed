"""What a plan does with a campaign, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from campaigns import SCHEDULE, campaign
from octoplan.core.action import Situation, Window, decide, window

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
USUAL = Situation(
    owed=10,
    already_sent=0,
    in_doubt=0,
    claimed=False,
    unfinished=False,
    edited=False,
    edition=1,
    blocked=False,
    now=NOW,
    window=Window(opens=NOW - timedelta(hours=1), closes=NOW + timedelta(hours=1)),
)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ("send", "new-campaign")),
        ({"edition": 2}, ("send", "new-edition")),
        ({"edition": 2, "trial": True}, ("send", "trial")),
        ({"blocked": True, "in_doubt": 3}, ("blocked", "blocked")),
        ({"in_doubt": 3}, ("in_doubt", "in-doubt")),
        ({"owed": 0}, ("none", "nobody-owed")),
        ({"owed": 0, "already_sent": 5}, ("none", "sent")),
        ({"owed": 0, "already_sent": 5, "edited": True}, ("none", "edited-after-send")),
        ({"unfinished": True, "already_sent": 5, "claimed": True}, ("resume", "resume")),
        ({"already_sent": 5, "claimed": True}, ("send", "new-contacts")),
        ({"window": Window(opens=NOW + timedelta(hours=1), closes=NOW + timedelta(hours=2))}, ("wait", "waiting")),
        ({"window": Window(opens=NOW - timedelta(hours=2), closes=NOW - timedelta(hours=1))}, ("none", "missed")),
    ],
)
def test_action_and_reason(change: dict[str, object], expected: tuple[str, str]) -> None:
    assert decide(replace(USUAL, **change)) == expected  # type: ignore[arg-type]  # fields by name


def test_a_campaign_without_send_at_is_open_for_seven_days() -> None:
    assert window(campaign(), NOW) == Window(opens=NOW, closes=NOW + timedelta(days=7))


def test_a_scheduled_campaign_is_open_from_lead_to_grace() -> None:
    scheduled = campaign(schedule=replace(SCHEDULE, send_at=NOW))
    assert window(scheduled, NOW) == Window(opens=NOW - timedelta(hours=24), closes=NOW + timedelta(minutes=15))
