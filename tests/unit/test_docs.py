"""The pages say what the code does."""

from __future__ import annotations

import json
import re
from typing import Any

from conftest import ROOT

from octoplan.providers.octopush.contract import BODIES, fields
from octoplan.sandbox.switches import SWITCHES


def test_every_switch_of_the_sandbox_is_documented() -> None:
    page = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
    _, _, table = page.partition("### Switches of the sandbox")
    rows = re.findall(r"^\| `(\w+)` \| `(.*?)` \| (.+) \|$", table, re.MULTILINE)
    assert rows == [(name, json.dumps(switch.default), switch.meaning) for name, switch in SWITCHES.items()]


def test_every_field_of_the_call_is_documented_and_shown() -> None:
    """The table, the pinned contract and the golden files name the same fields on the same channels."""
    page = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
    _, _, table = page.partition("### The call, field by field")
    rows = re.findall(r"^\| `([^`]+)` \| ([a-z_, ]+) \| .+ \| (`.+`) \|$", table.partition("\n### ")[0], re.MULTILINE)
    told = {(channel, name) for name, channels, _ in rows for channel in channels.split(", ")}
    pinned = {
        (channel, {"": "", "metadata": "metadata.", "recipients": "recipients[]."}[part] + name)
        for channel in BODIES
        for part, names in fields(channel).items()
        for name in names
    }
    assert told == pinned
    for name, channels, files in rows:
        shown = [json.loads(_body(file)) for file in re.findall(r"`([^`]+)`", files)]
        assert {body["channel"] for body in shown} == set(channels.split(", ")), name
        assert all(_holds(body, name) for body in shown), name


def _body(file: str) -> str:
    """Return the body of a golden request."""
    return (ROOT / "tests/golden/octopush" / file).read_text(encoding="utf-8").partition('"body": ')[2].rstrip()[:-1]


def _holds(body: dict[str, Any], name: str) -> bool:
    first, _, rest = name.partition(".")
    inner = body["recipients"][0] if first == "recipients[]" else body.get(first)
    return rest in inner if rest and inner is not None else first in body


def test_every_decision_is_numbered_and_says_why() -> None:
    for number, path in enumerate(sorted((ROOT / "docs" / "decisions").glob("*.md")), start=1):
        page = path.read_text(encoding="utf-8")
        assert path.name.startswith(f"{number:04}-")
        assert re.findall(r"^#+ .*", page, re.MULTILINE)[1:] == ["## Context", "## Decision", "## Consequences"]
        assert page.startswith(f"# {number} · ")


def test_links_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = [
        (page.name, target)
        for page in pages
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []
