from __future__ import annotations

import asyncio
import socket
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import orjson
import pytest

from octoplan.sandbox import octopush
from octoplan.sandbox.listener import listening
from octoplan.sandbox.prices import Prices
from octoplan.sandbox.state import State
from octoplan.sandbox.world import Call

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from octoplan.sandbox.world import Verdict


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "sandbox.db", book=Prices(), switches={})
    yield state
    state.close()


def send(request_id: str) -> Call:
    fields = {
        "channel": "sms",
        "text": "a",
        "purpose": "alert",
        "recipients": ["+33639980012"],
        "metadata": {"request_id": request_id},
    }
    return Call(
        provider="octopush",
        method="POST",
        endpoint="/multi-channel/send",
        query={},
        login="sandbox",
        key="k",
        content=orjson.dumps(fields),
    )


def together(state: State, *calls: Call) -> list[Verdict]:
    """Have `calls` wait at the same moment, so that they share one commit."""

    async def wait() -> list[Verdict]:
        return await asyncio.gather(*(state.decide(call, octopush.answer) for call in calls))

    return asyncio.run(wait())


def test_a_request_id_is_used_up_within_one_commit(state: State) -> None:
    outcomes = Counter(verdict.outcome for verdict in together(state, *[send("abc")] * 5))
    assert outcomes == {"sent": 1, "duplicate": 4}


def test_the_balance_moves_within_one_commit(state: State) -> None:
    state.set_balance(Decimal("0.12"))
    verdicts = together(state, *[send(str(n)) for n in range(5)])
    assert [verdict.outcome for verdict in verdicts] == ["sent", "sent", "rejected", "rejected", "rejected"]
    assert state.balance() == Decimal("0.02")


def test_a_bug_of_ours_leaves_nobody_waiting(state: State) -> None:
    def broken(*_: object) -> Verdict:
        raise LookupError("a bug")

    async def wait() -> Verdict:
        return await state.decide(send("abc"), broken)

    assert asyncio.run(wait()).status == 500
    assert together(state, send("abc"))[0].outcome == "sent"


def test_a_caller_who_has_gone_away_holds_nobody_up(state: State) -> None:
    async def leave() -> Verdict:
        gone = asyncio.ensure_future(state.decide(send("abc"), octopush.answer))
        stays = asyncio.ensure_future(state.decide(send("def"), octopush.answer))
        await asyncio.sleep(0)
        gone.cancel()
        return await stays

    assert asyncio.run(leave()).outcome == "sent"


def test_the_listener_names_its_protocol() -> None:
    """Asyncio turns Nagle's algorithm off only then; else every answer on a kept connection waits 40 ms."""
    with listening(0) as listener:
        assert listener.proto == socket.IPPROTO_TCP
