"""The conditions every test runs under do hold."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import HOMELESS, ROOT, TREASURES
from pytest_socket import SocketConnectBlockedError

TOUCHED = "a person's real ledger"


@pytest.mark.parametrize("treasure", TREASURES)
def test_a_real_ledger_cannot_be_opened(treasure: str) -> None:
    with pytest.raises(pytest.fail.Exception, match=TOUCHED):
        sqlite3.connect(f"{treasure}/ledger.db")
    with pytest.raises(pytest.fail.Exception, match=TOUCHED):
        sqlite3.connect(f"file:{treasure}/ledger.db?mode=rwc", uri=True)
    with pytest.raises(pytest.fail.Exception, match=TOUCHED):
        Path(treasure, "key").read_bytes()
    with pytest.raises(pytest.fail.Exception, match=TOUCHED):
        Path(treasure).mkdir()


def test_a_real_ledger_cannot_be_opened_by_a_relative_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(pytest.fail.Exception, match=TOUCHED):
        sqlite3.connect(".octoplan/ledger.db")


def test_the_home_folder_does_not_exist() -> None:
    assert Path.home() == Path(HOMELESS)
    assert not Path.home().exists()


def test_the_environment_says_nothing_about_octoplan() -> None:
    assert not [name for name in os.environ if name.startswith(("OCTOPLAN_", "OCTOPUSH_", "XDG_"))]


def test_local_time_is_nobodys() -> None:
    assert time.timezone == -(5 * 3600 + 1800)


@pytest.mark.filterwarnings("ignore:A test tried to use socket")
def test_nothing_outside_loopback_is_reached() -> None:
    with socket.socket() as outside, pytest.raises(SocketConnectBlockedError):
        outside.connect(("192.0.2.1", 443))


def test_loopback_is_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


@pytest.mark.parametrize(
    "body",
    [
        "import pytest\ndef test(): pytest.skip('later')",
        "import pytest\n@pytest.mark.xfail(strict=True)\ndef test(): assert False",
        "import pytest\npytest.skip('all of it', allow_module_level=True)",
    ],
    ids=["skip", "xfail", "module"],
)
def test_a_skip_fails_the_run(tmp_path: Path, body: str) -> None:
    (tmp_path / "conftest.py").symlink_to(ROOT / "tests" / "conftest.py")
    (tmp_path / "test_lazy.py").write_text(f"{body}\ndef test_fine(): pass\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "-c", os.devnull]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    run = subprocess.run(
        [*command, str(tmp_path)], capture_output=True, text=True, check=False, cwd=tmp_path, env=environment
    )
    assert run.returncode == 1, run.stdout + run.stderr
    assert "neither passed nor failed" in run.stdout
