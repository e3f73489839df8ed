"""Campaigns on a list or tag that the provider holds: prepared, compared with what was approved, confirmed once."""

from __future__ import annotations

import json
import re
import signal
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import httpx
import pytest
from relay import passed, reply_lost, request_lost, says
from workspaces import HELD, Ended, Workspace, tally

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from relay import Call, Relay

CONTACTS = [{"phone_number": f"+3363998{number:04}", "first_name": "Zoe"} for number in range(20)]
CREATE, STATUS, CONFIRM, CANCEL = (f"/sms-campaign-on-list/{step}" for step in ("create", "status", "send", "cancel"))


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    """Make a project with a campaign on a list of twenty."""
    project = Workspace(tmp_path)
    project.write("campaigns/promo.yaml", HELD)
    project.ask("lists", lists={"clients": CONTACTS})
    return project


def said(ended: Ended) -> str:
    """Return everything a run has said, as one line."""
    return " ".join(f"{ended.out} {ended.err}".split())


def steps(project: Workspace) -> list[str]:
    """Return which calls have come in, but looks."""
    asked = project.ask("requests?limit=1000")["requests"]
    return [each["endpoint"] for each in asked if "status" not in each["endpoint"] and "wallet" not in each["endpoint"]]


def test_a_list_is_prepared_and_confirmed_once(project: Workspace) -> None:
    planned = project.run("plan").flat
    assert "list clients of octopush: at most 25 contacts" in planned
    assert "at most 2.00 EUR" in planned
    ended = project.run("apply")
    assert tally(ended.out) == {"accepted": 20, "rejected": 0, "in doubt": 0, "dropped": 0, "not started": 0}
    assert "cost 0.99 of 2.00 EUR" in ended.out
    assert project.counts() == {"deliveries": 20, "addresses": 20, "most_per_address": 1}
    assert "sent 20 · owed 0" in project.run("status").flat
    assert "No changes" in project.run("plan").flat
    assert project.counts()["deliveries"] == 20


@pytest.mark.parametrize(
    ("kind", "channel", "message"),
    [
        ("tag", "sms", 'text: "ACME: votre magasin ouvre demain."'),
        ("list", "voice", 'text: "Votre magasin ouvre demain.", language: fr-FR, gender: female'),
        ("tag", "voice", 'text: "Votre magasin ouvre demain.", language: fr-FR, gender: male'),
    ],
)
def test_tags_and_calls(project: Workspace, kind: str, channel: str, message: str) -> None:
    project.edit("prices/octopush.yaml", "surcharges:", "voice_sms: {FR: 0.06}\nvoice_step_seconds: 30\nsurcharges:")
    project.ask("lists", tags={"clients": CONTACTS})
    project.edit("campaigns/promo.yaml", "{list: clients}", f"{{{kind}: clients}}")
    project.edit("campaigns/promo.yaml", "channel: sms", f"channel: {channel}")
    project.edit("campaigns/promo.yaml", 'text: "ACME: votre magasin ouvre demain."', message)
    assert tally(project.run("apply").out)["accepted"] == 20
    assert project.counts() == {"deliveries": 20, "addresses": 20, "most_per_address": 1}
    assert {each["channel"] for each in project.deliveries()} == {"sms" if channel == "sms" else "voice_sms"}


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("max_contacts: 25", "max_contacts: 19", "20 contacts, `limits.max_contacts` is 19"),
        ("max_cost: 2 EUR", "max_cost: 0.98 EUR", "`limits.max_cost` is 0.98 EUR"),
        ("{list: clients}", "{list: clients, expect: {min: 21}}", "20 contacts, at least 21 are expected"),
    ],
)
def test_what_is_beyond_the_limits_is_not_confirmed(project: Workspace, old: str, new: str, why: str) -> None:
    project.edit("campaigns/promo.yaml", old, new)
    ended = project.run("apply", code=3)
    assert why in said(ended)
    assert "the draft is cancelled" in said(ended)
    assert tally(ended.out)["accepted"] == 0
    assert project.counts()["deliveries"] == 0
    assert steps(project) == [CREATE, CREATE, CANCEL]
    assert "in doubt 0" in project.run("status").flat
    project.edit("campaigns/promo.yaml", new, old)
    assert tally(project.run("apply").out)["accepted"] == 20
    assert project.counts()["most_per_address"] == 1


