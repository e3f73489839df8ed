"""The schemas that editors load are those of the models: `make schemas` writes them."""

from __future__ import annotations

import pytest
from conftest import ROOT

from octoplan.workflow.schema import schema_text


@pytest.mark.parametrize("name", ["campaign", "project", "prices"])
def test_a_schema_is_current(name: str) -> None:
    assert (ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8") == schema_text(name)
