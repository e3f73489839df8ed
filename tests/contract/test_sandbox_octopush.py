"""The habits of the imitated Octopush, one by one, over real HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sandbox_account import BALANCE, BASE, LIEGE, LOGIN, LYON, PARIS, PRICES, SEND, Account, account

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SEED_REQUEST = {
    "channel": "sms",
    "text": "Hello, this is a test message.",
    "recipients": [{"phone_number": "+33111222333"}, {"phone_number": "+33111222334"}],
    "sender": "SenderName",
    "send_at": "2024-12-19T10:00:00-07:00",
    "purpose": "alert",
    "list_name": "sms_list",
    "simulation_mode": False,
    "recipient_tracking": True,
    "auto_optimize_text": True,
    "auto_remove_blacklisted_contacts": True,
    "metadata": {"type": "sms_premium", "with_replies": True},
}
DUPLICATE = {"code": 120, "message": "A SMS with the same request_id has already been sent."}


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sandbox") / "sandbox.db"


@pytest.fixture(scope="module")
def opened(state: Path) -> Iterator[Account]:
    with account(state, prices=PRICES) as opened:
        yield opened


@pytest.fixture
def octopush(opened: Account) -> Account:
    opened.http.headers = httpx.Headers(LOGIN)
    opened.set("reset")
    return opened


def test_the_seeds_request_is_accepted_and_answered_in_the_seeds_shape(octopush: Account) -> None:
    answer = octopush.http.post(SEND, json=SEED_REQUEST)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert list(body) == [
        *("sms_ticket", "number_of_contacts", "total_cost", "number_of_sms_needed", "residual_credit", "message")
    ]
    assert body["sms_ticket"].startswith("sms_")
    assert (body["number_of_contacts"], body["number_of_sms_needed"]) == (2, 2)
    deliveries = octopush.deliveries()
    assert [d["address"] for d in deliveries] == ["+33111222333", "+33111222334"]
    assert {d["sender"] for d in deliveries} == {"30101"}
    assert {d["campaign"] for d in deliveries} == {"sms_list"}


def test_a_delivery_says_everything_that_was_sent(octopush: Account) -> None:
    answer = octopush.accepted(LYON, metadata={"type": "sms_low_cost", "request_id": "abc"}, list_name="lyon")
    delivery = octopush.delivered()
    at = datetime.fromisoformat(delivery.pop("at"))
    assert abs(datetime.now(UTC) - at) < timedelta(seconds=30)
    assert delivery == {
        "provider": "octopush",
        "channel": "sms",
        "address": LYON,
        "text": "ACME: bonjour. STOP au 30101",
        "content": {"type": "sms_low_cost", "with_replies": False},
        "ticket": answer["sms_ticket"],
        "request_id": "abc",
        "campaign": "lyon",
        "send_at": None,
        "sender": "ACME",
        "parts": 1,
        "encoding": "gsm7",
        "cost": Decimal("0.039"),
    }


# -- who may call ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers", [{}, {"api-login": "sandbox"}, {"api-key": "x"}, {"api-key": "x", "api-login": "me@acme.example"}]
)
@pytest.mark.parametrize(("method", "address"), [("POST", SEND), ("GET", BALANCE)])
def test_login_and_key_are_needed(octopush: Account, headers: dict[str, str], method: str, address: str) -> None:
    octopush.http.headers = httpx.Headers(headers)
    answer = octopush.http.request(method, address)
    assert (answer.status_code, answer.json()) == (401, {"code": 401, "message": "unauthorized"})


def test_any_sandbox_login_will_do_and_no_key_is_kept(octopush: Account, state: Path) -> None:
    octopush.http.headers.update({"api-login": "sandbox-rehearsal", "api-key": "secret-canary"})
    octopush.accepted()
    assert octopush.look("requests")["requests"][0]["login"] == "sandbox-rehearsal"
    assert b"secret-canary" not in state.read_bytes()


@pytest.mark.parametrize(
    ("method", "endpoint"),
    [("GET", "/multi-channel/send"), ("PUT", "/sms-campaign/send"), ("POST", "/rcs-campaign/send"), ("GET", "")],
)
def test_other_addresses_do_not_exist(octopush: Account, method: str, endpoint: str) -> None:
    answer = octopush.http.request(method, BASE + endpoint)
    assert (answer.status_code, answer.json()) == (404, {"code": 404, "message": "Not found."})


# -- casting -----------------------------------------------------------------------------------------------------------


def test_a_form_is_as_good_as_json(octopush: Account) -> None:
    form = {
        "channel": "sms",
        "text": "Code 1E5",
        "purpose": "alert",
        "recipients[0][phone_number]": LYON,
        "recipients[1][phone_number]": "0033639980013",
        "metadata[type]": "sms_low_cost",
        "metadata[request_id]": "abc",
        "auto_optimize_text": "false",
    }
    assert octopush.http.post(SEND, data=form).status_code == 200
    assert [d["address"] for d in octopush.deliveries()] == [LYON, PARIS]
    assert octopush.deliveries()[0]["request_id"] == "abc"
    assert octopush.http.post(SEND, data=form).json()["errors"] == {"request_id": DUPLICATE}


def test_the_content_type_does_not_matter(octopush: Account) -> None:
    body = b'{"channel": "SMS", "text": 5, "purpose": "Alert", "recipients": [33639980012]}'
    answer = octopush.http.post(SEND, content=body, headers={"content-type": "text/plain"})
    assert answer.status_code == 200
    assert octopush.delivered()["text"] == "5"


@pytest.mark.parametrize(
    ("sender", "shown"),
    [
        ("My Shop", "MyShop"),
        ("Été", "Octopush"),
        ("ABCDEFGHIJKLMNO", "ABCDEFGHIJK"),
        ("AB", "Octopush"),
        (12345, "12345"),
        (None, "Octopush"),
        (["ACME"], "Octopush"),
    ],
)
def test_a_wrong_sender_is_repaired_or_replaced_and_sent(octopush: Account, sender: object, shown: str) -> None:
    octopush.accepted(sender=sender)
    assert octopush.delivered()["sender"] == shown


def test_unknown_fields_are_ignored_and_sent(octopush: Account) -> None:
    octopush.accepted(smulation_mode=True, sendat="2030-01-01", metadata={"typ": "sms_low_cost", "nonsense": [1]})
    assert octopush.delivered()["cost"] == Decimal("0.049")


@pytest.mark.parametrize("value", [True, "true", "1", 1, "yes"])
def test_a_simulation_that_is_spelled_oddly_is_one(octopush: Account, value: object) -> None:
    octopush.accepted(simulation_mode=value)
    assert octopush.deliveries() == []


@pytest.mark.parametrize("value", [False, "false", 0, "", "simulate", {"on": True}, [True]])
def test_a_simulation_that_is_not_understood_is_a_send(octopush: Account, value: object) -> None:
    octopush.accepted(simulation_mode=value)
    assert octopush.counts()["deliveries"] == 1


def test_a_simulation_in_the_wrong_place_is_a_send(octopush: Account) -> None:
    octopush.accepted(metadata={"simulation_mode": True}, options={"simulation_mode": True})
    assert octopush.counts()["deliveries"] == 1


def test_a_request_id_in_the_wrong_place_does_nothing(octopush: Account) -> None:
    for _ in range(2):
        octopush.accepted(request_id="abc")
    assert octopush.counts() == {"deliveries": 2, "addresses": 1, "most_per_address": 2}
    assert {d["request_id"] for d in octopush.deliveries()} == {None}


def test_prohibited_characters_are_deleted_and_the_rest_is_sent(octopush: Account) -> None:
    octopush.accepted(text="a\x00b\x07c\nd\te", purpose="alert")
    assert octopush.delivered()["text"] == "abc\nde"


def test_numbers_are_repaired_and_unusable_ones_dropped(octopush: Account) -> None:
    answer = octopush.accepted("+33 6 39 98 00 12", "0033639980013", "0639980014", "nobody", "")
    assert answer["number_of_contacts"] == 2
    assert [d["address"] for d in octopush.deliveries()] == [LYON, PARIS]


def test_a_number_given_twice_gets_it_twice(octopush: Account) -> None:
    assert octopush.accepted(LYON, LYON)["number_of_contacts"] == 2
    assert octopush.counts() == {"deliveries": 2, "addresses": 1, "most_per_address": 2}


def test_a_list_name_is_cut(octopush: Account) -> None:
    octopush.accepted(list_name="x" * 40)
    assert octopush.delivered()["campaign"] == "x" * 30


# -- what is refused after all -----------------------------------------------------------------------------------------


def in_field(name: str, code: int, message: str) -> dict[str, Any]:
    return {
        "code": 400,
        "message": "Payload validation error.",
        "errors": {name: {"code": code, "message": message}},
    }


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"channel": None}, in_field("channel", 400, "Channel is missing or not supported.")),
        ({"channel": "fax"}, in_field("channel", 400, "Channel is missing or not supported.")),
        ({"text": None}, in_field("text", 107, "Text is missing.")),
        ({"text": "\x00"}, in_field("text", 107, "Text is missing.")),
        ({"text": ["a"]}, in_field("text", 107, "Text is missing.")),
        ({"text": "x" * 1225}, in_field("text", 102, "Text is longer than 1224 characters.")),
        ({"recipients": None}, in_field("recipients", 110, "Recipients are missing.")),
        ({"recipients": []}, in_field("recipients", 110, "Recipients are missing.")),
        ({"recipients": [{"phone_number": "x"}]}, in_field("recipients", 117, "No correct phone number.")),
        ({"recipients": [LYON] * 501}, in_field("recipients", 400, "At most 500 recipients are allowed.")),
        ({"recipients": ["+999123456789"], "purpose": "alert"}, {"code": 151, "message": "Country is not served."}),
    ],
)
def test_refusals(octopush: Account, fields: dict[str, Any], error: dict[str, Any]) -> None:
    assert octopush.rejected(**fields) == error
    assert octopush.counts()["deliveries"] == 0


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"null", b'{"text": "\\ud800"}', b"\xff\xfe"])
def test_a_body_that_is_none(octopush: Account, content: bytes) -> None:
    assert octopush.http.post(SEND, content=content).status_code == 400


def test_five_hundred_recipients_are_not_too_many(octopush: Account) -> None:
    numbers = [f"+3363998{n:04d}" for n in range(500)]
    answer = octopush.accepted(*numbers)
    assert (answer["number_of_contacts"], answer["total_cost"]) == (500, Decimal("24.5"))
    assert octopush.counts() == {"deliveries": 500, "addresses": 500, "most_per_address": 1}


# -- the STOP mention --------------------------------------------------------------------------------------------------

NO_STOP = {"text": "ACME: bonjour."}
STOP_ERROR = {"code": 121, "message": "Mention STOP is missing."}


@pytest.mark.parametrize("purpose", ["wholesale", "WholeSale", None, "marketing", "transactional", 5])
def test_marketing_is_the_default_and_needs_the_mention(octopush: Account, purpose: object) -> None:
    assert octopush.rejected(**NO_STOP, purpose=purpose) == STOP_ERROR
    assert octopush.deliveries() == []


def test_an_alert_or_another_country_needs_none(octopush: Account) -> None:
    octopush.accepted(**NO_STOP, purpose="alert")
    octopush.accepted(LIEGE, **NO_STOP)
    assert octopush.rejected(LIEGE, LYON, **NO_STOP) == STOP_ERROR


@pytest.mark.parametrize("text", ["a stop au XXXXX", "a STOP XXXXX", "a STOP au 3010", "a STOP  au XXXXX"])
def test_the_mention_has_one_form(octopush: Account, text: str) -> None:
    assert octopush.rejected(text=text) == STOP_ERROR


def test_every_placeholder_becomes_the_short_number(octopush: Account) -> None:
    octopush.accepted(text="Code XXXXX. STOP au XXXXX")
    assert octopush.delivered()["text"] == "Code 30101. STOP au 30101"


def test_the_number_itself_is_a_mention(octopush: Account) -> None:
    octopush.accepted(text="Bonjour. STOP au 36111")
    assert octopush.delivered()["text"] == "Bonjour. STOP au 36111"


# -- parts and optimising ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "encoding", "parts"),
    [
        ("a" * 152 + "€" + "a" * 152, "gsm7", 3),
        ("x" * 66 + "😀" + "x" * 66, "ucs2", 3),
        ("x" * 1224, "gsm7", 8),
        ("Françoise", "ucs2", 1),
    ],
)
def test_parts_are_counted_and_paid(octopush: Account, text: str, encoding: str, parts: int) -> None:
    answer = octopush.accepted(LYON, PARIS, text=text, purpose="alert")
    assert answer["number_of_sms_needed"] == parts * 2
    assert answer["total_cost"] == Decimal("0.049") * parts * 2
    delivery = octopush.deliveries()[0]
    assert (delivery["text"], delivery["encoding"], delivery["parts"]) == (text, encoding, parts)
    assert delivery["cost"] == Decimal("0.049") * parts


@pytest.mark.parametrize(
    "flag", [{"auto_optimize_text": None}, {"auto_optimize_text": True}, {"auto_optimize_text": "?"}]
)
def test_a_text_is_rewritten_unless_that_is_forbidden(octopush: Account, flag: dict[str, Any]) -> None:
    octopush.accepted(text="  Ça  va, Zoë ? 😀", purpose="alert", **flag)
    assert octopush.delivered()["text"] == "Ça va, Zoe ?"


def test_a_text_is_left_alone_where_asked(octopush: Account) -> None:
    octopush.accepted(text="  Ça  va, Zoë ? 😀", purpose="alert")
    assert octopush.delivered()["text"] == "  Ça  va, Zoë ? 😀"


# -- money -------------------------------------------------------------------------------------------------------------


def test_prices_by_country_quality_and_surcharges(octopush: Account) -> None:
    octopush.set("balance", amount="100")
    assert octopush.accepted(LYON, LIEGE, "+4740000001")["total_cost"] == Decimal("0.1613")
    assert octopush.accepted(metadata={"type": "sms_low_cost"})["total_cost"] == Decimal("0.039")
    assert octopush.accepted(metadata={"with_replies": True})["total_cost"] == Decimal("0.079")
    assert octopush.accepted(auto_remove_blacklisted_contacts=True)["total_cost"] == Decimal("0.059")
    last = octopush.accepted(text="x" * 161, purpose="alert", metadata={"with_replies": True})
    assert last["total_cost"] == Decimal("0.158")
    assert last["residual_credit"] == Decimal("99.5037")
    assert octopush.rejected(LIEGE, metadata={"type": "sms_low_cost"})["code"] == 151


def test_replies_replace_the_sender(octopush: Account) -> None:
    octopush.accepted(metadata={"with_replies": "true"})
    assert octopush.delivered()["sender"] == "30101"


def test_without_credit_nothing_is_sent(octopush: Account) -> None:
    octopush.set("balance", amount=0.05)
    assert octopush.rejected(LYON, PARIS) == {"code": 104, "message": "No credit left."}
    octopush.accepted(LYON)
    assert octopush.http.get(BALANCE).json() == {"amount": 0.001, "unit": "euros"}
    assert octopush.rejected(PARIS)["code"] == 104
    assert octopush.counts()["deliveries"] == 1


def test_the_balance_can_be_asked_in_messages_of_a_product(octopush: Account) -> None:
    octopush.set("balance", amount="12.54")
    asked = {"country_code": "fr", "product_name": "sms_premium", "with_details": "1"}
    body = octopush.http.get(BALANCE, params=asked).json()
    assert (body["amount"], body["unit"], body["wallet_packs"][0]["credit"]) == (255, "sms_premium", 255)
    refused = octopush.http.get(BALANCE, params={"country_code": "FR"})
    assert (refused.status_code, refused.json()["code"]) == (400, 151)


def test_without_a_price_book_every_country_costs_the_same(tmp_path: Path) -> None:
    with account(tmp_path / "sandbox.db", price_without_book="0.1") as octopush:
        assert octopush.accepted(LYON, "+999123456789")["total_cost"] == Decimal("0.2")


# -- opting out --------------------------------------------------------------------------------------------------------


def test_who_opted_out_is_left_out_where_asked(octopush: Account) -> None:
    octopush.set("blacklist", addresses=[PARIS])
    answer = octopush.accepted(LYON, PARIS, auto_remove_blacklisted_contacts=True)
    assert (answer["number_of_contacts"], answer["number_of_sms_needed"]) == (1, 1)
    assert answer["total_cost"] == Decimal("0.059")
    assert [d["address"] for d in octopush.deliveries()] == [LYON]


def test_who_opted_out_is_contacted_where_not(octopush: Account) -> None:
    octopush.set("blacklist", addresses=[PARIS])
    assert octopush.accepted(LYON, PARIS)["number_of_contacts"] == 2
    assert octopush.accepted(PARIS, auto_delete_optout_contacts=True)["number_of_contacts"] == 1


def test_a_send_to_nobody_but_opted_out_is_accepted(octopush: Account) -> None:
    octopush.set("blacklist", addresses=[LYON])
    answer = octopush.accepted(LYON, auto_remove_blacklisted_contacts=True)
    assert (answer["number_of_contacts"], answer["total_cost"]) == (0, Decimal("0.01"))
    assert octopush.deliveries() == []
    assert octopush.counts() == {"deliveries": 0, "addresses": 0, "most_per_address": 0}


# -- request ids -------------------------------------------------------------------------------------------------------


def test_a_repeated_request_id_is_an_error_for_a_day(octopush: Account) -> None:
    once = {"metadata": {"request_id": "abc"}}
    octopush.accepted(**once)
    assert octopush.rejected(**once) == in_field("request_id", 120, str(DUPLICATE["message"]))
    assert octopush.rejected(PARIS, text="another STOP au XXXXX", **once)["errors"] == {"request_id": DUPLICATE}
    octopush.set("clock", advance="23h59m")
    octopush.rejected(**once)
    octopush.set("clock", advance="2m")
    octopush.accepted(**once)
    octopush.rejected(**once)
    octopush.set("clock", advance="25h")
    octopush.accepted(**once)
    assert octopush.counts() == {"deliveries": 3, "addresses": 1, "most_per_address": 3}


def test_ids_are_cast_too(octopush: Account) -> None:
    octopush.accepted(metadata={"request_id": 5})
    assert octopush.rejected(metadata={"request_id": "5"})["errors"] == {"request_id": DUPLICATE}
    for empty in ("", None, [1]):
        octopush.accepted(metadata={"request_id": empty})


def test_neither_simulation_nor_rejection_burns_an_id(octopush: Account) -> None:
    once = {"metadata": {"request_id": "abc"}}
    octopush.accepted(simulation_mode=True, **once)
    octopush.rejected(**NO_STOP, **once)
    octopush.accepted(**once)
    octopush.accepted(simulation_mode=True, **once)


def test_a_simulation_is_a_fake_of_the_same_shape(octopush: Account) -> None:
    octopush.set("balance", amount="10")
    fake = octopush.accepted(LYON, LIEGE, simulation_mode=True)
    real = octopush.accepted(LYON, LIEGE)
    assert list(fake) == list(real)
    assert (fake["total_cost"], fake["residual_credit"]) == (Decimal("0.128"), 10)
    assert (real["total_cost"], real["residual_credit"]) == (Decimal("0.128"), Decimal("9.872"))
    assert fake["sms_ticket"] not in {d["ticket"] for d in octopush.deliveries()}
    assert octopush.rejected(**NO_STOP, simulation_mode=True) == STOP_ERROR


# -- time --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("send_at", ["2018-10-03T07:42:39-07:00", "yesterday", "2020-01-01", None, 5])
def test_a_past_or_unreadable_time_means_at_once(octopush: Account, send_at: object) -> None:
    octopush.accepted(send_at=send_at)
    at = datetime.fromisoformat(octopush.delivered()["at"])
    assert abs(datetime.now(UTC) - at) < timedelta(seconds=30)


@pytest.mark.parametrize("send_at", ["2199-07-03T10:00:00+02:00", "2199-07-03T10:00:00+0200", "2199-07-03 10:00:00"])
def test_a_future_time_is_kept(octopush: Account, send_at: str) -> None:
    octopush.accepted(send_at=send_at)
    delivery = octopush.delivered()
    assert delivery["send_at"] == "2199-07-03T10:00:00+02:00"
    assert delivery["at"] == "2199-07-03T08:00:00.000+00:00"


# -- switches ----------------------------------------------------------------------------------------------------------


def test_success_status(octopush: Account) -> None:
    octopush.set("switches", success_status=201)
    assert octopush.send().status_code == 201


def test_rejection_and_duplicate_status_and_shape(octopush: Account) -> None:
    octopush.set("switches", rejection_status=422, duplicate_shape="top")
    assert octopush.send(**NO_STOP).status_code == 422
    once = {"metadata": {"request_id": "abc"}}
    octopush.accepted(**once)
    assert octopush.rejected(**once) == DUPLICATE
    octopush.set("switches", duplicate_status=422)
    assert octopush.send(**once).status_code == 422


def test_what_burns_an_id(octopush: Account) -> None:
    octopush.set("switches", simulation_burns_id=True, rejection_burns_id=True)
    octopush.accepted(simulation_mode=True, metadata={"request_id": "a"})
    octopush.rejected(metadata={"request_id": "a"})
    octopush.rejected(simulation_mode=True, metadata={"request_id": "a"})
    octopush.rejected(**NO_STOP, metadata={"request_id": "b"})
    assert octopush.rejected(metadata={"request_id": "b"})["errors"] == {"request_id": DUPLICATE}


def test_what_a_simulation_checks_and_shows(octopush: Account) -> None:
    octopush.set("switches", simulation_checks_stop=False, simulated_credit="reduced")
    octopush.set("balance", amount="1")
    assert octopush.accepted(simulation_mode=True, **NO_STOP)["residual_credit"] == Decimal("0.951")
    assert octopush.http.get(BALANCE).json()["amount"] == 1
    assert octopush.rejected(**NO_STOP) == STOP_ERROR


def test_stop_switches(octopush: Account) -> None:
    octopush.set("switches", stop_accepts="number", stop_message="observed", short_number="36111")
    message = "STOP mention ([STOP au 36111]) is missing from your text."
    assert octopush.rejected() == {"code": 121, "message": message}
    octopush.set("switches", stop_missing="appended")
    octopush.accepted(text="Bonjour.")
    assert octopush.delivered()["text"] == "Bonjour. STOP au 36111"


def test_switches_of_fields(octopush: Account) -> None:
    switches = {
        "default_sender": "INFO",
        "text_too_long": "cut",
        "optimised_leftover": "kept",
        "unusable_number": "rejected",
        "opt_out_flag": "both",
        "naive_send_at": "UTC",
        "unknown_country_price": "0.5",
    }
    octopush.set("switches", **switches)
    octopush.set("blacklist", addresses=[PARIS])
    assert octopush.rejected(LYON, "nobody")["errors"]["recipients"]["code"] == 117
    assert octopush.accepted(PARIS, auto_delete_optout_contacts=True)["number_of_contacts"] == 0
    fields = {"sender": None, "text": "😀" + "x" * 1300, "auto_optimize_text": True, "send_at": "2199-07-03 10:00:00"}
    octopush.accepted("+999123456789", purpose="alert", **fields)
    delivery = octopush.delivered()
    assert (delivery["sender"], delivery["text"]) == ("INFO", "😀" + "x" * 1223)
    assert delivery["at"] == "2199-07-03T10:00:00.000+00:00"
    assert delivery["cost"] == Decimal("0.5") * delivery["parts"]


def test_a_login_is_sent_by_anybodys_client(octopush: Account) -> None:
    """The headers may come in any case, the address with a query."""
    octopush.http.headers = httpx.Headers({name.upper(): value for name, value in LOGIN.items()})
    assert octopush.send().status_code == 200
    assert octopush.http.post(SEND + "?debug=1", json=SEED_REQUEST).status_code == 200
