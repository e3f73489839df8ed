"""Schedules as `make test` runs them; `make faults` runs ten times as many."""

from __future__ import annotations

import subprocess
import sys

import pytest
from conftest import ROOT
from workspaces import unmeasured

SCHEDULES = 100


@pytest.mark.parametrize("seed", [1, 1 + SCHEDULES])
def test_every_promise_is_kept(seed: int) -> None:
    ended = faults("--schedules", str(SCHEDULES), "--seed", str(seed), "--jobs", "1")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"schedules {SCHEDULES}," in ended.stdout
    assert "violations 0 in 0 schedules" in ended.stdout


def faults(*words: str) -> subprocess.CompletedProcess[str]:
    """Run schedules in a process that has no threads yet: it is going to be forked."""
    command = [sys.executable, "-m", "tests.faults", *words]
    return subprocess.run(command, cwd=ROOT, env=unmeasured(), capture_output=True, text=True, check=False)
