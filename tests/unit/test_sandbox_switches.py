from __future__ import annotations

import ast
from importlib import resources
from pathlib import Path

import pytest

from octoplan.sandbox.switches import SWITCHES, Settings, SwitchUnknown, checked


def test_every_default_is_allowed() -> None:
    assert all(switch.admits(switch.default) for switch in SWITCHES.values())
    assert Settings({}).all() == {name: switch.default for name, switch in SWITCHES.items()}


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(SwitchUnknown) as refused:
        checked({"succes_status": 200, "success_status": 204, "stop_missing": "appended", "simulation_burns_id": 1})
    message = str(refused.value)
    assert "'succes_status' is no switch" in message
    assert "success_status cannot be 204; allowed: (200, 201)" in message
    assert "simulation_burns_id cannot be 1" in message
    assert "stop_missing cannot" not in message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("success_status", "200"),
        ("success_status", True),
        ("short_number", 30101),
        ("naive_send_at", "Europe/Lyon"),
        ("unknown_country_price", "-1"),
    ],
)
def test_a_value_must_fit(name: str, value: object) -> None:
    with pytest.raises(SwitchUnknown, match=name):
        checked({name: value})


def test_values_that_fit() -> None:
    changes = {"naive_send_at": "UTC", "unknown_country_price": "0.1", "simulation_burns_id": True}
    assert checked(changes) == changes


def test_the_sandbox_imports_nothing_else_of_octoplan() -> None:
    modules = list(Path(str(resources.files("octoplan.sandbox"))).rglob("*.py"))
    assert len(modules) > 15
    for module in modules:
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not [n for n in names if n.startswith("octoplan") and not n.startswith("octoplan.sandbox")]
