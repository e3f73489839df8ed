"""The ways to the providers of one open environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from octoplan.wire import PlanningWire, Wire

if TYPE_CHECKING:
    from octoplan.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Wires:
    """Makes wires to the providers of one open environment; `sandbox` is its address, if it is one."""

    project: Project
    sandbox: str | None

    def open(self, name: str) -> Wire:
        """Return a wire of one provider that can send. Each worker thread needs its own."""
        provider = self.project.provider(name)
        base = provider.host if self.sandbox is None else self.sandbox + provider.sandbox_path
        return Wire(base, provider.headers(self.project.credentials(name)))

    def planning(self, name: str) -> PlanningWire:
        """Return a wire of one provider that is unable to send."""
        return PlanningWire(self.open(name), self.project.provider(name).may_plan)
