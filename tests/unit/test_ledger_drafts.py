"""Drafts in the ledger: one at a time, given up with their request id, and never a doubt."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from ledgers import ID, UNKNOWN, K, World, packed, quick_folder

from octoplan.core.errors import Refused, Stale
from octoplan.core.model import Kind, Quote, Receipt
from octoplan.ledger import BatchState, Claim, Draft, NewBatch, Reserve, Settlement, file
from octoplan.ledger.sqlite import SqliteLedger

if TYPE_CHECKING:
    from collections.abc import Iterator

LIST = packed(1)
SPEC = '{"channel": "sms", "audience": {"list": "clients"}}'
BATCH = "noel/1/1"
READY = Draft(id="", generation=1, ticket="t-1", request_id="request", payload_hash="h")
QUOTE = Quote(contacts=1184, cost=Decimal("58.02"))


@pytest.fixture
def world() -> Iterator[World]:
    with quick_folder() as folder:
        world = World(folder / "ledger.db")
        yield world
        world.ledger.close()


@pytest.fixture
def run(world: World) -> str:
    run = world.plan("p1", spec=SPEC)
    reserve(world, run, "p1")
    return run


def reserve(world: World, run: str, plan_id: str, *, held: int = 1300) -> None:
    edition = world.ledger.edition("noel", 1)
    wanted = Reserve(
        campaign="noel",
        edition=1,
        version=edition.version,
        seen=edition.newest,
        provider="octopush",
        currency="EUR",
        batches=(NewBatch(keys=LIST, parts=held or 1, worst=Decimal(90), held=held),),
    )
    world.ledger.reserve(run, plan_id, wanted=wanted)


def claim(world: World, *, request_id: str = "request", quote: Quote | None = None) -> Claim:
    return Claim(request_id=request_id, payload_hash="h", deadline=world.clock() + timedelta(seconds=60), quote=quote)


def prepare(world: World, run: str) -> str:
    draft = world.ledger.prepare(run, BATCH, wanted=claim(world))
    assert draft is not None
    return draft


def test_a_batch_stands_for_all_that_may_be_in_a_list(world: World, run: str) -> None:
    row = world.batch(BATCH)
    assert (row.held, row.count, row.worst, len(row.keys)) == (True, 1300, Decimal(90), 0)
    assert world.ledger.edition("noel", 1).people(LIST) == 1300
    assert world.ledger.check() == ()
    assert run


def test_a_draft_is_asked_for_once(world: World, run: str) -> None:
    assert world.ledger.draft(run, BATCH) == Draft(id="", generation=1)
    draft = prepare(world, run)
    assert world.ledger.prepare(run, BATCH, wanted=claim(world)) is None
    assert world.ledger.prepared(draft, "t-1") is True
    assert world.ledger.draft(run, BATCH) == replace(READY, id=draft)
    assert world.batch(BATCH).state is BatchState.RESERVED
    assert [what for what, *_ in world.events()][-2:] == ["draft-asked", "draft-ready"]


def test_what_is_given_up_takes_its_generation_along(world: World, run: str) -> None:
    draft = prepare(world, run)
    world.ledger.abandon(draft, "no answer")
    world.ledger.abandon(draft, "no answer")
    assert world.ledger.draft(run, BATCH) == Draft(id="", generation=2)
    assert world.ledger.prepared(draft, "late") is False
    assert world.ledger.left_drafts() == ()


def test_a_living_run_keeps_its_draft(world: World, run: str) -> None:
    prepare(world, run)
    other = world.ledger.open_run("p1")
    assert world.ledger.draft(other, BATCH) is None
    world.ledger.close_run(run)
    assert world.ledger.draft(other, BATCH) == Draft(id="", generation=2)


def test_a_draft_that_is_ready_outlives_its_run(world: World, run: str) -> None:
    draft = prepare(world, run)
    world.ledger.prepared(draft, "t-1")
    world.ledger.close_run(run)
    other = world.ledger.open_run("p1")
    assert world.ledger.draft(other, BATCH) == replace(READY, id=draft)


def test_only_a_reserved_batch_is_prepared(world: World, run: str) -> None:
    assert world.ledger.claim(run, BATCH, wanted=claim(world, quote=QUOTE))
    assert world.ledger.draft(run, BATCH) is None
    assert world.ledger.prepare(run, BATCH, wanted=claim(world)) is None
    assert world.ledger.draft(run, "noel/1/9") is None


def test_a_closed_run_prepares_nothing(world: World, run: str) -> None:
    world.ledger.close_run(run)
    with pytest.raises(LookupError):
        world.ledger.prepare(run, BATCH, wanted=claim(world))


def test_a_superseded_plan_prepares_nothing(world: World, run: str) -> None:
    world.clock.advance(seconds=1)
    world.plan("p2")
    with pytest.raises(Stale):
        world.ledger.prepare(run, BATCH, wanted=claim(world))


def test_a_claim_takes_the_figures_of_the_provider(world: World, run: str) -> None:
    attempt = world.ledger.claim(run, BATCH, wanted=claim(world, quote=QUOTE))
    row = world.batch(BATCH)
    assert (row.count, row.worst) == (1184, Decimal("58.02"))
    assert attempt is not None
    world.ledger.settle(attempt, Settlement(state=BatchState.ACCEPTED, receipt=Receipt(ticket="t-1")))
    edition = world.ledger.edition("noel", 1)
    assert (edition.people(edition.held()), edition.is_settled) == (1184, True)
    assert world.ledger.check() == ()


def test_the_last_word_on_its_figures_is_the_answer(world: World, run: str) -> None:
    attempt = world.ledger.claim(run, BATCH, wanted=claim(world, quote=QUOTE))
    assert attempt is not None
    told = Receipt(ticket="t-1", contacts=1180, cost=Decimal("57.90"))
    world.ledger.settle(attempt, Settlement(state=BatchState.ACCEPTED, receipt=told))
    assert (world.batch(BATCH).count, world.batch(BATCH).charged) == (1180, Decimal("57.90"))


def test_a_rejected_batch_is_not_reserved_again(world: World, run: str) -> None:
    world.ledger.unsendable(BATCH, reason="no such list", rejected=True)
    assert (world.batch(BATCH).state, world.batch(BATCH).rejected) == (BatchState.NOT_SENT, True)
    world.ledger.unsendable(BATCH, reason="again", rejected=True)
    world.ledger.unsendable(BATCH, reason="again", rejected=False)
    assert world.batch(BATCH).reason == "no such list"
    reserve(world, run, "p1")
    assert world.states() == ["not_sent"]


def test_a_released_batch_is_reserved_again_under_another_id(world: World, run: str) -> None:
    draft = prepare(world, run)
    world.ledger.prepared(draft, "t-1")
    world.ledger.unsendable(BATCH, reason="beyond-limits", rejected=False)
    (left,) = world.ledger.left_drafts()
    assert (left.id, left.batch, left.ticket, left.provider) == (draft, BATCH, "t-1", "octopush")
    assert (left.channel, left.kind) == ("sms", "list")
    reserve(world, run, "p1")
    assert world.ledger.draft(run, "noel/1/2") == Draft(id="", generation=2)
    world.ledger.abandon(draft, "cancelled")
    assert world.ledger.left_drafts() == ()


def test_a_list_does_not_go_on_where_addresses_were_reserved(world: World) -> None:
    run = world.plan("p1")
    world.reserve(run, "p1", (2, 3))
    with pytest.raises(Stale):
        reserve(world, run, "p1")


def test_addresses_do_not_go_on_where_a_list_was_reserved(world: World, run: str) -> None:
    with pytest.raises(Stale):
        world.reserve(run, "p1", (2, 3))


def test_a_record_of_the_provider_closes_a_doubt(world: World, run: str) -> None:
    draft = prepare(world, run)
    world.ledger.prepared(draft, "t-1")
    attempt = world.ledger.claim(run, BATCH, wanted=claim(world, quote=QUOTE))
    assert attempt is not None
    assert world.ledger.prove(BATCH, Settlement(state=BatchState.NOT_SENT, reason="too early")) is False
    world.ledger.settle(attempt, UNKNOWN)
    assert [one.ticket for one in world.ledger.doubtful()] == ["t-1"]
    assert world.ledger.prove(BATCH, Settlement(state=BatchState.NOT_SENT, reason="never confirmed")) is True
    row = world.batch(BATCH)
    assert (row.state, row.reason, row.rejected) == (BatchState.NOT_SENT, "never confirmed", False)
    assert world.ledger.left_drafts() == ()


def test_a_draft_of_a_plan_that_is_over_is_left(world: World, run: str) -> None:
    draft = prepare(world, run)
    world.ledger.prepared(draft, "t-1")
    world.clock.advance(seconds=1)
    newer = world.plan("p2", spec=SPEC)
    assert world.ledger.left_drafts() == ()
    world.ledger.close_run(run)
    assert [left.ticket for left in world.ledger.left_drafts()] == ["t-1"]
    assert (world.batch(BATCH).state, world.batch(BATCH).reason) == (BatchState.RELEASED, "plan-over")
    assert newer


def test_a_draft_whose_time_is_over_is_left(world: World, run: str) -> None:
    world.ledger.prepared(prepare(world, run), "t-1")
    world.ledger.close_run(run)
    assert world.ledger.left_drafts() == ()
    world.clock.advance(days=8)
    assert [left.ticket for left in world.ledger.left_drafts()] == ["t-1"]


def test_a_list_does_not_go_on_where_addresses_were_given_up(world: World) -> None:
    run = world.plan("p1", spec=SPEC)
    world.reserve(run, "p1", (2, 3))
    world.ledger.unsendable(BATCH, reason="no such list", rejected=True)
    with pytest.raises(Stale):
        reserve(world, run, "p1")


@pytest.mark.parametrize("wrong", [{"id": "77b0d2aa"}, {"kind": Kind.REHEARSAL}, {"key": bytes(32)}])
def test_another_ledger_is_not_upgraded(world: World, wrong: dict[str, Any]) -> None:
    first_version(world)
    meant = {"id": ID, "kind": Kind.LIVE, "key": K, **wrong}
    with pytest.raises(Refused):
        SqliteLedger.open(world.path, clock=world.clock, **meant)
    with closing(sqlite3.connect(world.path)) as db:
        assert db.execute("SELECT schema_version FROM meta").fetchone() == (1,)
    world.ledger = world.reopened()


def first_version(world: World) -> None:
    world.ledger.close()
    with closing(sqlite3.connect(world.path)) as db:
        db.executescript("DROP TABLE drafts; ALTER TABLE batches DROP COLUMN held; UPDATE meta SET schema_version = 1;")


def test_a_ledger_of_the_first_version_gets_what_it_lacks(world: World) -> None:
    run = world.plan("p1")
    world.reserve(run, "p1", (1, 2))
    first_version(world)
    world.ledger = world.reopened()
    world.ledger._write(file.upgrade)  # as if another process had done so meanwhile
    assert world.batch(BATCH).held is False
    assert world.ledger.check() == ()
    assert world.events()[-1][0] == "schema-upgraded"
    other = world.reopened()
    assert other.edition("noel", 1).members() == packed(1, 2)
    other.close()
