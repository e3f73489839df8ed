"""Partial evaluation: everything but `contact` is rendered, the rest is printed as a template."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from jinja2 import nodes

from octoplan.core.quoting import quoted, suggestion
from octoplan.core.templates import printing
from octoplan.core.templates.filters import FILTERS
from octoplan.core.templates.grammar import MAX_SIZE, Mistake, bound, column, constant, start, subject

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from octoplan.core.model import Finding
    from octoplan.core.templates.language import Template

MAX_ITERATIONS = 1_000
"""Product of the lengths of nested loops."""
MAX_STEPS = 50_000
MAX_USES = 1_000
"""How often contact values may be repeated in one text, lengthening filters included."""

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gteq": operator.ge,
    "lt": operator.lt,
    "lteq": operator.le,
    "in": lambda item, group: item in group,
    "notin": lambda item, group: item not in group,
}
_KINDS = {str: "text", bool: "a truth value", int: "a number", Decimal: "a number", list: "a list", dict: "a mapping"}
_FILTER_KINDS = {"int": "a number", "round": ""}


def fold(template: Template, values: Mapping[str, Any], *, contact: bool = True) -> tuple[str, tuple[Finding, ...]]:
    """Return the source of an equivalent template over `contact` alone; parse it to render it.

    `values` holds the roots known now: mappings, lists and scalars. Without `contact` the use of a
    column is a finding. With findings the source is of no use. What was included is part of it.
    """
    folder = _Folder(template, values, contact=contact)
    try:
        folder.body(template.tree.body, Scope({}, 1))
    except _TooMuch as mistake:
        folder.note(mistake)
    source = folder.source()
    if len(source) > MAX_SIZE and not folder.findings:
        folder.note(_too_long(0))
    return source, tuple(folder.findings)


@dataclass(frozen=True, slots=True)
class Scope:
    """Loop variables, and how often the innermost open loop's body runs in all."""

    names: Mapping[str, Any]
    iterations: int


class _TooMuch(Mistake):
    """A bound is exceeded: nothing more is folded."""


def _too_long(offset: int) -> _TooMuch:
    return _TooMuch("template-size", offset, f"renders to more than {MAX_SIZE:,} characters", "shorten it")


