"""The words in which mistakes are told, and the schemas that teach the format."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from octoplan.core import price, settings, source, spec
from octoplan.core.written import examine, leaves
from octoplan.core.written.campaign import CampaignFile
from octoplan.core.written.document import document, example, level
from octoplan.core.written.mistakes import is_secret, named, shown
from octoplan.core.written.prices import PricesFile
from octoplan.core.written.project import ProjectFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from octoplan.core.model import KeyPath
    from octoplan.core.written import File

KINDS: tuple[type[File], ...] = (CampaignFile, ProjectFile, PricesFile)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "true"),
        (7, "7"),
        ("gold", "gold"),
        ("Été", "Été"),
        ("a\x1b[31m\u202eb", "a\\u001b[31m\\u202eb"),
        ("2026-12-19", "2026-12-19"),
        ("2026-12-19T10:00", "2026-12-19T10:00"),
        ("+33639980012", None),
        ("06 39 98 00 12", None),
        ("06.39.98", None),
        (33639980012, None),
        ("crm@acme.example", None),
        ([1], None),
        (None, None),
    ],
)
def test_a_value_is_shown_escaped_unless_it_may_be_an_address(value: Any, expected: str | None) -> None:
    assert shown(value) == expected


def test_a_long_value_is_cut() -> None:
    assert len(shown("no " * 50) or "") == 80


@pytest.mark.parametrize("path", [("vars", "x"), ("audience", "contacts", 0, "name"), ("providers", "octopush", "key")])
def test_what_may_be_personal_is_never_shown(path: KeyPath) -> None:
    assert shown("Zoe", path) is None


def test_paths_are_named_as_they_are_written() -> None:
    assert named(("audience", "exclude", 0, "campaign")) == "`audience.exclude[0].campaign`"
    assert named(()) == "the file"
    assert named(("test_contacts", "+33639980012")) == "`test_contacts.…`"


@pytest.mark.parametrize("key", ["api_key", "API-Key", "api-login", "Authorization", "clientSecret"])
def test_credentials_are_known_by_name(key: str) -> None:
    assert is_secret(key)


def test_leaves_are_every_scalar() -> None:
    assert list(leaves({"a": [1, {"b": None}], "c": {}, "d": "x"})) == [
        (("a", 0), 1),
        (("a", 1, "b"), None),
        (("d",), "x"),
    ]


def properties(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    if isinstance(node, dict):
        for name, value in node.get("properties", {}).items():
            yield (*path, name), value
        for key, value in node.items():
            yield from properties(value, (*path, key))


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_describes_every_key(kind: type[File]) -> None:
    described = dict(properties(document(kind)))
    assert len(described) > 5
    assert not [path for path, node in described.items() if not node.get("description") and "$ref" not in node]
    assert all(node["description"] for node in document(kind)["$defs"].values())
    assert not [path for path, node in described.items() if "default" in node and node["default"] is None]


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_forbids_what_the_reader_refuses(kind: type[File]) -> None:
    text = json.dumps(document(kind))
    assert document(kind)["additionalProperties"] is False
    nullable = re.findall(r'"type": "null"', text)
    assert len(nullable) == len(kind.NULLABLE)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_required_has_an_example(kind: type[File]) -> None:
    schema = document(kind)
    missing = [
        (name, key)
        for name, node in (("", schema), *schema["$defs"].items())
        for key in node.get("required", ())
        if not node["properties"][key].get("examples")
    ]
    assert not missing


def test_the_examples_of_the_schema_are_valid() -> None:
    schema = document(CampaignFile)
    written = {key: example(schema, (key,)) for key in schema["properties"] if example(schema, (key,)) is not None}
    read, findings = source.read("campaigns/x.yaml", json.dumps(written).encode())
    assert read is not None
    assert not findings
    assert examine(CampaignFile, read)[1] == ()


def test_a_level_knows_its_keys() -> None:
    schema = document(CampaignFile)
    assert set(level(schema, ("audience", "exclude", 3))["properties"]) == {"file", "campaign"}
    assert level(schema, ("audience", "contacts", 0, "first_name"))["type"] == "string"
    assert level(schema, ("audience", "nothing", "here", 0)) == {}
    assert level(document(ProjectFile), ("environments", "prod", "ledger", "id"))["examples"] == ["4f2a9c01"]


@pytest.mark.parametrize("schema", [spec.schema, settings.schema, price.schema])
def test_a_schema_is_deterministic_and_says_its_dialect(schema: Callable[[], dict[str, Any]]) -> None:
    document.cache_clear()
    first = json.dumps(schema())
    document.cache_clear()
    assert json.dumps(schema()) == first
    assert schema()["$schema"].startswith("https://json-schema.org/")


def test_the_pattern_of_every_value_takes_its_own_examples() -> None:
    for kind in KINDS:
        for path, node in properties(document(kind)):
            if "pattern" in node:
                assert node["examples"], path
                assert all(re.search(node["pattern"], text) for text in node["examples"]), path


def test_an_example_is_written_as_yaml_reads_it() -> None:
    read, _ = source.read("campaigns/x.yaml", b"{}")
    assert read is not None
    _, findings = examine(CampaignFile, read)
    hints = [found.hint for found in findings if found.rule == "missing-key"]
    samples = [re.sub(r"^for example `(.*)`$", r"\1", hint) for hint in hints]
    loaded = [YAML(typ="safe").load(sample) for sample in samples]
    assert {"id": "noel-2026"} in loaded
    assert {"message": {"text": "ACME: {{ contact.first_name }}"}} in loaded
