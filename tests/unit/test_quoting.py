from __future__ import annotations

import pytest

from octoplan.core.quoting import masked, noted, quoted, suggestion, typed


def test_quoted_is_escaped_and_short() -> None:
    assert quoted("text") == "`text`"
    assert quoted("a\u202eb\n") == "`a\\u202eb\\u000a`"
    assert quoted("ab " * 40) == f"`{('ab ' * 40)[:79]}…`"


def test_numbers_and_keys_are_hidden() -> None:
    assert quoted("+33612345678") == "`+…`"
    assert masked("a sk_live_0123456789abcdefghijklmnopqrstuv b") == "a … b"


def test_an_address_in_the_place_of_a_name_is_hidden() -> None:
    for word in ("0612345678", "+33 (0)6 12 34 56 78", " 06.12.34.56.78", "zoe@acme.example"):
        assert typed(word) == "`…`"
    assert typed("noel-2026-12-03") == "`noel-2026-12-03`"
    assert typed("a\u202eb") == "`a\\u202eb`"


def test_suggestion() -> None:
    assert suggestion("editon", ["edition", "id"]) == "did you mean `edition`?"
    assert suggestion("zzz", ["b", "a"]) == "there is `a`, `b`"
    assert suggestion("zzz", []) == "there is none"
    assert suggestion("zzz", map(chr, range(65, 91))).endswith("`L`, …")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("+33639980012 is blacklisted", "<number> is blacklisted"),
        ("06 39 98 00 12 and 06.39.98.00.13", "<number> and <number>"),
        ("(0033) 639-98-00-12", "(<number>"),
        ("٠٦٣٩٩٨٠٠١٢", "<number>"),
        ("zoe@acme.example is no number", "<address> is no number"),
        ("STOP mention ([STOP au 30101]) is missing", "STOP mention ([STOP au 30101]) is missing"),
        ("two\nlines\x1b[31m\u202e", "two lines [31m"),
        ("\ud800", ""),
        ("a" * 300, "a" * 199 + "…"),
    ],
)
def test_a_note_is_one_short_line_that_names_nobody(said: str, kept: str) -> None:
    assert noted(said) == kept
