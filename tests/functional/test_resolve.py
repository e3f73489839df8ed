"""Doubt is closed by evidence: the identical request where that is safe, else a named person."""

from __future__ import annotations

import json
import re
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from relay import Relay, passed, reply_held, reply_lost, request_lost, says
from workspaces import CAMPAIGN, Workspace, tally

from octoplan import project as projects

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from relay import Call

NO_CREDIT = b'{"code": 104, "message": "No credit left."}'
REHEARSAL = ("--env", "rehearsal")
ALL = {"deliveries": 3, "addresses": 3, "most_per_address": 1}


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    """Make a project that sends its three batches one after another."""
    project = Workspace(tmp_path).usual()
    project.edit("octoplan.yaml", "quiet_time: 1s", "quiet_time: 1s, workers: 1")
    return project


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Return what moves this machine's clock, as octoplan reads it."""
    real, ahead = projects.utc_now, [timedelta()]
    opened = projects.open_project
    monkeypatch.setattr(
        projects, "open_project", lambda *words, **more: opened(*words, clock=lambda: real() + ahead[0], **more)
    )

    def move(by: timedelta) -> None:
        ahead[0] += by

    return move


def doubt(project: Workspace, relay: Relay, plan: list[str], act: Callable[[Call], None] = reply_lost) -> str:
    """Leave the second of three batches in doubt, the third not started; return the batch."""
    relay.then(passed, act)
    ended = project.run(*plan, code=7)
    assert tally(ended.out) == {"accepted": 1, "rejected": 0, "in doubt": 1, "dropped": 0, "not started": 1}
    (batch,) = resolved(project, code=7)["batches"]
    assert isinstance(batch["batch"], str)
    return batch["batch"]


def resolved(project: Workspace, code: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(project.run(*REHEARSAL, "resolve", "--json", code=code).out)
    assert found["exit"] == code
    return found


def quiet(project: Workspace) -> None:
    """Return once nothing can be travelling any more."""
    until = time.monotonic() + 10
    while "travelling" in project.run(*REHEARSAL, "resolve", code=None).out:
        assert time.monotonic() < until
        time.sleep(0.1)


def wait() -> None:
    time.sleep(1.1)  # the quiet time of the project


def next_of(project: Workspace) -> str:
    """Resolve once, and return what is said of the batch that stays in doubt."""
    (batch,) = resolved(project, code=7)["batches"]
    assert isinstance(batch["next"], str)
    return batch["next"]


def test_a_lost_reply_is_repeated_byte_for_byte_and_proved_by_the_duplicate_answer(
    project: Workspace, relay: Relay, plan: list[str]
) -> None:
    batch = doubt(project, relay, plan)
    assert re.search(r"travelling until \d\d:\d\d:\d\d UTC", next_of(project))
    assert len(relay.sends) == 2
    wait()
    found = resolved(project, code=0)
    assert found["settled"] == [
        {"batch": batch, "contacts": 1, "as": "sent", "how": "the provider says it is a duplicate"}
    ]
    assert len(relay.sends) == 3
    assert relay.sends[1] == relay.sends[2]
    standing = json.loads(project.run(*REHEARSAL, "status", "--json").out)[0]
    assert (standing["sent"], standing["in_doubt"], standing["without_ticket"]) == (2, 0, 1)
    assert "accepted without ticket" in project.run(*REHEARSAL, "status").flat
    assert tally(project.run(*plan).out)["accepted"] == 1
    assert tally(project.run(*plan).out)["accepted"] == 0
    assert project.counts() == ALL
    assert resolved(project, code=0) == {"settled": [], "batches": [], "notes": [], "exit": 0}


def test_a_lost_request_is_accepted_when_it_is_repeated(project: Workspace, relay: Relay, plan: list[str]) -> None:
    doubt(project, relay, plan, request_lost)
    wait()
    (settled,) = resolved(project, code=0)["settled"]
    assert re.fullmatch(r"repeated and accepted, ticket \w+", settled["how"])
    assert relay.sends[1] == relay.sends[2]
    project.run(*plan)
    assert project.counts() == ALL


def test_a_day_later_nothing_is_repeated_and_a_person_is_asked(
    project: Workspace, relay: Relay, plan: list[str], later: Callable[[timedelta], None]
) -> None:
    batch = doubt(project, relay, plan)
    later(timedelta(hours=25))
    project.ask("clock", advance="25h")
    assert "22 hours old or more" in next_of(project)
    assert len(relay.sends) == 2
    listed = project.run(*REHEARSAL, "resolve", code=7)
    assert "octoplan resolve BATCH --as sent --reason TEXT" in listed.out
    project.run(*REHEARSAL, "resolve", batch, "--as", "sent", "--reason", "it is in their back office")
    project.run(*plan)
    assert project.counts() == ALL


def test_credit_used_up_leaves_the_doubt_open_until_it_is_topped_up(
    project: Workspace, relay: Relay, plan: list[str]
) -> None:
    doubt(project, relay, plan)
    wait()
    relay.then(says(400, NO_CREDIT))
    assert "repeated, and not closed by the answer" in next_of(project)
    assert "code 104" in project.run(*REHEARSAL, "resolve", code=7).out
    assert relay.sends[1] == relay.sends[2]
    assert tally(project.run(*plan, code=7).out)["in doubt"] == 1
    wait()
    assert resolved(project, code=0)["settled"]
    assert project.counts() == ALL


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"{}"), (400, b'{"code": 121, "message": "STOP"}'), (401, b"{}"), (429, b"{}"), (500, b"")],
)
def test_no_other_answer_closes_a_doubt(
    project: Workspace, relay: Relay, plan: list[str], status: int, body: bytes
) -> None:
    doubt(project, relay, plan)
    wait()
    relay.then(says(status, body))
    assert "not closed" in next_of(project)
    assert len(relay.sends) == 3
    wait()
    assert resolved(project, code=0)["settled"]


