"""Every hostile template is refused by its rule at its line and column, before anything is compiled."""

from __future__ import annotations

import time

import pytest
from conftest import ROOT

from octoplan.core import templates

FILES = ROOT / "tests" / "hostile" / "templates"

VALUES = {
    "vars": {
        "shop": "acme",
        "n": 3,
        "list": ["a", "b"],
        "hundred": ["x"] * 100,
        "long": "y" * 1000,
        "braces": "{" * 20_000,
        "null": None,
        "nothing": "",
        "day": "2026-12-03",
        "map": {"k": "v"},
        "nested": [["a"]],
    },
    "stop": "STOP au XXXXX",
    "campaign": {"id": "noel"},
    "env": {"name": "prod"},
}

INCLUDED = {
    "plain.txt": "plain",
    "circle-a.txt": '{% include "circle-b.txt" %}',
    "circle-b.txt": 'b\n{% include "./circle-a.txt" %}',
    **{f"deep-{depth}.txt": f'{{% include "deep-{depth + 1}.txt" %}}' for depth in range(1, 6)},
    "deep-6.txt": "deep",
    **{f"many-{number}.txt": "" for number in range(60)},
    "large.txt": "a" * 40_000,
    "larger.txt": "b" * 30_000,
    **{f"doubles-{depth}.txt": f'{{% include "doubles-{depth + 1}.txt" %}}' * 100 for depth in range(1, 5)},
    "doubles-5.txt": "",
    "levels.txt": "{% if contact.x %}" * 30 + "a" + "{% endif %}" * 30,
}

EXPECTED = {
    "attr-filter": ("template-filter", (1, 7)),
    "autoescape": ("template-syntax", (1, 4)),
    "brace": ("template-syntax", (1, 8)),
    "call-block": ("template-syntax", (1, 4)),
    "call": ("template-call", (1, 4)),
    "character": ("template-syntax", (1, 6)),
    "class-attribute": ("template-name", (1, 4)),
    "class": ("template-call", (1, 4)),
    "comment": ("template-syntax", (1, 5)),
    "compare-in": ("template-operator", (1, 7)),
    "compare-known": ("template-operator", (1, 7)),
    "compare-list": ("template-operator", (1, 7)),
    "compare-number": ("template-operator", (1, 7)),
    "conditional": ("template-operator", (1, 4)),
    "contact-alone": ("template-name", (1, 4)),
    "contact-class": ("template-name", (1, 12)),
    "contact-deep": ("template-name", (1, 11)),
    "contact-index": ("template-name", (1, 11)),
    "cycler": ("template-name", (1, 4)),
    "date-pattern": ("template-filter", (1, 13)),
    "date-text": ("template-filter", (1, 14)),
    "debug": ("template-syntax", (1, 4)),
    "decimals": ("template-filter", (1, 11)),
    "deep-and": ("template-size", (1, 588)),
    "deep-filters": ("template-size", (1, 29660)),
    "deep-if": ("template-size", (1, 1033)),
    "deep-not": ("template-size", (1, 239)),
    "deep-parentheses": ("template-size", (1, 1)),
    "dictionary": ("template-syntax", (1, 4)),
    "do": ("template-syntax", (1, 4)),
    "dots-in-text": ("template-name", (1, 9)),
    "each": ("template-name", (1, 4)),
    "extends": ("template-syntax", (1, 4)),
    "filter-block": ("template-syntax", (1, 4)),
    "filter-dotted": ("template-filter", (1, 14)),
    "filter-end": ("template-filter", (1, 14)),
    "filter-keyword": ("template-filter", (1, 14)),
    "filter-large": ("template-filter", (1, 14)),
    "filter-long": ("template-filter", (1, 14)),
    "filter-many": ("template-filter", (1, 14)),
    "filter-missing": ("template-filter", (1, 14)),
    "filter-type": ("template-filter", (1, 14)),
    "filter-typo": ("template-filter", (1, 14)),
    "filter-unpacked": ("template-filter", (1, 14)),
    "filter-variable": ("template-filter", (1, 14)),
    "format-call": ("template-call", (1, 4)),
    "format-filter": ("template-call", (1, 5)),
    "grows-by-braces": ("template-size", (1, 1)),
    "grows-by-join": ("template-size", (1, 4)),
    "grows": ("template-size", (1, 31)),
    "import": ("template-syntax", (1, 4)),
    "include": ("file", (1, 4)),
    "include-absolute": ("file", (1, 4)),
    "include-context": ("template-syntax", (1, 24)),
    "include-control": ("file", (1, 4)),
    "include-hidden": ("file", (2, 4)),
    "include-ignore": ("template-syntax", (1, 26)),
    "include-large": ("template-size", (1, 29)),
    "include-levels": ("template-size", (1, 544)),
    "include-list": ("template-syntax", (1, 4)),
    "include-many": ("template-size", (1, 1344)),
    "include-missing": ("file", (1, 22)),
    "include-names": ("template-size", (1, 1)),
    "include-number": ("template-syntax", (1, 4)),
    "include-outside": ("file", (1, 4)),
    "include-variable": ("template-syntax", (1, 4)),
    "index": ("template-name", (1, 13)),
    "join-contact": ("template-filter", (1, 14)),
    "join-text": ("template-filter", (1, 14)),
    "lengthens": ("template-size", (1, 4)),
    "lipsum-globals": ("template-name", (1, 4)),
    "lipsum": ("template-call", (1, 4)),
    "list-written": ("template-name", (1, 4)),
    "list": ("template-syntax", (1, 4)),
    "literal-part": ("template-name", (1, 4)),
    "loop-contact": ("template-loop", (1, 4)),
    "loop-if": ("template-loop", (1, 4)),
    "loop-pair": ("template-loop", (1, 4)),
    "loop-product": ("template-loop", (1, 31)),
    "loop-recursive": ("template-loop", (1, 4)),
    "loop-scalar": ("template-loop", (1, 13)),
    "loop-shadow": ("template-loop", (1, 4)),
    "loop-special": ("template-loop", (1, 4)),
    "loop-steps": ("template-loop", (1, 6853)),
    "loop-text": ("template-loop", (1, 4)),
    "macro": ("template-syntax", (1, 4)),
    "mapping-written": ("template-name", (1, 4)),
    "multiply": ("template-operator", (1, 4)),
    "namespace": ("template-syntax", (1, 4)),
    "negative": ("template-operator", (1, 4)),
    "nested-list": ("template-name", (1, 20)),
    "nested-range": ("template-loop", (1, 4)),
    "now": ("template-call", (1, 4)),
    "null-or": ("template-name", (1, 4)),
    "null": ("template-name", (1, 4)),
    "number-long": ("template-syntax", (1, 4)),
    "percent-format": ("template-operator", (1, 5)),
    "power-chain": ("template-operator", (1, 8)),
    "power": ("template-operator", (1, 10)),
    "random": ("template-filter", (1, 14)),
    "raw": ("template-syntax", (1, 1)),
    "repeats": ("template-size", (1, 181)),
    "replace-nothing": ("template-filter", (1, 14)),
    "self": ("template-name", (1, 4)),
    "slice": ("template-name", (1, 11)),
    "subscript-name": ("template-syntax", (1, 8)),
    "test": ("template-operator", (1, 14)),
    "text-escape": ("template-syntax", (1, 4)),
    "too-long": ("template-size", (1, 1)),
    "tuple": ("template-syntax", (1, 5)),
    "unclosed-if": ("template-syntax", (1, 19)),
    "unclosed": ("template-syntax", (1, 12)),
    "unicode-escape": ("template-syntax", (1, 4)),
    "vars-typo": ("template-name", (2, 11)),
}


