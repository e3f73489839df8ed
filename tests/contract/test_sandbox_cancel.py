"""The imitation of `DELETE multi-channel/cancel`, over real HTTP."""

from __future__ import annotations

import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from sandbox_account import BASE, LIEGE, LOGIN, LYON, PARIS, PRICES, ZOE, Account, account

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

CANCEL = f"{BASE}/multi-channel/cancel"
NOT_FOUND = {"code": 131, "message": "Campaign not found."}
OVER = {"code": 400, "message": "At most 1000 campaigns can be canceled in a month."}
SENT = {"code": 132, "message": "Campaign already sent."}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("sandbox") / "sandbox.db", prices=PRICES) as opened:
        yield opened


@pytest.fixture
def octopush(opened: Account) -> Account:
    opened.set("reset")
    return opened


def scheduled(octopush: Account, *numbers: str, minutes: float = 60, **fields: Any) -> str:
    """Send something later; return its ticket."""
    at = datetime.fromisoformat(octopush.look("clock")["now"]).astimezone(UTC) + timedelta(minutes=minutes)
    answer = octopush.accepted(*numbers, send_at=at.isoformat(), **fields)
    return str(answer.get("sms_ticket") or answer["ticket_number"])


def cancel(octopush: Account, ticket: object, channel: object = "sms", **how: Any) -> httpx.Response:
    how = how or {"json": {"channel": channel, "ticket_number": ticket}}
    return octopush.http.request("DELETE", CANCEL, **how)


def refused(answer: httpx.Response) -> dict[str, Any]:
    """Return the error, from below `errors` where it is there."""
    assert answer.status_code == 400
    body = answer.json()
    return dict(body.get("errors", body))


# -- what is cancelled -------------------------------------------------------------------------------------------------


def test_a_cancelled_message_reaches_nobody_and_costs_nothing(octopush: Account) -> None:
    octopush.accepted(LYON)
    before = octopush.look("balance")["amount"]
    ticket = scheduled(octopush, PARIS, LIEGE)
    octopush.accepted(LYON, PARIS)
    answer = cancel(octopush, ticket)
    assert (answer.status_code, answer.content) == (204, b"")
    numbers = [LYON, LYON, PARIS]
    for limit in range(5):
        for offset in range(5):
            page = octopush.deliveries(limit=limit, offset=offset)
            assert [one["address"] for one in page] == numbers[offset : offset + limit]
    assert octopush.counts() == {"deliveries": 3, "addresses": 2, "most_per_address": 2}
    assert octopush.counts(ticket=ticket)["deliveries"] == 0
    assert octopush.deliveries(ticket=ticket) == octopush.deliveries(address=LIEGE) == []
    assert octopush.look("balance")["amount"] == before - 2 * Decimal("0.049")
    assert octopush.accepted(LIEGE)["number_of_contacts"] == 1
    assert [one["address"] for one in octopush.deliveries(offset=2)] == [PARIS, LIEGE]
    assert octopush.deliveries(offset=4) == []


def test_the_outbox_shows_it_as_cancelled(octopush: Account) -> None:
    ticket = scheduled(octopush, PARIS)
    octopush.accepted(LYON, LYON)
    assert [one["cancelled"] for one in octopush.look("tickets")["tickets"]] == [None, None]
    cancel(octopush, ticket)
    shown = octopush.look("tickets")
    costs = {"cost": Decimal("0.098"), "costs": {"octopush": Decimal("0.098")}}
    assert {**shown["totals"]} == {"messages": 2, "contacts": 2, "parts": 2, **costs}
    first, second = shown["tickets"]
    assert first["cancelled"] is None
    assert (second["ticket"], second["cost"], second["contacts"]) == (ticket, 0, 1)
    assert abs(datetime.now(UTC) - datetime.fromisoformat(second["cancelled"])) < timedelta(seconds=30)


def test_a_cancel_is_kept_among_the_requests(octopush: Account) -> None:
    cancel(octopush, scheduled(octopush))
    cancel(octopush, "sms_0")
    kept = octopush.look("requests")["requests"]
    assert [(one["method"], one["outcome"], one["status"]) for one in kept[1:]] == [
        ("DELETE", "cancelled", 204),
        ("DELETE", "cancel-refused", 400),
    ]
    assert (kept[1]["answer"], kept[2]["answer"]) == (None, NOT_FOUND)


