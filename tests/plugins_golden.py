"""Golden files: `golden(name, content)` compares with `tests/golden/<name>`.

`--update` rewrites them and removes those nothing asked for; without it, a run of the whole suite
fails on a file that no test asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path(__file__).parent / "golden"
USED: pytest.StashKey[set[str]] = pytest.StashKey()
UNUSED: pytest.StashKey[list[str]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite the golden files under tests/golden")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[USED] = set()
    config.stash[UNUSED] = []
    if config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.register(_Workers(config))


class _Workers:
    """Gathers what xdist's workers used."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.config.stash[USED].update(getattr(node, "workeroutput", {}).get("golden", []))


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare text with a golden file; end-of-line at the end of the file is added."""

    def compare(name: str, content: str) -> None:
        request.config.stash[USED].add(name)
        path = FOLDER / name
        written = content.rstrip("\n") + "\n"
        if request.config.getoption("--update"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(written, encoding="utf-8")
        assert path.is_file(), f"no golden file {name}: run pytest --update and review it"
        assert written == path.read_text(encoding="utf-8")

    return compare


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    config = session.config
    used = config.stash[USED]
    output = getattr(config, "workeroutput", None)
    if output is not None:
        output["golden"] = sorted(used)
    elif exitstatus == pytest.ExitCode.OK and _is_whole(config):
        files = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
        unused = sorted(files - used)
        if config.getoption("--update"):
            for name in unused:
                (FOLDER / name).unlink()
        elif unused:
            config.stash[UNUSED] = unused
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for name in config.stash[UNUSED]:
        terminalreporter.write_line(f"UNUSED golden file {name}: delete it, or run the whole suite with --update")


def _is_whole(config: pytest.Config) -> bool:
    """Tell whether every test was asked for: only then is a file unused that nobody used."""
    everything = {config.rootpath, FOLDER.parent}
    chosen = any(
        config.getoption(name, default=None) for name in ("keyword", "markexpr", "deselect", "lf", "collectonly")
    )
    return not chosen and all(Path(config.invocation_params.dir, arg).resolve() in everything for arg in config.args)
