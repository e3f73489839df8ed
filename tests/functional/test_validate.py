"""`octoplan validate`: every mistake of every file at once, where it is; offline, and nothing left behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import time
from typing import TYPE_CHECKING, NoReturn

import pytest
from conftest import ROOT
from workspaces import AUDIENCE, CAMPAIGN, PROJECT, Ended, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOSTILE = ROOT / "tests" / "hostile"
FOLDER = HOSTILE / "folder"
EXPECTED = re.compile(r"! ([a-z-]+) ([0-9]+):([0-9]+)")
LINE = re.compile(r"(\S+):(\d+):(\d+): (error|limit|warning|info) ([a-z-]+): \S.*")

Placed = tuple[str, int, int, str]


def expected(*files: Path) -> list[Placed]:
    return sorted(
        (path.relative_to(FOLDER).as_posix(), int(line), int(column), rule)
        for path in files or FOLDER.rglob("*.yaml")
        for rule, line, column in EXPECTED.findall(path.read_text(encoding="utf-8"))
    )


def told(ended: Ended) -> list[Placed]:
    """Read the findings from the output for people; every line is one, or says more about the one above it."""
    lines = [line for line in ended.out.splitlines() if not line.startswith("    ")]
    found = [LINE.fullmatch(line) for line in lines]
    return [(match[1], int(match[2]), int(match[3]), match[5]) for match in found if match]


@pytest.fixture
def folder(tmp_path: Path) -> Workspace:
    shutil.copytree(FOLDER, tmp_path / "folder")
    project = Workspace(tmp_path / "kept")
    project.root = tmp_path / "folder"
    return project


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path).usual()


@pytest.fixture
def cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every network away, the machine's own included."""

    def refuse(*_: object, **__: object) -> NoReturn:
        pytest.fail("this reaches for the network")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.usefixtures("cut_off")
def test_every_mistake_of_a_folder_is_reported_where_it_is(folder: Workspace) -> None:
    wanted = expected()
    assert len(wanted) >= 25
    assert len({rule for *_, rule in wanted}) >= 20
    ended = folder.run("validate", code=1)
    assert sorted(told(ended)) == wanted
    assert "Traceback" not in ended.err
    assert sorted(path.name for path in folder.root.iterdir()) == ["audiences", "campaigns", "octoplan.yaml", "prices"]


def test_programs_get_the_same_findings(folder: Workspace) -> None:
    rows = json.loads(folder.run("validate", "--json", code=1).out)
    assert sorted((row["file"], row["line"], row["column"], row["rule"]) for row in rows) == expected()
    assert all(row["message"] and row["hint"] for row in rows if row["severity"] == "error" and row["rule"] != "file")


def test_a_file_narrows_what_is_reported(folder: Workspace) -> None:
    path = folder.root / "campaigns/keys.yaml"
    assert told(folder.run("validate", "campaigns/keys.yaml", code=1)) == expected(FOLDER / "campaigns/keys.yaml")
    assert told(folder.run("validate", str(path), code=1)) == expected(FOLDER / "campaigns/keys.yaml")
    both = folder.run("validate", "campaigns/more/twin.yaml", "prices/octopush.yaml", code=1)
    assert told(both) == expected(FOLDER / "prices/octopush.yaml")
    assert folder.run("validate", "campaigns/more/twin.yaml").out == ""
    assert told(folder.run("validate", "octoplan.yaml")) == expected(FOLDER / "octoplan.yaml")
    missing = folder.run("validate", "campaigns/nowhere.yaml", code=1)
    assert "`campaigns/nowhere.yaml` is no file of this project (file-missing)" in missing.err


def test_a_file_is_named_from_where_one_stands(folder: Workspace) -> None:
    folder.root /= "campaigns"
    assert told(folder.run("validate", "keys.yaml", code=1)) == expected(FOLDER / "campaigns/keys.yaml")
    assert sorted(told(folder.run("validate", code=1))) == expected()


def test_warnings_block_and_are_accepted_in_the_file(project: Workspace) -> None:
    project.edit("campaigns/noel.yaml", "bonjour", "bonjour, -20 % https://bit.ly/x")
    ended = project.run("validate", code=3)
    assert {rule for *_, rule in told(ended)} == {"public-shortener"}
    project.write(
        "campaigns/noel.yaml",
        (project.root / "campaigns/noel.yaml").read_text() + 'allow: {public-shortener: "ours"}\n',
    )
    assert "info public-shortener" in project.run("validate").out


