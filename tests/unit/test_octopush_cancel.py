"""Cancelling at Octopush: the bytes that leave, what is not even asked, and that 204 alone is a proof."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from octoplan.core.errors import InputError
from octoplan.core.model import Channel, Effect, NotSent, Outcome, Reply, Request, Unknown, Verdict
from octoplan.providers import Sent
from octoplan.providers.octopush import Octopush
from octoplan.providers.octopush.contract import check_cancel

if TYPE_CHECKING:
    from collections.abc import Callable

    from octoplan.core.model import Seen

OCTOPUSH = Octopush()
SENT = Sent(channel=Channel.SMS, ticket="sms_5f3fbce61266e", contacts=2, ahead=timedelta(hours=1))
REFUSAL = b'{"code": 132, "message": "Bonjour Zoe"}'


def request(sent: Sent) -> Request:
    asked = OCTOPUSH.cancel(sent)
    assert isinstance(asked, Request)
    return asked


@pytest.mark.parametrize("channel", Channel)
def test_golden_cancel(channel: Channel, golden: Callable[[str, str], None]) -> None:
    asked = request(replace(SENT, channel=channel))
    head = json.dumps({"request": f"{asked.method} {asked.path}", "effect": asked.effect})[:-1]
    golden(f"octopush/cancel-{channel}.json", f'{head}, "body": {json.dumps(json.loads(asked.body), indent=2)}}}')


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.VOICE])
def test_golden_cancel_of_a_channels_own_call(channel: Channel, golden: Callable[[str, str], None]) -> None:
    asked = request(replace(SENT, channel=channel, details={"call": "single", "message_length": "6"}))
    head = json.dumps({"request": f"{asked.method} {asked.path}", "effect": asked.effect})[:-1]
    golden(
        f"octopush/single-cancel-{channel}.json", f'{head}, "body": {json.dumps(json.loads(asked.body), indent=2)}}}'
    )


def test_planning_cancels_nothing() -> None:
    asked = request(SENT)
    for effect in Effect:
        assert not OCTOPUSH.may_plan(replace(asked, effect=effect))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (replace(SENT, ahead=None), "it left at once"),
        (replace(SENT, ahead=timedelta(minutes=10)), "ten minutes"),
        (replace(SENT, ahead=timedelta(days=-1)), "ten minutes"),
        (replace(SENT, contacts=3), "3 contacts"),
    ],
)
def test_what_octopush_would_refuse_is_not_asked(changed: Sent, why: str) -> None:
    told = OCTOPUSH.cancel(changed)
    assert isinstance(told, Outcome)
    assert told.verdict is Verdict.REJECTED
    assert why in told.reason


@pytest.mark.parametrize("ticket", ["", "a\nb", "t" * 256])
def test_a_ticket_that_is_none_does_not_leave(ticket: str) -> None:
    with pytest.raises(InputError) as refused:
        OCTOPUSH.cancel(replace(SENT, ticket=ticket))
    assert [found.rule for found in refused.value.findings] == ["wire-contract"]
    assert "`ticket_number`" in refused.value.findings[0].message


def test_the_contract_knows_every_field() -> None:
    assert check_cancel(b'{"channel": "sms", "ticket_number": "t"}') == ()
    for body in (b'{"channel": "sms"}', b'{"channel": "sms", "ticket_number": "t", "text": ""}', b"[]"):
        assert check_cancel(body)
    assert check_cancel(b'{"ticket_number": "t"}', single=True) == ()
    assert check_cancel(b'{"channel": "sms", "ticket_number": "t"}', single=True)


def reply(status: int, body: bytes = b"") -> Reply:
    return Reply(status=status, headers={}, body=body)


@pytest.mark.parametrize(
    ("seen", "verdict", "reason"),
    [
        (reply(204), Verdict.ACCEPTED, ""),
        (reply(204, b"<html>"), Verdict.ACCEPTED, ""),
        (reply(400, REFUSAL), Verdict.REJECTED, "HTTP 400: code 132: the campaign was already sent"),
        (reply(400, b'{"code": 155, "message": "x"}'), Verdict.REJECTED, "code 155"),
        (reply(400), Verdict.REJECTED, "HTTP 400: the reply is not whole, unambiguous JSON"),
        (reply(404, b"<html>"), Verdict.REJECTED, "HTTP 404: the reply is not whole, unambiguous JSON"),
        (reply(200, b'{"code": 113, "message": "x"}'), Verdict.REJECTED, "code 113: the account is not validated"),
        (reply(200, b"{}"), Verdict.IN_DOUBT, "the answer is no 204"),
        (reply(202), Verdict.IN_DOUBT, "HTTP 202: the reply is not whole, unambiguous JSON"),
        (reply(302), Verdict.IN_DOUBT, "HTTP 302: the reply is not whole, unambiguous JSON"),
        (reply(401), Verdict.REFUSED, "HTTP 401: the provider refuses these credentials"),
        (reply(403), Verdict.REFUSED, "HTTP 403: the provider refuses these credentials"),
        (reply(408), Verdict.IN_DOUBT, "HTTP 408: the reply is not whole, unambiguous JSON"),
        (reply(429), Verdict.UNREACHABLE, "HTTP 429: the reply is not whole, unambiguous JSON"),
        (reply(500, REFUSAL), Verdict.IN_DOUBT, "HTTP 500: code 132: the campaign was already sent"),
        (Unknown(reason="no whole reply"), Verdict.IN_DOUBT, "no whole reply"),
        (NotSent(reason="cannot connect"), Verdict.UNREACHABLE, "cannot connect"),
    ],
)
def test_what_an_answer_means(seen: Seen, verdict: Verdict, reason: str) -> None:
    told = OCTOPUSH.cancelled(seen)
    assert (told.verdict, told.reason) == (verdict, reason)
    assert "Zoe" not in repr(told)
