"""The `where` of an audience: one SQL condition over text columns, and nothing else.

The condition is parsed by the engine, its tree is held against an allow-list, its columns are
replaced by the engine's own names, and the statement that runs is written anew from that tree.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from octoplan.audience.errors import AudienceError
from octoplan.audience.sheet import looks_like_contact
from octoplan.core.quoting import quoted, typed
from octoplan.core.rules import finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from duckdb import DuckDBPyConnection

    from octoplan.core.model import Finding

MAX_LENGTH = 4_000

PREFIX = "FROM numbered WHERE (\n"

BARE = "FROM numbered WHERE  \n"
"""As long as the prefix, so that what is parsed after either has the same positions."""

OPERATORS = {
    "OPERATOR_NOT",
    "OPERATOR_IS_NULL",
    "OPERATOR_IS_NOT_NULL",
    "OPERATOR_COALESCE",
    "COMPARE_IN",
    "COMPARE_NOT_IN",
}

FUNCTIONS = {
    "~~": "like",
    "!~~": "not like",
    "~~*": "ilike",
    "!~~*": "not ilike",
    **{
        name: name
        for name in (
            *("lower", "upper", "trim", "ltrim", "rtrim", "length", "left", "right", "substring", "substr", "replace"),
            *("contains", "starts_with", "ends_with", "prefix", "suffix", "regexp_matches", "regexp_full_match"),
            "nullif",
        )
    },
}

DIALECT = "the SQL of DuckDB"

_NEAR = re.compile(r'at or near "(\w+)"$')

TYPES = {"integer", "bigint", "double", "decimal", "date", "timestamp", "varchar", "text", "int"}

_GROUPS = {"COMPARISON", "CONJUNCTION", "BETWEEN", "CONSTANT"}

_REFUSED = {
    "SUBQUERY": "a subquery",
    "LAMBDA": "a lambda",
    "PARAMETER": "a parameter",
    "WINDOW": "a window function",
    "STAR": "a star",
    "CASE": "case",
    "COLLATE": "collate",
    "POSITIONAL_REFERENCE": "a column by position",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A checked condition: the `statement` that selects the rows it keeps, and the columns it reads."""

    statement: str
    columns: tuple[str, ...] = ()


def check(connection: DuckDBPyConnection, condition: str, *, columns: Mapping[str, str]) -> Condition:
    """Check a condition on the view `numbered`; `columns` maps the header's names to the view's.

    Raises AudienceError with every finding of rule `where`.
    """
    tree = _parse(connection, condition, columns=columns)
    checker = _Checker(condition, columns)
    checker.visit(tree["statements"][0]["node"]["where_clause"])
    if checker.findings:
        raise AudienceError(checker.findings)
    statement = connection.execute("SELECT json_deserialize_sql(?::JSON)", [json.dumps(tree)]).fetchall()[0][0]
    return Condition(statement=statement, columns=tuple(checker.used))


def refuse(message: str, **fields: Any) -> Finding:
    """Make a finding about the campaign's `where`."""
    return finding("where", message, path=("audience", "where"), **fields)


def _parse(connection: DuckDBPyConnection, condition: str, *, columns: Mapping[str, str]) -> Any:
    if len(condition) > MAX_LENGTH:
        message = f"has {len(condition):,} characters, and may have {MAX_LENGTH:,}"
        raise AudienceError([refuse(message, hint="keep those who are meant in a file of their own")])
    tree = _serialise(connection, f"{PREFIX}{condition}\n)")
    if tree["error"] or not condition.strip():
        within = _within(condition, int(tree.get("position") or 0))
        raise AudienceError([refuse("is no SQL condition", within=within, hint=_way_out(tree, columns))])
    alone = tree == _serialise(connection, f"{BARE}{condition}\n")
    if not alone or _shell(tree) != _shell(_serialise(connection, f"{PREFIX}true\n)")):
        hint = "give one condition, as after WHERE, with balanced parentheses"
        raise AudienceError([refuse("is not one condition by itself", hint=hint)])
    return tree


def _serialise(connection: DuckDBPyConnection, statement: str) -> Any:
    return json.loads(connection.execute("SELECT json_serialize_sql(?)", [statement]).fetchall()[0][0])


def _way_out(tree: Any, columns: Mapping[str, str]) -> str:
    """Return what to write instead of what the engine could not parse."""
    near = _NEAR.search(tree.get("error_message") or "")
    if near and near[1].casefold() in map(str.casefold, columns):
        return f'{quoted(near[1])} is a word of SQL: write the column as "{near[1]}"'
    return f'write it in {DIALECT}: a text in single quotes, a column such as "order" in double ones'


