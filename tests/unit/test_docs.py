"""The pages say what the code does."""

from __future__ import annotations

import json
import re

from conftest import ROOT

from octoplan.sandbox.switches import SWITCHES


def test_every_switch_of_the_sandbox_is_documented() -> None:
    page = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
    _, _, table = page.partition("### Switches of the sandbox")
    rows = re.findall(r"^\| `(\w+)` \| `(.*?)` \| (.+) \|$", table, re.MULTILINE)
    assert rows == [(name, json.dumps(switch.default), switch.meaning) for name, switch in SWITCHES.items()]


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
