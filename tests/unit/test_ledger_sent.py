"""What the ledger tells of late sends: by campaign, edition and plan, keys only when asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from ledgers import REJECTED, SENT, UNKNOWN, World, people, quick_folder

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def world() -> Iterator[World]:
    with quick_folder() as folder:
        world = World(folder / "ledger.db")
        yield world
        world.ledger.close()


def test_whatever_was_claimed_since_then_is_told_by_plan(world: World) -> None:
    before = world.clock()
    run = world.plan("first")
    one, two, _three = world.reserve(run, "first", (1, 2), (3,), (4, 5))
    world.send(run, one.id, SENT)
    world.send(run, two.id, REJECTED)
    world.ledger.close_run(run)
    (sent,) = world.ledger.sent_since(before)
    assert (sent.campaign, sent.edition, sent.planned_at) == ("noel", 1, before)
    assert sent.held
    assert sent.spec == '{"by": "first"}'
    assert people(sent.read_keys()) == [1, 2, 3, 4, 5]  # also whom it was not sent yet
    world.clock.advance(seconds=1)
    run = world.plan("second")
    (again, *_rest) = world.reserve(run, "second", (3,), (4, 5))
    world.send(run, again.id, UNKNOWN)
    world.ledger.close_run(run)
    first, second = world.ledger.sent_since(before)
    assert [first.spec, second.spec] == ['{"by": "first"}', '{"by": "second"}']
    assert (second.planned_at, people(second.read_keys())) == (world.clock(), [3, 4, 5])
    assert world.ledger.sent_since(world.clock()) == (second,)
    assert world.ledger.sent_since(world.clock() + timedelta(microseconds=1)) == ()


def test_what_was_refused_is_not_held_and_what_was_only_reserved_is_not_told(world: World) -> None:
    run = world.plan("first", others=("rappel",))
    (one,) = world.reserve(run, "first", (1,))
    world.reserve(run, "first", (1,), campaign="rappel")
    world.send(run, one.id, REJECTED)
    (sent,) = world.ledger.sent_since(world.clock())
    assert (sent.campaign, sent.held) == ("noel", False)


def test_trials_and_editions_are_kept_apart(world: World) -> None:
    for number, campaign, edition in ((1, "noel", 1), (2, "noel", 2), (3, "test:noel", 1)):
        run = world.plan(f"plan-{number}", campaign=campaign, edition=edition)
        (batch,) = world.reserve(run, f"plan-{number}", (number,), campaign=campaign, edition=edition)
        world.send(run, batch.id)
        world.ledger.close_run(run)
    told = world.ledger.sent_since(world.clock())
    assert [(sent.edition, people(sent.read_keys())) for sent in told] == [(1, [1]), (2, [2])]
