"""The state machine as `make test` runs it, and that it finds what it is for. `--machine N` runs more examples."""

from __future__ import annotations

import pytest

from faults.test_schedules import faults

EXAMPLES = 12


@pytest.mark.parametrize("seed", [1])
def test_no_promise_is_broken_whatever_people_and_accidents_do(seed: int) -> None:
    ended = faults("--machine", str(EXAMPLES), "--seed", str(seed), "--jobs", "1")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "violations 0" in ended.stdout


@pytest.mark.parametrize(("mutant", "seed"), [("no-approved-set", 1), ("claim-after-send", 2)])
def test_it_notices_a_rule_that_is_switched_off(mutant: str, seed: int) -> None:
    ended = faults("--machine", str(EXAMPLES), "--seed", str(seed), "--jobs", "1", "--mutant", mutant)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "violations 1" in ended.stdout
    assert "Traceback" not in ended.stdout