def _shell(tree: Any) -> Any:
    """Return everything of a parsed statement but its condition."""
    statements = tree["statements"]
    return [{**one, "node": {**one["node"], "where_clause": None}, "named_param_map": None} for one in statements]


def _within(condition: str, position: int) -> tuple[int, int] | None:
    """Turn the engine's position, in bytes of the statement, into line and column of the condition."""
    offset = position - len(PREFIX)
    encoded = condition.encode()
    if not 0 <= offset <= len(encoded):
        return None
    before = encoded[:offset].decode(errors="ignore").split("\n")
    return len(before), len(before[-1]) + 1


class _Checker:
    """Walks a condition's tree, collects what is not allowed, and renames the columns in it."""

    def __init__(self, condition: str, columns: Mapping[str, str]) -> None:
        self.condition = condition
        self.columns = columns
        self.folded = {name.casefold(): name for name in columns}
        self.used: dict[str, None] = {}
        self.findings: list[Finding] = []

    def visit(self, node: Any) -> None:
        """Check one node and, where it is allowed, those below it."""
        if isinstance(node, list):
            for one in node:
                self.visit(one)
        elif isinstance(node, dict) and "class" in node:
            self._expression(node)
        elif isinstance(node, dict):
            self.visit(list(node.values()))

    def _expression(self, node: dict[str, Any]) -> None:
        group = node["class"]
        if group == "COLUMN_REF":
            self._column(node)
        elif group == "FUNCTION":
            self._function(node)
        elif group == "CAST":
            self._cast(node)
        elif group in _GROUPS or (group == "OPERATOR" and node["type"] in OPERATORS):
            self.visit(list(node.values()))
        else:
            self._refuse(node, f"{_REFUSED.get(group, 'an operator')} is not allowed")

    def _refuse(self, node: dict[str, Any], message: str, **fields: Any) -> None:
        within = _within(self.condition, node.get("query_location") or 0)
        self.findings.append(refuse(message, within=within, **fields))

    def _column(self, node: dict[str, Any]) -> None:
        path = node["column_names"]
        name = self.folded.get(path[0].casefold()) if len(path) == 1 else None
        if name is not None:
            node["column_names"] = [self.columns[name]]
            self.used[name] = None
            return
        close = get_close_matches(path[-1], self.columns, 1)
        hint = "a text goes in single quotes, a column's name in double ones"
        written = ".".join(path)
        self._refuse(
            node,
            f"names {typed(written)}, a column that the audience does not have",  # or a number in the wrong quotes
            value=None if looks_like_contact(written) else written,
            hint=f"did you mean {close[0]}?" if close else hint,
        )

    def _function(self, node: dict[str, Any]) -> None:
        name = node["function_name"]
        plain = not (node.get("schema") or node.get("catalog") or node.get("filter") or node.get("distinct"))
        if name not in FUNCTIONS or not plain:
            self._refuse(node, f"calls {typed(name)}, which is not allowed", hint=_choice(name, FUNCTIONS.values()))
            return
        arguments = [one.get("expression", one) for one in node.get("arguments") or node.get("children") or ()]
        if name == "replace" and not _shrinks(arguments):
            self._refuse(node, "replace may only put a constant for one at least as long")
        self.visit(arguments)

    def _cast(self, node: dict[str, Any]) -> None:
        written = node.get("type_expr", {}).get("type_name") or node.get("cast_type", {}).get("id") or ""
        if str(written).casefold() not in TYPES:
            message = f"casts to {typed(str(written))}, which is not allowed"
            self._refuse(node, message, hint=_choice(str(written).casefold(), TYPES))
        self.visit(node["child"])


def _choice(name: str, known: Iterable[str]) -> str:
    """Return what the condition may hold instead, the nearest first."""
    allowed = sorted(set(known))
    close = get_close_matches(name, allowed, 1)
    return (f"did you mean {close[0]}? " if close else "") + f"of {DIALECT} there is {', '.join(allowed)}"


def _shrinks(arguments: list[dict[str, Any]]) -> bool:
    """Tell whether a `replace` cannot make its text longer: nested ones could fill the memory."""
    texts = [_constant(one) for one in arguments[1:]]
    match texts:
        case [str(old), str(new)]:
            return 0 < len(old) >= len(new)
    return False


def _constant(node: dict[str, Any]) -> Any:
    literal = node.get("literal") or node.get("value") or {}
    return literal.get("text", literal.get("value")) if node["class"] == "CONSTANT" else None
