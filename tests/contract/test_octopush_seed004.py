"""The provider's own examples, word for word but for redacted e-mail addresses: what we send and read must fit them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from campaigns import SCHEDULE, batch, campaign
from octoplan.core.message import From, Message
from octoplan.core.model import Channel, Exchange, Options, Outcome, Purpose, Reply, Request, Verdict
from octoplan.providers import PROVIDERS
from octoplan.providers.octopush import body
from octoplan.providers.octopush.contract import BODIES, check_body, fields

SMS_REQUEST = """
{
"channel": "sms",
"text": "Hello, this is a test message.",
"recipients": [
{"phone_number": "+33111222333"},
{"phone_number": "+33111222334"}
],
"sender": "SenderName",
"send_at": "2024-12-19T10:00:00-07:00",
"purpose": "alert",
"list_name": "sms_list",
"simulation_mode": false,
"recipient_tracking": true,
"auto_optimize_text": true,
"auto_remove_blacklisted_contacts": true,
"metadata": {
"type": "sms_premium",
"with_replies": true
}
}
"""

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

SMS_SUCCESS = b"""
{
"sms_ticket": "sms_5f3fbce61266e",
"number_of_contacts": 5,
"total_cost": 5.00502839,
"number_of_sms_needed": 5,
"residual_credit": 50.75,
"message": "******"
}
"""

STOP_MISSING = b"""
{
"code": 121,
"message": "Mention STOP is missing."
}
"""

VOICE_REJECTED = b"""
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

EMAIL_REJECTED = b"""
{
"code": 2005,
"message": "[destination email] field should be valid."
}
"""


VOICE_SUCCESS = b"""
{
"ticket_number": "voice_5f44ebf9e47b7",
"number_of_contacts": 1,
"total_cost": 0.05,
"estimated_duration": 30,
"residual_credit": 149.95
}
"""

EMAIL_SUCCESS = b"""
{
"ticket_number": "email_5f44ebf9e47b7",
"number_of_contacts": 1,
"total_cost": 0.05,
"residual_credit": 149.95
}
"""

PARAMETERS = """
channel text recipients sender send_at purpose list_name simulation_mode recipient_tracking auto_optimize_text
auto_remove_blacklisted_contacts metadata.type metadata.with_replies metadata.voice_gender metadata.voice_language
metadata.get_back_pressed_keys metadata.request_id metadata.emailing_service metadata.email_from metadata.name_from
metadata.subject metadata.template_name metadata.body_format metadata.language metadata.message_type metadata.cards
metadata.actions
"""
"""The names in the documentation's table of parameters, in its order."""

NUMBERS = ("+33111222333", "+33111222334")

MESSAGES = {
    "sms": Message(text="Hello, this is a test message."),
    "voice": Message(text="Hello, this is a voice message test.", language="en-US", gender="male"),
    "rcs": Message(text="Hello, this is a test RCS message."),
    "email": Message(
        text="This is the content of your email.",
        subject="Test Email",
        service="gateway",
        from_=From(address="shop@acme.example", name="Sender Name"),
    ),
}
OPTIONS = {
    "sms": Options(replies=True, track_recipients=True, list_name="sms_list"),
    "voice": Options(collect_keys=True, list_name="voice_sms_list"),
    "rcs": Options(replies=True, list_name="rcs_list"),
    "email": Options(list_name="email_list"),
}
EXAMPLES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    # the request; what we never choose in the body; and in its metadata
    "sms": (SMS_REQUEST, {"auto_optimize_text": True, "simulation_mode": False}, {}),
    "voice": (VOICE_REQUEST, {"simulation_mode": False}, {}),
    # we say what kind of message it is, which the example leaves to the default
    "rcs": (RCS_REQUEST, {"simulation_mode": False}, {"message_type": None}),
    # a template beside a text: our rules want one of them; and we say how the text is to be read
    "email": (EMAIL_REQUEST, {}, {"template_name": "welcome_email_template", "body_format": None}),
}


def seeds_body(channel: str) -> body.Send:
    message = MESSAGES[channel]
    asked = campaign(
        channel=Channel(channel),
        purpose=Purpose.TRANSACTIONAL,
        sender=None if channel == "rcs" else "SenderName",
        schedule=replace(SCHEDULE, send_at=datetime.fromisoformat("2024-12-19T10:00:00-07:00")),
        message=message,
        options=OPTIONS[channel],
    )
    addresses = ("zoe@acme.example", "leo@acme.example") if channel == "email" else NUMBERS
    return body.send(batch(campaign=asked, addresses=addresses, content=message.content(), first=True), simulate=False)


