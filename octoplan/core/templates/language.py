"""The template language: what is allowed, checked on the parsed tree before anything is compiled.

Jinja folds constants while compiling (`{{ 9**(9**8) }}` burns a minute), so a text reaches the
compiler only after every node of its tree was found on the allow-list.
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

from octoplan.core.quoting import masked, quoted, suggestion
from octoplan.core.rules import finding
from octoplan.core.templates.filters import FILTERS, Unfit, bind, forgiving

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from octoplan.core.model import Finding, KeyPath

MAX_SIZE = 64 * 1024
"""Characters of a template, and of what it renders to."""
MAX_DEPTH = 60
ROOTS = ("vars", "each", "campaign", "env", "stop", "contact")

LANGUAGE = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
LANGUAGE.globals.clear()
LANGUAGE.tests.clear()
LANGUAGE.filters = {name: forgiving(each.call) for name, each in FILTERS.items()}

_LONGEST_NUMBER = 20
_BREAKS = re.compile("\r\n|\r|\n")
_FLOAT = re.compile(r"[0-9_]+(?:\.[0-9_]+)?(?:[eE][-+]?[0-9_]+)?")
_SPACED = re.compile(r"\bcontact\.(?=(\w+(?:[ '-]+\w+)+))")
_HALF = re.compile("[\ud800-\udfff]")
_TAGS = {"Assign": "set", "AssignBlock": "set", "CallBlock": "call", "FilterBlock": "filter", "Scope": "autoescape"}
_ALLOWED = "write names, text, `{% if %}`, `{% for %}` and filters"


@dataclass(eq=False)
class Mistake(Exception):
    """Something the language does not have, at an offset in the template."""

    rule: str
    offset: int
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """A checked text. In `tree` a node's line number is its offset in `text`; the tree is never changed."""

    text: str
    path: KeyPath
    tree: nodes.Template

    def finding(self, mistake: Mistake) -> Finding:
        """Return a mistake as a finding with line and column inside the text."""
        return _finding(mistake, text=self.text, path=self.path)


def parse(text: str, path: KeyPath) -> tuple[Template | None, tuple[Finding, ...]]:
    """Parse and check one text. One trailing line break belongs to the YAML block, not to the text."""
    text = _BREAKS.sub("\n", text)
    try:
        tree = _tree(text)
    except Mistake as mistake:
        return None, (_finding(mistake, text=text, path=path),)
    mistakes = sorted(_statements(tree.body, frozenset(ROOTS)), key=lambda mistake: mistake.offset)
    if mistakes:
        return None, tuple(dict.fromkeys(_finding(mistake, text=text, path=path) for mistake in mistakes))
    return Template(text, path, tree), ()


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


def _finding(mistake: Mistake, *, text: str, path: KeyPath) -> Finding:
    line = text.count("\n", 0, mistake.offset) + 1
    within = (line, mistake.offset - text.rfind("\n", 0, mistake.offset))
    return finding(mistake.rule, mistake.message, path=path, within=within, hint=mistake.hint)


def _tree(text: str) -> nodes.Template:
    if len(text) > MAX_SIZE:
        message = f"a template of {len(text):,} characters, at most {MAX_SIZE:,} are read"
        raise Mistake("template-size", 0, message, "shorten it")
    parser = Parser(LANGUAGE, "")
    try:
        parser.stream = TokenStream(_tokens(text), None, None)
        tree = parser.parse()
    except TemplateSyntaxError as error:
        offset = error.lineno
        raise Mistake("template-syntax", offset, masked(error.message or ""), _way_out(text, offset)) from None
    except RecursionError:
        raise _too_deep(0) from None
    _check_depth(tree)
    return tree


def _way_out(text: str, offset: int) -> str:
    """Return what to write where the grammar ends: most often a column's name that is no plain word."""
    for found in _SPACED.finditer(text):
        if found.start() < offset < found.end(1):
            return f'write `contact["{masked(found[1])}"]`'
    return _ALLOWED


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


def _too_deep(offset: int) -> Mistake:
    return Mistake("template-size", offset, f"nested more than {MAX_DEPTH} levels deep", "use `in [...]` or flatten it")


def _check_depth(tree: nodes.Template) -> None:
    level: Sequence[nodes.Node] = [tree]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in node.iter_child_nodes()]
        if not level:
            return
    raise _too_deep(next((node.lineno for node in level if node.lineno), 0))


def _statements(body: Sequence[nodes.Node], names: frozenset[str]) -> Iterator[Mistake]:
    for node in body:
        match node:
            case nodes.Output():
                for child in node.nodes:
                    yield from _expression(child, names)
            case nodes.If():
                yield from _expression(node.test, names)
                yield from _statements([*node.body, *node.elif_, *node.else_], names)
            case nodes.For():
                yield from _loop(node, names)
            case nodes.Include():
                yield Mistake("template-syntax", node.lineno, "includes come with text files", "write the text here")
            case _:
                tag = _TAGS.get(type(node).__name__, type(node).__name__.lower())
                lines = [part.lineno for part in (node, *node.iter_child_nodes()) if part.lineno]
                yield Mistake("template-syntax", lines[0], f"`{tag}` is not part of the language", _ALLOWED)


