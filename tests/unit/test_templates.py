from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from octoplan.core import templates
from octoplan.core.templates.rendering import Renderer

VALUES: dict[str, Any] = {
    "vars": {
        "shop": "acme.example",
        "price": Decimal("1234.50"),
        "big": 2_500_000,
        "day": "2026-12-03",
        "moment": "2026-12-03T09:05:07",
        "shops": ["Lyon", "Paris"],
        "rows": [{"name": "A", "of": ["1", "2"]}, {"name": "B", "of": []}],
        "none": None,
        "yes": True,
        "three": 3,
        "map": {"Lyon": 1},
        "x y": "spaced",
        "braces": "{{ {% {# } }} {",
        "lines": "a\r\nb\n",
        "open": "a{\r{\n",
    },
    "each": {"country": "FR"},
    "campaign": {"id": "noel-2026"},
    "env": {"name": "prod"},
    "stop": "STOP au XXXXX",
}


def folded(text: str, *, contact: bool = True) -> str:
    template, findings = templates.parse(text, ("message", "text"))
    assert template, findings
    source, findings = templates.fold(template, VALUES, contact=contact)
    assert not findings
    return source


def rendered(text: str, **columns: list[str]) -> list[str]:
    count = len(next(iter(columns.values()), ["one"]))
    return Renderer(folded(text)).render(columns, count)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("plain", "plain"),
        ("one line break less\n\n", 'one line break less{{ "\\n" }}'),
        ("{# a comment #}{{ vars.shop }}", "acme.example"),
        ("{{ stop }} {{ campaign.id }} {{ env.name }} {{ each.country }}", "STOP au XXXXX noel-2026 prod FR"),
        ('{{ vars["x y"] }} {{ vars.shops[1] }} {{ vars.shops.0 }}', "spaced Paris Lyon"),
        ("{{contact.first_name}}", "{{ contact.first_name }}"),
        ('{{ contact["first_name"] }}', "{{ contact.first_name }}"),
        (
            '{{ contact["x y"] }}{{ contact["_z"] }}{{ contact["1"] }}{{ contact["é"] }}',
            '{{ contact["x y"] }}{{ contact["_z"] }}{{ contact["1"] }}{{ contact.é }}',
        ),
        ("{{ 'a' ~ contact.x ~ vars.three ~ 'b' }}", "a{{ contact.x }}3b"),
        ("{{ ('a' ~ contact.x)|upper }}", '{{ ("a" ~ contact.x)|upper }}'),
        ("{{ vars.yes }} {{ 1.50 }} {{ -2 }} {{ vars.price }}", "True 1.50 -2 1234.50"),
        ("{% if vars.yes %}a{% else %}b{% endif %}", "a"),
        ("{% if not vars.yes %}a{% elif vars.three > 2 %}b{% else %}c{% endif %}", "b"),
        ("{% if not vars.yes %}a{% endif %}", ""),
        ("{% if contact.x %}a{% elif vars.yes %}b{% else %}c{% endif %}", "{% if contact.x %}a{% else %}b{% endif %}"),
        (
            "{% if not vars.yes %}a{% elif contact.x %}b{% else %}c{% endif %}",
            "{% if contact.x %}b{% else %}c{% endif %}",
        ),
        ("{% if contact.x %}a{% elif not vars.yes %}b{% endif %}", "{% if contact.x %}a{% endif %}"),
        ("{% if contact.x %}a{% elif contact.y %}b{% endif %}", "{% if contact.x %}a{% elif contact.y %}b{% endif %}"),
        ("{% if vars.yes and contact.x %}a{% endif %}", "{% if contact.x %}a{% endif %}"),
        ("{% if vars.yes or contact.x %}a{% endif %}", "a"),
        (
            "{% if contact.x and (contact.y or vars.yes) %}a{% endif %}",
            "{% if contact.x and (contact.y or true) %}a{% endif %}",
        ),
        ("{% if not (contact.x == vars.shop) %}a{% endif %}", '{% if not (contact.x == "acme.example") %}a{% endif %}'),
        ("{% if contact.x in vars.shops %}a{% endif %}", '{% if contact.x in ["Lyon", "Paris"] %}a{% endif %}'),
        ("{% if contact.x not in vars.map %}a{% endif %}", '{% if contact.x not in ["Lyon"] %}a{% endif %}'),
        ("{% if contact.x in ('a', -1, true) %}a{% endif %}", '{% if contact.x in ["a", -1, true] %}a{% endif %}'),
        ("{% if 'Lyon' in vars.shops and 2 < vars.three <= 3 %}a{% endif %}", "a"),
        ("{% if contact.x|int > 2.50 %}a{% endif %}", "{% if contact.x|int > 2.50 %}a{% endif %}"),
        ("{% if contact.x|default('a') < 'b' %}a{% endif %}", '{% if contact.x|default("a") < "b" %}a{% endif %}'),
        ("{% if contact.x == vars.none %}a{% endif %}", "{% if contact.x == none %}a{% endif %}"),
        ("{% if (contact.x == 'a') == vars.yes %}a{% endif %}", '{% if (contact.x == "a") == true %}a{% endif %}'),
        ("{% for s in vars.shops %}{{ s }},{% endfor %}", "Lyon,Paris,"),
        ("{% for r in vars.rows %}{{ r.name }}{% for o in r.of %}{{ o }}{% else %}-{% endfor %}{% endfor %}", "A12B-"),
        ("{% for s in vars.shops %}{{ contact.x }}{{ s }}{% endfor %}", "{{ contact.x }}Lyon{{ contact.x }}Paris"),
        ("{{ vars.braces }}", '{{ "{" }}{ {{ "{" }}% {{ "{" }}# } }} {'),
        ("{{ vars.braces }}{{ contact.x }}", '{{ "{" }}{ {{ "{" }}% {{ "{" }}# } }} {{ "{" }}{{ contact.x }}'),
        ("{{ vars.open }}", 'a{{ "{" }}{{ "\\r" }}{{ "{" }}{{ "\\n" }}'),
        ("{{ vars.open }}{{ contact.x }}", 'a{{ "{" }}{{ "\\r" }}{\n{{ contact.x }}'),
        ("{{ vars.lines }}", 'a{{ "\\r" }}\nb{{ "\\n" }}'),
        ("{{ '\\t\\x07' ~ contact.x|replace('\"', '\\\\') }}", '\t\x07{{ contact.x|replace("\\"", "\\\\") }}'),
        ("{{ contact.x|replace('\\u200b', '\\n') }}", '{{ contact.x|replace("\\U0000200b", "\\n") }}'),
        ("{{ contact.x|truncate(20, end='') }}", '{{ contact.x|truncate(20, false, "") }}'),
        ("{{ contact.x|truncate(255, false) }}", "{{ contact.x|truncate }}"),
        ("{{ vars.nothing|default('b') }}{{ vars.none|default('c') }}{{ vars.shop|default('d') }}", "bcacme.example"),
        ("{{ contact.x or 'dear client' }}", '{{ contact.x or "dear client" }}'),
        ("{{ 'a' in contact.x }}", '{{ "a" in contact.x }}'),
    ],
)
def test_fold(text: str, source: str) -> None:
    assert folded(text) == source


