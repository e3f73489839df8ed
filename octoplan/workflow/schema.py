"""The JSON Schemas of the files users write and of the plan."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from octoplan.core import price, settings, spec
from octoplan.core.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "campaign": spec.schema,
    "project": settings.schema,
    "prices": price.schema,
    "plan": Plan.model_json_schema,
}


def schema_text(name: str) -> str:
    """Return one schema as `schemas/NAME.schema.json` holds it."""
    return json.dumps(SCHEMAS[name](), indent=1, ensure_ascii=False) + "\n"
