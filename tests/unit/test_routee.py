"""Routee: which bytes leave, what may leave while planning, and what a reply proves."""

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
from octoplan.core.message import Audio, Message
from octoplan.core.model import (
    Agreed,
    Audience,
    Callback,
    Channel,
    Effect,
    Exchange,
    Limits,
    Money,
    NotSent,
    Options,
    Outcome,
    Purpose,
    Quote,
    Reply,
    Request,
    Unknown,
    Verdict,
    Wait,
    Waited,
)
from octoplan.providers import Lost, Sent, Simulated
from octoplan.providers.routee import LOOKS, Routee, answers
from octoplan.providers.routee.codes import CODES, UNLISTED
from octoplan.providers.routee.contract import check_analysis, check_campaign, check_search
from octoplan.providers.routee.receipt import ANOTHER, AS_SENT, DIFFERS, ECHOES, KEPT

if TYPE_CHECKING:
    from collections.abc import Callable

    from octoplan.core.model import Batch, Campaign, History, Seen

ROUTEE = Routee()
ID = "abcdefghijklmnopqrstuvwxyz"
TICKET = "5ad2e1f0-0000-4000-8000-000000000001"
PARIS = timezone(timedelta(hours=1))
SPOKEN = Message(text="Bonjour. Votre colis est arrivé.", language="fr-FR", gender="female")
RECORDED = Message(audio=Audio(url="https://www.acme.example/ouverture.wav", sha256="0" * 64))
EVERYTHING = Options(
    collect_keys=True,
    key_wait_seconds=5,
    ring_seconds=30,
    respect_quiet_hours=False,
    callback=Callback(url="https://hooks.acme.example/calls", when="change"),
    campaign_callback=Callback(url="https://hooks.acme.example/campaigns", when="completion"),
)


def call(message: Message = SPOKEN, **changes: Any) -> Campaign:
    """Return a voice campaign of Routee."""
    return campaign(provider="routee", channel=Channel.VOICE, message=message, **changes)


def calls(of: Campaign | None = None, **changes: Any) -> Batch:
    """Return a batch of it, with its request id and a billing step of half a minute."""
    made = of or call()
    usual: dict[str, Any] = {"request_id": ID, "step": 30, "parts": 2, "content": made.message.content()}
    return batch(**{"campaign": made, **usual, **changes})


def held(**source: Any) -> Batch:
    """Return the batch of an audience that Routee holds: at most 10 contacts for 1 EUR."""
    limits = Limits(max_cost=Money(amount=Decimal(1), currency="EUR"), max_contacts=10)
    of = call(audience=Audience(address="phone_number", country=None, **source), limits=limits)
    return calls(of, addresses=(), keys=(b"k" * 16,), parts=10, rates={"FR": Decimal("0.035"), "BE": Decimal("0.05")})


GROUPS = {"groups": ("gold", "silver")}
SCHEDULED = replace(SCHEDULE, send_at=datetime(2026, 12, 3, 10, 0, tzinfo=PARIS))
CASES: dict[str, Batch] = {
    "text": calls(),
    "transactional": calls(call(purpose=Purpose.TRANSACTIONAL, sender="33199000001")),
    "every-field": calls(call(options=EVERYTHING, schedule=SCHEDULED)),
    "recording": calls(call(RECORDED, options=replace(EVERYTHING, respect_quiet_hours=None))),
    "groups": held(**GROUPS),
    "contact-ids": held(contact_ids=("4f1c", "9a2b")),
}


def sent(of: Batch, history: History = ()) -> Request:
    found = ROUTEE.next(of, history)
    assert isinstance(found, Request)
    return found


def campaign_of(of: Batch) -> Request:
    """Return the request that calls people."""
    return sent(of, (Agreed(),) if of.campaign.audience.held else ())


def seen(status: int, body: Any = None) -> Reply:
    return Reply(status=status, headers={}, body=b"" if body is None else orjson.dumps(body))


def answered(of: Batch, *replies: Seen, before: History = ()) -> Any:
    """Return what comes after these answers to what is asked."""
    history = before
    for each in replies:
        history += (Exchange(request=sent(of, history), seen=each),)
    return ROUTEE.next(of, history)