def test_contact_may_be_unknown() -> None:
    template, _ = templates.parse("{{ vars.shop }} {{ contact.x }}", ("sender",))
    assert template is not None
    _, (found,) = templates.fold(template, VALUES, contact=False)
    assert (found.rule, found.path, found.within) == ("template-name", ("sender",), (1, 20))


def test_every_mistake_is_found_once_at_its_place() -> None:
    text = "{{ vars.shpo }}\n{% for s in vars.shops %}{{ vars.shpo }}{% endfor %}{% if vars.nope %}{% endif %}"
    template, _ = templates.parse(text, ())
    assert template is not None
    _, findings = templates.fold(template, VALUES)
    assert [(found.within, found.hint) for found in findings] == [
        ((1, 9), "did you mean `shop`?"),
        ((2, 34), "did you mean `shop`?"),
        ((2, 64), findings[2].hint),
    ]


def test_default_stands_in_for_a_missing_name_only() -> None:
    template, _ = templates.parse("{{ (vars.nope ~ 'a')|default('b') }}{{ vars.nope|upper }}", ())
    assert template is not None
    _, findings = templates.fold(template, VALUES)
    assert len(findings) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ vars.price|number }}", "1 234,50"),
        ("{{ vars.price|number(1) }}", "1 234,5"),
        ("{{ vars.big|number(0, group='.') }}", "2.500.000"),
        ("{{ '1234,5'|number(2, '.', '') }}", "1234.50"),
        ("{{ '0.125'|number(2) }}{{ '-7'|number(1) }}", "0,13-7,0"),
        ("{{ vars.price|round }} {{ '2.345'|round(2) }} {{ 3|round }}", "1235 2.35 3"),
        ("{{ '12.7'|int }} {{ 'x'|int }} {{ 'x'|int(-1) }} {{ ' 1 200 '|int }}", "12 0 -1 1200"),
        ("{{ vars.day|date('%d/%m/%Y') }} {{ vars.day|date('%-d.%-m.%y %j%%') }}", "03/12/2026 3.12.26 337%"),
        ("{{ vars.moment|date('%H:%M:%S') }}", "09:05:07"),
        ("{{ vars.shops|join }} {{ vars.shops|join(', ') }}", "LyonParis Lyon, Paris"),
        (
            "{{ 'été'|upper }} {{ 'ÉT'|lower }} {{ 'aB c'|title }} {{ 'aBC'|capitalize }} {{ ' a '|trim }}!",
            "ÉTÉ ét Ab C Abc a!",
        ),
        ("{{ 'one two three'|truncate(10) }} {{ 'one two three'|truncate(10, true, '') }}", "one... one two th"),
        ("{{ 'one two'|truncate(7) }}", "one two"),
        ("{{ 'a-b'|replace('-', ' & ') }}", "a & b"),
        ("{{ ''|default('b', true) }}{{ ''|default('b') }}", "b"),
    ],
)
def test_filters(text: str, expected: str) -> None:
    assert folded(text) == expected
    (alone,) = rendered(text)
    assert alone == expected


