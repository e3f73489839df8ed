"""The imitation of the sends and cancels that have one channel, over real HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from sandbox_account import BASE, LIEGE, LYON, PARIS, PRICES, Account, account, exact

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

SMS = f"{BASE}/sms-campaign/send"
VOICE = f"{BASE}/voice-campaign/send"
ZOE = {"phone_number": LYON, "first_name": "Zoe", "param1": "AB12"}
LEO = {"phone_number": PARIS, "first_name": "Leo", "param1": "CD34"}
DUPLICATE = {"code": 120, "message": "A SMS with the same request_id has already been sent."}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("sandbox") / "sandbox.db", prices=PRICES) as opened:
        yield opened


@pytest.fixture
def octopush(opened: Account) -> Account:
    opened.set("reset")
    return opened


def body(*recipients: object, **fields: Any) -> dict[str, Any]:
    whole = {
        "text": "ACME: {first_name}, code {param1}. STOP au XXXXX",
        "recipients": list(recipients or (ZOE, LEO)),
        "sender": "ACME",
        "type": "sms_premium",
        "purpose": "wholesale",
        "auto_optimize_text": False,
        **fields,
    }
    return {name: value for name, value in whole.items() if value is not None}


def accepted(octopush: Account, *recipients: object, at: str = SMS, **fields: Any) -> dict[str, Any]:
    answer = octopush.http.post(at, json=body(*recipients, **fields))
    assert answer.status_code == 200, answer.text
    return exact(answer)


def refused(octopush: Account, *recipients: object, at: str = SMS, **fields: Any) -> dict[str, Any]:
    answer = octopush.http.post(at, json=body(*recipients, **fields))
    assert answer.status_code == 400, answer.text
    found = exact(answer)
    return dict(found.get("errors", found))


def texts(octopush: Account) -> list[str]:
    return [delivery["text"] for delivery in octopush.deliveries()]


# -- each their own text -----------------------------------------------------------------------------------------------


def test_everybody_gets_their_own_text_and_each_is_counted(octopush: Account) -> None:
    long = {"phone_number": LIEGE, "first_name": "x" * 50, "param1": "y" * 50}
    text = "{first_name}{param1}" + "z" * 60
    answer = accepted(octopush, ZOE, long, text=text, purpose="alert", request_id="abc", list_name="lyon")
    assert list(answer) == [
        *("sms_ticket", "number_of_contacts", "total_cost", "number_of_sms_needed", "residual_credit", "message")
    ]
    assert (answer["number_of_contacts"], answer["number_of_sms_needed"]) == (2, 1 + 1)
    assert answer["total_cost"] == Decimal("0.049") + Decimal("0.079")
    octopush.set("reset")
    text = "{first_name}{param1}" + "é" * 60 + "z" * 60
    answer = accepted(octopush, ZOE, long, text=text, purpose="alert", request_id="abc", list_name="lyon")
    assert answer["number_of_sms_needed"] == 1 + 2
    assert answer["total_cost"] == Decimal("0.049") + 2 * Decimal("0.079")
    first, second = octopush.deliveries()
    assert first["text"] == "ZoeAB12" + "é" * 60 + "z" * 60
    assert (first["parts"], first["encoding"], first["cost"]) == (1, "gsm7", Decimal("0.049"))
    assert (second["parts"], second["cost"]) == (2, Decimal("0.158"))
    assert {one["ticket"] for one in (first, second)} == {answer["sms_ticket"]}
    assert {one["request_id"] for one in (first, second)} == {"abc"}
    assert {one["campaign"] for one in (first, second)} == {"lyon"}
    (ticket,) = octopush.look("tickets")["tickets"]
    assert (ticket["personal"], ticket["text"], ticket["parts"]) == (True, text, 2)
    assert octopush.look("tickets")["totals"]["parts"] == 3


def test_one_value_can_make_one_text_unicode(octopush: Account) -> None:
    answer = accepted(octopush, ZOE, {**LEO, "first_name": "Łucja"}, text="{first_name}" + "a" * 80, purpose="alert")
    assert answer["number_of_sms_needed"] == 1 + 2
    assert [(one["encoding"], one["parts"]) for one in octopush.deliveries()] == [("gsm7", 1), ("ucs2", 2)]


def test_texts_that_come_out_the_same_are_one_text(octopush: Account) -> None:
    accepted(
        octopush, {**ZOE, "city": "Lyon"}, {**LEO, "first_name": "Zoe"}, text="{first_name} {city}", purpose="alert"
    )
    assert texts(octopush) == ["Zoe {city}", "Zoe {city}"]
    (ticket,) = octopush.look("tickets")["tickets"]
    assert (ticket["personal"], ticket["text"]) == (False, "Zoe {city}")


def test_a_placeholder_in_a_value_is_a_value(octopush: Account) -> None:
    accepted(octopush, {**ZOE, "first_name": "{param1}"}, text="{first_name} {param1}", purpose="alert")
    assert texts(octopush) == ["{param1} AB12"]


def test_the_stop_number_is_put_in_the_text_and_not_in_values(octopush: Account) -> None:
    accepted(octopush, {**ZOE, "param1": "XXXXX"})
    assert texts(octopush) == ["ACME: Zoe, code XXXXX. STOP au 30101"]


def test_marketing_needs_the_mention(octopush: Account) -> None:
    assert refused(octopush, text="{first_name}")["code"] == 121
    accepted(octopush, text="{first_name}", purpose="alert")
    accepted(octopush, at=VOICE, text="{first_name}")


def test_who_opted_out_is_left_out_with_their_text(octopush: Account) -> None:
    octopush.set("blacklist", addresses=[LYON])
    answer = accepted(octopush, auto_remove_blacklisted_numbers=True)
    assert (answer["number_of_contacts"], answer["total_cost"]) == (1, Decimal("0.059"))
    assert [(one["address"], one["text"][:9]) for one in octopush.deliveries()] == [(PARIS, "ACME: Leo")]
    answer = accepted(octopush, ZOE, auto_remove_blacklisted_numbers=True)
    assert (answer["number_of_contacts"], answer["number_of_sms_needed"]) == (0, 0)
    assert accepted(octopush, auto_remove_blacklisted_contacts=True)["number_of_contacts"] == 2
    octopush.set("switches", opt_out_flag_single="both")
    assert accepted(octopush, auto_delete_optout_contacts=True)["number_of_contacts"] == 1


def test_deliveries_can_be_found_by_address_text_and_page(octopush: Account) -> None:
    accepted(octopush, ZOE, LEO, ZOE)
    assert [one["text"][6:9] for one in octopush.deliveries(offset=1, limit=1)] == ["Leo"]
    assert [one["text"][6:9] for one in octopush.deliveries(address=LYON)] == ["Zoe", "Zoe"]
    assert [one["text"][6:9] for one in octopush.deliveries(address=LYON, offset=1)] == ["Zoe"]
    assert octopush.counts() == {"deliveries": 3, "addresses": 2, "most_per_address": 2}
    assert octopush.look("tickets", search="CD34")["totals"]["messages"] == 1
    for search in ("gsm7", "0.049"):
        assert octopush.look("tickets", search=search)["totals"]["messages"] == 0


def test_a_form_is_as_good_as_json(octopush: Account) -> None:
    form = {
        "text": "{first_name}",
        "purpose": "alert",
        "recipients[0][phone_number]": LYON,
        "recipients[0][first_name]": "Zoe",
        "recipients[1][phone_number]": "0033639980013",
        "type": "sms_low_cost",
        "request_id": "abc",
        "auto_optimize_text": "false",
    }
    assert octopush.http.post(SMS, data=form).status_code == 200
    assert [(one["address"], one["text"]) for one in octopush.deliveries()] == [(LYON, "Zoe"), (PARIS, "")]
    assert octopush.deliveries()[0]["content"] == {"type": "sms_low_cost", "with_replies": False}
    assert octopush.http.post(SMS, data=form).json()["errors"] == {"request_id": DUPLICATE}


def test_values_are_optimised_with_the_text(octopush: Account) -> None:
    accepted(
        octopush,
        {**ZOE, "first_name": "François  “F”"},
        text="{first_name} !",
        purpose="alert",
        auto_optimize_text=None,
    )
    assert texts(octopush) == ['Francois "F" !']


def test_voice_says_each_text_and_bills_each(octopush: Account) -> None:
    slow = {**LEO, "first_name": "x" * 50, "param1": "y" * 50}
    text = "{first_name}{param1}" + "z" * 300
    answer = accepted(octopush, ZOE, slow, at=VOICE, text=text, voice_language="fr-FR", voice_gender="Male")
    assert list(answer) == [
        *("ticket_number", "number_of_contacts", "total_cost", "estimated_duration", "residual_credit")
    ]
    assert (answer["total_cost"], answer["estimated_duration"]) == (3 * Decimal("0.03"), 60)
    assert answer["ticket_number"].startswith("voice_")
    first, second = octopush.deliveries()
    assert first["content"] == {"language": "fr-FR", "gender": "male", "keys": False}
    assert (first["channel"], first["parts"], second["parts"]) == ("voice_sms", 1, 2)
    durations = []
    for shape in ("message", "total"):
        octopush.set("switches", estimated_duration=shape)
        durations.append(accepted(octopush, ZOE, slow, at=VOICE, text=text)["estimated_duration"])
    assert durations == [34, 90]


# -- where things are --------------------------------------------------------------------------------------------------


def test_the_request_id_is_at_the_top(octopush: Account) -> None:
    accepted(octopush, request_id="abc")
    assert refused(octopush, request_id="abc") == {"request_id": DUPLICATE}
    assert refused(octopush, at=VOICE, request_id="abc") == {"request_id": DUPLICATE}
    assert octopush.send(metadata={"request_id": "abc"}).status_code == 400
    for _ in range(2):
        accepted(octopush, metadata={"request_id": "def"})
    octopush.set("clock", advance="25h")
    accepted(octopush, request_id="abc")


def test_a_request_id_may_be_unknown_there(octopush: Account) -> None:
    octopush.set("switches", single_request_id=False, rejection_burns_id=True)
    for _ in range(2):
        accepted(octopush, request_id="abc")
        refused(octopush, request_id="abc", text="no mention")
    assert {one["request_id"] for one in octopush.deliveries()} == {None}


def test_a_simulation_is_at_the_top_and_a_fake(octopush: Account) -> None:
    fake = accepted(octopush, simulation_mode=True, request_id="abc", list_name="lyon")
    real = accepted(octopush, request_id="abc", metadata={"simulation_mode": True})
    assert (fake["number_of_sms_needed"], fake["total_cost"]) == (2, real["total_cost"])
    assert octopush.counts()["deliveries"] == 2


def test_metadata_and_channel_are_ignored(octopush: Account) -> None:
    fields: dict[str, Any] = {"metadata": {"type": "sms_low_cost", "with_replies": True}, "channel": "voice_sms"}
    accepted(octopush, ZOE, **fields)
    assert octopush.delivered()["content"] == {"type": "sms_premium", "with_replies": False}
    octopush.set("reset")
    accepted(octopush, ZOE, type="sms_low_cost", with_replies="true")
    assert octopush.delivered()["sender"] == "30101"
    assert octopush.delivered()["cost"] == Decimal("0.069")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"text": None}, 107),
        ({"text": "x" * 1225}, 102),
        ({"recipients": None}, 110),
        ({"recipients": [{"first_name": "Zoe"}]}, 117),
        ({"recipients": [ZOE] * 501}, 400),
        ({"recipients": [{"phone_number": "+999123456789"}], "purpose": "alert"}, 151),
    ],
)
def test_refusals(octopush: Account, fields: dict[str, Any], code: int) -> None:
    found = refused(octopush, **fields)
    field = found if "code" in found else next(iter(found.values()))
    assert field["code"] == code
    assert octopush.counts()["deliveries"] == 0


def test_refusals_of_voice_and_of_empty_bodies(octopush: Account) -> None:
    assert refused(octopush, at=VOICE, voice_language="fr-CA")["voice_language"]["code"] == 442
    for at in (SMS, VOICE):
        for content in (b"", b"[]", b"{"):
            assert octopush.http.post(at, content=content).json()["code"] == 100
        assert octopush.http.post(at, json=body(), headers={"api-key": ""}).status_code == 401


def test_too_little_credit(octopush: Account) -> None:
    octopush.set("balance", amount="0.09")
    assert refused(octopush)["code"] == 104
    assert accepted(octopush, ZOE)["residual_credit"] == Decimal("0.041")


def test_five_hundred_texts(octopush: Account) -> None:
    people = [{"phone_number": f"+3363998{n:04d}", "param1": str(n)} for n in range(500)]
    answer = accepted(octopush, *people, text="{param1}", purpose="alert")
    assert (answer["number_of_contacts"], answer["total_cost"]) == (500, Decimal("24.5"))
    assert texts(octopush) == [str(n) for n in range(500)]


# -- cancels -----------------------------------------------------------------------------------------------------------


def later(octopush: Account, minutes: float = 60) -> str:
    now = datetime.fromisoformat(octopush.look("clock")["now"])
    return (now + timedelta(minutes=minutes)).isoformat()


def cancel(octopush: Account, channel: str, ticket: object) -> httpx.Response:
    return octopush.http.request("DELETE", f"{BASE}/{channel}-campaign/cancel", json={"ticket_number": ticket})


def test_each_channel_is_cancelled_at_its_own_address(octopush: Account) -> None:
    sms = accepted(octopush, send_at=later(octopush))["sms_ticket"]
    voice = accepted(octopush, at=VOICE, send_at=later(octopush))["ticket_number"]
    before = octopush.look("balance")["amount"]
    assert cancel(octopush, "sms", voice).json()["code"] == 131
    assert cancel(octopush, "voice", sms).json()["code"] == 131
    for channel, ticket in (("sms", sms), ("voice", voice)):
        assert cancel(octopush, channel, ticket).status_code == 204
        assert cancel(octopush, channel, ticket).json()["code"] == 131
    assert octopush.deliveries() == []
    assert octopush.look("balance")["amount"] == before + 2 * Decimal("0.049") + 2 * Decimal("0.03")


def test_a_cancel_has_the_limits_there_too(octopush: Account) -> None:
    third = {"phone_number": LIEGE}
    many = accepted(octopush, ZOE, LEO, third, send_at=later(octopush))["sms_ticket"]
    soon = accepted(octopush, send_at=later(octopush, 9))["sms_ticket"]
    now = accepted(octopush)["sms_ticket"]
    for ticket in (many, soon, ""):
        assert list(cancel(octopush, "sms", ticket).json()["errors"]) == ["ticket_number"]
    assert cancel(octopush, "sms", now).json()["code"] == 132
    assert octopush.http.request("DELETE", f"{BASE}/sms-campaign/cancel").json()["code"] == 100
