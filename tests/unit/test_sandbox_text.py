from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octoplan.sandbox.casts import without_prohibited
from octoplan.sandbox.text import has_stop, leaves, measure, optimise, rewritten, seconds, without_scripts


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("a" * 152 + "€" + "a" * 152, "gsm7", 306, 3),
        ("x" * 66 + "😀" + "x" * 66, "ucs2", 134, 3),
        ("", "gsm7", 0, 1),
        ("a" * 160, "gsm7", 160, 1),
        ("a" * 161, "gsm7", 161, 2),
        ("€" * 80, "gsm7", 160, 1),
        ("€" * 153, "gsm7", 306, 3),
        ("a" * 306, "gsm7", 306, 2),
        ("a" * 1224, "gsm7", 1224, 8),
        ("ç" * 1224, "ucs2", 1224, 19),
        ("é" * 160, "gsm7", 160, 1),
        ("Françoise", "ucs2", 9, 1),
        ("ç" * 70, "ucs2", 70, 1),
        ("ç" * 71, "ucs2", 71, 2),
        ("😀" * 35, "ucs2", 70, 1),
        ("😀" * 67, "ucs2", 134, 3),
    ],
)
def test_parts(text: str, encoding: str, units: int, parts: int) -> None:
    assert measure(text) == (encoding, units, parts)


def test_the_whole_basic_and_extension_table_is_gsm7() -> None:
    basic = (
        "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
        "¿abcdefghijklmnopqrstuvwxyzäöñüà"
    )
    assert len(basic) == 127
    assert measure(basic) == ("gsm7", 127, 1)
    assert measure("\f^{}\\[~]|€") == ("gsm7", 20, 1)


@pytest.mark.parametrize("character", "âçêëîïôûÿœÀÂÈÊËÎÏÔÙÛŸŒ«»“”‘’–—…°²`\u00a0\u202f")
def test_french_characters_outside_gsm7(character: str) -> None:
    assert measure(character).encoding == "ucs2"


@given(st.text(alphabet="ab€^é", max_size=700))
def test_parts_are_never_fewer_than_a_division_says(text: str) -> None:
    measured = measure(text)
    if measured.units > 160:
        assert measured.parts >= math.ceil(measured.units / 153)
        assert measured.parts <= math.ceil(measured.units / 152)


def test_control_characters_are_deleted_and_line_breaks_stay() -> None:
    assert without_prohibited("a\x00b\x1bc\td\x85e\nf\rg") == "abcde\nf\rg"


@pytest.mark.parametrize(
    ("text", "optimised"),
    [
        ("  Prêt   à\u00a0\u202f partir ?  ", "Pret à partir ?"),
        ("ça coûte 5 € « net » – c’est “tout”…", 'ca coute 5 € " net " - c\'est "tout"...'),
        ("À l’œuvre, Œdipe", "A l'oeuvre, OEdipe"),
        ("bravo 😀!", "bravo !"),
        ("één", "één"),
    ],
)
def test_optimising_leaves_no_unicode_and_no_useless_space(text: str, optimised: str) -> None:
    assert optimise(text, keep_leftover=False) == optimised
    assert measure(optimised).encoding == "gsm7"


def test_optimising_may_keep_what_has_no_plain_form() -> None:
    assert optimise("bravo  😀", keep_leftover=True) == "bravo 😀"


@pytest.mark.parametrize(
    ("text", "accepts", "found"),
    [
        ("x STOP au XXXXX", "both", True),
        ("x STOP au XXXXX", "placeholder", True),
        ("x STOP au XXXXX", "number", False),
        ("x STOP au 30101", "both", True),
        ("x STOP au 36180.", "number", True),
        ("x STOP au 30101", "placeholder", False),
        ("x STOP au 301012", "both", False),
        ("x stop au XXXXX", "both", False),
        ("x STOP  au XXXXX", "both", False),
        ("x STOP AU XXXXX", "both", False),
    ],
)
def test_the_stop_mention_has_one_form(text: str, accepts: str, *, found: bool) -> None:
    assert has_stop(text, accepts=accepts) is found


@pytest.mark.parametrize(
    ("text", "estimated"),
    [("", 1), ("x", 1), ("x" * 12, 1), ("x" * 13, 2), ("x" * 360, 30), ("x" * 361, 31), (f" \n{'x ' * 6}\t\n ", 1)],
)
def test_seconds_are_counted_on_the_text_without_useless_blanks(text: str, estimated: int) -> None:
    assert seconds(text, characters_per_second=12) == estimated


@pytest.mark.parametrize(
    ("html", "left"),
    [
        ("<p>a</p><script>alert(1)</script>b", "<p>a</p>b"),
        ("a<SCRIPT src=x>\n</Script >b<script>c", "ab"),
        ("<scripture>a</scripture>", "<scripture>a</scripture>"),
    ],
)
def test_scripts_can_be_dropped(html: str, left: str) -> None:
    assert without_scripts(html) == left


def test_texts_are_found_and_changed_at_any_depth() -> None:
    carried = {"cards": [{"title": "a", "media": {"url": "b"}, "n": 1}, "c"], "keys": False}
    assert list(leaves(carried)) == ["a", "b", "c"]
    changed = {"cards": [{"title": "A", "media": {"url": "B"}, "n": 1}, "C"], "keys": False}
    assert rewritten(carried, str.upper) == changed
