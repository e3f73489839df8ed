from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from ledgers import NOON, REJECTED, SENT, UNKNOWN, UNREACHABLE, World, people, quick_folder

from octoplan.core.errors import InDoubt, Refused, Unfinished
from octoplan.core.model import Receipt
from octoplan.ledger import BatchState, Settlement, attempts
from octoplan.ledger.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Iterator

QUIET = timedelta(minutes=12)


@pytest.fixture
def world() -> Iterator[World]:
    with quick_folder() as folder:
        world = World(folder / "ledger.db")
        yield world
        world.ledger.close()


@pytest.fixture
def run(world: World) -> str:
    run = world.plan("p1")
    world.reserve(run, "p1", (1, 2, 3), (4,))
    return run


def test_a_batch_is_claimed_once(world: World, run: str) -> None:
    assert world.claim(run, "noel/1/1")
    assert world.claim(run, "noel/1/1") is None
    assert world.claim(run, "noel/1/9") is None
    row = world.batch("noel/1/1")
    assert (row.state, row.alive, row.request_id, row.payload_hash) == ("claimed", True, "request", "h")
    assert (row.claimed_at, row.receipt, row.ticket) == (NOON, None, "")


def test_the_first_claim_closes_the_edition(world: World, run: str) -> None:
    world.claim(run, "noel/1/1")
    edition = world.ledger.edition("noel", 1)
    assert (edition.closed, edition.spec) == (True, '{"by": "p1"}')
    world.claim(run, "noel/1/2")
    assert [what for what, _batch, _reason in world.events()][-2:] == ["claimed", "claimed"]


def test_a_closed_run_claims_nothing(world: World, run: str) -> None:
    world.ledger.close_run(run)
    with pytest.raises(LookupError):
        world.claim(run, "noel/1/1")
    assert world.states() == ["reserved", "reserved"]


