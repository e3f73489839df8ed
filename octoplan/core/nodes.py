"""A YAML file as nodes that know where they were written, built from libyaml's events within bounds.

The bounds are such that no campaign reaches them and every bomb does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined]  # untyped C, not re-exported
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from octoplan.core.model import Place
from octoplan.core.quoting import quoted
from octoplan.core.rules import finding
from octoplan.core.scalars import Unfit, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from octoplan.core.model import Finding

MAX_BYTES = 1 << 20
MAX_NODES = 20_000
"""Values and keys, counted with every alias expanded."""
MAX_DEPTH = 50
MAX_SLOW = 1 << 14
MAX_SLOW_OPENINGS = 300
"""Characters, and brackets and braces, read again by the pure parser where libyaml knows only YAML 1.1."""

_BOM = b"\xef\xbb\xbf"
_CORE = "tag:yaml.org,2002:"
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_OLD_RULES = frozenset({"found unexpected ':'", "did not find expected ',' or ']'", "did not find expected ',' or '}'"})
"""What libyaml says to `{at: 10:00}` or `[why?]`, which YAML 1.2 allows."""
_QUOTE = "mend this line, or put its value in quotes"
_HINTS = {
    "mapping values are not allowed in this context": "put a value that holds `: ` in quotes, or mend the indentation",
    "found character that cannot start any token": "indent with spaces, not tabs; quote what begins with @ ` or %",
    "could not find expected ':'": "a key needs a colon and a blank after it",
    "did not find expected key": "mend the indentation, or the quotes before this place",
    "found unexpected end of stream": "close the quotes",
    "did not find expected ',' or ']'": "close the bracket",
    "did not find expected ',' or '}'": "close the brace",
    "found unknown escape character": "write the backslash twice, or use single quotes",
    "found invalid Unicode character escape code": "write the character itself",
    "found undefined tag handle": "remove the tag",
    "did not find expected <document start>": "one file holds one document",
}


@dataclass(slots=True, eq=False)
class Node:
    """A value and where it was written; `start` and `end` are its offsets in the text.

    `size` counts the nodes and `height` the levels it holds, every alias expanded.
    """

    value: Any
    line: int
    column: int
    start: int = 0
    end: int = 0
    style: str = ""
    keys: dict[str, tuple[int, int]] | None = None
    timestamp: bool = False
    size: int = 1
    height: int = 1


class Unreadable(Exception):
    """Nothing after this place can be read; the finding is already recorded."""


class Reader:
    """Builds the nodes of one file from libyaml's events."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []
        self.spent = 0
        self.anchors: dict[str, Node | None] = {}
        """None while the anchored collection is still open."""

    def _refuse(self, message: str, at: tuple[int, int], *, hint: str = "", rule: str = "yaml") -> None:
        place = Place(file=self.file, line=at[0], column=at[1])
        self.findings.append(finding(rule, message, place=place, hint=hint))

    def _stop(self, message: str, at: tuple[int, int], *, hint: str = "") -> Unreadable:
        self._refuse(message, at, hint=hint)
        return Unreadable()

    def decode(self, content: bytes) -> str:
        """Return the file's text: UTF-8, at most 1 MiB, only characters that YAML allows."""
        if len(content) > MAX_BYTES:
            raise self._stop(
                f"the file has {len(content):,} bytes, at most {MAX_BYTES:,} are read", (1, 1), hint="split it"
            )
        content = content.removeprefix(_BOM)
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            at = _position(content[: error.start].decode())
            message = f"byte 0x{content[error.start]:02X} is not UTF-8"
            raise self._stop(message, at, hint="save the file with the encoding UTF-8") from None
        if bad := _FORBIDDEN.search(text):
            message = f"character U+{ord(bad[0]):04X} is not allowed in a file"
            raise self._stop(message, _position(text[: bad.start()]), hint="remove it; editors often hide it")
        return text

    def document(self, text: str) -> Node:
        """Return the only document's mapping."""
        try:
            root = self._parsed(text)
        except MarkedYAMLError as error:
            problem = str(error.problem)
            message = f"not YAML: {problem}"
            if error.context_mark:
                message += f" ({error.context} that began on line {error.context_mark.line + 1})"
            raise self._stop(message, _at(error.problem_mark), hint=_HINTS.get(problem, _QUOTE)) from None
        if root is None or (root.value is None and root.start == root.end):
            raise self._stop("the file is empty", (1, 1), hint="see `octoplan schema` for what it may hold")
        if not isinstance(root.value, dict):
            raise self._stop(
                "the file must be a mapping of keys to values", (root.line, root.column), hint="write `key: value`"
            )
        return root

    def _parsed(self, text: str) -> Node | None:
        self._next: Callable[[], Any] = CParser(text).get_event
        try:
            return self._only_document()
        except MarkedYAMLError as error:
            openings = text.count("[") + text.count("{")
            if error.problem not in _OLD_RULES or len(text) > MAX_SLOW or openings > MAX_SLOW_OPENINGS:
                raise
            refused = error
        self.findings, self.anchors, self.spent = [], {}, 0
        self._next = partial(next, YAML(typ="safe", pure=True).parse(text))
        try:
            return self._only_document()
        except MarkedYAMLError:
            raise refused from None

    def _only_document(self) -> Node | None:
        self._next()
        if not isinstance(self._next(), DocumentStartEvent):
            return None
        root = self._node(self._next(), 1)
        while isinstance(event := self._next(), DocumentEndEvent):
            pass
        if isinstance(event, DocumentStartEvent):
            raise self._stop(
                "a second document begins here",
                _at(event.start_mark),
                hint="one file holds one document: remove the `---`",
            )
        return root

    def _node(self, event: Any, depth: int) -> Node:
        line, column = at = _at(event.start_mark)
        if depth > MAX_DEPTH:
            raise self._stop(f"nested more than {MAX_DEPTH} levels deep", at, hint="flatten it")
        if isinstance(event, AliasEvent):
            return self._alias(event, at)
        if event.anchor:
            self.anchors[event.anchor] = None
        self._spend(1, at)
        node = Node(None, line, column, event.start_mark.index, event.end_mark.index)
        if isinstance(event, ScalarEvent):
            node.style = event.style or ""
            self._scalar(node, event)
        elif isinstance(event, SequenceStartEvent):
            self._tag(event, "seq")
            self._sequence(node, depth)
        else:
            self._tag(event, "map")
            self._mapping(node, depth)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def _spend(self, nodes: int, at: tuple[int, int]) -> None:
        self.spent += nodes
        if self.spent > MAX_NODES:
            raise self._stop(
                f"expands to more than {MAX_NODES:,} nodes", at, hint="use fewer aliases; put contacts in a file"
            )

    def _alias(self, event: Any, at: tuple[int, int]) -> Node:
        if event.anchor not in self.anchors:
            message = f"no anchor above is named {quoted('&' + event.anchor)}"
            self._refuse(message, at, hint="put text that begins with * in quotes")
            return Node(None, *at)
        node = self.anchors[event.anchor]
        if node is None:
            raise self._stop(f"the alias {quoted('*' + event.anchor)} holds itself", at, hint="write the value out")
        self._spend(node.size, at)
        return node

    def _tag(self, event: Any, kind: str) -> None:
        if event.tag not in (None, "!", _CORE + kind):
            self._refuse_tag(event.tag, _at(event.start_mark))

    def _refuse_tag(self, tag: str, at: tuple[int, int]) -> None:
        shown = "!!" + tag.removeprefix(_CORE) if tag.startswith(_CORE) else tag
        self._refuse(f"the tag {quoted(shown)} is not allowed here", at, hint="remove it and write the plain value")

    def _scalar(self, node: Node, event: Any) -> None:
        node.value = event.value
        at, tag = (node.line, node.column), event.tag
        if tag in ("!", _CORE + "str") or (tag is None and not event.implicit[0]):
            return
        try:
            kind, value = resolve(event.value)
        except Unfit as error:
            self._refuse(f"{error} is not allowed", at, hint="put it in quotes if it is text")
            return
        if tag in (None, _CORE + kind):
            node.value, node.timestamp = value, kind == "timestamp"
        elif tag == _CORE + "float" and kind == "int":
            node.value = Decimal(str(value))
        else:
            self._refuse_tag(tag, at)

    def _sequence(self, node: Node, depth: int) -> None:
        items: list[Node] = []
        while not isinstance(event := self._next(), SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        node.value = items
        self._measure(node, items)

    def _measure(self, node: Node, children: Iterable[Node]) -> None:
        for child in children:
            node.size += child.size
            node.height = max(node.height, child.height + 1)
        if node.height > MAX_DEPTH:
            raise self._stop(f"nested more than {MAX_DEPTH} levels deep", (node.line, node.column), hint="flatten it")

    def _mapping(self, node: Node, depth: int) -> None:
        node.value, node.keys = {}, {}
        merged: list[Node] = []
        while not isinstance(event := self._next(), MappingEndEvent):
            key = self._key(event, depth)
            value = self._node(self._next(), depth + 1)
            if key is None:
                continue
            if key == "<<" and event.implicit[0]:
                merged += self._merge_parts(value)
            elif key in node.keys:
                self._duplicate(key, node.keys[key], again=_at(event.start_mark))
            else:
                node.value[key], node.keys[key] = value, _at(event.start_mark)
        for part in merged:
            self._merge(node, part)
        self._measure(node, node.value.values())

    def _key(self, event: Any, depth: int) -> str | None:
        """Return a key as written: `1` and `true` are names like any other."""
        at = _at(event.start_mark)
        key = self._node(event, depth + 1)
        if not isinstance(event, ScalarEvent):
            self._refuse("a key must be text", at, hint="write `key: value`")
        elif not event.value and key.value is None:
            self._refuse("a key is missing before the colon", at, hint="write `key: value`")
        else:
            return str(event.value)
        return None

    def _duplicate(self, key: str, first: tuple[int, int], *, again: tuple[int, int]) -> None:
        message = f"{quoted(key)} is written twice, on line {first[0]} and on line {again[0]}"
        self._refuse(message, again, hint="keep one of them", rule="duplicate-key")

    def _merge_parts(self, value: Node) -> list[Node]:
        parts = value.value if isinstance(value.value, list) else [value]
        if not all(isinstance(part.value, dict) for part in parts):
            self._refuse(
                "`<<` needs a mapping or a list of mappings", (value.line, value.column), hint="write `<<: *name`"
            )
            return []
        return list(parts)

    def _merge(self, node: Node, part: Node) -> None:
        for key, child in part.value.items():
            if key not in node.value:
                node.value[key] = child
                (node.keys or {})[key] = (part.keys or {})[key]


def _at(mark: Any) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


def _position(before: str) -> tuple[int, int]:
    lines = re.split("\r\n|\r|\n", before)
    return len(lines), len(lines[-1]) + 1
