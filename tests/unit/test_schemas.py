"""The schemas that editors load are those of the models: `make schemas` writes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import pytest
from conftest import ROOT

from octoplan.cli import run
from octoplan.cli.init import init as make
from octoplan.workflow.init import EXAMPLES, init
from octoplan.workflow.schema import SCHEMAS

if TYPE_CHECKING:
    from pathlib import Path

MODELINE = re.compile(r"# yaml-language-server: \$schema=(\S+)\n")


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_current(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", name]) == 0
    assert capsys.readouterr().out == (ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")


def test_every_schema_is_kept_and_made() -> None:
    assert {path.name for path in (ROOT / "schemas").iterdir()} == {f"{name}.schema.json" for name in SCHEMAS}
    made = re.search(r"^schemas:.*\n\tfor name in ([a-z ]+);", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert made
    assert set(made[1].split()) == set(SCHEMAS)


def kind(path: Path) -> str:
    if path.name == "octoplan.yaml":
        return "project"
    return "prices" if path.parent.name == "prices" else "campaign"


def assert_modelines(root: Path, *files: Path) -> None:
    assert files
    for path in files:
        modeline = MODELINE.match(path.read_text(encoding="utf-8"))
        assert modeline, path
        assert (path.parent / modeline[1]).resolve() == root / f"schemas/{kind(path)}.schema.json"


def test_every_file_of_the_repository_tells_editors_its_schema() -> None:
    assert_modelines(ROOT, ROOT / "octoplan.yaml", *(ROOT / "campaigns").rglob("*.yaml"))


def test_the_command_line_offers_every_example() -> None:
    (offered,) = (option.type for option in make.params if option.name == "example")
    assert isinstance(offered, click.Choice)
    assert tuple(offered.choices) == EXAMPLES


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_file_of_a_new_project_tells_editors_its_schema(example: str, tmp_path: Path) -> None:
    init(tmp_path, example)
    assert_modelines(tmp_path, *tmp_path.rglob("*.yaml"))
