"""Findings on a terminal and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octoplan.cli.terminal import put, say
from octoplan.core.quoting import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from octoplan.core.model import Finding


def show_findings(findings: Iterable[Finding], *, err: bool = True) -> None:
    """Print findings by place: `file:line:column: severity rule: message`, the way out below."""
    line = say if err else lambda text: put(visible(text))
    for found in sorted(findings, key=_order):
        place = f"{found.place}: " if found.place else ""
        line(f"{place}{found.severity.value} {found.rule}: {found.message}")
        details = [f"found {found.value}"] if found.value else []
        details += [f"allowed {found.limit}"] if found.limit else []
        details += [found.hint] if found.hint else []
        if details:
            line(f"    {' · '.join(details)}")


def as_rows(findings: Iterable[Finding]) -> list[dict[str, object]]:
    """Return findings by place, for programs."""
    return [
        {
            "rule": found.rule,
            "severity": found.severity.value,
            "file": found.place.file if found.place else None,
            "line": found.place.line if found.place else None,
            "column": found.place.column if found.place else None,
            "message": found.message,
            "value": found.value,
            "limit": found.limit,
            "hint": found.hint,
        }
        for found in sorted(findings, key=_order)
    ]


def _order(found: Finding) -> tuple[str, int, int, str]:
    if found.place is None:
        return ("", 0, 0, found.rule)
    return (found.place.file, found.place.line, found.place.column, found.rule)