ANALYSIS = {
    "contacts": {},
    "numberOfRecipients": 2,
    "recipientCountries": {"+33639980001": "FR", "+33639980002": "FR"},
    "recipientsPerCountry": {"FR": 2},
    "recipientsPerGroup": {},
    "totalInGroups": 0,
}
PRICES = {
    "currency": {"code": "EUR", "name": "Euro", "sign": "€"},
    "sms": [],
    "voice": [{"country": "France", "iso": "FR", "landlinePrice": 0.02, "mobilePrice": 0.07}],
}


@pytest.mark.parametrize("name", CASES)
def test_golden_wire(name: str, golden: Callable[[str, str], None]) -> None:
    of = CASES[name]
    steps = {"simulate": simulation(ROUTEE, of), "send": campaign_of(of)}
    shown = {
        step: {"request": f"{one.method} {one.path}", "effect": one.effect, "body": json.loads(one.body)}
        for step, one in steps.items()
    }
    golden(f"routee/{name}.json", json.dumps(shown, indent=2, ensure_ascii=False))
    assert check_campaign(campaign_of(of).body) == ()
    assert check_analysis(simulation(ROUTEE, of).body) == ()


def test_golden_other_calls(golden: Callable[[str, str], None]) -> None:
    sent_before = Sent(channel=Channel.VOICE, ticket="a/b c", contacts=3, ahead=timedelta(hours=1))
    found = {
        "balance": ROUTEE.balance(),
        "cancel": ROUTEE.cancel(sent_before),
        "discard": ROUTEE.discard(Channel.VOICE, "groups", ticket=TICKET),
        "token": ROUTEE.tokens.ask if ROUTEE.tokens else None,
        "calls-by-ticket": ROUTEE.evidence(lost(ticket=TICKET), ()),
        "calls-by-name": ROUTEE.evidence(lost(), ()),
    }
    shown = {
        name: {
            "request": f"{one.method} {one.path}",
            "effect": one.effect,
            "media": one.media,
            "body": one.body.decode(),
        }
        for name, one in found.items()
        if isinstance(one, Request)
    }
    assert shown.keys() == found.keys()
    golden("routee/other-calls.json", json.dumps(shown, indent=2))


def lost(**changes: Any) -> Lost:
    return Lost(**{"channel": Channel.VOICE, "request_id": ID, **changes})


@given(size=st.integers(1, 1000), digits=st.integers(0, 10**7))
def test_every_batch_keeps_the_contract(size: int, digits: int) -> None:
    addresses = tuple(f"+3363{number:07d}" for number in range(digits, digits + size))
    of = calls(addresses=addresses, keys=tuple(bytes(16) for _ in addresses))
    assert json.loads(sent(of).body)["to"] == list(addresses)


def test_a_thousand_and_one_are_too_many() -> None:
    addresses = tuple(f"+3363998{number:04d}" for number in range(1001))
    for ask in (lambda of: ROUTEE.next(of, ()), lambda of: ROUTEE.simulate(of, ())):
        with pytest.raises(InputError) as caught:
            ask(calls(addresses=addresses))
        assert "Routee's contract at `to`" in caught.value.findings[0].message
        assert "+33" not in str(caught.value.findings)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"request_id": "x" * 31}, "name"),
        ({"request_id": "naïf"}, "name"),
        ({"text": "x" * 1001}, "message.text"),
        ({"addresses": ("0639980001",)}, "to.0"),
    ],
)
def test_what_breaks_the_contract_never_becomes_a_request(changes: dict[str, Any], field: str) -> None:
    usual = {"content": replace(SPOKEN.content(), text=changes.pop("text"))} if "text" in changes else {}
    with pytest.raises(InputError) as caught:
        ROUTEE.next(calls(**{**usual, **changes}), ())
    assert f"`{field}`" in caught.value.findings[0].message


@pytest.mark.parametrize("change", [{"groups": ["gold"]}, {"fileURL": "https://x.example/a.wav"}, {"to": None}])
def test_two_audiences_or_messages_are_one_too_many(change: dict[str, Any]) -> None:
    body = {name: value for name, value in {**json.loads(sent(calls()).body), **change}.items() if value is not None}
    assert check_campaign(orjson.dumps(body))


