"""What Jinja's own lexer and parser make of a text, with offsets in place of line numbers, and how to read it.

Jinja folds constants while compiling (`{{ 9**(9**8) }}` burns a minute), so nothing here compiles.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.lexer import Token, TokenStream
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from octoplan.core.quoting import masked
from octoplan.core.templates.filters import FILTERS, bind, forgiving

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_SIZE = 64 * 1024
"""Characters of a template with all it includes, and of what it renders to."""
MAX_DEPTH = 60
ALLOWED = "write names, text, `{% if %}`, `{% for %}`, `{% include %}` and filters"
INCLUDE = 'write `{% include "footer.txt" %}`'

LANGUAGE = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
LANGUAGE.globals.clear()
LANGUAGE.tests.clear()
LANGUAGE.filters = {name: forgiving(each.call) for name, each in FILTERS.items()}

_LONGEST_NUMBER = 20
_FLOAT = re.compile(r"[0-9_]+(?:\.[0-9_]+)?(?:[eE][-+]?[0-9_]+)?")
_SPACED = re.compile(r"\bcontact\.(?=(\w+(?:[ '-]+\w+)+))")
_HALF = re.compile("[\ud800-\udfff]")


@dataclass(eq=False)
class Mistake(Exception):
    """Something the language does not have, at an offset in the template."""

    rule: str
    offset: int
    message: str
    hint: str = ""


class _Parser(Parser):
    """Jinja's parser without what an include may say besides its file."""

    def parse_include(self) -> nodes.Include:
        """Parse the tag; the words that would follow change what is visible, or hide that a file is missing."""
        node = nodes.Include(lineno=next(self.stream).lineno)
        node.template = self.parse_expression()
        node.with_context, node.ignore_missing = True, False
        word = self.stream.current
        if word.type == "name":
            message = f"`{masked(word.value)}` is not part of an include"
            raise Mistake("template-syntax", word.lineno, message, INCLUDE)
        return node


def tree(text: str) -> nodes.Template:
    """Parse one text. Raises `Mistake`."""
    if len(text) > MAX_SIZE:
        message = f"a template of {len(text):,} characters, at most {MAX_SIZE:,} are read"
        raise Mistake("template-size", 0, message, "shorten it")
    parser = _Parser(LANGUAGE, "")
    try:
        parser.stream = TokenStream(_tokens(text), None, None)
        parsed = parser.parse()
    except TemplateSyntaxError as error:
        offset = error.lineno
        raise Mistake("template-syntax", offset, masked(error.message or ""), _way_out(text, offset)) from None
    except RecursionError:
        raise too_deep(0) from None
    levels(parsed)
    return parsed


def levels(parsed: nodes.Template) -> tuple[int, dict[int, int]]:
    """Return how deep a tree is, and how deep the include at each offset. Raises `Mistake`."""
    includes: dict[int, int] = {}
    level: Sequence[nodes.Node] = [parsed]
    for depth in range(MAX_DEPTH):
        level = [child for node in level for child in node.iter_child_nodes()]
        if not level:
            return depth, includes
        includes |= {node.lineno: depth for node in level if isinstance(node, nodes.Include)}
    raise too_deep(next((node.lineno for node in level if node.lineno), 0))


def too_deep(offset: int) -> Mistake:
    """Return what is said of a tree that would exhaust whoever walks it."""
    return Mistake("template-size", offset, f"nested more than {MAX_DEPTH} levels deep", "use `in [...]` or flatten it")


def column(node: nodes.Node) -> str | None:
    """Return the contact column a node names, if it does."""
    match node:
        case nodes.Getattr(node=nodes.Name(name="contact"), attr=name):
            return str(name)
        case nodes.Getitem(node=nodes.Name(name="contact"), arg=nodes.Const(value=str(name))):
            return name
    return None


def start(node: nodes.Node | None) -> int:
    """Return the offset at which an expression begins; Jinja notes that of its last part."""
    match node:
        case nodes.Getattr() | nodes.Getitem() | nodes.Filter():
            return start(node.node)
        case nodes.Compare():
            return start(node.expr)
        case nodes.And() | nodes.Or():
            return start(node.left)
    return node.lineno if node else 0


def constant(node: nodes.Node) -> Any:
    """Return the value of a constant: text, number, truth value or none. Raises TypeError for another node."""
    match node:
        case nodes.Const():
            return node.value
        case nodes.Neg(node=nodes.Const(value=int() | Decimal() as value)) if not isinstance(value, bool):
            return -value
    raise TypeError(type(node).__name__)


def subject(node: nodes.Filter) -> nodes.Expr:
    """Return what a filter is applied to; only a block, which the language lacks, has nothing there."""
    return node.node or nodes.Const(None)


def bound(node: nodes.Filter) -> dict[str, Any]:
    """Return all arguments of a filter. Raises `Unfit`, and TypeError for what is no constant."""
    if node.dyn_args or node.dyn_kwargs:
        raise TypeError("unpacked")
    named: dict[str, Any] = {str(pair.key): constant(pair.value) for pair in node.kwargs}
    return bind(node.name, [constant(value) for value in node.args], named=named)


def _way_out(text: str, offset: int) -> str:
    """Return what to write where the grammar ends: most often a column's name that is no plain word."""
    for found in _SPACED.finditer(text):
        if found.start() < offset < found.end(1):
            return f'write `contact["{masked(found[1])}"]`'
    return ALLOWED


def _tokens(text: str) -> Iterator[Token]:
    """Yield Jinja's tokens with offsets in place of line numbers."""
    for token in LANGUAGE.lexer.wrap(_positioned(text)):
        if token.type == "float" and (written := _FLOAT.match(text, token.lineno)):
            exact: Any = Decimal(written[0].replace("_", ""))
            yield Token(token.lineno, token.type, exact)
        elif token.type == "string" and _HALF.search(token.value):
            raise TemplateSyntaxError("half a surrogate pair is no character", token.lineno)
        else:
            yield token


def _positioned(text: str) -> Iterator[tuple[int, str, str]]:
    offset = 0
    try:
        for _, kind, value in LANGUAGE.lexer.tokeniter(text, None):
            offset = text.index(value, offset)
            _check_token(kind, value, offset=offset)
            yield offset, kind, value
            offset += len(value)
    except TemplateSyntaxError as error:
        message = re.sub(r" at \d+$", "", error.message or "")
        raise TemplateSyntaxError(message, offset) from None


def _check_token(kind: str, value: str, *, offset: int) -> None:
    if kind == "raw_begin":
        raise TemplateSyntaxError("`raw` is not part of the language", offset)
    if kind == "integer" and len(value) > _LONGEST_NUMBER:
        raise TemplateSyntaxError(f"a number of {len(value):,} characters", offset)
