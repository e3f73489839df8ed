"""A folded text for lists of contacts: a flat one as one `%` format, others by one sandboxed call a chunk."""

from __future__ import annotations

import html as markup
from decimal import Decimal
from itertools import repeat
from typing import TYPE_CHECKING, Any

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from octoplan.core.templates import printing
from octoplan.core.templates.grammar import LANGUAGE, bound, column, constant, subject
from octoplan.core.templates.language import parse

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from jinja2 import Template as Compiled

    from octoplan.core.templates.language import Template


SLOT = "\u2039{}\u203a"


def _escaped(value: Any) -> str:
    return markup.escape(str(value))


RENDERING = LANGUAGE.overlay()
RENDERING.filters = {
    **LANGUAGE.filters,
    "collect": lambda text, into: into.append(text) or "",
    "escape": _escaped,
}


def columns(source: str) -> tuple[str, ...]:
    """Return the contact columns a folded text uses, in order of first use."""
    return tuple(folded(source).uses())


def pattern(source: str, sizes: Mapping[str, tuple[int, int]]) -> str:
    """Return a folded text with a slot in single angle quotes for each contact value.

    `code 8` has always eight characters, `first_name ≤11` at most eleven; `sizes` are the fewest and
    most characters of each column's values.
    """
    return "".join(_slots(folded(source).tree.body, sizes))


class Renderer:
    """Renders one folded text for any number of contacts; a contact's value comes out as it is.

    With `html` it comes out escaped, after its filters and in quotes too; what the author wrote does not.
    """

    def __init__(self, source: str, *, html: bool = False) -> None:
        template = folded(source)
        tree = template.tree
        self._columns = tuple(template.uses())
        flat = _flat(tree)
        self._format, self._chains = flat or ("", [])
        self._shown = _shown if html else _chained
        self._compiled: Compiled | None = None
        self._constants: dict[str, Any] = {}
        if flat is None:
            self._compiled, self._constants = _compile(tree, self._columns, html=html)

    def render(self, columns: Mapping[str, list[str]], count: int) -> list[str]:
        """Return one text per contact from parallel columns of `count` values."""
        if self._compiled is None:
            if not self._chains:
                return [self._format % ()] * count
            return list(
                map(self._format.__mod__, zip(*(self._shown(columns, chain) for chain in self._chains), strict=True))
            )
        texts: list[str] = []
        rows = zip(*(columns[name] for name in self._columns), strict=True) if self._columns else repeat((), count)
        self._compiled.render(rows=rows, into=texts, **self._constants)
        return texts


def folded(source: str) -> Template:
    """Return a folded text parsed. Raises ValueError for one that is not."""
    template, findings = parse(source, ())
    if template is None:
        raise ValueError(f"not a folded template: {findings[0].message}")
    if any(node.name != "contact" for node in template.tree.find_all(nodes.Name)):
        raise ValueError("not a folded template: it holds more names than `contact`")
    return template


def _flat(tree: nodes.Template) -> tuple[str, list[nodes.Expr]] | None:
    """Return a `%` format and its filtered columns, or None for a text that is more than that."""
    written: list[str] = []
    chains: list[nodes.Expr] = []
    for statement in tree.body:
        if not isinstance(statement, nodes.Output):
            return None
        for node in statement.nodes:
            if isinstance(node, nodes.TemplateData):
                written.append(node.data.replace("%", "%%"))
            elif isinstance(node, nodes.Const):
                written.append(str(node.value).replace("%", "%%"))
            elif _is_chain(node):
                written.append("%s")
                chains.append(node)
            else:
                return None
    return "".join(written), chains


def _is_chain(node: nodes.Node) -> bool:
    while isinstance(node, nodes.Filter):
        node = subject(node)
    return column(node) is not None


def _chained(columns: Mapping[str, list[str]], node: nodes.Node) -> Sequence[Any]:
    """Return one column's values after its filters."""
    if isinstance(node, nodes.Filter):
        call, arguments = LANGUAGE.filters[node.name], bound(node)
        return [call(value, **arguments) for value in _chained(columns, subject(node))]
    return columns[column(node) or ""]


def _shown(columns: Mapping[str, list[str]], node: nodes.Node) -> Sequence[Any]:
    """Return one column's values after its filters, escaped; a default is the author's."""
    if not (isinstance(node, nodes.Filter) and node.name == "default"):
        return list(map(_escaped, _chained(columns, node)))
    instead = bound(node)
    if not instead["boolean"]:
        return _shown(columns, subject(node))
    given = _chained(columns, subject(node))
    shown = _shown(columns, subject(node))
    return [each if value else instead["value"] for value, each in zip(given, shown, strict=True)]