def test_planning_reads_and_does_no_more() -> None:
    reads = [simulation(ROUTEE, calls()), ROUTEE.balance(), ROUTEE.evidence(lost(), ())]
    priced = ROUTEE.simulate(calls(), (Exchange(request=simulation(ROUTEE, calls()), seen=seen(200, ANALYSIS)),))
    for one in (*reads, priced):
        assert isinstance(one, Request)
        assert ROUTEE.may_plan(one)
        for effect in set(Effect) - {Effect.READ}:
            assert not ROUTEE.may_plan(replace(one, effect=effect))
    analysis = simulation(ROUTEE, calls())
    named = orjson.dumps({**json.loads(analysis.body), "name": ID})
    assert not ROUTEE.may_plan(replace(analysis, body=named))
    assert not ROUTEE.may_plan(replace(sent(calls()), effect=Effect.READ))
    assert not ROUTEE.may_plan(replace(ROUTEE.balance(), body=b"{}"))
    assert not ROUTEE.may_plan(replace(ROUTEE.balance(), method="DELETE"))
    assert check_search(b"[]")


# what is asked before


def test_a_simulation_counts_recipients_and_prices_them() -> None:
    found = simulated(ROUTEE, calls(), seen(200, ANALYSIS), seen(200, PRICES))
    assert found == Simulated(contacts=2, cost=Decimal("0.07"), countries={"FR": 2})


@pytest.mark.parametrize(
    "prices",
    [
        {**PRICES, "currency": {"code": "USD"}},
        {**PRICES, "voice": []},
        {"code": "400018001", "developerMessage": "no"},
    ],
)
def test_prices_that_do_not_compare_leave_the_cost_out(prices: dict[str, Any]) -> None:
    status = 400 if "code" in prices else 200
    found = simulated(ROUTEE, calls(), seen(200, ANALYSIS), seen(status, prices))
    assert found == Simulated(contacts=2, cost=None, countries={"FR": 2})


def test_people_of_no_country_have_no_price() -> None:
    analysis = {**ANALYSIS, "recipientsPerCountry": {"FR": 1, "+33639980002": 1}}
    assert simulated(ROUTEE, calls(), seen(200, analysis), seen(200, PRICES)).cost is None


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        ((seen(400, {"code": "400009004", "developerMessage": "no"}),), "refused"),
        ((seen(401),), "unauthorised"),
        ((seen(502),), "unreachable"),
        ((seen(200, {"numberOfRecipients": -1}),), "unreachable"),
        ((seen(200, {"recipientsPerCountry": {}}),), "unreachable"),
        ((Unknown(reason="lost"),), "unreachable"),
        ((seen(200, ANALYSIS), seen(503)), "unreachable"),
        ((seen(200, ANALYSIS), seen(200, {"voice": []})), "unreachable"),
        ((seen(200, ANALYSIS), seen(403)), "unauthorised"),
    ],
)
def test_a_simulation_without_figures_says_why(replies: tuple[Seen, ...], expected: str) -> None:
    found = simulated(ROUTEE, calls(), *replies)
    assert (found.contacts, found.cost) == (None, None)
    assert [name for name in ("refused", "unauthorised", "unreachable") if getattr(found, name)] == [expected]


def test_a_group_is_counted_and_priced_by_the_projects_book() -> None:
    of = held(**GROUPS)
    counted = {**ANALYSIS, "numberOfRecipients": 0, "totalInGroups": 5, "recipientsPerCountry": {"FR": 3, "BE": 1}}
    assert sent(of).effect is Effect.READ
    expected = Quote(contacts=5, cost=Decimal("0.205"), countries={"FR": 3, "BE": 1})
    assert answered(of, seen(200, counted)) == expected


def test_a_country_without_a_price_is_not_called() -> None:
    found = answered(held(**GROUPS), seen(200, {**ANALYSIS, "recipientsPerCountry": {"FR": 1, "GR": 1}}))
    assert (found.verdict, found.reason) == (Verdict.REJECTED, "the price book has no price for calls to GR")


def test_an_audience_that_nobody_counts_is_asked_about_some_times() -> None:
    of = held(**GROUPS)
    history: History = ()
    for _ in range(LOOKS - 1):
        history += (Exchange(request=sent(of, history), seen=seen(502)),)
        wait = ROUTEE.next(of, history)
        assert isinstance(wait, Wait)
        history += (Waited(seconds=wait.seconds),)
    last = answered(of, seen(502), before=history)
    assert (last.verdict, last.reason[:8]) == (Verdict.UNREACHABLE, "HTTP 502")
    empty = answered(of, seen(400, {"code": "400009004", "developerMessage": "no"}))
    assert (empty.verdict, empty.reason) == (Verdict.REJECTED, "code 400009004: the campaign has no recipients")


