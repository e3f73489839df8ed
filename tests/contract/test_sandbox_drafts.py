"""The imitation of campaigns to lists and tags: create, status, confirm, cancel; over real HTTP."""

from __future__ import annotations

import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sandbox_account import BASE, LIEGE, LYON, PARIS, PRICES, ZOE, Account, account, exact

from octoplan.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PEOPLE = [{"phone_number": LYON, "first_name": "Zoe"}, {"phone_number": PARIS, "first_name": "Leo"}]
LISTS = {
    "lists": {"lyon": PEOPLE, "empty": []},
    "tags": {"vip": [{"phone_number": PARIS, "first_name": "Mr Leo"}, {"phone_number": LIEGE}]},
}
NOT_FOUND = {"code": 131, "message": "Campaign not found."}
SENT = {"code": 132, "message": "Campaign already sent."}
NOT_READY = {"code": 129, "message": "Campaign is being built."}
DUPLICATE = {"code": 120, "message": "A SMS with the same request_id has already been sent."}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    state = tmp_path_factory.mktemp("sandbox") / "sandbox.db"
    with account(state, prices=PRICES, lists=LISTS, draft_seconds=60) as opened:
        yield opened


@pytest.fixture
def octopush(opened: Account) -> Account:
    opened.set("reset")
    return opened


class Address:
    """One of the four addresses that campaigns to lists and tags have."""

    def __init__(self, octopush: Account, channel: str = "sms", by: str = "list") -> None:
        self.http = octopush.http
        self.at = f"{BASE}/{channel}-campaign-on-{by}"
        self.by = by

    def create(self, **fields: Any) -> httpx.Response:
        body = {
            f"{self.by}_name": "lyon" if self.by == "list" else "vip",
            "text": "ACME: bonjour {first_name}. STOP au XXXXX",
            "sender": "ACME",
            "purpose": "wholesale",
            "type": "sms_premium",
            "auto_optimize_text": False,
            **fields,
        }
        return self.http.post(f"{self.at}/create", json={n: v for n, v in body.items() if v is not None})

    def prepared(self, **fields: Any) -> str:
        answer = self.create(**fields)
        assert answer.status_code == 200, answer.text
        assert list(answer.json()) == ["ticket_number"]
        return str(answer.json()["ticket_number"])

    def refused(self, **fields: Any) -> dict[str, Any]:
        return error(self.create(**fields))

    def status(self, ticket: str) -> httpx.Response:
        return self.http.get(f"{self.at}/status", params={"ticket_number": ticket})

    def confirm(self, ticket: str) -> httpx.Response:
        return self.http.post(f"{self.at}/send", json={"ticket_number": ticket})

    def cancel(self, ticket: str) -> httpx.Response:
        return self.http.request("DELETE", f"{self.at}/cancel", json={"ticket_number": ticket})


def error(answer: httpx.Response) -> dict[str, Any]:
    """Give the error of a 400, from below `errors` where it is there."""
    assert answer.status_code == 400, answer.text
    found = exact(answer)
    return dict(found.get("errors", found))


