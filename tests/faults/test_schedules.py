"""Schedules as `make test` runs them, of lists and two providers too; `make faults` runs ten times as many."""

from __future__ import annotations

import subprocess
import sys

import pytest
from conftest import ROOT
from workspaces import unmeasured

from faults import modern, second


@pytest.mark.parametrize(("seed", "schedules"), [(1, 100), (modern.ALWAYS, 40), (second.ALWAYS, 60)])
def test_every_promise_is_kept(seed: int, schedules: int) -> None:
    ended = faults("--schedules", str(schedules), "--seed", str(seed), "--jobs", "1")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"schedules {schedules}," in ended.stdout
    assert "violations 0 in 0 schedules" in ended.stdout


def faults(*words: str) -> subprocess.CompletedProcess[str]:
    """Run schedules in a process that has no threads yet: it is going to be forked."""
    command = [sys.executable, "-m", "tests.faults", *words]
    return subprocess.run(command, cwd=ROOT, env=unmeasured(), capture_output=True, text=True, check=False)
