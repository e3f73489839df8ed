"""What each verb loads: a library takes longer to import than most verbs take to run."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from workspaces import Workspace, unmeasured

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = {
    "deepdiff",
    "duckdb",
    "email_validator",
    "httpx",
    "ibis",
    "jinja2",
    "numpy",
    "orjson",
    "pandas",
    "phonenumbers",
    "psycopg",
    "pyarrow",
    "pydantic",
    "rich",
    "ruamel",
    "sqlite3",
    "starlette",
    "uvicorn",
}
REPORT = "import sys; from octoplan.cli import run; code = run(); print(code, *sys.modules, file=sys.stderr)"
INLINE = """\
id: noel
channel: sms
purpose: transactional
audience: {contacts: [{phone_number: "+33639980011", first_name: Zoe}]}
message: {text: "ACME: bonjour {{ contact.first_name }}."}
"""


def loaded(*words: str) -> set[str]:
    """Run octoplan in a bare interpreter and return the heavy libraries it ended with."""
    command = [sys.executable, "-c", REPORT, *words]
    ended = subprocess.run(command, env=unmeasured(), capture_output=True, text=True, check=True)
    code, *modules = ended.stderr.splitlines()[-1].split()
    assert code == "0", ended.stderr
    return HEAVY & {name.partition(".")[0] for name in modules}


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("apply", "--help")])
def test_help_loads_no_library(words: tuple[str, ...]) -> None:
    assert loaded(*words) == set()


def test_validate_loads_neither_http_nor_engine_nor_ledger(tmp_path: Path) -> None:
    project = Workspace(tmp_path)
    project.write("campaigns/noel.yaml", INLINE)
    words = ("-C", str(tmp_path), "validate", str(tmp_path / "campaigns/noel.yaml"))
    assert loaded(*words) == {"jinja2", "orjson", "phonenumbers", "pydantic", "ruamel"}


def test_what_is_offline_loads_no_http(tmp_path: Path) -> None:
    Workspace(tmp_path).usual()
    here = ("-C", str(tmp_path))
    extra = {"ibis", "pandas", "psycopg", "pyarrow"}
    needless = {"deepdiff", "email_validator", "httpx", "rich", "starlette", "uvicorn", *extra}
    assert not loaded(*here, "plan", "--offline") & needless
    assert not loaded(*here, "status") & {"duckdb", *needless}
