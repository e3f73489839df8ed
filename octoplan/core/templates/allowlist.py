"""What the template language allows, checked on the parsed tree before anything is compiled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jinja2 import nodes

from octoplan.core.quoting import quoted, suggestion
from octoplan.core.templates.filters import FILTERS, Unfit
from octoplan.core.templates.grammar import ALLOWED, Mistake, bound, column, constant, start, subject

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOTS = frozenset({"vars", "each", "campaign", "env", "stop", "contact"})

_TAGS = {"Assign": "set", "AssignBlock": "set", "CallBlock": "call", "FilterBlock": "filter", "Scope": "autoescape"}


@dataclass(frozen=True, slots=True)
class Included:
    """An include tag, and the names that its text may use."""

    tag: nodes.Include
    names: frozenset[str]


def check(body: Sequence[nodes.Node], names: frozenset[str]) -> Iterator[Mistake | Included]:
    """Yield every mistake in statements, and what they include; `names` are the roots and loop variables known here."""
    for node in body:
        match node:
            case nodes.Output():
                for child in node.nodes:
                    yield from _expression(child, names)
            case nodes.If():
                yield from _expression(node.test, names)
                yield from check([*node.body, *node.elif_, *node.else_], names)
            case nodes.For():
                yield from _loop(node, names)
            case nodes.Include():
                yield Included(node, names)
            case _:
                tag = _TAGS.get(type(node).__name__, type(node).__name__.lower())
                lines = [part.lineno for part in (node, *node.iter_child_nodes()) if part.lineno]
                yield Mistake("template-syntax", lines[0], f"`{tag}` is not part of the language", ALLOWED)


def _loop(node: nodes.For, names: frozenset[str]) -> Iterator[Mistake | Included]:
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
    yield from check(node.body, names | {name})
    yield from check(node.else_, names)


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
    return Mistake("template-syntax", node.lineno, "this expression is not part of the language", ALLOWED)


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
