"""What a review found: each of these once sent, or said, something wrong."""

from __future__ import annotations

import contextlib
import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from workspaces import CAMPAIGN, Workspace, sibling, tally

from octoplan.core.approval import read_saved
from octoplan.core.errors import Stale
from octoplan.project import open_project
from octoplan.workflow.apply import apply
from octoplan.workflow.crew import Supervision
from octoplan.workflow.progress import Silent, Stop

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path).usual()


def test_an_unsaved_apply_refuses_whatever_is_blocked(project: Workspace) -> None:
    old = sibling("old") + "schedule: {send_at: 2025-12-03T10:00}\n"
    project.write("campaigns/old.yaml", old)
    refused = project.run("apply", code=1)
    assert "blocked by old: send-at-past" in refused.err
    assert project.counts()["deliveries"] == 0


@pytest.mark.parametrize("looks", range(2, 12))
def test_what_is_checked_as_in_time_is_what_is_sent(project: Workspace, looks: int) -> None:
    """A campaign that opens after so many looks at the clock is sent checked, or not at all."""
    opens = (datetime.now(UTC) + timedelta(hours=1)).replace(second=0, microsecond=0)
    written = f"schedule: {{send_at: {opens + timedelta(hours=1):%Y-%m-%dT%H:%M}, timezone: UTC, lead: 1h}}\n"
    project.write("campaigns/noel.yaml", CAMPAIGN + written)
    plan = project.root / "noel.plan"
    project.run("plan", "--out", str(plan))
    project.edit("audiences/list.csv", "Zoe", "EVIL")
    seen = itertools.count(1)

    def clock() -> datetime:
        return opens + timedelta(seconds=1 if next(seen) > looks else -1)

    watch = Supervision(progress=Silent(), stop=Stop(), confirm=lambda _: None, told=lambda _: None)
    with contextlib.suppress(Stale):
        apply(open_project(project.root, clock=clock), read_saved(plan.read_bytes()), watch=watch)
    assert "EVIL" not in json.dumps(project.deliveries())


def test_a_lowered_edition_says_who_gets_it_again(project: Workspace) -> None:
    project.edit("campaigns/noel.yaml", "id: noel", "id: noel\nedition: 2")
    project.run("apply")
    project.edit("campaigns/noel.yaml", "edition: 2", "edition: 1")
    shown = project.run("plan")
    assert "again 3 of them got another edition" in shown.flat


def test_a_new_ledger_takes_no_key_from_elsewhere(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTOPLAN_LEDGER_KEY", "0" * 64)
    assert "key-given" in project.run("--env", "rehearsal", "ledger", "init", code=1).err
    monkeypatch.delenv("OCTOPLAN_LEDGER_KEY")
    project.run("--env", "rehearsal", "ledger", "init")
    project.run("--env", "rehearsal", "plan")


def test_render_shows_what_would_be_sent(project: Workspace) -> None:
    body = json.loads(project.run("render", "noel", "--json").out)["body"]
    assert "simulation_mode" not in body
    assert body["recipients"] == [{"phone_number": "+…"}]


def test_whoever_drops_out_never_makes_the_rest_too_dear(project: Workspace) -> None:
    """One removed row moves the others between batches, whose costs are rounded up one by one."""
    project.edit("prices/octopush.yaml", "FR: 0.049, BE: 0.079", "FR: 0.0491, BE: 0.0733")
    project.edit("octoplan.yaml", "countries: [FR]", "countries: [FR, BE]")
    project.edit("campaigns/noel.yaml", "bonjour {{ contact.first_name }}, code {{ contact.code }}.", "bonjour.")
    project.edit("campaigns/noel.yaml", "channel:", 'allow: {near-duplicate: "five times on purpose"}\nchannel:')
    french = [f"+3363998{number:04},x,y" for number in range(700)]
    belgian = [f"+3247012{number:04},x,y" for number in range(310)]
    mixed = [row for pair in zip(french, belgian, strict=False) for row in pair] + french[310:]
    plan = project.root / "noel.plan"
    for gone in range(5):
        project.write("audiences/list.csv", "\n".join(["phone_number,first_name,code", *mixed]))
        project.edit("campaigns/noel.yaml", "id: noel", f"id: noel{gone}")
        project.run("plan", "--out", str(plan))
        project.write("audiences/list.csv", "\n".join(["phone_number,first_name,code", *mixed[gone + 1 :]]))
        assert tally(project.run("apply", str(plan)).out)["accepted"] == len(mixed) - gone - 1
        project.edit("campaigns/noel.yaml", f"id: noel{gone}", "id: noel")


@pytest.mark.parametrize("words", [("noel",), ("!campaigns/broken.yaml",), ("!./campaigns/broken.yaml", "no*")])
def test_a_broken_campaign_stops_the_others_only_while_it_is_selected(
    project: Workspace, words: tuple[str, ...]
) -> None:
    project.write("campaigns/broken.yaml", "id: broken\nchannel: fax\n")
    plan = str(project.root / "noel.plan")
    assert "wrong-value" in project.run("plan", code=1).err
    assert "wrong-value" in project.run("plan", "campaigns/broken.yaml", code=1).err
    assert "wrong-value" in project.run("plan", "broken", code=1).err
    project.run("plan", *words, "--out", plan)
    assert tally(project.run("apply", plan).out)["accepted"] == 3
    assert project.run("render", "noel").code == 0
