from __future__ import annotations

import sqlite3
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from ledgers import FAR, NOON, REJECTED, SENT, UNKNOWN, UNREACHABLE, World, packed, people, quick_folder

from octoplan.core.errors import Stale, Unfinished
from octoplan.core.model import Receipt
from octoplan.ledger import BatchState, Settlement

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def world() -> Iterator[World]:
    with quick_folder() as folder:
        world = World(folder / "ledger.db")
        yield world
        world.ledger.close()


def test_a_first_reserve(world: World) -> None:
    run = world.plan("p1")
    rows = world.reserve(run, "p1", (1, 2), (3,))
    assert [(row.id, people(row.keys), row.count, row.parts, row.worst) for row in rows] == [
        ("noel/1/1", [1, 2], 2, 2, Decimal(2)),
        ("noel/1/2", [3], 1, 1, Decimal(1)),
    ]
    assert {(row.state, row.generation, row.plan_id, row.alive) for row in rows} == {("reserved", 1, "p1", True)}
    edition = world.ledger.edition("noel", 1)
    assert (edition.version, edition.closed, edition.spec, edition.is_settled) == (1, False, None, False)
    assert (edition.held(), people(edition.members()), edition.cost) == (b"", [1, 2, 3], Decimal(0))
    assert world.ledger.identity.serial == 1
    assert world.ledger.editions("noel") == (1,)


def test_the_same_plan_joins_what_it_reserved(world: World) -> None:
    run = world.plan("p1")
    first = world.reserve(run, "p1", (1, 2), (3, 4))
    again = world.reserve(run, "p1", (1, 3), (2, 4, 5))
    assert [people(row.keys) for row in again] == [[1, 2], [3, 4], [5]]
    assert [row.id for row in again[:2]] == [row.id for row in first]
    assert (again[2].parts, again[2].worst) == (1, Decimal(3))


def test_two_runs_of_one_plan_that_read_the_same_version_join(world: World) -> None:
    one = world.plan("p1")
    other = world.ledger.open_run("p1")
    version = world.ledger.edition("noel", 1).version
    world.reserve(one, "p1", (1, 2), version=version)
    world.send(one, "noel/1/1")
    assert world.reserve(other, "p1", (1, 2), (3,), version=version)[0].id == "noel/1/2"


def test_a_key_given_twice_is_a_bug(world: World) -> None:
    run = world.plan("p1")
    with pytest.raises(ValueError, match="twice"):
        world.reserve(run, "p1", (1, 2), (2, 3))
    assert world.ledger.editions("noel") == ()


@pytest.mark.parametrize(
    ("settlement", "reserved", "generation"),
    [(SENT, [], 0), (UNKNOWN, [], 0), (REJECTED, [], 0), (UNREACHABLE, [1, 2], 2)],
)
def test_the_same_plan_again_reserves_only_what_definitely_did_not_leave(
    world: World, settlement: object, reserved: list[int], generation: int
) -> None:
    run = world.plan("p1")
    world.reserve(run, "p1", (1, 2))
    world.send(run, "noel/1/1", settlement)  # type: ignore[arg-type]  # the table above
    rows = world.reserve(run, "p1", (1, 2))
    assert [person for row in rows for person in people(row.keys)] == reserved
    assert all(row.generation == generation for row in rows)


def test_the_rejected_go_out_again_under_a_new_plan(world: World) -> None:
    run = world.plan("p1")
    world.reserve(run, "p1", (1, 2))
    world.send(run, "noel/1/1", REJECTED)
    assert world.batch("noel/1/1").rejected
    world.clock.advance(seconds=1)
    rows = world.reserve(world.plan("p2"), "p2", (2, 3), (1,))
    assert [(people(row.keys), row.generation) for row in rows] == [([2, 3], 2), ([1], 2)]


def test_generations_rise_with_every_attempt(world: World) -> None:
    run = world.plan("p1")
    for generation in (1, 2, 3):
        (row,) = world.reserve(run, "p1", (1, 2))
        assert row.generation == generation
        world.send(run, row.id, UNREACHABLE)
    rows = world.reserve(run, "p1", (2, 9), (10,))
    assert [row.generation for row in rows] == [4, 1]


