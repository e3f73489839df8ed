"""A folded template as source: one spelling for one meaning, so that digests compare meanings."""

from __future__ import annotations

import re
from typing import Any

from jinja2 import nodes

from octoplan.core.templates.filters import FILTERS
from octoplan.core.templates.grammar import bound, column, constant, subject

# What would not come back as text: the beginning of a tag (also of the code that follows), a bare
# carriage return, and the last line break, which parsing strips.
_BEFORE_CODE = re.compile(r"\{(?=[{%#\r]|\Z)|\r")
_LAST = re.compile(r"\{(?=[{%#\r]|\n\Z)|\r|\n\Z")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_OPERATORS = {"eq": "==", "ne": "!=", "gt": ">", "gteq": ">=", "lt": "<", "lteq": "<=", "in": "in", "notin": "not in"}


def text(data: str, *, before_code: bool) -> str:
    """Return literal text that parses back to itself, also where a tag or nothing follows."""
    special = _BEFORE_CODE if before_code else _LAST
    return special.sub(lambda match: f"{{{{ {literal(match[0])} }}}}", data)


def expression(node: nodes.Node, *, nested: bool = False) -> str:
    """Return an expression's source, in parentheses where it is part of another and not simple."""
    name = column(node)
    if name is not None:
        return f"contact.{name}" if _is_word(name) else f"contact[{literal(name)}]"
    written: str
    match node:
        case nodes.Filter():
            return _filter(node)
        case nodes.Not():
            written = f"not {expression(node.node, nested=True)}"
        case nodes.And() | nodes.Or():
            word = " and " if isinstance(node, nodes.And) else " or "
            written = word.join(expression(child, nested=True) for child in (node.left, node.right))
        case nodes.Concat():
            written = " ~ ".join(expression(child, nested=True) for child in node.nodes)
        case nodes.Compare():
            written = expression(node.expr, nested=True) + "".join(map(_operand, node.ops))
        case nodes.List() | nodes.Tuple():
            return literal(list(map(constant, node.items)))
        case _:
            return literal(constant(node))
    return f"({written})" if nested else written


def literal(value: Any) -> str:
    """Return the source of a text, number, truth value, none or list of them."""
    if isinstance(value, str):
        return '"' + "".join(map(_escaped, value)) + '"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return "none" if value is None else str(value)


def _is_word(name: str) -> bool:
    return name.isidentifier() and name[0] != "_" and name.replace("_", "").isalnum()


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    return char if char.isprintable() else f"\\U{ord(char):08x}"


def _filter(node: nodes.Filter) -> str:
    values = list(bound(node).values())
    defaults = [argument.default for argument in FILTERS[node.name].arguments]
    while values and values[-1] == defaults[len(values) - 1]:
        values.pop()
    arguments = f"({', '.join(map(literal, values))})" if values else ""
    return f"{expression(subject(node), nested=True)}|{node.name}{arguments}"


def _operand(operand: nodes.Operand) -> str:
    return f" {_OPERATORS[operand.op]} {expression(operand.expr, nested=True)}"