# what a reply proves

WHOLE: dict[str, Any] = {
    "callback": {"strategy": "OnChange", "url": "https://hooks.acme.example/calls"},
    "campaignCallback": {"strategy": "OnCompletion", "url": "https://hooks.acme.example/campaigns"},
    "campaignName": ID,
    "contacts": ["4f1c"],
    "cost": 0.07,
    "createdAt": "2026-12-01T09:00:01.395Z",
    "fileURL": "https://www.acme.example/ouverture.wav",
    "from": "ACME",
    "groups": ["gold"],
    "hangupDelay": 30,
    "message": {"gender": "female", "language": "fr-FR", "text": "Bonjour. Votre colis est arrivé."},
    "respectQuietHours": False,
    "scheduledDate": "2026-12-03T09:00:00.000+0000",
    "state": "Scheduled",
    "statuses": {"Queued": 2, "Running late": 1},
    "to": ["+33639980001", "+33639980002"],
    "trackingId": TICKET,
    "type": "Voice",
    "collectDtmfDigits": True,
    "collectDtmfAwaitSeconds": 5,
    "voiceAnalysis": {
        "contacts": {"4f1c": {"recipient": "+33639980001", "recipientCountry": "FR", "blacklisted": False}},
        "dialPlanAnalysis": {"placeholder": "+33639980001 has none"},
        "numberOfRecipients": 2,
        "recipientCountries": {"+33639980001": "FR", "+33639980002": "FR"},
        "recipientsPerCountry": {"FR": 2, "+33639980001": 1},
        "recipientsPerGroup": {"gold": 1},
        "totalInGroups": 1,
    },
}
"""An answer with every key of the documentation."""

KEYS = [*ECHOES, *KEPT, "trackingId"]


OBJECTS = ("callback", "campaignCallback", "message", "voiceAnalysis")
"""Keys whose value is told by the keys in it."""

ERRORS: dict[str, Any] = {
    "code": "400013001",
    "developerMessage": "+33639980001 is invalid",
    "property": ["+33639980001", "+33639980002"],
}
"""An error as the page of the voice campaign names its keys."""


def only(key: str) -> dict[str, Any]:
    """Return the answer with one key beside its tracking id."""
    names = key.split(".")
    value: Any = WHOLE
    for name in names:
        value = value[name]
    for name in reversed(names):
        value = {name: value}
    return {"trackingId": TICKET, **value}


def accepted(body: dict[str, Any], of: Batch | None = None) -> Outcome:
    found = answered(of or CASES["every-field"], seen(200, body))
    assert isinstance(found, Outcome)
    return found


@pytest.mark.parametrize("key", [*KEYS, *OBJECTS])
def test_golden_keys_of_the_answer(key: str, golden: Callable[[str, str], None]) -> None:
    of = CASES["recording"] if key == "fileURL" else CASES["every-field"]
    outcome = accepted(only(key), of)
    assert outcome.verdict is Verdict.ACCEPTED
    assert outcome.receipt is not None
    receipt = outcome.receipt
    told = {
        "answer": only(key),
        "receipt": {
            "ticket": receipt.ticket,
            "contacts": receipt.contacts,
            "cost": None if receipt.cost is None else str(receipt.cost),
            **receipt.details,
        },
    }
    golden(f"routee/keys/{key}.json", json.dumps(told, indent=2, ensure_ascii=False))
    assert "+33" not in json.dumps(told["receipt"])
    assert key == "trackingId" or any(kept == key or kept.startswith(f"{key}.") for kept in receipt.details)


def test_every_key_of_an_answer_is_kept_and_nobodys_number() -> None:
    outcome = accepted(WHOLE)
    assert outcome.receipt is not None
    assert outcome.receipt.details.keys() == set(KEYS) - {"trackingId"}
    assert "+33" not in str(outcome.receipt)
    assert outcome.receipt.details["message.text"] == AS_SENT
    assert outcome.receipt.details["fileURL"] == DIFFERS
    assert outcome.receipt.details["scheduledDate"] == AS_SENT


