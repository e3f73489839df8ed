"""What changes while an apply is under way: lists, clocks, signals, other plans."""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from relay import Relay, passed, reply_held, reply_lost, says
from workspaces import Workspace, sibling, tally

from octoplan import project as projects
from octoplan.core.errors import Refused
from octoplan.ledger.sqlite import SqliteLedger
from octoplan.workflow.prepare import Preparation
from octoplan.workflow.repeat import Repeater
from octoplan.workflow.run import Run

if TYPE_CHECKING:
    from pathlib import Path

    from relay import Call

CAP = "limits: {per_contact: {messages: 1, days: 7}, "
REHEARSAL = ("--env", "rehearsal")


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    """Make a project of three batches that are sent one after another, with a list of who has opted out."""
    project = Workspace(tmp_path).usual()
    project.edit("octoplan.yaml", "quiet_time: 1s", "quiet_time: 1s, workers: 1")
    project.edit("octoplan.yaml", "providers:", "suppressions: [audiences/stop.csv]\nproviders:")
    project.write("audiences/stop.csv", "phone_number\n")
    return project


class Clock:
    """A clock that a test moves."""

    ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(projects, "open_project", partial(projects.open_project, clock=clock))
    return clock


def line(accepted: int = 0, not_started: int = 0, *, doubt: int = 0) -> dict[str, int]:
    return {"accepted": accepted, "rejected": 0, "in doubt": doubt, "dropped": 0, "not started": not_started}


def everybody_leaves(project: Workspace) -> None:
    project.write("audiences/stop.csv", (project.root / "audiences/list.csv").read_text(encoding="utf-8"))


def test_whoever_opts_out_while_a_batch_waits_for_its_second_try_is_sent_nothing(
    project: Workspace, relay: Relay
) -> None:
    def limited(call: Call) -> None:
        everybody_leaves(project)
        says(429, retry_after="1")(call)

    relay.then(limited)
    ended = project.run("apply", code=5)
    assert tally(ended.out) == line(not_started=3)
    assert "suppressions-changed: a suppression list has changed: run the same command again" in ended.err
    assert len(relay.sends) == 1
    project.run("apply", code=None)
    assert project.counts()["deliveries"] == 0


def test_a_list_that_changes_when_everything_has_left_is_for_the_next_run(project: Workspace, relay: Relay) -> None:
    def opting_out(call: Call) -> None:
        passed(call)
        everybody_leaves(project)

    relay.then(passed, passed, opting_out)
    assert tally(project.run("apply", code=0).out) == line(3)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 5), (signal.SIGINT, 130)])
def test_a_signal_while_the_first_of_two_campaigns_is_reserved_lets_neither_leave(
    project: Workspace, relay: Relay, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, code: int
) -> None:
    reserve, asked = SqliteLedger.reserve, list[Any]()

    def interrupted(*words: Any, **named: Any) -> Any:
        if not asked:
            os.kill(os.getpid(), number)
        asked.append(words)
        return reserve(*words, **named)

    project.write("campaigns/oct.yaml", sibling("oct"))
    monkeypatch.setattr(SqliteLedger, "reserve", interrupted)
    ended = project.run("apply", code=code)
    assert tally(ended.out) == line(not_started=6)
    assert "stopped" in ended.err
    assert (len(asked), relay.sends) == (1, [])
    monkeypatch.undo()
    assert tally(project.run("apply").out) == line(6)


def test_a_claim_that_had_to_wait_for_the_ledger_until_the_time_was_over_sends_nothing(
    project: Workspace, relay: Relay, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = SqliteLedger.claim

    def slowly(*words: Any, **named: Any) -> Any:
        claimed = claim(*words, **named)
        clock.ahead = timedelta(days=8)
        return claimed

    monkeypatch.setattr(SqliteLedger, "claim", slowly)
    ended = project.run("apply", code=4)
    assert tally(ended.out) == line(not_started=3)
    assert "plan-expired" in ended.err
    assert relay.sends == []
    monkeypatch.setattr(SqliteLedger, "claim", claim)
    assert tally(project.run("apply").out) == line(3)


@pytest.fixture
def doubtful(project: Workspace, relay: Relay) -> str:
    """Leave the first batch of a rehearsal in doubt, which is for a quarter of an hour."""
    send_at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M}"
    schedule = f"schedule: {{send_at: {send_at}, timezone: UTC, grace: 15m}}"
    project.edit("campaigns/noel.yaml", "channel: sms", f"channel: sms\n{schedule}")
    project.run(*REHEARSAL, "ledger", "init")
    project.run(*REHEARSAL, "plan", "--out", str(project.root / "plan"))
    relay.then(reply_lost)
    assert tally(project.run("apply", str(project.root / "plan"), code=7).out) == line(not_started=2, doubt=1)
    (batch,) = json.loads(project.run(*REHEARSAL, "resolve", "--json", code=7).out)["batches"]
    found: str = batch["batch"]
    return found