def test_a_change_against_the_last_edition_is_not_confirmed(project: Workspace) -> None:
    project.run("apply")
    project.ask("lists", lists={"clients": CONTACTS[:10]})
    project.edit("campaigns/promo.yaml", "id: promo", "id: promo\nedition: 2")
    ended = project.run("apply", code=3)
    assert "10 contacts, the last edition had 20" in said(ended)
    assert project.counts()["deliveries"] == 20


def test_a_saved_plan_is_applied_once(project: Workspace) -> None:
    project.run("plan", "--out", "plan.zip")
    assert tally(project.run("apply", "plan.zip").out)["accepted"] == 20
    assert tally(project.run("apply", "plan.zip").out)["accepted"] == 0
    assert project.counts() == {"deliveries": 20, "addresses": 20, "most_per_address": 1}


def test_another_text_needs_another_approval(project: Workspace) -> None:
    project.run("plan", "--out", "plan.zip")
    project.edit("campaigns/promo.yaml", "demain", "jeudi")
    project.run("apply", "plan.zip", code=4)
    assert project.counts()["deliveries"] == 0


def test_once_sent_a_list_goes_on_with_nothing_else(project: Workspace) -> None:
    project.run("apply")
    project.write("audiences/list.csv", "phone_number\n+33639980100\n")
    project.edit("campaigns/promo.yaml", "{list: clients}", "{file: ../audiences/list.csv, new_contacts: send}")
    ended = project.run("plan", code=1)
    assert "provider-held: this edition was begun with an audience of the provider" in ended.flat
    assert project.counts()["deliveries"] == 20


def test_once_sent_to_addresses_it_goes_on_with_no_list(project: Workspace) -> None:
    project.write("audiences/list.csv", "phone_number\n+33639980100\n+33639980101\n")
    project.edit("campaigns/promo.yaml", "{list: clients}", "{file: ../audiences/list.csv}")
    project.edit("campaigns/promo.yaml", 'allow: {provider-held: "the list was cleaned on Monday"}\n', "")
    project.run("apply")
    project.write("campaigns/promo.yaml", HELD)
    assert "your edit sends nothing: 2 already got it" in project.run("plan").flat
    project.run("apply")
    assert project.counts()["deliveries"] == 2


def test_an_unknown_list_is_rejected(project: Workspace) -> None:
    project.edit("campaigns/promo.yaml", "{list: clients}", "{list: nobody}")
    ended = project.run("apply", code=6)
    assert "Octopush could not prepare the campaign" in said(ended)
    assert tally(ended.out) == {"accepted": 0, "rejected": 25, "in doubt": 0, "dropped": 0, "not started": 0}
    assert "rejected 25" in project.run("status").flat
    project.edit("campaigns/promo.yaml", "{list: nobody}", "{list: clients}")
    assert tally(project.run("apply").out)["accepted"] == 20


def only(step: str, act: Callable[[Call], None], times: int = 1) -> Callable[[Call], None]:
    """Do an act to the first real requests of a step, and let all else pass."""
    left = [times]

    def done(call: Call) -> None:
        if step in call.path and b'"simulation_mode":true' not in call.content and left[0]:
            left[0] -= 1
            act(call)
        else:
            passed(call)

    return done


