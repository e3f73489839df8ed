"""What a person sees besides the result: progress on stderr, and the words of a session."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from octoplan.project import Project
    from octoplan.workflow.progress import Progress

SANDBOX_LINE = "SANDBOX: nobody is contacted"
PATIENCE = 1.0
"""Seconds before progress is shown at all."""
PLAIN_EVERY = 5.0
"""Seconds between plain progress lines where there is no terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The global options of one call."""

    directory: Path
    environment: str | None
    quiet: bool
    verbose: bool

    def project(self) -> Project:
        """Open the project in the chosen environment."""
        from octoplan.project import open_project

        return open_project(self.directory, self.environment)

    def progress(self) -> Progress:
        """Return how this session shows progress."""
        from octoplan.workflow.progress import Silent

        if self.quiet:
            return Silent()
        if sys.stderr.isatty():
            return Bar()
        return Lines()


def say(text: str) -> None:
    """Print one line for people to stderr."""
    click.echo(text, err=True)


class Lines:
    """A plain line every few seconds, for logs."""

    def __init__(self) -> None:
        self._stage = ""
        self._done = 0
        self._total: int | None = None
        self._next = 0.0

    def begin(self, stage: str, total: int | None = None) -> None:
        """Enter a stage; nothing is printed before some seconds have passed."""
        self._stage, self._done, self._total = stage, 0, total
        self._next = time.monotonic() + PLAIN_EVERY

    def advance(self, count: int = 1) -> None:
        """Count, and print a line when it is time."""
        self._done += count
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + PLAIN_EVERY
            of = "" if self._total is None else f" of {self._total:,}"
            say(f"{self._stage}: {self._done:,}{of}")

    def end(self) -> None:
        """Leave the stage."""
        self._total = None


class Bar:
    """A progress bar on a terminal, for anything over a second."""

    def __init__(self) -> None:
        self._began = 0.0
        self._stage = ""
        self._done = 0
        self._total: int | None = None
        self._live: object = None

    def begin(self, stage: str, total: int | None = None) -> None:
        """Enter a stage; the bar appears when it lasts over a second."""
        self.end()
        self._began, self._stage, self._done, self._total = time.monotonic(), stage, 0, total

    def advance(self, count: int = 1) -> None:
        """Count, and move the bar if there is one."""
        from rich.progress import Progress as RichProgress

        self._done += count
        if self._live is None and time.monotonic() - self._began > PATIENCE:
            from rich.console import Console

            self._live = RichProgress(console=Console(stderr=True), transient=True)
            self._live.start()
            self._live.add_task(self._stage, total=self._total)
        if isinstance(self._live, RichProgress):
            self._live.update(self._live.task_ids[0], completed=self._done)

    def end(self) -> None:
        """Leave the stage and take the bar away."""
        if self._live is not None:
            from rich.progress import Progress as RichProgress

            if isinstance(self._live, RichProgress):
                self._live.stop()
            self._live = None