def test_unknown_words_are_counted_and_not_kept() -> None:
    strange = {"trackingId": TICKET, "state": "+33639980001", "createdAt": "soon", "statuses": 3, "new": 1, "newer": 2}
    outcome = accepted(strange)
    assert outcome.receipt is not None
    kept = outcome.receipt.details
    assert (kept["state"], kept["createdAt"], kept["statuses"], kept["other_fields"]) == (ANOTHER, ANOTHER, "0", "2")


@pytest.mark.parametrize(
    ("seen_", "verdict", "told"),
    [
        (seen(200, {"trackingId": TICKET}), Verdict.ACCEPTED, ""),
        (seen(201, {"trackingId": TICKET, "code": None}), Verdict.ACCEPTED, ""),
        (seen(200, {"trackingId": TICKET, "cost": 0}), Verdict.ACCEPTED, ""),
        (seen(200, {}), Verdict.IN_DOUBT, "names no tracking id"),
        (seen(200, {"trackingId": ""}), Verdict.IN_DOUBT, "names no tracking id"),
        (seen(200, {"trackingId": 7}), Verdict.IN_DOUBT, "names no tracking id"),
        (seen(200, {"trackingId": "a\nb"}), Verdict.IN_DOUBT, "one line"),
        (seen(200, {"trackingId": TICKET, "cost": -1}), Verdict.IN_DOUBT, "negative"),
        (seen(200, {"trackingId": TICKET, "statuses": {"Queued": 1.5}}), Verdict.IN_DOUBT, "whole"),
        (seen(200, {"trackingId": TICKET, "code": "400005000"}), Verdict.IN_DOUBT, "undocumented shape"),
        (Reply(status=200, headers={}, body=b'{"trackingId": "x", "cost": NaN}'), Verdict.IN_DOUBT, "JSON"),
        (seen(400, {"code": "400005000", "developerMessage": "x"}), Verdict.REJECTED, "no recipients"),
        (seen(400, {"code": 400005000, "developerMessage": "x"}), Verdict.REJECTED, "no recipients"),
        (seen(400, {"code": "400013777", "developerMessage": "x"}), Verdict.REJECTED, "code 400013777"),
        (seen(400, {"code": "12", "developerMessage": "x"}), Verdict.IN_DOUBT, "undocumented shape"),
        (seen(400, {"code": "400005000"}), Verdict.IN_DOUBT, "undocumented shape"),
        (seen(400, {"message": "no"}), Verdict.IN_DOUBT, "HTTP 400"),
        (seen(400, {"code": "400001009", "developerMessage": "x"}), Verdict.REFUSED, "balance"),
        (seen(404, {"code": "404003001", "developerMessage": "x"}), Verdict.REFUSED, "the user is not found"),
        (seen(404, {"code": "404002001", "developerMessage": "x"}), Verdict.REJECTED, "contact id"),
        (seen(404), Verdict.IN_DOUBT, "HTTP 404"),
        (seen(409, {"code": "409009003", "developerMessage": "x"}), Verdict.DUPLICATE, "name exists"),
        (seen(401), Verdict.REFUSED, "credentials"),
        (seen(403, {"code": "403000001", "developerMessage": "x"}), Verdict.REFUSED, "credentials"),
        (seen(500), Verdict.IN_DOUBT, "HTTP 500"),
        (Unknown(reason="lost"), Verdict.IN_DOUBT, "lost"),
    ],
)
def test_what_an_answer_means(seen_: Seen, verdict: Verdict, told: str) -> None:
    found = answered(calls(), seen_)
    assert isinstance(found, Outcome)
    assert (found.verdict, told in found.reason) == (verdict, True), found.reason


def test_invalid_recipients_are_counted_and_not_named() -> None:
    errors = [{"code": "400013001", "developerMessage": "+33639980001", "property": ["+33639980001", "+33639980002"]}]
    for body in ({"errors": errors}, {"errors": errors[0]}, {**errors[0]}):
        found = answered(calls(), seen(400, body))
        assert (found.verdict, found.reason) == (Verdict.REJECTED, "code 400013001; 2 invalid recipients")
        assert found.hint == UNLISTED
    alone = {"code": "400013001", "developerMessage": "x", "property": "+33639980001"}
    assert answered(calls(), seen(400, alone)).reason == "code 400013001; 1 invalid recipient"


