"""Negative controls: octoplan with one rule switched off is caught, by seeds that are kept."""

from __future__ import annotations

from faults.mutants import CAUGHT, MUTANTS
from faults.test_schedules import faults


def test_every_mutant_with_a_kept_seed_is_caught() -> None:
    ended = faults("--controls", "--jobs", "2")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"mutants {len(MUTANTS)}, with a kept seed {len(CAUGHT)}, not caught 0" in ended.stdout
