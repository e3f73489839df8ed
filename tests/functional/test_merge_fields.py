"""Personal texts share calls as the provider's placeholders, and everybody gets the text that was rendered here."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from relay import Relay, passed, reply_lost, says
from workspaces import CAMPAIGN, Workspace, tally

if TYPE_CHECKING:
    from pathlib import Path

FIRST = 639_980_000
STORES = ("Bellecour", "Part-Dieu", "Croix-Rousse")
NAMES = ("Zoé", "Inès", "Marc", "Yves", "L'Œil", "Noé", "Odile", "Régis")
TEXT = "ACME: {{ contact.first_name }}, rendez-vous a {{ contact.store|upper }} avec {{ contact.code }}."
SOON = (datetime.now(UTC) + timedelta(hours=2)).astimezone(ZoneInfo("Europe/Paris"))
NO_CREDIT = b'{"code": 104, "message": "No credit left."}'


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    """Make a project that may merge; it sends its batches one after another."""
    project = Workspace(tmp_path).usual()
    project.edit("octoplan.yaml", "merge_fields: never", "workers: 1")
    return project


def address(person: int) -> str:
    return f"+33{FIRST + person}"


def enlist(project: Workspace, *people: tuple[str, str, str]) -> None:
    lines = [f'{address(number)},"{name}","{store}","{code}"' for number, (name, store, code) in enumerate(people)]
    project.write("audiences/list.csv", "\n".join(("phone_number,first_name,store,code", *lines)))


def say(project: Workspace, text: str, *, more: str = "") -> None:
    _, _, rest = CAMPAIGN.partition("\n")
    head, _, _ = rest.partition("message: ")
    project.write("campaigns/noel.yaml", f"id: noel\n{head}message: {{text: {json.dumps(text)}}}\n{more}")


def planned(project: Workspace, *words: str, code: int = 0) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(project.run("plan", "--json", *words, code=code).out)["campaigns"][0]
    return row


def rules(row: dict[str, Any]) -> dict[str, str]:
    return {found["rule"]: found["message"] for found in row["findings"]}


def got(project: Workspace) -> dict[str, str]:
    return {one["address"]: one["text"] for one in project.deliveries()}


def test_ten_thousand_personal_texts_are_twenty_calls_and_each_is_delivered_as_rendered(project: Workspace) -> None:
    project.edit("octoplan.yaml", "max_contacts: 5000", "max_contacts: 10000")
    people = [(NAMES[number % 8], STORES[number % 3], f"C{number:05}") for number in range(10_000)]
    enlist(project, *people)
    say(project, TEXT)
    row = planned(project, "--out", "plan.zip")
    assert (row["calls"], row["placeholders"]) == (20, ["first_name", "param1", "param2"])
    assert row["simulation"]["calls"] == 20
    assert row["estimate"]["contacts"] == 10_000
    assert rules(row) == {}
    assert "20 calls (merge fields)" in project.run("show", "plan.zip").flat
    assert tally(project.run("apply", "plan.zip").out)["accepted"] == 10_000
    assert got(project) == {
        address(number): f"ACME: {name}, rendez-vous a {store.upper()} avec {code}."
        for number, (name, store, code) in enumerate(people)
    }
    assert len({one["ticket"] for one in project.deliveries()}) == 20
    assert tally(project.run("apply").out)["accepted"] == 0


def test_a_template_with_conditions_falls_back_and_the_plan_says_how_many_calls_that_means(project: Workspace) -> None:
    enlist(project, *((name, "Nice", str(number)) for number, name in enumerate(NAMES)))
    say(project, '{% if contact.store == "Nice" %}Salut{% endif %} {{ contact.code }}')
    row = planned(project)
    assert (row["calls"], row["merge_fields"]) == (8, False)
    assert "no merge fields for 8 contacts: the text has `{% if %}` over `contact`" in rules(row)["merge-text"]
    assert "texts of their own take 8 calls, where 1 would do" in rules(row)["merge-text"]
    assert "8 calls" in project.run("plan").flat


def test_values_that_fit_no_placeholder_travel_in_texts_of_their_own(project: Workspace) -> None:
    odd = ("{param1}", "{code}", "x" * 51, " Zoe", "Zo  e", "$1", "<b>Zoe</b>", "é" * 26, "Marc", "y" * 50)
    enlist(project, *((name, "Nice", f"C{number}") for number, name in enumerate(odd)))
    say(project, TEXT, more='allow: {text-placeholder: "names may have braces"}\n')
    row = planned(project)
    assert row["calls"] == 9
    assert rules(row)["merge-value"].startswith("8 contacts with values that fit no merge field (")
    assert "texts of their own take 8 calls" in rules(row)["merge-value"]
    assert not any(name in json.dumps(row["findings"]) for name in odd)
    project.run("apply")
    assert got(project) == {
        address(number): f"ACME: {name}, rendez-vous a NICE avec C{number}." for number, name in enumerate(odd)
    }


def test_an_empty_value_travels_in_a_text_of_its_own(project: Workspace) -> None:
    enlist(project, ("Zoe", "Nice", ""), ("Marc", "Nice", "42"))
    say(project, TEXT)
    project.edit("campaigns/noel.yaml", "list.csv}", 'list.csv, fallback: {code: ""}}')
    assert planned(project)["calls"] == 2
    project.run("apply")
    assert got(project)[address(0)] == "ACME: Zoe, rendez-vous a NICE avec ."


def test_plain_forms_reach_text_and_values(project: Workspace) -> None:
    enlist(project, ("Zoë", "Nîmes", "œ1"), ("Marc", "Nice", "€2"))
    say(project, "Çà et là: " + TEXT)
    project.edit("campaigns/noel.yaml", "message: {", "message: {encoding: gsm7, ")
    assert planned(project)["calls"] == 1
    project.run("apply")
    assert got(project) == {
        address(0): "Çà et là: ACME: Zoe, rendez-vous a NIMES avec oe1.",
        address(1): "Çà et là: ACME: Marc, rendez-vous a NICE avec €2.",
    }


def test_each_language_has_its_own_text_in_a_call_of_its_own(project: Workspace) -> None:
    enlist(project, ("Zoe", "fr", "1"), ("Ann", "en", "2"), ("Marc", "fr", "3"))
    message = 'message: {text: {fr: "Bonjour {{ contact.code }}", en: "Hello {{ contact.code }}"}, '
    project.write(
        "campaigns/noel.yaml", CAMPAIGN.partition("message: ")[0] + message + "locale: {column: store, default: fr}}\n"
    )
    assert planned(project)["calls"] == 2
    project.run("apply")
    assert got(project) == {address(0): "Bonjour 1", address(1): "Hello 2", address(2): "Bonjour 3"}


def test_calls_by_voice_share_requests_too_and_the_purpose_they_lack_is_told(project: Workspace) -> None:
    project.write(
        "prices/octopush.yaml",
        "currency: EUR\nas_of: 2026-11-01\nsample: true\nvoice_sms: {FR: 0.035}\nvoice_step_seconds: 30\n",
    )
    enlist(project, ("Zoé", "Nice", "1"), ("Marc", "Nice", "2"))
    say(project, "Bonjour {{ contact.first_name }}.", more="schedule: {hours: any}\n")
    project.edit("campaigns/noel.yaml", "channel: sms", "channel: voice")
    project.edit("campaigns/noel.yaml", "message: {", "message: {language: fr-FR, gender: female, ")
    row = planned(project, code=None)  # type: ignore[arg-type]  # at night, calls may not be made
    assert row["calls"] == 1
    assert "is not transmitted" in rules(row)["voice-purpose"]
    assert row["simulation"]["contacts"] == 2
    assert row["simulation"]["differing"] == 0


def test_a_project_may_want_no_merge_fields(project: Workspace) -> None:
    assert planned(project)["calls"] == 1
    project.edit("octoplan.yaml", "workers: 1", "merge_fields: never")
    row = planned(project)
    assert (row["calls"], row["merge_fields"], rules(row)) == (3, False, {})


def test_render_shows_the_request_that_would_carry_the_text(project: Workspace) -> None:
    shown = json.loads(project.run("render", "noel", "--contact", address(12), "--json").out)
    assert shown["content"]["text"] == "ACME: bonjour Marc, code 0042."
    assert shown["body"]["text"] == "ACME: bonjour {first_name}, code {param1}."
    assert shown["body"]["recipients"] == [{"phone_number": "+…", "first_name": "Marc", "param1": "0042"}]


def test_a_test_contact_gets_the_text_with_the_names_of_its_columns(project: Workspace) -> None:
    project.edit("octoplan.yaml", "providers:", 'test_contacts: {crm: ["+33639980199"]}\nproviders:')
    project.run("test", "noel", "--to", "crm")
    assert got(project) == {"+33639980199": "ACME: bonjour first_name, code code."}


# once, and no value at rest


def doubted(project: Workspace, relay: Relay) -> dict[str, Any]:
    """Leave a shared call in doubt, wait until nothing can be travelling, and resolve."""
    relay.then(reply_lost)
    project.run("apply", code=7)
    time.sleep(1.1)
    found: dict[str, Any] = json.loads(project.run("resolve", "--json", code=None).out)
    return found


def test_a_shared_call_in_doubt_is_repeated_byte_for_byte(project: Workspace, relay: Relay) -> None:
    found = doubted(project, relay)
    assert found["settled"][0]["how"] == "the provider says it is a duplicate"
    first, second = relay.sends
    assert first == second
    assert b'"request_id"' in first
    assert len(project.deliveries()) == 3


def test_without_a_request_id_doubt_is_for_a_person(project: Workspace, relay: Relay) -> None:
    project.edit("octoplan.yaml", "workers: 1", "workers: 1, single_channel_request_id: false")
    found = doubted(project, relay)
    assert found["exit"] == 7
    assert "its request had no request id" in found["batches"][0]["next"]
    (only,) = relay.sends
    assert b"request_id" not in only
    project.run("resolve", found["batches"][0]["batch"], "--as", "sent", "--reason", "seen in the back office")
    assert tally(project.run("apply").out)["accepted"] == 0
    assert len(project.deliveries()) == 3


def test_a_refused_shared_call_is_sent_again_later_to_the_same_people(project: Workspace, relay: Relay) -> None:
    relay.then(says(400, NO_CREDIT), passed)
    project.run("apply", code=None)
    assert tally(project.run("apply").out)["accepted"] == 3
    assert len(got(project)) == 3


def test_who_leaves_a_reserved_batch_takes_their_values_with_them(project: Workspace, relay: Relay) -> None:
    project.run("plan", "--out", "plan.zip")
    relay.then(says(503, b""))
    project.write("audiences/list.csv", "\n".join((project.root / "audiences/list.csv").read_text().split("\n")[:3]))
    project.edit("campaigns/noel.yaml", "list.csv}", "list.csv, expect: {max_change: 50%}}")
    project.run("plan", "--out", "plan.zip")
    project.run("apply", "plan.zip", code=7)
    assert [set(each) for each in json.loads(relay.sends[0])["recipients"]] == [
        {"phone_number", "first_name", "param1"}
    ] * 2


def test_a_scheduled_shared_call_is_cancelled_by_the_call_of_its_channel(project: Workspace) -> None:
    enlist(project, ("Zoe", "Nice", "1"), ("Marc", "Nice", "2"))
    say(project, TEXT, more=f"schedule: {{send_at: {SOON:%Y-%m-%dT%H:%M}}}\n")
    assert tally(project.run("apply").out)["accepted"] == 2
    found = json.loads(project.run("cancel", "noel", "--json").out)
    assert [each["state"] for each in found["batches"]] == ["cancelled"]
    assert project.deliveries() == []


def test_a_shared_call_of_three_is_too_many_to_cancel(project: Workspace) -> None:
    project.edit("campaigns/noel.yaml", "message:", f"schedule: {{send_at: {SOON:%Y-%m-%dT%H:%M}}}\nmessage:")
    project.run("apply")
    found = json.loads(project.run("cancel", "noel", "--json", code=6).out)
    assert "3 contacts: Octopush cancels fewer than 3 at once" in found["batches"][0]["reason"]


def test_no_value_is_at_rest_but_in_the_sandbox(project: Workspace) -> None:
    enlist(project, ("Kanari-Zoe", "Nice", "Kanari-1"), ("Kanari-{", "Nice", "Kanari-2"))
    say(project, TEXT)
    project.run("plan", "--out", "plan.zip")
    shown = project.run("show", "plan.zip", "--format", "json").out + project.run("apply", "plan.zip").out
    assert "Kanari" not in shown
    ours = [path for path in (project.root / ".octoplan").rglob("*") if path.is_file() and "sandbox" not in path.name]
    assert ours
    assert not [path.name for path in ours if b"Kanari" in path.read_bytes()]
