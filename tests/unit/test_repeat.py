"""Whether a request may be repeated: what the provider's clock tells of its age, however long repeating others took."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from octoplan.workflow.repeat import APART, Repeater, Unrepeatable

NOON = datetime(2026, 12, 3, 12, tzinfo=UTC)
DOUBT: Any = SimpleNamespace(row=SimpleNamespace(provider="octopush"), first_at=NOON)


class Asked(Repeater):
    """Asks a provider whose clock is `ahead` of this machine's."""

    ahead = timedelta()
    times = 0

    def _ask_time(self, name: str) -> datetime:
        assert name == "octopush"
        self.times += 1
        found: datetime = self.project.clock()
        return found + self.ahead


def repeater(now: list[datetime]) -> Asked:
    provider = SimpleNamespace(limits=SimpleNamespace(request_id_window=timedelta(hours=22)))
    project: Any = SimpleNamespace(
        clock=lambda: now[0], settings=SimpleNamespace(providers={"octopush": 1}), provider=lambda _: provider
    )
    nothing: Any = None
    return Asked(
        project=project, ledger=nothing, run="r", wires=nothing, engine=nothing, suppressions=nothing, stop=nothing
    )


def test_a_long_resolve_does_not_make_a_right_clock_wrong() -> None:
    now = [NOON]
    asked = repeater(now)
    for _ in range(4):
        asked._refuse_clock(DOUBT)
        now[0] += APART
    assert asked.times == 1


@pytest.mark.parametrize("ahead", [APART + timedelta(seconds=1), -APART - timedelta(seconds=1)])
def test_a_wrong_clock_is_named(ahead: timedelta) -> None:
    asked = repeater([NOON])
    asked.ahead = ahead
    with pytest.raises(Unrepeatable, match="this machine's clock says 12:00"):
        asked._refuse_clock(DOUBT)


def test_the_age_is_judged_by_the_providers_clock_at_that_moment() -> None:
    now = [NOON + timedelta(hours=21, minutes=58)]
    asked = repeater(now)
    asked.ahead = timedelta(minutes=1)
    asked._refuse_clock(DOUBT)
    now[0] += timedelta(minutes=1)
    with pytest.raises(Unrepeatable, match="22 hours old or more"):
        asked._refuse_clock(DOUBT)
