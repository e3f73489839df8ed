"""A small part of `make crowd`; the whole has crowds of 32 and fifty rounds of two."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from workspaces import unmeasured

ROOT = Path(__file__).resolve().parent.parent.parent


def test_many_processes_on_one_ledger_send_everybody_one_message() -> None:
    """In a process of one thread, for it forks; the one that runs the tests has more."""
    words = ("--processes", "2", "8", "--seeds", "1", "--pairs", "8", "--own", "4")
    command = [sys.executable, "-m", "tests.crowd", *words]
    ended = subprocess.run(command, cwd=ROOT, env=unmeasured(), capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "games 4 · lost 0 · double 0 · in trouble 0" in ended.stdout
