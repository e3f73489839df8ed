"""What an answer, or its absence, makes of a batch: the exit code, the ledger, and what was delivered."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import time
from typing import TYPE_CHECKING, Any

import pytest
from relay import (
    HTML,
    NO_STOP,
    Relay,
    nobody_home,
    passed,
    relaying,
    reply_held,
    reply_lost,
    request_held,
    request_lost,
    says,
    sent_but,
    truncated,
)
from workspaces import AUDIENCE, Workspace, tally

from octoplan.core import keys, outcome
from octoplan.ledger import BatchState
from octoplan.project import open_project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from relay import Call

ADDRESSES = re.findall(r"\+\d+", AUDIENCE)


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    """Make a project that sends its three batches one after another."""
    project = Workspace(tmp_path).usual()
    project.edit("octoplan.yaml", "quiet_time: 1s", "quiet_time: 2s, workers: 1")
    return project


@contextlib.contextmanager
def between(project: Workspace) -> Iterator[Relay]:
    with project.serving() as served, relaying(served) as relay:
        project.served = relay.url
        yield relay


@pytest.fixture
def relay(project: Workspace) -> Iterator[Relay]:
    with between(project) as relay:
        yield relay


@pytest.fixture
def rehearsal(project: Workspace, relay: Relay) -> list[str]:
    """Save a plan of a rehearsal; give the words that apply it."""
    assert project.served == relay.url
    project.run("--env", "rehearsal", "ledger", "init")
    return saved(project, "first")


def saved(project: Workspace, name: str) -> list[str]:
    path = str(project.root / f"{name}.plan")
    project.run("--env", "rehearsal", "plan", "--out", path)
    return ["apply", path]


def line(
    accepted: int = 0, rejected: int = 0, doubt: int = 0, dropped: int = 0, not_started: int = 0
) -> dict[str, int]:
    return {
        "accepted": accepted,
        "rejected": rejected,
        "in doubt": doubt,
        "dropped": dropped,
        "not started": not_started,
    }


def agree(project: Workspace, *environment: str) -> None:
    """Hold the delivery log against the ledger, person by person."""
    delivered = [row["address"] for row in project.deliveries()]
    opened = open_project(project.root, *environment[1:])
    with contextlib.closing(opened.open_ledger()) as ledger:
        for address in ADDRESSES:
            states = [row.state for row in ledger.find(keys.contact_key(opened.key, address))]
            sure, unsure = states.count(BatchState.ACCEPTED), states.count(BatchState.IN_DOUBT)
            assert sure <= delivered.count(address) <= min(1, sure + unsure)


def standing(project: Workspace, *environment: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(project.run(*environment, "status", "--json").out)[0]
    return {name: found[name] for name in ("sent", "owed", "rejected", "in_doubt")}


def doubtful(project: Workspace, *environment: str) -> str:
    """Return the one batch that `resolve` lists."""
    listed = json.loads(project.run(*environment, "resolve", "--json", code=7).out)
    (doubt,) = listed["batches"] if isinstance(listed, dict) else listed
    assert isinstance(doubt["batch"], str)
    return doubt["batch"]


def killed(project: Workspace, relay: Relay, *words: str) -> None:
    """Kill an apply with the second of its three batches on the wire."""
    process = project.start(*words)
    relay.wait_until_held()
    process.kill()
    process.communicate()
    relay.release.set()


@pytest.mark.parametrize(
    ("act", "code", "ended"),
    [
        (reply_lost, 7, line(1, doubt=1, not_started=1)),
        (request_lost, 7, line(1, doubt=1, not_started=1)),
        (truncated, 7, line(1, doubt=1, not_started=1)),
        (sent_but(500, b'{"code": 500, "message": "oops"}'), 7, line(1, doubt=1, not_started=1)),
        (sent_but(307, location="/elsewhere"), 7, line(1, doubt=1, not_started=1)),
        (sent_but(502, HTML, content_type="text/html"), 7, line(1, doubt=1, not_started=1)),
        (sent_but(200, HTML, content_type="text/html"), 7, line(1, doubt=1, not_started=1)),
        (says(401, b'{"code": 401, "message": "unauthorized"}'), 1, line(1, not_started=2)),
        (says(429, retry_after="1"), 0, line(3)),
        (says(400, NO_STOP), 6, line(2, rejected=1)),
    ],
    ids=["reply lost", "request lost", "truncated", "500", "307", "502", "no JSON", "401", "429", "121"],
)
def test_what_an_answer_means(
    project: Workspace, relay: Relay, act: Callable[[Call], None], code: int, ended: dict[str, int]
) -> None:
    relay.then(passed, act)
    last = project.run("apply", code=code).out
    assert tally(last) == ended
    told = standing(project)
    assert (told["sent"], told["in_doubt"], told["rejected"]) == (
        ended["accepted"],
        ended["in doubt"],
        ended["rejected"],
    )
    assert len(relay.sends) - len(set(relay.sends)) == (1 if code == 0 else 0), (
        "only a 429 is asked again, byte for byte"
    )
    agree(project)


def test_a_provider_that_refuses_connections(
    project: Workspace, rehearsal: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    relayed = project.served
    with nobody_home() as address:
        project.served = address
        monkeypatch.setattr(outcome, "RETRIES", 1)
        ended = project.run(*rehearsal, code=5)
        assert tally(ended.out) == line(not_started=3)
        assert "unreachable" in ended.err
        assert project.run("apply", code=5).out.count("accepted") == 0
    project.served = relayed
    assert tally(project.run(*rehearsal).out) == line(3)
    agree(project, "--env", "rehearsal")


def test_a_killed_apply_is_in_doubt_until_a_person_says_not_sent(project: Workspace, relay: Relay) -> None:
    relay.then(passed, request_held)
    killed(project, relay, "apply")
    assert "\n? noel" in project.run("plan").out
    assert tally(project.run("apply", code=7).out) == line(1, doubt=1)
    assert tally(project.run("apply", code=7).out) == line(doubt=1)
    assert project.counts() == {"deliveries": 2, "addresses": 2, "most_per_address": 1}
    batch = doubtful(project)
    decision = ("resolve", batch, "--as", "not-sent", "--reason", "the provider shows no such campaign")
    early = project.run(*decision, code=5)
    assert re.search(r"until \d{4}-\d\d-\d\d", early.err)
    assert tally(project.run("apply", code=7).out) == line(doubt=1)
    _until_quiet(project, *decision)
    assert json.loads(project.run("plan", "--json").out)["totals"]["contacts"] == 1
    assert tally(project.run("apply").out) == line(1)
    assert project.counts() == {"deliveries": 3, "addresses": 3, "most_per_address": 1}
    assert standing(project) == {"sent": 3, "owed": 0, "rejected": 0, "in_doubt": 0}
    agree(project)


def _until_quiet(project: Workspace, *decision: str) -> None:
    until = time.monotonic() + 10
    while project.run(*decision, code=None).code == 5:
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_killed_apply_of_a_saved_plan_that_a_person_says_was_sent(
    project: Workspace, relay: Relay, rehearsal: list[str]
) -> None:
    there = ("--env", "rehearsal")
    relay.then(passed, reply_held)
    killed(project, relay, *rehearsal)
    assert "\n? noel" in project.run(*there, "plan").out
    assert tally(project.run(*rehearsal, code=7).out) == line(1, doubt=1)
    batch = doubtful(project, *there)
    project.run(*there, "resolve", batch, "--as", "sent", "--reason", "it is in the back office")
    for words in (rehearsal, saved(project, "second")):
        assert tally(project.run(*words).out) == line()
    project.run(*there, "resolve", batch, "--as", "not-sent", "--reason", "changed my mind", code=1)
    assert "No changes." in project.run(*there, "plan").out
    assert project.counts() == {"deliveries": 3, "addresses": 3, "most_per_address": 1}
    assert standing(project, *there)["sent"] == 3
    agree(project, *there)


def test_not_sent_lets_the_same_saved_plan_send_exactly_them(
    project: Workspace, relay: Relay, rehearsal: list[str]
) -> None:
    relay.then(passed, request_lost)
    assert tally(project.run(*rehearsal, code=7).out) == line(1, doubt=1, not_started=1)
    assert tally(project.run(*rehearsal, code=7).out) == line(1, doubt=1)
    batch = doubtful(project, "--env", "rehearsal")
    _until_quiet(project, "--env", "rehearsal", "resolve", batch, "--as", "not-sent", "--reason", "their log lacks it")
    assert tally(project.run(*rehearsal).out) == line(1)
    assert tally(project.run(*rehearsal).out) == line()
    assert project.counts() == {"deliveries": 3, "addresses": 3, "most_per_address": 1}
    agree(project, "--env", "rehearsal")


def test_two_ledgers_send_the_same_batches(
    project: Workspace, relay: Relay, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project.run("plan")
    copied = tmp_path_factory.mktemp("copy") / "project"
    shutil.copytree(project.root, copied)
    copy = Workspace(copied)
    shutil.copytree(project.root, copied, dirs_exist_ok=True)
    copy.served = relay.url
    assert tally(project.run("apply").out) == line(3)
    ended = copy.run("apply", code=7)
    assert tally(ended.out) == line(doubt=1, not_started=2)
    assert "foreign" in ended.err
    said = ("resolve", "noel/1/1", "--reason", "looked it up", "--as")
    assert "noel/1/1 was sent, by another ledger" in copy.run(*said, "not-sent", code=1).err
    copy.run(*said, "sent")
    assert len(relay.sends) == 4
    assert project.counts() == {"deliveries": 3, "addresses": 3, "most_per_address": 1}


def test_a_rejected_batch_needs_a_new_plan(project: Workspace, relay: Relay, rehearsal: list[str]) -> None:
    relay.then(says(400, NO_STOP))
    assert tally(project.run(*rehearsal, code=6).out) == line(2, rejected=1)
    again = project.run(*rehearsal, code=6)
    assert tally(again.out) == line(rejected=1)
    assert "Mention STOP is missing" in again.err
    assert len(relay.sends) == 3
    second = saved(project, "second")
    assert json.loads(project.run("show", "--format", "json", second[1]).out)["totals"]["contacts"] == 1
    assert tally(project.run(*second).out) == line(1)
    assert "plan-superseded" in project.run(*rehearsal, code=4).err
    assert project.counts() == {"deliveries": 3, "addresses": 3, "most_per_address": 1}
    agree(project, "--env", "rehearsal")
