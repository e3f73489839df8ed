"""Routee: calls without request ids, each campaign under a name of its own, doubt looked up and never repeated."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from relay import passed, reply_lost, request_lost, says, sent_but, truncated
from workspaces import CAMPAIGN, Ended, Workspace, tally

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from relay import Call, Relay

REHEARSAL = ("--env", "rehearsal")
ACCOUNT = '  routee: {application_id: "${ROUTEE_APPLICATION_ID}", application_secret: "${ROUTEE_APPLICATION_SECRET}", \
prices: prices/routee.yaml, quiet_time: 1s, workers: 1}\nenvironments:'
PRICES = """\
currency: EUR
as_of: 2026-11-01
sample: true
voice_sms: {FR: 0.031}
voice_step_seconds: 30
"""
CALL = """\
id: appel
provider: routee
channel: voice
purpose: transactional
sender: ACME
audience: {file: ../audiences/list.csv}
message: {text: "Bonjour {{ contact.first_name }}. Votre colis est là.", language: fr-FR, gender: female}
"""
GROUP = """\
id: groupe
provider: routee
channel: voice
purpose: transactional
sender: ACME
audience: {groups: [gold]}
message: {text: "Votre magasin ouvre demain.", language: fr-FR, gender: female}
limits: {max_cost: 2 EUR, max_contacts: 25}
allow: {provider-held: "the group was cleaned on Monday"}
"""
PEOPLE = [{"phone_number": f"+3363998{number:04}"} for number in range(20)]
CAMPAIGNS = "/voice/campaign"


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    """Make a project with an account at each provider, and a campaign of three calls."""
    project = Workspace(tmp_path).usual()
    (project.root / "campaigns/noel.yaml").unlink()
    project.edit("octoplan.yaml", "environments:", ACCOUNT)
    project.write("prices/routee.yaml", PRICES)
    project.write("campaigns/appel.yaml", CALL)
    return project


def sends(project: Workspace) -> list[dict[str, Any]]:
    """Return the bodies of the campaigns that were asked for."""
    asked = project.ask("requests?limit=1000")["requests"]
    return [json.loads(one["body"]) for one in asked if one["endpoint"] == CAMPAIGNS and one["method"] == "POST"]


def resolved(project: Workspace, code: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(project.run(*REHEARSAL, "resolve", "--json", code=code).out)
    return found


def wait() -> None:
    time.sleep(1.1)  # the quiet time of the project


def said(ended: Ended) -> str:
    return " ".join(f"{ended.out} {ended.err}".split())


def test_calls_go_out_once_and_cost_what_the_book_says(project: Workspace) -> None:
    planned = project.run("plan").flat
    assert "appel #1 voice · routee · transactional" in planned
    assert "0.09 EUR · at worst 0.12 · simulated 0.09" in planned
    assert "cost 0.09 of 0.12 EUR" in project.run("apply").out
    assert tally(project.run("apply").out)["accepted"] == 0
    assert project.counts() == {"deliveries": 3, "addresses": 3, "most_per_address": 1}
    assert {one["provider"] for one in project.deliveries()} == {"routee"}
    assert "sent 3 · owed 0" in project.run("status").flat


def test_twenty_five_hundred_contacts_are_three_campaigns_of_three_names(project: Workspace) -> None:
    rows = "".join(f"+3363998{number:04}\n" for number in range(2500))
    project.write("audiences/list.csv", f"phone_number\n{rows}")
    project.edit("campaigns/appel.yaml", "Bonjour {{ contact.first_name }}. Votre", "Votre")
    assert "3 calls" in project.run("plan").flat
    assert tally(project.run("apply").out)["accepted"] == 2500
    made = sends(project)
    assert sorted(len(one["to"]) for one in made) == [500, 1000, 1000]
    assert len({one["name"] for one in made}) == 3
    assert all(re.fullmatch("[a-z2-7]{26}", one["name"]) for one in made)
    assert project.counts() == {"deliveries": 2500, "addresses": 2500, "most_per_address": 1}


def test_two_providers_in_one_plan_total_two_currencies_apart(project: Workspace) -> None:
    project.edit("prices/routee.yaml", "EUR", "GBP")
    project.edit("octoplan.yaml", "max_cost: 500 EUR, ", "")
    project.write("campaigns/appel.yaml", f"{CALL}limits: {{max_cost: 5 GBP}}\n")
    project.write("campaigns/noel.yaml", f"{CAMPAIGN}limits: {{max_cost: 5 EUR}}\n")
    planned = project.run("plan", "--json")
    totals = json.loads(planned.out)["totals"]
    assert (totals["cost"], totals["contacts"]) == ({"EUR": "0.177", "GBP": "0.093"}, 6)
    assert "0.18 EUR · 0.09 (at worst 0.12) GBP" in project.run("plan").flat.replace("(at worst 0.18) ", "")
    ended = project.run("apply")
    assert "EUR + 0.09 of 0.12 GBP" in ended.out
    assert project.counts() == {"deliveries": 6, "addresses": 3, "most_per_address": 2}


def doubt(project: Workspace, relay: Relay, plan: list[str], act: Callable[[Call], None]) -> str:
    """Leave the second of three batches in doubt; return it."""
    relay.then(passed, act)
    assert tally(project.run(*plan, code=7).out)["in doubt"] == 1
    (batch,) = resolved(project, code=7)["batches"]
    assert "travelling" in batch["next"]
    return str(batch["batch"])


@pytest.mark.parametrize("act", [reply_lost, truncated, sent_but(502), sent_but(200, b"{}"), sent_but(301)])
def test_a_lost_reply_is_looked_up_and_nothing_is_repeated(
    project: Workspace, relay: Relay, plan: list[str], act: Callable[[Call], None]
) -> None:
    batch = doubt(project, relay, plan, act)
    wait()
    found = resolved(project, code=0)
    how = "Routee's records have 1 calls of it"
    assert found["settled"] == [{"batch": batch, "contacts": 1, "as": "sent", "how": how}]
    assert len(relay.sends) == 2
    assert tally(project.run(*plan).out)["accepted"] == 1
    assert len({json.loads(one)["name"] for one in relay.sends}) == len(relay.sends) == 3
    assert project.counts() == {"deliveries": 3, "addresses": 3, "most_per_address": 1}


def test_records_that_find_nothing_leave_the_doubt_to_a_person(
    project: Workspace, relay: Relay, plan: list[str]
) -> None:
    batch = doubt(project, relay, plan, reply_lost)
    project.ask("switches", routee_tracking_finds="nothing")
    wait()
    (left,) = resolved(project, code=7)["batches"]
    assert left["next"].startswith("Routee does not tell what became of it: its records have no call of it: look up ")
    assert left["next"].endswith("at the provider, then decide")
    assert left["request_id"] in left["next"]
    assert len(relay.sends) == 2
    project.run(*REHEARSAL, "resolve", batch, "--as", "sent", "--reason", "seen in the back office")
    assert tally(project.run(*plan).out)["accepted"] == 1
    assert project.counts() == {"deliveries": 3, "addresses": 3, "most_per_address": 1}


def test_what_was_never_sent_is_sent_again_on_a_persons_word(project: Workspace, relay: Relay, plan: list[str]) -> None:
    batch = doubt(project, relay, plan, request_lost)
    wait()
    assert "have no call of it" in resolved(project, code=7)["batches"][0]["next"]
    project.run(*REHEARSAL, "resolve", batch, "--as", "not-sent", "--reason", "not in the back office")
    assert tally(project.run(*plan).out)["accepted"] == 2
    assert project.counts() == {"deliveries": 3, "addresses": 3, "most_per_address": 1}
    names = [json.loads(one)["name"] for one in relay.sends]
    assert len(set(names)) == len(names) == 4


def test_records_are_asked_for_by_the_ticket_of_an_unusable_answer(
    project: Workspace, relay: Relay, plan: list[str]
) -> None:
    def spoilt(call: Call) -> None:
        status, body, _ = call.forward()
        call.answer(status, json.dumps({**json.loads(body), "cost": -1}).encode())

    doubt(project, relay, plan, spoilt)
    project.ask("switches", routee_tracking_finds="nothing")
    wait()
    (settled,) = resolved(project, code=0)["settled"]
    assert settled["how"] == "Routee's records have 1 calls of it"
    assert json.loads(project.run(*REHEARSAL, "status", "--json").out)[0]["without_ticket"] == 0


def test_a_lost_reply_needs_no_file_to_be_looked_up(project: Workspace, relay: Relay, plan: list[str]) -> None:
    doubt(project, relay, plan, reply_lost)
    (project.root / "campaigns/appel.yaml").unlink()
    wait()
    assert [one["as"] for one in resolved(project, code=0)["settled"]] == ["sent"]


def test_a_name_that_is_taken_is_another_ledgers(project: Workspace, relay: Relay, plan: list[str]) -> None:
    taken = b'{"code": "409009003", "developerMessage": "The campaign name already exists."}'
    relay.then(says(409, taken))
    ended = project.run(*plan, code=7)
    assert "another ledger has sent this batch" in said(ended)
    wait()
    assert "another ledger sent it" in resolved(project, code=7)["batches"][0]["next"]
    assert len(relay.sends) == 1


def test_a_name_that_is_taken_by_an_earlier_try_is_ours(project: Workspace, relay: Relay, plan: list[str]) -> None:
    """A middle box says 429 of what has gone through: the second try finds the name taken, by us."""
    relay.then(sent_but(429, b"{}", retry_after="1"))
    assert tally(project.run(*plan).out)["accepted"] == 3
    assert project.counts() == {"deliveries": 3, "addresses": 3, "most_per_address": 1}


def test_a_token_that_ended_is_renewed_once(project: Workspace, relay: Relay, plan: list[str]) -> None:
    def ended(call: Call) -> None:
        project.ask("clock", advance="2h")
        call.answer(*call.forward())

    relay.then(ended)
    assert tally(project.run(*plan).out)["accepted"] == 3
    assert project.counts() == {"deliveries": 3, "addresses": 3, "most_per_address": 1}


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_refused_again_ends_the_run(
    project: Workspace, relay: Relay, plan: list[str], status: int
) -> None:
    relay.then(passed, says(status), says(status))
    ended = project.run(*plan, code=1)
    assert tally(ended.out) == {"accepted": 1, "rejected": 0, "in doubt": 0, "dropped": 0, "not started": 2}
    assert f"HTTP {status}: the provider refuses these credentials" in said(ended)
    assert tally(project.run(*plan).out)["accepted"] == 2


def test_a_box_that_refuses_what_went_through_sends_nobody_a_second_call(
    project: Workspace, relay: Relay, plan: list[str]
) -> None:
    """401 of what was sent: the token is renewed, the name is found taken, and it was ours."""
    relay.then(sent_but(401))
    assert tally(project.run(*plan).out)["accepted"] == 3
    assert project.counts() == {"deliveries": 3, "addresses": 3, "most_per_address": 1}


def test_wrong_credentials_are_told_and_not_shown(project: Workspace, relay: Relay, plan: list[str]) -> None:
    relay.asks = lambda call: call.answer(401, b"{}") if call.path.endswith("/oauth/token") else passed(call)
    ended = project.run(*plan, code=1)
    assert "refuses these credentials" in said(ended)
    assert "sandbox-secret" not in said(ended)
    assert project.counts()["deliveries"] == 0


def test_no_token_is_no_answer(project: Workspace, relay: Relay, plan: list[str]) -> None:
    relay.asks = lambda call: call.answer(503, b"<html>") if call.path.endswith("/oauth/token") else passed(call)
    ended = project.run(*REHEARSAL, "plan", code=5)
    assert "no token: HTTP 503" in said(ended)
    assert project.counts()["deliveries"] == 0
    assert len(plan) == 2


@pytest.fixture
def group(project: Workspace) -> Workspace:
    """Make the project one of a group of twenty."""
    (project.root / "campaigns/appel.yaml").unlink()
    project.write("campaigns/groupe.yaml", GROUP)
    project.ask("lists", groups={"gold": PEOPLE})
    return project


def test_a_group_is_counted_and_called_once(group: Workspace) -> None:
    planned = group.run("plan").flat
    assert "groups gold of routee: at most 25 contacts" in planned
    assert "the provider counts 20 contacts (FR 20), 0.62" in planned
    ended = group.run("apply")
    assert tally(ended.out)["accepted"] == 20
    assert "cost 0.62 of 2.00 EUR" in ended.out
    assert tally(group.run("apply").out)["accepted"] == 0
    assert group.counts() == {"deliveries": 20, "addresses": 20, "most_per_address": 1}


def test_a_group_that_has_grown_beyond_its_limits_is_not_called(group: Workspace) -> None:
    group.run("plan", "--out", "plan.zip")
    group.ask("lists", groups={"gold": [{"phone_number": f"+3363998{number:04}"} for number in range(26)]})
    ended = group.run("apply", "plan.zip", code=3)
    assert "26 contacts, `limits.max_contacts` is 25: nobody was contacted; make the audience" in said(ended)
    assert group.counts()["deliveries"] == 0
    assert sends(group) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("max_contacts: 25", "max_contacts: 19", "20 contacts, `limits.max_contacts` is 19"),
        ("max_contacts: 25", "max_contacts: 25, countries: []", "contacts in FR, `limits.countries` is"),
        ("[gold]}", "[gold], expect: {min: 21}}", "20 contacts, at least 21 are expected"),
    ],
)
def test_a_group_beyond_its_limits_is_told_while_planning(group: Workspace, old: str, new: str, told: str) -> None:
    group.edit("campaigns/groupe.yaml", old, new.replace("countries: []", "countries: [BE]"))
    group.edit("octoplan.yaml", "countries: [FR]", "countries: [FR, BE]")
    planned = group.run("plan", code=1).flat
    assert f"error simulation-refused: the provider counts {told}" in planned
    assert group.counts()["deliveries"] == 0


def test_contacts_by_their_ids(project: Workspace) -> None:
    project.edit("campaigns/appel.yaml", "file: ../audiences/list.csv", "contact_ids: [zoe, marc]")
    project.edit("campaigns/appel.yaml", "Bonjour {{ contact.first_name }}. Votre", "Votre")
    allowed = 'limits: {max_cost: 1 EUR, max_contacts: 2}\nallow: {provider-held: "looked at"}\n'
    project.write("campaigns/appel.yaml", (project.root / "campaigns/appel.yaml").read_text() + allowed)
    project.ask("lists", contact_ids={"zoe": PEOPLE[0], "marc": PEOPLE[1]})
    assert tally(project.run("apply").out)["accepted"] == 2
    assert project.counts() == {"deliveries": 2, "addresses": 2, "most_per_address": 1}


def test_what_is_scheduled_is_cancelled(project: Workspace) -> None:
    when = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(time.time() + 7200))
    project.write("campaigns/appel.yaml", f"{CALL}schedule: {{send_at: {when}, timezone: UTC, hours: any}}\n")
    project.run("apply")
    cancelled = project.run("cancel", "appel")
    assert "cancelled 3 · not cancelled 0" in cancelled.out
    assert project.counts()["deliveries"] == 0


def test_everything_that_leaves_is_as_the_file_says(project: Workspace) -> None:
    options = """\