@pytest.mark.usefixtures("cut_off")
def test_what_is_offline_touches_no_network_and_makes_no_state(project: Workspace) -> None:
    before = sorted(project.root.rglob("*"))
    project.run("validate")
    project.run("validate", "--json", "campaigns/noel.yaml")
    project.run("plan", "--offline")
    project.run("plan", "--offline", "--json")
    project.run("--env", "rehearsal", "plan", "--offline")
    assert sorted(project.root.rglob("*")) == before


def test_names_are_checked_against_the_header_of_an_audience_that_is_there(project: Workspace) -> None:
    project.edit("campaigns/noel.yaml", "contact.code", "contact.kode")
    ended = project.run("validate", code=1)
    assert told(ended) == [("campaigns/noel.yaml", 5, 74, "template-name")]
    assert "did you mean `code`?" in ended.out
    (project.root / "audiences/list.csv").unlink()
    ended = project.run("validate")
    assert told(ended) == [("campaigns/noel.yaml", 4, 18, "file")]
    assert "info file: audiences/list.csv is not there" in ended.out
    assert "audiences/list.csv: cannot be read" in project.run("plan", "--offline", code=1).out


def test_lists_that_a_campaign_excludes_are_looked_into(project: Workspace) -> None:
    project.edit("campaigns/noel.yaml", "list.csv}", "list.csv, exclude: [../audiences/vip.csv]}")
    ended = project.run("validate")
    assert told(ended) == [("campaigns/noel.yaml", 4, 50, "file")]
    assert "info file: audiences/vip.csv is not there" in ended.out
    project.write("audiences/vip.csv", "<html>")
    ended = project.run("validate", code=1)
    assert told(ended) == [("campaigns/noel.yaml", 4, 50, "file")]
    project.write("audiences/vip.csv", AUDIENCE)
    assert project.run("validate").out == ""


def test_inline_contacts_are_a_header_too(project: Workspace) -> None:
    project.edit("campaigns/noel.yaml", "file: ../audiences/list.csv", 'contacts: [{phone: "+33639980011", code: "1"}]')
    found = told(project.run("validate", code=1))
    assert {rule for *_, rule in found} == {"source", "template-name"}


@pytest.mark.parametrize("path", sorted((HOSTILE / "yaml").iterdir()), ids=lambda path: path.stem)
def test_hostile_yaml_is_one_line_each_wherever_it_stands(path: Path, project: Workspace) -> None:
    original = {name: (project.root / name).read_bytes() for name in ("octoplan.yaml", "prices/octopush.yaml")}
    for name in ("campaigns/hostile.yaml", *original):
        (project.root / name).write_bytes(path.read_bytes())
        began = time.process_time()
        ended = project.run("validate", code=1)
        assert time.process_time() - began < 1
        found = told(ended)
        assert found
        assert {file for file, *_ in found} == {name}
        assert {rule for *_, rule in found} & {"yaml", "duplicate-key"}
        if name in original:
            (project.root / name).write_bytes(original[name])
        else:
            (project.root / name).unlink()


@pytest.mark.parametrize("path", sorted((HOSTILE / "templates").iterdir()), ids=lambda path: path.stem)
def test_hostile_templates_are_one_line_each(path: Path, project: Workspace) -> None:
    message = {"text": path.read_text(encoding="utf-8")}
    project.write("campaigns/noel.yaml", re.sub("message: .*", lambda _: f"message: {json.dumps(message)}", CAMPAIGN))
    began = time.process_time()
    ended = project.run("validate", code=1)
    assert time.process_time() - began < 1
    assert all(rule.startswith(("template-", "text-", "yaml", "file")) for *_, rule in told(ended)), ended.out
    assert told(ended)


