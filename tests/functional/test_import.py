"""What was sent elsewhere is never sent here: by which file, under which id, and whatever is going on meanwhile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from relay import Relay, passed, reply_held, request_lost, says
from workspaces import AUDIENCE, CAMPAIGN, Workspace, tally

if TYPE_CHECKING:
    from pathlib import Path

HEAD, *ROWS = AUDIENCE.splitlines(keepends=True)
LETTER = """\
id: letter
channel: email
purpose: transactional
audience: {file: ../audiences/mail.csv}
message:
  {subject: Bonjour, from: {address: a@acme.example, name: ACME}, service: gateway, text: "Votre carte est là."}
"""


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    project = Workspace(tmp_path).usual()
    project.edit("octoplan.yaml", "quiet_time: 1s", "quiet_time: 1s, workers: 1")
    return project


def given(project: Workspace, *rows: str, head: str = HEAD, name: str = "old.csv") -> str:
    """Write a list and return the path to import."""
    project.write(name, "".join([head, *rows]))
    return str(project.root / name)


def imported(project: Workspace, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(project.run("import", *words, "--json").out)
    return found


def planned(project: Workspace, *environment: str) -> dict[str, Any]:
    rows: list[dict[str, Any]] = json.loads(project.run(*environment, "plan", "--json").out)["campaigns"]
    return next(row for row in rows if row["id"] == "noel")


def test_who_is_imported_is_not_sent_it(project: Workspace) -> None:
    path = given(project, "06 39 98 00 11,Zoe,1\n", "+33639980012,Marc,2\n", "+33639980012,Marc,2\n")
    ended = project.run("import", "noel", path)
    assert ended.out == "noel #1: imported 2 contacts of 3 rows · already known 0 · duplicate 1\n"
    assert imported(project, "noel", path) == {
        "campaign": "noel",
        "edition": 1,
        "file": "old.csv",
        "rows": 3,
        "new": 0,
        "known": 2,
        "in_doubt": 0,
        "duplicate": 1,
        "invalid": {},
        "in_files": True,
    }
    row = planned(project)
    assert (row["action"], row["audience"]["already_sent"], row["estimate"]["contacts"]) == ("send", 2, 1)
    assert row["changes"] == []
    assert tally(project.run("apply").out)["accepted"] == 1
    assert [each["address"] for each in project.deliveries()] == ["+33639980013"]
    assert "sent 3 · of them imported 2 · owed 0" in project.run("status").out
    assert "without ticket" not in project.run("status").out
    assert "accepted · batch noel/1/1 · imported" in project.run("status", "--contact", "0639980011").out
    assert project.run("plan").out.count("No changes.") == 1
    assert project.run("ledger", "check").code == 0


def test_an_import_of_everybody_leaves_nothing_to_do(project: Workspace) -> None:
    project.run("import", "noel", given(project, *ROWS))
    row = planned(project)
    assert (row["action"], row["reason"], row["audience"]["already_sent"]) == ("none", "sent", 3)
    project.edit("campaigns/noel.yaml", "bonjour", "bonsoir")
    assert planned(project)["reason"] == "sent", "what was said elsewhere is not known: no edit is claimed"
    assert tally(project.run("apply").out)["accepted"] == 0


def test_the_people_of_a_reserved_batch_of_a_plan_that_is_then_applied(project: Workspace, relay: Relay) -> None:
    project.run("--env", "rehearsal", "ledger", "init")
    path = str(project.root / "one.plan")
    project.run("--env", "rehearsal", "plan", "--out", path)
    relay.then(passed, says(401))
    assert tally(project.run("apply", path, code=1).out)["accepted"] == 1
    there = ("--env", "rehearsal")
    sent = project.deliveries()[0]["address"]
    states = {row: project.run(*there, "status", "--contact", row.split(",")[0]).out for row in ROWS}
    (reserved,) = [row for row in ROWS if ": reserved" in states[row]]
    (owed,) = [row for row in ROWS if row != reserved and sent not in row]
    ended = project.run(*there, "import", "noel", given(project, *[row for row in ROWS if row != owed]))
    assert "imported 1 contact of 2 rows · already known 1" in ended.out
    assert tally(project.run("apply", path).out)["accepted"] == 1
    assert [each["address"] for each in project.deliveries()] == [sent, owed.split(",")[0]]
    assert tally(project.run("apply", path).out)["accepted"] == 0
    assert project.counts()["most_per_address"] == 1


def test_an_import_between_plan_and_apply_is_no_shrunk_audience(project: Workspace) -> None:
    rows = [f"+33639980{number},A,B\n" for number in range(100, 120)]
    project.write("audiences/list.csv", "".join([HEAD, *rows]))
    path = str(project.root / "one.plan")
    project.run("plan", "--out", path)
    project.run("import", "noel", given(project, *rows[:15]), "--at", "2026-01-05")
    assert tally(project.run("apply", path).out) == {
        "accepted": 5,
        "rejected": 0,
        "in doubt": 0,
        "dropped": 0,
        "not started": 0,
    }


def test_an_apply_that_runs_is_waited_for(project: Workspace, relay: Relay) -> None:
    relay.then(passed, reply_held)
    process = project.start("apply")
    relay.wait_until_held()
    assert "(run-alive)" in project.run("import", "noel", given(project, *ROWS), code=5).err
    assert project.run("import", "noel", given(project, "+33639980019,New,1\n")).code == 0
    relay.release.set()
    process.communicate(timeout=30)
    assert imported(project, "noel", given(project, *ROWS))["known"] == 3
    assert project.counts()["most_per_address"] == 1


def test_whoever_is_in_doubt_is_named(project: Workspace, relay: Relay) -> None:
    relay.then(passed, request_lost)
    project.run("apply", code=7)
    ended = project.run("import", "noel", given(project, *ROWS))
    assert "imported 1 contact of 3 rows · already known 2" in ended.out
    assert "1 contact of batches in doubt" in ended.out


@pytest.mark.parametrize(
    ("words", "head", "code", "told"),
    [
        (
            ("letter", "old.csv"),
            "phone_number\n",
            1,
            "nothing was imported: 1 of 1 row have no valid address of channel email",
        ),
        (
            ("letter", "old.csv"),
            HEAD,
            1,
            "addresses people: call it email; it has one of telephone numbers: is the channel right?",
        ),
        (("letter", "old.csv"), "a,b,c\n", 1, "call it email (column)"),
        (("noel", "old.csv", "--channel", "email"), HEAD, 1, "noel is of channel sms, not email"),
        (("nol", "old.csv"), HEAD, 1, "no file holds campaign `nol`: did you mean `noel`?"),
        (("+33639980011", "old.csv", "--channel", "sms"), HEAD, 1, "`…` cannot be a campaign's id"),
        (("0639980011", "old.csv", "--channel", "sms"), HEAD, 1, "`…` cannot be a campaign's id"),
        (("Old!", "old.csv", "--channel", "sms"), HEAD, 1, "`Old!` cannot be a campaign's id"),
        (
            ("noel", "old.csv", "--at", "tomorrow"),
            HEAD,
            1,
            "--at is not a date and time: write it like 2026-12-03T10:00",
        ),
        (("noel", "old.csv", "--at", "2099-01-01"), HEAD, 1, "--at is in the future"),
        (("noel", "old.csv", "--edition", "0"), HEAD, 2, "0 is not in the range"),
        (("noel", "none.csv"), HEAD, 2, "does not exist"),
    ],
)
def test_what_is_refused(project: Workspace, words: tuple[str, ...], head: str, code: int, told: str) -> None:
    project.write("campaigns/letter.yaml", LETTER)
    project.write("audiences/mail.csv", "email\nzoe@example.com\n")
    cells = head.count(",")
    given(project, f"+33639980011{',x' * cells}\n", head=head)
    verb, (campaign, file, *rest) = "import", words
    ended = project.run(verb, campaign, str(project.root / file), *rest, code=code)
    assert told in " ".join(ended.err.split())
    assert "39980011" not in ended.err
    assert project.run("status").out == "Nothing was sent yet.\n"


def test_too_many_invalid_rows_import_nobody(project: Workspace) -> None:
    path = given(project, *ROWS, "hello,A,B\n", ",A,B\n")
    ended = project.run("import", "noel", path, code=1)
    assert (
        "nothing was imported: 2 of 5 rows have no valid address of channel sms (empty 1, letters 1), at most 2%"
        in ended.err
    )
    assert json.loads(project.run("import", "noel", path, "--json", code=1).out)["reason"] == "audience-invalid"
    project.edit("campaigns/noel.yaml", "list.csv}", "list.csv, expect: {max_invalid: 50%}}")
    assert "invalid 2 (empty 1, letters 1)" in project.run("import", "noel", path).out


def test_a_campaign_that_no_file_holds(project: Workspace) -> None:
    path = given(project, "+33639980011,1\n", "+33639980012,2\n", head="mobile,x\n")
    ended = project.run(
        "import", "summer-20240601", path, "--channel", "sms", "--edition", "3", "--at", "2024-06-01T10:00"
    )
    assert ended.out.startswith("summer-20240601 #3: imported 2 contacts of 2 rows")
    assert "No file holds summer-20240601 now" in ended.out
    again = imported(project, "summer-20240601", path, "--edition", "3")
    assert (again["known"], again["new"]) == (2, 0), "its channel is remembered"
    assert "· 2024-06-01 08:00 UTC" in project.run("status", "summer-20240601", "--contact", "0639980011").out
    project.write("mail.csv", "email\nzoe@example.com\n")
    mail = str(project.root / "mail.csv")
    refused = project.run("import", "summer-20240601", mail, "--channel", "email", "--edition", "3", code=1)
    assert "was begun with telephone numbers (channel sms)" in refused.err
    excluding = "list.csv, exclude: [{campaign: summer-20240601}]}"
    project.edit("campaigns/noel.yaml", "list.csv}", excluding)
    assert planned(project)["audience"]["excluded"] == {"excluded": 2}


def test_an_edition_imported_under_another_kind_of_address_is_not_sent(project: Workspace) -> None:
    project.write("mail.csv", "email\nzoe@example.com\n")
    (project.root / "campaigns/noel.yaml").unlink()
    project.write("campaigns/other.yaml", CAMPAIGN.replace("noel", "other"))
    project.run("import", "noel", str(project.root / "mail.csv"), "--channel", "email")
    project.write("campaigns/noel.yaml", CAMPAIGN)
    shown = project.run("plan", code=1).flat
    assert "error other-address: this edition was begun with e-mail addresses" in shown


def test_a_broken_file_may_hold_the_campaign(project: Workspace) -> None:
    project.edit("campaigns/noel.yaml", "purpose: transactional\n", "")
    path = given(project, *ROWS)
    assert "purpose-missing" in project.run("import", "noel", path, code=1).err
    project.write("campaigns/other.yaml", CAMPAIGN.replace("noel", "other"))
    assert imported(project, "other", path)["new"] == 3


def test_a_cap_counts_what_was_imported_when_it_was_sent(project: Workspace) -> None:
    project.edit("octoplan.yaml", "limits: {", "limits: {per_contact: {messages: 1, days: 7}, ")
    project.run("import", "old", given(project, *ROWS[:1]), "--channel", "sms")
    project.run("import", "older", given(project, *ROWS[1:]), "--channel", "sms", "--at", "2026-01-01")
    assert planned(project)["audience"]["excluded"] == {"over-cap": 1}


def test_what_is_in_a_file_stays_there(project: Workspace) -> None:
    project.run("import", "noel", given(project, *ROWS, "+33639980014,Kanari,K9\n"))
    kept = (project.root / ".octoplan/ledger.db").read_bytes()
    for secret in (b"39980014", b"Kanari", b"old.csv"):
        assert secret not in kept


# the rule


@pytest.fixture
def live(project: Workspace) -> Workspace:
    """Make a live environment whose ledger is new; offline plans need no account."""
    project.edit("octoplan.yaml", "environments:\n", 'environments:\n  prod: {ledger: {url: "sqlite:///prod.db"}}\n')
    project.edit("octoplan.yaml", "quiet_time: 1s, ", "")
    project.edit("prices/octopush.yaml", "sample: true\n", "")
    project.write("audiences/list.csv", "phone_number,first_name,code\n+33612345678,Zoe,1\n")
    project.run("--env", "prod", "ledger", "init")
    return project


LIVE = ("--env", "prod")


def test_a_new_live_ledger_is_warned_of(live: Workspace) -> None:
    ended = live.run(*LIVE, "plan", "--offline", code=3)
    assert "warning ledger-without-history: this ledger remembers no send yet: none of 1 contact" in ended.flat
    assert "ledger-without-history" not in live.run("--env", "rehearsal", "ledger", "init").out
    assert "ledger-without-history" not in live.run("--env", "rehearsal", "plan", "--offline", code=None).out
    live.edit("campaigns/noel.yaml", "message:", "allow: {ledger-without-history: this is our first}\nmessage:")
    assert "(accepted: this is our first)" in live.run(*LIVE, "plan", "--offline").flat


def test_an_import_is_a_history(live: Workspace) -> None:
    path = given(live, "+33612345678\n", head="phone_number\n")
    assert "imported 1 contact" in live.run(*LIVE, "import", "old", path, "--channel", "sms").out
    assert "ledger-without-history" not in live.run(*LIVE, "plan", "--offline").out


def test_sample_data_is_no_history(live: Workspace) -> None:
    ended = live.run(*LIVE, "import", "noel", given(live, *ROWS), code=1)
    assert "(fiction 3)" in ended.err