class _Variables(NodeTransformer):
    """Turns contact columns into loop variables, and exact numbers into names of constants."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.names = {name: f"column_{index}" for index, name in enumerate(columns)}
        self.constants: dict[str, Any] = {}

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Node:  # noqa: N802 - Jinja calls it so
        return nodes.Name(self.names[column(node) or ""], "load", lineno=1)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802 - Jinja calls it so
        return nodes.Name(self.names[column(node) or ""], "load", lineno=1)

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # noqa: N802 - Jinja calls it so
        named: list[Any] = [
            nodes.Keyword(name, nodes.Const(value, lineno=1), lineno=1) for name, value in bound(node).items()
        ]
        node.args, node.kwargs = [], named
        return self.generic_visit(node)

    def visit_Const(self, node: nodes.Const) -> nodes.Node:  # noqa: N802 - Jinja calls it so
        if not isinstance(node.value, Decimal):
            return node
        name = f"constant_{len(self.constants)}"
        self.constants[name] = node.value
        return nodes.Name(name, "load", lineno=1)


class _Escapes(NodeTransformer):
    """Escapes what is put out, after `_Variables`: conditions compare the values themselves."""

    def __init__(self, constants: Collection[str]) -> None:
        self.constants = constants

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802 - Jinja calls it so
        node.nodes = list(map(self._put, node.nodes))
        return node

    def _put(self, node: nodes.Expr) -> nodes.Expr:
        """Return an expression that puts out the same, contact values escaped and the author's text as it is."""
        put: nodes.Expr
        match node:
            case nodes.TemplateData() | nodes.Const():
                put = node
            case nodes.Name(name=name) if name in self.constants:
                put = node
            case nodes.Concat():
                put = nodes.Concat(list(map(self._put, node.nodes)), lineno=1)
            case nodes.Or():
                put = nodes.CondExpr(node.left, self._put(node.left), self._put(node.right), lineno=1)
            case nodes.And():
                put = nodes.CondExpr(node.left, self._put(node.right), self._put(node.left), lineno=1)
            case nodes.Filter(name="default"):
                put = self._default(node)
            case _:
                put = nodes.Filter(node, "escape", [], [], None, None, lineno=1)
        return put

    def _default(self, node: nodes.Filter) -> nodes.Expr:
        """Return what a default puts out: what is given is never missing here, it may be empty."""
        arguments: dict[Any, Any] = {pair.key: pair.value for pair in node.kwargs}
        given = subject(node)
        if not constant(arguments["boolean"]):
            return self._put(given)
        return nodes.CondExpr(given, self._put(given), arguments["value"], lineno=1)


def _compile(tree: nodes.Template, names: Sequence[str], *, html: bool) -> tuple[Compiled, dict[str, Any]]:
    """Compile a text inside a loop over rows that collects each row's output apart, whatever it holds."""
    variables = _Variables(names)
    variables.visit(tree)
    if html:
        _Escapes(variables.constants).visit(tree)
    targets: list[nodes.Expr] = [nodes.Name(name, "store", lineno=1) for name in variables.names.values()]
    collect = nodes.Filter(None, "collect", [nodes.Name("into", "load", lineno=1)], [], None, None, lineno=1)
    each = nodes.FilterBlock(tree.body, collect, lineno=1)
    rows = nodes.Name("rows", "load", lineno=1)
    tree.body = [nodes.For(nodes.Tuple(targets, "store", lineno=1), rows, [each], [], None, False, lineno=1)]  # noqa: FBT003 - Jinja's order
    tree.set_environment(RENDERING)
    return RENDERING.from_string(tree), variables.constants


def _slots(body: Sequence[nodes.Node], sizes: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    for statement in body:
        if isinstance(statement, nodes.If):
            for word, arm in zip(
                ("if", *repeat("elif", len(statement.elif_))), (statement, *statement.elif_), strict=True
            ):
                yield SLOT.format(f"{word} {printing.expression(arm.test)}")
                yield from _slots(arm.body, sizes)
            if statement.else_:
                yield SLOT.format("else")
                yield from _slots(statement.else_, sizes)
            yield SLOT.format("end")
        else:
            for node in statement.iter_child_nodes():
                yield _slot(node, sizes)


def _slot(node: nodes.Node, sizes: Mapping[str, tuple[int, int]]) -> str:
    if isinstance(node, nodes.TemplateData):
        return node.data
    if isinstance(node, nodes.Const):
        return str(node.value)
    name = column(node)
    if name is None:
        return SLOT.format(printing.expression(node))
    if name not in sizes:
        return SLOT.format(name)
    least, most = sizes[name]
    return SLOT.format(f"{name} {most}" if least == most else f"{name} ≤{most}")
