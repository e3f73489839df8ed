"""What a machine does to octoplan: files in the way, folders that cannot be read or written, full disks.

The machine is at fault, or whoever set it up: each is exit 1 and one line that says what to put right.
"""

from __future__ import annotations

import json
import os
import re
import resource
from pathlib import Path

import pytest
from workspaces import CAMPAIGN, Ended, Workspace, without_power

from octoplan.core.errors import Refused
from octoplan.project import saved
from octoplan.workflow import plan as planning


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


# a machine that refuses


EVERYTHING = ["plan", "plan --offline", "status", "apply", "render noel", "resolve", "init x"]


@pytest.mark.parametrize("line", EVERYTHING)
@pytest.mark.parametrize("used", [False, True])
def test_a_project_that_is_read_only(line: str, used: bool, project: Workspace) -> None:  # noqa: FBT001
    if used:
        project.run("plan")
    folders = [project.root, *(path for path in project.root.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o500)
    for state in (project.root / ".octoplan").glob("*"):
        state.chmod(0o400)
    ended = powerless(project, *line.split())
    for folder in folders:
        folder.chmod(0o700)
    assert "bug" not in ended.err
    reads = line == "plan --offline" or (used and line in {"status", "render noel", "resolve"})
    assert ended.code == (0 if reads else 1)
    assert reads or len(ended.err.splitlines()) == 1


@pytest.mark.parametrize("error", [OSError(28, "No space left on device", "a/list.tmp"), PermissionError(13, "Denied")])
def test_what_the_machine_refuses_is_no_bug(
    error: OSError, project: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(planning, "draft", refused)
    ended = project.run("plan", "--json", code=1)
    said = "No space left on device: a/list.tmp" if error.filename else "Denied"
    assert ended.err == f"octoplan: {said} (files)\n"
    assert json.loads(ended.out) == {"exit": 1, "reason": "files", "message": said}


def test_a_sandbox_whose_state_is_damaged(project: Workspace) -> None:
    project.write(".octoplan/sandbox.db", "junk")
    for words in (("plan",), ("apply",)):
        ended = project.run(*words, code=1)
        assert re.fullmatch(r"octoplan: \S*sandbox\.db: the sandbox's state cannot be used: .*\(sandbox\)\n", ended.err)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"\x00" * 64, "é".encode() * 32])
def test_a_key_that_is_none_is_named(content: bytes, project: Workspace) -> None:
    project.run("plan")
    (project.root / ".octoplan/key").write_bytes(content)
    for words in (("plan",), ("status",), ("render", "noel")):
        assert "the ledger's key in .octoplan/key must be 64 hexadecimal" in project.run(*words, code=1).err


def test_a_folder_whose_name_is_no_text(tmp_path: Path) -> None:
    project = Workspace(Path(os.fsdecode(bytes(tmp_path) + b"/a\xffb"))).usual()
    for words in (("plan",), ("plan", "--offline"), ("apply",), ("status",), ("render", "noel"), ("resolve",)):
        project.run(*words)


@pytest.mark.parametrize("line", ["--help", "--version", "plan --help", "plan", "schema plan"])
def test_an_output_that_is_full(line: str, project: Workspace) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        process = project.start(*line.split(), stdout=full)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert re.fullmatch(r"octoplan: .*No space left on device \((output|files)\)\n", said)


def contents(root: Path) -> dict[str, bytes]:
    """Return the beginning of every regular file."""
    return {str(path): beginning(path) for path in root.rglob("*") if path.is_file()}


def beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(65536)
