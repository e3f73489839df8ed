from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import ledger_process
import pytest
from ledgers import SENT, UNKNOWN, UNREACHABLE, World, people, quick_folder

from octoplan.core.errors import InDoubt, Refused
from octoplan.ledger import BatchState, connection, process, rescue, runs

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = Path(ledger_process.__file__)


@pytest.fixture
def world() -> Iterator[World]:
    with quick_folder() as folder:
        world = World(folder / "ledger.db")
        yield world
        world.ledger.close()


def start(world: World, what: str, seed: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, str(SCRIPT), str(world.path), what, str(seed)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def move_to_another_host(world: World, run: str) -> None:
    world.ledger._write(lambda tx: tx.change("UPDATE runs SET host = 'elsewhere' WHERE id = ?", run))


def test_a_killed_process_leaves_its_claim_in_doubt(world: World) -> None:
    child = start(world, "hold")
    assert child.stdout is not None
    assert child.stdout.readline() == "claimed\n"
    assert world.states() == ["claimed"]
    assert world.ledger.in_doubt() == ()
    child.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and still in the process table
    assert world.states() == ["in_doubt"]
    assert [row.id for row in world.ledger.in_doubt()] == ["noel/1/1"]
    assert people(world.ledger.edition("noel", 1).held()) == [1, 2]
    child.wait()
    child.stdout.close()
    assert not [event for event in world.events() if event[0] == "in-doubt"]
    run = world.ledger.open_run("p1")
    assert ("in-doubt", "noel/1/1", "run-gone") in world.events()
    assert world.reserve(run, "p1", (1, 2)) == ()
    world.clock.advance(seconds=2)
    world.ledger.decide("noel/1/1", sent=False, actor="ada", reason="log", quiet=timedelta(seconds=1))
    assert [people(row.keys) for row in world.reserve(run, "p1", (1, 2))] == [[1, 2]]


def test_four_processes_claim_every_person_once(world: World) -> None:
    children = [start(world, "share", seed) for seed in range(4)]
    claimed: list[tuple[str, ...]] = []
    for child in children:
        output, _nothing = child.communicate(timeout=60)
        assert child.returncode == 0
        claimed += [tuple(line.split()) for line in output.splitlines()]
    assert len({batch for batch, *_people in claimed}) == len(claimed)
    reached = [person for _batch, *batch in claimed for person in batch]
    assert len(set(reached)) == len(reached) > 300
    assert world.ledger.check() == ()


def test_eight_threads_claim_200_batches_once(world: World) -> None:
    run = world.plan("p1", worst="400")
    rows = world.reserve(run, "p1", *[(2 * number, 2 * number + 1) for number in range(200)])
    attempts: list[str] = []

    def work() -> None:
        attempts.extend(attempt for row in rows if (attempt := world.claim(run, row.id)))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(attempts)) == len(attempts) == 200
    assert world.ledger.check() == ()


def test_a_run_of_another_host_lives_by_its_heartbeat(world: World) -> None:
    run = world.plan("p1")
    world.reserve(run, "p1", (1,))
    attempt = world.claim(run, "noel/1/1")
    assert attempt is not None
    move_to_another_host(world, run)
    world.clock.advance(seconds=60)
    assert world.states() == ["claimed"]
    world.clock.advance(seconds=1)
    assert world.states() == ["in_doubt"]
    world.ledger.heartbeat(run)
    assert world.states() == ["claimed"]
    world.clock.advance(seconds=61)
    world.ledger.open_run("p1")
    world.ledger.heartbeat(run)
    assert world.states() == ["in_doubt"]
    with pytest.raises(InDoubt):
        world.ledger.renew(attempt, world.clock())
    world.ledger.settle(attempt, SENT)
    assert world.states() == ["accepted"]


def test_a_claim_of_a_silent_host_may_be_sent_until_its_deadline(world: World) -> None:
    run = world.plan("p1")
    world.reserve(run, "p1", (1,), (2,))
    world.claim(run, "noel/1/1")
    move_to_another_host(world, run)
    world.clock.advance(seconds=61)
    other = world.ledger.open_run("p1")
    rows = world.ledger._read(lambda tx: tx.rows("SELECT deadline, silent_at FROM attempts"))
    assert rows[0]["silent_at"] == rows[0]["deadline"]
    world.claim(other, "noel/1/2")
    world.ledger.close_run(other)
    assert world.states() == ["in_doubt", "in_doubt"]


def test_a_clock_behind_the_ledger_is_refused(world: World) -> None:
    world.plan("p1")
    world.clock.advance(seconds=-60)
    world.ledger.open_run("p1")
    world.clock.advance(seconds=-1)
    with pytest.raises(Refused, match="clock says") as caught:
        world.ledger.open_run("p1")
    assert caught.value.reason == "clock"


