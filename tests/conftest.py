"""What every test runs under: no network, no home, no ledger but its own, no skips."""

from __future__ import annotations

import os
import pwd
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["plugins_golden", "plugins_relay", "plugins_sources"]

ROOT = Path(__file__).resolve().parent.parent
HOMELESS = "/nonexistent/home"
REAL_HOME = Path(pwd.getpwuid(os.getuid()).pw_dir)
TREASURES = tuple(
    str(path) for path in (ROOT / ".octoplan", REAL_HOME / ".octoplan", REAL_HOME / ".local/state/octoplan")
)
"""Where a person's real ledger, key and outbox may live; no test has any business there."""

FOREIGN = ("OCTOPLAN_", "OCTOPUSH_", "ROUTEE_", "GIT_", "XDG_")
MOODS = (
    "CI",
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR",
    "COLUMNS",
    "LINES",
    "TERM",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
)
TOUCHING = frozenset({"open", "sqlite3.connect", "os.mkdir", "os.rename", "os.remove"})

_before: dict[str, list[tuple[str, int]]] = {}
_not_run: list[str] = []
_guarding = False


def pytest_configure() -> None:
    """Take away what differs between machines before any test module is imported."""
    for name in list(os.environ):
        if name.startswith(FOREIGN) or name.upper() in MOODS:
            del os.environ[name]
    os.environ["HOME"] = HOMELESS
    # half an hour off every zone a campaign uses: whoever forgets a zone is found out
    os.environ["TZ"] = "NOWHERE-05:30"
    time.tzset()


def pytest_sessionstart() -> None:
    _before.update({treasure: _contents(treasure) for treasure in TREASURES})


@pytest.fixture(scope="session", autouse=True)
def no_real_ledger() -> Iterator[None]:
    """Make the first touch of a person's own ledger fail the test, whoever swallows exceptions."""
    global _guarding  # noqa: PLW0603  an audit hook cannot be taken back, only told to look away
    _guarding = True
    sys.addaudithook(_guard)
    yield
    _guarding = False


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped:
        _not_run.append(report.nodeid)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.skipped:
        _not_run.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that skipped something or left something behind."""
    if _not_run or _left_behind():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for nodeid in _not_run:
        terminalreporter.write_line(f"neither passed nor failed, which nobody may: {nodeid}", red=True)
    for treasure in _left_behind():
        terminalreporter.write_line(f"a test wrote to {treasure}: run it in its tmp_path", red=True)


def _guard(event: str, arguments: tuple[Any, ...]) -> None:
    if not _guarding or event not in TOUCHING or not isinstance(arguments[0], str | bytes | os.PathLike):
        return
    path = os.path.abspath(os.fsdecode(arguments[0]).removeprefix("file:"))  # noqa: PTH100  no Path in a hook this hot
    if path.startswith(TREASURES):
        pytest.fail(f"a test touched {path}, a person's real ledger")


def _contents(folder: str) -> list[tuple[str, int]]:
    return sorted((str(path), path.stat().st_mtime_ns) for path in Path(folder).rglob("*"))


def _left_behind() -> list[str]:
    homes = [HOMELESS] if Path(HOMELESS).exists() else []
    return homes + [treasure for treasure in TREASURES if _contents(treasure) != _before.get(treasure, [])]