def _loop(node: nodes.For, names: frozenset[str]) -> Iterator[Mistake]:
    name = node.target.name if isinstance(node.target, nodes.Name) else ""
    if not name or name in names or name == "loop" or name.startswith("_"):
        message = "a loop needs one new name"
        yield Mistake("template-loop", node.lineno, message, "write `{% for shop in vars.shops %}`")
    elif node.test is not None or node.recursive:
        yield Mistake(
            "template-loop", node.lineno, "a loop takes no condition and is not recursive", "put `{% if %}` inside"
        )
    elif not isinstance(node.iter, nodes.Name | nodes.Getattr | nodes.Getitem) or column(node.iter):
        message = "a loop runs over a list of `vars` or `each`"
        yield Mistake("template-loop", node.lineno, message, "write `{% for shop in vars.shops %}`")
    else:
        yield from _expression(node.iter, names)
    yield from _statements(node.body, names | {name})
    yield from _statements(node.else_, names)


def _expression(node: nodes.Node, names: frozenset[str]) -> Iterator[Mistake]:
    match node:
        case nodes.TemplateData() | nodes.Const():
            return
        case nodes.Name() | nodes.Getattr() | nodes.Getitem():
            yield from _name(node, names)
        case nodes.And() | nodes.Or() | nodes.Not() | nodes.Concat():
            for child in node.iter_child_nodes():
                yield from _expression(child, names)
        case nodes.Compare():
            yield from _comparison(node, names)
        case nodes.Filter():
            yield from _filter(node, names)
        case nodes.Neg() if _is_constant(node):
            return
        case _:
            yield _refused(node)


def _refused(node: nodes.Node) -> Mistake:
    match node:
        case nodes.Call():
            return Mistake(
                "template-call", start(node.node), "calls are not allowed", "use a filter: `{{ name|upper }}`"
            )
        case nodes.BinExpr() | nodes.UnaryExpr():
            message = f"`{node.operator}` is not allowed"
            return Mistake("template-operator", node.lineno, message, "compute it before, and put the result in `vars`")
        case nodes.CondExpr():
            return Mistake(
                "template-operator", node.lineno, "`if` inside an expression is not allowed", "write `{% if %}`"
            )
        case nodes.Test():
            return Mistake("template-operator", node.lineno, "`is` is not allowed", "compare with `==`")
    return Mistake("template-syntax", node.lineno, "this expression is not part of the language", _ALLOWED)


def _is_constant(node: nodes.Node) -> bool:
    try:
        constant(node)
    except TypeError:
        return False
    return True


def _comparison(node: nodes.Compare, names: frozenset[str]) -> Iterator[Mistake]:
    yield from _expression(node.expr, names)
    for operand in node.ops:
        listed = operand.op in ("in", "notin") and isinstance(operand.expr, nodes.List | nodes.Tuple)
        if not (listed and all(map(_is_constant, operand.expr.iter_child_nodes()))):
            yield from _expression(operand.expr, names)


def _filter(node: nodes.Filter, names: frozenset[str]) -> Iterator[Mistake]:
    if node.name not in FILTERS:
        message = f"there is no filter {quoted(node.name)}"
        yield Mistake("template-filter", node.lineno, message, suggestion(node.name, FILTERS))
    else:
        try:
            bound(node)
        except Unfit as error:
            yield Mistake("template-filter", node.lineno, f"{quoted(node.name)} {error}")
        except TypeError:
            message = f"{quoted(node.name)} takes constants only"
            yield Mistake("template-filter", node.lineno, message, "write the value itself")
    yield from _expression(subject(node), names)


def _name(node: nodes.Node, names: frozenset[str]) -> Iterator[Mistake]:
    """Check a name with its dots; the roots are plain data, nothing has attributes."""
    depth, first = 0, None
    inner: Any = node
    while isinstance(inner, nodes.Getattr | nodes.Getitem):
        yield from _part(inner)
        depth, first, inner = depth + 1, inner, inner.node
    if not isinstance(inner, nodes.Name):
        yield from _expression(inner, names)
        yield Mistake("template-name", start(node), "only names have parts", "write `vars.name` or `contact.column`")
    elif inner.name not in names:
        message = f"there is no name {quoted(inner.name)}"
        yield Mistake("template-name", inner.lineno, message, suggestion(inner.name, names))
    elif inner.name == "contact" and (depth != 1 or column(node) is None):
        message = "`contact` needs exactly one column"
        yield Mistake(
            "template-name", (first or inner).lineno, message, 'write `contact.column` or `contact["my column"]`'
        )


def _part(node: nodes.Getattr | nodes.Getitem) -> Iterator[Mistake]:
    match node:
        case nodes.Getattr(attr=attr) if attr.startswith("_"):
            message = f"names do not begin with an underscore: {quoted(attr)}"
            yield Mistake("template-name", node.lineno + 1, message, 'for such a column write `contact["_name"]`')
        case nodes.Getitem(arg=nodes.Slice()):
            yield Mistake("template-operator", node.lineno, "`:` is not allowed", "use `truncate`")
        case nodes.Getitem(arg=nodes.Const(value=str() | int())) | nodes.Getattr():
            return
        case _:
            yield Mistake("template-syntax", node.lineno, "brackets take constant text", 'write `vars["my name"]`')