def test_the_pinned_contract_has_every_parameter_and_no_other() -> None:
    pinned = {
        f"{group}.{name}" if group == "metadata" else name
        for channel in BODIES
        for group, names in fields(channel).items()
        if group != "recipients"
        for name in names
    }
    assert pinned == {*PARAMETERS.split(), "metadata"}


@pytest.mark.parametrize("channel", EXAMPLES)
def test_the_pinned_contract_accepts_the_example_request(channel: str) -> None:
    assert check_body(EXAMPLES[channel][0].encode()) == ()


@pytest.mark.parametrize("channel", EXAMPLES)
def test_the_wire_model_produces_the_example_request(channel: str) -> None:
    request, fields, metadata = EXAMPLES[channel]
    ours = seeds_body(channel)
    theirs = replace(ours, **fields, metadata={**ours.metadata, **metadata})
    assert json.loads(theirs.encode()) == json.loads(request)
    assert list(json.loads(theirs.encode())) == list(json.loads(request))


@pytest.mark.parametrize("channel", EXAMPLES)
def test_our_own_body_for_that_campaign_differs_in_those_fields_only(channel: str) -> None:
    request, fields, metadata = EXAMPLES[channel]
    ours, theirs = json.loads(seeds_body(channel).encode()), json.loads(request)
    assert check_body(orjson.dumps(ours)) == ()
    for name in fields:
        ours.pop(name, None)
        theirs.pop(name, None)
    for name in metadata:
        ours["metadata"].pop(name, None)
        theirs["metadata"].pop(name, None)
    assert ours == theirs


def judged(status: int, content: bytes, contacts: int) -> Outcome:
    octopush, sent = PROVIDERS["octopush"], batch(contacts, worst=Decimal(6))
    request = octopush.next(sent, ())
    assert isinstance(request, Request)
    outcome = octopush.next(sent, (Exchange(request=request, seen=Reply(status=status, headers={}, body=content)),))
    assert isinstance(outcome, Outcome)
    return outcome


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize(
    ("content", "contacts", "expected"),
    [
        (SMS_SUCCESS, 5, ("sms_5f3fbce61266e", 5, 5, "5.00502839", "50.75", {"message_length": "6"})),
        (VOICE_SUCCESS, 1, ("voice_5f44ebf9e47b7", 1, None, "0.05", "149.95", {"estimated_duration": "30"})),
        (EMAIL_SUCCESS, 1, ("email_5f44ebf9e47b7", 1, None, "0.05", "149.95", {})),
    ],
)
def test_the_example_successes_are_accepted_to_the_last_digit(
    status: int, content: bytes, contacts: int, expected: tuple[object, ...]
) -> None:
    outcome = judged(status, content, contacts)
    assert (outcome.verdict, outcome.excess) == (Verdict.ACCEPTED, "")
    receipt = outcome.receipt
    assert receipt is not None
    figures = (receipt.ticket, receipt.contacts, receipt.parts, str(receipt.cost), str(receipt.credit))
    assert (*figures, receipt.details) == expected


@pytest.mark.parametrize("name", ["rcs_ticket", "vocal_ticket", "ticket_number"])
def test_a_success_that_nobody_documents_is_accepted_by_its_ticket(name: str) -> None:
    outcome = judged(200, orjson.dumps({name: "rcs_5f44ebf9e47b7", "number_of_contacts": 1}), 1)
    assert (outcome.verdict, outcome.receipt and outcome.receipt.ticket) == (Verdict.ACCEPTED, "rcs_5f44ebf9e47b7")


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    ("content", "reason", "hint"),
    [
        (STOP_MISSING, "code 121: Mention STOP is missing", "{{ stop }}"),
        (VOICE_REJECTED, "code 400; voice_language: code 442: the voice language is not supported", "language"),
        (EMAIL_REJECTED, "code 2005: an e-mail address is not valid", "audience"),
    ],
)
def test_the_example_errors_are_rejections_with_a_hint(status: int, content: bytes, reason: str, hint: str) -> None:
    outcome = judged(status, content, 5)
    assert (outcome.verdict, outcome.reason) == (Verdict.REJECTED, reason)
    assert hint in outcome.hint