def test_a_retry_that_is_killed_leaves_the_doubt_and_its_age(
    project: Workspace, relay: Relay, plan: list[str], later: Callable[[timedelta], None]
) -> None:
    doubt(project, relay, plan)
    wait()
    relay.then(reply_lost)
    assert "not closed" in next_of(project)
    later(timedelta(hours=22))
    project.ask("clock", advance="22h")
    assert "22 hours old or more" in next_of(project)
    assert len(relay.sends) == 3


def edit_text(project: Workspace) -> None:
    project.edit("campaigns/noel.yaml", "bonjour", "bonsoir")


def edit_value(project: Workspace) -> None:
    for code in ("1E5", "0042", "C3"):
        project.edit("audiences/list.csv", code, f"{code}X")


def leave(project: Workspace) -> None:
    project.write("audiences/list.csv", "phone_number,first_name,code\n+33639980019,Nora,A1\n")


def opt_out(project: Workspace) -> None:
    numbers = re.findall(r"\+\d+", (project.root / "audiences/list.csv").read_text())
    project.write("audiences/opposition.csv", "\n".join(["phone_number", *numbers]) + "\n")
    project.edit("octoplan.yaml", "limits:", "suppressions: [audiences/opposition.csv]\nlimits:")


def delete(project: Workspace) -> None:
    (project.root / "campaigns/noel.yaml").unlink()


def raise_edition(project: Workspace) -> None:
    project.write("campaigns/noel.yaml", CAMPAIGN + "edition: 2\n")


def break_file(project: Workspace) -> None:
    project.write("campaigns/noel.yaml", CAMPAIGN + "sendr: ACME\n")


def break_project(project: Workspace) -> None:
    project.write("prices/octopush.yaml", "currency: [EUR]")


def lose_audience(project: Workspace) -> None:
    (project.root / "audiences/list.csv").unlink()


def switch_account(project: Workspace) -> None:
    project.variables["OCTOPUSH_API_LOGIN"] = "sandbox-other"


def lose_credentials(project: Workspace) -> None:
    project.variables["OCTOPUSH_API_LOGIN"] = ""


def newer_plan(project: Workspace) -> None:
    edit_text(project)
    apply_anew(project)


def apply_anew(project: Workspace) -> None:
    project.run(*REHEARSAL, "plan", "--out", str(project.root / "newer"))
    project.run("apply", str(project.root / "newer"), code=None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (edit_text, "not what they were"),
        (edit_value, "not what they were"),
        (leave, "1 contact opted out or left"),
        (opt_out, "1 contact opted out or left"),
        (delete, "no file holds noel any more"),
        (raise_edition, "the file is at edition 2"),
        (break_file, "the files are broken"),
        (break_project, "the files are broken"),
        (lose_audience, "its audience cannot be read"),
        (switch_account, "account are not what they were"),
        (lose_credentials, "OCTOPUSH_API_LOGIN is not set"),
        (newer_plan, "superseded by the newer applied plan"),
    ],
)
def test_nothing_is_repeated_that_is_not_what_was_approved(
    project: Workspace, relay: Relay, plan: list[str], change: Callable[[Workspace], None], said: str
) -> None:
    doubt(project, relay, plan, request_lost)
    change(project)
    wait()
    before = len(relay.sends)
    assert said in next_of(project)
    assert len(relay.sends) == before
    shown = project.run(*REHEARSAL, "resolve", code=7).out
    assert not re.search(r"336\d{8}|Zoe|Marc|Ines|1E5|0042|C3", shown)