@pytest.mark.parametrize("act", [reply_lost, request_lost, says(502, b"<html>"), says(200, b"{}")])
def test_a_lost_answer_to_the_creation_leaves_no_doubt(
    project: Workspace, relay: Relay, act: Callable[[Call], None]
) -> None:
    relay.asks = only("/create", act)
    assert tally(project.run("apply").out)["accepted"] == 20
    assert project.counts() == {"deliveries": 20, "addresses": 20, "most_per_address": 1}
    created = [each for each in project.ask("requests?limit=100")["requests"] if each["endpoint"] == CREATE]
    ids = re.findall(r'"request_id":"([a-z2-7]+)"', " ".join(each["body"] for each in created))
    assert ids
    assert len(set(ids)) == len(ids)


def test_creations_that_are_never_answered_end(project: Workspace, relay: Relay) -> None:
    relay.asks = only("/create", reply_lost, times=9)
    ended = project.run("apply", code=5)
    assert "3 requests to prepare it had no usable answer" in said(ended)
    assert tally(ended.out)["not started"] == 25
    relay.asks = passed
    assert tally(project.run("apply").out)["accepted"] == 20
    assert project.counts()["most_per_address"] == 1


def test_a_lost_answer_to_the_confirmation_is_a_doubt_for_a_person(project: Workspace, relay: Relay) -> None:
    relay.then(reply_lost)
    ended = project.run("apply", code=7)
    assert tally(ended.out)["in doubt"] == 20
    assert project.counts()["deliveries"] == 20
    project.run("apply", code=7)
    time.sleep(2)
    told = said(project.run("resolve", code=7))
    assert re.search(r"does not say whether it was sent: .+: look up ticket \w+", told)
    project.run("resolve", "promo/1/1", "--as", "sent", "--reason", "seen in the back office")
    assert "sent 20 · owed 0" in project.run("status").flat
    assert "No changes" in project.run("plan").flat
    assert project.counts() == {"deliveries": 20, "addresses": 20, "most_per_address": 1}


def test_a_scheduled_campaign_is_cancelled(project: Workspace) -> None:
    soon = (datetime.now(UTC) + timedelta(hours=2)).astimezone(ZoneInfo("Europe/Paris"))
    project.write("campaigns/promo.yaml", f"{HELD}schedule: {{send_at: {soon:%Y-%m-%dT%H:%M}}}\n")
    project.ask("switches", cancel_after_confirm="cancelled")
    project.run("apply")
    ended = project.run("cancel", "promo")
    assert "cancelled 20 · not cancelled 0" in ended.flat
    assert steps(project)[-1] == CANCEL


def test_a_text_is_rendered_for_nobody(project: Workspace) -> None:
    shown = json.loads(project.run("render", "promo", "--json").out)
    assert shown["body"]["list_name"] == "clients"
    assert "request_id" not in shown["body"]
    assert "leave --contact out" in project.run("render", "promo", "--contact", "+33639980011", code=1).err


def test_a_test_goes_to_test_contacts(project: Workspace) -> None:
    project.edit("octoplan.yaml", "environments:", 'test_contacts: {crm: ["+33639980099"]}\nenvironments:')
    project.run("test", "promo")
    assert [each["address"] for each in project.deliveries()] == ["+33639980099"]
    assert tally(project.run("apply").out)["accepted"] == 20


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("max_cost: 2 EUR, ", "", "missing-key"),
        (", max_contacts: 25", "", "missing-key"),
        ("{list: clients}", "{list: clients, where: x}", "source"),
        ("{list: clients}", "{list: clients, fallback: {x: y}}", "source"),
        ("{list: clients}", "{list: clients, country: BE}", "source"),
        ("{list: clients}", "{list: clients, expect: {max_invalid: 3%}}", "source"),
        ("{list: clients}", "{list: clients, tag: vip}", "source"),
        ("{list: clients}", "{contacts: [{phone_number: '+33639980011'}], segmentation: filter}", "source"),
        ("demain", "demain, {{ contact.first_name }}", "provider-held"),
        ("limits:", "options: {list_name: copy}\nlimits:", "provider-held"),
        ("channel: sms", "channel: rcs", "source"),
    ],
)
def test_what_a_list_cannot_have(project: Workspace, old: str, new: str, rule: str) -> None:
    project.edit("campaigns/promo.yaml", old, new)
    assert f"error {rule}:" in project.run("validate", code=1).flat


