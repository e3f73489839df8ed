"""Progress counts from any thread, is shown by one, and is gone when a verb ends."""

from __future__ import annotations

import contextlib
import io
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from octoplan.cli import terminal
from octoplan.cli.terminal import Bar, Lines, Meter, Session

if TYPE_CHECKING:
    from pathlib import Path

    from octoplan.cli.terminal import Stage


class Seen:
    """A gauge that notes what it is told, and by which thread."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, int, int | None]] = []
        self.hidden = 0
        self.threads: set[int] = set()
        self.shown = threading.Event()

    def show(self, stage: Stage) -> None:
        self.stages.append((stage.name, stage.done, stage.total))
        self.threads.add(threading.get_ident())
        self.shown.set()

    def hide(self) -> None:
        self.hidden += 1


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "PATIENCE", 0.0)


def session(tmp_path: Path, *, quiet: bool = False) -> Session:
    return Session(directory=tmp_path, environment=None, quiet=quiet, verbose=False)


@pytest.mark.usefixtures("impatient")
def test_threads_count_and_one_thread_shows() -> None:
    seen = Seen()
    meter = Meter(seen, every=0.005)
    meter.begin("send", 4_000)
    with ThreadPoolExecutor(8) as pool:
        for _ in range(4_000):
            pool.submit(meter.advance)
    seen.shown.clear()
    assert seen.shown.wait(5)
    meter.close()
    assert seen.stages[-1] == ("send", 4_000, 4_000)
    assert len(seen.threads) == 1
    assert threading.get_ident() not in seen.threads


def test_a_stage_of_less_than_a_second_is_not_shown() -> None:
    seen = Seen()
    meter = Meter(seen, every=0.005)
    meter.begin("compose")
    meter.advance(3)
    time.sleep(0.05)
    meter.end()
    meter.advance()
    meter.close()
    assert not seen.stages


@pytest.mark.usefixtures("impatient")
def test_nothing_is_shown_after_the_end() -> None:
    seen = Seen()
    meter = Meter(seen, every=0.002)
    for number in range(20):
        meter.begin(f"stage {number}")
        time.sleep(0.004)
        meter.end()
        shown = len(seen.stages)
        time.sleep(0.004)
        assert len(seen.stages) == shown
    meter.close()
    assert seen.hidden == 41


@pytest.mark.usefixtures("impatient")
def test_plain_lines_where_there_is_no_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "PLAIN_EVERY", 0.05)
    err = io.StringIO()
    with contextlib.redirect_stderr(err), session(tmp_path).progress() as progress:
        progress.begin("send", 2_000)
        progress.advance(1_200)
        time.sleep(0.08)
        progress.end()
        progress.begin("think")
        time.sleep(0.08)
    assert set(err.getvalue().splitlines()) == {"send: 1,200 of 2,000", "think: 0"}


def test_progress_ends_with_the_verb(tmp_path: Path) -> None:
    def broken() -> None:
        with session(tmp_path).progress() as progress:
            progress.begin("send", 3)
            assert "progress" in {thread.name for thread in threading.enumerate()}
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011  nothing else raises one
        broken()
    assert "progress" not in {thread.name for thread in threading.enumerate()}


def test_quiet_is_quiet(tmp_path: Path) -> None:
    err = io.StringIO()
    with contextlib.redirect_stderr(err), session(tmp_path, quiet=True).progress() as progress:
        progress.begin("send", 1)
        progress.advance()
        progress.end()
    assert err.getvalue() == ""


@pytest.mark.parametrize(
    ("environ", "gauge"), [({}, Bar), ({"CI": "true"}, Lines), ({"TERM": "dumb"}, Lines), ({"TERM": "xterm"}, Bar)]
)
def test_a_bar_only_where_a_line_can_be_drawn_over(
    environ: dict[str, str], gauge: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stderr", Screen())
    with session(tmp_path).progress() as progress:
        assert isinstance(progress, Meter)
        assert isinstance(progress._gauge, gauge)


@pytest.mark.usefixtures("impatient")
def test_a_bar_draws_and_clears(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen = Screen()
    with contextlib.redirect_stderr(screen):
        meter = Meter(Bar(), every=0.02)
        meter.begin("send [bold]", 10)
        meter.advance(4)
        time.sleep(0.5)
        meter.advance(3)
        time.sleep(0.1)
        meter.close()
    shown = screen.getvalue()
    assert "send [bold]" in shown
    assert "7/10" in shown
    assert shown.endswith("\x1b[2K")
