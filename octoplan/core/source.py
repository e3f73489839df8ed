"""One YAML file as data with positions, so that every finding has line and column."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import orjson

from octoplan.core.model import Place
from octoplan.core.nodes import Reader, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from decimal import Decimal

    from octoplan.core.model import Finding, KeyPath
    from octoplan.core.nodes import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One YAML file: `data` (timestamps as they were written, real numbers as `Decimal`) and its positions.

    Parts of `data` that were written as an alias are one object: treat it as immutable. `aliases` are
    keys that stand for others: what a file holds, at the key that names the file.
    """

    file: str
    data: Any
    timestamps: frozenset[KeyPath]
    root: Node
    text: str
    aliases: Mapping[KeyPath, KeyPath] = field(default_factory=dict)

    def json(self) -> bytes:
        """Return the data as JSON, with numbers as exact literals."""
        return orjson.dumps(self.data, default=_literal)

    def place(self, path: KeyPath, within: tuple[int, int] | None = None) -> Place:
        """Return where the value at `path` begins, or its closest ancestor; parts that are not in the file are skipped.

        `within`, the 1-based line and column inside a text, is exact for `|` blocks and for texts
        on one line without escapes; elsewhere the text's beginning stands for it.
        """
        for stands_for, key in self.aliases.items():
            if path[: len(stands_for)] == stands_for:
                path, within = (*key, *path[len(stands_for) :]), None
        node = self.root
        for part in path:
            node = _child(node, part) or node
        line, column = (within and self._inside(node, within)) or (node.line, node.column)
        return Place(file=self.file, line=line, column=column)

    def key_place(self, path: KeyPath) -> Place:
        """Return where the last key of `path` is written; a list item begins with its value."""
        node = self.root
        for part in path[:-1]:
            node = _child(node, part) or node
        if node.keys is not None and path and path[-1] in node.keys:
            line, column = node.keys[str(path[-1])]
            return Place(file=self.file, line=line, column=column)
        return self.place(path)

    def locate(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Give each finding without a place the one its path and `within` name."""
        return tuple(
            found if found.place else replace(found, place=self.place(found.path, found.within)) for found in findings
        )

    def _inside(self, node: Node, within: tuple[int, int]) -> tuple[int, int] | None:
        if not isinstance(node.value, str):
            return None
        raw = self.text[node.start : node.end]
        if node.style == "|":
            return _inside_block(node, raw, within=within)
        before = raw.removesuffix(node.style).removesuffix(node.value)
        line, column = within
        if line != 1 or before + node.value + node.style != raw or "\n" in node.value:
            return None
        return node.line, node.column + len(before) + column - 1


def read(file: str, content: bytes) -> tuple[Source | None, tuple[Finding, ...]]:
    """Read one YAML file whose top level is a mapping.

    A key written twice is a finding and the first one counts; after any other finding there is no source.
    """
    reader = Reader(file)
    try:
        text = reader.decode(content)
        root = reader.document(text)
    except Unreadable:
        return None, tuple(reader.findings)
    if any(found.rule != "duplicate-key" for found in reader.findings):
        return None, tuple(reader.findings)
    times = frozenset(_timestamps(root, ()))
    return Source(file=file, data=_data(root), timestamps=times, root=root, text=text), tuple(reader.findings)


def _child(node: Node, part: str | int) -> Node | None:
    if isinstance(node.value, dict):
        found: Node | None = node.value.get(part)
        return found
    if isinstance(node.value, list) and isinstance(part, int) and 0 <= part < len(node.value):
        item: Node = node.value[part]
        return item
    return None


def _inside_block(node: Node, raw: str, *, within: tuple[int, int]) -> tuple[int, int] | None:
    """Return the position of a line and column inside a `|` block: its lines are those of the file."""
    line, column = within
    header, *written = re.split("\r\n|\r|\n", raw)
    lines = node.value.split("\n")
    if "|" not in header or line > len(lines):
        return None
    indent = next(
        (_indent(source) - _indent(text) for source, text in zip(written, lines, strict=False) if text.strip()), 0
    )
    return node.line + line, indent + column


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip(" "))


def _data(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {key: _data(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [_data(child) for child in node.value]
    return node.value


def _timestamps(node: Node, path: KeyPath) -> Iterator[KeyPath]:
    if node.timestamp:
        yield path
    elif isinstance(node.value, dict):
        for key, child in node.value.items():
            yield from _timestamps(child, (*path, key))
    elif isinstance(node.value, list):
        for index, child in enumerate(node.value):
            yield from _timestamps(child, (*path, index))


def _literal(number: Decimal) -> orjson.Fragment:
    text = str(number)
    return orjson.Fragment(text if "." in text or "E" in text else text + ".0")