def figures(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return exact(answer)


@pytest.fixture
def sms(octopush: Account) -> Address:
    return Address(octopush)


@pytest.fixture
def voice(octopush: Account) -> Address:
    return Address(octopush, "voice")


# -- the way of a campaign ---------------------------------------------------------------------------------------------


def test_a_campaign_is_prepared_computed_confirmed_and_delivered_once(octopush: Account, sms: Address) -> None:
    balance = octopush.look("balance")["amount"]
    ticket = sms.prepared(request_id="abc")
    assert ticket.startswith("sms_")
    assert error(sms.status(ticket)) == error(sms.confirm(ticket)) == NOT_READY
    octopush.set("clock", advance="60s")
    ready = figures(sms.status(ticket))
    assert list(ready) == ["number_of_contacts", "cost", "status"]
    assert ready == {"number_of_contacts": 2, "cost": Decimal("0.098"), "status": "ready_to_be_sent"}
    assert octopush.deliveries() == []
    assert octopush.look("balance")["amount"] == balance
    answer = sms.confirm(ticket)
    assert list(figures(answer)) == ["sending_date"]
    sending = datetime.fromisoformat(answer.json()["sending_date"])
    assert sending.utcoffset() is not None
    assert abs(sending - datetime.fromisoformat(octopush.look("clock")["now"])) < timedelta(seconds=30)
    first, second = octopush.deliveries()
    assert (first["address"], first["text"]) == (LYON, "ACME: bonjour Zoe. STOP au 30101")
    assert (second["address"], second["text"]) == (PARIS, "ACME: bonjour Leo. STOP au 30101")
    for delivery in (first, second):
        assert (delivery["ticket"], delivery["request_id"], delivery["campaign"]) == (ticket, "abc", "lyon")
        assert delivery["sender"] == "ACME"
    assert octopush.look("balance")["amount"] == balance - Decimal("0.098")
    assert error(sms.confirm(ticket)) == SENT
    assert figures(sms.status(ticket)) == ready
    assert octopush.counts()["deliveries"] == 2
    outcomes = Counter(one["outcome"] for one in octopush.look("requests")["requests"])
    assert outcomes == {"prepared": 1, "not-ready": 2, "status": 2, "sent": 1, "rejected": 1}


def test_voice_is_prepared_by_its_own_fields(octopush: Account, voice: Address) -> None:
    fields = {"voice_language": "fr-FR", "voice_gender": "male", "get_back_pressed_keys": True}
    ticket = voice.prepared(text="Bonjour {first_name} " + "z" * 400, **fields)
    octopush.set("clock", advance="2m")
    ready = figures(voice.status(ticket))
    assert list(ready) == ["number_of_contacts", "cost", "status", "estimated_duration"]
    assert (ready["cost"], ready["estimated_duration"]) == (Decimal("0.12"), 60)
    voice.confirm(ticket)
    assert {one["channel"] for one in octopush.deliveries()} == {"voice_sms"}
    assert octopush.deliveries()[0]["content"] == {"language": "fr-FR", "gender": "male", "keys": True}
    assert octopush.deliveries()[0]["text"].startswith("Bonjour Zoe z")


@pytest.mark.parametrize("channel", ["sms", "voice"])
def test_a_tag_is_reached_as_a_list_is(octopush: Account, channel: str) -> None:
    tag = Address(octopush, channel, "tag")
    ticket = tag.prepared()
    octopush.set("clock", advance="2m")
    assert figures(tag.status(ticket))["number_of_contacts"] == 2
    tag.confirm(ticket)
    assert [one["address"] for one in octopush.deliveries()] == [PARIS, LIEGE]
    assert {one["campaign"] for one in octopush.deliveries()} == {"vip"}


def test_what_is_to_be_sent_later_is_scheduled_by_the_confirm(octopush: Account, sms: Address) -> None:
    ticket = sms.prepared(send_at="2199-07-03T10:00:00+02:00")
    octopush.set("clock", advance="2m")
    assert figures(sms.confirm(ticket)) == {"sending_date": "2199-07-03T10:00:00+02:00"}
    assert {one["at"] for one in octopush.deliveries()} == {"2199-07-03T08:00:00.000+00:00"}


def test_a_past_time_is_at_once(octopush: Account, sms: Address) -> None:
    ticket = sms.prepared(send_at="2018-10-03T07:42:39-07:00")
    octopush.set("clock", advance="2m")
    date = datetime.fromisoformat(figures(sms.confirm(ticket))["sending_date"])
    assert date > datetime.now(UTC)


def test_the_body_of_a_create_may_be_a_form(octopush: Account, sms: Address) -> None:
    form = {
        "list_name": "lyon",
        "text": "Bonjour",
        "purpose": "Alert",
        "request_id": "7",
        "auto_optimize_text": "false",
    }
    answer = octopush.http.post(f"{sms.at}/create", data=form)
    ticket = figures(answer)["ticket_number"]
    octopush.set("clock", advance="2m")
    assert octopush.http.post(f"{sms.at}/send", data={"ticket_number": f" {ticket} "}).status_code == 200
    assert {(one["text"], one["request_id"]) for one in octopush.deliveries()} == {("Bonjour", "7")}


def test_a_restart_forgets_no_draft(tmp_path: Path) -> None:
    with account(tmp_path / "sandbox.db", lists=LISTS, draft_seconds=0) as octopush:
        ticket = Address(octopush).prepared(request_id="abc")
    with account(tmp_path / "sandbox.db") as octopush:
        assert Address(octopush).confirm(ticket).status_code == 200
        assert {one["request_id"] for one in octopush.deliveries()} == {"abc"}


def test_a_state_of_an_earlier_release_is_taken_over(tmp_path: Path) -> None:
    with account(tmp_path / "sandbox.db") as octopush:
        octopush.accepted(LYON, PARIS)
    with closing(sqlite3.connect(tmp_path / "sandbox.db")) as state, state:
        for column in ("all_parts", "personal"):
            state.execute(f"ALTER TABLE messages DROP COLUMN {column}")
        state.execute("ALTER TABLE requests DROP COLUMN query")
        for table in ("drafts", "members", "lists"):
            state.execute(f"DROP TABLE {table}")
    with account(tmp_path / "sandbox.db", lists=LISTS, draft_seconds=0) as octopush:
        assert octopush.look("tickets")["totals"]["parts"] == 2
        assert [one["query"] for one in octopush.look("requests")["requests"]] == [""]
        sms = Address(octopush)
        sms.confirm(sms.prepared())
        assert octopush.counts()["deliveries"] == 4


def test_of_many_confirms_at_once_one_sends(octopush: Account, sms: Address) -> None:
    ticket = sms.prepared()
    octopush.set("clock", advance="2m")
    balance = octopush.look("balance")["amount"]
    with ThreadPoolExecutor(16) as threads:
        answers = threads.map(lambda _: sms.confirm(ticket).status_code, range(32))
    assert Counter(answers) == {200: 1, 400: 31}
    assert octopush.counts()["deliveries"] == 2
    assert octopush.look("balance")["amount"] == balance - Decimal("0.098")


# -- whom it reaches ---------------------------------------------------------------------------------------------------


def test_who_opted_out_is_left_out_where_asked(octopush: Account, sms: Address) -> None:
    octopush.set("blacklist", addresses=[LYON])
    asked, not_asked = sms.prepared(auto_remove_blacklisted_numbers=True), sms.prepared()
    octopush.set("clock", advance="2m")
    assert figures(sms.status(asked))["cost"] == Decimal("0.049") + Decimal("0.01")
    assert figures(sms.status(not_asked))["number_of_contacts"] == 2
    octopush.set("blacklist", addresses=[PARIS])
    assert figures(sms.status(asked))["number_of_contacts"] == 1
    sms.confirm(asked)
    assert [one["address"] for one in octopush.deliveries()] == [PARIS]


def test_two_drafts_on_a_list_that_changes_between_them(octopush: Account, sms: Address) -> None:
    early = sms.prepared()
    octopush.set("clock", advance="30s")
    late = sms.prepared()
    octopush.set("clock", advance="40s")
    octopush.set("lists", lists={"lyon": [{"phone_number": LIEGE, "first_name": "Eva"}]})
    assert figures(sms.status(early))["number_of_contacts"] == 2
    assert error(sms.status(late)) == NOT_READY
    octopush.set("clock", advance="30s")
    octopush.set("lists", lists={"lyon": []})
    assert figures(sms.status(late))["number_of_contacts"] == 1
    sms.confirm(late)
    sms.confirm(early)
    assert [one["address"] for one in octopush.deliveries()] == [LIEGE, LYON, PARIS]


def test_a_draft_may_read_its_list_again_when_confirmed(octopush: Account, sms: Address) -> None:
    octopush.set("switches", draft_contacts="confirmed")
    ticket = sms.prepared(auto_remove_blacklisted_numbers=True)
    octopush.set("clock", advance="2m")
    assert figures(sms.status(ticket))["number_of_contacts"] == 2
    octopush.set("lists", lists={"lyon": [*PEOPLE, {"phone_number": LIEGE}]})
    octopush.set("blacklist", addresses=[PARIS])
    assert figures(sms.status(ticket))["number_of_contacts"] == 2
    sms.confirm(ticket)
    assert [one["address"] for one in octopush.deliveries()] == [LYON, LIEGE]


def test_a_list_that_a_send_has_stored_is_one(octopush: Account, sms: Address) -> None:
    octopush.accepted(LYON, PARIS, LYON, list_name=" noel ")
    octopush.accepted(LIEGE, LYON, list_name="noel")
    octopush.accepted(LIEGE, list_name="none", simulation_mode=True)
    body = {"recipients": [{"phone_number": LIEGE, "first_name": "Eva"}], "text": "a", "purpose": "alert"}
    octopush.http.post(f"{BASE}/sms-campaign/send", json=body | {"list_name": "noel"})
    assert octopush.look("lists")["lists"] == {"empty": 0, "lyon": 2, "noel": 3}
    octopush.send(channel="email", recipients=[{"email": ZOE}], metadata={"subject": "a"}, list_name="mails")
    before = octopush.counts()["deliveries"]
    ticket, mails = sms.prepared(list_name="noel"), sms.prepared(list_name="mails")
    octopush.set("clock", advance="2m")
    sms.confirm(ticket)
    texts = [(one["address"], one["text"][6:18]) for one in octopush.deliveries(offset=before)]
    assert texts == [(LYON, "bonjour . ST"), (PARIS, "bonjour . ST"), (LIEGE, "bonjour Eva.")]
    assert figures(sms.status(mails))["status"] == "failed"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"list_name": "nobody"}, 303),
        ({"list_name": "empty"}, 117),
        ({"list_name": "far", "purpose": "alert"}, 151),
        ({"list_name": "blocked", "auto_remove_blacklisted_numbers": True}, 117),
    ],
)
def test_what_comes_to_nothing_has_failed(octopush: Account, fields: dict[str, Any], code: int) -> None:
    far, blocked = [{"phone_number": "+999123456789"}], [{"phone_number": LIEGE}]
    octopush.set("lists", lists={"far": far, "blocked": blocked})
    octopush.set("blacklist", addresses=[LIEGE])
    sms, voice = Address(octopush), Address(octopush, "voice")
    ticket, spoken = sms.prepared(**fields), voice.prepared(**fields)
    octopush.set("clock", advance="2m")
    assert figures(sms.status(ticket)) == {"number_of_contacts": 0, "cost": 0, "status": "failed"}
    assert figures(voice.status(spoken))["estimated_duration"] == 0
    refused = error(sms.confirm(ticket))
    assert (refused if "code" in refused else next(iter(refused.values())))["code"] == code
    assert octopush.deliveries() == []
    assert sms.cancel(ticket).status_code == 204