def test_another_plan_while_a_run_is_alive(world: World) -> None:
    world.reserve(world.plan("p1"), "p1", (1, 2))
    world.clock.advance(seconds=1)
    run = world.plan("p2")
    with pytest.raises(Unfinished) as caught:
        world.reserve(run, "p2", (1, 2))
    assert caught.value.reason == "run-alive"
    assert world.states() == ["reserved"]


def test_another_plan_after_the_run_has_ended(world: World) -> None:
    first = world.plan("p1")
    world.reserve(first, "p1", (1, 2), (3, 4))
    world.send(first, "noel/1/1")
    world.ledger.close_run(first)
    assert not world.batch("noel/1/2").alive
    world.clock.advance(seconds=1)
    rows = world.reserve(world.plan("p2"), "p2", (4, 5))
    assert [people(row.keys) for row in rows] == [[4, 5]]
    assert world.states() == ["accepted", "released", "reserved"]
    assert ("released", "noel/1/2", "another-plan") in world.events()


def test_another_plan_after_the_time_of_the_first_is_over(world: World) -> None:
    run = world.plan("p1", until=NOON + timedelta(hours=1))
    world.reserve(run, "p1", (1, 2))
    world.clock.advance(hours=2)
    world.reserve(world.plan("p2"), "p2", (1, 2))
    assert world.states() == ["released", "reserved"]
    assert world.claim(run, "noel/1/1") is None


def test_a_newer_plan_supersedes(world: World) -> None:
    old = world.plan("p1")
    world.reserve(old, "p1", (1,), (2,))
    attempt = world.claim(old, "noel/1/1")
    assert attempt is not None
    world.clock.advance(seconds=1)
    world.plan("p2")
    assert world.ledger.superseded("p1", "noel") == "p2"
    assert world.ledger.superseded("p2", "noel") is None
    assert world.ledger.superseded("p0", "noel") is None
    for action in (
        lambda: world.reserve(old, "p1", (3,)),
        lambda: world.claim(old, "noel/1/2"),
        lambda: world.ledger.renew(attempt, NOON),
    ):
        with pytest.raises(Stale) as caught:
            action()
        assert caught.value.reason == "plan-superseded"
    assert world.states() == ["claimed", "reserved"]


def test_plans_of_the_same_moment_are_ordered_by_id_and_by_what_they_cover(world: World) -> None:
    for plan_id, everything in (("p1", True), ("p2", True), ("p3", False)):
        world.plan(plan_id, campaign="soldes" if plan_id == "p3" else "noel", everything=everything)
    world.plan("p2", worst="7")
    assert world.ledger.superseded("p1", "noel") == "p2"
    assert world.ledger.superseded("p2", "noel") is None
    assert world.ledger.superseded("p2", "soldes") == "p3"
    assert world.ledger.superseded("p1", "gone") == "p2"


def test_a_plan_of_everything_covers_no_trial_and_a_trial_counts_for_no_cap(world: World) -> None:
    run = world.plan("p1", campaign="test:noel", everything=False)
    world.reserve(run, "p1", (1,), campaign="test:noel")
    world.clock.advance(seconds=1)
    other = world.plan("p2")
    assert world.ledger.superseded("p1", "test:noel") is None
    assert world.ledger.superseded("p1", "noel") == "p2"
    world.send(run, "test:noel/1/1")
    world.reserve(other, "p2", (2,))
    world.send(other, "noel/1/1")
    assert world.ledger.recent(NOON, until=FAR) == (packed(2),)
    assert [row.id for row in world.ledger.find(packed(1))] == ["test:noel/1/1"]


def test_nothing_is_reserved_under_an_unrecorded_plan(world: World) -> None:
    run = world.ledger.open_run("p1")
    with pytest.raises(LookupError):
        world.reserve(run, "p1", (1,))
    world.plan("p2")
    with pytest.raises(LookupError):
        world.reserve(run, "p1", (1,))
    with pytest.raises(sqlite3.IntegrityError):
        world.reserve(run, "p2", (1,), campaign="soldes")