def test_that_less_is_promised_must_be_accepted(project: Workspace) -> None:
    project.edit("campaigns/promo.yaml", 'allow: {provider-held: "the list was cleaned on Monday"}\n', "")
    assert "warning provider-held" in project.run("plan", code=3).flat
    project.run("apply", code=3)
    assert project.counts()["deliveries"] == 0


def held_back(call: Call) -> None:
    """Hold a request, then let it pass."""
    call.hold()
    passed(call)


def killed(project: Workspace, relay: Relay, step: str) -> None:
    """Kill an apply while one of its requests is held."""
    relay.asks = only(step, lambda call: call.hold())
    if step == "/send":
        relay.then(lambda call: call.hold())
    with project.start("apply") as process:
        relay.wait_until_held()
        process.kill()
    relay.asks = passed
    relay.release.set()


@pytest.mark.parametrize("step", ["/create", "/status"])
def test_an_apply_that_is_killed_before_it_confirms_goes_on(project: Workspace, relay: Relay, step: str) -> None:
    killed(project, relay, step)
    assert tally(project.run("apply").out)["accepted"] == 20
    assert project.counts() == {"deliveries": 20, "addresses": 20, "most_per_address": 1}


def test_an_apply_that_is_killed_while_it_confirms_leaves_a_doubt(project: Workspace, relay: Relay) -> None:
    killed(project, relay, "/send")
    assert tally(project.run("apply", code=7).out)["in doubt"] == 20
    assert project.counts()["most_per_address"] <= 1


@pytest.mark.parametrize("after", ["unchanged", "sent", "rejected"])
def test_no_error_passes_for_proof_that_nothing_was_sent(project: Workspace, relay: Relay, after: str) -> None:
    project.ask("switches", status_after_confirm=after)
    relay.then(reply_lost)
    project.run("apply", code=7)
    time.sleep(2)
    project.run("resolve", code=7)
    project.run("apply", code=7)
    assert project.counts() == {"deliveries": 20, "addresses": 20, "most_per_address": 1}


def test_what_was_never_ready_was_never_confirmed(project: Workspace, relay: Relay) -> None:
    relay.then(request_lost)
    project.run("apply", code=7)
    time.sleep(2)
    relay.asks = only("/status", says(200, b'{"status": "under_computation"}'))
    assert "promo/1/1 · 20 contacts · not sent" in project.run("resolve").flat
    relay.asks = passed
    assert tally(project.run("apply").out)["accepted"] == 20
    assert project.counts() == {"deliveries": 20, "addresses": 20, "most_per_address": 1}
    assert steps(project).count(CANCEL) == 1


def ready(project: Workspace, relay: Relay) -> str:
    """Kill an apply whose draft is ready; return its ticket."""
    killed(project, relay, "/status")
    created = [each for each in project.ask("requests?limit=100")["requests"] if each["outcome"] == "prepared"]
    ticket: str = created[-1]["answer"]["ticket_number"]
    return ticket


def confirm(project: Workspace, ticket: str) -> None:
    """Confirm a draft as somebody would in the back office."""
    url = f"{project.served}/octopush/v1/public{CONFIRM}"
    headers = {"api-login": "sandbox-team", "api-key": "sandbox-key"}
    time.sleep(1.1)
    answer = httpx.post(url, json={"ticket_number": ticket}, headers=headers, trust_env=False)
    assert answer.status_code == 200, answer.text


ONCE = {"deliveries": 20, "addresses": 20, "most_per_address": 1}


