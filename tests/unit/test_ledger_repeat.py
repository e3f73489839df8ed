"""A batch in doubt, claimed again for the identical request."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from ledgers import UNKNOWN as LOST
from ledgers import World, packed

from octoplan.core.errors import InDoubt, Stale
from octoplan.core.model import Receipt
from octoplan.ledger import Claim, Settlement
from octoplan.ledger.records import BatchState

if TYPE_CHECKING:
    from pathlib import Path

PROVED = Settlement(state=BatchState.ACCEPTED, receipt=Receipt(ticket="t1", cost=Decimal("0.5")))
BATCH = "noel/1/1"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a ledger with a batch in doubt, of a run that has ended."""
    world = World(tmp_path / "ledger.db")
    run = world.plan("p1")
    world.reserve(run, "p1", (1, 2))
    world.send(run, BATCH, LOST)
    world.ledger.close_run(run)
    return world


def again(world: World, run: str, *, payload: str = "h") -> str | None:
    wanted = Claim(request_id="request", payload_hash=payload, deadline=world.clock() + timedelta(seconds=60))
    return world.ledger.repeat(run, BATCH, wanted=wanted)


def test_its_age_counts_from_the_first_claim(world: World) -> None:
    first = world.clock()
    world.clock.advance(hours=3)
    attempt = again(world, world.ledger.open_run("resolve"))
    assert attempt is not None
    assert world.states() == ["claimed"]
    assert not world.ledger.doubtful()
    assert world.ledger.earlier(attempt)
    world.ledger.settle(attempt, LOST)
    (doubt,) = world.ledger.doubtful()
    assert (doubt.first_at, doubt.silent_at) == (first, world.clock())
    assert (doubt.row.keys, doubt.newer_plan, doubt.later_edition) == (packed(1, 2), None, None)
    assert doubt.closes == first + timedelta(days=7)


def test_a_run_that_dies_with_it_leaves_it_in_doubt(world: World) -> None:
    run = world.ledger.open_run("resolve")
    assert again(world, run)
    world.ledger.close_run(run)
    assert world.states() == ["in_doubt"]


def test_only_a_batch_in_doubt_is_repeated_and_by_one(world: World) -> None:
    run = world.ledger.open_run("resolve")
    attempt = again(world, run)
    assert attempt is not None
    assert again(world, run) is None
    world.ledger.settle(attempt, PROVED)
    assert again(world, run) is None
    assert world.batch(BATCH).ticket == "t1"


def test_another_request_is_a_bug(world: World) -> None:
    run = world.ledger.open_run("resolve")
    with pytest.raises(ValueError, match=BATCH):
        again(world, run, payload="other")
    assert world.states() == ["in_doubt"]


def test_a_closed_run_repeats_nothing(world: World) -> None:
    run = world.ledger.open_run("resolve")
    world.ledger.close_run(run)
    with pytest.raises(LookupError):
        again(world, run)


def test_a_superseded_plan_s_batch_is_not_repeated(world: World) -> None:
    world.clock.advance(seconds=1)
    world.plan("p2")
    (doubt,) = world.ledger.doubtful()
    assert doubt.newer_plan == "p2"
    with pytest.raises(Stale, match="newer applied plan"):
        again(world, world.ledger.open_run("resolve"))


def test_a_newer_plan_that_says_the_same_lets_a_batch_be_repeated_but_nothing_else_be_sent(tmp_path: Path) -> None:
    world = World(tmp_path / "ledger.db")
    run = world.plan("p1", spec='{"text": "bonjour"}')
    world.reserve(run, "p1", (1, 2), (3,))
    world.send(run, BATCH, LOST)
    world.clock.advance(seconds=1)
    world.plan("p2", spec='{"text": "bonjour"}')
    assert world.ledger.doubtful()[0].newer_plan is None
    with pytest.raises(Stale, match="newer applied plan"):
        world.send(run, "noel/1/2", LOST)
    attempt = again(world, run)
    assert attempt is not None
    world.ledger.renew(attempt, world.clock() + timedelta(seconds=30))
    world.ledger.settle(attempt, PROVED)
    world.clock.advance(seconds=1)
    assert world.batch(BATCH).state is BatchState.ACCEPTED


@pytest.mark.parametrize("more", [{"edition": 2}, {"campaign": "other"}, {"spec": '{"text": "bonsoir"}'}])
def test_a_newer_plan_that_does_not_hold_the_edition_as_it_was(tmp_path: Path, more: dict[str, Any]) -> None:
    world = World(tmp_path / "ledger.db")
    run = world.plan("p1", spec='{"text": "bonjour"}')
    world.reserve(run, "p1", (1, 2))
    world.send(run, BATCH, LOST)
    world.clock.advance(seconds=1)
    world.plan("p2", **{"spec": '{"text": "bonjour"}', **more})
    assert world.ledger.doubtful()[0].newer_plan == "p2"
    with pytest.raises(Stale, match="newer applied plan"):
        again(world, run)


def test_a_lowered_edition_is_not_repeated(tmp_path: Path) -> None:
    world = World(tmp_path / "ledger.db")
    run = world.plan("p1", edition=2)
    world.reserve(run, "p1", (3,), edition=2)
    world.send(run, "noel/2/1")
    world.clock.advance(seconds=1)
    world.plan("p2")
    world.reserve(run, "p2", (1, 2))
    world.send(run, BATCH, LOST)
    assert [(doubt.later_edition, doubt.newer_plan) for doubt in world.ledger.doubtful()] == [(2, None)]
    with pytest.raises(Stale, match="later edition"):
        again(world, run)


def test_a_late_acceptance_of_an_earlier_attempt_closes_the_doubt(world: World) -> None:
    late = world.batch(BATCH)
    first = world.ledger._read(lambda tx: tx.rows("SELECT id FROM attempts"))[0]["id"]
    attempt = again(world, world.ledger.open_run("resolve"))
    assert attempt is not None
    world.ledger.settle(attempt, LOST)
    world.ledger.settle(first, PROVED)
    settled = world.batch(BATCH)
    assert (settled.state, settled.ticket, settled.charged) == (BatchState.ACCEPTED, "t1", Decimal("0.5"))
    assert late.state is BatchState.IN_DOUBT


def test_a_late_rejection_of_an_earlier_attempt_proves_nothing(world: World) -> None:
    first = world.ledger._read(lambda tx: tx.rows("SELECT id FROM attempts"))[0]["id"]
    attempt = again(world, world.ledger.open_run("resolve"))
    with pytest.raises(InDoubt):
        world.ledger.settle(first, Settlement(state=BatchState.NOT_SENT, reason="late"))
    assert attempt is not None
    assert world.states() == ["claimed"]
    assert ("late-answer", BATCH, "not_sent, but the attempt is in_doubt: late") in world.events()


def test_a_record_of_the_provider_proves_that_it_was_sent(world: World) -> None:
    recorded = Settlement(state=BatchState.ACCEPTED, reason="records", receipt=Receipt(ticket=""))
    assert world.ledger.prove(BATCH, recorded) is True
    row = world.batch(BATCH)
    assert (row.state, row.reason, row.ticket, row.charged) == (BatchState.ACCEPTED, "records", "", None)
    assert row.cost == row.worst
    assert world.ledger.in_doubt() == ()
    assert world.ledger.prove(BATCH, recorded) is False