INSIDE = {
    "include-deep": ("template-size", "deep-5.txt:1:4"),
    "include-deep-later": ("template-size", "deep-2.txt:1:4"),
    "include-doubles": ("template-loop", "doubles-4.txt:1:2846"),
    "include-itself": ("template-loop", "circle-b.txt:2:4"),
}


def origin(text: str) -> templates.Origin:
    def read(name: str) -> str:
        if name in INCLUDED:
            return INCLUDED[name]
        raise templates.Unreadable(f"`{name}` cannot be read", "put it there")

    return templates.Origin(folder="campaigns" if ".." in text else "", read=read)


def test_every_file_is_expected() -> None:
    assert {path.stem for path in FILES.iterdir()} == {*EXPECTED, *INSIDE, "typo"}


@pytest.mark.parametrize("name", EXPECTED)
def test_hostile_template_is_refused_with_its_place(name: str) -> None:
    text = (FILES / f"{name}.txt").read_text(encoding="utf-8")
    began = time.process_time()
    template, findings = templates.parse(text, ("message", "text"), origin=origin(text))
    if template is not None:
        _, findings = templates.fold(template, VALUES)
    assert time.process_time() - began < 1
    assert (findings[0].rule, findings[0].within) == EXPECTED[name]
    assert findings[0].path == ("message", "text")


@pytest.mark.parametrize("name", INSIDE)
def test_hostile_include_is_refused_with_its_place_in_its_file(name: str) -> None:
    text = (FILES / f"{name}.txt").read_text(encoding="utf-8")
    began = time.process_time()
    template, findings = templates.parse(text, ("message", "text"), origin=origin(text))
    if template is not None:
        _, findings = templates.fold(template, VALUES)
    assert time.process_time() - began < 1
    assert (findings[0].rule, str(findings[0].place)) == INSIDE[name]
    assert (findings[0].path, findings[0].within) == (("message", "text"), None)


def test_misspelt_column_is_known_with_its_place() -> None:
    template, _ = templates.parse((FILES / "typo.txt").read_text(encoding="utf-8"), ("message", "text"))
    assert template is not None
    assert template.uses() == {"nmae": (None, (1, 15))}