LARGE = {
    "huge file": b"x: " + b"a" * 5_000_000,
    "open brackets": b"a: " + b"[" * 1_000_000,
    "anchors": b"".join(b"a%d: &a%d 1\n" % (number, number) for number in range(20_000)),
    "no text": bytes(range(256)) * 100,
    "zeros": bytes(100_000),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_large_file_is_refused_within_a_second(name: str, project: Workspace) -> None:
    (project.root / "campaigns/large.yaml").write_bytes(LARGE[name])
    began = time.process_time()
    found = told(project.run("validate", code=1))
    assert time.process_time() - began < 1
    assert {file for file, *_ in found} == {"campaigns/large.yaml"}
    assert len(found) == 1


def link(name: str, target: str) -> Callable[[Path], None]:
    def make(root: Path) -> None:
        (root / name).unlink(missing_ok=True)
        (root / name).symlink_to(target)

    return make


def instead(name: str, make: Callable[[Path], object]) -> Callable[[Path], None]:
    def replace(root: Path) -> None:
        (root / name).unlink(missing_ok=True)
        make(root / name)

    return replace


PLACES: dict[str, tuple[Callable[[Path], object], str]] = {
    "campaign: a folder": (instead("campaigns/a.yaml", os.mkdir), "campaigns/a.yaml:1:1"),
    "campaign: a pipe": (instead("campaigns/a.yaml", os.mkfifo), "campaigns/a.yaml:1:1"),
    "campaign: a link to nowhere": (link("campaigns/a.yaml", "nowhere.yaml"), "campaigns/a.yaml:1:1"),
    "campaign: a link to itself": (link("campaigns/a.yaml", "a.yaml"), "campaigns/a.yaml:1:1"),
    "campaign: a link outside": (link("campaigns/a.yaml", "/etc/passwd"), "campaigns/a.yaml:1:1"),
    "campaign: a terminal in its name": (
        instead("campaigns/a\x1b[2J\u202eb.yaml", lambda path: path.write_text(CAMPAIGN)),
        "campaigns/a\\u001b[2J\\u202eb.yaml:1:1",
    ),
    "campaign: two lines in its name": (
        instead("campaigns/a\nb.yaml", lambda path: path.write_text(CAMPAIGN)),
        "campaigns/a⏎b.yaml:1:1",
    ),
    "campaign: a name that is no text": (
        instead("campaigns/\udcff.yaml", lambda path: path.write_text(CAMPAIGN)),
        "campaigns/\\udcff.yaml:1:1",
    ),
    "campaign: a name some systems lack": (
        instead("campaigns/nul.yaml", lambda path: path.write_text(CAMPAIGN)),
        "campaigns/nul.yaml:1:1",
    ),
    "campaign: an id twice": (
        instead("campaigns/z.yaml", lambda path: path.write_text(CAMPAIGN)),
        "campaigns/z.yaml:1:5",
    ),
    "no campaigns": (lambda root: shutil.rmtree(root / "campaigns"), "octoplan.yaml:2:12"),
    "campaigns: a file": (
        lambda root: root.joinpath("octoplan.yaml").write_text(PROJECT.replace("campaigns/", "prices/octopush.yaml")),
        "octoplan.yaml:2:12",
    ),
    "prices: gone": (instead("prices/octopush.yaml", lambda _: None), "octoplan.yaml:6:82"),
    "prices: a link outside": (link("prices/octopush.yaml", "/etc/passwd"), "octoplan.yaml:6:82"),
    "audience: a folder": (instead("audiences/list.csv", os.mkdir), "campaigns/noel.yaml:4:18"),
    "audience: a pipe": (instead("audiences/list.csv", os.mkfifo), "campaigns/noel.yaml:4:18"),
    "audience: a link outside": (link("audiences/list.csv", "/etc/passwd"), "campaigns/noel.yaml:4:18"),
    "audience: a link to itself": (link("audiences/list.csv", "list.csv"), "campaigns/noel.yaml:4:18"),
    "audience: no text": (
        instead("audiences/list.csv", lambda path: path.write_bytes(bytes(range(256)))),
        "audiences/list.csv:3:1",
    ),
    "audience: empty": (instead("audiences/list.csv", lambda path: path.touch()), "campaigns/noel.yaml:4:18"),
    "project: a link outside": (link("octoplan.yaml", "/etc/passwd"), "octoplan.yaml:1:1"),
    "project: empty": (instead("octoplan.yaml", lambda path: path.touch()), "octoplan.yaml:1:1"),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_file_that_is_none_is_an_error_at_its_place(name: str, project: Workspace) -> None:
    make, place = PLACES[name]
    make(project.root)
    for words in (("validate",), ("plan", "--offline")):
        ended = project.run(*words, code=None)
        assert ended.code == 1, (words, ended.out, ended.err)
        assert place in ended.out + ended.err
        assert "\x1b" not in ended.out + ended.err
        assert json.loads(project.run(*words, "--json", code=1).out)


@pytest.mark.parametrize("target", ["gone.csv", "list.csv/gone.csv", "."])
def test_a_suppression_list_that_cannot_be_read_stops_everything(target: str, project: Workspace) -> None:
    """It is never an empty list: everybody on it would be sent something."""
    project.edit("octoplan.yaml", "limits:", "suppressions: [audiences/opposition.csv]\nlimits:")
    path = project.root / "audiences/opposition.csv"
    path.symlink_to(target)
    for words in (("validate",), ("plan", "--offline"), ("plan",), ("apply",)):
        ended = project.run(*words, code=1)
        assert "octoplan.yaml:4:16: error file: audiences/opposition.csv" in ended.out + ended.err
    path.unlink()
    path.write_text(AUDIENCE)
    project.run("validate")


def test_a_suppression_list_may_be_absent_where_campaigns_are_only_reviewed(project: Workspace) -> None:
    project.edit("octoplan.yaml", "limits:", "suppressions: [audiences/opposition.csv, away/list.csv]\nlimits:")
    ended = project.run("validate")
    assert told(ended) == [("octoplan.yaml", 4, 16, "file"), ("octoplan.yaml", 4, 42, "file")]
    assert "info file: audiences/opposition.csv is not there" in ended.out
    for words in (("plan", "--offline"), ("plan",), ("apply",), ("render", "noel")):
        assert "4:16: error file: audiences/opposition.csv cannot be read" in project.run(*words, code=1).err
    (project.root / "away").symlink_to("/etc")
    ended = project.run("validate", code=1)
    assert "4:42: error file: away/list.csv leads outside the project" in ended.out


def test_a_suppression_list_is_looked_into(project: Workspace) -> None:
    project.edit("octoplan.yaml", "limits:", "suppressions: [audiences/opposition.csv]\nlimits:")
    project.write("audiences/opposition.csv", '{"phone": "x"}')
    ended = project.run("validate", code=1)
    assert told(ended) == [("octoplan.yaml", 4, 16, "file")]
    assert "is JSON" in ended.out


def test_without_a_project_there_is_a_way_to_one(project: Workspace) -> None:
    (project.root / "octoplan.yaml").unlink()
    ended = project.run("validate", code=1)
    assert "`octoplan init` makes a project (project-missing)" in ended.err
    assert ended.out == ""


def test_a_broken_project_file_is_told_in_every_form(project: Workspace) -> None:
    project.edit("octoplan.yaml", "campaigns: campaigns/", "campagns: campaigns/\nversion: 1")
    assert {rule for *_, rule in told(project.run("validate", code=1))} >= {"duplicate-key", "unknown-key"}
    rows = json.loads(project.run("validate", "--json", code=1).out)
    assert {row["rule"] for row in rows} >= {"duplicate-key", "unknown-key"}
    ended = project.run("plan", "--json", code=1)
    assert json.loads(ended.out)["reason"] == "input"
    assert json.loads(ended.out)["findings"] == rows
    assert "octoplan.yaml:2:1: error unknown-key" in ended.err


@pytest.mark.parametrize("path", sorted((HOSTILE / "audience").iterdir()), ids=lambda path: path.stem)
def test_hostile_audiences_stop_their_campaign_alone(path: Path, project: Workspace) -> None:
    shutil.copy(path, project.root / "audiences/hostile.csv")
    project.write("campaigns/hostile.yaml", CAMPAIGN.replace("noel", "hostile").replace("list.csv", "hostile.csv"))
    began = time.process_time()
    plan = json.loads(project.run("plan", "--offline", "--json", code=None).out)
    assert time.process_time() - began < 1
    actions = {campaign["id"]: campaign["action"] for campaign in plan["campaigns"]}
    assert actions["noel"] == "send"
    found = plan["campaigns"][0]["findings"]
    assert all(one["file"] and one["line"] and one["column"] for one in found)
    assert actions["hostile"] == ("blocked" if any(one["severity"] == "error" for one in found) else "send")
