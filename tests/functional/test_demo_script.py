"""docs/demo.sh runs what a page shows, and nothing else."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def demo(tmp_path: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    def run(page: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "page.md").write_text(page)
        return subprocess.run(
            [ROOT / "docs" / "demo.sh", tmp_path / "page.md"], capture_output=True, text=True, check=False
        )

    return run


PAGE = """
```sh
echo before
```
<!-- demo -->
```sh
cat > words <<'END'
it's $HOME

END
cat \\
  words
# it's fine to fail
false || test $? = 1
```
shows
```text
echo text
```
<!-- /demo -->
```sh
echo after
```
"""


def test_commands_are_shown_and_run(demo: Callable[[str], subprocess.CompletedProcess[str]]) -> None:
    run = demo(PAGE)
    assert run.stdout == (
        "\n$ cat > words <<'END'\nit's $HOME\n\nEND\n\n$ cat \\\n  words\nit's $HOME\n\n"
        "\n# it's fine to fail\n$ false || test $? = 1\n"
    )
    assert (run.returncode, run.stderr) == (0, "")


def test_the_first_failure_ends_it(demo: Callable[[str], subprocess.CompletedProcess[str]]) -> None:
    run = demo("<!-- demo -->\n```sh\nfalse\necho on\n```\n")
    assert run.returncode == 1
    assert run.stdout == "\n$ false\n"


def test_a_page_without_commands_is_refused(demo: Callable[[str], subprocess.CompletedProcess[str]]) -> None:
    run = demo("```sh\necho outside\n```\n")
    assert run.returncode == 1
    assert "has no commands between" in run.stderr


def test_it_runs_in_a_folder_of_its_own(
    demo: Callable[[str], subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    run = demo("<!-- demo -->\n```sh\nls -A\ntouch left\n```\n")
    assert run.stdout == "\n$ ls -A\n\n$ touch left\n"
    assert [path.name for path in tmp_path.iterdir()] == ["page.md"]