@pytest.mark.parametrize("key", ERRORS)
def test_golden_keys_of_an_error(key: str, golden: Callable[[str, str], None]) -> None:
    """Each beside the two that make it an error of a known shape."""
    error = {name: ERRORS[name] for name in ERRORS if name in ("code", "developerMessage", key)}
    found = answered(calls(), seen(400, {"errors": [error]}))
    told = {"answer": {"errors": [error]}, "verdict": found.verdict, "reason": found.reason, "hint": found.hint}
    golden(f"routee/keys/errors.{key}.json", json.dumps(told, indent=2))
    assert "+33" not in found.reason + found.hint


def test_every_code_has_a_hint(golden: Callable[[str, str], None]) -> None:
    told = {}
    for code, of in CODES.items():
        found = answered(calls(), seen(code // 1_000_000, {"code": str(code), "developerMessage": "x"}))
        told[str(code)] = {"verdict": found.verdict, "reason": found.reason, "hint": found.hint}
        assert of.meaning in found.reason
    golden("routee/codes.json", json.dumps(told, indent=2))


def test_an_unusable_answer_keeps_its_ticket_for_evidence() -> None:
    found = answered(calls(), seen(200, {"trackingId": TICKET, "cost": -1}))
    assert found.receipt is not None
    assert found.receipt.ticket == TICKET


def test_more_than_was_given_or_reserved_is_told() -> None:
    dear = {"trackingId": TICKET, "cost": 99, "voiceAnalysis": {"numberOfRecipients": 3}}
    assert "3 contacts accepted, 2 sent; 99 EUR charged" in accepted(dear, calls()).excess


def test_what_cannot_have_arrived_is_sent_again_under_its_name() -> None:
    wait = answered(calls(), NotSent(reason="no route"))
    assert isinstance(wait, Wait)
    again = (Exchange(request=sent(calls()), seen=NotSent(reason="no route")), Waited(seconds=1))
    assert sent(calls(), again) == sent(calls())


# evidence


def looked(of: Lost, *replies: Seen) -> Outcome:
    answered: tuple[Exchange, ...] = ()
    for each in replies:
        step = ROUTEE.evidence(of, answered)
        assert isinstance(step, Request)
        assert step.effect is Effect.READ
        answered += (Exchange(request=step, seen=each),)
    found = ROUTEE.evidence(of, answered)
    assert isinstance(found, Outcome)
    return found


def page(*names: str, total: int | None = None) -> Reply:
    content = [{"messageId": "m", "to": "+33639980001", "campaign": name} for name in names]
    return seen(200, {"content": content, "totalElements": len(names) if total is None else total})


def test_calls_by_its_name_prove_a_campaign() -> None:
    found = looked(lost(), page(ID, ID, total=250))
    assert (found.verdict, found.reason) == (Verdict.ACCEPTED, "Routee's records have 250 calls of it")
    assert found.receipt is not None
    assert found.receipt.ticket == ""


def test_calls_of_others_prove_nothing() -> None:
    found = looked(lost(), page("another", "a third"))
    assert (found.verdict, found.reason.endswith("have no call of it")) == (Verdict.IN_DOUBT, True)
    assert looked(lost(), page("another", ID, total=9)).reason == "Routee's records have 1 calls of it"


def test_calls_under_its_ticket_prove_a_campaign() -> None:
    found = looked(lost(ticket=TICKET), page("its name is not looked at", total=3))
    assert found.receipt is not None
    assert (found.verdict, found.receipt.ticket) == (Verdict.ACCEPTED, TICKET)
    assert looked(lost(ticket=TICKET), page(), page(ID)).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize("answer", [page(), seen(500), seen(401), seen(200, {"content": {}}), Unknown(reason="lost")])
def test_no_record_leaves_the_doubt(answer: Seen) -> None:
    assert looked(lost(), answer).verdict is Verdict.IN_DOUBT


# cancel, balance, credentials


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (seen(200), Verdict.ACCEPTED),
        (seen(204), Verdict.ACCEPTED),
        (seen(200, {}), Verdict.ACCEPTED),
        (seen(200, {"code": "400009002", "developerMessage": "x"}), Verdict.REJECTED),
        (seen(400, {"code": "400009002", "developerMessage": "x"}), Verdict.REJECTED),
        (seen(404), Verdict.REJECTED),
        (seen(202, {}), Verdict.IN_DOUBT),
        (seen(200, []), Verdict.IN_DOUBT),
        (seen(500), Verdict.IN_DOUBT),
        (seen(401), Verdict.REFUSED),
        (seen(429), Verdict.UNREACHABLE),
        (NotSent(reason="no route"), Verdict.UNREACHABLE),
        (Unknown(reason="lost"), Verdict.IN_DOUBT),
    ],
)
def test_what_the_answer_to_a_cancel_means(answer: Seen, verdict: Verdict) -> None:
    assert ROUTEE.cancelled(answer).verdict is verdict


