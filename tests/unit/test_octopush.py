"""Octopush: which bytes leave, what may leave while planning, and what a reply proves."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulations import simulated, simulation

from campaigns import SCHEDULE, batch, campaign
from octoplan.core.errors import InputError, Refused
from octoplan.core.message import Action, Card, From, Media, Message
from octoplan.core.model import (
    Channel,
    Effect,
    Exchange,
    Money,
    NotSent,
    Options,
    Outcome,
    Purpose,
    Reply,
    Request,
    Unknown,
    Verdict,
    Wait,
    Waited,
)
from octoplan.providers import PROVIDERS, Simulated
from octoplan.providers.octopush import LANGUAGES, Octopush, answers, body
from octoplan.providers.octopush.codes import UNLISTED
from octoplan.providers.octopush.contract import check_body, check_single

if TYPE_CHECKING:
    from collections.abc import Callable

    from octoplan.core.model import Batch
    from octoplan.core.outcome import Answer

OCTOPUSH = Octopush()
ID = "abcdefghijklmnopqrstuvwxyz"
PARIS = timezone(timedelta(hours=1))

BUTTONS = (
    Action(label="Nos horaires", open_url="https://www.acme.example/horaires"),
    Action(label="Nous appeler", dial="+33199000001", postback="appel"),
    Action(label="Je passe demain", postback="demain"),
)
CARDS = (
    Card(
        title="Manteaux",
        description="Jusqu'au 24 décembre. STOP au XXXXX",
        media=Media(
            url="https://www.acme.example/manteaux.jpg", height="tall", thumbnail="https://www.acme.example/petit.jpg"
        ),
        actions=BUTTONS,
    ),
    Card(title="Bottes", media=Media(url="https://www.acme.example/bottes.mp4")),
    Card(description="Et bien d'autres choses."),
)
SPOKEN = Message(text="Bonjour. Votre colis est arrivé.", language="fr-FR", gender="female")
LETTER = Message(
    text="<p>Bonjour Noé Dupont &amp; Fils</p>",
    subject="Votre carte est prête",
    language="fr",
    from_=From(address="boutique@acme.example", name="ACME"),
    service="mailbox",
    format="html",
)
TEMPLATE = replace(LETTER, text=None, template="carte_prete", format="plain", service="gateway")
MAILBOXES = ("noe@example.com", "zoe@example.com")


def whole(channel: Channel, message: Message, **changes: Any) -> Batch:
    """Return the first batch of an edition with everything a channel offers."""
    options = {
        Channel.VOICE: Options(collect_keys=True, list_name="colis"),
        Channel.RCS: Options(replies=True, list_name="hiver"),
        Channel.EMAIL: Options(list_name="lettre"),
    }
    asked = campaign(
        channel=channel,
        message=message,
        options=options[channel],
        schedule=replace(SCHEDULE, send_at=datetime(2026, 12, 3, 10, 0, tzinfo=PARIS)),
        **changes,
    )
    addresses = MAILBOXES if channel is Channel.EMAIL else batch().addresses
    return batch(campaign=asked, content=message.content(), addresses=addresses, first=True, request_id=ID)


CASES: dict[str, tuple[bool, Batch]] = {
    "send-marketing": (False, batch()),
    "send-with-id": (False, batch(request_id=ID)),
    "send-transactional": (False, batch(campaign=campaign(purpose=Purpose.TRANSACTIONAL), text="Rendez-vous à 9h")),
    "send-every-field": (
        False,
        batch(
            campaign=campaign(
                sender="ACME",
                schedule=replace(SCHEDULE, send_at=datetime(2026, 12, 3, 10, 0, tzinfo=PARIS)),
                options=Options(replies=True, track_recipients=True, list_name="noel"),
            ),
            first=True,
            request_id=ID,
        ),
    ),
    "send-second-batch": (False, batch(campaign=campaign(options=Options(list_name="noel")), request_id=ID)),
    "send-low-cost": (
        False,
        batch(campaign=campaign(sender=None, options=Options(quality="low_cost", track_recipients=False))),
    ),
    "send-utc": (
        False,
        batch(
            campaign=campaign(schedule=replace(SCHEDULE, send_at=datetime(2026, 7, 1, 8, 0, 30, 999_999, tzinfo=UTC)))
        ),
    ),
    "send-unicode": (False, batch(text='Zoë 🎄 "l\'œuf" \\ €\nÀ bientôt')),
    "simulate-marketing": (True, batch()),
    "simulate-every-field": (
        True,
        batch(
            campaign=campaign(
                sender="ACME",
                schedule=replace(SCHEDULE, send_at=datetime(2026, 12, 3, 10, 0, tzinfo=PARIS)),
                options=Options(replies=True, track_recipients=True, list_name="noel"),
            ),
            first=True,
            request_id=ID,
        ),
    ),
    "send-voice": (False, whole(Channel.VOICE, SPOKEN, purpose=Purpose.TRANSACTIONAL)),
    "send-rcs-actions": (
        False,
        whole(Channel.RCS, Message(text="ACME: -20 %. STOP au XXXXX", actions=BUTTONS), sender="ACME Lyon"),
    ),
    "send-rcs-cards": (False, whole(Channel.RCS, Message(cards=CARDS), sender="ACME Lyon")),
    "send-email-html": (False, whole(Channel.EMAIL, LETTER)),
    "send-email-template": (False, whole(Channel.EMAIL, TEMPLATE, sender=None, purpose=Purpose.TRANSACTIONAL)),
    "simulate-voice": (True, whole(Channel.VOICE, SPOKEN, purpose=Purpose.TRANSACTIONAL)),
    "simulate-rcs": (True, whole(Channel.RCS, Message(text="ACME: -20 %. STOP au XXXXX"), sender="ACME Lyon")),
    "simulate-email": (True, whole(Channel.EMAIL, LETTER)),
}


SCHEDULED = replace(SCHEDULE, send_at=datetime(2026, 12, 3, 10, 0, tzinfo=PARIS))
PERSONAL: dict[str, Any] = {
    "text": "{last_name} {first_name}: {param1}{param2}. {param3} {param4} {param5} STOP au XXXXX",
    "names": ("last_name", "first_name", "param1", "param2", "param3", "param4", "param5"),
    "values": (("Durand", "Zoë", "1E5", "-20%", "a", "b", "c"), ("L'Œuf", "Marc 🎄", "0042", "-5%", "d", "e", "f")),
    "parts": 3,
}
CALLED = replace(SPOKEN, text="Bonjour {first_name}.")
CALL: dict[str, Any] = {"names": ("first_name",), "values": (("Zoë",), ("Marc",)), "content": CALLED.content()}
SINGLES: dict[str, tuple[bool, Batch]] = {
    "single-sms": (
        False,
        batch(
            campaign=campaign(sender="ACME", schedule=SCHEDULED, options=Options(replies=True, track_recipients=True)),
            request_id=ID,
            **PERSONAL,
        ),
    ),
    "single-sms-low-cost": (
        False,
        batch(
            campaign=campaign(
                sender=None, options=Options(quality="low_cost", track_recipients=False), purpose=Purpose.TRANSACTIONAL
            ),
            **PERSONAL,
        ),
    ),
    "single-sms-no-id": (False, batch(request_id=ID, carries_id=False, **PERSONAL)),
    "single-simulate-sms": (True, batch(campaign=campaign(schedule=SCHEDULED), request_id=ID, **PERSONAL)),
    "single-voice": (
        False,
        batch(
            campaign=campaign(
                channel=Channel.VOICE, message=CALLED, schedule=SCHEDULED, options=Options(collect_keys=True)
            ),
            request_id=ID,
            **CALL,
        ),
    ),
    "single-simulate-voice": (
        True,
        batch(campaign=campaign(channel=Channel.VOICE, message=CALLED), **CALL),
    ),
}


def sent(what: Batch) -> Request:
    request = OCTOPUSH.next(what, ())
    assert isinstance(request, Request)
    return request


def shown(request: Request) -> str:
    """Write a request as a golden file: the head, and the body indented with its fields in wire order."""
    body = orjson.dumps(orjson.loads(request.body), option=orjson.OPT_INDENT_2).decode() if request.body else "null"
    return f'{{"request": "{request.method} {request.path}", "effect": "{request.effect}", "body": {body}}}'


@pytest.mark.parametrize("name", CASES)
def test_golden_wire(name: str, golden: Callable[[str, str], None]) -> None:
    simulate, what = CASES[name]
    request = simulation(OCTOPUSH, what) if simulate else sent(what)
    golden(f"octopush/{name}.json", shown(request))
    assert orjson.dumps(orjson.loads(request.body)) == request.body
    assert check_body(request.body) == ()


@pytest.mark.parametrize("name", SINGLES)
def test_golden_wire_of_a_channels_own_call(name: str, golden: Callable[[str, str], None]) -> None:
    simulate, what = SINGLES[name]
    request = simulation(OCTOPUSH, what) if simulate else sent(what)
    golden(f"octopush/{name}.json", shown(request))
    assert orjson.dumps(orjson.loads(request.body)) == request.body
    assert check_single(request.body, body.CHANNELS[what.campaign.channel]) == ()


def test_golden_balance(golden: Callable[[str, str], None]) -> None:
    golden("octopush/balance.json", shown(OCTOPUSH.balance()))


def test_the_largest_batch_leaves_in_the_order_of_its_keys() -> None:
    what = batch(500)
    numbers = [each["phone_number"] for each in json.loads(sent(what).body)["recipients"]]
    assert tuple(numbers) == what.addresses


def test_the_request_id_is_the_only_difference_it_makes() -> None:
    body = json.loads(sent(batch(request_id=ID)).body)
    assert body["metadata"].pop("request_id") == ID
    assert body == json.loads(sent(batch()).body)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"campaign": campaign(sender="A!")}, "sender"),
        ({"campaign": campaign(sender="ACME SHOPS")}, "sender"),
        ({"text": ""}, "text"),
        ({"text": "x" * 1225}, "text"),
        ({"addresses": ("0639980000", "+33639980001")}, "recipients.0.phone_number"),
        ({"addresses": ()}, "recipients"),
        ({"request_id": "with blank"}, "metadata.request_id"),
        ({"first": True, "campaign": campaign(options=Options(list_name="x" * 31))}, "list_name"),
        ({"campaign": campaign(schedule=replace(SCHEDULE, send_at=datetime(2026, 1, 1)))}, "send_at"),  # noqa: DTZ001
        (
            {
                "campaign": campaign(
                    schedule=replace(
                        SCHEDULE, send_at=datetime(1900, 1, 1, tzinfo=timezone(timedelta(minutes=9, seconds=21)))
                    )
                )
            },
            "send_at",
        ),
    ],
)
def test_a_body_that_breaks_the_contract_never_becomes_a_request(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as caught:
        OCTOPUSH.next(batch(**change), ())
    assert [found.rule for found in caught.value.findings] == ["wire-contract"]
    assert f"`{field}`" in caught.value.findings[0].message


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": "Bonjour"}, "body"),
        ({"text": "{param1} {param2}"}, "body"),
        ({"text": "{param1} {code}"}, "body"),
        ({"text": "{param1} {"}, "body"),
        ({"values": (("Zoe",), ("",))}, "recipients.1.param1"),
        ({"values": (("Zoe",), ("x" * 51,))}, "recipients.1.param1"),
        ({"values": (("Zoe",), ("{param1}",))}, "recipients.1.param1"),
        ({"names": ("param6",)}, "recipients.0.param6"),
        ({"text": "{param1}" + "x" * 1217}, "text"),
        ({"request_id": "with blank"}, "request_id"),
    ],
)
def test_a_personal_body_that_breaks_the_contract_never_becomes_a_request(change: dict[str, Any], field: str) -> None:
    usual = {"text": "{param1}", "names": ("param1",), "values": (("Zoe",), ("Marc",))}
    with pytest.raises(InputError) as caught:
        OCTOPUSH.next(batch(**{**usual, **change}), ())
    assert f"`{field}`" in caught.value.findings[0].message
    assert "Zoe" not in str(caught.value.findings)


def test_a_simulation_of_a_channels_own_call_holds_no_request_id() -> None:
    content = json.loads(simulation(OCTOPUSH, SINGLES["single-simulate-sms"][1]).body)
    assert check_single(orjson.dumps({**content, "request_id": ID}), "sms")


def test_five_hundred_and_one_recipients_are_too_many() -> None:
    with pytest.raises(InputError, match="1 to put right"):
        OCTOPUSH.simulate(batch(501), ())


def changed(**fields: Any) -> bytes:
    return orjson.dumps({**json.loads(sent(batch()).body), **fields})


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (changed(simulate_mode=True), "simulate_mode"),
        (changed(sender=None), "sender"),
        (changed(simulation_mode="true"), "simulation_mode"),
        (changed(simulation_mode=1), "simulation_mode"),
        (changed(auto_optimize_text="false"), "auto_optimize_text"),
        (changed(request_id=ID), "request_id"),
        (changed(purpose="marketing"), "purpose"),
        (changed(channel="telegram"), "body"),
        (changed(recipients=[{"phone_number": "+33639980000", "first_name": "Zoe"}]), "recipients.0.first_name"),
        (changed(metadata={"type": "sms_premium", "with_replies": False, "simulation_mode": True}), "metadata"),
        (changed(metadata={"type": "voice_sms", "with_replies": False}), "metadata.type"),
        (changed(metadata={"type": "sms_premium"}), "metadata.with_replies"),
        (changed(simulation_mode=True, list_name="noel"), "body"),
        (
            changed(simulation_mode=True, metadata={"type": "sms_premium", "with_replies": False, "request_id": ID}),
            "body",
        ),
        (b"{", "body"),
        (b"[]", "body"),
    ],
)
def test_the_contract_names_the_field_and_never_the_value(content: bytes, field: str) -> None:
    findings = check_body(content)
    assert len(findings) == 1
    assert f"`{field}" in findings[0].message
    assert findings[0].value is None
    for value in ("+33639980000", "Zoe", "marketing'", "ACME"):
        assert value not in str(findings[0])


# what may leave while planning


BOTH = {**CASES, **SINGLES}


def request(effect: Effect, content: bytes, method: str = "POST", path: str = "/multi-channel/send") -> Request:
    return Request(method=method, path=path, effect=effect, body=content)


@pytest.mark.parametrize("name", [name for name in BOTH if BOTH[name][0]])
def test_our_own_simulations_may_leave_while_planning(name: str) -> None:
    assert OCTOPUSH.may_plan(simulation(OCTOPUSH, BOTH[name][1]))


def test_reading_the_balance_may_leave_while_planning() -> None:
    assert OCTOPUSH.may_plan(OCTOPUSH.balance())


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize("name", [name for name in BOTH if not BOTH[name][0]])
def test_no_send_may_leave_while_planning_whatever_it_is_called(name: str, effect: Effect) -> None:
    assert not OCTOPUSH.may_plan(replace(sent(BOTH[name][1]), effect=effect))


@pytest.mark.parametrize(
    "planned",
    [
        request(Effect.SEND, b'{"simulation_mode": true}'),
        request(Effect.PREPARE, b'{"simulation_mode": true}'),
        request(Effect.SIMULATE, b'{"simulation_mode": true}', method="GET"),
        request(Effect.SIMULATE, b'{"simulation_mode": true}', method="PUT"),
        request(Effect.SIMULATE, b'{"simulation_mode": true}', path="/sms-campaign-on-list/send"),
        request(Effect.SIMULATE, b'{"simulation_mode": true}', path="/multi-channel/send?simulation_mode=1"),
        request(Effect.SIMULATE, b'{"simulation_mode": "true"}'),
        request(Effect.SIMULATE, b'{"simulation_mode": 1}'),
        request(Effect.SIMULATE, b'{"simulation_mode": 1.0}'),
        request(Effect.SIMULATE, b'{"simulation_mode": false}'),
        request(Effect.SIMULATE, b'{"Simulation_mode": true}'),
        request(Effect.SIMULATE, b'{"metadata": {"simulation_mode": true}}'),
        request(Effect.SIMULATE, b'{"simulation_mode": true, "metadata": {"request_id": "x"}}'),
        request(Effect.SIMULATE, b'{"simulation_mode": true, "a": [[{"request_id": null}]]}'),
        request(Effect.SIMULATE, b'{"simulation_mode": true, "request_\\u0069d": "x"}'),
        request(Effect.SIMULATE, b'{"simulation_mode": false, "simulation_mode": true}'),
        request(Effect.SIMULATE, b'{"simulation_mode": true, "a": {"b": 1, "b": 2}}'),
        request(Effect.SIMULATE, b'[{"simulation_mode": true}]'),
        request(Effect.SIMULATE, b'{"simulation_mode": true} {}'),
        request(Effect.SIMULATE, b'{"simulation_mode": true'),
        request(Effect.SIMULATE, '{"simulation_mode": true}'.encode("utf-16")),
        request(Effect.SIMULATE, b'{"simulation_mode": true, "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        request(Effect.SIMULATE, b"true"),
        request(Effect.SIMULATE, b""),
        request(Effect.READ, b"", path="/wallet/check-balance"),
        request(Effect.READ, b"x", method="GET", path="/wallet/check-balance"),
        request(Effect.READ, b"", method="GET", path="/wallet/check-credits"),
        request(Effect.READ, b"", method="GET"),
    ],
)
def test_what_may_not_leave_while_planning(planned: Request) -> None:
    assert not OCTOPUSH.may_plan(planned)


# what a reply proves


def test_the_receipt_of_a_channels_own_call_says_so_and_any_other_answer_is_as_ever() -> None:
    what = SINGLES["single-sms"][1]
    accepted = Reply(status=200, headers={}, body=b'{"sms_ticket": "sms_1", "number_of_contacts": 2, "message": "x"}')
    history = (Exchange(request=sent(what), seen=accepted),)
    told = OCTOPUSH.next(what, history)
    assert isinstance(told, Outcome)
    assert told.receipt is not None
    assert (told.receipt.ticket, dict(told.receipt.details)) == ("sms_1", {"call": "single", "message_length": "1"})
    refused = Reply(status=400, headers={}, body=b'{"code": 121, "message": "Mention STOP is missing."}')
    told = OCTOPUSH.next(what, (Exchange(request=sent(what), seen=refused),))
    assert isinstance(told, Outcome)
    assert told.verdict is Verdict.REJECTED
    multi = OCTOPUSH.next(batch(), (Exchange(request=sent(batch()), seen=accepted),))
    assert isinstance(multi, Outcome)
    assert multi.receipt is not None
    assert "call" not in multi.receipt.details


def read(content: bytes | dict[str, Any]) -> Answer:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return answers.read_sent(Reply(status=200, headers={}, body=body))


TICKET = b'{"sms_ticket": "sms_1"'


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"null",
        b"[]",
        b'"ok"',
        b"true",
        b"<html>502 Bad Gateway</html>",
        TICKET,
        b"\x1f\x8b\x08gzip",
        '{"sms_ticket": "sms_1"}'.encode("utf-16"),
        b'{"sms_ticket": ""}',
        b'{"sms_ticket": 5}',
        b'{"sms_ticket": null}',
        b'{"sms_ticket": "two\\nlines"}',
        b'{"sms_ticket": "\\ud800"}',
        b'{"sms_ticket": "' + b"x" * 256 + b'"}',
        TICKET + b', "ticket_number": "sms_2"}',
        TICKET + b', "sms_ticket": "sms_1"}',
        TICKET + b', "message": {"a": 1, "a": 1}}',
        TICKET + b', "total_cost": NaN}',
        TICKET + b', "total_cost": Infinity}',
        TICKET + b', "total_cost": -0.01}',
        TICKET + b', "total_cost": true}',
        TICKET + b', "total_cost": []}',
        TICKET + b', "total_cost": "free"}',
        TICKET + b', "total_cost": 1e13}',
        TICKET + b', "total_cost": 1e999999999999999999999}',
        TICKET + b', "residual_credit": "NaN"}',
        TICKET + b', "number_of_contacts": -1}',
        TICKET + b', "number_of_contacts": 1.5}',
        TICKET + b', "number_of_contacts": 1e-99999}',
        TICKET + b', "number_of_contacts": ' + b"9" * 5000 + b"}",
        TICKET + b', "number_of_contacts": 1e999999}',
        TICKET + b', "number_of_sms_needed": -1}',
        TICKET + b', "number_of_sms_needed": false}',
        TICKET + b', "code": 121}',
        TICKET + b', "code": 121, "message": "Mention STOP is missing."}',
        TICKET + b', "code": "broken"}',
        TICKET + b', "code": 0.5}',
        TICKET + b', "code": 33639980012, "message": "no"}',
        TICKET + b', "errors": {"text": "too long"}}',
        TICKET + b', "residual_credit": 0.' + b"3" * 500_000 + b"}",
        TICKET + b', "errors": ' + b'{"a":' * 900 + b"1" + b"}" * 902,
        b"[" * 100_000,
    ],
)
def test_what_proves_neither_acceptance_nor_rejection(content: bytes) -> None:
    answer = read(content)
    assert (answer.receipt, answer.duplicate, answer.rejected) == (None, False, False)
    assert answer.reason


def test_figures_are_exact_and_numerals_as_text_are_noted() -> None:
    answer = read(TICKET + b', "number_of_contacts": "400", "total_cost": 0.10000000000000000001, "code": 0}')
    assert answer.receipt is not None
    assert (answer.receipt.contacts, answer.receipt.cost) == (400, Decimal("0.10000000000000000001"))
    assert answer.receipt.details == {"number_of_contacts_as_text": "true"}


def test_a_receipt_may_lack_every_figure_and_a_balance_may_be_overdrawn() -> None:
    answer = read(b'\xef\xbb\xbf{"ticket_number": "sms_1", "total_cost": null, "residual_credit": -3.5, "errors": []}')
    assert answer.receipt is not None
    assert (answer.receipt.ticket, answer.receipt.cost) == ("sms_1", None)
    assert answer.receipt.credit == Decimal("-3.5")


CANARIES = ("33639980012", "0639980012", "zoe@acme.example", "Zoe", "bonjour", "0042")


def test_an_acceptance_keeps_figures_and_sizes_and_nothing_that_may_be_a_value() -> None:
    answer = read(
        {
            "sms_ticket": "sms_1",
            "code": 0,
            "errors": [],
            "number_of_contacts": "3",
            "message": "ACME: bonjour Zoe, code 0042.",
            "text": None,
            "preview": "bonjour Zoe",
            "status": "0042",
            "blacklisted": ["+33639980012", "+33639980013"],
            "recipients": {"+33639980012": "Zoe"},
            "last": 33639980012,
            "+33639980012": True,
            "bonjour Zoe": None,
        }
    )
    assert answer.receipt is not None
    assert answer.receipt.details == {
        "number_of_contacts_as_text": "true",
        "message_length": "29",
        "text_length": "0",
        "other_fields": "7",
    }
    assert not any(canary in str(answer) for canary in CANARIES)


@pytest.mark.parametrize(
    "content",
    [
        {"code": 120, "message": "A SMS with the same request_id has already been sent."},
        {"code": "120", "message": "…"},
        {"code": 133},
        {"code": 120, "sms_ticket": "sms_1"},
        {"code": 400, "message": "Payload validation error.", "errors": {"request_id": {"code": 120, "message": "…"}}},
        {"code": 400, "message": "Payload validation error.", "errors": {"request_id": ["already used"]}},
        {"code": 400, "message": "…", "errors": {"metadata.request_id": "already used"}},
        {"code": 400, "message": "…", "errors": {"metadata": {"request_id": {"code": 1, "message": "…"}}}},
        {"code": 400, "message": "…", "errors": {"text": {"code": 107, "message": "…"}, "request_id": {"code": 9}}},
        {"errors": {"request_id": "already used"}},
    ],
)
def test_a_duplicate_in_all_its_shapes(content: dict[str, Any]) -> None:
    answer = read(content)
    assert (answer.duplicate, answer.rejected, answer.receipt) == (True, False, None)


@pytest.mark.parametrize("code", [101, 104, 105, 113, 114, 401])
def test_what_every_batch_would_meet_stops_the_run(code: int) -> None:
    answer = read({"code": code, "message": "no"})
    assert (answer.rejected, answer.stops) == (True, True)
    assert answer.hint


def test_a_reason_below_errors_stops_the_run_as_well() -> None:
    answer = read({"code": 400, "message": "no", "errors": {"account": {"code": 104, "message": "No credit left."}}})
    assert (answer.rejected, answer.stops) == (True, True)
    assert answer.reason == "code 400; another field: code 104: no credit left"


@pytest.mark.parametrize("code", [106, 117, 121, 442, 2005, 123456])
def test_what_one_batch_meets_lets_the_others_go(code: int) -> None:
    answer = read({"code": code, "message": "no"})
    assert (answer.rejected, answer.stops) == (True, False)


@pytest.mark.parametrize("code", [125, 127, 132, 500, 501])
def test_a_code_that_does_not_deny_the_send_is_no_rejection(code: int) -> None:
    assert not read({"code": code, "message": "?"}).rejected


@pytest.mark.parametrize("code", [102, 120, 125, 400, 9999])
def test_an_error_keeps_codes_and_documented_names_in_our_own_words(code: int) -> None:
    words = "text too long: ACME: bonjour Zoe, code 0042."
    errors = {
        "text": {"code": 107, "message": "Zoe"},
        "recipients.17.phone_number": "+33639980012",
        "metadata": {"bonjour": {"code": 117, "message": "zoe@acme.example"}},
        "0639980012": {"message": "Zoe"},
        "Zoe": "0042",
    }
    answer = read({"code": code, "message": words, "errors": errors})
    assert not any(canary in str(answer) for canary in CANARIES)
    told = "text: code 107: the text is missing; recipients.phone_number; metadata: code 117: no correct number in"
    assert answer.reason.startswith(f"code {code}")
    assert answer.reason.endswith(f"; {told} the list; another field")
    assert read({"code": code, "message": words}).reason == answer.reason.split(";")[0]


def test_what_an_unlisted_code_means_a_person_has_to_find_out() -> None:
    answer = read({"code": 9999, "message": "no"})
    assert (answer.rejected, answer.reason) == (True, "code 9999")
    assert "documentation" in answer.hint


def test_a_hostile_megabyte_is_read_at_once_and_kept_short() -> None:
    long = "a" * 500_000
    errors = {**{f"{long[:2000]}{number}": long[:50] for number in range(200)}, "nested": {"deep": [long]}}
    answer = read({"code": 117, "message": long, "errors": errors})
    assert answer.rejected
    assert answer.reason == "code 117: no correct number in the list; another field"
    nested: dict[str, Any] = {"request_id": "used"}
    for _ in range(400):
        nested = {"a": nested}
    assert read({"code": 117, "message": "no", "errors": nested}).rejected


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_can_be_read(content: bytes) -> None:
    assert read(content).receipt is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["sms_ticket", "ticket_number", "code", "message", "errors", "total_cost", "number_of_contacts", "request_id"]
)


@given(st.dictionaries(FIELDS, JSON))
def test_any_reply_is_at_most_one_of_accepted_rejected_and_duplicate(content: dict[str, Any]) -> None:
    answer = read(content)
    assert (answer.receipt is not None) + answer.rejected + answer.duplicate <= 1
    answers.read_simulation(Reply(status=200, headers={}, body=json.dumps(content).encode()))


# the provider as the workflow sees it


def seen(status: int, content: dict[str, Any]) -> Reply:
    return Reply(status=status, headers={}, body=json.dumps(content).encode())


def test_after_a_wait_the_identical_request_leaves_again() -> None:
    what = batch(request_id=ID)
    first = sent(what)
    history = (Exchange(request=first, seen=NotSent(reason="refused")),)
    wait = OCTOPUSH.next(what, history)
    assert wait == Wait(seconds=1.0, reason="refused")
    assert OCTOPUSH.next(what, (*history, Waited(seconds=1.0))) == first


def test_an_answer_is_judged_against_the_batch() -> None:
    what = batch(request_id=ID)
    accepted = seen(200, {"sms_ticket": "sms_1", "number_of_contacts": 2, "total_cost": 0.11})
    outcome = OCTOPUSH.next(what, (Exchange(request=sent(what), seen=accepted),))
    assert isinstance(outcome, Outcome)
    assert (outcome.verdict, outcome.excess) == (Verdict.ACCEPTED, "0.11 EUR charged, 0.10 reserved")


def test_a_simulation_needs_no_ticket() -> None:
    answer = seen(200, {"number_of_contacts": 2, "total_cost": 0.1, "number_of_sms_needed": 2, "residual_credit": 9})
    expected = Simulated(contacts=2, parts=2, cost=Decimal("0.1"), credit=Decimal(9))
    assert simulated(OCTOPUSH, batch(), answer) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            seen(400, {"code": 121, "message": "Mention STOP is missing."}),
            Simulated(
                refused="code 121: Mention STOP is missing (put `{{ stop }}` into the message's text: marketing to "
                "France must name the way to opt out)"
            ),
        ),
        (seen(400, {"code": 9999, "message": "no"}), Simulated(refused=f"code 9999 ({UNLISTED})")),
        (seen(401, {}), Simulated(unauthorised="HTTP 401: the provider refuses these credentials")),
        (seen(502, {}), Simulated(unreachable="HTTP 502")),
        (Unknown(reason="lost"), Simulated(unreachable="lost")),
    ],
)
def test_a_simulation_without_figures_says_why(answer: Reply | Unknown, expected: Simulated) -> None:
    found = simulated(OCTOPUSH, batch(), answer)
    assert replace(found, unreachable=found.unreachable.split(":")[0]) == expected


def test_the_balance_is_exact() -> None:
    content = b'{"amount":12.54000001,"unit":"euros"}'
    money = OCTOPUSH.read_balance(Reply(status=200, headers={}, body=content))
    assert money == Money(amount=Decimal("12.54000001"), currency="EUR")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (seen(401, {}), Verdict.REFUSED),
        (seen(400, {"code": 101, "message": "no"}), Verdict.REJECTED),
        (seen(200, {"code": 101, "message": "no"}), Verdict.REJECTED),
        (seen(200, {"amount": 3, "unit": "sms_premium"}), Verdict.UNREACHABLE),
        (seen(200, {"amount": 3}), Verdict.UNREACHABLE),
        (seen(200, {"unit": "euros"}), Verdict.UNREACHABLE),
        (seen(200, {"amount": "much", "unit": "euros"}), Verdict.UNREACHABLE),
        (NotSent(reason="refused"), Verdict.UNREACHABLE),
    ],
)
def test_a_balance_that_is_none_says_why(answer: Reply | NotSent, expected: Verdict) -> None:
    found = OCTOPUSH.read_balance(answer)
    assert isinstance(found, Outcome)
    assert found.verdict is expected


def test_credentials_become_the_two_headers() -> None:
    credentials = {"login": "crm@acme.example", "key": "k3y"}
    assert OCTOPUSH.headers(credentials) == {"api-login": "crm@acme.example", "api-key": "k3y"}
    assert OCTOPUSH.login(credentials) == "crm@acme.example"


@pytest.mark.parametrize("key", ["", " k3y", "k3y\n", "k3y\r\nx: y", "clé", "k\x003y"])
def test_a_credential_no_header_can_carry_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(Refused, match=r"providers\.octopush\.key") as caught:
        OCTOPUSH.headers({"login": "crm@acme.example", "key": key})
    assert caught.value.reason == "credentials"
    assert not key or key not in str(caught.value)


def test_its_voices_speak_thirteen_languages() -> None:
    assert OCTOPUSH.check(campaign()) == ()
    spoken = [campaign(channel=Channel.VOICE, message=Message(text="Bonjour", language=name)) for name in LANGUAGES]
    assert [OCTOPUSH.check(each) for each in spoken] == [()] * 13
    (found,) = OCTOPUSH.check(campaign(channel=Channel.VOICE, message=Message(text="Bonjour", language="fr-fr")))
    assert (found.rule, found.path, found.value) == ("voice-language", ("message", "language"), "fr-fr")
    assert (found.limit or "").split(", ") == list(LANGUAGES)
    assert "fr-FR" in found.hint
    (missing,) = OCTOPUSH.check(campaign(channel=Channel.VOICE))
    assert "is missing" in missing.message


def test_every_provider_is_found_by_its_kind() -> None:
    assert [(kind, provider.kind) for kind, provider in PROVIDERS.items()] == [
        ("octopush", "octopush"),
        ("routee", "routee"),
    ]
    for provider in PROVIDERS.values():
        assert provider.host.startswith("https://")
        assert provider.sandbox_path.startswith("/")
        window = provider.limits.request_id_window
        assert window is None or provider.limits.quiet_time < window
