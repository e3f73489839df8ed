"""How a long verb says where it is. Never called between a request and its settlement."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from octoplan.core.errors import Exit


class Progress(Protocol):
    """A listener to the stages of a verb; must be safe to call from worker threads."""

    def begin(self, stage: str, total: int | None = None) -> None:
        """Enter a stage of `total` units, if they are known."""

    def advance(self, count: int = 1) -> None:
        """Report finished units of the current stage."""

    def end(self) -> None:
        """Leave the current stage."""


class Silent:
    """Says nothing."""

    def begin(self, stage: str, total: int | None = None) -> None:
        """Ignore it."""

    def advance(self, count: int = 1) -> None:
        """Ignore it."""

    def end(self) -> None:
        """Ignore it."""


class Stop(threading.Event):
    """Set: no new claim is made, what is on the wire settles. `wished` is the exit code of whoever asked for it.

    While not `sending`, nothing is claimed and a run may be left at any point.
    """

    wished: Exit | None = None
    sending = False
