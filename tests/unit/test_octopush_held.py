"""Lists and tags that Octopush holds: which bytes leave at each step, and what each answer proves."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from simulations import simulated, simulation

from campaigns import SCHEDULE, campaign
from octoplan.core.errors import InputError
from octoplan.core.held import HeldPacker
from octoplan.core.message import Message
from octoplan.core.model import (
    Agreed,
    Audience,
    Channel,
    Drafted,
    Effect,
    Exchange,
    Limits,
    Money,
    NotSent,
    Options,
    Outcome,
    Prices,
    Purpose,
    Quote,
    Reply,
    Request,
    Unknown,
    Verdict,
    Wait,
    Waited,
)
from octoplan.providers import Lost, Sent
from octoplan.providers.octopush import Octopush, held
from octoplan.providers.octopush.held_contract import check_create, check_ticket

if TYPE_CHECKING:
    from collections.abc import Callable

    from octoplan.core.model import Batch, Campaign, History, Seen

OCTOPUSH = Octopush()
ID = "abcdefghijklmnopqrstuvwxyz"
TICKET = "sms_613b0e3eafb29762369399"
LIST = Audience(address="phone_number", country="FR", list_="clients-lyon", segmentation="filter")
TAG = Audience(address="phone_number", country="FR", tag="vip")
LIMITS = Limits(max_cost=Money(amount=Decimal(90), currency="EUR"), max_contacts=1300)
WRITTEN = Message(text="ACME: -20% demain a Lyon. STOP au XXXXX")
SPOKEN = Message(text="Bonjour. Votre magasin ouvre demain.", language="fr-FR", gender="female")
PRICES = Prices(currency="EUR", as_of="2026-11-01", sample=True, products={"sms_premium": {"FR": Decimal("0.049")}})
READY = {"number_of_contacts": 1184, "cost": 58.02, "status": "ready_to_be_sent"}
DRAFTED = Drafted(ticket=TICKET)


def listed(channel: Channel = Channel.SMS, **changes: Any) -> Campaign:
    said = SPOKEN if channel is Channel.VOICE else WRITTEN
    return campaign(channel=channel, audience=LIST, limits=LIMITS, message=said, **changes)


def batch(made: Campaign | None = None, *, request_id: str = ID) -> Batch:
    made = made or listed()
    packer = HeldPacker(campaign=made, prices=PRICES, key=b"k" * 16)
    packer.say(str(made.message.text), parts=1)
    return replace(next(packer.batches(first=True)), request_id=request_id)


def reply(status: int, body: Any = None, **headers: str) -> Reply:
    return Reply(status=status, headers=headers, body=b"" if body is None else json.dumps(body).encode())


def request(step: object) -> Request:
    assert isinstance(step, Request)
    return step


def asked(*history: Any, of: Batch | None = None) -> Request:
    return request(OCTOPUSH.next(of or batch(), history))


def after(seen: Seen, *history: Any) -> object:
    """Return what comes next once the request after a history was seen to end so."""
    return OCTOPUSH.next(batch(), (*history, Exchange(request=asked(*history), seen=seen)))


def looked(*looks: Seen) -> tuple[Any, ...]:
    history: tuple[Any, ...] = (DRAFTED,)
    for seen in looks:
        history += (Exchange(request=asked(DRAFTED), seen=seen), Waited(seconds=1))
    return history


THURSDAY = replace(SCHEDULE, send_at=datetime(2026, 12, 3, 9, tzinfo=UTC))
SMS = listed(
    options=Options(quality="low_cost", replies=True, track_recipients=True),
    purpose=Purpose.MARKETING,
    schedule=THURSDAY,
)
CALL = listed(Channel.VOICE, options=Options(collect_keys=True), schedule=THURSDAY)


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("sms-on-list", SMS),
        ("sms-on-tag", replace(listed(), audience=TAG, sender=None)),
        ("voice-on-list", CALL),
        ("voice-on-tag", replace(listed(Channel.VOICE), audience=TAG)),
    ],
)
def test_golden_steps(name: str, made: Campaign, golden: Callable[[str, str], None]) -> None:
    of = batch(made)
    look = asked(DRAFTED, of=of)
    history = (DRAFTED, Exchange(request=look, seen=reply(200, READY)), Agreed())
    steps = {
        "simulate": simulation(OCTOPUSH, of),
        "create": asked(of=of),
        "look": look,
        "confirm": asked(*history, of=of),
        "cancel": OCTOPUSH.discard(made.channel, made.audience.kind, ticket=TICKET),
    }
    shown = {
        step: {
            "request": f"{one.method} {one.path}",
            "effect": one.effect,
            "body": json.loads(one.body) if one.body else None,
        }
        for step, one in steps.items()
    }
    golden(f"octopush/{name}.json", json.dumps(shown, indent=2))


def test_older_pages_give_tags_paths_of_their_own() -> None:
    older = Octopush(own_tag_paths=True)
    assert simulation(older, batch(replace(listed(), audience=TAG))).path == "/sms-campaign-on-tag/create"
    assert simulation(older, batch()).path == "/sms-campaign-on-list/create"
    assert older.discard(Channel.VOICE, "tag", ticket=TICKET).path == "/voice-campaign-on-tag/cancel"


def test_planning_simulates_and_does_no_more() -> None:
    asking = simulation(OCTOPUSH, batch())
    assert OCTOPUSH.may_plan(asking)
    assert b"request_id" not in asking.body
    for other in (asked(), asked(DRAFTED), OCTOPUSH.discard(Channel.SMS, "list", ticket=TICKET)):
        for effect in Effect:
            assert not OCTOPUSH.may_plan(replace(other, effect=effect))


def test_a_simulation_counts_nobody() -> None:
    answer = simulated(OCTOPUSH, batch(), reply(200, {"ticket_number": "fake", "total_cost": 3}))
    assert (answer.contacts, answer.cost, answer.refused) == (None, None, "")


def test_a_creation_is_drafted_by_its_ticket() -> None:
    assert asked().effect is Effect.PREPARE
    assert after(reply(200, {"ticket_number": TICKET})) == DRAFTED
    assert after(reply(201, {"ticket_number": TICKET})) == DRAFTED


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (reply(200, {"ticket_number": ""}), Verdict.IN_DOUBT),
        (Unknown(reason="no reply"), Verdict.IN_DOUBT),
        (reply(500), Verdict.IN_DOUBT),
        (reply(400, {"code": 120, "message": "x"}), Verdict.DUPLICATE),
        (reply(400, {"code": 304, "message": "x"}), Verdict.REJECTED),
        (reply(401), Verdict.REFUSED),
    ],
)
def test_what_a_creation_may_come_to(seen: Seen, verdict: Verdict) -> None:
    found = after(seen)
    assert isinstance(found, Outcome)
    assert found.verdict is verdict


def test_a_creation_waits_for_a_way() -> None:
    assert isinstance(after(NotSent(reason="no route")), Wait)
    again = (Exchange(request=asked(), seen=NotSent(reason="no route")), Waited(seconds=1))
    assert asked(*again) == asked()


def test_a_ticket_is_quoted_into_the_path() -> None:
    assert asked(Drafted(ticket="a b&c=ü/d")).path.endswith("/status?ticket_number=a%20b%26c%3D%C3%BC%2Fd")


@pytest.mark.parametrize("word", ["ready_to_be_sent", "ready_to_be_send"])
def test_a_draft_that_is_ready_tells_its_figures(word: str) -> None:
    assert after(reply(200, {**READY, "status": word}), DRAFTED) == Quote(contacts=1184, cost=Decimal("58.02"))


@pytest.mark.parametrize(
    "seen",
    [
        reply(200, {"status": "under_computation"}),
        reply(400),
        reply(400, {"code": 130, "message": "x"}),
        reply(429, None, **{"retry-after": "7"}),
        reply(500),
        reply(200, {"status": "a word nobody documents"}),
        reply(200, {"status": "ready_to_be_sent", "number_of_contacts": 3}),
        reply(200, {"status": "ready_to_be_sent", "number_of_contacts": 3, "cost": -1}),
        reply(200, {"status": "ready_to_be_sent", "number_of_contacts": 0.5, "cost": 1}),
        NotSent(reason="no route"),
        Unknown(reason="no reply"),
    ],
)
def test_a_draft_that_is_not_ready_is_looked_at_again(seen: Seen) -> None:
    found = after(seen, DRAFTED)
    assert isinstance(found, Wait)
    assert found.seconds == (7 if isinstance(seen, Reply) and seen.status == 429 else held.SOONEST)
    assert asked(*looked(seen)) == asked(DRAFTED)


def test_looks_become_rare_and_end() -> None:
    computing = reply(200, {"status": "under_computation"})
    waits = [after(computing, *looked(*[computing] * count)) for count in range(held.MOST_LOOKS)]
    seconds = [step.seconds for step in waits if isinstance(step, Wait)]
    assert seconds[:4] == [0.25, 0.5, 1, 2]
    assert seconds[-1] == held.LATEST
    assert len(seconds) == held.MOST_LOOKS - 1
    last = waits[-1]
    assert isinstance(last, Outcome)
    assert (last.verdict, "run the same command again" in last.hint) == (Verdict.UNREACHABLE, True)


def test_a_provider_that_does_not_answer_is_left() -> None:
    lost = Unknown(reason="no reply")
    last = after(lost, *looked(*[lost] * held.MOST_FAILURES))
    assert isinstance(last, Outcome)
    assert (last.verdict, last.reason) == (Verdict.UNREACHABLE, "no reply")
    one_answer: list[Seen] = [reply(400), *[lost] * (held.MOST_FAILURES - 1)]
    assert isinstance(after(lost, *looked(*one_answer)), Wait)


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (reply(200, {"status": "failed"}), Verdict.REJECTED),
        (reply(404, {"code": 131, "message": "x"}), Verdict.REJECTED),
        (reply(403), Verdict.REFUSED),
    ],
)
def test_a_draft_that_will_not_be(seen: Seen, verdict: Verdict) -> None:
    found = after(seen, DRAFTED)
    assert isinstance(found, Outcome)
    assert found.verdict is verdict


def confirmed(seen: Seen) -> object:
    look = Exchange(request=asked(DRAFTED), seen=reply(200, READY))
    return after(seen, DRAFTED, look, Agreed())


def test_a_confirmation_is_proved_by_its_sending_date() -> None:
    found = confirmed(reply(200, {"sending_date": "2021-06-01T12:00:00+03:00"}))
    assert isinstance(found, Outcome)
    assert found.verdict is Verdict.ACCEPTED
    assert found.receipt is not None
    assert (found.receipt.ticket, found.receipt.contacts, found.receipt.cost) == (TICKET, 1184, Decimal("58.02"))
    assert found.receipt.details == {"sending_date": "2021-06-01T12:00:00+03:00"}


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (reply(200, {"sending_date": "Bonjour Zoe"}), Verdict.IN_DOUBT),
        (reply(200, {}), Verdict.IN_DOUBT),
        (reply(200, [1]), Verdict.IN_DOUBT),
        (reply(200, {"code": 0, "sending_date": "2021-06-01T12:00:00+03:00"}), Verdict.ACCEPTED),
        (reply(400, {"code": 132, "message": "x"}), Verdict.IN_DOUBT),
        (reply(400, {"code": 120, "message": "x"}), Verdict.IN_DOUBT),
        (reply(400, {"code": 130, "message": "x"}), Verdict.REJECTED),
        (reply(400, {"code": 104, "message": "x"}), Verdict.REFUSED),
        (Unknown(reason="no reply"), Verdict.IN_DOUBT),
    ],
)
def test_what_a_confirmation_may_come_to(seen: Seen, verdict: Verdict) -> None:
    found = confirmed(seen)
    assert isinstance(found, Outcome)
    assert found.verdict is verdict


def test_a_confirmation_that_cannot_have_arrived_is_made_again() -> None:
    found = confirmed(NotSent(reason="no route"))
    assert isinstance(found, Wait)


LOST = Lost(channel=Channel.SMS, kind="list", ticket=TICKET, request_id=ID)


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (reply(200, {"status": "failed"}), Verdict.REJECTED),
        (reply(200, {"status": "under_computation"}), Verdict.REJECTED),
        (reply(200, READY), Verdict.IN_DOUBT),
        (reply(400, {"code": 130, "message": "x"}), Verdict.IN_DOUBT),
        (reply(404), Verdict.IN_DOUBT),
        (Unknown(reason="no reply"), Verdict.IN_DOUBT),
    ],
)
def test_evidence_of_a_confirmation(seen: Seen, verdict: Verdict) -> None:
    look = OCTOPUSH.evidence(LOST, ())
    assert isinstance(look, Request)
    assert look.effect is Effect.READ
    found = OCTOPUSH.evidence(LOST, (Exchange(request=look, seen=seen),))
    assert isinstance(found, Outcome)
    assert found.verdict is verdict


def test_without_a_ticket_there_is_nothing_to_look_at() -> None:
    for lost in (replace(LOST, ticket=""), replace(LOST, kind="")):
        found = OCTOPUSH.evidence(lost, ())
        assert isinstance(found, Outcome)
        assert found.verdict is Verdict.IN_DOUBT


def test_a_confirmation_needs_the_figures_it_agrees_to() -> None:
    history: History = (DRAFTED, Exchange(request=asked(DRAFTED), seen=reply(400)), Agreed())
    confirmation = Exchange(request=asked(*history), seen=reply(200, {"sending_date": "2021-06-01T12:00:00+03:00"}))
    with pytest.raises(TypeError):
        OCTOPUSH.next(batch(), (*history, confirmation))


def test_lists_go_by_sms_and_voice_alone() -> None:
    assert [one.rule for one in OCTOPUSH.check(listed(Channel.SMS))] == []
    found = list(OCTOPUSH.check(replace(listed(), channel=Channel.RCS)))
    assert [one.rule for one in found] == ["source"]
    assert "sms and voice" in found[0].message


def test_what_was_scheduled_is_cancelled_whatever_its_size() -> None:
    sent = Sent(channel=Channel.VOICE, ticket=TICKET, contacts=5_000, ahead=timedelta(minutes=1), kind="tag")
    assert request(OCTOPUSH.cancel(sent)).path == "/voice-campaign-on-list/cancel"
    at_once = OCTOPUSH.cancel(replace(sent, ahead=None))
    assert isinstance(at_once, Outcome)
    assert at_once.verdict is Verdict.REJECTED


BODY = json.loads(simulation(OCTOPUSH, batch()).body)


@pytest.mark.parametrize(
    "changes",
    [
        {"tag_name": "vip"},
        {"list_name": ""},
        {"list_name": "x" * 31},
        {"request_id": ID},
        {"segmentation": "both"},
        {"auto_optimize_text": "false"},
        {"voice_gender": "male"},
        {"text": ""},
    ],
)
def test_a_body_that_breaks_the_contract(changes: dict[str, Any]) -> None:
    assert check_create("sms", json.dumps(BODY).encode()) == ()
    found = check_create("sms", json.dumps({**BODY, **changes}).encode())
    assert {one.rule for one in found} == {"wire-contract"}


def test_a_body_that_breaks_the_contract_does_not_leave() -> None:
    with pytest.raises(InputError):
        OCTOPUSH.next(batch(listed(sender="ACME SARL")), ())
    with pytest.raises(InputError):
        OCTOPUSH.discard(Channel.SMS, "list", ticket="x\ny")
    assert check_ticket(b'{"ticket_number": "x"}') == ()
