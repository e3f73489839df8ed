"""What a machine does to octoplan: files in the way, folders that cannot be read or written, full disks.

The machine is at fault, or whoever set it up: each is exit 1 and one line that says what to put right.
"""

from __future__ import annotations

import ctypes
import os
import resource
from typing import TYPE_CHECKING

import pytest
from workspaces import CAMPAIGN, Ended, Workspace

from octoplan.core.errors import Refused
from octoplan.project import saved

if TYPE_CHECKING:
    from pathlib import Path

LIBRARY = ctypes.CDLL(None)
DROP = 24  # PR_CAPBSET_DROP of Linux


def without_power() -> None:
    """Let permissions bind the process that is started next, also where root runs the tests."""
    if os.geteuid() == 0:
        for capability in range(64):
            LIBRARY.prctl(DROP, capability, 0, 0, 0)


def powerless(project: Workspace, *words: str) -> Ended:
    """Run octoplan as a user to whom permissions apply."""
    process = project.start(*words, measured=False, preexec_fn=without_power)
    out, err = process.communicate(timeout=60)
    return Ended(process.returncode, out, err)


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "project").usual()


# where a plan is saved


@pytest.mark.parametrize(
    "name",
    [
        "octoplan.yaml",
        "audiences/list.csv",
        ".octoplan/ledger.db",
        ".octoplan/key",
        ".octoplan/new.plan",
        "linked/new.plan",
        "link.plan",
        "dangling.plan",
        "pipe",
        "nowhere/new.plan",
        "octoplan.yaml/new.plan",
        "long" * 100,
        "huge.plan",
    ],
)
def test_a_plan_is_saved_over_nothing_but_a_plan(name: str, project: Workspace) -> None:
    project.run("apply")
    project.run("plan", "--out", "saved.plan")
    (project.root / "linked").symlink_to(".octoplan")
    (project.root / "link.plan").symlink_to("saved.plan")
    (project.root / "dangling.plan").symlink_to("gone.plan")
    os.mkfifo(project.root / "pipe")
    with (project.root / "huge.plan").open("wb") as huge:
        huge.truncate(2**40)
    before = contents(project.root)
    refused = project.run("plan", "--out", name, code=1)
    assert refused.out == ""
    assert refused.err.startswith("octoplan: the plan cannot be saved to `")
    assert refused.err.endswith(" (out)\n")
    assert contents(project.root) == before


def test_a_plan_replaces_an_older_one_in_one_step(project: Workspace) -> None:
    project.run("plan", "--out", "saved.plan")
    path = project.root / "saved.plan"
    with path.open("rb") as reading:
        project.run("plan", "--out", "saved.plan")
        older = reading.read()
    assert path.read_bytes() != older
    assert [item.name for item in project.root.iterdir() if item.name.startswith(".octoplan-")] == []
    project.run("show", "saved.plan")


def test_a_disk_that_fills_up_leaves_the_older_plan(project: Workspace) -> None:
    project.run("plan", "--out", "saved.plan")
    before = contents(project.root)
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, unlimited[1]))
    try:
        with pytest.raises(Refused, match="file too large") as caught:
            saved.write(project.root / "saved.plan", b"longer than the disk")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert caught.value.reason == "out"
    assert contents(project.root) == before


# folders that cannot be read


@pytest.mark.parametrize("name", ["campaigns", "campaigns/more"])
def test_a_folder_that_cannot_be_read_is_not_an_empty_one(name: str, project: Workspace) -> None:
    project.write("campaigns/more/later.yaml", CAMPAIGN.replace("noel", "later"))
    (project.root / name).chmod(0)
    ended = powerless(project, "validate")
    (project.root / name).chmod(0o700)
    assert ended.code == 1
    assert f"octoplan.yaml:2:12: error file: {name} cannot be read (permission denied)" in ended.out


def test_a_folder_without_campaigns_says_so(project: Workspace) -> None:
    (project.root / "campaigns/noel.yaml").rename(project.root / "campaigns/noel.yaml.draft")
    assert "octoplan.yaml:2:12: info file: campaigns holds no campaign" in project.run("validate").out


def test_a_campaign_may_end_in_capitals(project: Workspace) -> None:
    (project.root / "campaigns/noel.yaml").rename(project.root / "campaigns/NOEL.YAML")
    assert "+ noel #1" in project.run("plan", "--offline").out


def contents(root: Path) -> dict[str, bytes]:
    """Return the beginning of every regular file."""
    return {str(path): beginning(path) for path in root.rglob("*") if path.is_file()}


def beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(65536)
