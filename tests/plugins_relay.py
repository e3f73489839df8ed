"""The fixture `relay`, between a test's own project and its sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from relay import Relay, relaying

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workspaces import Workspace


@pytest.fixture
def relay(project: Workspace) -> Iterator[Relay]:
    """Serve a sandbox to the test's own project, behind a relay that does what the test says."""
    with project.serving() as served, relaying(served) as relay:
        project.served = relay.url
        yield relay


@pytest.fixture
def plan(project: Workspace, relay: Relay) -> list[str]:
    """Save a plan of a rehearsal; give the words that apply it."""
    assert project.served == relay.url
    project.run("--env", "rehearsal", "ledger", "init")
    project.run("--env", "rehearsal", "plan", "--out", str(project.root / "plan"))
    return ["apply", str(project.root / "plan")]