@pytest.mark.parametrize(
    ("chain", "values", "expected"),
    [
        ("number(2)", ["1234.5", "abc", "1,250", "1,25", ""], ["1 234,50", "abc", "1,250", "1,25", ""]),
        ("round(1)", ["2.25", "abc"], ["2.3", "abc"]),
        ("int", ["7", "abc", "9" * 5000, "٣"], ["7", "0", "0", "0"]),
        ("date('%d')", ["2026-12-03", "tomorrow"], ["03", "tomorrow"]),
        ("upper|truncate(4, true, '')", ["straße", "é"], ["STRA", "É"]),
        ("default('client', true)", ["", "Zoé"], ["client", "Zoé"]),
    ],
)
def test_filters_never_stop_at_a_contacts_value(chain: str, values: list[str], expected: list[str]) -> None:
    assert rendered(f"{{{{ contact.x|{chain} }}}}", x=values) == expected
    in_a_program = rendered(f"{{% if contact.x == 'none' %}}-{{% endif %}}{{{{ contact.x|{chain} }}}}", x=values)
    assert in_a_program == expected


NASTY = ["{{ vars.shop }}", "%s %(x)s %", "\x1f", "a\nb\r\n", "{% if %}", "", "'\"\\", "<b>&amp;", "None"]


@pytest.mark.parametrize(
    "text",
    ["{{ contact.x }}", "100% {{ contact.x }}%", "{% if contact.x == 'zz' %}-{% else %}100%{% endif %}{{ contact.x }}"],
)
def test_contact_values_come_out_as_they_are(text: str) -> None:
    frame = text.replace("{% if contact.x == 'zz' %}-{% else %}100%{% endif %}", "100%")
    assert rendered(text, x=NASTY) == [frame.replace("{{ contact.x }}", value) for value in NASTY]


def test_renderer_takes_flat_texts_and_others() -> None:
    assert Renderer("100% {{ contact.x|upper }}")._compiled is None
    assert Renderer("{% if contact.x %}a{% endif %}")._compiled is not None
    assert Renderer('{% if contact["a b"] %}a{% endif %}').render({"a b": ["", "b"]}, 2) == ["", "a"]
    assert Renderer("100%").render({}, 2) == ["100%", "100%"]
    assert Renderer("{{ 1 }}{% if true %}%{% endif %}").render({}, 2) == ["1%", "1%"]


def test_renderer_compares_exactly() -> None:
    source = folded("{% if contact.x|round(1) == 0.1 %}{{ contact.y }}{% elif contact.x|int >= -1 %}b{% endif %}")
    assert Renderer(source).render({"x": ["0.1", "-1", "-2"], "y": ["p", "q", "r"]}, 3) == ["p", "b", ""]


@pytest.mark.parametrize("text", ["{{ nobody }}", "{{ vars.shop }}", "{% for s in vars.shops %}{% endfor %}"])
def test_renderer_refuses_what_is_not_folded(text: str) -> None:
    with pytest.raises(ValueError, match="not a folded template"):
        Renderer(text)