def test_too_little_credit_at_the_confirm(octopush: Account, sms: Address) -> None:
    octopush.set("balance", amount="0.09")
    ticket = sms.prepared()
    octopush.set("clock", advance="2m")
    assert figures(sms.status(ticket))["status"] == "ready_to_be_sent"
    assert error(sms.confirm(ticket))["code"] == 104
    octopush.set("balance", amount="1")
    assert sms.confirm(ticket).status_code == 200
    assert octopush.look("balance")["amount"] == Decimal("0.902")


# -- create ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"list_name": None}, "list_name", 110),
        ({"list_name": "\x00 "}, "list_name", 110),
        ({"text": None}, "text", 107),
        ({"text": "x" * 1225}, "text", 102),
        ({"text": "no mention"}, None, 121),
        ({"text": "no mention", "list_name": "nobody"}, None, 121),
    ],
)
def test_refusals(sms: Address, fields: dict[str, Any], field: str | None, code: int) -> None:
    found = sms.refused(**fields)
    assert (found[field] if field else found)["code"] == code


def test_refusals_of_voice_and_of_bodies(octopush: Account, voice: Address) -> None:
    assert voice.refused(voice_language="fr-CA")["voice_language"]["code"] == 442
    for content in (b"", b"[]", b"{"):
        for method, what in (("POST", "create"), ("POST", "send"), ("DELETE", "cancel")):
            answer = octopush.http.request(method, f"{voice.at}/{what}", content=content)
            assert error(answer) == {"code": 100, "message": "POST data is missing."}
    for method, what in (("POST", "create"), ("POST", "send"), ("DELETE", "cancel"), ("GET", "status")):
        assert octopush.http.request(method, f"{voice.at}/{what}", headers={"api-key": ""}).status_code == 401
        assert octopush.http.request("PUT", f"{voice.at}/{what}").status_code == 404


