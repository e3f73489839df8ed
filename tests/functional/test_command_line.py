"""The contract of the command line: exit codes, what goes where, JSON, closed pipes, progress."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from relay import nobody_home, passed, relaying
from workspaces import Workspace, sibling, tally

from octoplan import __version__
from octoplan.core.errors import Exit, OctoplanError
from octoplan.workflow import apply as applying
from octoplan.workflow import plan as planning
from octoplan.workflow import validate as validating

if TYPE_CHECKING:
    from pathlib import Path

    from relay import Call

ESCAPE = re.compile(r"\x1b|\r")


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path).usual()


def started(project: Workspace, *words: str, **how: Any) -> subprocess.Popen[str]:
    """Start octoplan as a process of its own, with progress."""
    environ = {**os.environ, **project.environ(), **how.pop("environ", {})}
    command = [sys.executable, "-m", "octoplan", "-C", str(project.root), *words]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=environ, **{**pipes, **how})


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


# exit codes


def test_codes_are_a_contract() -> None:
    assert {code.name: code.value for code in Exit} == {
        "DONE": 0,
        "INPUT": 1,
        "USAGE": 2,
        "BLOCKED": 3,
        "STALE": 4,
        "UNFINISHED": 5,
        "REJECTED": 6,
        "DOUBT": 7,
        "BUG": 70,
        "INTERRUPTED": 130,
    }


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("send",),
        ("plan", "--force"),
        ("apply", "--auto-approve"),
        ("plan", "--dry-run"),
        ("apply", "nowhere.plan"),
        ("show",),
        ("show", "octoplan.yaml", "--format", "html5"),
        ("render",),
        ("render", "noel", "--contact", "ab", "--longest"),
        ("schema", "contact"),
        ("resolve", "noel/1/1"),
        ("resolve", "noel/1/1", "--as", "sent", "--reason", "  "),
        ("resolve", "--as", "sent"),
        ("sandbox", "--port", "99999"),
        ("plan", "--offline", "--out", "x.plan"),
        ("-C", "nowhere", "plan"),
        ("--env", "rehearsal", "apply"),
    ],
)
def test_wrong_usage_is_2_and_said_on_stderr(words: tuple[str, ...], project: Workspace) -> None:
    ended = project.run(*words, code=2)
    assert ended.out == ""
    assert ended.err
    assert "Traceback" not in ended.err


def test_the_codes_of_plans(project: Workspace) -> None:
    project.edit("campaigns/noel.yaml", "purpose", "limits: {max_contacts: 2}\npurpose")
    blocked = project.run("plan", "--out", "saved.plan", code=3)
    assert "! noel #1" in blocked.out
    assert (project.root / "saved.plan").exists()
    assert "plan-blocked" in project.run("apply", "saved.plan", code=3).err
    project.run("apply", code=3)
    project.edit("campaigns/noel.yaml", "contact.code", "contact.kode")
    assert "! noel #1" in project.run("plan", code=1).out
    project.write("saved.plan", "PK no plan")
    assert "plan-unreadable" in project.run("apply", "saved.plan", code=4).err
    assert "plan-unreadable" in project.run("show", "saved.plan", code=4).err


def test_nobody_home_is_5(project: Workspace) -> None:
    with nobody_home() as project.served:
        ended = project.run("plan", "--json", code=5)
    assert json.loads(ended.out)["reason"] == "unreachable"
    assert "run the same command again" in ended.err


@pytest.mark.parametrize("words", [("plan",), ("apply",), ("validate",)])
def test_a_bug_is_70_with_a_crash_log(
    words: tuple[str, ...], project: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the message may quote a contact") from KeyError("so may this")

    monkeypatch.setattr(planning, "draft", broken)
    monkeypatch.setattr(applying, "draft", broken)
    monkeypatch.setattr(validating, "check_names", broken)
    ended = project.run(*words, "--json", code=70)
    assert "this is a bug in octoplan" in ended.err
    assert re.search(rf"octoplan {re.escape(__version__)}, Python 3\.\d+\.\d+\S*, RuntimeError\n", ended.err)
    assert re.search(r"\n  test_command_line\.py:\d+ in broken\n", ended.err)
    assert "contact" not in ended.err
    assert "Traceback" not in ended.err
    told = json.loads(ended.out.splitlines()[-1])
    assert (told["exit"], told["reason"]) == (70, "bug")


def test_an_interruption_is_130(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(planning, "draft", interrupted)
    monkeypatch.setattr(applying, "draft", interrupted)
    for words in (("plan",), ("apply",)):
        ended = project.run(*words, code=130)
        assert ended.err.strip() == "interrupted"


def test_worst_wins() -> None:
    for error in OctoplanError.__subclasses__():
        assert error.exit in Exit
        assert error.__doc__


# words and results


def test_version_and_help_are_results(project: Workspace) -> None:
    assert project.run("--version").out == f"octoplan, version {__version__}\n"
    shown = project.run("--help")
    for verb in (
        "init",
        "validate",
        "render",
        "plan",
        "show",
        "apply",
        "test",
        "status",
        "resolve",
        "cancel",
        "import",
        "ledger",
        "schema",
        "sandbox",
    ):
        assert re.search(rf"^  {verb} +\S", shown.out, re.MULTILINE)
        assert project.run(verb, "-h").out.startswith(f"Usage: octoplan {verb}")
    assert shown.err == ""


def test_stdout_carries_only_what_may_be_piped(project: Workspace) -> None:
    code, out, err = finished(started(project, "plan", "--out", "saved.plan"))
    assert code == 0
    assert out.startswith("SANDBOX: nobody is contacted\noctoplan plan · env sandbox")
    assert out.endswith("SANDBOX: nobody is contacted\n")
    assert err == "saved to saved.plan: `octoplan apply saved.plan` sends exactly this\n"
    code, out, err = finished(started(project, "apply", "saved.plan"))
    assert (code, err) == (0, "")
    first, line, last = out.splitlines()
    assert first == "SANDBOX: nobody is contacted"
    assert tally(line)["accepted"] == 3
    assert last == "SANDBOX: nobody is contacted · see them: octoplan sandbox"


def test_every_json_is_json(project: Workspace) -> None:
    project.run("plan", "--out", "saved.plan")
    for words in (
        ("validate", "--json"),
        ("plan", "--json"),
        ("plan", "--offline", "--json"),
        ("show", "--format", "json", "saved.plan"),
        ("render", "noel", "--json"),
        ("status", "--json"),
        ("status", "--json", "--contact", "+33639980011"),
        ("resolve", "--json"),
        ("cancel", "noel", "--json"),
        ("import", "noel", "audiences/list.csv", "--json"),
        ("schema", "plan"),
    ):
        ended = project.run(*words)
        json.loads(ended.out)
        assert ended.out.endswith("\n")
        assert not ESCAPE.search(ended.out + ended.err)


def test_a_saved_plan_reads_as_the_plan_it_was(project: Workspace) -> None:
    planned = project.run("plan", "--out", "saved.plan").out
    assert project.run("show", "saved.plan").out == planned
    saved = json.loads(project.run("show", "--format", "json", "saved.plan").out)
    assert project.run("-v", "show", "saved.plan").err.startswith(f"plan {saved['plan_id']}, made ")


def test_an_apply_tells_programs_line_by_line(project: Workspace) -> None:
    plan, *batches, end = map(json.loads, project.run("apply", "--json").out.splitlines())
    assert plan["event"] == "plan"
    assert plan["totals"]["contacts"] == 3
    assert set(plan) == {"event", "plan_id", "env", "digest", "totals"}
    assert sorted(row["batch"] for row in batches) == ["noel/1/1", "noel/1/2", "noel/1/3"]
    for row in batches:
        assert {**row, "batch": ""} == {
            "event": "batch",
            "batch": "",
            "state": "accepted",
            "contacts": 1,
            "cost": "0.059",
            "reason": "",
        }
    assert (end["event"], end["accepted"], end["exit"], end["reason"]) == ("end", 3, 0, "done")
    assert end["cost"] == {"EUR": "0.177"}


@pytest.mark.parametrize("verb", ["plan", "apply", "status", "resolve"])
def test_programs_are_told_why_a_verb_ended(verb: str, project: Workspace) -> None:
    ended = project.run("--env", "nowhere", verb, "--json", code=1)
    told = json.loads(ended.out)
    assert (told["exit"], told["reason"]) == (1, "environment-unknown")
    assert told.get("event") == ("end" if verb == "apply" else None)
    assert told["message"] in ended.err


def test_the_environment_is_the_flag_or_the_variable_or_the_sandbox(
    project: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert json.loads(project.run("plan", "--offline", "--json").out)["env"] == "sandbox"
    monkeypatch.setenv("OCTOPLAN_ENV", "rehearsal")
    assert json.loads(project.run("plan", "--offline", "--json").out)["env"] == "rehearsal"
    assert json.loads(project.run("--env", "sandbox", "plan", "--offline", "--json").out)["env"] == "sandbox"
    monkeypatch.setenv("OCTOPLAN_ENV", "rehersal")
    ended = project.run("plan", code=1)
    assert "no environment `rehersal` in octoplan.yaml: there are sandbox, rehearsal" in ended.err
    monkeypatch.setenv("OCTOPLAN_ENV", "")
    assert json.loads(project.run("plan", "--offline", "--json").out)["env"] == "sandbox"


def test_an_unknown_campaign_is_named_with_what_is_near(project: Workspace) -> None:
    for words in (("plan", "nol"), ("render", "nol")):
        assert "`nol` matches no campaign: did you mean `noel`?" in project.run(*words, code=1).err
    assert "neither the ledger nor the files know `nol`" in project.run("status", "nol", code=1).err
    assert project.run("status", "noel").out == "Nothing was sent yet.\n"
    assert "no campaign" in project.run("plan", "a\x1b[2Jb", code=1).err


def test_a_directory_is_where_everything_is_relative_to(project: Workspace, tmp_path: Path) -> None:
    below = tmp_path / "below"
    below.mkdir()
    for words in (("plan", "--out", "saved.plan"), ("show", "saved.plan"), ("apply", "saved.plan")):
        project.run("-C", str(below), *words)
    assert (below / "saved.plan").exists()
    assert "no octoplan.yaml in / or above it" in project.run("-C", "/", "plan", code=1).err


def test_a_folder_that_is_gone_is_said(project: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert "this folder cannot be worked in" in project.run("plan", code=1).err


def test_what_is_quoted_cannot_drive_a_terminal(project: Workspace) -> None:
    project.edit("campaigns/noel.yaml", "ACME: ", r"ACME \e[2J\u202e: ")
    for words in (("validate",), ("plan",), ("render", "noel")):
        ended = project.run(*words, code=None)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", ended.out + ended.err)
    shutil.copy(project.root / "octoplan.yaml", project.root / "kept.yaml")
    project.edit("octoplan.yaml", "environments:", 'environments:\n  "x\\e[2J": {sandbox: true}')
    ended = project.run("--env", "\x1b[2J", "plan", code=1)
    assert "\x1b" not in ended.out + ended.err


def test_select_is_ids_globs_tags_and_files(project: Workspace) -> None:
    for name, tags in (("nol-a", "[promo]"), ("nol-b", "[promo, q4]")):
        project.write(f"campaigns/{name}.yaml", sibling(name) + f"tags: {tags}\n")
    for words, ids in (
        (["noel"], ["noel"]),
        (["no*"], ["noel", "nol-a", "nol-b"]),
        (["tag:q4", "noel"], ["noel", "nol-b"]),
        (["tag:promo", "!nol-b"], ["nol-a"]),
        (["!tag:promo"], ["noel"]),
        (["campaigns/nol-a.yaml", "./campaigns/nol-b.yaml"], ["nol-a", "nol-b"]),
    ):
        plan = json.loads(project.run("plan", "--offline", "--json", "--", *words).out)
        assert [row["id"] for row in plan["campaigns"]] == ids
        assert plan["selection"] == {"all": False, "ids": ids}
    assert "did you mean `tag:promo`?" in project.run("plan", "tag:prom", code=1).err
    assert "selection-empty" in project.run("plan", "noel", "!no*", code=1).err
    assert "`no*` selects 3 campaigns: name one" in project.run("render", "no*", code=1).err


def test_an_outdated_plan_is_shown_with_a_banner(project: Workspace) -> None:
    project.run("plan", "--out", "saved.plan")
    with zipfile.ZipFile(project.root / "saved.plan") as archive:
        plan = json.loads(archive.read("plan.json"))
    plan["apply_until"] = "2020-01-01T00:00:00Z"
    with zipfile.ZipFile(project.root / "old.plan", "w") as archive:
        archive.writestr("plan.json", json.dumps(plan))
        archive.writestr("approved", b"")
    assert project.run("show", "old.plan").err.endswith(
        "OUTDATED: this plan could be applied until 2020-01-01 00:00 UTC\n"
    )


def test_a_plan_that_is_not_as_it_was_saved_is_shown_with_a_banner(project: Workspace, tmp_path: Path) -> None:
    project.run("plan", "--out", "saved.plan")
    content = (project.root / "saved.plan").read_bytes()
    with zipfile.ZipFile(project.root / "saved.plan") as archive:
        plan = json.loads(archive.read("plan.json"))
    plan["totals"]["contacts"] = 2
    with zipfile.ZipFile(project.root / "forged.plan", "w") as archive:
        archive.writestr("plan.json", json.dumps(plan))
        archive.writestr("approved", b"")
        archive.comment = content[-64:]
    assert project.run("show", "saved.plan").err == ""
    forged = project.run("show", "forged.plan")
    assert forged.err.startswith("NOT AS SAVED: a byte was changed")
    assert "2 contacts" in forged.out
    (project.root / ".octoplan/key").rename(tmp_path / "kept")
    for words in ((), ("-C", "/")):
        assert project.run(*words, "show", str(project.root / "forged.plan")).err == ""
        told = project.run(*words, "-v", "show", str(project.root / "forged.plan")).err
        assert told.startswith("the seal is not checked: the ledger's key is not at hand\n")
    assert not (project.root / ".octoplan/key").exists()


# streams that are not there, or not as usual


@pytest.mark.parametrize("words", [("plan",), ("validate", "--json"), ("apply", "--json")])
def test_a_reader_who_leaves_early_changes_nothing(words: tuple[str, ...], project: Workspace) -> None:
    if "validate" in words:
        project.edit("campaigns/noel.yaml", "contact.code", "contact.kode")
    reading, writing = os.pipe()
    os.close(reading)
    process = started(project, *words, stdout=writing)
    os.close(writing)
    code, _, err = finished(process)
    assert (code, err if words[0] != "validate" else "") == (int(words[0] == "validate"), "")
    if words[0] == "apply":
        assert project.counts() == {"deliveries": 3, "addresses": 3, "most_per_address": 1}


def test_nobody_listens_at_all(project: Workspace) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = started(project, "apply", stdout=writing, stderr=writing)
    os.close(writing)
    assert process.wait(60) == 0
    command = f'"{sys.executable}" -m octoplan -C "{project.root}" status >&- 2>&- <&-'
    assert subprocess.run(["sh", "-c", command], env={**os.environ, **project.environ()}, check=False).returncode == 0
    assert project.counts()["deliveries"] == 3


def test_a_full_disk_is_said(project: Workspace) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123  no path, a device
        code, _, err = finished(started(project, "plan", stdout=full))
        assert (code, err) == (1, "octoplan: the output cannot be written: No space left on device (output)\n")
        code, _, err = finished(started(project, "apply", "--json", stdout=full))
    assert code == 0
    assert err == "octoplan: the output cannot be written: No space left on device\n"
    assert project.counts()["deliveries"] == 3


def test_a_terminal_without_unicode_gets_it_escaped(project: Workspace) -> None:
    code, out, err = finished(started(project, "plan", environ={"PYTHONIOENCODING": "latin-1"}, encoding="latin-1"))
    assert (code, err) == (0, "")
    assert "3 rows \\u2192 3 contacts" in out


# progress


def slowed(call: Call) -> None:
    time.sleep(0.5)
    passed(call)


def test_a_bar_moves_on_stderr_and_vanishes(project: Workspace) -> None:
    """With a terminal as stderr and a provider that takes its time."""
    project.edit("octoplan.yaml", "quiet_time: 1s", "quiet_time: 1s, workers: 1")
    with project.serving() as served, relaying(served) as relay:
        relay.asks = slowed
        project.served = relay.url
        terminal, side = pty.openpty()
        process = started(project, "plan", stderr=side, environ={"TERM": "xterm", "NO_COLOR": "1"})
        os.close(side)
        out, _ = process.communicate(timeout=60)
    shown = drained(terminal)
    os.close(terminal)
    assert process.returncode == 0
    assert out.startswith("SANDBOX")
    assert not ESCAPE.search(out)
    assert "simulate noel" in shown
    assert "2/3" in shown
    assert shown.rstrip().endswith("\x1b[2K"), "the last thing the bar does is clear its line"
    assert shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l"), "and the cursor is shown again"
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", shown), "nobody asked for colour"


def drained(terminal: int) -> str:
    """Return what a terminal got before its other side was closed."""
    shown = b""
    with suppress(OSError):
        while part := os.read(terminal, 65536):
            shown += part
    return shown.decode()


# the sandbox


def test_a_port_that_is_taken_is_said(project: Workspace) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = project.run("sandbox", "--port", str(port), code=1)
    assert f"port {port} cannot be served" in ended.err
    assert "choose another --port" in ended.err


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1.evil.example",
        "https://127.0.0.1",
        "http://[::1",
        "127.0.0.1:80",
        "http://10.0.0.1:80",
        "http://u:p@127.0.0.1:80",
    ],
)
def test_a_sandbox_elsewhere_is_refused(address: str, project: Workspace) -> None:
    project.served = address
    assert "sandbox-address" in project.run("plan", code=1).err