class _Folder:
    """Walks a checked tree; `pieces` are texts and, marked, what is left of the code.

    `template` is the text being folded: an included one while it is.
    """

    def __init__(self, template: Template, values: Mapping[str, Any], *, contact: bool) -> None:
        self.template = template
        self.values = values
        self.contact = contact
        self.findings: dict[Finding, None] = {}
        self.pieces: list[tuple[bool, str]] = []
        self.steps = self.size = self.uses = 0

    def note(self, mistake: Mistake) -> None:
        """Note a mistake in the text being folded, once."""
        self.findings[self.template.finding(mistake)] = None

    def source(self) -> str:
        """Return what was folded, neighbouring texts joined."""
        joined: list[tuple[bool, str]] = []
        for is_code, piece in self.pieces:
            if joined and not is_code and not joined[-1][0]:
                joined[-1] = (False, joined[-1][1] + piece)
            else:
                joined.append((is_code, piece))
        last = len(joined) - 1
        return "".join(
            piece if is_code else printing.text(piece, before_code=index < last)
            for index, (is_code, piece) in enumerate(joined)
        )

    def body(self, statements: Sequence[nodes.Node], scope: Scope) -> None:
        """Fold statements."""
        for node in statements:
            match node:
                case nodes.Output():
                    for child in node.nodes:
                        self._attempt(partial(self._output, child, scope))
                case nodes.If():
                    self._attempt(partial(self._if, node, scope))
                case nodes.Include():
                    self._include(node, scope)
                case _:
                    self._attempt(partial(self._for, node, scope))

    def _attempt(self, step: Callable[[], None]) -> None:
        try:
            step()
        except _TooMuch:
            raise
        except Mistake as mistake:
            self.note(mistake)

    def _step(self, node: nodes.Node) -> None:
        self.steps += 1
        if self.steps > MAX_STEPS:
            message = f"the loops unroll to more than {MAX_STEPS:,} steps"
            raise _TooMuch("template-loop", start(node), message, "shorten the lists")

    def _emit(self, node: nodes.Node, piece: str, *, is_code: bool = False) -> None:
        self.size += len(piece)
        if self.size > MAX_SIZE:
            raise _too_long(start(node))
        if piece:
            self.pieces.append((is_code, piece))

    def _output(self, node: nodes.Node, scope: Scope) -> None:
        self._step(node)
        if isinstance(node, nodes.TemplateData):
            self._emit(node, node.data)
            return
        folded = self._expression(node, scope)
        for part in folded.nodes if isinstance(folded, nodes.Concat) else [folded]:
            if isinstance(part, nodes.Const):
                self._emit(node, _shown(part.value, node))
            else:
                self._keep(part, node)
                self._emit(node, f"{{{{ {printing.expression(part)} }}}}", is_code=True)

    def _keep(self, part: nodes.Node, node: nodes.Node) -> None:
        self.uses += _uses(part)
        if self.uses > MAX_USES:
            message = f"contact values are repeated more than {MAX_USES:,} times"
            raise _TooMuch("template-size", start(node), message, "shorten it")

    def _include(self, node: nodes.Include, scope: Scope) -> None:
        """Fold another text in place of its tag; what is too much ends the folding there."""
        self._step(node)
        whole, self.template = self.template, self.template.includes[node.lineno]
        self.body(self.template.tree.body, scope)
        self.template = whole

    def _if(self, node: nodes.If, scope: Scope) -> None:
        opened = False
        for arm in (node, *node.elif_):
            self._step(arm)
            test = self._expression(arm.test, scope)
            if isinstance(test, nodes.Const):
                if test.value:
                    self._last_arm(arm.body, node, opened=opened, scope=scope)
                    return
                continue
            self._keep(test, node)
            self._emit(node, f"{{% {'elif' if opened else 'if'} {printing.expression(test)} %}}", is_code=True)
            opened = True
            self.body(arm.body, scope)
        self._last_arm(node.else_, node, opened=opened, scope=scope)

    def _last_arm(self, body: Sequence[nodes.Node], node: nodes.If, *, opened: bool, scope: Scope) -> None:
        before = len(self.pieces)
        self.body(body, scope)
        if opened:
            if len(self.pieces) > before:
                self.pieces.insert(before, (True, "{% else %}"))
            self._emit(node, "{% endif %}", is_code=True)

    def _for(self, node: Any, scope: Scope) -> None:
        items = self._path(node.iter, scope)
        if not isinstance(items, list):
            raise Mistake("template-loop", start(node.iter), "a loop runs over a list", "write a list in `vars`")
        total = scope.iterations * len(items)
        if total > MAX_ITERATIONS:
            message = f"the loops run {total:,} times, at most {MAX_ITERATIONS:,}"
            raise Mistake("template-loop", start(node), message, "shorten the lists")
        for item in items:
            self._step(node)
            self.body(node.body, Scope({**scope.names, node.target.name: item}, total))
        if not items:
            self.body(node.else_, scope)

    def _expression(self, node: nodes.Node, scope: Scope) -> nodes.Expr:
        self._step(node)
        folded: nodes.Expr
        match node:
            case nodes.Name() | nodes.Getattr() | nodes.Getitem():
                name = column(node)
                folded = nodes.Const(self._path(node, scope)) if name is None else self._column(node, name)
            case nodes.And() | nodes.Or():
                folded = self._junction(node, scope)
            case nodes.Not():
                inner = self._expression(node.node, scope)
                folded = nodes.Const(not inner.value) if isinstance(inner, nodes.Const) else nodes.Not(inner)
            case nodes.Concat():
                folded = self._concat(node, scope)
            case nodes.Compare():
                folded = self._compare(node, scope)
            case nodes.Filter():
                folded = self._filter(node, scope)
            case nodes.List() | nodes.Tuple():
                folded = nodes.Const([constant(item) for item in node.items])
            case _:
                folded = nodes.Const(constant(node))
        return folded

    def _column(self, node: nodes.Node, name: str) -> nodes.Expr:
        if not self.contact:
            message = "`contact` is only known in messages"
            raise Mistake("template-name", start(node), message, "use `vars`, `each`, `campaign.id` or `env.name`")
        return nodes.Getitem(nodes.Name("contact", "load"), nodes.Const(name), "load")

    def _path(self, node: nodes.Node, scope: Scope) -> Any:
        """Return the value at a name with dots; the values are plain data, nothing has attributes."""
        part: Any
        if isinstance(node, nodes.Getattr):
            holder, part, offset = self._path(node.node, scope), node.attr, node.lineno + 1
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            holder, part, offset = self._path(node.node, scope), node.arg.value, node.lineno
        else:
            name = node.name if isinstance(node, nodes.Name) else ""
            holder, part, offset = {**self.values, **scope.names}, name, node.lineno
        if isinstance(holder, list) and type(part) is int and part < len(holder):
            return holder[part]
        if isinstance(holder, Mapping) and part in holder:
            return holder[part]
        raise _missing(holder, str(part), offset=offset)

    def _junction(self, node: nodes.And | nodes.Or, scope: Scope) -> nodes.Expr:
        left = self._expression(node.left, scope)
        if isinstance(left, nodes.Const):
            decides = bool(left.value) is isinstance(node, nodes.Or)
            return left if decides else self._expression(node.right, scope)
        right = self._expression(node.right, scope)
        if isinstance(right, nodes.Const):
            _shown(right.value, node)
        return type(node)(left, right)

    def _concat(self, node: nodes.Concat, scope: Scope) -> nodes.Expr:
        parts: list[nodes.Expr] = []
        for child in node.nodes:
            part = self._expression(child, scope)
            for inner in part.nodes if isinstance(part, nodes.Concat) else [part]:
                shown = nodes.Const(_shown(inner.value, node)) if isinstance(inner, nodes.Const) else inner
                if isinstance(shown, nodes.Const) and parts and isinstance(parts[-1], nodes.Const):
                    parts[-1] = nodes.Const(_bounded(parts[-1].value + shown.value, node))
                else:
                    parts.append(shown)
        return parts[0] if len(parts) == 1 and isinstance(parts[0], nodes.Const) else nodes.Concat(parts)

    def _compare(self, node: nodes.Compare, scope: Scope) -> nodes.Expr:
        left = self._expression(node.expr, scope)
        operands = [nodes.Operand(each.op, self._side(each, scope)) for each in node.ops]
        sides = [left, *(operand.expr for operand in operands)]
        for op, before, after in zip((each.op for each in operands), sides, sides[1:], strict=False):
            _comparable(op, node, left=before, right=after)
        if all(isinstance(side, nodes.Const) for side in sides):
            known = [side.value for side in sides if isinstance(side, nodes.Const)]
            return nodes.Const(
                all(_COMPARISONS[each.op](a, b) for each, a, b in zip(operands, known, known[1:], strict=False))
            )
        return nodes.Compare(left, operands)

    def _side(self, operand: nodes.Operand, scope: Scope) -> nodes.Expr:
        """Return the right side of a comparison; a mapping stands for its keys."""
        side = self._expression(operand.expr, scope)
        if operand.op in ("in", "notin") and isinstance(side, nodes.Const) and isinstance(side.value, list | Mapping):
            items = list(side.value)
            for item in items:
                _shown(item, operand.expr)
            return nodes.Const(items)
        return side

    def _filter(self, node: nodes.Filter, scope: Scope) -> nodes.Expr:
        arguments = bound(node)
        try:
            inner = self._expression(subject(node), scope)
        except _Missing:
            if node.name != "default" or not isinstance(node.node, nodes.Getattr | nodes.Getitem):
                raise
            return nodes.Const(arguments["value"])
        if not isinstance(inner, nodes.Const):
            if node.name == "join":
                raise Mistake("template-filter", node.lineno, "`join` needs a list", "join a list of `vars`")
            return nodes.Filter(inner, node.name, [nodes.Const(value) for value in arguments.values()], [], None, None)
        try:
            return nodes.Const(_bounded(FILTERS[node.name].call(inner.value, **arguments), node))
        except ValueError:
            message = f"`{node.name}` cannot take {_kind(inner)}"
            raise Mistake("template-filter", node.lineno, message, "mend the value, or remove the filter") from None