@pytest.mark.parametrize("test", ["(not contact.x) < 3", "(contact.x or 3) < 3", "3 in (contact.x == 'a')"])
def test_comparison_that_could_stop_a_run_is_refused(test: str) -> None:
    template, _ = templates.parse(f"{{% if {test} %}}a{{% endif %}}", ())
    assert template is not None
    _, (found,) = templates.fold(template, VALUES)
    assert found.rule == "template-operator"
    assert found.message.startswith("cannot compare ")


def test_comparison_of_texts_is_fine() -> None:
    assert rendered("{{ (contact.x or contact.y) < 'b' }}", x=["a", ""], y=["", "c"]) == ["True", "False"]


def test_column_named_like_a_method_is_a_column() -> None:
    assert rendered("{{ contact.items }} {{ contact.keys }}", items=["a"], keys=["b"]) == ["a b"]
    assert rendered("{% if contact['items'] == 'a' %}{{ contact.keys }}{% endif %}", items=["a"], keys=["b"]) == ["b"]


def test_columns_in_order_of_first_use() -> None:
    source = '{{ contact.b|upper }}{% if contact.a == contact.b %}{{ contact["c d"] }}{% endif %}'
    assert templates.columns(source) == ("b", "a", "c d")


def test_columns_are_known_with_their_first_use() -> None:
    text = '{{ contact.a }}{{ vars.a }}\n{{ contact.bb }}{{ contact["c d"]|upper ~ contact.a }}'
    template, _ = templates.parse(text, ("message", "text"))
    assert template is not None
    assert list(template.uses().items()) == [
        ("a", (None, (1, 12))),
        ("bb", (None, (2, 12))),
        ("c d", (None, (2, 28))),
    ]


@pytest.mark.parametrize(
    ("source", "pattern"),
    [
        ("ACME: {{ contact.first_name }}, {{ contact.code }}", "ACME: ‹first_name ≤11›, ‹code 8›"),
        ("{{ contact.other }}", "‹other›"),
        ("{{ contact.code|upper }}", "‹contact.code|upper›"),
        ('{{ "{" }}{ 100%', "{{ 100%"),
        (
            "{% if contact.code %}a{% elif contact.x == -1 %}b{% else %}c{% endif %}",
            "‹if contact.code›a‹elif contact.x == -1›b‹else›c‹end›",
        ),
        ('{% if contact.code in ["a"] %}{{ contact.code }}{% endif %}', '‹if contact.code in ["a"]›‹code 8›‹end›'),
    ],
)
def test_pattern(source: str, pattern: str) -> None:
    assert templates.pattern(source, {"first_name": (2, 11), "code": (8, 8)}) == pattern


def test_line_breaks_of_any_system_are_one() -> None:
    assert folded("a\r\nb\rc\r\n") == "a\nb\nc"
    template, (found,) = templates.parse("a\r\nb\r\n {{ nope }}", ())
    assert template is None
    assert found.within == (3, 5)


def test_folding_does_not_change_the_template() -> None:
    template, _ = templates.parse("{% for s in vars.shops %}{{ s|upper }}{% endfor %}{{ contact.x }}", ())
    assert template is not None
    assert templates.fold(template, VALUES) == templates.fold(template, VALUES)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{{ contact.Nom complet }}", "Nom complet"),
        ("{{ contact.a }} {{ contact.date d'achat | upper }}", "date d'achat"),
        ("{% if contact.ville and contact.Code postal %}x{% endif %}", "Code postal"),
        ("{{ contact.2e pré-nom }}", "2e pré-nom"),
    ],
)
def test_a_column_that_is_no_plain_word_is_written_in_brackets(text: str, name: str) -> None:
    _, findings = templates.parse(text, ())
    assert [(found.rule, found.hint) for found in findings] == [("template-syntax", f'write `contact["{name}"]`')]
    assert not templates.parse(text.replace(f".{name}", f'["{name}"]'), ())[1]
    (other,) = templates.parse("{{ contact.first_name }} {{ vars.a b }}", ())[1]
    assert "contact[" not in (other.hint or "")


class Files(dict[str, str]):
    """A project's text files, and which were read."""

    def __init__(self, **texts: str) -> None:
        super().__init__({f"{name}.txt": text for name, text in texts.items()})
        self.asked: list[str] = []

    def read(self, name: str) -> str:
        self.asked.append(name)
        if name not in self:
            raise templates.Unreadable("it cannot be read", "put it there")
        return self[name]

    def origin(self, folder: str = "", file: str | None = None) -> templates.Origin:
        return templates.Origin(folder=folder, file=file, read=self.read)