def test_names_are_cut_and_other_fields_are_ignored(octopush: Account, sms: Address) -> None:
    octopush.set("lists", lists={"x" * 30: PEOPLE})
    fields = {"list_name": "x" * 40, "recipients": [LIEGE], "segmentation": ["filter"], "metadata": {"request_id": "a"}}
    ticket = sms.prepared(**fields)
    sms.prepared(**fields)
    octopush.set("clock", advance="2m")
    sms.confirm(ticket)
    assert {(one["campaign"], one["request_id"]) for one in octopush.deliveries()} == {("x" * 30, None)}


def test_a_request_id_is_used_up_by_the_create(octopush: Account, sms: Address, voice: Address) -> None:
    ticket = sms.prepared(request_id="abc")
    assert sms.refused(request_id="abc") == {"request_id": DUPLICATE}
    assert sms.cancel(ticket).status_code == 204
    for path in (sms, voice, Address(octopush, by="tag")):
        assert path.refused(request_id="abc") == {"request_id": DUPLICATE}
    octopush.set("switches", duplicate_shape="top", duplicate_status=422)
    answer = sms.create(request_id="abc")
    assert (answer.status_code, answer.json()) == (422, DUPLICATE)
    octopush.set("clock", advance="25h")
    assert sms.prepared(request_id="abc") != ticket


