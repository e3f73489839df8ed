"""`octoplan test`: to the test contacts only, of no consequence for anything real."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from relay import relaying, reply_lost
from workspaces import CAMPAIGN, Workspace, tally

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEAM = ("+33639980091", "+33639980092")
MAILS = ("lea@crm.example", "tom@crm.example")
CONTACTS = f'test_contacts: {{crm-team: ["{TEAM[0]}", "{MAILS[0]}"], bosses: ["{TEAM[1]}", "{MAILS[1]}"]}}\n'
MAIL = """\
id: mail
channel: email
purpose: transactional
audience: {file: ../audiences/list.csv, address: mail, fallback: {first_name: cher client}}
message:
  locale: {column: lang, default: fr}
  subject: {fr: "Bonjour {{ contact.first_name }}", en: "Hello {{ contact.first_name }}"}
  from: {address: shop@acme.example}
  service: gateway
  text: {fr: "Votre code est {{ contact.code }}.", en: "Your code is {{ contact.code }}."}
"""
REHEARSAL = ("--env", "rehearsal")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Workspace]:
    """Make a project with two groups of test contacts, and serve its sandbox."""
    project = Workspace(tmp_path).usual()
    project.write("octoplan.yaml", (tmp_path / "octoplan.yaml").read_text() + CONTACTS)
    project.edit("prices/octopush.yaml", "surcharges:", "email: {gateway: 0.01}\nsurcharges:")
    with project.serving():
        yield project


def sent(project: Workspace) -> list[tuple[str, str]]:
    return sorted((one["address"], one["text"]) for one in project.deliveries())


def rows(project: Workspace, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(project.run("status", "--json", *words).out)
    return found


def private(*said: str) -> None:
    assert not [one for one in (*TEAM, *MAILS, "639980", "@crm") if one in "".join(said)]


def test_only_the_test_contacts_get_it_without_the_values_of_anybody_else(project: Workspace) -> None:
    project.edit("campaigns/noel.yaml", "list.csv}", "list.csv, fallback: {first_name: cher client}, expect: {min: 9}}")
    project.edit("campaigns/noel.yaml", "audience:", "schedule: {send_at: 2099-12-24T10:00}\naudience:")
    project.edit("campaigns/noel.yaml", "audience:", "options: {list_name: noel}\naudience:")
    (project.root / "audiences/list.csv").unlink()
    ended = project.run("test", "noel")
    assert sent(project) == [(address, "ACME: bonjour cher client, code code.") for address in TEAM]
    assert not [one for one in project.ask("requests")["requests"] if "list_name" in json.dumps(one)]
    first, second, *_, line, last = ended.out.splitlines()
    assert first == "TEST: noel to 2 test contacts of crm-team, bosses, 2 not of this channel"
    assert second == "SANDBOX: nobody is contacted"
    assert "+ test:noel #1 sms · octopush · transactional" in ended.flat
    assert "a test: it goes to test contacts only audience 2 rows → 2 contacts" in ended.flat
    assert tally(line)["accepted"] == 2
    assert last == "SANDBOX: nobody is contacted · see them: octoplan sandbox"
    private(ended.out, ended.err)


def test_nothing_real_follows_from_a_test_and_it_can_be_repeated(project: Workspace) -> None:
    people = 'contacts: [{phone_number: "+33639980091", first_name: Zoe, code: "1"}]'
    other = CAMPAIGN.replace("file: ../audiences/list.csv", people)
    project.write("campaigns/noel.yaml", other)
    late = other.replace("id: noel", "id: late").replace('"1"}]', '"1"}], exclude: [{campaign: noel}]')
    project.write("campaigns/late.yaml", late)
    project.edit("octoplan.yaml", "limits: {", "limits: {per_contact: {messages: 1, days: 7}, ")
    before = project.run("plan", "--json").out
    for edition in (1, 2, 3):
        ended = project.run("test", "noel", "--to", "crm-team")
        assert f"test:noel #{edition}" in ended.out
        assert "another" not in ended.out
    planned = [json.loads(text)["campaigns"] for text in (before, project.run("plan", "--json").out)]
    kept = ("id", "action", "reason", "again", "edition", "audience")
    seen = [[[row[key] for key in kept] for row in rows] for rows in planned]
    assert seen[0] == seen[1]
    assert [(row["campaign"], row["edition"], row["sent"], row["test"]) for row in rows(project, "noel")] == [
        ("test:noel", edition, 1, True) for edition in (1, 2, 3)
    ]
    project.run("apply", "--json")
    assert [row["campaign"] for row in rows(project) if not row["test"]] == ["late", "noel"]
    assert project.run("test", "noel", "--to", "crm-team").code == 0  # nor does what is real keep a test from leaving
    shown = project.run("status", "--contact", TEAM[0], "noel").out
    assert shown.count("test · accepted") == 4
    assert "\nnoel #1: accepted" in shown or shown.startswith("noel #1: accepted")
    assert "= test:noel #1: test · sent 1" in project.run("status").out


def test_a_localised_message_is_sent_once_in_each_language(project: Workspace) -> None:
    project.write("campaigns/mail.yaml", MAIL)
    ended = project.run("test", "mail", "--json")
    assert sent(project) == sorted(
        (address, text) for address in MAILS for text in ("Votre code est code.", "Your code is code.")
    )
    first, plan, *batches, end = [json.loads(line) for line in ended.out.splitlines()]
    assert first == {
        "event": "test",
        "campaign": "mail",
        "groups": ["crm-team", "bosses"],
        "contacts": 2,
        "other_channel": 2,
    }
    assert (plan["event"], plan["totals"]["send"], plan["totals"]["contacts"]) == ("plan", 2, 4)
    assert {batch["batch"] for batch in batches} == {"test:mail:fr/1/1", "test:mail:en/1/1"}
    assert (end["event"], end["accepted"], end["exit"]) == ("end", 4, 0)
    private(ended.out, ended.err)
    assert [row["campaign"] for row in rows(project, "mail")] == ["test:mail:en", "test:mail:fr"]


def test_whoever_opted_out_gets_no_test(project: Workspace) -> None:
    project.edit("octoplan.yaml", "limits:", "suppressions: [audiences/opposition.csv]\nlimits:")
    project.write("audiences/opposition.csv", f"phone_number\n{TEAM[0]}\n")
    assert "−1 suppressed" in project.run("test", "noel").out
    assert [address for address, _ in sent(project)] == [TEAM[1]]
    assert "audience-empty" in project.run("test", "noel", "--to", "crm-team", code=3).out


@pytest.mark.parametrize(
    ("old", "new", "code", "rule"),
    [
        ("max_contacts: 5000", "max_contacts: 1", 3, "contacts-limit"),
        ("max_cost: 500 EUR", "max_cost: 0.05 EUR", 3, "cost-limit"),
        ("senders: [ACME]", "senders: [VILLE]", 3, "sender-unknown"),
        ("countries: [FR]", "countries: [BE]", 3, "country"),
    ],
)
def test_limits_and_rules_hold_for_a_test(project: Workspace, old: str, new: str, code: int, rule: str) -> None:
    project.edit("octoplan.yaml", old, new)
    ended = project.run("test", "noel", code=None)
    assert (ended.code, sent(project)) == (code, []), ended.out + ended.err
    assert rule in ended.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("noel", "--to", "crm-taem"), "no test contacts `crm-taem`: did you mean `crm-team`? (test-contacts)"),
        (("noel", "--to", TEAM[0]), "no test contacts `…`: there is"),
        (("noel", "--to", "mails"), "no contact of `mails` has an address of channel sms: add a number to it"),
        (("mail", "--to", "calls"), "no contact of `calls` has an address of channel email: add an e-mail address"),
        (("*",), "`*` selects 2 campaigns: name one (selection-many)"),
        (("nowhere",), "`nowhere` matches no campaign"),
    ],
)
def test_what_has_no_one_campaign_and_no_contact_is_put_right_first(
    project: Workspace, words: tuple[str, ...], told: str
) -> None:
    project.write("campaigns/mail.yaml", MAIL)
    project.edit("octoplan.yaml", "{crm-team", f'{{mails: ["{MAILS[0]}"], calls: ["{TEAM[0]}"], crm-team')
    ended = project.run("test", *words, code=1)
    assert told in ended.err
    assert ended.out == ""
    private(ended.err)


def test_a_project_without_test_contacts_is_told_how_to_have_some(project: Workspace) -> None:
    project.edit("octoplan.yaml", CONTACTS, "")
    told = project.run("test", "noel", "--json", code=1)
    assert json.loads(told.out)["reason"] == "test-contacts"
    assert 'add `test_contacts: {team: ["+33…"]}`' in told.err


def test_a_campaign_that_cannot_be_made_is_not_missing(project: Workspace) -> None:
    project.edit("campaigns/noel.yaml", "purpose: transactional", "purpose: fun")
    for verb in ("test", "render"):
        ended = project.run(verb, "noel", code=1)
        assert "campaigns/noel.yaml:3:10" in ended.err
        assert "(input)" in ended.err


def test_a_test_in_doubt_is_a_person_s_to_close_and_no_plan_s(project: Workspace) -> None:
    with relaying(project.served) as relay:
        project.served = relay.url
        relay.then(reply_lost)
        project.run("test", "noel", "--to", "crm-team", code=7)
        assert "? test:noel #1: test" in project.run("status").out
        assert project.run("plan").out.count("test:") == 0
        again = project.run("test", "noel", "--to", "crm-team", code=7)
        assert "? test:noel #1" in again.out
        assert tally(again.out)["accepted"] == 1
        listed = json.loads(project.run("resolve", "--json", code=7).out)["batches"]
        assert [one["batch"] for one in listed] == ["test:noel/1/1"]
        project.run("apply")
        decision = ("resolve", "test:noel/1/1", "--as", "not-sent", "--reason", "nobody has it")
        deadline = time.monotonic() + 20
        while (decided := project.run(*decision, code=None)).code == 5 and time.monotonic() < deadline:
            time.sleep(0.2)  # its request may still be travelling
        assert "`octoplan test noel` sends another test" in decided.out


# who may


@pytest.fixture
def rehearsed(project: Workspace) -> Workspace:
    project.run(*REHEARSAL, "ledger", "init")
    return project


def test_without_a_terminal_nothing_is_tested_outside_the_sandbox(rehearsed: Workspace) -> None:
    ended = rehearsed.run(*REHEARSAL, "test", "noel", code=2)
    assert "without a terminal a test is sent in the built-in sandbox only" in ended.err
    assert (ended.out, sent(rehearsed)) == ("", [])


@pytest.mark.parametrize(("answer", "code", "count"), [("3", 2, 0), ("2", 0, 2)])
def test_at_a_terminal_the_number_of_contacts_is_typed(
    rehearsed: Workspace, answer: str, code: int, count: int
) -> None:
    ended, seen = rehearsed.at_a_terminal(*REHEARSAL, "test", "noel", answer=answer)
    assert (ended, len(sent(rehearsed))) == (code, count), seen
    assert seen.startswith("TEST: noel to 2 test contacts")
    assert "Type the number of contacts (2) to send" in seen
