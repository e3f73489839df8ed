"""The tokens of the imitated Routee: given out, over, refused, and never kept."""

from __future__ import annotations

import base64
import uuid
from typing import TYPE_CHECKING

import pytest
from routee_account import APPLICATION, BASE, CAMPAIGN, GRANT, TOKENS, Routee, account, body

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

BALANCE = f"{BASE}/accounts/me/balance"
UNAUTHORIZED = {"code": "401000000", "developerMessage": "NOT_AUTHENTICATED"}


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sandbox") / "sandbox.db"


@pytest.fixture(scope="module")
def opened(state: Path) -> Iterator[Routee]:
    with account(state) as opened:
        yield opened


@pytest.fixture
def routee(opened: Routee) -> Routee:
    opened.reset()
    return opened


def asked(routee: Routee, *, login: str = "sandbox", word: str = "s", **form: str) -> httpx.Response:
    return routee.http.post(TOKENS, auth=(login, word), data=form or GRANT)


def signed(routee: Routee, header: str) -> httpx.Response:
    return routee.http.get(BALANCE, headers={"authorization": header})


# -- the hardest -------------------------------------------------------------------------------------------------------


def test_a_token_expires_between_two_requests(routee: Routee) -> None:
    assert routee.send().status_code == 200
    routee.set("clock", advance="59m")
    assert routee.send().status_code == 200
    routee.set("clock", advance="61s")
    answer = routee.send()
    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)
    assert routee.counts()["deliveries"] == 2
    routee.sign()
    assert routee.send().status_code == 200
    kept = routee.look("requests")["requests"]
    assert [(one["outcome"], one["login"]) for one in kept] == [
        *(("token", "sandbox-app"), ("sent", "sandbox-app"), ("sent", "sandbox-app"), ("unauthorized", "")),
        *(("token", "sandbox-app"), ("sent", "sandbox-app")),
    ]


def test_neither_secret_nor_token_is_ever_kept(state: Path, routee: Routee) -> None:
    token = routee.sign()
    basic = base64.b64encode(":".join(APPLICATION).encode()).decode()
    in_the_open = {**GRANT, "client_id": "sandbox-app", "client_secret": "another-canary"}
    routee.http.post(TOKENS, auth=APPLICATION, data=in_the_open)
    routee.http.post(f"{TOKENS}?client_secret=third-canary", auth=APPLICATION, data=GRANT)
    routee.http.post(f"{TOKENS}/nowhere?client_secret=third-canary", auth=APPLICATION, data=in_the_open)
    routee.http.post(TOKENS, auth=("me", "fourth-canary"), data=in_the_open)
    routee.send()
    signed(routee, f"Bearer {token}x")
    kept = routee.look("requests")["requests"]
    assert {(one["body"], one["query"]) for one in kept[:-2]} == {("", "")}
    assert [one["login"] for one in kept] == ["sandbox-app"] * 5 + ["me", "sandbox-app", ""]
    answer = kept[1]["answer"]
    assert (answer["access_token"], answer["expires_in"]) == ("not kept", 3600)
    told = routee.http.get("/_sandbox/requests").content + routee.http.get("/_sandbox/faults").content
    for secret in (token.encode(), basic.encode(), b"canary"):
        assert secret not in state.read_bytes()
        assert secret not in told


# -- tokens ------------------------------------------------------------------------------------------------------------


def test_a_token_as_documented(routee: Routee) -> None:
    answer = asked(routee)
    assert answer.status_code == 200
    token = answer.json()
    assert uuid.UUID(token.pop("access_token")).version == 4
    permissions = token.pop("permissions")
    assert "MT_ROLE_VOICE" in permissions
    assert token == {"token_type": "Bearer", "expires_in": 3600, "scope": "account,contact,report,voice"}


def test_a_token_as_observed(routee: Routee) -> None:
    routee.set("switches", routee_oauth_answer="observed")
    token = asked(routee).json()
    assert (token["token_type"], token["scope"]) == ("bearer", "account contact report voice")
    assert signed(routee, f"bearer {token['access_token']}").status_code == 200
    refused = asked(routee, login="me")
    assert refused.status_code == 401
    problem = refused.json()
    assert problem.pop("timestamp") > 1_700_000_000_000
    assert problem == {
        "status": 401,
        "error": "Unauthorized",
        "message": "Bad credentials",
        "path": "/oauth/token",
    }
    assert asked(routee, grant_type="password").json()["error"] == "Bad Request"


def test_tokens_given_out_before_still_count(routee: Routee) -> None:
    first, second = routee.sign(), routee.sign()
    assert first != second
    for token in (first, second):
        assert signed(routee, f"Bearer {token}").status_code == 200
        assert signed(routee, f"bearer   {token}").status_code == 200