def test_a_simulation_keeps_nothing(octopush: Account, sms: Address) -> None:
    ticket = sms.prepared(simulation_mode="true", request_id="abc")
    octopush.set("clock", advance="2m")
    assert error(sms.status(ticket)) == error(sms.confirm(ticket)) == error(sms.cancel(ticket)) == NOT_FOUND
    assert sms.refused(simulation_mode=True, text="no mention")["code"] == 121
    sms.prepared(request_id="abc")
    octopush.set("switches", simulation_burns_id=True)
    sms.prepared(simulation_mode=True, request_id="def")
    assert sms.refused(request_id="def") == {"request_id": DUPLICATE}


# -- status, confirm, cancel -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ticket", ["sms_0", "%", "5"])
def test_a_ticket_must_be_known(octopush: Account, sms: Address, ticket: str) -> None:
    sent = octopush.accepted()["sms_ticket"]
    for unknown in (ticket, sent):
        assert error(sms.status(unknown)) == error(sms.confirm(unknown)) == error(sms.cancel(unknown)) == NOT_FOUND


def test_a_ticket_is_needed(octopush: Account, sms: Address) -> None:
    for query in ("", "ticket_number=", "ticket_number=%20", "ticket=sms_0"):
        assert list(error(octopush.http.get(f"{sms.at}/status?{query}"))) == ["ticket_number"]
    assert list(error(octopush.http.post(f"{sms.at}/send", json={"ticket": "sms_0"}))) == ["ticket_number"]
    kept = octopush.look("requests")["requests"]
    assert [one["query"] for one in kept] == ["", "ticket_number=", "ticket_number=%20", "ticket=sms_0", ""]


def test_a_ticket_belongs_to_its_channel(octopush: Account, sms: Address, voice: Address) -> None:
    ticket = sms.prepared()
    octopush.set("clock", advance="2m")
    assert error(voice.status(ticket)) == error(voice.confirm(ticket)) == error(voice.cancel(ticket)) == NOT_FOUND
    assert Address(octopush, by="tag").confirm(ticket).status_code == 200


@pytest.mark.parametrize("wait", ["0s", "2m"])
def test_what_is_cancelled_is_never_sent(octopush: Account, sms: Address, wait: str) -> None:
    ticket = sms.prepared()
    octopush.set("clock", advance=wait)
    answer = sms.cancel(ticket)
    assert (answer.status_code, answer.content) == (204, b"")
    octopush.set("clock", advance="2m")
    assert error(sms.status(ticket)) == error(sms.confirm(ticket)) == error(sms.cancel(ticket)) == NOT_FOUND
    octopush.set("switches", cancel_repeated="repeated")
    assert sms.cancel(ticket).status_code == 204
    assert octopush.deliveries() == []


def test_what_is_confirmed_can_be_cancelled_as_any_other_send(octopush: Account, sms: Address) -> None:
    at = datetime.fromisoformat(octopush.look("clock")["now"]) + timedelta(hours=2)
    ticket = sms.prepared(send_at=at.isoformat())
    octopush.set("clock", advance="2m")
    sms.confirm(ticket)
    body = {"channel": "sms", "ticket_number": ticket}
    assert octopush.http.request("DELETE", f"{BASE}/multi-channel/cancel", json=body).status_code == 204
    assert octopush.deliveries() == []
    assert error(sms.confirm(ticket)) == SENT


# -- the guesses -------------------------------------------------------------------------------------------------------