class _Missing(Mistake):
    """A name that `values` do not have; `default` may stand in for it."""


def _missing(holder: Any, part: str, *, offset: int) -> _Missing:
    if isinstance(holder, Mapping):
        return _Missing("template-name", offset, f"there is no {quoted(part)} here", suggestion(part, map(str, holder)))
    if isinstance(holder, list):
        return _Missing(
            "template-name", offset, f"the list has no {quoted(part)}", f"it has {len(holder)} items, from 0"
        )
    return _Missing("template-name", offset, f"there is no {quoted(part)} in {_KINDS.get(type(holder), 'nothing')}")


def _shown(value: Any, node: nodes.Node) -> str:
    """Return a known value as Jinja would write it."""
    if value is None:
        raise Mistake("template-name", start(node), "this value is empty (null)", "give it a value, or use `default`")
    if isinstance(value, list | Mapping):
        message = f"{_KINDS[list if isinstance(value, list) else dict]} cannot be written in a text"
        raise Mistake("template-name", start(node), message, "use `join`, a loop, or one of its parts")
    return str(value)


def _bounded(value: Any, node: nodes.Node) -> Any:
    if isinstance(value, str) and len(value) > MAX_SIZE:
        raise _too_long(start(node))
    return value


def _no_group(side: nodes.Expr, node: nodes.Node) -> None:
    if isinstance(side, nodes.Const) and isinstance(side.value, list | Mapping):
        raise Mistake("template-operator", start(node), "a list or mapping needs `in`", "write `x in vars.list`")