def test_a_run_beats_until_it_is_closed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "HEARTBEAT_SECONDS", 0.002)
    run = world.ledger.open_run("p1")
    world.clock.advance(seconds=30)
    wait_for_beat(world, run)
    world.ledger._connection.read(lambda db: db.execute("PRAGMA query_only=1"))
    time.sleep(0.05)
    world.ledger._connection.read(lambda db: db.execute("PRAGMA query_only=0"))
    world.clock.advance(seconds=30)
    wait_for_beat(world, run)
    world.ledger.close_run(run)
    assert [what for what, _batch, _reason in world.events()] == ["run-opened", "run-closed"]


def wait_for_beat(world: World, run: str) -> None:
    for _ in range(500):
        rows = world.ledger._read(lambda tx: tx.rows("SELECT heartbeat_at FROM runs WHERE id = ?", run))
        if datetime.fromisoformat(rows[0][0]) == world.clock():
            return
        time.sleep(0.01)
    pytest.fail("no heartbeat")


def test_a_disk_that_takes_nothing_is_found_before_the_run(world: World) -> None:
    world.ledger._connection.read(lambda db: db.execute("PRAGMA max_page_count=50"))
    with pytest.raises(Refused) as caught:
        world.ledger.open_run("p1")
    assert caught.value.reason == "ledger-unwritable"
    assert world.events() == []


def test_a_folder_that_takes_no_rescue_file_is_found_before_the_run(world: World) -> None:
    world.ledger.close()
    world.path = world.path.rename(world.path.with_name("l" * 240))  # its rescue file's name is too long
    world.ledger = world.reopened()
    with pytest.raises(Refused, match="rescue") as caught:
        world.ledger.open_run("p1")
    assert caught.value.reason == "ledger-unwritable"
    assert world.events()[-1] == ("run-closed", None, "no-rescue-file")


def test_a_run_ends_once(world: World) -> None:
    run = world.ledger.open_run("p1")
    world.ledger._write(lambda tx: runs.end(tx, run, why="process-gone"))
    world.ledger.close_run(run)
    assert [why for what, _batch, why in world.events() if what == "run-closed"] == ["process-gone"]


# the rescue file


def lose_the_disk(world: World, *, lost: bool = True) -> None:
    world.ledger._connection.read(lambda db: db.execute(f"PRAGMA query_only={int(lost)}"))


def test_an_outcome_that_cannot_be_recorded_is_rescued_and_imported(world: World) -> None:
    run = world.plan("p1")
    world.reserve(run, "p1", (1,), (2,), (3,))
    first, second, third = (world.claim(run, f"noel/1/{number}") for number in (1, 2, 3))
    assert first and second and third  # noqa: PT018  one condition: all were claimed
    world.ledger.settle(third, UNKNOWN)
    lose_the_disk(world)
    for attempt, settlement in ((first, SENT), (second, UNREACHABLE), (third, UNKNOWN)):
        with pytest.raises(InDoubt, match="rescue file") as caught:
            world.ledger.settle(attempt, settlement)
        assert caught.value.reason == "not-recorded"
    lose_the_disk(world, lost=False)
    (listed,) = world.ledger.rescues()
    assert listed.endswith("3 outcomes not recorded")
    assert world.ledger.check() == (listed,)
    world.ledger.close_run(run)
    assert world.states() == ["in_doubt", "in_doubt", "in_doubt"]
    world.ledger.open_run("p1")
    assert world.states() == ["accepted", "not_sent", "in_doubt"]
    assert world.batch("noel/1/1").receipt == SENT.receipt
    assert world.ledger.rescues() == ()


def test_without_a_rescue_file_the_outcome_is_in_the_message(world: World) -> None:
    run = world.plan("p1")
    world.reserve(run, "p1", (1,))
    attempt = world.claim(run, "noel/1/1")
    assert attempt is not None
    lose_the_disk(world)
    os.close(world.ledger._open_runs[run]._saved._file)
    with pytest.raises(InDoubt, match="in this message only") as caught:
        world.ledger.settle(attempt, SENT)
    line = str(caught.value).partition(": {")[2]
    assert json.loads("{" + line)["attempt"] == attempt
    world.ledger._open_runs[run]._saved._file = os.open(world.path, os.O_RDONLY)
    world.ledger.close()
    world.ledger = world.reopened()


def test_a_torn_rescue_file_stays_and_is_listed(world: World) -> None:
    torn = world.path.with_name("ledger.db.rescue-0123")
    torn.write_text('{"attempt": "a", "state": "acc\n' + rescue.line("unknown", SENT) + "\n\0\0")
    world.ledger.open_run("p1")
    assert world.ledger.rescues() == ("ledger.db.rescue-0123: 2 outcomes not recorded",)
    assert rescue.lines(torn.with_name("gone")) == ()


