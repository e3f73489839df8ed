"""The faults, of the application and of the wire, on what is asked of the imitated Routee."""

from __future__ import annotations

import gzip
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from routee_account import APPLICATION, CAMPAIGN, GRANT, TOKENS, TRACKING, Routee, account, body, code
from sandbox_account import BALANCE, LYON, PARIS, SEND

from octoplan.sandbox import FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FAR = "2099-06-01T10:00:00Z"
WIRE = [name for name, kind in FAULTS.items() if kind.where == "wire"]
APPLICATION_FAULTS = [name for name, kind in FAULTS.items() if kind.where == "application"]
PATIENCE = 10.0


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Routee]:
    with account(tmp_path_factory.mktemp("sandbox") / "sandbox.db", faults=[]) as opened:
        yield opened


@pytest.fixture
def routee(opened: Routee) -> Routee:
    opened.reset()
    return opened


def install(routee: Routee, name: str, **fields: Any) -> None:
    routee.set("faults", faults=[{"fault": name, "endpoint": "voice/campaign", "times": 1, **fields}])


def addresses(routee: Routee) -> list[str]:
    return [delivery["address"] for delivery in routee.deliveries()]


def until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.01)


# -- the hardest -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["lose-reply", "reset-reply", "truncate"])
def test_a_reply_that_is_lost_after_acceptance_and_the_same_name_again(routee: Routee, name: str) -> None:
    install(routee, name)
    with pytest.raises(httpx.TransportError):
        routee.send(LYON, PARIS, name="noel")
    assert addresses(routee) == [LYON, PARIS]
    assert code(routee.send(LYON, PARIS, name="noel")) == (409, "409009003")
    assert routee.found(("campaign", "is", "noel")) == [LYON, PARIS]
    assert routee.counts()["most_per_address"] == 1


def test_a_request_that_arrives_when_its_sender_has_gone(routee: Routee) -> None:
    install(routee, "late", seconds=0.2)
    with pytest.raises(httpx.ReadTimeout):
        routee.http.post(CAMPAIGN, json=body(name="noel"), timeout=0.3)
    assert routee.found(("campaign", "is", "noel")) == []
    until(lambda: routee.found(("campaign", "is", "noel")) == [LYON])
    assert code(routee.send(name="noel")) == (409, "409009003")


def test_a_token_may_be_struck_too(routee: Routee) -> None:
    faults = [
        {"fault": "lose-reply", "endpoint": "oauth/token", "times": 1},
        {"fault": "status", "endpoint": "oauth/*"},
    ]
    routee.set("faults", faults=faults)
    with pytest.raises(httpx.RemoteProtocolError):
        routee.sign()
    assert routee.http.post(TOKENS, auth=APPLICATION, data=GRANT).status_code == 503
    assert routee.send().status_code == 200
    shown = routee.look("faults")["faults"]
    assert [(one["matched"], one["struck"]) for one in shown] == [(2, 1), (2, 2)]


def test_a_token_that_does_not_count_after_acceptance(routee: Routee) -> None:
    for status in (401, 403):
        install(routee, "status", status=status, acts=True)
        answer = routee.send(name=f"noel-{status}")
        assert answer.json() == {"code": f"{status}000000", "developerMessage": "unauthorized"}
        assert code(routee.send(name=f"noel-{status}")) == (409, "409009003")
    assert routee.counts()["deliveries"] == 2


# -- each fault --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WIRE)
def test_every_fault_of_the_wire(routee: Routee, name: str) -> None:
    small: dict[str, dict[str, Any]] = {"hang": {"seconds": 0.1}, "drip": {"seconds": 0}}
    install(routee, name, **small.get(name, {}))
    url, headers = f"{str(routee.http.base_url).rstrip('/')}{CAMPAIGN}", dict(routee.http.headers)
    try:
        patience = 0.3 if name == "late" else PATIENCE
        status = httpx.post(url, json=body(), headers=headers, timeout=patience, trust_env=False).status_code
    except httpx.TransportError:
        status = 0
    assert status == (200 if name in ("drip", "informational") else 0)
    if name == "late":
        until(lambda: addresses(routee) != [])
    assert addresses(routee) == [] if name in ("refuse", "reset-request") else [LYON]
    assert routee.look("faults")["faults"][0]["struck"] == 1