def _comparable(op: str, node: nodes.Node, *, left: nodes.Expr, right: nodes.Expr) -> None:
    """Refuse what Python would raise for, or what never holds: contact values are text."""
    if op in ("eq", "ne"):
        _no_group(left, node)
        _no_group(right, node)
        return
    kinds = _kind(left), _kind(right)
    if op in ("in", "notin"):
        fits = kinds[1] == "a list" or kinds == ("text", "text")
    else:
        fits = kinds in (("text", "text"), ("a number", "a number"))
    if not fits:
        message = f"cannot compare {kinds[0] or 'this'} with {kinds[1] or 'this'}"
        raise Mistake(
            "template-operator",
            start(node),
            message,
            "contact values are text: use `|int`, or put the number in quotes",
        )


def _kind(node: nodes.Node | None) -> str:
    """Return what an expression results in, empty where that depends."""
    match node:
        case nodes.Const(value=value):
            return _KINDS.get(type(value), "nothing")
        case nodes.Compare() | nodes.Not():
            return "a truth value"
        case nodes.And() | nodes.Or():
            return _common(_kind(node.left), _kind(node.right))
        case nodes.Filter(name="default"):
            return _common(_kind(node.node), _kind(node.args[0]))
        case nodes.Filter():
            return _FILTER_KINDS.get(node.name, "text")
    return "text"


def _common(kind: str, other: str) -> str:
    return kind if kind == other else ""


def _uses(node: nodes.Node) -> int:
    """Return how often a folded expression may repeat contact values."""
    if column(node) is not None:
        return 1
    inner = sum(_uses(child) for child in node.iter_child_nodes())
    if isinstance(node, nodes.Filter) and node.name == "replace":
        arguments = bound(node)
        return inner * max(1, -(-len(arguments["new"]) // len(arguments["old"])))
    return inner
