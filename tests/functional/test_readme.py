"""The README shows what octoplan prints, and the demo's commands are the README's own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
DEMO = Path(__file__).parents[2] / "docs/demo.sh"


def masked(text: str) -> str:
    """Replace what differs between runs; a longer line wraps elsewhere, so line ends are blanks."""
    flat = " ".join(text.split())
    return re.sub(r"ledger [0-9a-f]{8}|digest [0-9a-f]{8}|until [0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{5} UTC", "…", flat)


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-c", command], cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=True
    )


def test_the_first_screen_is_what_octoplan_prints(tmp_path: Path) -> None:
    shown = re.search(r"```console\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert shown
    shell("octoplan init .", tmp_path)
    first = re.search(r"```yaml\n# [^\n]*\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert first
    assert (tmp_path / "campaigns/welcome.yaml").read_text(encoding="utf-8").endswith(first[1])
    for block in shown[1].split("$ ")[1:]:
        command, _, output = block.partition("\n")
        assert masked(shell(command, tmp_path).stdout) == masked(output)


def test_the_demo_runs_and_says_why(tmp_path: Path) -> None:
    text = shell(f"'{DEMO}' '{README}'", tmp_path).stdout
    flat = " ".join(text.split())
    assert flat.count("accepted 6 · rejected 0") == 5
    assert flat.count("accepted 0 · rejected 0") == 1
    assert flat.count("accepted 1 · rejected 0") == 1
    assert "your edit sends nothing: 6 already got it" in flat
    assert "7 rows → 1 contact" in flat
    assert "= welcome #1: sent 7" in flat
    for campaign in ("reminder #1 voice", "card-ready #1 rcs", "card-ready-mail #1 email"):
        assert f"+ {campaign} · octopush · transactional" in flat
    assert "+ pickup-call #1 voice · routee · transactional" in flat
