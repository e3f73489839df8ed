"""Texts of the template language: one is read with everything it includes, and checked before it is used.

Each included file is read once and stays a text of its own: what is wrong with it has a place in it.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from jinja2 import nodes

from octoplan.core import paths
from octoplan.core.model import Place
from octoplan.core.quoting import quoted
from octoplan.core.rules import finding
from octoplan.core.templates import grammar
from octoplan.core.templates.allowlist import ROOTS, check
from octoplan.core.templates.grammar import INCLUDE, MAX_DEPTH, MAX_SIZE, Mistake, column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from octoplan.core.model import Finding, KeyPath

MAX_NESTED = 5
"""How many includes may be inside each other."""
MAX_FILES = 50
MAX_CHECKED = 16 * MAX_SIZE
"""Characters checked in all: an included text is checked again for other loop variables."""

_BREAKS = re.compile("\r\n|\r|\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a text is from.

    `folder` is what its includes are relative to; `file` is set where the text is itself a file.
    `read` returns a project file's text or raises `Unreadable`; without it nothing can be included.
    """

    folder: str = ""
    file: str | None = None
    read: Callable[[str], str] | None = None


@dataclass(eq=False)
class Unreadable(Exception):
    """A project file that cannot be included, and the way out."""

    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """A checked text. In `tree` a node's line number is its offset in `text`; the tree is never changed.

    `file` is the file that the text is, if it is one; `includes` are the texts its tags stand for, by offset.
    """

    text: str
    path: KeyPath
    tree: nodes.Template
    file: str | None = None
    includes: Mapping[int, Template] = field(default_factory=dict)

    def finding(self, mistake: Mistake) -> Finding:
        """Return a mistake as a finding with its place in the file, or line and column inside the text at `path`."""
        return _finding(mistake, self.text, path=self.path, file=self.file)

    def uses(self) -> dict[str, tuple[str | None, tuple[int, int]]]:
        """Return where each contact column is used first: in which file, if in one, and its line and column."""
        first: dict[str, tuple[str | None, tuple[int, int]]] = {}
        for template, offset, name in _used(self, set()):
            first.setdefault(name, (template.file, _position(template.text, offset)))
        return first


def parse(text: str, path: KeyPath, *, origin: Origin | None = None) -> tuple[Template | None, tuple[Finding, ...]]:
    """Parse and check one text with all it includes; one trailing line break is not part of a text."""
    origin = origin or Origin()
    reader = _Reader(path, origin.read)
    try:
        template = reader.open(text, (origin.file or "",), folder=origin.folder)
    except Mistake as mistake:
        return None, (_finding(mistake, _normal(text, origin.file or ""), path=path, file=origin.file),)
    reader.check(template)
    findings = reader.findings()
    return None if findings else template, findings


def _normal(text: str, file: str) -> str:
    """Return a text with the line breaks of one system; an editor's mark at the start of a file is not text."""
    return _BREAKS.sub("\n", text.removeprefix("\ufeff") if file else text)


def _finding(mistake: Mistake, text: str, *, path: KeyPath, file: str | None) -> Finding:
    line, column = _position(text, mistake.offset)
    if file is None:
        return finding(mistake.rule, mistake.message, path=path, within=(line, column), hint=mistake.hint)
    place = Place(file=file, line=line, column=column)
    return finding(mistake.rule, mistake.message, path=path, place=place, hint=mistake.hint)