def test_how_long_and_what_is_said_until_then(octopush: Account, sms: Address, voice: Address) -> None:
    octopush.set("switches", not_ready_status="under_computation", not_ready_code=130, ready_word="ready_to_be_send")
    ticket, spoken = sms.prepared(), voice.prepared()
    computing = {"number_of_contacts": 0, "cost": 0, "status": "under_computation"}
    assert figures(sms.status(ticket)) == computing
    assert figures(voice.status(spoken)) == computing | {"estimated_duration": 0}
    assert error(sms.confirm(ticket))["code"] == 130
    octopush.set("clock", advance="1m")
    assert figures(sms.status(ticket))["status"] == "ready_to_be_send"
    octopush.set("switches", draft_seconds=0)
    assert figures(sms.status(sms.prepared()))["status"] == "ready_to_be_send"
    assert octopush.http.post("/_sandbox/switches", json={"draft_seconds": -1}).status_code == 400
    assert octopush.look("switches")["switches"]["draft_seconds"]["allowed"] == "0 to 86400"


def test_success_may_be_201(octopush: Account, sms: Address) -> None:
    octopush.set("switches", draft_success_status=201, draft_seconds=0)
    answer = sms.create()
    ticket = answer.json()["ticket_number"]
    assert (answer.status_code, sms.status(ticket).status_code, sms.confirm(ticket).status_code) == (201, 201, 201)


def test_unknown_and_empty_lists(octopush: Account, sms: Address) -> None:
    octopush.set("switches", unknown_list="rejected", empty_list="ready", draft_seconds=0)
    error_ = {"code": 303, "message": "The list does not exist."}
    assert sms.refused(list_name="nobody") == {"list_name": error_}
    assert list(Address(octopush, by="tag").refused(tag_name="lyon")) == ["tag_name"]
    ticket = sms.prepared(list_name="empty")
    assert figures(sms.status(ticket)) == {"number_of_contacts": 0, "cost": 0, "status": "ready_to_be_sent"}
    assert sms.confirm(ticket).status_code == 200
    assert octopush.counts()["deliveries"] == 0


@pytest.mark.parametrize(
    ("does", "how", "reached"),
    [
        ("ignored", "filter", [LYON, PARIS]),
        ("combines", "filter", [PARIS]),
        ("combines", "group", [PARIS, LIEGE, LYON]),
        ("combines", "Filter ", [PARIS]),
        ("combines", "nonsense", [LYON, PARIS]),
        ("combines", None, [LYON, PARIS]),
    ],
)
def test_a_list_and_a_tag_together(octopush: Account, does: str, how: object, reached: list[str]) -> None:
    octopush.set("switches", segmentation=does, draft_seconds=0)
    for path in (Address(octopush), Address(octopush, by="tag")):
        path.confirm(path.prepared(list_name="lyon", tag_name="vip", segmentation=how))
        found = octopush.deliveries()
        assert sorted(one["address"] for one in found) == sorted(reached)
        assert {one["text"][6:17] for one in found if one["address"] == PARIS} == {"bonjour Leo"}
        assert {one["campaign"] for one in found} == {"lyon"}
        octopush.set("reset")
        octopush.set("switches", segmentation=does, draft_seconds=0)


def test_tags_may_need_their_own_path(octopush: Account, sms: Address) -> None:
    tag = Address(octopush, by="tag")
    ticket = sms.prepared(list_name=None, tag_name="vip")
    assert tag.prepared(tag_name=None, list_name="lyon")
    octopush.set("switches", tags_need_own_path=True)
    octopush.set("clock", advance="2m")
    assert error(tag.status(ticket)) == NOT_FOUND
    assert list(sms.refused(list_name=None, tag_name="vip")) == ["list_name"]
    assert list(tag.refused(tag_name=None, list_name="lyon")) == ["tag_name"]
    assert tag.prepared(list_name="lyon")


def test_where_the_mention_is_looked_for(octopush: Account, sms: Address) -> None:
    octopush.set("switches", held_stop="computed", draft_seconds=0)
    tag = Address(octopush, by="tag")
    octopush.set("lists", lists={"liege": [{"phone_number": LIEGE}]})
    assert figures(sms.status(sms.prepared(text="Bonjour")))["status"] == "failed"
    assert figures(sms.status(sms.prepared(text="Bonjour", list_name="liege")))["status"] == "ready_to_be_sent"
    octopush.set("switches", stop_missing="appended")
    tag.confirm(tag.prepared(text="Bonjour"))
    assert {one["text"] for one in octopush.deliveries()} == {"Bonjour STOP au 30101"}


