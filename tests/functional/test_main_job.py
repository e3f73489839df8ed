"""The main job, from files to deliveries: nobody twice, nobody unapproved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from workspaces import AUDIENCE, CAMPAIGN, Workspace, tally

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path).usual()


def test_plan_apply_and_again(project: Workspace) -> None:
    plan = project.run("plan").out
    assert "Plan: 1 to send, 0 to resume, 0 waiting, 0 blocked, 0 in doubt, 0 unchanged." in plan
    assert plan.startswith("SANDBOX: nobody is contacted\n")
    assert plan.endswith("SANDBOX: nobody is contacted\n")
    first = project.run("apply").out
    assert tally(first) == {"accepted": 3, "rejected": 0, "in doubt": 0, "dropped": 0, "not started": 0}
    assert "cost 0.18 of 0.18 EUR" in first
    assert sorted(row["text"] for row in project.deliveries()) == [
        "ACME: bonjour Ines, code C3.",
        "ACME: bonjour Marc, code 0042.",
        "ACME: bonjour Zoe, code 1E5.",
    ]
    again = project.run("apply").out
    assert "No changes." in again
    assert tally(again)["accepted"] == 0
    assert project.counts() == {"deliveries": 3, "addresses": 3, "most_per_address": 1}


def test_a_typo_mended_after_sending_sends_nothing_and_says_why(project: Workspace) -> None:
    project.run("apply")
    project.edit("campaigns/noel.yaml", "bonjour", "bonsoir")
    plan = project.run("plan").flat
    assert "your edit sends nothing: 3 already got it; raise `edition` to send again" in plan
    assert "→" in plan
    assert "bonsoir" in plan
    assert "No changes." in plan
    assert tally(project.run("apply").out)["accepted"] == 0


def test_a_contact_who_joins_is_sent_only_where_the_campaign_says_so(project: Workspace) -> None:
    project.run("apply")
    project.write("audiences/list.csv", AUDIENCE + "+33639980014,Lea,C4\n")
    assert "No changes." in project.run("plan").out
    project.edit("campaigns/noel.yaml", "list.csv}", "list.csv, new_contacts: send}")
    plan = json.loads(project.run("plan", "--json").out)
    assert plan["totals"]["contacts"] == 1
    assert plan["campaigns"][0]["reason"] == "new-contacts"
    assert tally(project.run("apply").out)["accepted"] == 1
    assert project.counts() == {"deliveries": 4, "addresses": 4, "most_per_address": 1}


def test_nothing_makes_anybody_get_it_twice_but_a_raised_edition(project: Workspace) -> None:
    with project.serving():
        project.run("apply")
        changes: list[Callable[[], object]] = [
            lambda: project.edit("campaigns/noel.yaml", "bonjour", "bonsoir"),
            lambda: project.write("campaigns/noel.yaml", "\n".join(reversed(CAMPAIGN.splitlines())) + "\n"),
            lambda: (project.root / "campaigns/noel.yaml").rename(project.root / "campaigns/fetes.yaml"),
            lambda: project.write("audiences/list.csv", AUDIENCE + "+33639980014,Lea,C4\n"),
            lambda: project.ask("clock", advance="25h"),
            lambda: None,
        ]
        for change in changes:
            change()
            assert tally(project.run("apply").out)["accepted"] == 0
        assert project.counts()["most_per_address"] == 1
        project.edit("campaigns/fetes.yaml", "id: noel", "id: noel\nedition: 2")
        plan = project.run("plan").flat
        assert "a new edition; 3 of them got another one" in plan
        assert tally(project.run("apply").out)["accepted"] == 4
        assert project.counts() == {"deliveries": 7, "addresses": 4, "most_per_address": 2}


def test_the_messy_list_arrives_number_by_number(tmp_path: Path) -> None:
    project = Workspace(tmp_path)
    for name in ("audiences/lyon.csv", "audiences/opposition.csv", "noel-2026.yaml"):
        target = tmp_path / "campaigns" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / "campaigns" / name).read_bytes())
    listed = "suppressions: [campaigns/audiences/opposition.csv]\nvars: {shop: acme.example}\nproviders:"
    project.edit("octoplan.yaml", "providers:", listed)
    with project.serving():
        plan = json.loads(project.run("plan", "--json").out)["campaigns"][0]
        audience = plan["audience"]
        assert audience["rows"] == 1214
        assert audience["rows"] == audience["contacts"] + sum(audience["excluded"].values())
        assert set(audience["excluded"]) == {"filtered", "invalid", "duplicate", "suppressed"}
        assert plan["simulation"] == {
            "calls": plan["calls"],
            "contacts": audience["contacts"],
            "cost": plan["estimate"]["cost"],
            "countries": {},
            "differing": 0,
            "refused": 0,
        }
        assert tally(project.run("apply").out)["accepted"] == audience["contacts"]
        deliveries = project.deliveries()
        assert project.counts() == {
            "deliveries": audience["contacts"],
            "addresses": audience["contacts"],
            "most_per_address": 1,
        }
        assert sum(row["parts"] for row in deliveries) == plan["estimate"]["parts"]
        assert {"+33639988233", "+33639981681"}.isdisjoint(row["address"] for row in deliveries)
        assert tally(project.run("apply").out)["accepted"] == 0


def test_encodings_and_the_character_to_blame(project: Workspace) -> None:
    project.write("audiences/list.csv", "phone_number,first_name,code\n+33639980011,Françoise,1\n+33639980012,Zoé,2\n")
    shown = project.run("plan")
    plan = json.loads(project.run("plan", "--json").out)["campaigns"][0]
    assert plan["text"]["encodings"] == {"gsm7": 1, "ucs2": 1}
    assert plan["text"]["blamed"] == {"ç": 1}
    assert "GSM-7 1 and UCS-2 1 · 1 part: 2 because of ç 1" in shown.flat
    project.write("campaigns/noel.yaml", CAMPAIGN.replace('code }}."', 'code }}.", encoding: gsm7'))
    plan = json.loads(project.run("plan", "--json").out)["campaigns"][0]
    assert plan["text"]["encodings"] == {"gsm7": 2}
    assert plan["text"]["replaced"] == {"ç→c": 1}


def test_rows_that_ceil_gets_wrong_are_three_parts(project: Workspace) -> None:
    texts = ["a" * 152 + "€" + "a" * 152, "x" * 66 + "😀" + "x" * 66]
    listed = "".join(f"+3363998001{number},{text}\n" for number, text in enumerate(texts))
    project.write("audiences/list.csv", f"phone_number,t\n{listed}")
    project.edit("campaigns/noel.yaml", CAMPAIGN.split("message:")[1].strip(), '{text: "{{ contact.t }}"}')
    project.edit("campaigns/noel.yaml", "id: noel", "id: noel\nallow: {encoding: emoji}")
    plan = json.loads(project.run("plan", "--json").out)["campaigns"][0]
    assert plan["text"]["parts"] == {"3": 2}
    assert plan["estimate"]["parts"] == 6
    project.run("apply")
    assert [row["parts"] for row in project.deliveries()] == [3, 3]
