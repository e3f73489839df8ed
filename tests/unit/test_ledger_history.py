"""How far a ledger has come: what a copy lacks, and what a person accepts."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from ledgers import FAR, SENT, World, packed, quick_folder

from octoplan.core.errors import Refused
from octoplan.ledger import Acceptance, Mark, rescue
from octoplan.ledger import packed as lists
from octoplan.ledger.transaction import written

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def world() -> Iterator[World]:
    with quick_folder() as folder:
        world = World(folder / "ledger.db")
        yield world
        world.ledger.close()


def restored(world: World) -> World:
    """Copy the ledger as it is now, as a backup would, to be used beside it."""
    copy = world.path.with_name("copy.db")
    shutil.copyfile(world.path, copy)
    copy.chmod(0o600)
    return World(copy, clock=world.clock)


def overwrite(world: World, batch: str, keys: bytes) -> None:
    world.ledger._write(lambda tx: tx.change("UPDATE batch_keys SET keys = ? WHERE batch = ?", keys, batch))


def accept(world: World, serial: int, *, above: int = 0, reason: str = "looked it up") -> int:
    return world.ledger.accept(serial, above=above, actor="zoe", reason=reason)


def test_a_new_ledger_has_no_history(world: World) -> None:
    assert world.ledger.mark() == Mark(serial=0, event=0, fingerprint="")
    assert world.ledger.goes_on_from(world.ledger.mark())
    assert world.ledger.accepted() is None


def test_every_step_is_told_from_the_history_before_it(world: World) -> None:
    marks = [world.ledger.mark()]
    copies = []
    run = world.plan("p1")
    copies.append(restored(world))
    world.reserve(run, "p1", (1, 2), (3,))
    marks.append(world.ledger.mark())
    attempt = world.claim(run, "noel/1/1")
    marks.append(world.ledger.mark())
    assert attempt is not None
    world.ledger.settle(attempt, SENT)
    marks.append(world.ledger.mark())
    assert [mark.serial for mark in marks] == [0, 1, 1, 1]
    assert all(world.ledger.goes_on_from(mark) for mark in marks)
    assert [copies[0].ledger.goes_on_from(mark) for mark in marks] == [True, False, False, False]
    copies[0].ledger.close()


def test_a_copy_that_went_its_own_way_is_told_at_the_same_serial_and_length(world: World) -> None:
    run = world.plan("p1")
    copy = restored(world)
    world.reserve(run, "p1", (1, 2))
    copy.reserve(run, "p1", (1, 2), version=0)
    ours, theirs = world.ledger.mark(), copy.ledger.mark()
    assert (ours.serial, ours.event) == (theirs.serial, theirs.event)
    world.clock.advance(seconds=1)
    world.claim(run, "noel/1/1")
    copy.claim(run, "noel/1/1")
    assert not copy.ledger.goes_on_from(world.ledger.mark())
    copy.ledger.close()


def test_an_accepted_ledger_goes_on_above_everything_seen(world: World) -> None:
    copy = restored(world)
    run = world.plan("p1")
    world.reserve(run, "p1", (1,))
    seen = world.ledger.mark()
    assert not copy.ledger.goes_on_from(seen)
    assert accept(copy, 0, above=seen.serial) == 2
    assert copy.ledger.goes_on_from(seen)
    assert not copy.ledger.goes_on_from(Mark(serial=2, event=seen.event, fingerprint="another"))
    assert copy.ledger.identity.serial == 2
    assert copy.ledger.accepted() == Acceptance(at=world.clock(), serial=2)
    copy.clock.advance(hours=1)
    assert accept(copy, 2) == 3
    assert copy.ledger.accepted() == Acceptance(at=world.clock(), serial=3)
    assert copy.events() == [("serial-accepted", None, "looked it up")] * 2
    copy.ledger.close()


@pytest.mark.parametrize(("serial", "reason", "word"), [(1, "why", "ledger-serial"), (0, "  ", "reason-missing")])
def test_what_is_not_accepted(world: World, serial: int, reason: str, word: str) -> None:
    with pytest.raises(Refused) as caught:
        accept(world, serial, reason=reason)
    assert caught.value.reason == word
    assert world.events() == []


def test_a_clock_set_back_accepts_nothing(world: World) -> None:
    world.clock.advance(days=-1)
    for ask in (world.ledger.refuse_clock, lambda: accept(world, 0)):
        with pytest.raises(Refused) as caught:
            ask()
        assert caught.value.reason == "clock"


def test_every_durable_step_raises_the_newest_time(world: World) -> None:
    def moved() -> bool:
        at, newest = written(world.clock()), world.ledger._read(lambda tx: tx.rows("SELECT newest_at FROM meta")[0][0])
        world.clock.advance(minutes=1)
        return bool(newest == at)

    run = world.plan("p1")
    assert moved()
    world.reserve(run, "p1", (1,), (2,))
    assert moved()
    attempt = world.claim(run, "noel/1/1")
    assert moved()
    assert attempt is not None
    world.ledger.settle(attempt, SENT)
    assert moved()
    accept(world, 1)
    assert moved()
    world.ledger.close_run(run)
    assert moved()


def test_whoever_watches_hears_of_a_reserve_and_of_the_end(world: World) -> None:
    heard: list[Mark] = []
    copy = restored(world)
    copy.ledger.watch(lambda: heard.append(copy.ledger.mark()))
    run = copy.plan("p1")
    assert heard == []
    copy.reserve(run, "p1", (1,))
    assert [mark.serial for mark in heard] == [1]
    copy.send(run, "noel/1/1")
    copy.ledger.close()
    assert [mark.serial for mark in heard] == [1, 1]
    assert heard[0].event < heard[1].event


def test_a_watcher_that_cannot_look_hinders_nothing(world: World) -> None:
    def fails() -> None:
        raise Refused("gone", reason="ledger-corrupt")

    copy = restored(world)
    copy.ledger.watch(fails)
    run = copy.plan("p1")
    assert len(copy.reserve(run, "p1", (1,))) == 1
    copy.ledger.close()


def test_an_outcome_that_a_restored_ledger_does_not_know_stays_in_its_file(world: World) -> None:
    left = world.path.with_name("ledger.db.rescue-0123")
    left.write_text(rescue.line("unknown", SENT) + "\n")
    world.ledger.open_run("p1")
    assert world.ledger.rescues() == ("ledger.db.rescue-0123: 1 outcomes not recorded",)
    assert rescue.lines(left) == (rescue.line("unknown", SENT),)


# keys that were overwritten


@pytest.mark.parametrize(
    "keys",
    [
        bytes(32) + packed(3),
        packed(1) + bytes(16) + packed(3),
        packed(1) + packed(3) + packed(3),
        packed(2) + packed(1),
    ],
)
def test_overwritten_keys_are_noticed_when_they_are_read(world: World, keys: bytes) -> None:
    run = world.plan("p1")
    world.reserve(run, "p1", (1, 2, 3), (0, 4))
    world.send(run, "noel/1/1")
    world.send(run, "noel/1/2")
    since = world.clock()
    assert len(world.ledger.edition("noel", 1).held()) == 80
    assert len(world.ledger.recent(since, until=FAR)) == 2
    overwrite(world, "noel/1/1", keys)
    for read in (lambda: world.ledger.edition("noel", 1).held(), lambda: world.ledger.recent(since, until=FAR)):
        with pytest.raises(Refused) as caught:
            read()
        assert caught.value.reason == "ledger-corrupt"
    assert world.ledger.check() != ()


def test_lists_ascend_each_by_itself() -> None:
    high = (1 << 64).to_bytes(16, "big")
    assert lists.ascend([packed(5, 6), packed(1, 2), packed(1)])
    assert lists.ascend([packed(1)])
    assert lists.ascend([packed(7), packed(3)])
    assert lists.ascend([packed(2) + high + (high[:15] + b"\1")])
    assert not lists.ascend([packed(1, 2), high + packed(3)])


def test_a_file_that_is_broken_anywhere(world: World) -> None:
    run = world.plan("p1")
    world.reserve(run, "p1", (1, 2))
    world.ledger.refuse_damage()
    world.ledger._write(lambda tx: tx.db.execute("PRAGMA ignore_check_constraints = 1"))
    world.ledger._write(lambda tx: tx.change("UPDATE batches SET state = 'noise'"))
    world.ledger._write(lambda tx: tx.db.execute("PRAGMA ignore_check_constraints = 0"))
    with pytest.raises(Refused, match=r"CHECK constraint failed in batches") as caught:
        world.ledger.refuse_damage()
    assert caught.value.reason == "ledger-corrupt"