def included(text: str, **files: str) -> str:
    template, findings = templates.parse(text, (), origin=Files(**files).origin())
    assert template, findings
    source, findings = templates.fold(template, VALUES)
    assert not findings
    return source


@pytest.mark.parametrize(
    ("text", "files", "source"),
    [
        ('a {% include "b.txt" %}!', {"b": "{{ vars.shop }} {{ contact.x }}\n"}, "a acme.example {{ contact.x }}!"),
        ('{% include "b.txt" %}', {"b": "\ufeffone\r\ntwo\rthree\r\n\r\n"}, 'one\ntwo\nthree{{ "\\n" }}'),
        ('a{{% include "b.txt" %}'.replace("{{%", "{ {%"), {"b": "% if"}, "a{ % if"),
        ('a{% include "b.txt" %}% x', {"b": "{{ '{' }}"}, 'a{{ "{" }}% x'),
        ('{% for s in vars.shops %}{% include "b.txt" %}{% endfor %}', {"b": "<{{ s }}>"}, "<Lyon><Paris>"),
        ('{% if contact.x %}{% include "b.txt" -%} {% endif %}', {"b": ""}, "{% if contact.x %}{% endif %}"),
        ('{% if vars.yes %}a{% else %}{% include "b.txt" %}{% endif %}', {"b": "b"}, "a"),
        ('{% include "b.txt" %}{% include "c.txt" %}', {"b": '{% include "c.txt" %}', "c": "-"}, "--"),
    ],
)
def test_included_text_is_folded_in_place(text: str, files: dict[str, str], source: str) -> None:
    assert included(text, **files) == source
    again, findings = templates.parse(source, ())
    assert again, findings


def test_five_files_may_be_inside_each_other_and_one_is_read_once() -> None:
    files = Files(
        e="{{ contact.x }}", **{a: f'{{% include "{b}.txt" %}}' * 2 for a, b in zip("abcd", "bcde", strict=True)}
    )
    template, findings = templates.parse('{% include "a.txt" %}{% include "c.txt" %}', (), origin=files.origin())
    assert template, findings
    assert templates.fold(template, {})[0] == "{{ contact.x }}" * 20
    assert sorted(files.asked) == ["a.txt", "b.txt", "c.txt", "d.txt", "e.txt"]
    _, (found,) = templates.parse('{% include "a.txt" %}', (), origin=Files(**_renamed(files), z="").origin())
    assert found.rule == "template-size"


def _renamed(files: Files) -> dict[str, str]:
    texts = {name.removesuffix(".txt"): text for name, text in files.items()}
    return {**texts, "e": '{% include "z.txt" %}'}


def test_include_is_relative_to_the_file_that_holds_it() -> None:
    files = Files()
    files |= {
        "texts/a.txt": '{% include "parts/b.txt" %}',
        "texts/parts/b.txt": '{% include "../c.txt" %}',
        "texts/c.txt": "c",
    }
    template, findings = templates.parse('{% include "../texts/a.txt" %}', (), origin=files.origin("campaigns"))
    assert template, findings
    assert templates.fold(template, {})[0] == "c"


def test_every_mistake_has_its_place_in_its_file() -> None:
    files = Files(b="{{ nope }}\n{{ vars.shpo }}", c="\ufeffa\r\n{{ 1 + }}", d='{{ 1 + 1 }}{% include "e.txt" %}')
    text = '{{ never }}{% include "c.txt" %}{% include "b.txt" %}{% include "c.txt" %}{% include "d.txt" %}'
    template, findings = templates.parse(text, ("message", "text"), origin=files.origin())
    assert template is None
    assert [(found.rule, found.within, str(found.place)) for found in findings] == [
        ("template-name", (1, 4), "None"),
        ("template-syntax", None, "c.txt:2:8"),
        ("template-name", None, "b.txt:1:4"),
        ("template-operator", None, "d.txt:1:4"),
        ("file", None, "d.txt:1:15"),
    ]
    assert {found.path for found in findings} == {("message", "text")}
    assert (findings[-1].message, findings[-1].hint) == ("it cannot be read", "put it there")


