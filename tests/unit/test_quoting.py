from __future__ import annotations

from octoplan.core.quoting import masked, quoted, suggestion


def test_quoted_is_escaped_and_short() -> None:
    assert quoted("text") == "`text`"
    assert quoted("a\u202eb\n") == "`a\\u202eb\\u000a`"
    assert quoted("ab " * 40) == f"`{('ab ' * 40)[:79]}…`"


def test_numbers_and_keys_are_hidden() -> None:
    assert quoted("+33612345678") == "`+…`"
    assert masked("a sk_live_0123456789abcdefghijklmnopqrstuv b") == "a … b"


def test_suggestion() -> None:
    assert suggestion("editon", ["edition", "id"]) == "did you mean `edition`?"
    assert suggestion("zzz", ["b", "a"]) == "there is `a`, `b`"
    assert suggestion("zzz", []) == "there is none"
    assert suggestion("zzz", map(chr, range(65, 91))).endswith("`L`, …")