@pytest.mark.parametrize(
    ("channel", "fields"),
    [
        ("voice_sms", {"metadata": {"voice_language": "fr-FR"}}),
        ("rcs", {}),
        ("email", {"recipients": [{"email": ZOE}], "metadata": {"subject": "Bonjour"}}),
    ],
)
def test_every_channel_can_be_cancelled(octopush: Account, channel: str, fields: dict[str, Any]) -> None:
    ticket = scheduled(octopush, channel=channel, **fields)
    assert octopush.counts()["deliveries"] == 1
    assert cancel(octopush, ticket, channel).status_code == 204
    assert octopush.counts()["deliveries"] == 0


def test_a_cancel_may_be_a_form(octopush: Account) -> None:
    ticket = scheduled(octopush)
    assert cancel(octopush, "", data={"channel": " SMS ", "ticket_number": f" {ticket} "}).status_code == 204


def test_a_restart_remembers_what_was_cancelled(tmp_path: Path) -> None:
    with account(tmp_path / "sandbox.db") as octopush:
        ticket = scheduled(octopush)
        cancel(octopush, ticket)
    with account(tmp_path / "sandbox.db") as octopush:
        assert octopush.deliveries() == []
        assert refused(cancel(octopush, ticket)) == NOT_FOUND


def test_of_many_cancels_at_once_one_cancels(octopush: Account) -> None:
    ticket = scheduled(octopush)
    balance = octopush.look("balance")["amount"]
    with ThreadPoolExecutor(16) as threads:
        answers = threads.map(lambda _: cancel(octopush, ticket).status_code, range(32))
    assert Counter(answers) == {204: 1, 400: 31}
    assert octopush.look("balance")["amount"] == balance + Decimal("0.049")


# -- what is not -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{"api-login": "me@acme.example"}, {"api-key": ""}])
def test_login_and_key_are_needed(octopush: Account, headers: dict[str, str]) -> None:
    ticket = scheduled(octopush)
    answer = cancel(octopush, "", headers=headers, json={"channel": "sms", "ticket_number": ticket})
    assert (answer.status_code, answer.json()) == (401, {"code": 401, "message": "unauthorized"})
    assert octopush.counts()["deliveries"] == 1


def test_more_than_ten_minutes_must_be_left(octopush: Account) -> None:
    soon, later = scheduled(octopush, minutes=10), scheduled(octopush, minutes=10.5)
    assert list(refused(cancel(octopush, soon))) == ["ticket_number"]
    assert cancel(octopush, later).status_code == 204
    octopush.set("clock", advance="10m")
    assert refused(cancel(octopush, soon)) == SENT


def test_what_left_at_once_is_sent(octopush: Account) -> None:
    assert refused(cancel(octopush, octopush.accepted()["sms_ticket"])) == SENT
    assert refused(cancel(octopush, scheduled(octopush, minutes=-60))) == SENT


def test_fewer_than_three_contacts_can_be_cancelled(octopush: Account) -> None:
    assert list(refused(cancel(octopush, scheduled(octopush, LYON, PARIS, LIEGE)))) == ["ticket_number"]
    assert octopush.counts()["deliveries"] == 3
    assert cancel(octopush, scheduled(octopush, LYON, PARIS)).status_code == 204


@pytest.mark.parametrize("ticket", ["sms_0", "%", {}, None, "", True])
def test_a_ticket_must_be_known(octopush: Account, ticket: object) -> None:
    scheduled(octopush)
    error = refused(cancel(octopush, ticket))
    assert error == NOT_FOUND or list(error) == ["ticket_number"]
    assert octopush.counts()["deliveries"] == 1


@pytest.mark.parametrize("channel", ["fax", "", None, 5])
def test_a_channel_must_be_known(octopush: Account, channel: object) -> None:
    assert list(refused(cancel(octopush, scheduled(octopush), channel))) == ["channel"]


@pytest.mark.parametrize("content", [b"", b"[]", b"{"])
def test_a_body_is_needed(octopush: Account, content: bytes) -> None:
    assert refused(cancel(octopush, "", content=content)) == {"code": 100, "message": "POST data is missing."}