def test_a_draft_that_somebody_else_has_confirmed_is_a_doubt(project: Workspace, relay: Relay) -> None:
    confirm(project, ready(project, relay))
    project.edit("campaigns/promo.yaml", "demain", "jeudi")
    ended = project.run("apply", code=7)
    assert "may have been confirmed elsewhere" in said(ended)
    project.run("apply", code=7)
    assert project.counts() == ONCE
    time.sleep(2)
    assert "not sent again without a person's word" in said(project.run("resolve", code=7))
    (doubt,) = json.loads(project.run("resolve", "--json", code=7).out)["batches"]
    project.run("resolve", doubt["batch"], "--as", "sent", "--reason", "seen in the back office")
    assert "No changes" in project.run("plan").flat


def test_a_cancel_whose_answer_was_lost_needs_a_person_once(project: Workspace, relay: Relay) -> None:
    ready(project, relay)
    project.edit("campaigns/promo.yaml", "demain", "jeudi")
    relay.asks = only(CANCEL, reply_lost)
    project.run("apply", code=5)
    relay.asks = passed
    project.run("apply", code=7)
    time.sleep(2)
    (doubt,) = json.loads(project.run("resolve", "--json", code=7).out)["batches"]
    project.run("resolve", doubt["batch"], "--as", "not-sent", "--reason", "not there in the back office")
    assert tally(project.run("apply").out)["accepted"] == 20
    assert project.counts() == ONCE


def test_a_false_word_on_a_list_is_found_out_by_its_cancel(project: Workspace, relay: Relay) -> None:
    relay.then(reply_lost)
    project.run("apply", code=7)
    time.sleep(2)
    project.run("resolve", "promo/1/1", "--as", "not-sent", "--reason", "a guess")
    assert "may have been confirmed elsewhere" in said(project.run("apply", code=7))
    assert project.counts() == ONCE


def test_a_resumed_draft_that_somebody_else_has_confirmed_is_a_doubt(project: Workspace, relay: Relay) -> None:
    project.run("plan", "--out", "plan.zip")
    relay.asks = only("/status", lambda call: call.hold())
    with project.start("apply", "plan.zip") as process:
        relay.wait_until_held()
        process.kill()
    relay.asks = passed
    relay.release.set()
    created = [each for each in project.ask("requests?limit=100")["requests"] if each["outcome"] == "prepared"]
    confirm(project, created[-1]["answer"]["ticket_number"])
    project.run("apply", "plan.zip", code=7)
    assert project.counts() == ONCE


def test_the_draft_of_an_older_plan_is_cancelled_before_another_is_made(project: Workspace, relay: Relay) -> None:
    ready(project, relay)
    project.edit("campaigns/promo.yaml", "demain", "jeudi")
    assert tally(project.run("apply").out)["accepted"] == 20
    assert steps(project)[-3:] == [CANCEL, CREATE, CONFIRM]
    assert {each["text"] for each in project.deliveries()} == {"ACME: votre magasin ouvre jeudi."}
    assert project.counts() == ONCE


def test_nothing_is_made_while_an_older_draft_cannot_be_cancelled(project: Workspace, relay: Relay) -> None:
    ready(project, relay)
    project.edit("campaigns/promo.yaml", "demain", "jeudi")
    relay.asks = only(CANCEL, says(503), times=9)
    ended = project.run("apply", code=5)
    assert "it is not known whether the earlier draft" in said(ended)
    relay.asks = passed
    assert tally(project.run("apply").out)["accepted"] == 20
    assert project.counts() == ONCE


def test_who_stops_while_a_list_is_prepared_confirms_nothing(project: Workspace, relay: Relay) -> None:
    relay.asks = only("/status", held_back)
    with project.start("apply") as process:
        relay.wait_until_held()
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        relay.release.set()
        process.communicate(timeout=20)
    assert process.returncode == 130
    assert project.counts()["deliveries"] == 0
    relay.asks = passed
    assert tally(project.run("apply").out)["accepted"] == 20
    assert project.counts() == ONCE