def test_what_moved_on_since_it_was_planned_is_refused(world: World) -> None:
    first = world.plan("p1")
    world.reserve(first, "p1", (1, 2))
    world.ledger.close_run(first)
    world.clock.advance(seconds=1)
    run = world.plan("p2")
    for version in (0, 2):
        with pytest.raises(Stale) as caught:
            world.reserve(run, "p2", (3,), version=version)
        assert caught.value.reason == "ledger-moved-on"
    assert world.states() == ["reserved"]


def test_nobody_is_taken_from_a_batch_that_may_have_been_sent(world: World) -> None:
    first = world.plan("p1")
    world.reserve(first, "p1", (1, 2), (3,))
    world.send(first, "noel/1/1", UNKNOWN)
    world.ledger.close_run(first)
    world.clock.advance(seconds=1)
    run = world.plan("p2")
    with pytest.raises(Stale) as caught:
        world.reserve(run, "p2", (2, 4))
    assert caught.value.reason == "ledger-moved-on"
    assert world.states() == ["in_doubt", "reserved"]
    assert world.ledger.identity.serial == 1


def test_money_charged_and_at_stake_stays_within_the_approved(world: World) -> None:
    run = world.plan("p1", worst="3")
    world.reserve(run, "p1", (1, 2))
    world.send(run, "noel/1/1")
    world.reserve(run, "p1", (3, 4))
    with pytest.raises(Stale) as caught:
        world.reserve(run, "p1", (5,))
    assert caught.value.reason == "cost-over-approved"
    assert "3.10 EUR" in str(caught.value)
    world.send(run, "noel/1/2", UNREACHABLE)
    world.reserve(run, "p1", (3, 4))


def test_the_money_approved_for_one_campaign_is_not_for_another(world: World) -> None:
    run = world.plan("p1", worst="2", others=("great",))
    world.reserve(run, "p1", (1, 2))
    with pytest.raises(Stale) as caught:
        world.reserve(run, "p1", (3,))
    assert caught.value.reason == "cost-over-approved"
    world.reserve(run, "p1", (3, 4), campaign="great")


def test_an_edition_is_settled_when_nobody_is_owed(world: World) -> None:
    run = world.plan("p1")
    world.reserve(run, "p1", (1, 2), (3, 4))
    assert not world.ledger.edition("noel", 1).is_settled
    world.send(run, "noel/1/1")
    assert not world.ledger.edition("noel", 1).is_settled
    world.send(run, "noel/1/2", UNREACHABLE)
    assert not world.ledger.edition("noel", 1).is_settled
    world.reserve(run, "p1", (3,), (4,))
    world.send(run, "noel/1/3")
    world.send(run, "noel/1/4", UNKNOWN)
    edition = world.ledger.edition("noel", 1)
    assert edition.is_settled
    assert sorted(people(edition.held())) == people(edition.members()) == [1, 2, 3, 4]
    assert edition.cost == Decimal("1.20")


def test_another_edition_is_another_send(world: World) -> None:
    run = world.plan("p1")
    world.reserve(run, "p1", (1, 2))
    world.send(run, "noel/1/1")
    assert world.ledger.edition("noel", 1).is_settled
    run = world.plan("p2", edition=2)
    rows = world.reserve(run, "p2", (1, 2), edition=2)
    assert [(row.id, row.generation) for row in rows] == [("noel/2/1", 1)]
    assert world.ledger.editions("noel") == (1, 2)


def test_one_contact_is_found_in_all_its_batches(world: World) -> None:
    run = world.plan("p1")
    world.reserve(run, "p1", (1, 256), (3,))
    world.send(run, "noel/1/1", UNREACHABLE)
    world.clock.advance(seconds=1)
    world.reserve(run, "p1", (1,))
    world.clock.advance(seconds=1)
    world.send(run, "noel/1/3")
    found = world.ledger.find(packed(1))
    assert [(row.id, row.state, row.ticket) for row in found] == [
        ("noel/1/1", BatchState.NOT_SENT, ""),
        ("noel/1/3", BatchState.ACCEPTED, "t-1"),
    ]
    assert world.ledger.find(packed(2)) == ()
    assert world.ledger.recent(NOON, until=FAR) == (packed(1),)
    assert world.ledger.recent(NOON + timedelta(seconds=3), until=FAR) == ()


