"""What was sent elsewhere, and what the provider took back: both count as sent."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from ledgers import FAR, NOON, SENT, UNKNOWN, UNREACHABLE, World, packed, people, quick_folder

from octoplan.core.errors import Refused, Stale, Unfinished
from octoplan.ledger import Adopted, BatchState, adoption

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def world() -> Iterator[World]:
    with quick_folder() as folder:
        world = World(folder / "ledger.db")
        yield world
        assert world.ledger.check() == ()
        world.ledger.close()


def gone(world: World, run: str) -> None:
    """Let the process of a run be gone."""
    world.ledger._write(lambda tx: tx.change("UPDATE runs SET process_started = '1' WHERE id = ?", run))


# import


def test_who_was_sent_it_elsewhere_counts_as_sent(world: World) -> None:
    assert not world.ledger.has_history()
    before = world.ledger.identity.serial
    sent_at = NOON - timedelta(days=20)
    assert world.adopt(1, 2, 3, sent_at=sent_at) == Adopted(contacts=3, known=0, in_doubt=0)
    edition = world.ledger.edition("noel", 1)
    assert (edition.version, edition.closed, edition.is_settled) == (1, False, False)
    assert json.loads(edition.spec or "") == {"channel": "sms"}
    assert people(edition.held()) == people(edition.members()) == [1, 2, 3]
    (row,) = edition.batches
    assert (row.state, row.reason, row.ticket, row.cost) == ("accepted", "imported", "", Decimal(0))
    assert (row.claimed_at, row.settled_at, row.reserved_at) == (sent_at, sent_at, NOON)
    assert world.ledger.identity.serial == before + 1
    assert ("imported", "noel/1/1", "") in world.events()
    assert world.ledger.has_history()
    assert [found.id for found in world.ledger.find(packed(2))] == ["noel/1/1"]
    assert world.ledger.recent(NOON - timedelta(days=21), until=FAR) == (packed(1, 2, 3),)
    assert world.ledger.recent(NOON - timedelta(days=19), until=FAR) == ()
    (told,) = world.ledger.campaigns()
    assert (told.imported, told.without_ticket, dict(told.charged)) == (3, 0, {})


def test_the_same_import_again_adds_nobody(world: World) -> None:
    world.adopt(1, 2)
    assert world.adopt(1, 2, 3) == Adopted(contacts=1, known=2, in_doubt=0)
    assert world.adopt(1, 2, 3) == Adopted(contacts=0, known=3, in_doubt=0)
    assert people(world.ledger.edition("noel", 1).held()) == [1, 2, 3]
    assert [row.count for row in world.ledger.edition("noel", 1).batches] == [2, 1]


def test_a_large_import_is_several_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adoption, "BATCH", 2)
    world.adopt(1, 2, 3, 4, 5)
    assert [row.count for row in world.ledger.edition("noel", 1).batches] == [2, 2, 1]
    assert people(world.ledger.edition("noel", 1).held()) == [1, 2, 3, 4, 5]


def test_only_the_reserved_batches_of_the_imported_are_released(world: World) -> None:
    run = world.plan("p1")
    world.reserve(run, "p1", (1, 2), (3, 4))
    world.ledger.close_run(run)
    assert world.adopt(2) == Adopted(contacts=1, known=0, in_doubt=0)
    assert world.states() == ["released", "reserved", "accepted"]
    again = world.ledger.open_run("p1")
    assert [people(row.keys) for row in world.reserve(again, "p1", (1,), (3, 4))] == [[3, 4], [1]]
    with pytest.raises(Stale) as refused:
        world.reserve(again, "p1", (2,))
    assert refused.value.reason == "ledger-moved-on"
    world.send(again, "noel/1/2")
    edition = world.ledger.edition("noel", 1)
    assert (edition.closed, edition.spec) == (True, '{"by": "p1"}')


@pytest.mark.parametrize("claimed", [False, True])
def test_a_living_run_is_waited_for_where_it_concerns_them(world: World, claimed: bool) -> None:  # noqa: FBT001  parametrized
    run = world.plan("p1")
    world.reserve(run, "p1", (1, 2), (3,))
    if claimed:
        world.claim(run, "noel/1/1")
    with pytest.raises(Unfinished) as refused:
        world.adopt(2, 9)
    assert refused.value.reason == "run-alive"
    assert people(world.ledger.edition("noel", 1).held()) == ([1, 2] if claimed else [])
    world.adopt(9)
    gone(world, run)
    assert world.adopt(2, 9) == Adopted(contacts=int(not claimed), known=1 + claimed, in_doubt=int(claimed))


def test_a_run_that_read_the_edition_before_the_import_reserves_nothing(world: World) -> None:
    run = world.plan("p1")
    version = world.ledger.edition("noel", 1).version
    world.adopt(1)
    with pytest.raises(Stale):
        world.reserve(run, "p1", (1, 2), version=version)
    assert [people(row.keys) for row in world.reserve(run, "p1", (2,))] == [[2]]


def test_an_import_supersedes_no_plan_and_closes_no_edition(world: World) -> None:
    run = world.plan("p1", everything=False)
    world.clock.advance(days=1)
    world.adopt(1)
    assert world.ledger.superseded("p1", "noel") is None
    world.reserve(run, "p1", (2,))
    world.send(run, "noel/1/2")
    world.adopt(3)
    edition = world.ledger.edition("noel", 1)
    assert (edition.closed, edition.spec, people(edition.held())) == (True, '{"by": "p1"}', [1, 2, 3])
    assert set(world.ledger.specs("noel", 1).values()) == {'{"by": "p1"}', '{"channel": "sms"}'}


def test_whoever_is_in_doubt_is_known_and_told(world: World) -> None:
    run = world.plan("p1")
    world.reserve(run, "p1", (1,), (2,), (3,))
    world.send(run, "noel/1/1", UNKNOWN)
    world.send(run, "noel/1/2")
    world.send(run, "noel/1/3", UNREACHABLE)
    world.ledger.close_run(run)
    assert world.adopt(1, 2, 3) == Adopted(contacts=1, known=2, in_doubt=1)
    assert world.states() == ["in_doubt", "accepted", "not_sent", "accepted"]


def test_a_clock_that_is_behind_imports_nothing(world: World) -> None:
    world.adopt(1)
    world.clock.advance(hours=-1)
    with pytest.raises(Refused) as refused:
        world.adopt(2)
    assert refused.value.reason == "clock"


def test_a_trial_is_no_history(world: World) -> None:
    run = world.plan("p1", campaign="test:noel", everything=False)
    world.reserve(run, "p1", (1,), campaign="test:noel")
    world.send(run, "test:noel/1/1")
    assert not world.ledger.has_history()


# cancel


def test_a_cancelled_batch_counts_as_sent(world: World) -> None:
    run = world.plan("p1")
    world.reserve(run, "p1", (1, 2), (3,))
    world.send(run, "noel/1/1", SENT)
    assert world.ledger.cancel("noel/1/1", actor="ada", reason="cancelled at the provider")
    assert not world.ledger.cancel("noel/1/1", actor="ada", reason="cancelled at the provider")
    assert not world.ledger.cancel("noel/1/2", actor="ada", reason="cancelled at the provider")
    assert world.states() == ["cancelled", "reserved"]
    assert people(world.ledger.edition("noel", 1).held()) == [1, 2]
    assert [what for what, batch, _ in world.events() if batch == "noel/1/1"][-2:] == ["accepted", "cancelled"]
    (told,) = world.ledger.campaigns()
    assert told.contacts[BatchState.CANCELLED] == 2
    assert told.charged == {"EUR": Decimal("0.10")}
    assert [people(row.keys) for row in world.reserve(run, "p1", (1, 4))] == [[3], [4]]
    other = world.plan("p2", created_at=NOON + timedelta(minutes=1))
    gone(world, run)
    with pytest.raises(Stale) as refused:
        world.reserve(other, "p2", (1, 4))
    assert refused.value.reason == "ledger-moved-on"