def test_a_claim_that_is_there_although_its_commit_failed_is_withdrawn(
    world: World, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = world.ledger._connection

    def failing(operation: Any) -> None:
        Connection.write(link, operation)
        monkeypatch.undo()
        raise Refused("disk I/O error", reason="ledger-unwritable")

    monkeypatch.setattr(link, "write", failing)
    with pytest.raises(Refused):
        world.claim(run, "noel/1/1")
    assert (world.batch("noel/1/1").state, world.batch("noel/1/1").reason) == ("not_sent", "claim-failed")
    assert world.events()[-1] == ("not-sent", "noel/1/1", "claim-failed")


def test_a_claim_that_is_not_there_is_not_withdrawn(world: World, run: str) -> None:
    attempts_before = world.events()
    world.ledger._write(lambda tx: attempts.withdraw(tx, run, batch_id="noel/1/1"))
    assert world.events() == attempts_before


def test_dropped_people_move_to_a_released_batch(world: World, run: str) -> None:
    assert world.claim(run, "noel/1/1", 2)
    kept, dropped = world.batch("noel/1/1"), world.batch("noel/1/3")
    assert (kept.count, kept.parts, kept.worst) == (2, 2, Decimal(3))
    assert (dropped.state, dropped.count, dropped.parts, dropped.worst) == ("released", 1, 1, Decimal(0))
    edition = world.ledger.edition("noel", 1)
    assert people(edition.held()) == [1, 3]
    assert people(edition.members()) == [1, 2, 3, 4]
    assert [people(row.keys) for row in world.reserve(run, "p1", (2, 4))] == [[4], [2]]
    assert world.ledger.check() == ()


def test_a_batch_of_nobody_is_released(world: World, run: str) -> None:
    assert world.claim(run, "noel/1/1", 1, 2, 3) is None
    row = world.batch("noel/1/1")
    assert (row.state, row.claimed_at, row.count) == ("released", None, 3)
    assert not world.ledger.edition("noel", 1).closed
    assert [row.generation for row in world.reserve(run, "p1", (1,), (4,))] == [1, 1]


def test_a_stranger_cannot_be_dropped(world: World, run: str) -> None:
    with pytest.raises(ValueError, match="not in the batch"):
        world.claim(run, "noel/1/1", 9)
    assert world.states() == ["reserved", "reserved"]


def test_what_the_provider_answered_is_kept(world: World, run: str) -> None:
    receipt = Receipt(
        ticket="sms_1", contacts=2, parts=4, cost=Decimal("3.5"), credit=Decimal("96.500"), details={"code": "000"}
    )
    attempt = world.claim(run, "noel/1/1")
    assert attempt is not None
    world.clock.advance(seconds=2)
    excess = world.ledger.settle(attempt, Settlement(state=BatchState.ACCEPTED, receipt=receipt))
    row = world.batch("noel/1/1")
    assert excess == Decimal("0.5")
    assert (row.state, row.receipt, row.charged) == ("accepted", receipt, Decimal("3.5"))
    assert (row.settled_at, row.alive) == (NOON + timedelta(seconds=2), True)


@pytest.mark.parametrize("cost", [None, Decimal("NaN"), Decimal("Infinity"), Decimal(-1)])
def test_a_charge_that_is_no_amount_counts_as_the_worst(world: World, run: str, cost: Decimal | None) -> None:
    receipt = Receipt(ticket="", cost=cost)
    attempt = world.claim(run, "noel/1/2")
    assert attempt is not None
    assert world.ledger.settle(attempt, Settlement(state=BatchState.ACCEPTED, receipt=receipt)) == 0
    assert world.batch("noel/1/2").charged is None
    (summary,) = world.ledger.campaigns()
    assert (summary.without_ticket, summary.charged, summary.open) == (1, {}, {"EUR": Decimal(4)})
    assert world.ledger.edition("noel", 1).cost == Decimal(1)


def test_only_an_outcome_settles() -> None:
    with pytest.raises(ValueError, match="released"):
        Settlement(state=BatchState.RELEASED)


def test_a_bug_that_keeps_an_outcome_from_being_recorded_does_not_lose_it(world: World) -> None:
    with pytest.raises(InDoubt, match="t-1") as raised:
        world.ledger.settle("nothing", SENT)
    assert isinstance(raised.value.__cause__, LookupError)


def test_an_attempt_is_renewed_while_it_is_ours(world: World, run: str) -> None:
    attempt = world.claim(run, "noel/1/1")
    assert attempt is not None
    world.ledger.renew(attempt, NOON + timedelta(minutes=5))
    world.ledger.settle(attempt, UNREACHABLE)
    with pytest.raises(InDoubt) as caught:
        world.ledger.renew(attempt, NOON + timedelta(minutes=9))
    assert caught.value.reason == "attempt-lost"


def test_an_earlier_attempt_is_the_same_request_of_the_same_batch(world: World, run: str) -> None:
    attempt = world.claim(run, "noel/1/1")
    assert attempt is not None
    assert not world.ledger.earlier(attempt)
    columns = (
        "batch, run, request_id, payload_hash, generation, claimed_at, deadline, silent_at, state, reason, details"
    )
    copy = f"INSERT INTO attempts (id, {columns}) SELECT 'second', {columns} FROM attempts"  # noqa: S608  our own words
    world.ledger._write(lambda tx: tx.change(copy))
    assert world.ledger.earlier(attempt)
    world.ledger._write(lambda tx: tx.change("UPDATE attempts SET payload_hash = 'x' WHERE id = 'second'"))
    assert not world.ledger.earlier(attempt)


def test_a_person_decides_that_it_was_sent(world: World, run: str) -> None:
    world.send(run, "noel/1/1", UNKNOWN)
    assert [row.id for row in world.ledger.in_doubt()] == ["noel/1/1"]
    world.ledger.decide("noel/1/1", sent=True, actor="ada", reason="she has it", quiet=QUIET)
    row = world.batch("noel/1/1")
    assert (row.state, row.ticket, row.reason) == ("accepted", "", "decided by ada")
    assert world.ledger.in_doubt() == ()
    events = world.ledger._read(lambda tx: tx.rows("SELECT actor, reason FROM events WHERE what = 'decided-sent'"))
    assert [tuple(event) for event in events] == [("ada", "she has it")]


def test_not_sent_is_decided_after_the_quiet_time_only(world: World, run: str) -> None:
    attempt = world.claim(run, "noel/1/1")
    assert attempt is not None
    world.clock.advance(seconds=10)
    world.ledger.settle(attempt, UNKNOWN)
    world.clock.advance(minutes=12, microseconds=-1)
    with pytest.raises(Unfinished, match="until 2026-12-03 12:12:11 UTC:") as caught:
        world.ledger.decide("noel/1/1", sent=False, actor="ada", reason="not in the log", quiet=QUIET)
    assert caught.value.reason == "quiet-time"
    world.clock.advance(microseconds=1)
    world.ledger.decide("noel/1/1", sent=False, actor="ada", reason="not in the log", quiet=QUIET)
    assert [people(row.keys) for row in world.reserve(run, "p1", (1, 2, 3), (4,))] == [[4], [1, 2, 3]]
    assert world.batch("noel/1/3").generation == 2


def test_only_what_is_in_doubt_is_decided(world: World, run: str) -> None:
    world.send(run, "noel/1/1")
    world.send(run, "noel/1/2", UNKNOWN)
    for batch, reason, word in (
        ("noel/1/1", "so", "batch-not-in-doubt"),
        ("noel/1/9", "so", "batch-unknown"),
        ("noel/1/2", " ", "reason-missing"),
    ):
        with pytest.raises(Refused) as caught:
            world.ledger.decide(batch, sent=True, actor="ada", reason=reason, quiet=QUIET)
        assert caught.value.reason == word


def test_an_answer_after_a_decision_is_written_down_and_raised(world: World, run: str) -> None:
    attempt = world.claim(run, "noel/1/1")
    assert attempt is not None
    other = world.reopened()
    world.ledger._write(lambda tx: tx.change("UPDATE runs SET ended_at = ?", tx.at))
    other.decide("noel/1/1", sent=False, actor="ada", reason="sure", quiet=timedelta(0))
    other.close()
    with pytest.raises(InDoubt) as caught:
        world.ledger.settle(attempt, SENT)
    assert caught.value.reason == "attempt-closed"
    assert world.states()[0] == "not_sent"
    assert world.events()[-1] == ("late-answer", "noel/1/1", "accepted, but the attempt is decided: ")


def test_status_adds_up(world: World, run: str) -> None:
    world.send(run, "noel/1/1")
    world.send(run, "noel/1/2", REJECTED)
    (summary,) = world.ledger.campaigns()
    assert (summary.campaign, summary.edition, summary.closed) == ("noel", 1, True)
    assert summary.contacts == {BatchState.ACCEPTED: 3, BatchState.NOT_SENT: 1}
    assert summary.batches == {BatchState.ACCEPTED: 1, BatchState.NOT_SENT: 1}
    assert summary.without_ticket == 0
    assert (summary.charged, summary.open) == ({"EUR": Decimal("0.10")}, {})
    assert summary.approved == {"EUR": Decimal(100)}
    assert people(world.ledger.edition("noel", 1).rejected()) == [4]


def test_what_was_approved_is_what_earlier_plans_spent_and_the_worst_of_the_newest(world: World, run: str) -> None:
    world.send(run, "noel/1/1")
    world.send(run, "noel/1/2", REJECTED)
    world.clock.advance(seconds=1)
    again = world.plan("p2", worst="1")
    world.reserve(again, "p2", (4,))
    (summary,) = world.ledger.campaigns()
    assert summary.approved == {"EUR": Decimal("1.10")}
    edition = world.ledger.edition("noel", 1)
    assert people(edition.rejected("p1")) == [4]
    assert edition.rejected("p2") == b""
    world.send(again, "noel/1/3")
    assert world.ledger.edition("noel", 1).rejected() == b""


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE events SET reason = 'x'",
        "DELETE FROM events",
        "DELETE FROM batch_keys",
        "INSERT INTO batch_keys VALUES ('noel/1/1', x'00')",
    ],
)
def test_history_only_grows(world: World, run: str, sql: str) -> None:
    world.claim(run, "noel/1/1")
    with pytest.raises(sqlite3.IntegrityError):
        world.ledger._write(lambda tx: tx.change(sql))


def test_every_change_of_state_is_an_event(world: World, run: str) -> None:
    world.send(run, "noel/1/1", UNKNOWN)
    world.ledger.decide("noel/1/1", sent=True, actor="ada", reason="seen", quiet=QUIET)
    world.claim(run, "noel/1/2", 4)
    assert [(what, batch) for what, batch, _reason in world.events()] == [
        ("plan-recorded", None),
        ("run-opened", None),
        ("reserved", "noel/1/1"),
        ("reserved", "noel/1/2"),
        ("reserve", None),
        ("claimed", "noel/1/1"),
        ("in-doubt", "noel/1/1"),
        ("decided-sent", "noel/1/1"),
        ("released", "noel/1/2"),
    ]
    assert json.loads(world.ledger._read(lambda tx: tx.rows("SELECT details FROM attempts"))[0][0]) == {}
