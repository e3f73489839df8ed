"""The ways to the providers of one open environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from octoplan.core.model import NOTHING
from octoplan.wire import Bearer, PlanningWire, Wire

if TYPE_CHECKING:
    from octoplan.project import Project
    from octoplan.providers import Provider, Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Wires:
    """Makes wires to the providers of one open environment; `sandbox` is its address, if it is one."""

    project: Project
    sandbox: str | None
    _bearers: dict[str, Bearer] = field(default_factory=dict, repr=False)

    def open(self, name: str) -> Wire:
        """Return a wire of one provider that can send. Each worker thread needs its own."""
        provider = self.project.provider(name)
        headers = provider.headers(self.project.credentials(name))
        base = self._base(provider)
        if provider.tokens is None:
            return Wire(base, headers)
        bearer = Bearer(base_url=self._base(provider.tokens), headers=headers, tokens=provider.tokens)
        return Wire(base, NOTHING, bearer=self._bearers.setdefault(name, bearer))

    def _base(self, of: Provider | Tokens) -> str:
        return of.host if self.sandbox is None else self.sandbox + of.sandbox_path

    def planning(self, name: str) -> PlanningWire:
        """Return a wire of one provider that is unable to send."""
        return PlanningWire(self.open(name), self.project.provider(name).may_plan)