@pytest.mark.parametrize("settlement", [SENT, UNKNOWN, UNREACHABLE])
def test_a_rescued_line_reads_back(settlement: object) -> None:
    line = rescue.line("a", settlement)  # type: ignore[arg-type]  # the list above
    assert rescue.read(line) == ("a", settlement)


@pytest.mark.parametrize(
    "line", ["", "[]", "{}", "3", '{"attempt": 1, "state": "claimed", "reason": "", "rejected": 0}']
)
def test_a_torn_line_does_not(line: str) -> None:
    assert rescue.read(line) is None


def test_a_disk_too_full_for_a_rescue_file(world: World) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (rescue.ALLOCATED - 1, hard))
    try:
        with pytest.raises(OSError, match=r"large|space"):
            rescue.RescueFile(world.path, "r")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert rescue.files(world.path) == ()


def test_the_rescue_file_is_private_full_and_gone_with_its_run(world: World) -> None:
    run = world.ledger.open_run("p1")
    (path,) = rescue.files(world.path)
    assert (path.stat().st_mode & 0o777, path.stat().st_size) == (0o600, rescue.ALLOCATED)
    world.ledger.close_run(run)
    assert rescue.files(world.path) == ()


# processes


def test_this_process_lives() -> None:
    assert process.is_alive(process.current())


def test_a_process_that_got_the_id_of_a_dead_one_is_another() -> None:
    here = process.current()
    assert process.is_alive(process.Process(host=here.host, pid=here.pid, started="1")) is False
    assert process.is_alive(process.Process(host=here.host, pid=2**22 + 1, started="1")) is False
    assert process.is_alive(process.Process(host="elsewhere", pid=here.pid, started="1")) is None


def test_without_proc_the_process_id_decides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(process, "PROC", tmp_path)
    here = process.current()
    assert here.started == ""
    assert process.is_alive(here)
    assert process.is_alive(process.Process(host=here.host, pid=2**22 + 1, started="")) is False


# the check


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        ("DROP TRIGGER events_are_not_changed", "trigger events_are_not_changed is missing"),
        ("UPDATE batches SET contacts = 3 WHERE number = 1", "noel/1/1: 3 contacts are recorded, 2 keys are there"),
        (
            "UPDATE batch_keys SET keys = (SELECT keys FROM batch_keys WHERE batch = 'noel/1/2')",
            "noel/1: a contact is in two batches at once",
        ),
        (
            "UPDATE batch_keys SET keys = CAST(substr(keys, 17) || substr(keys, 1, 16) AS BLOB) WHERE batch LIKE '%1'",
            "noel/1/1: its keys are not in order, or one is there twice",
        ),
        ("UPDATE batches SET state = 'claimed' WHERE number = 1", "noel/1/1: claimed without an open attempt"),
        (
            "INSERT INTO batch_keys VALUES ('noel/1/9', zeroblob(16))",
            "a row of batch_keys points to a row of batches that is not there",
        ),
    ],
)
def test_check_finds_what_is_wrong(world: World, damage: str, expected: str) -> None:
    run = world.plan("p1")
    world.reserve(run, "p1", (1, 2), (3, 4))
    with sqlite3.connect(world.path) as db:
        db.execute(damage)
    db.close()
    assert world.ledger.check() == (expected,)


def test_check_reads_the_settings_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.PRAGMAS, "synchronous", 2)
    assert world.ledger.check() == ("setting synchronous is 3",)


def test_check_finds_a_page_that_cannot_be_read(world: World) -> None:
    world.ledger.close()
    with sqlite3.connect(world.path) as db:
        page = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'batches_plan'").fetchone()[0]
    db.close()
    with world.path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    world.ledger = world.reopened()
    assert [line.partition(": ")[0] for line in world.ledger.check()][:1] == ["damaged"]


def test_check_finds_a_page_that_nothing_points_to(world: World) -> None:
    with sqlite3.connect(world.path) as db:
        db.execute("PRAGMA writable_schema=1")
        db.execute("DELETE FROM sqlite_master WHERE name = 'batches_plan'")
    db.close()
    world.ledger.close()
    world.ledger = world.reopened()
    (line,) = world.ledger.check()
    assert line.startswith("damaged: ")
    assert "never used" in line


def test_states_that_settle_are_the_only_ones() -> None:
    assert {BatchState.ACCEPTED, BatchState.NOT_SENT, BatchState.IN_DOUBT} == {
        SENT.state,
        UNREACHABLE.state,
        UNKNOWN.state,
    }
