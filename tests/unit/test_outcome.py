"""The outcome table, row by row, and the order of its rows."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns import batch
from octoplan.core.model import (
    Doubted,
    Effect,
    Exchange,
    NotSent,
    Outcome,
    Receipt,
    Reply,
    Request,
    Seen,
    Unknown,
    Verdict,
    Wait,
    Waited,
)
from octoplan.core.outcome import RATE_LIMITS, Answer, consult, judge, pause, told_at

SEND = Request(method="POST", path="/send", effect=Effect.SEND, body=b"{}")
ACCEPTED = Answer(receipt=Receipt(ticket="t1", contacts=2, cost=Decimal("0.10")))
REJECTED = Answer(rejected=True, reason="code 121", hint="add the mention")
STOPS = Answer(rejected=True, stops=True, reason="code 104", hint="top up")
DUPLICATE = Answer(duplicate=True, reason="code 120")
NOTHING = Answer(reason="not JSON")
LOST, UNREACHED = Unknown(reason="connection broke"), NotSent(reason="refused")


def reply(status: int, **headers: str) -> Reply:
    return Reply(status=status, headers=headers, body=b"")


def judged(*seen: Seen, answer: Answer = NOTHING, answers: dict[int, Answer] | None = None) -> Outcome | Wait:
    """Judge a history; `answers` by status, `answer` for the others."""
    history = tuple(Exchange(request=SEND, seen=each) for each in seen)
    return judge(batch(), history, read=lambda found: (answers or {}).get(found.status, answer))


def verdict(*seen: Seen, **how: Any) -> Verdict | float:
    found = judged(*seen, **how)
    return found.seconds if isinstance(found, Wait) else found.verdict


@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        (400, DUPLICATE, Verdict.DUPLICATE),
        (401, DUPLICATE, Verdict.DUPLICATE),  # rows are tried from the top
        (500, DUPLICATE, Verdict.DUPLICATE),
        (200, DUPLICATE, Verdict.DUPLICATE),
        (401, NOTHING, Verdict.REFUSED),
        (403, REJECTED, Verdict.REFUSED),
        (403, ACCEPTED, Verdict.REFUSED),
        (429, REJECTED, 30.0),
        (408, REJECTED, Verdict.IN_DOUBT),
        (301, ACCEPTED, Verdict.IN_DOUBT),
        (307, NOTHING, Verdict.IN_DOUBT),
        (500, REJECTED, Verdict.IN_DOUBT),
        (502, NOTHING, Verdict.IN_DOUBT),
        (503, ACCEPTED, Verdict.IN_DOUBT),
        (999, ACCEPTED, Verdict.IN_DOUBT),
        (400, REJECTED, Verdict.REJECTED),
        (422, REJECTED, Verdict.REJECTED),
        (499, REJECTED, Verdict.REJECTED),
        (400, STOPS, Verdict.REFUSED),
        (200, ACCEPTED, Verdict.ACCEPTED),
        (201, ACCEPTED, Verdict.ACCEPTED),
        (299, ACCEPTED, Verdict.ACCEPTED),
        (404, NOTHING, Verdict.IN_DOUBT),
        (400, ACCEPTED, Verdict.IN_DOUBT),
        (200, REJECTED, Verdict.IN_DOUBT),
        (204, NOTHING, Verdict.IN_DOUBT),
        (101, ACCEPTED, Verdict.IN_DOUBT),
        (199, REJECTED, Verdict.IN_DOUBT),
    ],
)
def test_a_row_of_the_table(status: int, answer: Answer, expected: Verdict | float) -> None:
    assert verdict(reply(status), answer=answer) == expected


@given(status=st.integers(-5, 1200), answer=st.sampled_from([NOTHING, REJECTED, STOPS, Answer()]))
def test_nothing_but_a_receipt_in_a_2xx_is_ever_accepted(status: int, answer: Answer) -> None:
    assert verdict(reply(status), answer=answer) not in (Verdict.ACCEPTED, Verdict.DUPLICATE)


def test_reason_and_hint_reach_the_person() -> None:
    found = judged(reply(400), answer=REJECTED)
    assert found == Outcome(verdict=Verdict.REJECTED, reason="code 121", hint="add the mention")
    assert judged(reply(502)) == Outcome(verdict=Verdict.IN_DOUBT, reason="HTTP 502: not JSON")
    assert judged(reply(404), answer=Answer()) == Outcome(verdict=Verdict.IN_DOUBT, reason="HTTP 404")
    assert judged(LOST) == Outcome(verdict=Verdict.IN_DOUBT, reason="connection broke")


def test_a_connection_is_tried_again_five_times_ever_later_then_given_up() -> None:
    waits = [verdict(*[UNREACHED] * tries) for tries in range(1, 6)]
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0]
    last = judged(*[UNREACHED] * 6)
    assert isinstance(last, Outcome)
    assert (last.verdict, last.reason) == (Verdict.UNREACHABLE, "refused")


def test_a_rate_limit_between_does_not_renew_the_retries() -> None:
    limited = reply(429)
    assert verdict(*[UNREACHED] * 5, limited, UNREACHED) is Verdict.UNREACHABLE


def test_a_provider_that_limits_for_ever_is_given_up() -> None:
    assert verdict(*[reply(429)] * RATE_LIMITS) == 30.0
    assert verdict(*[reply(429)] * (RATE_LIMITS + 1)) is Verdict.UNREACHABLE


def test_waits_that_have_passed_are_no_exchanges() -> None:
    history = (Exchange(request=SEND, seen=UNREACHED), Waited(seconds=1), Exchange(request=SEND, seen=reply(200)))
    found = judge(batch(), history, read=lambda _: ACCEPTED)
    assert isinstance(found, Outcome)
    assert found.verdict is Verdict.ACCEPTED


FURTHER = pytest.mark.parametrize(
    ("then", "answer", "expected"),
    [
        (reply(200), ACCEPTED, Verdict.ACCEPTED),
        (reply(400), DUPLICATE, Verdict.DUPLICATE),
        (reply(400), REJECTED, Verdict.IN_DOUBT),
        (reply(401), NOTHING, Verdict.IN_DOUBT),
        (reply(429), NOTHING, Verdict.IN_DOUBT),
        (UNREACHED, NOTHING, Verdict.IN_DOUBT),
        (LOST, NOTHING, Verdict.IN_DOUBT),
    ],
)


@pytest.mark.parametrize("doubt", [LOST, reply(500), reply(302)])
@FURTHER
def test_only_acceptance_or_a_duplicate_closes_an_earlier_doubt(
    doubt: Seen, then: Seen, answer: Answer, expected: Verdict
) -> None:
    status = then.status if isinstance(then, Reply) else -1
    assert verdict(doubt, then, answers={status: answer}) is expected


@FURTHER
def test_the_same_closes_the_doubt_of_another_run(then: Seen, answer: Answer, expected: Verdict) -> None:
    found = judge(batch(), (Doubted(), Exchange(request=SEND, seen=then)), read=lambda _: answer)
    assert isinstance(found, Outcome)
    assert found.verdict is expected


def test_the_moment_of_a_reply_is_its_date() -> None:
    assert told_at(reply(200, date="Thu, 03 Dec 2026 12:00:00 GMT")) == datetime(2026, 12, 3, 12, tzinfo=UTC)
    assert [told_at(seen) for seen in (LOST, UNREACHED, reply(200), reply(200, date="soon"))] == [None] * 4


def test_an_earlier_definite_answer_is_no_doubt() -> None:
    assert verdict(reply(429), reply(400), answers={400: REJECTED}) is Verdict.REJECTED


def compared(**receipt: Any) -> Outcome:
    found = judged(reply(200), answer=Answer(receipt=Receipt(ticket="t1", **receipt)))
    assert isinstance(found, Outcome)
    assert found.verdict is Verdict.ACCEPTED
    return found


def test_fewer_contacts_are_accepted_and_nobody_is_sent_again() -> None:
    found = compared(contacts=1, details={"message_length": "6"})
    assert found.receipt is not None
    assert (found.receipt.contacts, found.receipt.fewer(2), found.excess) == (1, 1, "")


@pytest.mark.parametrize(("contacts", "fewer"), [(None, 0), (0, 3), (2, 1), (3, 0), (4, 0)])
def test_who_was_not_taken_is_counted_where_the_provider_counts(contacts: int | None, fewer: int) -> None:
    assert Receipt(ticket="t1", contacts=contacts).fewer(3) == fewer


def test_more_contacts_or_a_dearer_batch_are_accepted_and_named() -> None:
    found = compared(contacts=3, cost=Decimal("0.11"))
    assert found.excess == "3 contacts accepted, 2 sent; 0.11 EUR charged, 0.10 reserved"


def test_a_receipt_without_figures_is_compared_with_nothing() -> None:
    assert compared() == Outcome(verdict=Verdict.ACCEPTED, receipt=Receipt(ticket="t1"))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 30.0),
        ({"retry-after": "120"}, 120.0),
        ({"retry-after": " 7 "}, 7.0),
        ({"retry-after": "0"}, 1.0),
        ({"retry-after": "86400"}, 900.0),
        ({"retry-after": "9" * 5000}, 900.0),
        ({"retry-after": "-5"}, 30.0),
        ({"retry-after": "1.5"}, 30.0),
        ({"retry-after": "٣"}, 30.0),
        ({"retry-after": "soon"}, 30.0),
        ({"retry-after": "Sat, 21 Nov 2026 10:02:00 GMT", "date": "Sat, 21 Nov 2026 10:00:00 GMT"}, 120.0),
        ({"retry-after": "Sat, 21 Nov 2026 10:02:00", "date": "Sat, 21 Nov 2026 10:00:00 GMT"}, 120.0),
        ({"retry-after": "Sat, 21 Nov 2026 10:00:00 GMT", "date": "Sat, 21 Nov 2026 10:00:00 GMT"}, 1.0),
        ({"retry-after": "Sat, 21 Nov 2020 10:00:00 GMT", "date": "Sat, 21 Nov 2026 10:00:00 GMT"}, 1.0),
        ({"retry-after": "Sat, 21 Nov 2027 10:00:00 GMT", "date": "Sat, 21 Nov 2026 10:00:00 GMT"}, 900.0),
        ({"retry-after": "Sat, 21 Nov 2026 10:02:00 GMT"}, 30.0),
        (
            {"retry-after": "Thu, 01 Jan 2026 00:00:00 +99999999999999999", "date": "Sat, 21 Nov 2026 10:00:00 GMT"},
            30.0,
        ),
        ({"retry-after": "120", "date": "Thu, 01 Jan 2026 00:00:00 -99999999999999999"}, 120.0),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 -2359", "date": "Mon, 01 Jan 0001 00:00:00 +2359"}, 900.0),
        ({"retry-after": "Mon, 01 Jan 0001 00:00:00 +2359", "date": "Fri, 31 Dec 9999 23:59:59 -2359"}, 1.0),
        ({"retry-after": "٢١ Nov 2026 10:02:00 GMT", "date": "Sat, 21 Nov 2026 10:00:00 GMT"}, 120.0),
        ({"retry-after": "Sat, 99 Nov 2026 10:02:00 GMT", "date": "Sat, 21 Nov 2026 10:00:00 GMT"}, 30.0),
    ],
)
def test_every_form_of_retry_after(headers: dict[str, str], seconds: float) -> None:
    assert pause(headers) == seconds


PIECES = (
    "Thu, 01 Jan 2026 9999 0001 00:00:00 24:00:60 1:2 GMT -2359 +2400 -5 ٣ ² 1e5 ( \0 +99999999999999999 -9999999999"
)
HOSTILE = st.lists(st.sampled_from([*PIECES.split(), "9" * 5000]) | st.integers().map(str), max_size=7).map(" ".join)
"""Pieces of dates and of what is none."""


@given(HOSTILE | st.text(), HOSTILE | st.text())
def test_a_pause_is_always_between_a_second_and_a_quarter_of_an_hour(after: str, date: str) -> None:
    assert 1 <= pause({"retry-after": after, "date": date}) <= 900


@pytest.mark.parametrize(
    ("seen", "answer", "expected"),
    [
        (reply(400), REJECTED, Verdict.REJECTED),
        (reply(400), STOPS, Verdict.REJECTED),
        (reply(200), REJECTED, Verdict.REJECTED),  # an older habit: the error in a 200
        (reply(401), NOTHING, Verdict.REFUSED),
        (reply(429), REJECTED, Verdict.UNREACHABLE),
        (reply(502), REJECTED, Verdict.UNREACHABLE),
        (reply(302), ACCEPTED, Verdict.UNREACHABLE),
        (reply(200), NOTHING, Verdict.UNREACHABLE),
        (reply(400), DUPLICATE, Verdict.UNREACHABLE),
        (UNREACHED, NOTHING, Verdict.UNREACHABLE),
        (LOST, NOTHING, Verdict.UNREACHABLE),
    ],
)
def test_a_question_is_never_in_doubt(seen: Seen, answer: Answer, expected: Verdict) -> None:
    found = consult(seen, lambda _: answer)
    assert isinstance(found, Outcome)
    assert found.verdict is expected
    assert found.reason


def test_a_question_is_answered_by_figures() -> None:
    assert consult(reply(200), lambda _: ACCEPTED) == ACCEPTED.receipt