def test_a_message_arrives_when_it_is_claimed_or_at_its_moment(world: World) -> None:
    send_at = NOON + timedelta(days=20)
    for number, spec in enumerate(("{}", f'{{"schedule": {{"send_at": "{send_at.isoformat()}"}}}}'), start=1):
        plan = f"p{number}"
        campaign = f"c{number}"
        run = world.plan(plan, campaign=campaign, everything=False, spec=spec)
        world.reserve(run, plan, (number,), campaign=campaign)
        world.send(run, f"{campaign}/1/1")
    day = timedelta(days=1)
    assert world.ledger.recent(NOON - day, until=NOON + day) == (packed(1),)
    assert world.ledger.recent(send_at - day, until=send_at) == (packed(2),)
    assert world.ledger.recent(send_at + day, until=FAR) == ()
    assert [one.campaign for one in world.ledger.sent_since(send_at - day)] == ["c2"]
    assert [one.campaign for one in world.ledger.sent_since(NOON - day)] == ["c1", "c2"]


def reserve_beside(world: World, seen: int | None = None, campaign: str = "soldes") -> None:
    """Reserve another campaign under a plan of its own."""
    run = world.plan(f"p-{campaign}", campaign=campaign, everything=False)
    more = {} if seen is None else {"seen": seen}
    world.reserve(run, f"p-{campaign}", (1,), campaign=campaign, **more)


def test_beside_a_plan_that_is_being_applied_nothing_is_reserved_of_another_campaign(world: World) -> None:
    run = world.plan("p1", everything=False)
    world.reserve(run, "p1", (1,), (2,))
    with pytest.raises(Unfinished, match="soldes: another plan is being applied") as refused:
        reserve_beside(world)
    assert refused.value.reason == "run-alive"
    reserve_beside(world, campaign="test:noel")
    world.send(run, "noel/1/1")
    world.claim(run, "noel/1/2")
    with pytest.raises(Unfinished):
        reserve_beside(world)
    world.clock.advance(days=8)
    with pytest.raises(Unfinished):
        reserve_beside(world)  # something may be on the wire, whatever the time
    world.ledger.close_run(run)
    reserve_beside(world)


def test_what_is_reserved_and_past_its_time_is_in_nobodys_way(world: World) -> None:
    run = world.plan("p1", everything=False)
    world.reserve(run, "p1", (1,))
    world.clock.advance(days=8)
    reserve_beside(world)


@pytest.mark.parametrize("meanwhile", ["plan", "import", "trial", "own"])
def test_what_was_reserved_or_imported_since_it_was_read_who_is_owed_is_looked_at(world: World, meanwhile: str) -> None:
    seen = world.ledger.edition("soldes", 1).newest
    if meanwhile == "import":
        world.adopt(1)
    else:
        plan, campaign = ("p-soldes" if meanwhile == "own" else "p1"), ("test:x" if meanwhile == "trial" else "noel")
        others = ("soldes",) if meanwhile == "own" else ()
        run = world.plan(plan, campaign=campaign, everything=False, others=others)
        world.reserve(run, plan, (1,), campaign=campaign)
        world.send(run, f"{campaign}/1/1")
        world.ledger.close_run(run)
    if meanwhile in ("trial", "own"):
        reserve_beside(world, seen)
        return
    with pytest.raises(Unfinished, match="soldes: another plan was applied while this one was prepared") as refused:
        reserve_beside(world, seen)
    assert refused.value.reason == "ledger-moved-on"
    reserve_beside(world)


def test_whom_the_provider_did_not_take_is_counted(world: World) -> None:
    run = world.plan("p1")
    world.reserve(run, "p1", (1, 2, 3), (4,))
    for batch, taken in (("noel/1/1", 1), ("noel/1/2", None)):
        receipt = Receipt(ticket="t", contacts=taken)
        world.send(run, batch, Settlement(state=BatchState.ACCEPTED, receipt=receipt))
    (summary,) = world.ledger.campaigns()
    assert summary.fewer == 2
