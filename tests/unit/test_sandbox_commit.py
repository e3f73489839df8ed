from __future__ import annotations

import asyncio
import socket
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import orjson
import pytest

from octoplan.sandbox import octopush, outbox, routee
from octoplan.sandbox.listener import listening
from octoplan.sandbox.state import State
from octoplan.sandbox.world import Call, Contact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from octoplan.sandbox.world import Verdict


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "sandbox.db", books={}, switches={})
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


# -- drafts ------------------------------------------------------------------------------------------------------------

LISTS = {"list": {"lyon": [Contact("+33639980012", {"first_name": "Zoe"})]}}
CREATED = datetime(2026, 12, 3, 9, 0, 0, 123456, tzinfo=UTC)


class Stopped(State):
    """A state whose time stands still until it is set."""

    moment = CREATED

    def now(self) -> datetime:
        return self.moment


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[Stopped]:
    state = Stopped(tmp_path / "sandbox.db", books={}, switches={}, lists=LISTS)
    yield state
    state.close()


def draft(what: str, method: str = "POST", **fields: str) -> Call:
    return Call(
        provider="octopush",
        method=method,
        endpoint=f"/sms-campaign-on-list/{what}",
        query=fields if method == "GET" else {},
        login="sandbox",
        key="k",
        content=b"" if method == "GET" else orjson.dumps(fields),
    )


def prepared(state: State, **fields: str) -> str:
    """Prepare a campaign to the list and return its ticket."""
    (created,) = together(state, draft("create", **{"list_name": "lyon", "text": "a", "purpose": "alert", **fields}))
    return str(orjson.loads(created.body)["ticket_number"])


def outcomes(state: State, *calls: Call) -> list[str]:
    return [verdict.outcome for verdict in together(state, *calls)]


def test_a_draft_is_ready_at_its_moment_and_not_before(stopped: Stopped) -> None:
    confirm = draft("send", ticket_number=prepared(stopped))
    stopped.moment = CREATED + timedelta(seconds=1, microseconds=-1)
    assert outcomes(stopped, confirm) == ["not-ready"]
    stopped.moment = CREATED + timedelta(seconds=1)
    assert outcomes(stopped, confirm, confirm) == ["sent", "rejected"]


def test_a_list_that_changes_at_the_moment_of_computing_is_too_late(stopped: Stopped) -> None:
    ticket = prepared(stopped)
    stopped.moment = CREATED + timedelta(seconds=1)
    stopped.set_lists({"list": {"lyon": []}})
    status = draft("status", "GET", ticket_number=ticket)
    (told,) = together(stopped, status)
    assert orjson.loads(told.body)["number_of_contacts"] == 1


def test_a_draft_is_confirmed_and_cancelled_within_one_commit(stopped: Stopped) -> None:
    stopped.set_switches({"draft_seconds": 0, "cancel_after_confirm": "cancelled"})
    balance = stopped.balance()
    ticket = prepared(stopped, send_at="2026-12-03T18:00:00+01:00")
    other = draft("cancel", "DELETE", ticket_number=ticket)
    confirm = draft("send", ticket_number=ticket)
    assert outcomes(stopped, send("abc"), confirm, other, send("def"), confirm, other) == [
        *("sent", "sent", "cancelled", "sent", "rejected", "cancel-refused")
    ]
    assert stopped.balance() == balance - 2 * Decimal("0.05")
    assert [one["request_id"] for one in outbox.deliveries(stopped.path, outbox.Page())] == ["abc", "def"]
    assert outbox.deliveries(stopped.path, outbox.Page(offset=1, limit=5))[0]["request_id"] == "def"


def test_of_one_request_id_within_one_commit_one_is_prepared(stopped: Stopped) -> None:
    create = draft("create", list_name="lyon", text="a", purpose="alert", request_id="abc")
    assert outcomes(stopped, create, send("abc"), create) == ["prepared", "duplicate", "duplicate"]


