"""The same text to the same people under another id: stopped, until a reviewer accepts it on the campaign it names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from relay import passed, relaying, says
from workspaces import CAMPAIGN, PROJECT, Workspace, tally

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PEOPLE = 10
ALLOW = 'allow: {near-duplicate: "they asked for it twice"}\n'


def people(first: int, last: int) -> str:
    rows = (f"+336399800{number:02},N{number},{number}" for number in range(first, last + 1))
    return "\n".join(("phone_number,first_name,code", *rows)) + "\n"


def copied(name: str, *changes: tuple[str, str], audience: str = "list") -> str:
    text = CAMPAIGN.replace("id: noel", f"id: {name}").replace("list.csv", f"{audience}.csv")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Workspace]:
    """Make a project with one campaign to ten people, and a sandbox apart."""
    project = Workspace(tmp_path)
    project.write("octoplan.yaml", PROJECT.replace("prices/octopush.yaml", "prices/octopush.yaml, workers: 1"))
    project.write("campaigns/noel.yaml", CAMPAIGN)
    project.write("audiences/list.csv", people(1, PEOPLE))
    with project.serving():
        yield project


def planned(project: Workspace, *words: str, code: int | None = None) -> dict[str, Any]:
    """Plan, and return every campaign by id."""
    rows = json.loads(project.run("plan", *words, "--json", code=code).out)["campaigns"]
    return {row["id"]: row for row in rows}


def told(project: Workspace) -> dict[str, str]:
    """Plan, and return what near-duplicate says, by campaign."""
    return {
        name: found["message"]
        for name, row in planned(project, "--offline").items()
        for found in row["findings"]
        if found["rule"] == "near-duplicate" and found["severity"] == "warning"
    }


def test_two_copies_in_one_change_are_stopped_until_the_later_is_accepted(project: Workspace) -> None:
    project.write("campaigns/copy.yaml", copied("noel-copy"))
    rows = planned(project, code=3)
    assert {name: row["action"] for name, row in rows.items()} == {"noel": "send", "noel-copy": "blocked"}
    (found,) = rows["noel-copy"]["findings"]
    assert found["message"] == "`noel` says the same to 10 of 10 contacts, and it is in this plan too"
    assert (found["rule"], found["file"], found["line"]) == ("near-duplicate", "campaigns/copy.yaml", 1)
    assert (found["value"], found["limit"]) == ("100.0%", "80.0%")
    assert "noel-copy: near-duplicate: " in project.run("apply", code=3).err
    assert project.counts()["deliveries"] == 0
    project.write("campaigns/copy.yaml", ALLOW + copied("noel-copy"))
    assert "(accepted: they asked for it twice)" in project.run("plan").flat
    assert tally(project.run("apply").out)["accepted"] == 2 * PEOPLE


def test_a_renamed_id_is_stopped_after_the_send_and_free_with_another_text(project: Workspace) -> None:
    project.run("apply")
    project.write("campaigns/noel.yaml", copied("noel-2"))
    expected = "`noel` says the same to 10 of 10 contacts, and it was sent in the last 30 days"
    assert told(project) == {"noel-2": expected}
    project.run("apply", code=3)
    project.write(
        "campaigns/noel.yaml", copied("noel-2", ("bonjour", "« Bón Jour » !"), ("contact.code", "contact.first_name"))
    )
    assert told(project) == {"noel-2": expected}  # capitals, accents, punctuation, blanks and slots are no other text
    project.write("campaigns/noel.yaml", copied("noel-2", ("bonjour", "bonsoir")))
    assert told(project) == {}
    assert tally(project.run("apply").out)["accepted"] == PEOPLE


@pytest.mark.parametrize(("first", "stopped"), [(3, False), (2, True)])
def test_over_eighty_per_cent_is_too_near(project: Workspace, first: int, *, stopped: bool) -> None:
    """Of ten people eight are 80 %, nine are more."""
    project.run("apply")
    project.write("campaigns/next.yaml", copied("next", audience="next"))
    project.write("audiences/next.csv", people(first, first + PEOPLE - 1))
    assert bool(told(project)) is stopped


def test_of_two_in_one_plan_the_one_that_is_covered_is_told(project: Workspace) -> None:
    project.write("campaigns/all.yaml", copied("zz-all", audience="all"))
    project.write("audiences/all.csv", people(1, 30))
    assert told(project) == {"noel": "`zz-all` says the same to 10 of 10 contacts, and it is in this plan too"}
    project.write("campaigns/noel.yaml", ALLOW + CAMPAIGN)
    assert told(project) == {}


def test_another_channel_is_no_other_text(project: Workspace) -> None:
    project.edit("prices/octopush.yaml", "sms_low_cost", "voice_sms: {FR: 0.04}\nvoice_step_seconds: 30\nsms_low_cost")
    project.run("apply")
    voice = copied(
        "call", ("channel: sms", "channel: voice"), ("message: {", "message: {language: fr-FR, gender: female, ")
    )
    project.write("campaigns/call.yaml", voice)
    assert set(told(project)) == {"call"}


def half_sent(project: Workspace) -> None:
    """Send the usual campaign to half of its people, one by one, until the provider refuses."""
    served = project.served
    with relaying(served) as relay:
        project.served = relay.url
        relay.then(*[passed] * (PEOPLE // 2), says(401, b'{"code": 401, "message": "unauthorized"}'))
        project.run("apply", code=1)
    project.served = served


def test_a_new_name_for_what_is_half_sent_is_told_too(project: Workspace) -> None:
    half_sent(project)
    project.write("campaigns/noel.yaml", copied("noel-2"))
    assert set(told(project)) == {"noel-2"}


def test_what_is_half_sent_goes_on_whatever_copied_it_since(project: Workspace) -> None:
    half_sent(project)
    assert told(project) == {}  # it is no duplicate of itself
    project.write("campaigns/copy.yaml", ALLOW + copied("copy"))
    project.apply_only("copy")
    assert planned(project)["noel"]["action"] == "resume"
    assert tally(project.run("apply").out)["accepted"] == PEOPLE // 2
    assert project.counts()["deliveries"] == 2 * PEOPLE
    project.edit("campaigns/noel.yaml", "id: noel", "id: noel\nedition: 2")
    assert set(told(project)) == {"noel"}  # nobody began the second edition before the copy


def test_a_copy_that_another_plan_sent_meanwhile_stops_what_was_approved(project: Workspace) -> None:
    rehearsal = ("--env", "rehearsal")
    project.run(*rehearsal, "ledger", "init")
    project.write("campaigns/copy.yaml", copied("copy"))
    project.run(*rehearsal, "plan", "noel", "--out", "noel.zip")
    project.run(*rehearsal, "plan", "copy", "--out", "copy.zip")
    project.run("apply", "copy.zip")
    assert "noel: near-duplicate: `copy` says the same to 10 of 10" in project.run("apply", "noel.zip", code=3).err
    assert project.counts()["deliveries"] == PEOPLE
    project.run("apply", "copy.zip")  # what was sent is no duplicate of anything


def test_a_test_is_no_duplicate_and_has_none(project: Workspace) -> None:
    project.edit("octoplan.yaml", "version: 1", 'version: 1\ntest_contacts: {team: ["+33639980001"]}')
    project.write("audiences/list.csv", people(1, 1))
    for _ in range(2):
        project.run("test", "noel")
    assert told(project) == {}
    project.run("apply")
    assert project.run("test", "noel").code == 0


def test_many_campaigns_with_one_text_are_told_of_the_nearest(project: Workspace) -> None:
    for number, (first, last) in enumerate([(1, 10), (2, 11), (21, 30), (29, 38)]):
        project.write(f"campaigns/z{number}.yaml", copied(f"z{number}", audience=f"z{number}"))
        project.write(f"audiences/z{number}.csv", people(first, last))
    assert told(project) == {
        "z0": "`noel` says the same to 10 of 10 contacts, and it is in this plan too",
        "z1": "`noel` (and 1 other campaign) says the same to 9 of 10 contacts, and it is in this plan too",
    }
