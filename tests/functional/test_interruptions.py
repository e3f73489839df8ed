"""What happens to an apply that is interrupted, unheard, doubled, or left without a disk: counted, never lost."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from relay import PATIENCE, Relay, passed, reply_held, reply_held_and_lost, says
from workspaces import AUDIENCE, Workspace, tally

from octoplan import project as projects
from octoplan.cli.apply import ONCE
from octoplan.core.errors import InDoubt, Refused
from octoplan.ledger.sqlite import SqliteLedger
from octoplan.providers.octopush import answers
from octoplan.workflow import crew
from octoplan.workflow.sending import Pace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from relay import Call

    from octoplan.core.model import Reply
    from octoplan.core.outcome import Answer

PEOPLE = 8


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    """Make a project of eight batches and two workers."""
    project = Workspace(tmp_path).usual()
    project.edit("octoplan.yaml", "quiet_time: 1s", "quiet_time: 1s, workers: 2")
    rows = [f"+336399800{number},Zoe,{number}" for number in range(11, 11 + PEOPLE)]
    project.write("audiences/list.csv", "\n".join([AUDIENCE.splitlines()[0], *rows, ""]))
    return project


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in err
    return process.returncode, out or "", err


def line(accepted: int, doubt: int = 0, not_started: int = 0) -> dict[str, int]:
    return {"accepted": accepted, "rejected": 0, "in doubt": doubt, "dropped": 0, "not started": not_started}


def once(project: Workspace) -> None:
    assert project.counts() == {"deliveries": PEOPLE, "addresses": PEOPLE, "most_per_address": 1}


def two_on_the_wire(project: Workspace, relay: Relay) -> subprocess.Popen[str]:
    """Start an apply, and return once two of its requests are being held."""
    relay.then(reply_held, reply_held)
    process = project.start("apply")
    relay.wait_until_held()
    relay.wait_until_held()
    return process


@pytest.mark.parametrize(
    ("number", "acts", "ends"),
    [
        (signal.SIGINT, (reply_held, reply_held), (130, line(2, not_started=6))),
        (signal.SIGTERM, (reply_held, reply_held), (5, line(2, not_started=6))),
        (signal.SIGHUP, (reply_held, reply_held), (5, line(2, not_started=6))),
        (signal.SIGINT, (reply_held, reply_held_and_lost), (7, line(1, doubt=1, not_started=6))),
    ],
)
def test_the_first_signal_lets_what_is_on_the_wire_settle(
    project: Workspace,
    relay: Relay,
    number: signal.Signals,
    acts: tuple[Callable[[Call], None], ...],
    ends: tuple[int, dict[str, int]],
) -> None:
    relay.then(*acts)
    process = project.start("apply")
    relay.wait_until_held()
    relay.wait_until_held()
    process.send_signal(number)
    assert "once more" in (process.stderr.readline() if process.stderr else "")
    relay.release.set()
    code, out, _ = ended(process)
    assert (code, tally(out)) == ends
    doubt = ends[1]["in doubt"]
    again = project.run("apply", code=7 if doubt else 0)
    assert tally(again.out) == line(6, doubt=doubt)
    once(project)


def test_the_second_ctrl_c_leaves_at_once_and_the_claim_is_durable(project: Workspace, relay: Relay) -> None:
    process = two_on_the_wire(project, relay)
    process.send_signal(signal.SIGINT)
    assert process.stderr
    assert "once more" in process.stderr.readline()
    time.sleep(2 * ONCE)
    process.send_signal(signal.SIGINT)
    code, _, err = ended(process)
    assert code == 7
    assert "what was on the wire, if anything, is in doubt: `octoplan resolve` lists it" in err
    assert project.run("resolve", code=7).out.count("? noel/1/") == 2
    relay.release.set()
    assert "\n? noel" in project.run("plan").out
    assert tally(project.run("apply", code=7).out) == line(6, doubt=2)
    once(project)


def test_a_signal_that_is_told_to_a_process_and_to_its_group_is_one_wish(project: Workspace, relay: Relay) -> None:
    process = two_on_the_wire(project, relay)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGTERM)
    assert "once more" in (process.stderr.readline() if process.stderr else "")
    process.send_signal(signal.SIGTERM)
    relay.release.set()
    code, out, _ = ended(process)
    assert (code, tally(out)) == (5, line(2, not_started=6))


@pytest.mark.parametrize("ignored", [True, False])
def test_a_terminal_that_is_gone_is_one_wish_to_stop_or_none(project: Workspace, relay: Relay, ignored: bool) -> None:  # noqa: FBT001
    relay.then(reply_held, reply_held)
    hears = signal.SIG_IGN if ignored else signal.SIG_DFL
    process = project.start("apply", preexec_fn=lambda: signal.signal(signal.SIGHUP, hears))
    relay.wait_until_held()
    relay.wait_until_held()
    process.send_signal(signal.SIGHUP)
    if not ignored:
        assert "once more" in (process.stderr.readline() if process.stderr else "")
        process.send_signal(signal.SIGHUP)
    relay.release.set()
    code, out, _ = ended(process)
    assert (code, tally(out)) == ((0, line(8)) if ignored else (5, line(2, not_started=6)))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 5), (signal.SIGHUP, 5)])
def test_before_anything_is_claimed_a_signal_ends_it(
    project: Workspace, relay: Relay, number: signal.Signals, code: int
) -> None:
    relay.asks = reply_held
    process = project.start("apply")
    relay.wait_until_held()
    process.send_signal(number)
    relay.release.set()
    assert ended(process)[0] == code
    assert not relay.sends
    assert json.loads(project.run("status", "--json").out) == []


def test_ctrl_c_ends_a_long_wait(project: Workspace, relay: Relay) -> None:
    def limited(call: Call) -> None:
        says(429, retry_after="600")(call)
        relay.held.release()

    relay.then(limited, limited)
    process = project.start("apply")
    relay.wait_until_held()
    relay.wait_until_held()
    process.send_signal(signal.SIGINT)
    code, out, _ = ended(process)
    assert (code, tally(out)) == (130, line(0, not_started=8))
    assert tally(project.run("apply").out) == line(8)
    once(project)


def test_nobody_reads_the_output(project: Workspace) -> None:
    closed = project.start("apply")
    assert closed.stdout
    closed.stdout.close()
    closed.stdout = None
    code, _, err = ended(closed)
    assert (code, err) == (0, "")
    once(project)


@pytest.mark.parametrize("words", [("apply",), ("apply", "--json")])
def test_the_disk_for_the_output_is_full(project: Workspace, words: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123  no regular file
        code, _, err = ended(project.start(*words, stdout=full))
        assert (code, err) == (0, "octoplan: the output cannot be written: No space left on device\n")
        once(project)


def test_a_plan_that_cannot_be_written_is_no_plan(project: Workspace) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123  no regular file
        code, _, err = ended(project.start("plan", "--offline", stdout=full))
    assert (code, err) == (1, "octoplan: the output cannot be written: No space left on device (output)\n")


def test_there_is_no_output_at_all(project: Workspace) -> None:
    octoplan = [sys.executable, "-m", "octoplan", "-C", str(project.root), "apply"]
    closing = ["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *octoplan]
    subprocess.run(closing, env={**os.environ, **project.environ()}, timeout=PATIENCE, check=True)
    once(project)


def test_two_applies_of_one_project_at_once(project: Workspace) -> None:
    """Embedded sandboxes over one state; the later plan may supersede the earlier, or be refused while it runs."""
    both = [project.start("apply"), project.start("apply")]
    codes = [ended(process)[0] for process in both]
    assert set(codes) <= {0, 4, 5}
    assert project.run("apply").code == 0
    once(project)


def test_two_applies_of_one_saved_plan_at_once(project: Workspace, relay: Relay) -> None:
    rehearsal = saved(project)
    relay.then(reply_held)
    first = project.start(*rehearsal)
    relay.wait_until_held()
    second = project.run(*rehearsal)
    relay.release.set()
    code, out, _ = ended(first)
    assert code == 0
    assert tally(out)["accepted"] + tally(second.out)["accepted"] == PEOPLE
    assert tally(project.run(*rehearsal).out) == line(0)
    once(project)


def saved(project: Workspace) -> list[str]:
    path = str(project.root / "saved.plan")
    project.run("--env", "rehearsal", "ledger", "init")
    project.run("--env", "rehearsal", "plan", "--out", path)
    return ["apply", path]


def test_another_plan_waits_while_one_is_being_applied(project: Workspace, relay: Relay) -> None:
    relay.then(reply_held, reply_held)
    first = project.start("apply")
    relay.wait_until_held()
    relay.wait_until_held()
    assert "run-alive" in project.run("apply", code=5).err
    relay.release.set()
    code, out, _ = ended(first)
    assert (code, tally(out)) == (0, line(PEOPLE))
    once(project)


@pytest.mark.parametrize("broken", ["folder", "file", "rehearsal"])
def test_a_ledger_that_cannot_be_opened_is_refused_before_any_request(
    project: Workspace, relay: Relay, broken: str
) -> None:
    words = ["apply"]
    if broken == "rehearsal":
        words = saved(project)
        (project.root / "file").write_text("")
        project.edit("octoplan.yaml", "sqlite:///rehearsal.db", "sqlite:///file/rehearsal.db")
    elif broken == "folder":
        project.write(".octoplan/ledger.db/file", "")
    else:
        (project.root / ".octoplan").rename(project.root / "moved")
        project.write(".octoplan", "")
    asked = relay.requests
    assert "ledger" in project.run(*words, code=1).err
    assert relay.requests == asked


def test_a_full_disk_is_found_before_any_request(project: Workspace, relay: Relay) -> None:
    project.run("plan", "--offline")
    project.run("status")
    asked = relay.requests
    process = project.start("apply", measured=False, preexec_fn=lambda: full(0))
    code, _, err = ended(process)
    assert (code, relay.requests - asked) == (1, 0)
    assert "ledger-unwritable" in err


def full(process: int) -> None:
    """Let a process make no file longer than a page: what a full disk is to it."""
    _, hard = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (4096, hard))


def test_what_cannot_be_recorded_is_rescued(project: Workspace, relay: Relay) -> None:
    relay.then(passed, passed, reply_held, reply_held)
    process = project.start("apply", measured=False)
    relay.wait_until_held()
    relay.wait_until_held()
    full(process.pid)
    relay.release.set()
    code, out, err = ended(process)
    assert code == 7
    assert tally(out) == line(2, doubt=2, not_started=4)
    assert err.count("in the rescue file beside it") == 2
    assert tally(project.run("apply").out) == line(4)
    once(project)
    told = json.loads(project.run("status", "--json").out)[0]
    assert (told["sent"], told["in_doubt"], told["without_ticket"]) == (PEOPLE, 0, 0)


def test_a_bug_while_something_is_on_the_wire_is_in_doubt(
    project: Workspace, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(reply: Reply) -> Answer:
        raise TypeError(reply)

    project.edit("octoplan.yaml", "workers: 2", "workers: 1")
    monkeypatch.setattr(answers, "read_sent", broken)
    crashed = project.run("apply", code=7)
    assert tally(crashed.out) == line(0, doubt=1, not_started=7)
    assert "this is a bug in octoplan" in crashed.err
    assert "TypeError" in crashed.err
    monkeypatch.undo()
    assert len(relay.sends) == 1
    assert tally(project.run("apply", code=7).out) == line(7, doubt=1)
    once(project)


@pytest.mark.parametrize(
    ("step", "error"),
    [
        ("claim", Refused("disk I/O error", reason="ledger-unwritable")),
        ("settle", InDoubt("disk I/O error", reason="not-recorded")),
    ],
)
def test_what_the_ledger_recorded_and_said_it_could_not(
    project: Workspace, relay: Relay, monkeypatch: pytest.MonkeyPatch, step: str, error: Exception
) -> None:
    """The last flush of a commit may fail: the last line adds up, and nobody is sent it twice."""
    recorded = getattr(SqliteLedger, step)

    def unheard(*given: Any, **named: Any) -> None:
        recorded(*given, **named)
        raise error

    project.edit("octoplan.yaml", "workers: 2", "workers: 1")
    monkeypatch.setattr(SqliteLedger, step, unheard)
    assert tally(project.run("apply", code=7).out) == line(0, doubt=1, not_started=7)
    assert len(relay.sends) == (0 if step == "claim" else 1)
    monkeypatch.undo()
    doubt = int(step == "claim")
    assert tally(project.run("apply", code=7 * doubt).out) == line(7, doubt=doubt)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(projects, "open_project", partial(projects.open_project, clock=clock))
    return clock


class Clock:
    """A clock that a test moves."""

    ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def test_a_campaign_whose_time_ends_while_it_is_sent(project: Workspace, relay: Relay, clock: Clock) -> None:
    def last(call: Call) -> None:
        clock.ahead = timedelta(days=8)
        passed(call)

    project.edit("octoplan.yaml", "workers: 2", "workers: 1")
    relay.then(passed, last)
    late = project.run("apply", code=4)
    assert tally(late.out) == line(2, not_started=6)
    assert "plan-expired" in late.err
    assert tally(project.run("apply").out) == line(6)
    once(project)


def test_a_saved_plan_that_comes_too_late(project: Workspace, relay: Relay, clock: Clock) -> None:
    rehearsal = saved(project)
    clock.ahead = timedelta(days=8)
    late = project.run(*rehearsal, code=4)
    assert tally(late.out) == line(0, not_started=8)
    assert "plan-expired" in late.err
    assert not relay.sends
    assert json.loads(project.run("--env", "rehearsal", "status", "--json").out) == []


def test_what_waits_for_its_time_is_not_started(project: Workspace, clock: Clock) -> None:
    send_at = f"{clock() + timedelta(days=10):%Y-%m-%dT%H:%M}"
    project.edit("campaigns/noel.yaml", "channel: sms", f"channel: sms\nschedule: {{send_at: '{send_at}'}}")
    rehearsal = saved(project)
    waits = project.run(*rehearsal)
    assert tally(waits.out) == line(0, not_started=8)
    assert "waiting: noel" in waits.err
    clock.ahead = timedelta(days=9, hours=12)
    assert tally(project.run(*rehearsal).out) == line(8)
    once(project)


def test_no_claim_after_a_signal_that_came_while_pacing(
    project: Workspace, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(call: Call) -> None:
        passed(call)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(crew, "Pace", lambda _: Pace(Decimal("0.001")))
    relay.then(interrupted)
    assert tally(project.run("apply", code=130).out) == line(1, not_started=7)
    assert len(relay.sends) == 1


def test_no_second_request_after_the_time_is_over(project: Workspace, relay: Relay, clock: Clock) -> None:
    def limited(call: Call) -> None:
        clock.ahead = timedelta(days=8)
        says(429, retry_after="1")(call)

    project.edit("octoplan.yaml", "workers: 2", "workers: 1")
    relay.then(limited)
    assert tally(project.run("apply", code=4).out) == line(0, not_started=8)
    assert len(relay.sends) == 1


def test_an_opt_out_that_arrives_while_sending_stops_it(project: Workspace, relay: Relay) -> None:
    project.edit("octoplan.yaml", "providers:", "suppressions: [audiences/stop.csv]\nproviders:")
    project.edit("octoplan.yaml", "workers: 2", "workers: 1")
    project.write("audiences/stop.csv", "phone_number\n")
    everybody = (project.root / "audiences/list.csv").read_text(encoding="utf-8")

    def opting_out(call: Call) -> None:
        passed(call)
        project.write("audiences/stop.csv", everybody)

    relay.then(opting_out)
    stopped = project.run("apply", code=None)
    assert stopped.code == 5
    assert "suppressions-changed" in stopped.err
    assert len(relay.sends) == 1
    project.run("apply", code=None)
    assert len(relay.sends) == 1
