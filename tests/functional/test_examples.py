"""What the repository's own campaigns and a new project come to."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ROOT
from workspaces import Workspace, tally

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILES = sorted(path.name for path in (ROOT / "campaigns").glob("*.yaml"))
LARGE = {"noel-2026.yaml"}
"""What is not applied here, being a call a contact, but rendered."""
KEY = "5a" * 32
"""A ledger's key: it orders contacts, so that the same people make the same requests."""
PASSING = ("plan_id", "created_at", "octoplan_version", "git", "apply_from", "apply_until")
"""What differs between two plans of the same files; without `send_at`, a campaign's time begins now."""


@pytest.fixture
def repository(tmp_path: Path) -> Workspace:
    project = Workspace(tmp_path)
    shutil.copytree(ROOT / "campaigns", tmp_path / "campaigns")
    shutil.copy(ROOT / "octoplan.yaml", tmp_path)
    return project


def lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: "…" if name in PASSING else lasting(content) for name, content in value.items()}
    return [lasting(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", FILES)
def test_a_campaign_of_the_repository_is_planned_as_reviewed(
    name: str, repository: Workspace, golden: Callable[[str, str], None]
) -> None:
    file, golden_name = f"campaigns/{name}", f"campaigns/{name.removesuffix('.yaml')}"
    text = repository.run("plan", "--offline", file).out
    golden(f"{golden_name}.txt", re.sub(r"(apply\s+until)\s+[-0-9]+\s+[:0-9]+\s+UTC", r"\1 …", text))
    plan = json.loads(repository.run("plan", "--offline", "--json", file).out)
    golden(f"{golden_name}.json", json.dumps(lasting(plan), indent=1, ensure_ascii=False))
    assert sorted(path.name for path in repository.root.iterdir()) == ["campaigns", "octoplan.yaml", "prices"]


@pytest.mark.parametrize("name", FILES)
def test_a_campaign_of_the_repository_travels_as_reviewed(
    name: str, repository: Workspace, golden: Callable[[str, str], None]
) -> None:
    repository.write(".octoplan/key", f"{KEY}\n")
    if name in LARGE:
        (identity,) = re.findall(r"^id: (.+)$", repository.root.joinpath("campaigns", name).read_text(), re.MULTILINE)
        sent = [json.loads(repository.run("render", identity, "--json").out)["body"]]
    else:
        saved = str(repository.root / "saved.plan")
        repository.run("plan", "--out", saved, f"campaigns/{name}")
        repository.run("apply", saved)
        requests = repository.ask("requests?limit=1000")["requests"]
        sent = sorted((json.loads(each["body"]) for each in requests if each["outcome"] == "sent"), key=json.dumps)
    shown = [{**body, "recipients": body["recipients"][:2]} for body in sent[:3]]
    golden(f"campaigns/{name.removesuffix('.yaml')}.wire.json", json.dumps(shown, indent=1, ensure_ascii=False))


def test_the_campaigns_of_the_repository_validate(repository: Workspace) -> None:
    found = json.loads(repository.run("validate", "--json").out)
    assert [(row["rule"], row["severity"]) for row in found] == [("keys-nowhere", "info")]  # accepted in the file


@pytest.mark.parametrize("channel", ["sms", "voice", "rcs", "email"])
def test_a_new_project_validates_plans_and_applies(channel: str, tmp_path: Path) -> None:
    project = Workspace(tmp_path / "kept")
    new = tmp_path / "new"
    written = project.run("init", "--example", channel, str(new))
    assert written.out.splitlines() == sorted(str(path) for path in new.rglob("*") if path.is_file())
    assert "octoplan plan" in written.err
    project.root = new
    assert project.run("validate").out == ""
    assert "1 to send" in project.run("plan").out
    assert tally(project.run("apply").out)["accepted"] == 6
    assert tally(project.run("apply").out)["accepted"] == 0


def test_a_new_project_overwrites_nothing(tmp_path: Path) -> None:
    project = Workspace(tmp_path)
    (tmp_path / "octoplan.yaml").write_text("mine")
    (tmp_path / ".gitignore").symlink_to("nowhere")
    before = sorted(tmp_path.rglob("*"))
    refused = project.run("init", code=1)
    assert ".gitignore, octoplan.yaml, prices/octopush.yaml would be overwritten" in refused.err
    assert refused.out == ""
    assert (tmp_path / "octoplan.yaml").read_text() == "mine"
    assert sorted(tmp_path.rglob("*")) == before


def test_a_new_project_needs_a_folder_that_can_be_written(tmp_path: Path) -> None:
    ended = Workspace(tmp_path).run("init", "/proc/nowhere", code=1)
    assert "/proc/nowhere cannot be written" in ended.err


@pytest.mark.parametrize("name", ["campaigns", "schemas"])
def test_a_new_project_needs_room_for_its_folders(name: str, tmp_path: Path) -> None:
    project = Workspace(tmp_path / "kept")
    (tmp_path / name).write_text("mine")
    project.root = tmp_path
    assert name in project.run("init", code=1).err
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["kept", name])
