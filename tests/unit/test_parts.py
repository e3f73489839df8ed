from __future__ import annotations

import pytest

from octoplan.core.parts import Parts, is_basic, measure, named, outside_gsm7, replace, within_gsm7


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a" * 152 + "€" + "a" * 152, Parts("gsm7", 306, 3)),
        ("x" * 66 + "😀" + "x" * 66, Parts("ucs2", 134, 3)),
        ("a" * 160, Parts("gsm7", 160, 1)),
        ("a" * 161, Parts("gsm7", 161, 2)),
        ("a" * 1224, Parts("gsm7", 1224, 8)),
        ("ç" * 1224, Parts("ucs2", 1224, 19)),
        ("ç" * 70, Parts("ucs2", 70, 1)),
        ("ç" * 71, Parts("ucs2", 71, 2)),
        ("€" * 80, Parts("gsm7", 160, 1)),
        ("", Parts("gsm7", 0, 1)),
        ("Ç", Parts("gsm7", 1, 1)),
        ("`", Parts("ucs2", 1, 1)),
        ("\0", Parts("ucs2", 1, 1)),
        ("\x1b", Parts("ucs2", 1, 1)),
        ("\ud800", Parts("ucs2", 1, 1)),
    ],
)
def test_counterexamples_and_borders(text: str, expected: Parts) -> None:
    assert measure(text) == expected


@pytest.mark.parametrize("char", "âçêëîïôûÿœÀÂÈÊËÎÏÔÙÛŸŒ«»“”‘’–—…°²\u00a0\u202f")
def test_french_characters_outside_gsm7(char: str) -> None:
    assert outside_gsm7(f"a{char}b{char}") == (char,)


@pytest.mark.parametrize("char", "àäéèöùüæÄÇÉÖÜÆ")
def test_french_letters_inside_gsm7(char: str) -> None:
    assert is_basic(char)
    assert replace(char) == (char, {})


def test_extension_is_gsm7_but_not_basic() -> None:
    assert not is_basic("20€")
    assert outside_gsm7("20€") == ()


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("garçon", "garcon"),
        ("cœur Œuvre", "coeur OEuvre"),
        ("« l’été » – “oui”…", '" l\'été " - "oui"...'),
        ("m²", "m2"),
        ("10\u202f000\u00a0€", "10 000 €"),
        ("Ÿ Ł ﬁ ™", "Y L fi TM"),
        ("e\u0301te\u0301 c\u0327a", "été ca"),
    ],
)
def test_plain_forms(text: str, plain: str) -> None:
    assert replace(text)[0] == plain


def test_replacements_are_counted_by_pair() -> None:
    assert replace("ça, çb, fête 5\u00a0€") == ("ca, cb, fete 5 €", {"ç→c": 2, "ê→e": 1, "U+00A0→U+0020": 1})


@pytest.mark.parametrize("char", ["😀", "°", "中", "\u0335", "\u200b", "я"])
def test_what_has_no_plain_form_stays(char: str) -> None:
    assert replace(f"a{char}") == (f"a{char}", {})
    assert within_gsm7(f"ç{char}") == "c?"


def test_character_is_named_so_that_it_can_be_seen() -> None:
    assert named("ç") == "ç"
    assert named("\u200b") == "U+200B"
    assert named("\u00a0") == "U+00A0"
