"""The suppression lists while a run lasts: opt-out wins, also over a list that was read before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

    from octoplan.project import Project

Stamp = tuple[int, int] | None
"""Size and modification time in nanoseconds; None for a file that is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressions:
    """The lists as they were before anybody read them."""

    seen: tuple[tuple[Path, Stamp], ...]

    @classmethod
    def of(cls, project: Project) -> Self:
        """Look at the lists of a project."""
        paths = (project.inside(name) for name in project.settings.suppressions)
        return cls(seen=tuple((path, _stamp(path)) for path in paths))

    def changed(self) -> bool:
        """Tell whether somebody may have opted out since."""
        return any(_stamp(path) != stamp for path, stamp in self.seen)


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
