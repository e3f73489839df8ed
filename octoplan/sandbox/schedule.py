"""Which request is struck by which fault. Kept by one process, in memory, for one event loop."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from octoplan.sandbox import casts
from octoplan.sandbox.faults import WIRE, FaultUnknown, read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from octoplan.sandbox.faults import Fault

_SIMULATING = "voice/analysis"
"""The endpoint that is a simulation whatever it is asked."""

NO_WIRE = "strikes on the wire, and there is no proxy on it: start the sandbox with --faults"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as far as choosing a fault looks at it; `endpoint` is the path below a provider's base."""

    endpoint: str
    content: bytes = b""


@dataclass(slots=True, kw_only=True)
class _Installed:
    fault: Fault
    luck: random.Random
    matched: int = 0
    struck: int = field(default=0)

    def is_due(self) -> bool:
        """Count a request that matches, and say whether it is to be struck."""
        self.matched += 1
        if self.matched <= self.fault.skip or self.struck == self.fault.times:
            return False
        return self.luck.random() < self.fault.probability


class Schedule:
    """The faults that are installed and how often each has struck.

    Every fault counts every request it matches. Of those that are due on the wire, and of those that are due in
    the application, the first in the list strikes; so a request may be struck once by each.
    `wire`: whether there is a proxy that can strike there.
    """

    def __init__(self, document: object = (), *, wire: bool) -> None:
        self._wire = wire
        self._seed = 0
        self._installed: tuple[_Installed, ...] = ()
        self.install(document)

    def install(self, document: object) -> None:
        """Replace all faults. Raises FaultUnknown; then nothing is changed."""
        seed, faults = read(document)
        if stranded := sorted({fault.name for fault in faults if fault.where == WIRE and not self._wire}):
            raise FaultUnknown(f"{', '.join(stranded)} {NO_WIRE}")
        self._seed = seed
        self._installed = tuple(
            _Installed(fault=fault, luck=random.Random(f"{seed}/{n}"))  # noqa: S311  it must be reproducible
            for n, fault in enumerate(faults)
        )

    def clear(self) -> None:
        """Remove all faults."""
        self._installed = ()

    def shown(self) -> dict[str, Any]:
        """Give the faults with how many requests each has matched and struck."""
        return {
            "seed": self._seed,
            "faults": [
                {**one.fault.written(), "matched": one.matched, "struck": one.struck} for one in self._installed
            ],
        }

    def reads_body(self, where: str, endpoint: str) -> bool:
        """Whether a request to `endpoint` must be there whole to choose its fault."""
        return any(one.fault.reads_body for one in self._candidates(where, endpoint))

    def strike(self, where: str, asked: Asked) -> Fault | None:
        """Count a request, and give the fault that strikes it."""
        due = [one for one in self._candidates(where, asked.endpoint) if _matches(one.fault, asked) and one.is_due()]
        if not due:
            return None
        due[0].struck += 1
        return due[0].fault

    def _candidates(self, where: str, endpoint: str) -> Iterable[_Installed]:
        return [
            one for one in self._installed if one.fault.where == where and fnmatchcase(endpoint, one.fault.endpoint)
        ]


def _matches(fault: Fault, asked: Asked) -> bool:
    if fault.body is not None and fault.body.encode() not in asked.content:
        return False
    return fault.simulation is None or fault.simulation is _simulated(asked)


def _simulated(asked: Asked) -> bool:
    body = casts.body(asked.content) or {}
    return asked.endpoint == _SIMULATING or casts.flag(body.get("simulation_mode"), default=False)