@pytest.mark.parametrize(
    ("owner", "step", "told"),
    [
        (Preparation, "everybody", "the time of its campaign in its plan is over: decide"),
        (SqliteLedger, "repeat", "repeated, and not closed by the answer: plan-expired"),
    ],
)
def test_a_doubt_stays_where_the_time_is_over_before_the_request_is_repeated(  # noqa: PLR0913, PLR0917  fixtures
    project: Workspace,
    relay: Relay,
    doubtful: str,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    step: str,
    told: str,
) -> None:
    before = getattr(owner, step)

    def slowly(*words: Any, **named: Any) -> Any:
        done = before(*words, **named)
        clock.ahead = timedelta(minutes=30)
        return done

    monkeypatch.setattr(Repeater, "_ask_time", lambda repeater, _: repeater.project.clock())  # it goes on likewise
    clock.ahead = timedelta(seconds=2)
    monkeypatch.setattr(owner, step, slowly)
    found = json.loads(project.run(*REHEARSAL, "resolve", "--json", code=7).out)
    assert [(batch["batch"], batch["next"]) for batch in found["batches"]] == [(doubtful, told)]
    assert len(relay.sends) == 1


def test_what_was_claimed_long_before_it_arrives_counts_when_it_arrives(project: Workspace) -> None:
    project.edit("octoplan.yaml", "limits: {", CAP)
    project.edit("campaigns/noel.yaml", "channel: sms", f"channel: sms\n{in_days(20, lead='60d')}")
    assert tally(project.run("apply").out) == line(3)
    for day, owed in ((21, 0), (28, 3), (5, 3)):
        project.write("campaigns/oct.yaml", sibling("oct") + in_days(day, lead="60d") + "\n")
        rows = json.loads(project.run("plan", "oct", "--offline", "--json", code=None).out)["campaigns"]
        assert [(row["estimate"] or {"contacts": 0})["contacts"] for row in rows] == [owed], day


def in_days(days: float, *, lead: str) -> str:
    at = datetime.now(UTC) + timedelta(days=days)
    return f"schedule: {{send_at: {at:%Y-%m-%dT%H:%M}, timezone: UTC, lead: {lead}}}"


@pytest.fixture
def plans(project: Workspace) -> tuple[str, str]:
    """Save two plans to the same people, each a campaign of its own; both together are more than their cap."""
    project.edit("octoplan.yaml", "limits: {", CAP)
    project.write("campaigns/oct.yaml", sibling("oct"))
    project.run("plan", "noel", "--out", str(project.root / "noel.plan"))
    project.run("plan", "oct", "--out", str(project.root / "oct.plan"))
    return str(project.root / "noel.plan"), str(project.root / "oct.plan")


def test_a_plan_beside_another_one_waits_so_that_both_cannot_be_too_much(
    project: Workspace, relay: Relay, plans: tuple[str, str]
) -> None:
    relay.then(reply_held)
    first = project.start("apply", plans[0])
    relay.wait_until_held()
    assert "run-alive: oct: another plan is being applied" in project.run("apply", plans[1], code=5).err
    relay.release.set()
    first.communicate()
    assert first.returncode == 0
    project.run("apply", plans[1], code=3)
    assert project.counts() == {"deliveries": 3, "addresses": 3, "most_per_address": 1}


def test_what_another_plan_has_sent_since_this_one_looked_is_looked_at(
    project: Workspace, relay: Relay, plans: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(_: Run) -> None:
        overtaking = project.start("apply", plans[0])
        overtaking.communicate()
        assert overtaking.returncode == 0

    monkeypatch.setattr(Run, "_refuse_rivals", overtaken)
    ended = project.run("apply", plans[1], code=5)
    assert "ledger-moved-on: oct: another plan was applied while this one was prepared" in ended.err
    monkeypatch.undo()
    project.run("apply", plans[1], code=3)
    assert len(relay.sends) == 3
    assert project.counts() == {"deliveries": 3, "addresses": 3, "most_per_address": 1}


def fewer(call: Call) -> None:
    status, body, date = call.forward()
    answer = json.loads(body)
    (count,) = (name for name in answer if name in ("number_of_contacts", "contacts"))
    call.answer(status, json.dumps({**answer, count: answer[count] - 1}).encode(), date)


def test_whom_the_provider_did_not_take_is_told(project: Workspace, relay: Relay) -> None:
    relay.then(fewer, fewer)
    ended = project.run("apply", code=0)
    assert tally(ended.out) == line(3)
    assert "fewer-contacts: the provider took 2 contacts fewer than it was given" in ended.err
    assert "sent 3 · of them not taken by the provider 2 · " in project.run("status").out
    assert json.loads(project.run("status", "--json").out)[0]["fewer"] == 2
    assert tally(project.run("apply").out) == line()


def test_nobody_who_has_no_name_decides(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.delenv("OCTOPLAN_ACTOR", raising=False)
    monkeypatch.setattr("getpass.getuser", nameless)
    refused = project.run("import", "noel", "audiences/list.csv", "--at", "2026-11-01", code=1)
    assert "nobody is named: set OCTOPLAN_ACTOR" in refused.err


def test_a_claim_that_a_broken_disk_calls_failed_is_a_doubt_where_it_cannot_be_withdrawn(
    project: Workspace, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = SqliteLedger.claim

    def broken(*_: Any, **__: Any) -> str | None:
        raise Refused("the ledger cannot be written (disk I/O error)", reason="ledger-unwritable")

    def claimed(*words: Any, **more: Any) -> str | None:
        claim(*words, **more)
        monkeypatch.setattr(SqliteLedger, "close_run", broken)
        return broken()

    monkeypatch.setattr(SqliteLedger, "claim", claimed)
    ended = project.run("apply", code=7)
    assert tally(ended.out) == line(doubt=1, not_started=2)
    assert "ledger-unwritable" in ended.err
    assert "a person must look" in ended.err
    assert not relay.sends