def test_a_list_that_was_given_up_does_not_go_on_with_addresses(project: Workspace) -> None:
    project.edit("campaigns/promo.yaml", "max_contacts: 25", "max_contacts: 19")
    project.run("apply", code=3)
    project.write("audiences/list.csv", "phone_number\n+33639980100\n")
    project.edit("campaigns/promo.yaml", "{list: clients}", "{file: ../audiences/list.csv}")
    assert "raise `edition`" in project.run("plan", code=1).flat
    project.edit("campaigns/promo.yaml", "id: promo", "id: promo\nedition: 2")
    project.run("apply")
    assert project.counts()["deliveries"] == 1


def test_what_is_left_of_a_campaign_that_is_gone_is_cancelled(project: Workspace, relay: Relay) -> None:
    ready(project, relay)
    (project.root / "campaigns/promo.yaml").unlink()
    project.write("campaigns/other.yaml", HELD.replace("promo", "other").replace("demain", "lundi"))
    project.run("apply")
    assert steps(project)[-1] == CANCEL
    assert project.counts() == ONCE


def test_a_draft_that_is_forgotten_is_for_a_person(project: Workspace, relay: Relay) -> None:
    project.run("plan", "--out", "plan.zip")
    relay.asks = only("/status", says(404, b'{"code": 131, "message": "x"}'))
    ended = project.run("apply", "plan.zip", code=5)
    assert "its draft is gone" in said(ended)
    relay.asks = passed
    assert tally(project.run("apply", "plan.zip").out)["accepted"] == 20
    assert project.counts() == ONCE


def test_a_list_that_takes_long_does_not_keep_the_others_waiting(project: Workspace, relay: Relay) -> None:
    project.edit("octoplan.yaml", "quiet_time: 1s", "quiet_time: 1s, workers: 1")
    project.write("audiences/list.csv", "phone_number\n+33639980100\n")
    other = HELD.replace("promo", "zz").replace("{list: clients}", "{file: ../audiences/list.csv}")
    project.write("campaigns/zz.yaml", other.replace("demain", "lundi").partition("allow:")[0])
    relay.asks = only("/status", says(500), times=99)
    ended = project.run("apply", code=5)
    assert tally(ended.out) == {"accepted": 1, "rejected": 0, "in doubt": 0, "dropped": 0, "not started": 25}


def test_what_cannot_be_told_of_a_list_is_said(project: Workspace) -> None:
    project.run("apply")
    assert "which alone knows who is in it" in project.run("status", "--contact", "+33639980001").flat
    project.write("audiences/list.csv", "phone_number\n+33639980001\n")
    more = HELD.replace("promo", "more").replace("demain", "lundi").partition("allow:")[0]
    project.write(
        "campaigns/more.yaml",
        more.replace("{list: clients}", "{file: ../audiences/list.csv, exclude: [{campaign: promo}]}"),
    )
    assert "nobody is excluded" in project.run("plan", "more", code=3).flat
    project.write("old.csv", "phone_number\n+33639980001\n")
    told = said(project.run("import", "promo", "old.csv", code=1))
    assert "begun with an audience of the provider" in told


def test_by_which_call_it_travels_is_approved(project: Workspace) -> None:
    project.run("plan", "--out", "plan.zip")
    project.edit("octoplan.yaml", "quiet_time: 1s", "quiet_time: 1s, own_tag_paths: true")
    project.run("apply", "plan.zip", code=4)
    assert project.counts()["deliveries"] == 0


def test_the_same_text_to_the_same_list_under_another_id_is_noticed(project: Workspace) -> None:
    project.run("apply")
    (project.root / "campaigns/promo.yaml").unlink()
    project.write("campaigns/copy.yaml", HELD.replace("promo", "copy"))
    assert "`promo` says the same to list clients, and it was sent in the last" in project.run("plan", code=3).flat
    project.ask("lists", lists={"others": CONTACTS})
    project.edit("campaigns/copy.yaml", "{list: clients}", "{list: others}")
    project.run("plan")