@pytest.mark.parametrize(("seconds", "just"), [(1, "0s"), (86400, "86390s"), (631_139_040, "7304d")])
def test_the_life_of_a_token(routee: Routee, seconds: int, just: str) -> None:
    routee.set("switches", routee_token_seconds=seconds)
    token = asked(routee).json()
    assert token["expires_in"] == seconds
    header = f"Bearer {token['access_token']}"
    routee.set("switches", routee_token_seconds=3600)
    routee.set("clock", advance=just) if just != "0s" else None
    assert signed(routee, header).status_code == 200
    routee.set("clock", advance="1d")
    assert signed(routee, header).status_code == 401


def test_a_new_token_makes_the_sandbox_forget_those_that_are_over(routee: Routee) -> None:
    over = routee.sign()
    routee.set("clock", advance="61m")
    routee.sign()
    assert signed(routee, f"Bearer {over}").status_code == 401


def test_two_servers_share_their_tokens(state: Path, routee: Routee) -> None:
    with account(state) as other:
        other.http.headers["authorization"] = routee.http.headers["authorization"]
        assert other.send().status_code == 200
        other.set("reset")
        assert routee.send().status_code == 401


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    "header", ["", "Bearer", "x", "Bearer x", f"Bearer {uuid.UUID(int=0)}", "Basic c2FuZGJveDpz", "Bearer\tx"]
)
def test_what_is_no_token(routee: Routee, header: str, status: int) -> None:
    routee.set("switches", routee_unauthorized_status=status)
    answer = signed(routee, header)
    assert (answer.status_code, answer.json()["code"]) == (status, f"{status}000000")
    assert answer.json()["developerMessage"] == "NOT_AUTHENTICATED"
    assert routee.http.post(CAMPAIGN, json=body(), headers={"authorization": header}).status_code == status
    assert routee.deliveries() == []
    assert asked(routee, login="me").status_code == status


def test_a_token_is_needed_below_every_address(routee: Routee) -> None:
    routee.http.headers.pop("authorization")
    for method, path in (
        ("POST", "voice/campaign"),
        ("POST", "voice/analysis"),
        ("DELETE", "voice/campaign/x"),
        ("GET", "voice/tracking/campaign/x"),
        ("POST", "voice/tracking"),
        ("GET", "campaigns/x"),
        ("GET", "system/prices"),
        ("GET", "accounts/me/balance"),
    ):
        answer = routee.http.request(method, f"{BASE}/{path}")
        assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)


@pytest.mark.parametrize(
    ("login", "word"), [("live-app", "s"), ("Sandbox", "s"), ("", "s"), ("sandbox", ""), (" sandbox", "s")]
)
def test_credentials_that_are_none(routee: Routee, login: str, word: str) -> None:
    answer = asked(routee, login=login, word=word)
    assert (answer.status_code, answer.json()) == (401, {"code": "401000000", "developerMessage": "Bad credentials"})


@pytest.mark.parametrize("header", ["", "Basic", "Basic !", "Basic c2FuZGJveA==", "Basic /////w==", "Bearer x"])
def test_a_header_that_holds_no_credentials(routee: Routee, header: str) -> None:
    assert routee.http.post(TOKENS, data=GRANT, headers={"authorization": header}).status_code == 401


@pytest.mark.parametrize("login", ["sandbox", "sandbox-rehearsal", "sandbox:with:colons"])
def test_any_sandbox_application_will_do(routee: Routee, login: str) -> None:
    assert asked(routee, login=login).status_code == 200
    assert routee.look("requests")["requests"][-1]["login"] == login.partition(":")[0]


@pytest.mark.parametrize("form", [{"grant_type": "password"}, {"scope": "voice"}, {"grant_type": ""}])
def test_another_grant_is_refused(routee: Routee, form: dict[str, str]) -> None:
    answer = asked(routee, **form)
    assert (answer.status_code, answer.json()["code"]) == (400, "400000000")


def test_the_grant_may_be_json_or_a_query(routee: Routee) -> None:
    assert routee.http.post(TOKENS, auth=APPLICATION, json={**GRANT, "scope": "voice"}).status_code == 200
    assert routee.http.post(f"{TOKENS}?grant_type=client_credentials", auth=APPLICATION).status_code == 200
    assert routee.http.post(TOKENS, auth=APPLICATION).status_code == 400


@pytest.mark.parametrize(
    ("method", "path"), [("GET", TOKENS), ("POST", "/routee-auth/voice/campaign"), ("POST", "/routee-auth/")]
)
def test_nothing_else_is_there(routee: Routee, method: str, path: str) -> None:
    answer = routee.http.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (404, "404000000")