def _position(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def _used(template: Template, seen: set[str | None]) -> Iterator[tuple[Template, int, str]]:
    """Yield each use of a contact column in reading order, that of every file once."""
    for node in template.tree.find_all((nodes.Getattr, nodes.Getitem, nodes.Include)):
        if isinstance(node, nodes.Include):
            inner = template.includes[node.lineno]
            if inner.file not in seen:
                seen.add(inner.file)
                yield from _used(inner, seen)
        elif (name := column(node)) is not None:
            yield template, node.lineno + 1, name


@dataclass(frozen=True, slots=True)
class _Extent:
    """What a file adds to whoever includes it: includes inside each other, and levels of its tree."""

    nested: int
    depth: int


class _Reader:
    """Reads one text and its includes; `files` keeps what became of each file, in the order of reading."""

    def __init__(self, path: KeyPath, read: Callable[[str], str] | None) -> None:
        self._path = path
        self._read = read
        self._size = 0
        self._files: dict[str, Template | Unreadable | None] = {}
        self._extents: dict[str, _Extent] = {}
        self._found: list[tuple[str, int, Finding]] = []

    def open(self, text: str, chain: tuple[str, ...], *, folder: str) -> Template:
        """Parse a text and open its includes; `chain` are the files from the first text down to this one.

        Raises `Mistake` where the text itself does not parse.
        """
        text = _normal(text, chain[-1])
        tree = grammar.tree(text)
        self._size += len(text)
        includes: dict[int, Template] = {}
        template = Template(text, self._path, tree, chain[-1] or None, includes)
        depth, levels = grammar.levels(tree)
        nested = 0
        for tag in tree.find_all(nodes.Include):
            inner = self._attempt(template, partial(self._include, tag, chain, folder=folder))
            if inner is not None:
                includes[tag.lineno] = inner
                extent = self._extents[inner.file or ""]
                nested = max(nested, extent.nested + 1)
                depth = max(depth, levels[tag.lineno] + extent.depth)
                if depth >= MAX_DEPTH:
                    self._note(template, grammar.too_deep(tag.lineno))
        self._extents[chain[-1]] = _Extent(nested, depth)
        return template

    def check(self, whole: Template) -> None:
        """Note what the language does not allow in a text, and in its includes where they are included."""
        waiting = deque([(whole, ROOTS)])
        seen = set()
        left = MAX_CHECKED
        while waiting:
            template, names = waiting.popleft()
            if (template.file, names) in seen:
                continue
            seen.add((template.file, names))
            left -= len(template.text)
            if left < 0:
                message = f"what is included in different loops adds up to more than {MAX_CHECKED:,} characters"
                self._note(whole, Mistake("template-size", 0, message, "use fewer names of loop variables"))
                return
            for found in check(template.tree.body, names):
                if isinstance(found, Mistake):
                    self._note(template, found)
                elif found.tag.lineno in template.includes:
                    waiting.append((template.includes[found.tag.lineno], found.names))

    def findings(self) -> tuple[Finding, ...]:
        """Return what was noted: the text first, then its includes, each from its beginning."""
        rank = {file: number for number, file in enumerate(self._files)}
        ordered = sorted(self._found, key=lambda noted: (rank.get(noted[0], -1), noted[1]))
        return tuple(dict.fromkeys(found for _, _, found in ordered))

    def _note(self, template: Template, mistake: Mistake) -> None:
        self._found.append((template.file or "", mistake.offset, template.finding(mistake)))

    def _attempt(self, template: Template, step: Callable[[], Template | None]) -> Template | None:
        try:
            return step()
        except Mistake as mistake:
            self._note(template, mistake)
            return None

    def _include(self, tag: nodes.Include, chain: tuple[str, ...], *, folder: str) -> Template | None:
        """Return the text that a tag stands for, or None where that does not parse and has said so."""
        if self._read is None:
            raise Mistake("template-syntax", tag.lineno, "includes come with text files", "write the text here")
        name = _named(tag, folder)
        if name in chain:
            circle = " → ".join((*chain[chain.index(name) :], name))
            message = f"{quoted(name)} includes itself: {circle}"
            raise Mistake("template-loop", tag.lineno, message, "remove one of these includes")
        if len(chain) > MAX_NESTED:
            raise _too_nested(tag)
        if name not in self._files:
            self._open(tag, (*chain, name), read=self._read)
        inner = self._files[name]
        if isinstance(inner, Unreadable):
            raise Mistake("file", tag.lineno, inner.message, inner.hint)
        if inner is not None and len(chain) + self._extents[name].nested > MAX_NESTED:
            raise _too_nested(tag)
        return inner

    def _open(self, tag: nodes.Include, chain: tuple[str, ...], *, read: Callable[[str], str]) -> None:
        name = chain[-1]
        if len(self._files) == MAX_FILES:
            message = f"{quoted(name)} is one file more than the {MAX_FILES} that a text may include"
            raise Mistake("template-size", tag.lineno, message, "join some of them")
        self._files[name] = None
        try:
            text = _normal(read(name), name)
        except Unreadable as error:
            self._files[name] = error
            return
        if self._size + len(text) > MAX_SIZE:
            message = f"with {quoted(name)} the text has more than {MAX_SIZE:,} characters"
            raise Mistake("template-size", tag.lineno, message, "shorten it")
        try:
            self._files[name] = self.open(text, chain, folder=paths.folder(name))
        except Mistake as mistake:
            self._found.append((name, mistake.offset, _finding(mistake, text, path=self._path, file=name)))


def _named(tag: nodes.Include, folder: str) -> str:
    """Return the project file that a tag names."""
    written = tag.template.value if isinstance(tag.template, nodes.Const) else None
    if not isinstance(written, str):
        raise Mistake("template-syntax", tag.lineno, "an include names one file, as constant text", INCLUDE)
    try:
        name = paths.resolve(written, within=folder)
    except paths.Outside as problem:
        message = f"{quoted(written)} cannot be included: {problem}"
        raise Mistake("file", tag.lineno, message, "name a text file of the project") from None
    if paths.is_hidden(name):
        message = f"{quoted(written)} cannot be included: a hidden file is not for messages"
        raise Mistake("file", tag.lineno, message, "name a text file of the project")
    return name


def _too_nested(tag: nodes.Include) -> Mistake:
    message = f"includes are more than {MAX_NESTED} deep inside each other"
    return Mistake("template-size", tag.lineno, message, "put the text here")
