"""What a run is connected to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from octoplan.ledger import Ledger
    from octoplan.project.wires import Wires
    from octoplan.workflow.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The open edges of a verb. An offline plan has no `wires`, and no `ledger` where there is none to read."""

    ledger: Ledger | None
    wires: Wires | None
    progress: Progress
