"""The plan for programs: `plan.json`, described by `schemas/plan.schema.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from octoplan.core.plan import Plan


def render(plan: Plan) -> str:
    """Return the plan as JSON."""
    return plan.model_dump_json(indent=1)
