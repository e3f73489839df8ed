"""The optional fields of a finding, for the type checker."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from octoplan.core.model import KeyPath, Place, Severity


class FindingFields(TypedDict, total=False):
    """What a rule may say besides its name and message."""

    severity: Severity
    path: KeyPath
    within: tuple[int, int] | None
    value: str | None
    limit: str | None
    hint: str
    place: Place | None
