"""The JSON Schema of a written file: teaches editors, and answers what a level may hold."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from octoplan.core.model import KeyPath

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@cache
def document(kind: type[BaseModel]) -> Mapping[str, Any]:
    """Return the JSON Schema of a file; an optional key is one that may be left out, not one that may be null."""
    nullable = {path[-1] for path in getattr(kind, "NULLABLE", ())}
    schema = _without_null(kind.model_json_schema(), nullable)
    return {"$schema": DIALECT, **schema}


def level(schema: Mapping[str, Any], path: KeyPath) -> Mapping[str, Any]:
    """Return what the schema says about the value at `path`; empty where it says nothing."""
    node = schema
    for part in path:
        if isinstance(part, int):
            node = node.get("items", {})
        else:
            open_to = node.get("additionalProperties") or {}
            node = node.get("properties", {}).get(part, open_to)
        node = _followed(schema, node)
    return node


def example(schema: Mapping[str, Any], path: KeyPath) -> Any:
    """Return the first example of the value at `path`; None without one."""
    examples = level(schema, path).get("examples", ())
    return next(iter(examples), None)


def _followed(schema: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Resolve a reference; what stands beside it says more about this place than what it points to."""
    for option in (_followed(schema, option) for option in node.get("anyOf", ())):
        if "properties" in option:
            return {**option, **node}
    reference = node.get("$ref", "")
    target = schema["$defs"][reference.rpartition("/")[2]] if reference else {}
    return {**target, **node}


def _without_null(node: Any, nullable: set[str | int], *, name: str | int = "") -> Any:
    if isinstance(node, list):
        return [_without_null(item, nullable) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _without_null(value, nullable, name=key) for key, value in node.items()}
    if kept.get("default", ...) is None:
        del kept["default"]
    if name in nullable or "anyOf" not in kept:
        return kept
    options = [option for option in kept.pop("anyOf") if option != {"type": "null"}]
    return {**options[0], **kept} if len(options) == 1 else {**kept, "anyOf": options}