def test_what_folding_finds_has_its_place_in_its_file() -> None:
    files = Files(b="\n{{ vars.shpo }}{% for s in vars.shop %}{% endfor %}")
    text = '{% include "b.txt" %}{{ vars.shpo }}{% include "b.txt" %}'
    template, _ = templates.parse(text, (), origin=files.origin(file="a.txt"))
    assert template is not None
    _, findings = templates.fold(template, VALUES)
    assert [str(found.place) for found in findings] == ["b.txt:2:9", "b.txt:2:28", "a.txt:1:30"]


def test_text_that_is_a_file_has_places_and_no_mark() -> None:
    origin = Files(b='{% include "a.txt" %}').origin(file="a.txt")
    assert str(templates.parse("\ufeff{{ nope }}", (), origin=origin)[1][0].place) == "a.txt:1:4"
    assert str(templates.parse("\ufeff{{ 1 + }}", (), origin=origin)[1][0].place) == "a.txt:1:8"
    _, (found,) = templates.parse('{% include "b.txt" %}', (), origin=origin)
    assert found.message == "`a.txt` includes itself: a.txt → b.txt → a.txt"
    template, _ = templates.parse("\ufeffa\r\n{{ contact.x }}", (), origin=origin)
    assert template is not None
    assert (template.text, template.uses()) == ("a\n{{ contact.x }}", {"x": ("a.txt", (2, 12))})


def test_columns_of_included_files_are_known_with_their_place() -> None:
    files = Files(b='{{ contact.x }}{% include "c.txt" %}', c="\n{{ contact.y }}{{ contact.z }}")
    text = '{{ contact.z }}{% include "b.txt" %}{% include "b.txt" %}{{ contact.w }}'
    template, _ = templates.parse(text, (), origin=files.origin())
    assert template is not None
    assert list(template.uses().items()) == [
        ("z", (None, (1, 12))),
        ("x", ("b.txt", (1, 12))),
        ("y", ("c.txt", (2, 12))),
        ("w", (None, (1, 69))),
    ]


def test_included_text_knows_the_loops_around_its_tag_only() -> None:
    files = Files(b="{{ s }}", c="{% for s in vars.shops %}{% endfor %}")
    loop = '{% for s in vars.shops %}{% include "b.txt" %}{% endfor %}'
    _, (found,) = templates.parse(loop + '{% include "b.txt" %}', (), origin=files.origin())
    assert (found.rule, str(found.place)) == ("template-name", "b.txt:1:4")
    _, (found,) = templates.parse(loop.replace("b.txt", "c.txt"), (), origin=files.origin())
    assert (found.rule, str(found.place)) == ("template-loop", "c.txt:1:4")


def test_without_a_reader_nothing_is_included() -> None:
    for origin in (None, templates.Origin(folder="campaigns")):
        _, (found,) = templates.parse('a {% include "b.txt" %}', ("sender",), origin=origin)
        assert (found.rule, found.path, found.within) == ("template-syntax", ("sender",), (1, 6))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<b>{{ contact.x }}</b> & co", "<b>&lt;i&gt;&amp;&quot;&#x27;</b> & co"),
        ("<b>{{ contact.x|truncate(2, true, '') }}</b>", "<b>&lt;i</b>"),
        ("{{ contact.y|default('<br>', true) }}{{ contact.x|default('<br>') }}", "<br>&lt;i&gt;&amp;&quot;&#x27;"),
        ("{{ contact.y or ('<b>' ~ contact.x ~ '</b>') }}", "<b>&lt;i&gt;&amp;&quot;&#x27;</b>"),
        ("{{ contact.y or 1.50 }} {{ contact.x and 2.50 }}", "1.50 2.50"),
        ("{{ contact.y and '<br>' }}{{ contact.x and '<hr>' }}", "<hr>"),
        ("{{ contact.y|default('<br>')|default(2.50, true) }}", "2.50"),
        ("{{ contact.x == '<i>&\"\\'' }} {{ contact.x|int }}", "True 0"),
        ("{% if contact.x == '<i>&\"\\'' %}<hr>{% else %}-{% endif %}", "<hr>"),
    ],
)
def test_html_escapes_what_comes_from_a_contact(text: str, expected: str) -> None:
    source = folded(text)
    columns = {"x": ["<i>&\"'"], "y": [""]}
    assert Renderer(source, html=True).render(columns, 1) == [expected]
    assert Renderer(source + "{% if contact.x == '' %}-{% endif %}", html=True).render(columns, 1) == [expected]
