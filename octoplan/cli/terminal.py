"""What a person sees: results on stdout, words and progress on stderr, and the options of a session."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from octoplan import __version__
from octoplan.core.errors import Refused
from octoplan.core.quoting import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rich.progress import Progress as RichProgress

    from octoplan.project import Project
    from octoplan.workflow.progress import Progress

Verb = TypeVar("Verb", bound="Callable[..., Any]")

JSON = "octoplan.json"
"""The key of a call's `meta` that says that it was asked for JSON."""

SANDBOX_LINE = "SANDBOX: nobody is contacted"
PATIENCE = 1.0
"""Seconds a stage lasts before a bar appears."""
BAR_EVERY = 0.2
"""Seconds between two looks of a bar."""
PLAIN_EVERY = 5.0
"""Seconds between plain progress lines where there is no terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The global options of one call."""

    directory: Path
    environment: str | None
    quiet: bool
    verbose: bool

    def project(self, usual: str | None = None) -> Project:
        """Open the project in the chosen environment, `usual` (else the sandbox) where none is chosen."""
        from octoplan.project import SANDBOX, open_project

        project = open_project(self.directory, self.environment, usual=usual or SANDBOX)
        if self.verbose:
            project.memory.tell = say
        return project

    @contextlib.contextmanager
    def progress(self) -> Iterator[Progress]:
        """Show progress as this session wants it, and nothing any more at the end, however it ends."""
        from octoplan.workflow.progress import Silent

        if self.quiet:
            yield Silent()
            return
        meter = Meter(Bar(), every=BAR_EVERY) if _draws() else Meter(Lines(), every=PLAIN_EVERY)
        try:
            yield meter
        finally:
            meter.close()


def _draws() -> bool:
    """Tell whether stderr is a terminal on which a line can be drawn over."""
    return (
        sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI")
    )


def put(text: str) -> None:
    """Print a result to stdout, with a line end if it has none.

    A reader who has left early changes neither the run nor its exit code.

    Raises:
        Refused: it cannot be written, the disk being full for example; nothing is written any more.
    """
    error = _print(text.removesuffix("\n"), err=False)
    if error is not None and not isinstance(error, BrokenPipeError):
        raise Refused(f"the output cannot be written: {error.strerror}", reason="output")


def say(text: str) -> None:
    """Print one line for people to stderr, if it can be; what could drive a terminal is escaped."""
    _print(visible(text), err=True)


def _print(text: str, *, err: bool) -> OSError | None:
    """Print; return what prevents it, once: from then on the stream takes everything and keeps nothing."""
    try:
        click.echo(text, err=err)
    except OSError as error:
        stream = sys.stderr if err else sys.stdout
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return error
    return None


def crash(error: Exception) -> None:
    """Print where octoplan broke, without the message of the exception: it may quote a contact."""
    say("octoplan: this is a bug in octoplan. Please report these lines:")
    say(f"  octoplan {__version__}, Python {sys.version.split()[0]}, {type(error).__name__}")
    for frame in traceback.extract_tb(error.__traceback__):
        say(f"  {Path(frame.filename).name}:{frame.lineno} in {frame.name}")


class _JsonOption(click.Option):
    """The option `--json`, which also decides how the end of a call is told."""

    def __init__(self, declarations: Sequence[str], *, wrapped: Mapping[str, str], **attributes: Any) -> None:
        super().__init__(declarations, **attributes)
        self.wrapped = wrapped

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        """Note it in the `meta` that a call's contexts share."""
        if value:
            ctx.meta[JSON] = self.wrapped
        return super().process_value(ctx, value)


def json_option(says: str, **wrapped: str) -> Callable[[Verb], Verb]:
    """Return the option `--json`; `wrapped` is what the JSON of a verb that ends early holds besides the reason."""
    return click.option("--json", "as_json", is_flag=True, cls=_JsonOption, wrapped=wrapped, help=says)


@dataclass(slots=True)
class Stage:
    """Where a verb is: `done` of `total` units, if the total is known; `began` by the monotonic clock."""

    name: str
    total: int | None
    began: float
    done: int = 0


class Gauge(Protocol):
    """How a stage is shown."""

    def show(self, stage: Stage) -> None:
        """Show where the stage is now."""

    def hide(self) -> None:
        """Show no stage any more."""


class Meter:
    """Counts a stage from any thread and shows it from one of its own, so that counting never waits for a terminal."""

    def __init__(self, gauge: Gauge, *, every: float) -> None:
        self._gauge = gauge
        self._every = every
        self._stage: Stage | None = None
        self._counting = threading.Lock()
        self._showing = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="progress", daemon=True)

    def begin(self, stage: str, total: int | None = None) -> None:
        """Enter a stage."""
        self.end()
        with self._counting:
            self._stage = Stage(stage, total, time.monotonic())
        if not self._thread.ident:
            self._thread.start()

    def advance(self, count: int = 1) -> None:
        """Count."""
        with self._counting:
            if self._stage is not None:
                self._stage.done += count

    def end(self) -> None:
        """Leave the stage; when this returns, nothing of it is shown any more."""
        with self._showing:
            with self._counting:
                self._stage = None
            self._gauge.hide()

    def close(self) -> None:
        """Leave the stage for good."""
        self._closed.set()
        self.end()
        if self._thread.ident:
            self._thread.join()

    def _watch(self) -> None:
        while not self._closed.wait(self._every):
            with self._showing:
                with self._counting:
                    stage = None if self._stage is None else replace(self._stage)
                if stage is not None and time.monotonic() - stage.began >= PATIENCE:
                    self._gauge.show(stage)


class Lines:
    """A plain line each time, for logs."""

    def show(self, stage: Stage) -> None:
        """Print where the stage is."""
        of = "" if stage.total is None else f" of {stage.total:,}"
        say(f"{stage.name}: {stage.done:,}{of}")

    def hide(self) -> None:
        """Leave the lines where they are."""


class Bar:
    """A bar that is drawn over, and vanishes."""

    def __init__(self) -> None:
        self._drawn: RichProgress | None = None

    def show(self, stage: Stage) -> None:
        """Draw the bar, or move it."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        if self._drawn is None:
            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
            )
            self._drawn = Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False)
            self._drawn.add_task(stage.name, total=stage.total)
            self._drawn.start()
        self._drawn.update(self._drawn.task_ids[0], completed=stage.done, refresh=True)

    def hide(self) -> None:
        """Take the bar away."""
        if self._drawn is not None:
            self._drawn.stop()
            self._drawn = None
