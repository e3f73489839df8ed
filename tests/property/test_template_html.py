"""Rendered as HTML, what a contact's value holds is text, and what the author wrote is markup."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from hypothesis import example, given, settings
from hypothesis import strategies as st

from octoplan.core import templates
from octoplan.core.templates.filters import FILTERS

if TYPE_CHECKING:
    from collections.abc import Callable

NASTY = st.text(st.sampled_from("<>&\"'aB; %{}#x3/="), max_size=8)
COLUMNS = ("x", "y z")
Row = dict[str, str]


@dataclass(frozen=True)
class Piece:
    """An expression, its value, and what is put out for it; `author` where no contact is in it."""

    source: str
    raw: Callable[[Row], str]
    out: Callable[[Row], str]
    author: bool = False


def literal(text: str) -> Piece:
    return Piece(json.dumps(text), lambda _: text, lambda _: text, author=True)


def column(name: str) -> Piece:
    return Piece(f'contact["{name}"]', lambda row: row[name], lambda row: html.escape(row[name]))


def filtered(inner: Piece, name: str) -> Piece:
    def raw(row: Row) -> str:
        arguments = {"length": 5, "killwords": True, "end": ""} if name == "truncate" else {}
        text: str = FILTERS[name].call(inner.raw(row), **arguments)
        return text

    call = "truncate(5, true, '')" if name == "truncate" else name
    return Piece(
        f"({inner.source})|{call}", raw, raw if inner.author else lambda row: html.escape(raw(row)), inner.author
    )


def joined(left: Piece, right: Piece) -> Piece:
    return Piece(
        f"({left.source} ~ {right.source})",
        lambda row: left.raw(row) + right.raw(row),
        lambda row: left.out(row) + right.out(row),
        left.author and right.author,
    )


def either(left: Piece, right: Piece) -> Piece:
    if left.author:
        chosen = left if left.raw({}) else right
        return Piece(f"({left.source} or {right.source})", chosen.raw, chosen.out, chosen.author)
    return Piece(
        f"({left.source} or {right.source})",
        lambda row: left.raw(row) or right.raw(row),
        lambda row: left.out(row) if left.raw(row) else right.out(row),
    )


def both(left: Piece, right: Piece) -> Piece:
    if left.author:
        chosen = right if left.raw({}) else left
        return Piece(f"({left.source} and {right.source})", chosen.raw, chosen.out, chosen.author)
    return Piece(
        f"({left.source} and {right.source})",
        lambda row: left.raw(row) and right.raw(row),
        lambda row: right.out(row) if left.raw(row) else left.out(row),
    )


def defaulted(inner: Piece, text: str) -> Piece:
    return Piece(
        f"({inner.source})|default({json.dumps(text)}, true)",
        lambda row: inner.raw(row) or text,
        lambda row: inner.out(row) if inner.raw(row) else text,
        inner.author,
    )


def kept(inner: Piece) -> Piece:
    return Piece(f"({inner.source})|default('<b>')", inner.raw, inner.out, inner.author)


PIECES = st.recursive(
    st.one_of(st.sampled_from(COLUMNS).map(column), NASTY.map(literal)),
    lambda inner: st.one_of(
        st.builds(filtered, inner, st.sampled_from(["upper", "trim", "truncate", "title"])),
        st.builds(joined, inner, inner),
        st.builds(either, inner, inner),
        st.builds(both, inner, inner),
        st.builds(defaulted, inner, NASTY),
        st.builds(kept, inner),
    ),
    max_leaves=5,
)
ROWS = st.lists(st.fixed_dictionaries(dict.fromkeys(COLUMNS, NASTY)), min_size=1, max_size=3)


def rendered(text: str, rows: list[Row]) -> list[str]:
    template, findings = templates.parse(text, ())
    assert template, findings
    source, findings = templates.fold(template, {})
    assert not findings
    columns = {name: [row[name] for row in rows] for name in COLUMNS}
    return templates.Renderer(source, html=True).render(columns, len(rows))


@settings(max_examples=50, deadline=None)
@given(PIECES, ROWS)
@example(defaulted(column("x"), "<b>&</b>"), [{"x": "", "y z": ""}, {"x": "<i>", "y z": ""}])
@example(filtered(defaulted(column("x"), "<b>"), "upper"), [{"x": "", "y z": ""}, {"x": "<i>", "y z": ""}])
def test_contact_values_are_escaped_where_they_are_put_out(piece: Piece, rows: list[Row]) -> None:
    expected = [f'<p title="a & b">{piece.out(row)}</p>' for row in rows]
    text = f'<p title="a & b">{{{{ {piece.source} }}}}</p>'
    assert rendered(text, rows) == expected
    assert rendered("{% if contact.x == 'no' %}-{% endif %}" + text, rows) == expected
    condition = f"{{% if {piece.source} == '<&>' %}}<br>{{% else %}}&{{% endif %}}{{{{ contact.x }}}}"
    answers = [("<br>" if piece.raw(row) == "<&>" else "&") + html.escape(row["x"]) for row in rows]
    assert rendered(condition, rows) == answers


class Reader(HTMLParser):
    """What a page says: its tags, its attributes' values and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


@settings(max_examples=40, deadline=None)
@given(NASTY, NASTY)
def test_a_page_says_the_values_and_has_the_authors_elements(x: str, y: str) -> None:
    text = """<p title="{{ contact.x }}">{{ contact["y z"] }}<b id='{{ contact.x|upper }}'>&eacute;</b></p>"""
    (page,) = rendered(text, [{"x": x, "y z": y}])
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.tags == [("p", [("title", x)]), ("b", [("id", x.upper())])]
    assert reader.text == f"{y}é"