def test_what_left_at_once_is_not_cancelled() -> None:
    found = ROUTEE.cancel(Sent(channel=Channel.VOICE, ticket=TICKET, contacts=3, ahead=None))
    assert isinstance(found, Outcome)
    assert found.verdict is Verdict.REJECTED


def test_the_balance_is_exact() -> None:
    content = b'{"balance": 12.54000001, "currency": {"code": "EUR", "name": "Euro", "sign": "x"}}'
    money = ROUTEE.read_balance(Reply(status=200, headers={}, body=content))
    assert money == Money(amount=Decimal("12.54000001"), currency="EUR")
    for broken in ({"balance": 1}, {"currency": {"code": "EUR"}}, {"balance": 1, "currency": "EUR"}):
        found = ROUTEE.read_balance(seen(200, broken))
        assert isinstance(found, Outcome)
        assert found.verdict is Verdict.UNREACHABLE


def test_credentials_ask_for_a_token() -> None:
    credentials = {"application_id": "5c1", "application_secret": "s3cret"}
    assert ROUTEE.login(credentials) == "5c1"
    assert ROUTEE.headers(credentials) == {"authorization": "Basic NWMxOnMzY3JldA=="}
    with pytest.raises(Refused, match=r"providers\.routee\.application_secret") as caught:
        ROUTEE.headers({**credentials, "application_secret": "s3cret\n"})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "token"),
    [
        ({"access_token": "12dc9fe4-7df4", "token_type": "bearer", "expires_in": 3600}, "12dc9fe4-7df4"),
        ({"access_token": ""}, None),
        ({"access_token": 7}, None),
        ({"access_token": "a b"}, None),
        ({"access_token": "a\r\nx: y"}, None),
        ({}, None),
        ([], None),
    ],
)
def test_a_token_becomes_a_header_if_one_can_carry_it(body: Any, token: str | None) -> None:
    assert ROUTEE.tokens is not None
    expected = {"authorization": f"Bearer {token}"} if token else None
    assert ROUTEE.tokens.read(seen(200, body)) == expected


# what it cannot do


def test_it_calls_and_does_no_more() -> None:
    assert ROUTEE.check(call()) == ()
    rules = [found.rule for found in ROUTEE.check(campaign(provider="routee", channel=Channel.SMS))]
    assert rules == ["wrong-value"]


def test_what_octopush_alone_has_is_refused() -> None:
    source = Audience(address="phone_number", country=None, list_="clients")
    found = ROUTEE.check(call(audience=source, options=Options(list_name="x")))
    assert [one.path for one in found] == [("audience", "list"), ("options", "list_name")]


def test_a_call_needs_a_sender_and_a_language_of_its_voices() -> None:
    (missing,) = ROUTEE.check(call(sender=None))
    assert (missing.rule, missing.path) == ("sender-shape", ("sender",))
    assert ROUTEE.check(call(replace(SPOKEN, language="bg-BG"))) == ()
    (found,) = ROUTEE.check(call(replace(SPOKEN, language="fr-CA")))
    assert found.rule == "voice-language"


def test_scheduled_dates_are_in_utc() -> None:
    body = json.loads(sent(CASES["every-field"]).body)
    assert body["scheduledDate"] == "2026-12-03T09:00:00Z"
    assert datetime.fromisoformat(body["scheduledDate"]) == datetime(2026, 12, 3, 9, tzinfo=UTC)


def test_an_answer_of_analysis_is_read_exactly() -> None:
    assert answers.analysed(seen(200, ANALYSIS)).countries == {"FR": 2}
    assert answers.price_list(seen(200, {**PRICES, "voice": [7, {"iso": "FR"}]})).mobile == {}