def used_up(state: Path, calls: int) -> None:
    """Make as if a login had cancelled so often in the present month."""
    with closing(sqlite3.connect(state)) as file, file:
        assert file.execute("UPDATE cancels SET calls = ? WHERE login = 'sandbox'", (calls,)).rowcount == 1


def test_a_thousand_cancels_a_month(tmp_path: Path) -> None:
    with account(tmp_path / "sandbox.db") as octopush:
        ticket = scheduled(octopush, minutes=60 * 24 * 40)
        assert refused(cancel(octopush, "sms_0")) == NOT_FOUND
        used_up(tmp_path / "sandbox.db", 999)
        assert refused(cancel(octopush, "sms_0")) == NOT_FOUND
        for _ in range(2):
            assert refused(cancel(octopush, ticket)) == OVER
        how = {"json": {"channel": "sms", "ticket_number": "sms_0"}, "headers": {**LOGIN, "api-login": "sandbox-2"}}
        assert refused(cancel(octopush, "", **how)) == NOT_FOUND
        octopush.set("clock", advance="32d")
        assert cancel(octopush, ticket).status_code == 204


# -- the guesses -------------------------------------------------------------------------------------------------------


def test_where_a_cancel_is_read(octopush: Account) -> None:
    def by(how: str) -> int:
        ticket = scheduled(octopush)
        return cancel(octopush, "", **{how: {"channel": "sms", "ticket_number": ticket}}).status_code

    assert (by("json"), by("params")) == (204, 400)
    octopush.set("switches", cancel_takes="query")
    assert (by("json"), by("params")) == (400, 204)
    octopush.set("switches", cancel_takes="both")
    assert (by("json"), by("params")) == (204, 204)


def test_a_wrong_channel(octopush: Account) -> None:
    ticket = scheduled(octopush)
    assert refused(cancel(octopush, ticket, "email")) == NOT_FOUND
    octopush.set("switches", cancel_wrong_channel="ignored")
    assert cancel(octopush, ticket, "email").status_code == 204


def test_a_repeated_cancel(octopush: Account) -> None:
    ticket, balance = scheduled(octopush), octopush.look("balance")["amount"]
    assert cancel(octopush, ticket).status_code == 204
    assert refused(cancel(octopush, ticket)) == NOT_FOUND
    octopush.set("switches", cancel_repeated="repeated")
    assert cancel(octopush, ticket).status_code == 204
    assert octopush.look("balance")["amount"] == balance + Decimal("0.049")
    octopush.accepted(PARIS)
    assert [one["address"] for one in octopush.deliveries()] == [PARIS]


def test_the_shape_of_a_limit(octopush: Account) -> None:
    octopush.set("switches", cancel_limit_shape="top")
    assert refused(cancel(octopush, scheduled(octopush, minutes=5)))["code"] == 155


def test_what_counts_to_the_month(tmp_path: Path) -> None:
    with account(tmp_path / "sandbox.db", cancels_counted="cancelled") as octopush:
        first, second, third = [scheduled(octopush) for _ in range(3)]
        assert cancel(octopush, first).status_code == 204
        used_up(tmp_path / "sandbox.db", 999)
        for _ in range(2):
            assert refused(cancel(octopush, first)) == NOT_FOUND
        assert cancel(octopush, second).status_code == 204
        assert refused(cancel(octopush, third)) == OVER


def test_a_cancel_may_give_nothing_back(octopush: Account) -> None:
    octopush.set("switches", cancel_refunds=False)
    ticket, balance = scheduled(octopush), octopush.look("balance")["amount"]
    assert cancel(octopush, ticket).status_code == 204
    assert octopush.look("balance")["amount"] == balance
    assert octopush.look("tickets")["totals"]["cost"] == Decimal("0.049")


def test_a_state_of_an_earlier_release_is_taken_over(tmp_path: Path) -> None:
    with account(tmp_path / "sandbox.db") as octopush:
        ticket = scheduled(octopush)
    with closing(sqlite3.connect(tmp_path / "sandbox.db")) as state, state:
        state.execute("ALTER TABLE messages DROP COLUMN cancelled")
        state.execute("DROP TABLE cancels")
    with account(tmp_path / "sandbox.db") as octopush:
        assert octopush.counts()["deliveries"] == 1
        assert cancel(octopush, ticket).status_code == 204
