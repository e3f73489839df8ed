"""What the ledger tells of money and people after things went wrong: `status`, limits, and the next plan."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from relay import NO_STOP, Relay, passed, reply_held, reply_lost, request_lost, says, sent_but
from workspaces import AUDIENCE, Workspace, sibling, tally

from octoplan.workflow.crew import Crew

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    """Make a project that sends its three batches, of one contact and at most 0.06 EUR each, one after another."""
    project = Workspace(tmp_path).usual()
    project.edit("octoplan.yaml", "quiet_time: 1s", "quiet_time: 1s, workers: 1")
    return project


def test_what_a_person_says_was_sent_counts_against_the_limit(project: Workspace, relay: Relay) -> None:
    relay.then(reply_lost)
    project.edit("campaigns/noel.yaml", "list.csv}", "list.csv, new_contacts: send}")
    project.write("audiences/list.csv", "".join(AUDIENCE.splitlines(keepends=True)[:2]))
    project.run("apply", code=7)
    project.run("resolve", "noel/1/1", "--as", "sent", "--reason", "she has it")
    assert "open 0.06 EUR" in project.run("status").out
    project.write("audiences/list.csv", AUDIENCE)
    project.edit("campaigns/noel.yaml", "message:", "limits: {max_cost: 0.12 EUR}\nmessage:")
    assert "limit cost-limit" in project.run("plan", code=3).out


def test_what_was_charged_too_dear_is_not_paid_from_another_campaign(project: Workspace, relay: Relay) -> None:
    project.write("campaigns/late.yaml", sibling("late") + "schedule: {send_at: 2099-12-25T10:00}\n")
    path = str(project.root / "both.plan")
    project.run("plan", "--out", path)
    relay.then(sent_but(200, b'{"code": "000", "sms_ticket": "t", "number_of_contacts": 1, "total_cost": 0.50}'))
    assert "0.50 EUR charged" in project.run("apply", path, code=3).err
    assert "cost-over-approved" in project.run("apply", path, code=4).err
    assert len(relay.sends) == 1


def test_status_tells_who_is_owed_and_who_was_rejected_by_now(project: Workspace, relay: Relay) -> None:
    relay.then(passed, says(400, NO_STOP), says(401))
    project.run("apply", code=6)
    assert "> noel #1: sent 1 · owed 1 · rejected 1 · in doubt 0 · cost 0.06 of 0." in project.run("status").out
    relay.then(passed, request_lost)
    project.run("apply", code=7)
    (told,) = json.loads(project.run("status", "--json").out)
    assert {name: told[name] for name in ("sent", "owed", "rejected", "in_doubt")} == {
        "sent": 2,
        "owed": 0,
        "rejected": 0,
        "in_doubt": 1,
    }
    assert told["open"] == {"EUR": "0.06"}
    time.sleep(1.1)
    project.run("resolve", "noel/1/5", "--as", "not-sent", "--reason", "they say so")
    assert "sent 2 · owed 1 · rejected 0 · in doubt 0" in project.run("status").out


def test_every_reason_for_a_rejection_is_told_once(project: Workspace, relay: Relay) -> None:
    relay.then(*[says(400, b'{"code": 112, "message": "bad type"}')] * 2, says(400, NO_STOP))
    (told,) = [line for line in project.run("apply", code=6).err.splitlines() if line.startswith("rejected: ")]
    assert told.count("noel/1/") == 2
    assert "noel/1/1 and 1 more: " in told
    assert "; noel/1/3: " in told


def test_the_reason_is_that_of_the_exit_code(project: Workspace, relay: Relay) -> None:
    project.write("campaigns/a.yaml", sibling("a") + "schedule: {send_at: 2099-12-25T10:00}\n")
    relay.then(reply_lost)
    end = json.loads(project.run("apply", "--json", code=7).out.splitlines()[-1])
    assert (end["exit"], end["reason"], list(end["reasons"])) == (7, "in-doubt", ["waiting", "in-doubt"])


@pytest.mark.parametrize("gone", ["file", "edition"])
def test_a_doubt_outlives_the_file_that_made_it(project: Workspace, relay: Relay, gone: str) -> None:
    project.write("campaigns/late.yaml", sibling("late") + "schedule: {send_at: 2099-12-25T10:00}\n")
    relay.then(reply_lost)
    path = str(project.root / "all.plan")
    project.run("apply", code=7)
    if gone == "file":
        (project.root / "campaigns/noel.yaml").unlink()
    else:
        project.edit("campaigns/noel.yaml", "id: noel", "id: noel\nedition: 2\nschedule: {send_at: 2099-12-25T10:00}")
    shown = project.run("plan", "--out", path).out
    assert "\n? noel #1" in shown
    assert ("no file any more" in shown) == (gone == "file")
    assert "1 in doubt" in shown
    assert "? noel" not in project.run("plan", "late").out
    assert tally(project.run("apply", code=7).out)["in doubt"] == 1
    project.run("plan", "--out", path)
    assert tally(project.run("apply", path, code=7).out)["in doubt"] == 1
    project.run("resolve", "noel/1/1", "--as", "sent", "--reason", "she has it")
    project.run("apply", path)
    project.edit("campaigns/late.yaml", "bonjour", "salut")
    assert "campaign late: message.text differs; make" in project.run("apply", path, code=4).err


def test_what_was_reserved_and_never_claimed_is_resumed(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Crew, "send", lambda *_: None)  # as if the run had ended here
        project.run("apply")
    planned = json.loads(project.run("plan", "--json").out)["campaigns"][0]
    assert (planned["action"], planned["estimate"]["contacts"]) == ("resume", 3)
    assert "> noel #1: sent 0 · owed 3" in project.run("status").out
    assert tally(project.run("apply").out)["accepted"] == 3


def test_who_was_rejected_is_not_dropped_as_well(project: Workspace, relay: Relay) -> None:
    path = str(project.root / "one.plan")
    project.edit("octoplan.yaml", "version: 1", "version: 1\nsuppressions: [audiences/no.csv]")
    project.write("audiences/no.csv", "phone_number\n")
    project.run("plan", "--out", path)
    relay.then(says(400, NO_STOP))
    project.run("apply", path, code=6)
    project.write("audiences/no.csv", AUDIENCE)
    told = tally(project.run("apply", path, code=6).out)
    assert (told["rejected"], told["dropped"]) == (1, 0)


def test_what_another_run_of_the_plan_sent_is_not_left_unstarted(project: Workspace, relay: Relay) -> None:
    path = str(project.root / "one.plan")
    project.run("plan", "--out", path)
    relay.then(reply_held)
    first = project.start("apply", path)
    relay.wait_until_held()
    assert tally(project.run("apply", path).out)["accepted"] == 2
    relay.release.set()
    told = tally(first.communicate(timeout=30)[0])
    assert (first.returncode, told["accepted"], told["not started"]) == (0, 1, 0)
