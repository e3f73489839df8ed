"""Folding changes no reading: what is left renders to what Jinja makes of the whole template."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jinja2 import DictLoader, Environment, StrictUndefined

from octoplan.core import templates
from octoplan.core.templates.filters import FILTERS, bind, forgiving

if TYPE_CHECKING:
    from collections.abc import Callable


def _bound(name: str) -> Callable[..., Any]:
    call = forgiving(FILTERS[name].call)
    return lambda value, *positional, **named: call(value, **bind(name, positional, named=named))


JINJA = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - plain text, and nothing hostile
JINJA.filters = {name: _bound(name) for name in FILTERS}

WORDS = st.text(st.sampled_from("aB é{}%#-'\"\\\n\r€_|1,."), max_size=8)
VALUES = st.fixed_dictionaries(
    {
        "vars": st.fixed_dictionaries(
            {
                "a": WORDS,
                "b": WORDS,
                "n": st.integers(-5, 5),
                "flag": st.booleans(),
                "list": st.lists(WORDS, max_size=3),
                "rows": st.lists(st.fixed_dictionaries({"k": WORDS}), max_size=2),
            }
        ),
        "stop": st.just("STOP au XXXXX"),
    }
)
CONTACTS = st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=3)

_FILTERS = (
    "upper",
    "title",
    "trim",
    "truncate(3, end='')",
    "truncate(5, true)",
    "replace('a', 'bb')",
    "number(1)",
    "round",
    "default('z', true)",
    "capitalize",
    "date('%d')",
)


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


TEXTS = st.recursive(
    st.one_of(
        st.sampled_from(
            ["vars.a", "vars.b", 'vars["a"]', "contact.x", 'contact["y z"]', "stop", "vars.list|join('-')"]
        ),
        WORDS.map(_literal),
    ),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: f"({two[0]} ~ {two[1]})"),
        st.tuples(inner, st.sampled_from(_FILTERS)).map(lambda two: f"{two[0]}|{two[1]}"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda three: f"({' '.join(three)})"),
    ),
    max_leaves=5,
)
NUMBERS = st.one_of(TEXTS.map(lambda text: f"{text}|int"), st.sampled_from(["vars.n", "2", "-1"]))
TESTS = st.recursive(
    st.one_of(
        st.sampled_from(["vars.flag", "contact.x", "vars.n"]),
        st.tuples(TEXTS, st.sampled_from(["==", "!=", "<", ">=", "in", "not in"]), TEXTS).map(" ".join),
        st.tuples(NUMBERS, st.sampled_from(["==", "<", "<=", ">"]), NUMBERS).map(" ".join),
        TEXTS.map(lambda text: f"{text} in vars.list"),
        TEXTS.map(lambda text: f"{text} not in ['a', \"é\", '']"),
    ),
    lambda inner: st.one_of(
        inner.map(lambda test: f"not ({test})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda three: f"({three[0]}) {three[1]} ({three[2]})"
        ),
    ),
    max_leaves=3,
)
NAMES = st.sampled_from([f"item{number}" for number in range(20)])
DATA = WORDS.filter(lambda data: not any(opening in data for opening in ("{{", "{%", "{#")) and data[-1:] != "{")
INCLUDES = st.sampled_from(["{% include 'one.txt' %}", '{%- include "two.txt" %}'])
BODIES = st.recursive(
    st.one_of(
        DATA,
        INCLUDES,
        TEXTS.map(lambda text: f"{{{{ {text} }}}}"),
        TESTS.map(lambda test: f"{{{{- {test} }}}}"),
        NUMBERS.map("{{{{ {} }}}}".format),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map("".join),
        st.tuples(TESTS, inner, inner).map("{{% if {0[0]} %}}{0[1]}{{% else %}}{0[2]}{{% endif %}}".format),
        st.tuples(TESTS, inner, TESTS, inner).map(
            "{{% if {0[0]} %}}{0[1]}{{% elif {0[2]} %}}{0[3]}{{% endif %}}".format
        ),
        st.tuples(NAMES, inner).map(
            "{{% for {0[0]} in vars.list %}}{0[1]}{{{{ {0[0]} }}}}{{% else %}}none{{% endfor %}}".format
        ),
        st.tuples(NAMES, inner).map("{{% for {0[0]} in vars.rows -%}} {{{{ {0[0]}.k }}}}{0[1]}{{% endfor %}}".format),
    ),
    max_leaves=6,
)


LEAVES = st.one_of(DATA, TEXTS.map(lambda text: f"{{{{ {text} }}}}\r\n"))
FILES = st.fixed_dictionaries(
    {
        "one.txt": st.one_of(LEAVES, TESTS.map("{{% if {} %}}{{% include 'two.txt' %}}{{% endif %}}".format)),
        "two.txt": LEAVES,
    }
)


@settings(max_examples=60, deadline=None)
@given(st.tuples(INCLUDES, BODIES).map("".join), FILES, VALUES, CONTACTS)
def test_folded_template_reads_the_same(
    text: str, files: dict[str, str], values: dict[str, Any], contacts: list[tuple[str, str]]
) -> None:
    origin = templates.Origin(read=files.__getitem__)
    template, findings = templates.parse(text, ("message", "text"), origin=origin)
    assume(template or {found.rule for found in findings} != {"template-loop"})  # a name drawn twice
    assert template, findings
    source, findings = templates.fold(template, values)
    assume(not any("cannot" in found.message for found in findings))  # a known text that is no number or date
    assert not findings
    whole = JINJA.overlay(loader=DictLoader(files)).from_string(text)
    expected = [whole.render(values, contact={"x": x, "y z": y}) for x, y in contacts]
    columns = {"x": [x for x, _ in contacts], "y z": [y for _, y in contacts]}
    assert templates.Renderer(source).render(columns, len(contacts)) == expected
    again, findings = templates.parse(source, ())
    assert again, findings
    assert templates.fold(again, {}) == (source, ())