def test_placeholders_may_stay_as_they_are(octopush: Account, sms: Address) -> None:
    octopush.set("switches", held_placeholders=False, draft_seconds=0)
    sms.confirm(sms.prepared())
    assert {one["text"] for one in octopush.deliveries()} == {"ACME: bonjour {first_name}. STOP au 30101"}
    assert octopush.look("tickets")["tickets"][0]["personal"] is False


def test_a_confirm_may_be_answered_again(octopush: Account, sms: Address) -> None:
    octopush.set("switches", confirm_repeated="repeated", draft_seconds=0)
    ticket = sms.prepared()
    first = figures(sms.confirm(ticket))
    octopush.set("clock", advance="1h")
    assert figures(sms.confirm(ticket)) == first
    assert octopush.counts()["deliveries"] == 2


def test_what_status_says_after_the_confirm(octopush: Account, sms: Address) -> None:
    octopush.set("switches", draft_seconds=0)
    ticket = sms.prepared()
    ready = figures(sms.status(ticket))
    sms.confirm(ticket)
    assert figures(sms.status(ticket)) == ready
    octopush.set("switches", status_after_confirm="sent")
    assert figures(sms.status(ticket)) == ready | {"status": "sent"}
    octopush.set("switches", status_after_confirm="rejected")
    assert error(sms.status(ticket)) == NOT_FOUND


def test_a_cancel_after_the_confirm(octopush: Account, sms: Address) -> None:
    octopush.set("switches", draft_seconds=0)
    at = datetime.fromisoformat(octopush.look("clock")["now"]) + timedelta(minutes=1)
    later, now = sms.prepared(send_at=at.isoformat()), sms.prepared()
    for ticket in (later, now):
        sms.confirm(ticket)
        assert error(sms.cancel(ticket)) == SENT
    octopush.set("switches", cancel_after_confirm="ignored")
    assert sms.cancel(later).status_code == 204
    assert octopush.counts()["deliveries"] == 4
    octopush.set("switches", cancel_after_confirm="cancelled")
    balance = octopush.look("balance")["amount"]
    assert error(sms.cancel(now)) == SENT
    assert sms.cancel(later).status_code == 204
    assert error(sms.cancel(later)) == NOT_FOUND
    assert octopush.counts()["deliveries"] == 2
    assert octopush.look("balance")["amount"] == balance + Decimal("0.098")


# -- faults ------------------------------------------------------------------------------------------------------------


def test_faults_of_the_application_strike_here_too(octopush: Account, sms: Address) -> None:
    octopush.set("switches", draft_seconds=0)
    octopush.set(
        "faults",
        faults=[
            {"fault": "cost", "endpoint": "*-on-list/status", "value": "NaN", "times": 1},
            {"fault": "contacts", "endpoint": "sms-campaign-on-list/status", "skip": 1, "times": 1, "add": 5},
            {"fault": "ticket", "endpoint": "*-on-*/create", "skip": 1, "times": 1},
            {"fault": "status", "endpoint": "sms-campaign-on-list/send", "times": 1, "acts": True},
            {"fault": "status", "endpoint": "*/cancel", "times": 1},
        ],
    )
    ticket = sms.prepared()
    assert b'"cost":NaN' in sms.status(ticket).content
    assert figures(sms.status(ticket))["number_of_contacts"] == 7
    assert sms.create().json() == {}
    assert sms.confirm(ticket).status_code == 503
    assert octopush.counts()["deliveries"] == 2
    assert sms.cancel(ticket).status_code == 503
    assert error(sms.confirm(ticket)) == SENT


def test_faults_of_the_wire_strike_here_too(tmp_path: Path) -> None:
    faults = [{"fault": "lose-reply", "endpoint": "voice-campaign-on-tag/send", "times": 1}]
    switches = {"draft_seconds": 0}
    with (
        Sandbox(tmp_path / "sandbox.db", lists=LISTS, switches=switches, faults=faults) as sandbox,
        Account(sandbox.url) as octopush,
    ):
        tag = Address(octopush, "voice", "tag")
        ticket = tag.prepared()
        assert figures(tag.status(ticket))["status"] == "ready_to_be_sent"
        with pytest.raises(httpx.RemoteProtocolError):
            tag.confirm(ticket)
        assert octopush.counts()["deliveries"] == 2
        assert error(tag.confirm(ticket)) == SENT
