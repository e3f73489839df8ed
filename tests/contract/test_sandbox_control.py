"""The control addresses, and who may reach them."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sandbox_account import LIEGE, LYON, PARIS, SEND, Account, account

from octoplan.sandbox import SWITCHES

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("sandbox") / "sandbox.db", short_number="36111") as opened:
        yield opened


@pytest.fixture
def sandbox(opened: Account) -> Account:
    opened.set("reset")
    return opened


def addresses(sandbox: Account, **query: Any) -> list[str]:
    return [delivery["address"] for delivery in sandbox.deliveries(**query)]


def test_deliveries_can_be_paged_across_messages(sandbox: Account) -> None:
    numbers = [f"+3363998{n:04d}" for n in range(7)]
    for start in (0, 2, 4, 6):
        sandbox.accepted(*numbers[start : start + 2])
    assert addresses(sandbox) == numbers
    for limit in range(9):
        for offset in range(9):
            assert addresses(sandbox, limit=limit, offset=offset) == numbers[offset : offset + limit]
    assert addresses(sandbox, offset=5) == numbers[5:]


def test_deliveries_and_counts_by_address_and_ticket(sandbox: Account) -> None:
    first = sandbox.accepted(LYON, PARIS)["sms_ticket"]
    second = sandbox.accepted(PARIS, LIEGE, PARIS)["sms_ticket"]
    assert [d["ticket"] for d in sandbox.deliveries(address=PARIS)] == [first, second, second]
    assert addresses(sandbox, address=PARIS, offset=1, limit=1) == [PARIS]
    assert addresses(sandbox, address="+3363998001") == []
    assert addresses(sandbox, ticket=second) == [PARIS, LIEGE, PARIS]
    assert addresses(sandbox, ticket=second, offset=1) == [LIEGE, PARIS]
    assert addresses(sandbox, ticket=second, address=LIEGE) == [LIEGE]
    assert sandbox.counts() == {"deliveries": 5, "addresses": 3, "most_per_address": 3}
    assert sandbox.counts(ticket=first) == {"deliveries": 2, "addresses": 2, "most_per_address": 1}
    assert sandbox.counts(ticket="sms_0") == {"deliveries": 0, "addresses": 0, "most_per_address": 0}


def test_every_request_is_kept_with_its_outcome(sandbox: Account) -> None:
    sandbox.accepted(metadata={"request_id": "a"})
    sandbox.rejected(metadata={"request_id": "a"})
    sandbox.accepted(simulation_mode=True)
    sandbox.rejected(text="no mention")
    sandbox.http.get("/octopush/v1/public/wallet/check-balance")
    sandbox.http.post(SEND, headers={"api-login": "me"})
    sandbox.http.post("/octopush/v1/public/fax-campaign/send", content=b"\xff")
    kept = sandbox.look("requests")
    assert kept["total"] == 7
    assert [request["outcome"] for request in kept["requests"]] == [
        *("sent", "duplicate", "simulated", "rejected", "balance", "unauthorized", "not-found")
    ]
    sent = kept["requests"][0]
    assert (sent["method"], sent["endpoint"], sent["status"]) == ("POST", "/multi-channel/send", 200)
    assert sent["answer"]["sms_ticket"] == sandbox.delivered()["ticket"]
    assert '"request_id":"a"' in sent["body"].replace(" ", "")
    assert [request["query"] for request in kept["requests"][:2]] == ["", ""]
    sandbox.http.get("/octopush/v1/public/wallet/check-balance?country_code=FR&product_name=sms%5Fpremium")
    asked = sandbox.look("requests", offset=7)["requests"][0]
    assert (asked["method"], asked["query"]) == ("GET", "country_code=FR&product_name=sms%5Fpremium")
    page = sandbox.look("requests", limit=2, offset=1)["requests"]
    assert [request["outcome"] for request in page] == ["duplicate", "simulated"]


def test_tickets_are_newest_first_and_searched(sandbox: Account) -> None:
    sandbox.accepted(LYON, PARIS, text="Lyon 100%. STOP au XXXXX", list_name="noel")
    sandbox.accepted(LIEGE, text="x_y" + "z" * 160, purpose="alert")
    found = sandbox.look("tickets")
    assert [ticket["contacts"] for ticket in found["tickets"]] == [1, 2]
    costs = {"cost": Decimal("0.2"), "costs": {"octopush": Decimal("0.2")}}
    assert found["totals"] == {"messages": 2, "contacts": 3, "parts": 4, **costs}
    for search, contacts in (("100%", [2]), ("x_y", [1]), ("x%y", []), (LIEGE, [1]), ("noel", [2]), ("0", [1, 2])):
        assert [ticket["contacts"] for ticket in sandbox.look("tickets", search=search)["tickets"]] == contacts
    assert sandbox.look("tickets", search="lyon")["totals"]["messages"] == 1
    assert len(sandbox.look("tickets", limit=1, offset=1)["tickets"]) == 1


@pytest.mark.parametrize("query", ["limit=-1", "offset=x", "limit=", "limit=1e3", "offset=٣"])
def test_pages_are_whole_numbers(sandbox: Account, query: str) -> None:
    answer = sandbox.http.get(f"/_sandbox/deliveries?{query}")
    assert answer.status_code == 400
    assert "whole number" in answer.json()["message"]


@pytest.mark.parametrize(
    ("period", "ahead"), [("25h", 25 * 3600), ("1d12h", 36 * 3600), ("90s", 90), ("2m", 120), ("1d1h1m1s", 90061)]
)
def test_the_clock_moves(sandbox: Account, period: str, ahead: int) -> None:
    before = datetime.fromisoformat(sandbox.look("clock")["now"])
    moved = sandbox.set("clock", advance=period)
    assert moved["ahead_seconds"] == ahead
    passed = datetime.fromisoformat(moved["now"]) - before - timedelta(seconds=ahead)
    assert timedelta(0) <= passed < timedelta(seconds=10)


@pytest.mark.parametrize("period", ["", "25", "-1h", "1h1d", 25, None, "1.5h", "٣h"])
def test_the_clock_takes_periods_only(sandbox: Account, period: object) -> None:
    answer = sandbox.http.post("/_sandbox/clock", json={"advance": period})
    assert answer.status_code == 400
    assert '"25h"' in answer.json()["message"]
    assert sandbox.look("clock")["ahead_seconds"] == 0


def test_switches_are_listed_and_turned(sandbox: Account) -> None:
    listed = sandbox.look("switches")["switches"]
    assert list(listed) == list(SWITCHES)
    assert listed["short_number"]["value"] == "36111"
    assert listed["success_status"] == {
        "value": 200,
        "default": 200,
        "allowed": [200, 201],
        "meaning": SWITCHES["success_status"].meaning,
    }
    assert sandbox.set("switches", success_status=201)["switches"]["success_status"]["value"] == 201
    refused = sandbox.http.post("/_sandbox/switches", json={"success_status": 500, "nothing": 1})
    assert refused.status_code == 400
    assert "success_status cannot be 500" in refused.json()["message"]
    assert "'nothing' is no switch" in refused.json()["message"]


def test_the_blacklist_takes_numbers_and_email_addresses(sandbox: Account) -> None:
    assert sandbox.set("blacklist", addresses=[PARIS, "0033639980012"]) == {"addresses": [LYON, PARIS]}
    assert sandbox.look("blacklist") == {"addresses": [LYON, PARIS]}
    known = sandbox.set("blacklist", addresses=["Zoe33639980014@acme.example"])["addresses"]
    assert known == [LYON, PARIS, "zoe33639980014@acme.example"]
    for wrong in (
        {"addresses": ["nobody"]},
        {"addresses": ["a@b", LYON]},
        {"addresses": [5, {}]},
        {"addresses": PARIS},
        {"numbers": [PARIS]},
        {},
    ):
        assert sandbox.http.post("/_sandbox/blacklist", json=wrong).status_code == 400


@pytest.mark.parametrize("amount", ["", "-1", "1e9", None, "NaN", "1.123456789"])
def test_the_balance_takes_amounts(sandbox: Account, amount: object) -> None:
    assert sandbox.http.post("/_sandbox/balance", json={"amount": amount}).status_code == 400
    assert sandbox.look("balance")["amount"] == 1_000_000


def test_reset_empties_everything(sandbox: Account) -> None:
    sandbox.accepted(metadata={"request_id": "a"})
    sandbox.set("clock", advance="1h")
    sandbox.set("blacklist", addresses=[PARIS])
    sandbox.set("switches", success_status=201, short_number="30000")
    assert sandbox.set("reset")["ahead_seconds"] == 0
    assert sandbox.deliveries() == []
    assert sandbox.look("requests") == {"total": 0, "requests": []}
    assert sandbox.look("blacklist") == {"addresses": []}
    first = {"amount": 1_000_000, "currency": "EUR"}
    assert sandbox.look("balance") == {**first, "providers": {"octopush": first, "routee": first}}
    values = {name: switch["value"] for name, switch in sandbox.look("switches")["switches"].items()}
    assert (values["success_status"], values["short_number"]) == (200, "36111")
    sandbox.accepted(metadata={"request_id": "a"})


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", ""])
@pytest.mark.parametrize("address", ["/", "/_sandbox/deliveries", SEND])
def test_only_loopback_names_are_served(sandbox: Account, host: str, address: str) -> None:
    assert sandbox.http.get(address, headers={"host": host}).status_code == 403


def test_the_outbox_page_loads_nothing_and_runs_only_itself(sandbox: Account) -> None:
    page = sandbox.http.get("/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    for kind in ("style", "script"):
        (content,) = re.findall(rf"<{kind}>(.*?)</{kind}>", page.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert not re.search(r"https?://|//[a-z]|\bsrc=|@import|url\(|innerHTML|\bstyle=|\bon[a-z]+=\"", page.text)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:1", "127.1.2.3", "[::1]:8027"])
def test_every_loopback_name_is_served(sandbox: Account, host: str) -> None:
    assert sandbox.http.get("/_sandbox/clock", headers={"host": host}).status_code == 200


def test_two_hosts_are_none(sandbox: Account) -> None:
    url = httpx.URL(sandbox.http.base_url)
    with socket.create_connection((url.host, url.port)) as connection:
        connection.sendall(b"GET /_sandbox/clock HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n\r\n")
        assert connection.recv(100).split()[1] in (b"400", b"403")


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
@pytest.mark.parametrize("name", ["reset", "clock", "switches", "blacklist", "balance"])
def test_a_web_page_cannot_post(sandbox: Account, kind: str, name: str) -> None:
    answer = sandbox.http.post(f"/_sandbox/{name}", content=b"{}", headers={"content-type": kind})
    assert answer.status_code == 415


@pytest.mark.parametrize("content", [b"{", b"[]", b"1", b"\xff"])
def test_a_control_takes_an_object(sandbox: Account, content: bytes) -> None:
    headers = {"content-type": "application/json; charset=utf-8"}
    answer = sandbox.http.post("/_sandbox/switches", content=content, headers=headers)
    assert answer.status_code == 400
    assert "JSON" in answer.json()["message"]


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", "/nothing"),
        ("GET", "/_sandbox/nothing"),
        ("POST", "/_sandbox/nothing"),
        ("DELETE", "/_sandbox/reset"),
        ("POST", "/_sandbox/deliveries"),
        ("GET", "/routee"),
        ("GET", "/routeevoice/campaign"),
        ("POST", "/octopush/v1/publicmulti-channel/send"),
    ],
)
def test_nothing_else_is_there(sandbox: Account, method: str, address: str) -> None:
    answer = sandbox.http.request(method, address, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (404, 404)


def test_the_answers_say_nothing_to_other_origins(sandbox: Account) -> None:
    answer = sandbox.http.get("/_sandbox/deliveries", headers={"origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control-")]
