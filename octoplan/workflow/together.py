"""What the campaigns of one plan are to each other: each was prepared as if it were alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octoplan.core.trial import is_trial
from octoplan.workflow.names import point
from octoplan.workflow.near import near_duplicates
from octoplan.workflow.prepare import mark

if TYPE_CHECKING:
    from collections.abc import Iterable

    from octoplan.workflow.prepare import Preparation, Prepared


def judge_together(preparation: Preparation, prepared: Iterable[Prepared]) -> list[Prepared]:
    """Block the campaigns that would be too much for the same people."""
    items = list(prepared)
    near = near_duplicates(
        [item for item in items if _owes(item)], ledger=preparation.ports.ledger, planned_at=preparation.planned_at
    )
    read = preparation.loaded.read
    return [
        mark(item, point(near[item.row.id], read[item.row.id])) if near.get(item.row.id) else item for item in items
    ]


def _owes(item: Prepared) -> bool:
    """Tell whether somebody would be sent a campaign, once nothing blocks it."""
    return item.row.estimate is not None and item.row.action != "none" and not is_trial(item.row.id)