@pytest.mark.parametrize("name", APPLICATION_FAULTS)
def test_every_fault_of_the_application_can_strike_every_call(routee: Routee, name: str) -> None:
    small = {"megabytes": 1} if "megabytes" in FAULTS[name].takes else {}
    ticket = routee.send(scheduledDate=FAR).json()["trackingId"]
    routee.set("faults", faults=[{"fault": name, **small}])
    calls: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("POST", TOKENS, {"auth": APPLICATION, "data": GRANT}),
        ("POST", CAMPAIGN, {"json": body()}),
        ("POST", "/routee/voice/analysis", {"json": body()}),
        ("POST", TRACKING, {"json": []}),
        ("GET", f"{TRACKING}/campaign/{ticket}", {}),
        ("GET", f"/routee/campaigns/{ticket}", {}),
        ("GET", "/routee/system/prices", {}),
        ("GET", "/routee/accounts/me/balance", {}),
        ("DELETE", f"{CAMPAIGN}/{ticket}", {}),
        ("GET", "/routee/nowhere", {}),
    )
    for method, path, how in calls:
        assert routee.http.request(method, path, **how).status_code < 600
    assert routee.look("faults")["faults"][0]["struck"] == 10


@pytest.mark.parametrize("value", ["NaN", "-1", "1e400", "0.5"])
def test_cost(routee: Routee, value: str) -> None:
    install(routee, "cost", value=value)
    assert f'"cost":{value}' in routee.send().text
    assert addresses(routee) == [LYON]


@pytest.mark.parametrize("add", [-1, 1, 499])
def test_contacts(routee: Routee, add: int) -> None:
    for endpoint in ("voice/campaign", "voice/analysis"):
        install(routee, "contacts", endpoint=endpoint, add=add)
        answer = routee.send() if endpoint == "voice/campaign" else routee.analyse()
        assert answer.json().get("voiceAnalysis", answer.json())["numberOfRecipients"] == 1 + add
    assert addresses(routee) == [LYON]


@pytest.mark.parametrize("value", ["", None, 5, ["x"], "other\\1"])
def test_ticket(routee: Routee, value: object) -> None:
    install(routee, "ticket", value=value)
    answer = routee.send(name="trackingId")
    assert (answer.json()["trackingId"], answer.json()["campaignName"]) == (value, "trackingId")


def test_a_missing_ticket(routee: Routee) -> None:
    install(routee, "ticket")
    answer = routee.send().json()
    assert "trackingId" not in answer
    assert answer["type"] == "Voice"


def test_large_replies(routee: Routee) -> None:
    install(routee, "huge-reply", megabytes=2)
    answer = routee.send()
    assert 2_000_000 < len(answer.content) < 2_003_000
    assert answer.json()["type"] == "Voice"
    install(routee, "gzip-bomb", megabytes=3)
    with routee.http.stream("POST", CAMPAIGN, json=body()) as stream:
        packed = b"".join(stream.iter_raw())
    assert (len(packed) < 10_000, len(gzip.decompress(packed))) == (True, 3_000_000)
    ticket = routee.send(scheduledDate=FAR).json()["trackingId"]
    install(routee, "huge-reply", endpoint="voice/campaign/*", megabytes=1)
    assert routee.delete(ticket).json() == {}


def test_a_redirect_leads_back_by_default(routee: Routee) -> None:
    install(routee, "redirect")
    assert routee.send().headers["location"] == CAMPAIGN
    assert addresses(routee) == []


def test_what_a_fault_kept_from_the_application_is_kept_in_the_providers_shape(routee: Routee) -> None:
    install(routee, "status", status=429, retry_after="7")
    answer = routee.send()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.json()["code"] == "429000000"
    kept = routee.look("requests")["requests"][-1]
    assert (kept["outcome"], kept["answer"]["developerMessage"][:16]) == ("fault", "the fault status")


# -- whom they strike --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["lose-reply", "status"])
def test_an_endpoint_is_what_stands_below_its_base(routee: Routee, name: str) -> None:
    ticket = routee.send(scheduledDate=FAR).json()["trackingId"]
    install(routee, name, times=None)
    assert routee.http.post(TOKENS, auth=APPLICATION, data=GRANT).status_code == 200
    assert routee.analyse().status_code == 200
    assert routee.delete(ticket).status_code == 200
    octopush = {"api-key": "k", "api-login": "sandbox"}
    assert routee.http.get(BALANCE, headers=octopush).status_code == 200
    assert routee.http.post(f"{SEND}/voice/campaign", headers=octopush).status_code == 404
    assert routee.http.get("/").status_code == 200
    assert routee.look("faults")["faults"][0]["matched"] == 0
    install(routee, name, endpoint="*", body=PARIS)
    assert routee.send(LYON).status_code == 200
    try:
        assert routee.send(PARIS).status_code == 503
    except httpx.RemoteProtocolError:
        assert name == "lose-reply"
    assert routee.look("faults")["faults"][0]["struck"] == 1


@pytest.mark.parametrize("simulation", [True, False])
def test_an_analysis_is_a_simulation(routee: Routee, *, simulation: bool) -> None:
    install(routee, "status", endpoint="voice/*", simulation=simulation, times=None)
    assert routee.analyse().status_code == (503 if simulation else 200)
    assert routee.send().status_code == (200 if simulation else 503)
    assert routee.http.post(TRACKING, json=[]).status_code == (200 if simulation else 503)
