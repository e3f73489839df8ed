"""Negative controls: octoplan with one rule switched off is caught, by seeds that are kept here."""

from __future__ import annotations

import pytest

from faults.mutants import MUTANTS
from faults.test_schedules import faults

CAUGHT: dict[str, int] = {}
"""By mutant a seed that catches it. `python -m tests.faults --mutant NAME --schedules 500` finds another one."""


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_it_is_caught(name: str) -> None:
    ended = faults("--mutant", name, "--only", str(CAUGHT[name]))
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "harness: " not in ended.stdout