def test_a_newer_plan_that_says_the_same_of_it_may_be_applied_meanwhile(
    project: Workspace, relay: Relay, plan: list[str]
) -> None:
    doubt(project, relay, plan, request_lost)
    apply_anew(project)
    wait()
    sends = len(relay.sends)
    found = json.loads(project.run(*REHEARSAL, "resolve", "--json").out)
    assert [(one["as"], one["batch"]) for one in found["settled"]] == [("sent", "noel/1/2")]
    assert len(relay.sends) == sends + 1
    assert project.counts() == {"deliveries": 3, "addresses": 3, "most_per_address": 1}


def test_nothing_of_an_edition_is_repeated_that_another_ledger_has_sent_some_of(
    project: Workspace, relay: Relay, plan: list[str]
) -> None:
    batch = doubt(project, relay, plan, request_lost)
    relay.then(says(400, b'{"code": 133, "message": "Duplicate."}'))
    assert "foreign" in project.run(*plan, code=7).err
    wait()
    sends = len(relay.sends)
    told = {one["batch"]: one["next"] for one in resolved(project, code=7)["batches"]}
    assert "another ledger has sent batch noel/1/3" in told[batch]
    assert "another ledger sent it" in told["noel/1/3"]
    assert len(relay.sends) == sends


def test_a_doubt_names_what_to_look_up_at_the_provider(project: Workspace, relay: Relay, plan: list[str]) -> None:
    relay.then(passed, request_lost)
    ended = project.run(*plan, code=7)
    assert re.search(
        r"a person must look: `octoplan resolve` after \d\d:\d\d:\d\d UTC settles what can be proved, and lists the "
        r"rest; then run the same command again",
        " ".join(ended.err.split()),
    )
    shown = project.run(*REHEARSAL, "resolve", code=7).out.splitlines()
    request = json.loads(relay.sends[-1])["metadata"]["request_id"]
    (line,) = [line for line in shown if request in line]
    assert re.fullmatch(rf"    octopush · \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC from ACME · request {request}", line)
    (one,) = resolved(project, code=7)["batches"]
    assert (one["request_id"], one["sender"], one["provider"]) == (request, "ACME", "octopush")


def test_a_doubt_of_a_run_that_is_gone_says_so(project: Workspace, relay: Relay, plan: list[str]) -> None:
    relay.then(reply_held)
    process = project.start(*plan)
    relay.wait_until_held()
    process.kill()
    process.communicate()
    relay.release.set()
    shown = project.run(*REHEARSAL, "resolve", code=7).flat
    assert "1 contact · the run that sent it ended before an answer was recorded" in shown


def test_a_later_edition_that_was_sent_ends_every_retry(project: Workspace, relay: Relay, plan: list[str]) -> None:
    doubt(project, relay, plan, request_lost)
    raise_edition(project)
    project.run(*REHEARSAL, "plan", "--out", str(project.root / "second"), "noel")
    project.run("apply", str(project.root / "second"), code=None)
    wait()
    project.write("campaigns/noel.yaml", CAMPAIGN)
    assert re.search("superseded|edition 2 was sent since", next_of(project))


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_clock_that_is_off_from_the_provider_s_repeats_nothing(
    project: Workspace, relay: Relay, plan: list[str], later: Callable[[timedelta], None], minutes: int
) -> None:
    doubt(project, relay, plan)
    project.ask("clock", advance="10m")
    later(timedelta(minutes=10 + minutes))
    assert "set the clock right" in next_of(project)
    assert len(relay.sends) == 2


def test_a_clock_that_was_set_back_resolves_nothing(
    project: Workspace, relay: Relay, plan: list[str], later: Callable[[timedelta], None]
) -> None:
    doubt(project, relay, plan)
    later(timedelta(minutes=-6))
    assert "set the clock right" in project.run(*REHEARSAL, "resolve", code=1).err
    assert len(relay.sends) == 2


def test_a_provider_that_cannot_be_asked_for_its_time(project: Workspace, relay: Relay, plan: list[str]) -> None:
    doubt(project, relay, plan)
    wait()
    relay.asks = request_lost
    assert "cannot be reached" in next_of(project)
    relay.asks = passed
    assert resolved(project, code=0)["settled"]
