"""Each fault of the application as a client sees it, and the controls of all faults."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest
from sandbox_account import BALANCE, BASE, LYON, PARIS, SEND, Account, account
from workspaces import Workspace

from octoplan.sandbox import FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("sandbox") / "sandbox.db") as opened:
        yield opened


@pytest.fixture
def sandbox(opened: Account) -> Account:
    opened.set("reset")
    return opened


def struck(sandbox: Account, name: str, **fields: Any) -> httpx.Response:
    """Send once under a fault; the next send must be answered as ever."""
    sandbox.set("faults", faults=[{"fault": name, "times": 1, **fields}])
    answer = sandbox.send(PARIS)
    assert sandbox.send(LYON).status_code == 200
    return answer


def acted(sandbox: Account) -> bool:
    addresses = [delivery["address"] for delivery in sandbox.deliveries()]
    assert addresses in ([LYON], [PARIS, LYON])
    return PARIS in addresses


# -- each fault --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("acts", [True, False])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect(sandbox: Account, status: int, *, acts: bool) -> None:
    answer = struck(sandbox, "redirect", status=status, location="https://elsewhere.example/", acts=acts)
    assert (answer.status_code, answer.headers["location"]) == (status, "https://elsewhere.example/")
    assert acted(sandbox) is acts


def test_a_redirect_leads_back_by_default(sandbox: Account) -> None:
    assert struck(sandbox, "redirect").headers["location"] == SEND
    assert not acted(sandbox)


@pytest.mark.parametrize("acts", [True, False])
@pytest.mark.parametrize("status", [401, 403, 408, 429, 500, 501, 502, 503, 504])
def test_status(sandbox: Account, status: int, *, acts: bool) -> None:
    answer = struck(sandbox, "status", status=status, acts=acts)
    assert answer.status_code == status
    assert "retry-after" not in answer.headers
    if status >= 500:
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.text.startswith("<!DOCTYPE html>")
    else:
        assert answer.json()["code"] == status
    assert acted(sandbox) is acts
    kept = sandbox.look("requests")["requests"][0]
    assert kept["outcome"] == ("sent" if acts else "fault")


@pytest.mark.parametrize("after", ["0", "120", "-1", "1.5", "soon", "Wed, 21 Oct 2026 07:28:00 GMT", "9" * 400, ""])
def test_retry_after(sandbox: Account, after: str) -> None:
    answer = struck(sandbox, "status", status=429, retry_after=after)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, after)


def test_gzip_bomb(sandbox: Account) -> None:
    sandbox.set("faults", faults=[{"fault": "gzip-bomb", "times": 1, "megabytes": 5}])
    with sandbox.http.stream("POST", SEND, json={"channel": "sms", "text": "a", "recipients": [PARIS]}) as answer:
        packed = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert len(packed) < 10_000
    assert len(gzip.decompress(packed)) == 5_000_000


def test_huge_reply(sandbox: Account) -> None:
    answer = struck(sandbox, "huge-reply", megabytes=3)
    assert 3_000_000 < len(answer.content) < 3_001_000
    assert answer.json()["number_of_contacts"] == 1
    assert acted(sandbox)


@pytest.mark.parametrize("value", ["NaN", "-1", "1e400", "0.5", "-Infinity", "0.1000000000000000000000000001"])
def test_cost(sandbox: Account, value: str) -> None:
    answer = struck(sandbox, "cost", value=value)
    assert f'"total_cost":{value},"' in answer.text
    assert acted(sandbox)


@pytest.mark.parametrize("add", [-1, 1, -5, 499])
def test_contacts(sandbox: Account, add: int) -> None:
    assert struck(sandbox, "contacts", add=add).json()["number_of_contacts"] == 1 + add
    assert acted(sandbox)


@pytest.mark.parametrize("value", ["", None, 5, ["x"], {"a": 1}, "other\\1", True])
@pytest.mark.parametrize("channel", ["sms", "voice_sms"])
def test_ticket(sandbox: Account, value: object, channel: str) -> None:
    sandbox.set("faults", faults=[{"fault": "ticket", "value": value}])
    answer = sandbox.send(PARIS, channel=channel).json()
    assert answer["sms_ticket" if channel == "sms" else "ticket_number"] == value
    assert answer["number_of_contacts"] == 1


def test_a_missing_ticket(sandbox: Account) -> None:
    answer = struck(sandbox, "ticket").json()
    assert next(iter(answer)) == "number_of_contacts"
    assert acted(sandbox)


@pytest.mark.parametrize("minutes", [-1500, -60, 0, 45])
def test_date(sandbox: Account, minutes: int) -> None:
    answer = struck(sandbox, "date", minutes=minutes)
    (date,) = answer.headers.get_list("date")
    off = parsedate_to_datetime(date) - datetime.now(UTC)
    assert abs(off - timedelta(minutes=minutes)) < timedelta(seconds=30)
    assert answer.json()["number_of_contacts"] == 1


def test_every_other_reply_has_one_date(sandbox: Account) -> None:
    for answer in (sandbox.send(), sandbox.http.get("/"), sandbox.http.get("/", headers={"host": "evil.example"})):
        (date,) = answer.headers.get_list("date")
        assert abs(parsedate_to_datetime(date) - datetime.now(UTC)) < timedelta(seconds=30)


@pytest.mark.parametrize("content", ["{}", "null", "[]", "", "<html>é</html>", '{"sms_ticket": "'])
def test_body(sandbox: Account, content: str) -> None:
    answer = struck(sandbox, "body", content=content, type="text/html")
    assert (answer.status_code, answer.text) == (200, content)
    assert answer.headers.get_list("content-type") == ["text/html"]
    assert acted(sandbox)


def test_a_body_in_the_applications_place(sandbox: Account) -> None:
    answer = struck(sandbox, "body", acts=False)
    assert (answer.status_code, answer.json()) == (200, {})
    assert not acted(sandbox)


def test_every_fault_can_strike_every_call(sandbox: Account) -> None:
    names = [name for name, kind in FAULTS.items() if kind.where == "application"]
    for name in names:
        small = {"megabytes": 1} if "megabytes" in FAULTS[name].takes else {}
        sandbox.set("faults", faults=[{"fault": name, **small}])
        for method, address in (("GET", BALANCE), ("POST", SEND), ("DELETE", SEND)):
            assert sandbox.http.request(method, address).status_code < 600


@pytest.mark.parametrize("name", [name for name, kind in FAULTS.items() if kind.where == "application"])
def test_a_cancel_has_no_body_to_falsify(sandbox: Account, name: str) -> None:
    ticket = sandbox.accepted(send_at="2099-01-01T00:00:00Z")["sms_ticket"]
    sandbox.set("faults", faults=[{"fault": name}])
    how = {"channel": "sms", "ticket_number": ticket}
    answer = sandbox.http.request("DELETE", f"{BASE}/multi-channel/cancel", json=how)
    assert answer.status_code == {"redirect": 307, "status": 503, "body": 200}.get(name, 204)
    assert (sandbox.counts()["deliveries"] == 1) == (name in ("redirect", "status"))


# -- the controls ------------------------------------------------------------------------------------------------------


def test_faults_are_shown_with_every_default_and_their_strikes(sandbox: Account) -> None:
    shown = sandbox.set("faults", seed=7, faults=[{"fault": "status", "skip": 1}, {"fault": "ticket"}])
    choice = {"endpoint": "*", "simulation": None, "body": None, "skip": 0, "times": None, "probability": 1}
    status = {"fault": "status", **choice, "skip": 1, "status": 503, "retry_after": None, "acts": False}
    counted = {"matched": 0, "struck": 0}
    assert shown == {"seed": 7, "faults": [{**status, **counted}, {"fault": "ticket", **choice, **counted}]}
    sandbox.send()
    sandbox.send()
    shown = sandbox.look("faults")
    assert [(one["matched"], one["struck"]) for one in shown["faults"]] == [(2, 1), (2, 1)]


def test_installing_replaces_and_reset_removes(sandbox: Account) -> None:
    sandbox.set("faults", faults=[{"fault": "status"}])
    sandbox.set("faults", faults=[])
    assert sandbox.send().status_code == 200
    sandbox.set("faults", faults=[{"fault": "status"}])
    sandbox.set("reset")
    assert sandbox.send().status_code == 200
    assert sandbox.look("faults")["faults"] == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"faults": [{"fault": "explode"}]}, "fault 1: 'explode' is no fault; they are refuse, reset-request"),
        ({"faults": [{"fault": "status", "stauts": 500}]}, "status takes no 'stauts'; it takes endpoint, "),
        ({"faults": [{"fault": "status"}, {"fault": "status", "status": 418}]}, "fault 2: status cannot be 418"),
        ({"faults": [{"fault": "status", "retry_after": "a\r\nb: c"}]}, "allowed: a line of printable ASCII, or null"),
        ({"faults": [{"fault": "status", "times": -1}]}, "times cannot be -1"),
        ({"faults": [{"fault": "status", "times": True}]}, "times cannot be True"),
        ({"faults": [{"fault": "status", "probability": 1.5}]}, "a number from 0 to 1"),
        ({"faults": [{"fault": "cost", "value": 5}]}, "a text such as -1, 0.5, 1e400 or NaN"),
        ({"faults": [{}]}, "None is no fault"),
        ({"faults": [{"fault": []}]}, "[] is no fault"),
        ({"faults": ["status"]}, "must be an object"),
        ({"faults": {}}, "faults must be a list"),
        ({"seed": "x", "faults": []}, "seed cannot be 'x'"),
        ({"fault": "status"}, 'faults must be {"seed"'),
    ],
)
def test_what_is_no_fault_is_refused_and_changes_nothing(sandbox: Account, body: dict[str, Any], says: str) -> None:
    sandbox.set("faults", faults=[{"fault": "date"}])
    answer = sandbox.http.post("/_sandbox/faults", json=body)
    assert answer.status_code == 400
    assert says in answer.json()["message"]
    assert [one["fault"] for one in sandbox.look("faults")["faults"]] == ["date"]


def test_all_problems_are_told_at_once(sandbox: Account) -> None:
    body = {"seed": None, "faults": [{"fault": "drip", "seconds": "x", "skip": 0.5}, {"fault": 1}]}
    message = sandbox.http.post("/_sandbox/faults", json=body).json()["message"]
    for problem in ("seed cannot be None", "fault 1: seconds cannot be 'x'", "skip cannot be 0.5", "fault 2: 1 is no"):
        assert problem in message


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def test_the_command_takes_a_file_of_faults(project: Workspace) -> None:
    faults = {"seed": 1, "faults": [{"fault": "lose-reply", "times": 1}, {"fault": "status", "status": 500}]}
    project.write("faults.json", json.dumps(faults))
    command = ("sandbox", "--port", "0", "--faults", str(project.root / "faults.json"))
    with project.start(*command) as process:
        assert process.stderr
        try:
            with Account(process.stderr.readline().strip()) as sandbox:
                assert [one["fault"] for one in sandbox.look("faults")["faults"]] == ["lose-reply", "status"]
        finally:
            process.terminate()


@pytest.mark.parametrize(
    ("faults", "says"), [("{", "faults.json: the faults cannot be read"), ('[{"fault": "x"}]', "'x' is no fault")]
)
def test_the_command_refuses_what_is_no_file_of_faults(project: Workspace, faults: str, says: str) -> None:
    project.write("faults.json", faults)
    assert says in project.run("sandbox", "--faults", str(project.root / "faults.json"), code=1).err
