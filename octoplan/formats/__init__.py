"""How a plan is shown. Every format is a pure function of the plan document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octoplan.formats import json, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from octoplan.core.plan import Plan

FORMATS: dict[str, Callable[[Plan], str]] = {
    "text": text.render,
    "json": json.render,
}
