"""The habits of the imitated Octopush on its other channels: voice, RCS and e-mail, over real HTTP."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sandbox_account import BALANCE, LEO, LIEGE, LYON, PARIS, PRICES, SEND, ZOE, Account, account, exact

if TYPE_CHECKING:
    from collections.abc import Iterator

VOICE_REQUEST = """
{
"channel": "voice_sms",
"text": "Hello, this is a voice message test.",
"recipients": [
{"phone_number": "+33111222333"},
{"phone_number": "+33111222334"}
],
"sender": "SenderName",
"send_at": "2024-12-19T10:00:00-07:00",
"purpose": "alert",
"list_name": "voice_sms_list",
"simulation_mode": false,
"auto_remove_blacklisted_contacts": true,
"metadata": {
"type": "voice_sms",
"voice_gender": "male",
"voice_language": "en-US",
"get_back_pressed_keys": true
}
}
"""
RCS_REQUEST = """
{
"channel": "rcs",
"text": "Hello, this is a test RCS message.",
"recipients": [
{"phone_number": "+33111222333"},
{"phone_number": "+33111222334"}
],
"send_at": "2024-12-19T10:00:00-07:00",
"purpose": "alert",
"list_name": "rcs_list",
"simulation_mode": false,
"auto_remove_blacklisted_contacts": true,
"metadata": {
"with_replies": true
}
}
"""
EMAIL_REQUEST = """
{
"channel": "email",
"text": "This is the content of your email.",
"recipients": [
{"email": "zoe@acme.example"},
{"email": "leo@acme.example"}
],
"sender": "SenderName",
"send_at": "2024-12-19T10:00:00-07:00",
"purpose": "alert",
"list_name": "email_list",
"metadata": {
"email_from": "shop@acme.example",
"name_from": "Sender Name",
"subject": "Test Email",
"emailing_service": "gateway",
"template_name": "welcome_email_template"
}
}
"""
VOICE_REJECTED = """
{
"code": 400,
"message": "Payload validation error.",
"errors":
{
"voice_language":
{
"code": 442,
"message": "Voice language not supported."
}
}
}
"""
EMAIL_REJECTED = """
{
"code": 2005,
"message": "[destination email] field should be valid."
}
"""
STOP_ERROR = {"code": 121, "message": "Mention STOP is missing."}
VOICE: dict[str, Any] = {"channel": "voice_sms", "text": "Bonjour."}
RCS: dict[str, Any] = {"channel": "rcs", "text": "ACME: bonjour. STOP au XXXXX"}
EMAIL: dict[str, Any] = {"channel": "email", "text": "Bonjour.", "recipients": [{"email": ZOE}]}
SUBJECT = {"subject": "Hello"}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("sandbox") / "sandbox.db", prices=PRICES) as opened:
        yield opened


@pytest.fixture
def octopush(opened: Account) -> Account:
    opened.set("reset")
    return opened


def accepted(octopush: Account, content: str) -> dict[str, Any]:
    response = octopush.http.post(SEND, content=content)
    assert response.status_code == 200, response.text
    return exact(response)


def carried(octopush: Account, **fields: Any) -> dict[str, Any]:
    """Send, and give what the channel carried in the end."""
    octopush.accepted(**fields)
    return dict(octopush.deliveries()[-1]["content"])


# -- the documentation's examples --------------------------------------------------------------------------------------


def test_the_seeds_voice_request(octopush: Account) -> None:
    body = accepted(octopush, VOICE_REQUEST)
    assert list(body) == [
        *("ticket_number", "number_of_contacts", "total_cost", "estimated_duration", "residual_credit")
    ]
    assert body.pop("ticket_number").startswith("voice_")
    # Two calls of three seconds at one step of 0.03 each, and 0.01 for leaving out who opted out.
    assert body == {
        "number_of_contacts": 2,
        "total_cost": Decimal("0.07"),
        "estimated_duration": 30,
        "residual_credit": Decimal("999999.93"),
    }
    one, other = octopush.deliveries()
    assert (one["channel"], one["parts"], one["encoding"], one["cost"]) == ("voice_sms", 1, "", Decimal("0.03"))
    assert one["content"] == other["content"] == {"language": "en-US", "gender": "male", "keys": True}
    assert (one["address"], one["sender"], one["campaign"]) == ("+33111222333", "SenderName", "voice_sms_list")


def test_the_seeds_rcs_request(octopush: Account) -> None:
    body = accepted(octopush, RCS_REQUEST)
    assert list(body) == ["ticket_number", "number_of_contacts", "total_cost", "residual_credit"]
    assert body["ticket_number"].startswith("rcs_")
    assert (body["number_of_contacts"], body["total_cost"]) == (2, Decimal("0.12"))
    delivery = octopush.deliveries()[0]
    assert (delivery["channel"], delivery["parts"], delivery["sender"]) == ("rcs", 1, "Octopush")
    assert delivery["content"] == {"message_type": "simple_text", "cards": [], "actions": [], "with_replies": True}


def test_the_seeds_email_request(octopush: Account) -> None:
    body = accepted(octopush, EMAIL_REQUEST)
    assert list(body) == ["ticket_number", "number_of_contacts", "total_cost", "residual_credit"]
    assert body["ticket_number"].startswith("email_")
    assert (body["number_of_contacts"], body["total_cost"]) == (2, Decimal("0.0016"))
    assert [d["address"] for d in octopush.deliveries()] == [ZOE, LEO]
    delivery = octopush.deliveries()[0]
    assert (delivery["channel"], delivery["parts"], delivery["cost"]) == ("email", 1, Decimal("0.0008"))
    assert (delivery["sender"], delivery["text"]) == ("SenderName", "This is the content of your email.")
    assert delivery["content"] == {
        "subject": "Test Email",
        "from": {"address": "shop@acme.example", "name": "Sender Name"},
        "service": "gateway",
        "language": None,
        "template_name": "welcome_email_template",
        "body_format": "plain_text",
    }


@pytest.mark.parametrize("language", ["nl-NL", "bg-BG", "fr", 5])
def test_the_seeds_voice_error(octopush: Account, language: object) -> None:
    error = octopush.rejected(**VOICE, metadata={"voice_language": language})
    assert error == json.loads(VOICE_REJECTED)
    assert octopush.counts()["deliveries"] == 0


@pytest.mark.parametrize("address", [{"email": "nobody"}, {"phone_number": LYON}, "zoe@acme", {}])
def test_the_seeds_email_error(octopush: Account, address: object) -> None:
    assert octopush.rejected(**{**EMAIL, "recipients": [{"email": ZOE}, address]}) == json.loads(EMAIL_REJECTED)
    assert octopush.counts()["deliveries"] == 0


# -- forms -------------------------------------------------------------------------------------------------------------


def test_cards_may_come_as_a_form(octopush: Account) -> None:
    form = {
        "channel": "RCS",
        "recipients[0][phone_number]": LYON,
        "metadata[message_type]": "rich_card",
        "metadata[cards][0][title]": "Noël",
        "metadata[cards][0][media][url]": "https://acme.example/noel.jpg",
        "metadata[cards][0][actions][0][text]": "Voir",
        "metadata[cards][1][description]": "STOP au XXXXX",
        "metadata[actions][]": "ignored",
    }
    assert octopush.http.post(SEND, data=form).status_code == 200
    assert octopush.delivered()["content"] == {
        "message_type": "rich_card",
        "cards": [
            {"title": "Noël", "media": {"url": "https://acme.example/noel.jpg"}, "actions": [{"text": "Voir"}]},
            {"description": "STOP au 30101"},
        ],
        "actions": [],
        "with_replies": False,
    }


def test_an_email_may_come_as_a_form(octopush: Account) -> None:
    form = {
        "channel": "email",
        "text": "Bonjour",
        "recipients[][email]": ZOE,
        "metadata": '{"subject": "Noël", "emailing_service": "MAILBOX", "language": "fr", "body_format": "HTML"}',
    }
    assert octopush.http.post(SEND, data=form).status_code == 200
    delivery = octopush.delivered()
    assert (delivery["address"], delivery["cost"]) == (ZOE, Decimal("0.0015"))
    content = delivery["content"]
    assert (content["subject"], content["service"]) == ("Noël", "mailbox")
    assert (content["language"], content["body_format"], content["template_name"]) == ("fr", "html", None)


def test_a_body_nested_very_deep_is_cut_and_sent(octopush: Account) -> None:
    card = '{"a":' * 400 + "1" + "}" * 400
    body = (
        f'{{"channel": "rcs", "purpose": "alert", "recipients": ["{LYON}"],'
        f' "metadata": {{"message_type": "rich_card", "cards": [{card}]}}}}'
    )
    accepted(octopush, body)
    assert json.dumps(octopush.delivered()["content"]["cards"]).count("a") == 8


# -- voice -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metadata", "content"),
    [
        ({}, {"language": "en-US", "gender": "female", "keys": False}),
        ({"voice_language": None, "voice_gender": "other"}, {"language": "en-US", "gender": "female", "keys": False}),
        ({"voice_language": "fr-FR", "voice_gender": "Male"}, {"language": "fr-FR", "gender": "male", "keys": False}),
        ({"voice_language": " FR_fr ", "get_back_pressed_keys": "1"}, {"language": "fr-FR", "gender": "female"}),
        ({"voice_language": ["fr-FR"], "type": "sms_premium"}, {"language": "en-US", "gender": "female"}),
    ],
)
def test_a_voice_is_understood_or_replaced(
    octopush: Account, metadata: dict[str, Any], content: dict[str, object]
) -> None:
    assert content.items() <= carried(octopush, **VOICE, metadata=metadata).items()


@pytest.mark.parametrize(
    "language",
    [
        *("en-US", "en-GB", "el-GR", "pl-PL", "hu-HU", "sv-SE", "de-DE", "es-ES", "es-LA"),
        *("fr-FR", "it-IT", "pt-BR", "ru-RU"),
    ],
)
def test_every_language_of_the_seed_is_spoken(octopush: Account, language: str) -> None:
    assert carried(octopush, **VOICE, metadata={"voice_language": language})["language"] == language


@pytest.mark.parametrize(
    ("characters", "steps", "seconds"), [(1, 1, 30), (360, 1, 30), (361, 2, 60), (720, 2, 60), (721, 3, 90)]
)
def test_a_call_is_billed_by_steps(octopush: Account, characters: int, steps: int, seconds: int) -> None:
    answer = octopush.accepted(LYON, LIEGE, LYON, channel="voice_sms", text="x" * characters)
    assert answer["estimated_duration"] == seconds
    assert answer["total_cost"] == steps * Decimal("0.11")
    assert [(d["parts"], d["cost"]) for d in octopush.deliveries()] == [
        (steps, steps * Decimal("0.03")),
        (steps, steps * Decimal("0.05")),
        (steps, steps * Decimal("0.03")),
    ]


def test_blanks_take_no_time_and_no_mention_is_needed(octopush: Account) -> None:
    octopush.accepted(channel="voice_sms", text=" \n" + "x " * 180 + " \n ")
    assert octopush.delivered()["parts"] == 1
    octopush.accepted(channel="voice_sms", text="XXXXX")
    assert octopush.deliveries()[-1]["text"] == "XXXXX"


def test_the_length_of_a_step_is_in_the_price_book(tmp_path: Any) -> None:
    book = "voice_sms: {FR: 0.02}\nvoice_step_seconds: 6\n"
    with account(tmp_path / "sandbox.db", prices=book) as octopush:
        answer = octopush.accepted(channel="voice_sms", text="x" * 73)
        assert (answer["estimated_duration"], answer["total_cost"]) == (12, Decimal("0.04"))


@pytest.mark.parametrize(("says", "seconds"), [("message", 5), ("billed", 30), ("total", 60)])
def test_what_a_duration_says(octopush: Account, says: str, seconds: int) -> None:
    octopush.set("switches", estimated_duration=says)
    assert octopush.accepted(LYON, PARIS, channel="voice_sms", text="x" * 60)["estimated_duration"] == seconds


def test_voice_switches(octopush: Account) -> None:
    switches = {"voice_characters_per_second": 2, "default_voice_language": "fr-FR", "default_voice_gender": "male"}
    octopush.set("switches", **switches)
    assert carried(octopush, channel="voice_sms", text="x" * 61) == {
        "language": "fr-FR",
        "gender": "male",
        "keys": False,
    }
    assert octopush.delivered()["parts"] == 2


# -- RCS ---------------------------------------------------------------------------------------------------------------

CARD = {
    "title": "ACME",
    "description": "-20 %. STOP au XXXXX",
    "actions": [{"text": "Voir", "url": "https://a.example"}],
}


def test_actions_go_with_simple_text_and_cards_with_rich_cards(octopush: Account) -> None:
    both = {"cards": [CARD], "actions": [{"text": "Appeler XXXXX"}]}
    simple = carried(octopush, **RCS, metadata=both)
    assert (simple["message_type"], simple["cards"]) == ("simple_text", [])
    assert simple["actions"] == [{"text": "Appeler 30101"}]
    rich = carried(octopush, channel="rcs", text=None, metadata={**both, "message_type": " Rich_Card "})
    assert (rich["message_type"], rich["actions"]) == ("rich_card", [])
    assert rich["cards"] == [{**CARD, "description": "-20 %. STOP au 30101"}]
    assert [d["text"] for d in octopush.deliveries()] == ["ACME: bonjour. STOP au 30101", ""]


@pytest.mark.parametrize("kind", ["carousel", None, 5, ["rich_card"]])
def test_an_unknown_type_is_simple_text(octopush: Account, kind: object) -> None:
    assert carried(octopush, **RCS, metadata={"message_type": kind})["message_type"] == "simple_text"


@pytest.mark.parametrize("cards", [None, [], "none", [5], ["text"], [{}]])
def test_a_rich_card_without_card_falls_back_to_its_text(octopush: Account, cards: object) -> None:
    metadata = {"message_type": "rich_card", "cards": cards, "actions": CARD}
    assert carried(octopush, **RCS, metadata=metadata)["actions"][0]["title"] == "ACME"
    assert octopush.rejected(channel="rcs", text=None, metadata=metadata)["errors"]["text"]["code"] == 107
    octopush.set("switches", cards_missing="rejected")
    assert octopush.rejected(**RCS, metadata=metadata)["errors"]["cards"]["code"] == 400


def test_rcs_needs_the_mention_in_the_text_or_a_card(octopush: Account) -> None:
    rich = {"message_type": "rich_card", "cards": [{"title": "a"}, {"deep": {"er": ["-20 %. STOP au XXXXX"]}}]}
    none = {"message_type": "rich_card", "cards": [{"title": "a"}], "actions": ["STOP au XXXXX"]}
    assert octopush.rejected(channel="rcs", text="Bonjour") == STOP_ERROR
    assert octopush.rejected(channel="rcs", text=None, metadata=none) == STOP_ERROR
    octopush.accepted(channel="rcs", text="Bonjour", metadata=rich)
    octopush.accepted(channel="rcs", text="Bonjour", purpose="alert")
    octopush.set("switches", unknown_country_price="1")
    octopush.accepted(LIEGE, channel="rcs", text="Bonjour")


def test_the_mention_is_no_matter_of_rcs_by_a_switch(octopush: Account) -> None:
    octopush.set("switches", stop_on_rcs=False)
    octopush.accepted(channel="rcs", text="Code XXXXX")
    assert octopush.delivered()["text"] == "Code 30101"


def test_the_mention_is_appended_to_cards_without_text(octopush: Account) -> None:
    octopush.set("switches", stop_missing="appended")
    octopush.accepted(channel="rcs", text=None, metadata={"message_type": "rich_card", "cards": [{"title": "a"}]})
    assert octopush.delivered()["text"] == "STOP au 30101"


@pytest.mark.parametrize(
    ("shape", "keys"),
    [
        ("email", ["ticket_number", "number_of_contacts", "total_cost", "residual_credit"]),
        ("rcs_ticket", ["rcs_ticket", "number_of_contacts", "total_cost", "residual_credit"]),
        (
            "sms",
            ["sms_ticket", "number_of_contacts", "total_cost", "number_of_sms_needed", "residual_credit", "message"],
        ),
    ],
)
def test_the_answer_to_rcs(octopush: Account, shape: str, keys: list[str]) -> None:
    octopush.set("switches", rcs_success_body=shape)
    answer = octopush.accepted(**RCS)
    assert list(answer) == keys
    assert answer[keys[0]].startswith("rcs_")


def test_an_agent_has_a_name_of_its_own(octopush: Account) -> None:
    octopush.accepted(**RCS, sender="Mairie de Saint-Étienne")
    octopush.set("switches", rcs_sender="repaired")
    octopush.accepted(**RCS, sender="Mairie de Saint-Étienne")
    assert [d["sender"] for d in octopush.deliveries()] == ["Mairie de Saint-Étienne", "MairiedeSai"]


def test_a_rich_card_may_need_a_text(octopush: Account) -> None:
    octopush.set("switches", rich_card_needs_text=True)
    metadata = {"message_type": "rich_card", "cards": [CARD]}
    assert octopush.rejected(channel="rcs", text=None, metadata=metadata)["errors"]["text"]["code"] == 107
    octopush.accepted(**RCS, metadata=metadata)


# -- e-mail ------------------------------------------------------------------------------------------------------------


def test_an_email_without_metadata_is_sent_with_what_there_is(octopush: Account) -> None:
    assert carried(octopush, **EMAIL) == {
        "subject": "",
        "from": {"address": "noreply@octopush.example", "name": "ACME"},
        "service": "gateway",
        "language": None,
        "template_name": None,
        "body_format": "plain_text",
    }


@pytest.mark.parametrize(
    ("subject", "shown"), [(" Noël\r\nBcc: x ", "Noël Bcc: x"), ("x" * 1001, "x" * 1000), (5, "5"), ({"a": 1}, "")]
)
def test_a_subject_is_repaired(octopush: Account, subject: object, shown: str) -> None:
    assert carried(octopush, **EMAIL, metadata={"subject": subject})["subject"] == shown


def test_a_template_needs_no_text(octopush: Account) -> None:
    octopush.accepted(**{**EMAIL, "text": None}, metadata={"template_name": "welcome", **SUBJECT})
    assert octopush.delivered()["text"] == ""
    assert octopush.rejected(**{**EMAIL, "text": None}, metadata=SUBJECT)["errors"]["text"]["code"] == 107
    octopush.set("switches", template_needs_text=True)
    refused = octopush.rejected(**{**EMAIL, "text": None}, metadata={"template_name": "welcome"})
    assert refused["errors"]["text"]["code"] == 107


def test_an_email_is_left_as_it_is(octopush: Account) -> None:
    """No mention, no short number, and none of the rewriting that makes an SMS shorter."""
    text = "  Ça  va, Zoë ? 😀 XXXXX"
    octopush.accepted(**{**EMAIL, "text": text}, auto_optimize_text=True)
    assert octopush.delivered()["text"] == text
    octopush.set("switches", optimised_channels="all")
    octopush.accepted(**{**EMAIL, "text": text}, auto_optimize_text=True)
    assert octopush.deliveries()[-1]["text"] == "Ça va, Zoe ? XXXXX"


@pytest.mark.parametrize(("handling", "left"), [("kept", "<p>a</p><script>x</script>"), ("stripped", "<p>a</p>")])
def test_scripts_in_html(octopush: Account, handling: str, left: str) -> None:
    octopush.set("switches", html_scripts=handling)
    html = "<p>a</p><script>x</script>"
    octopush.accepted(**{**EMAIL, "text": html}, metadata={"body_format": "html"})
    octopush.accepted(**{**EMAIL, "text": html}, metadata={"body_format": "markdown"})
    assert [d["text"] for d in octopush.deliveries()] == [left, html]


def test_unsubscribed_addresses_are_left_out_without_asking(octopush: Account) -> None:
    octopush.set("blacklist", addresses=["ZOE@acme.example", PARIS])
    both = {**EMAIL, "recipients": [{"email": "Zoe@ACME.example"}, {"email": LEO}]}
    answer = octopush.accepted(**both)
    assert (answer["number_of_contacts"], answer["total_cost"]) == (1, Decimal("0.0008"))
    octopush.set("switches", email_removes_unsubscribed=False)
    assert octopush.accepted(**both)["number_of_contacts"] == 2
    asked = octopush.accepted(**both, auto_remove_blacklisted_contacts=True)
    assert (asked["number_of_contacts"], asked["total_cost"]) == (1, Decimal("0.0008"))
    assert [d["address"] for d in octopush.deliveries()] == [LEO, "Zoe@ACME.example", LEO, LEO]
    assert octopush.counts(ticket=asked["ticket_number"])["deliveries"] == 1


def test_an_address_that_looks_like_a_number_has_no_country(octopush: Account) -> None:
    octopush.accepted(**{**EMAIL, "recipients": [{"email": "x33639980012@acme.example"}]})
    assert octopush.deliveries(address="x33639980012@acme.example")[0]["cost"] == Decimal("0.0008")


def test_email_switches(octopush: Account) -> None:
    octopush.set("switches", unusable_email="dropped", unknown_emailing_service="mailbox")
    octopush.set("switches", default_email_from="info@octopush.example")
    mixed = {**EMAIL, "recipients": [{"email": "nobody"}, {"email": ZOE}]}
    content = carried(octopush, **mixed, metadata={"emailing_service": "pigeon", "email_from": "nobody"})
    assert (content["service"], content["from"]["address"]) == ("mailbox", "info@octopush.example")
    assert octopush.rejected(**{**EMAIL, "recipients": ["nobody"]})["code"] == 2005
    octopush.set("switches", unknown_emailing_service="rejected", subject_missing="rejected")
    assert octopush.rejected(**EMAIL, metadata=SUBJECT)["errors"]["emailing_service"]["code"] == 400
    assert octopush.rejected(**EMAIL)["errors"]["subject"]["code"] == 400
    octopush.set("switches", subject_too_long="rejected")
    assert octopush.rejected(**EMAIL, metadata={"subject": "x" * 1001})["errors"]["subject"]["code"] == 400


# -- what is the same on every channel ---------------------------------------------------------------------------------


@pytest.mark.parametrize("fields", [VOICE, RCS, EMAIL])
def test_every_channel_simulates_and_refuses_repeats(octopush: Account, fields: dict[str, Any]) -> None:
    once = {**fields, "metadata": {"request_id": "abc"}}
    fake = octopush.accepted(**once, simulation_mode=True)
    real = octopush.accepted(**once)
    assert list(fake) == list(real)
    assert fake["residual_credit"] == 1_000_000
    assert octopush.rejected(**once)["errors"]["request_id"]["code"] == 120
    assert octopush.delivered()["request_id"] == "abc"
    assert [r["outcome"] for r in octopush.look("requests")["requests"]] == ["simulated", "sent", "duplicate"]


@pytest.mark.parametrize("fields", [VOICE, RCS, EMAIL])
@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"text": "x" * 1225}, 102), ({"text": ""}, 107), ({"recipients": []}, 110), ({"recipients": [ZOE] * 501}, 400)],
)
def test_every_channel_has_the_same_limits(
    octopush: Account, fields: dict[str, Any], wrong: dict[str, Any], code: int
) -> None:
    (field,) = wrong
    assert octopush.rejected(**{**fields, **wrong})["errors"][field]["code"] == code


def test_an_email_address_is_no_number(octopush: Account) -> None:
    for fields in (VOICE, RCS):
        refused = octopush.rejected(**fields, recipients=[{"email": ZOE}])
        assert refused["errors"]["recipients"]["code"] == 117


def test_what_is_charged_once_per_request_and_for_replies(octopush: Account) -> None:
    asked = {"auto_remove_blacklisted_contacts": True, "metadata": {"with_replies": True}}
    costs = [octopush.accepted(LYON, PARIS, **fields, **asked)["total_cost"] for fields in (VOICE, RCS)]
    assert costs == [Decimal("0.07"), Decimal("0.12")]
    assert octopush.accepted(LYON, PARIS, **asked)["total_cost"] == Decimal("0.168")


def test_what_has_no_price_is_not_served_or_costs_what_a_switch_says(octopush: Account) -> None:
    for fields in ({**VOICE, "recipients": ["+4740000001"]}, {**RCS, "recipients": [LIEGE]}):
        assert octopush.rejected(**fields)["code"] == 151
        octopush.set("switches", unknown_country_price="0.5")
        assert octopush.accepted(**fields)["total_cost"] == Decimal("0.5")
        octopush.set("switches", unknown_country_price="")


def test_a_book_without_a_channel_does_not_serve_it(tmp_path: Any) -> None:
    with account(tmp_path / "sandbox.db", prices="sms_premium: {FR: 0.049}\n") as octopush:
        assert {octopush.rejected(**fields)["code"] for fields in (VOICE, RCS, EMAIL)} == {151}
    with account(tmp_path / "other.db", price_without_book="0.1") as octopush:
        assert {octopush.accepted(**fields)["total_cost"] for fields in (VOICE, RCS, EMAIL)} == {Decimal("0.1")}


@pytest.mark.parametrize("product", ["voice_sms", "vocal_sms"])
def test_the_balance_can_be_asked_in_calls(octopush: Account, product: str) -> None:
    octopush.set("balance", amount="1")
    body = octopush.http.get(BALANCE, params={"country_code": "FR", "product_name": product}).json()
    assert body == {"amount": 33, "unit": product}


def test_what_a_channel_carries_is_searched(octopush: Account) -> None:
    octopush.accepted(**EMAIL, metadata={"subject": "Soldes d’été"})
    octopush.accepted(channel="rcs", text=None, metadata={"message_type": "rich_card", "cards": [CARD]})
    for search, channels in (
        ("soldes d’é", ["email"]),
        ("-20 %", ["rcs"]),
        ("subject", []),
        ("false", []),
        ("S%s", []),
    ):
        assert [t["channel"] for t in octopush.look("tickets", search=search)["tickets"]] == channels, search
    assert octopush.look("tickets", search="Soldes")["tickets"][0]["content"]["subject"] == "Soldes d’été"


def test_known_clients_may_spell_the_channel_their_way(octopush: Account) -> None:
    octopush.http.headers = httpx.Headers({"API-KEY": "any", "API-LOGIN": "sandbox"})
    for channel in ("VOICE_SMS", " rcs ", "Email"):
        octopush.accepted(
            **{**EMAIL, "channel": channel, "recipients": [{"phone_number": LYON, "email": ZOE}]}, purpose="alert"
        )
    assert [d["channel"] for d in octopush.deliveries()] == ["voice_sms", "rcs", "email"]
