"""The provider's own examples, word for word: what we send and read must fit them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import orjson
import pytest

from campaigns import SCHEDULE, batch, campaign
from octoplan.core.model import Exchange, Options, Outcome, Purpose, Reply, Request, Verdict
from octoplan.providers import PROVIDERS
from octoplan.providers.octopush import answers, body
from octoplan.providers.octopush.contract import check_body

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


def seeds_body() -> body.Sms:
    asked = campaign(
        purpose=Purpose.TRANSACTIONAL,
        sender="SenderName",
        schedule=replace(SCHEDULE, send_at=datetime.fromisoformat("2024-12-19T10:00:00-07:00")),
        options=Options(quality="premium", replies=True, track_recipients=True, list_name="sms_list"),
    )
    seeds = batch(
        campaign=asked,
        addresses=("+33111222333", "+33111222334"),
        text="Hello, this is a test message.",
        first=True,
    )
    return body.sms(seeds, simulate=False)


def test_the_pinned_contract_accepts_the_example_request() -> None:
    assert check_body(SMS_REQUEST.encode()) == ()


def test_the_wire_model_produces_the_example_request() -> None:
    # two values we never choose: the text planned is the text sent, and a send does not mention simulation
    theirs = replace(seeds_body(), auto_optimize_text=True, simulation_mode=False)
    assert theirs.encode() == orjson.dumps(json.loads(SMS_REQUEST))


def test_our_own_body_for_that_campaign_differs_in_those_two_fields_only() -> None:
    ours = json.loads(seeds_body().encode())
    theirs = json.loads(SMS_REQUEST)
    assert theirs.pop("simulation_mode") is False
    assert ours == {**theirs, "auto_optimize_text": False}


def judged(status: int, content: bytes, contacts: int) -> Outcome:
    octopush, sent = PROVIDERS["octopush"], batch(contacts, worst=Decimal(6))
    request = octopush.next(sent, ())
    assert isinstance(request, Request)
    outcome = octopush.next(sent, (Exchange(request=request, seen=Reply(status=status, headers={}, body=content)),))
    assert isinstance(outcome, Outcome)
    return outcome


@pytest.mark.parametrize("status", [200, 201])
def test_the_example_success_is_accepted_to_the_last_digit(status: int) -> None:
    outcome = judged(status, SMS_SUCCESS, 5)
    assert (outcome.verdict, outcome.excess) == (Verdict.ACCEPTED, "")
    receipt = outcome.receipt
    assert receipt is not None
    assert (receipt.ticket, receipt.contacts, receipt.parts) == ("sms_5f3fbce61266e", 5, 5)
    assert (str(receipt.cost), str(receipt.credit)) == ("5.00502839", "50.75")
    assert receipt.details == {"message_length": "6"}


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    ("content", "reason", "hint"),
    [
        (STOP_MISSING, "code 121: Mention STOP is missing", "{{ stop }}"),
        (VOICE_REJECTED, "code 400; another field: code 442: the voice language is not supported", "language"),
        (EMAIL_REJECTED, "code 2005: an e-mail address is not valid", "audience"),
    ],
)
def test_the_example_errors_are_rejections_with_a_hint(status: int, content: bytes, reason: str, hint: str) -> None:
    outcome = judged(status, content, 5)
    assert (outcome.verdict, outcome.reason) == (Verdict.REJECTED, reason)
    assert hint in outcome.hint


@pytest.mark.parametrize(
    "content",
    [
        b"""{
"ticket_number": "voice_5f44ebf9e47b7",
"number_of_contacts": 1,
"total_cost": 0.05,
"estimated_duration": 30,
"residual_credit": 149.95
}""",
        b"""{
"ticket_number": "email_5f44ebf9e47b7",
"number_of_contacts": 1,
"total_cost": 0.05,
"residual_credit": 149.95
}""",
    ],
)
def test_the_other_channels_success_bodies_are_read_too(content: bytes) -> None:
    receipt = answers.read_sent(Reply(status=200, headers={}, body=content)).receipt
    assert receipt is not None
    assert (receipt.contacts, receipt.cost) == (1, Decimal("0.05"))
