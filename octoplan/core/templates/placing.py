"""A folded text as one with placeholders: what stands in it for whom, where that is all it leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import nodes

from octoplan.core.merge import MARK, has_braces
from octoplan.core.quantity import quantity
from octoplan.core.templates import printing
from octoplan.core.templates.grammar import column, subject
from octoplan.core.templates.rendering import folded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A text with placeholders, and what each of them stands for: a folded text of one output."""

    text: str
    outputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Why a text cannot have placeholders, as a clause about it."""

    why: str


def place(source: str, names: Sequence[str], *, plain: Callable[[str], str] = str) -> Placed | Unplaced:
    """Return a folded text with placeholders of these names; the same output twice takes one of them.

    An output of a column that is called like a placeholder gets that one. `plain` is what becomes of the
    text between outputs on its way.
    """
    written: list[tuple[str, nodes.Expr | None]] = []
    for statement in folded(source).tree.body:
        if not isinstance(statement, nodes.Output):
            return Unplaced("the text has `{% if %}` over `contact`")
        written += map(_read, statement.nodes)
    texts = {text: plain(text) for text, output in written if output is None}
    if any(map(has_braces, texts.values())):
        return Unplaced("the text has braces of its own")
    outputs = {text: output for text, output in written if output is not None}
    if len(outputs) > len(names):
        return Unplaced(
            f"the text has {quantity(len(outputs), 'output')} over `contact`, of which a call takes {len(names)}"
        )
    chosen = _named(outputs, names)
    marks = {output: MARK.format(name) for output, name in chosen.items()}
    return Placed(
        text="".join(texts[text] if output is None else marks[text] for text, output in written),
        outputs={name: f"{{{{ {output} }}}}" for output, name in chosen.items()},
    )


def _read(node: nodes.Expr) -> tuple[str, nodes.Expr | None]:
    """Return literal text, or an output's source with its tree."""
    if isinstance(node, nodes.TemplateData):
        return node.data, None
    if isinstance(node, nodes.Const):
        return str(node.value), None
    return printing.expression(node), node


def _named(outputs: Mapping[str, nodes.Expr], names: Iterable[str]) -> dict[str, str]:
    """Return the placeholder of each output: of those of one column, it is the bare one that gets its name."""
    free = list(names)
    chosen: dict[str, str] = {}
    ways = (column, _column)
    for way in ways:
        for source, node in outputs.items():
            wanted = way(node)
            if source not in chosen and wanted in free:
                chosen[source] = wanted
                free.remove(wanted)
    return {source: chosen.get(source) or free.pop(0) for source in outputs}


def _column(node: nodes.Node) -> str | None:
    while isinstance(node, nodes.Filter):
        node = subject(node)
    return column(node)