options:
  collect_keys: true
  key_wait_seconds: 5
  ring_seconds: 30
  respect_quiet_hours: true
  callback: {url: https://hooks.acme.example/calls, when: change}
  campaign_callback: {url: https://hooks.acme.example/campaigns}
"""
    project.write("campaigns/appel.yaml", CALL + options)
    project.run("apply")
    body = sends(project)[0]
    assert {name: value for name, value in body.items() if name not in ("to", "name", "message")} == {
        "from": "ACME",
        "respectQuietHours": True,
        "hangupDelay": 30,
        "callback": {"url": "https://hooks.acme.example/calls", "strategy": "OnChange"},
        "campaignCallback": {"url": "https://hooks.acme.example/campaigns", "strategy": "OnCompletion"},
        "collectDtmfDigits": True,
        "collectDtmfAwaitSeconds": 5,
    }


def test_what_is_rendered_hides_whom_it_is_for(project: Workspace) -> None:
    shown = project.run("render", "appel", "--json").out
    assert "+33" not in shown
    assert json.loads(shown)["body"]["to"] == ["…"]
    project.write("campaigns/groupe.yaml", GROUP)
    assert json.loads(project.run("render", "groupe", "--json").out)["body"]["groups"] == ["gold"]


def test_the_pause_for_keys_is_part_of_the_call(project: Workspace) -> None:
    project.write("campaigns/appel.yaml", f"{CALL}options: {{collect_keys: true, key_wait_seconds: 30}}\n")
    project.edit("campaigns/appel.yaml", "options:", 'allow: {keys-nowhere: "looked at"}\noptions:')
    assert "2 steps: 3" in project.run("plan").flat
    assert "cost 0.19 of 0.21 EUR" in project.run("apply").out


@pytest.mark.parametrize(
    ("analysis", "code", "accepted"),
    [({"numberOfRecipients": 19}, 0, 19), ({"numberOfRecipients": 26}, 3, 26), ({}, 0, 20)],
)
def test_the_last_word_on_a_group_is_the_answer(
    group: Workspace, relay: Relay, analysis: dict[str, int], code: int, accepted: int
) -> None:
    def counted(call: Call) -> None:
        status, body, _ = call.forward()
        call.answer(status, json.dumps({**json.loads(body), "voiceAnalysis": analysis}).encode())

    relay.then(counted)
    group.ask("lists", groups={"gold": PEOPLE})
    ended = group.run("apply", code=code)
    assert tally(ended.out)["accepted"] == accepted
    assert "cost 0.62 of 2.00 EUR" in ended.out
    assert f"sent {accepted} · owed 0" in group.run("status").flat
    assert ("26 contacts accepted, 25 approved" in said(ended)) is (code == 3)


def test_a_group_whose_name_was_taken_by_an_earlier_try_is_counted_as_it_was_quoted(
    group: Workspace, relay: Relay
) -> None:
    relay.then(sent_but(429, b"{}", retry_after="1"))
    ended = group.run("apply")
    assert tally(ended.out)["accepted"] == 20
    assert "cost 0.62 of 2.00 EUR" in ended.out
    assert group.counts() == {"deliveries": 20, "addresses": 20, "most_per_address": 1}