def test_a_send_that_fills_a_list_within_one_commit_comes_after_an_older_draft(stopped: Stopped) -> None:
    stopped.set_switches({"draft_seconds": 0})
    create = draft("create", list_name="lyon", text="a", purpose="alert")
    fields = {"channel": "sms", "text": "a", "purpose": "alert", "recipients": ["+33639980013"], "list_name": "lyon"}
    first, sent, second = together(stopped, create, replace(send("abc"), content=orjson.dumps(fields)), create)
    tickets = [str(orjson.loads(one.body)["ticket_number"]) for one in (first, second)]
    told = together(stopped, *(draft("status", "GET", ticket_number=ticket) for ticket in tickets))
    assert sent.outcome == "sent"
    assert [orjson.loads(one.body)["number_of_contacts"] for one in told] == [1, 2]


def test_the_listener_names_its_protocol() -> None:
    """Asyncio turns Nagle's algorithm off only then; else every answer on a kept connection waits 40 ms."""
    with listening(0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


# -- Routee ------------------------------------------------------------------------------------------------------------


def campaign(key: str, name: str, *, when: str | None = None) -> Call:
    fields = {
        "from": "ACME",
        "to": ["+33639980012"],
        "message": {"text": "a", "language": "fr-FR", "gender": "male"},
        "name": name,
        "scheduledDate": when,
    }
    return asked("POST", "/voice/campaign", key=key, content=orjson.dumps(fields))


def asked(method: str, endpoint: str, *, key: str = "", content: bytes = b"") -> Call:
    return Call(
        provider="routee", method=method, endpoint=endpoint, query={}, login="sandbox", key=key, content=content
    )


async def decided(state: State, *calls: Call) -> list[Verdict]:
    """Have calls to Routee wait at the same moment."""
    return await asyncio.gather(*(state.decide(call, routee.answer) for call in calls))


def token(state: State) -> str:
    grant = asked("POST", "/oauth/token", key="s", content=b"grant_type=client_credentials")
    verdict = asyncio.run(state.decide(grant, routee.authenticate))
    return str(orjson.loads(verdict.body)["access_token"])


def test_a_name_is_taken_within_one_commit(state: State) -> None:
    key = token(state)
    verdicts = asyncio.run(decided(state, *[campaign(key, "noel")] * 3, campaign(key, "other")))
    assert [verdict.outcome for verdict in verdicts] == ["sent", "duplicate", "duplicate", "sent"]
    assert state.balance("routee") == 1_000_000 - 2 * Decimal("0.05")
    assert state.balance() == 1_000_000


def test_both_providers_share_a_commit(state: State) -> None:
    key = token(state)

    async def wait() -> list[Verdict]:
        pairs = [(send("abc"), octopush.answer), (campaign(key, "abc"), routee.answer)] * 2
        return await asyncio.gather(*(state.decide(call, judge) for call, judge in pairs))

    assert [verdict.outcome for verdict in asyncio.run(wait())] == ["sent", "sent", "duplicate", "duplicate"]
    assert state.balance() == state.balance("routee") == 1_000_000 - Decimal("0.05")
    found = outbox.deliveries(state.path, outbox.Page())
    assert [(one["provider"], one["request_id"]) for one in found] == [("octopush", "abc"), ("routee", "abc")]


def test_a_campaign_is_deleted_and_looked_for_within_one_commit(state: State) -> None:
    key = token(state)
    (made,) = asyncio.run(decided(state, campaign(key, "noel", when="2099-01-01T00:00:00Z")))
    ticket = orjson.loads(made.body)["trackingId"]
    delete = asked("DELETE", f"/voice/campaign/{ticket}", key=key)
    show = asked("GET", f"/campaigns/{ticket}", key=key)
    verdicts = asyncio.run(decided(state, show, campaign(key, "other"), delete, show, delete))
    assert [verdict.status for verdict in verdicts] == [200, 200, 200, 404, 404]
    assert [one["campaign"] for one in outbox.deliveries(state.path, outbox.Page())] == ["other"]
