from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from campaigns import campaign
from octoplan.core.compose import Composer, TextSummary
from octoplan.core.message import Message
from octoplan.core.model import Channel, Purpose, Rows, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from octoplan.core.compose import Composed
    from octoplan.core.model import Campaign


QUIET = {"purpose": Purpose.TRANSACTIONAL}


def saying(text: str, **changes: object) -> Campaign:
    return campaign(message=Message(text=text), **changes)


def rows(values: Sequence[str], countries: Sequence[str] = ()) -> Rows:
    return Rows(
        keys=[bytes([number]) for number in range(len(values))],
        addresses=["+33639980012"] * len(values),
        countries=list(countries) or ["FR"] * len(values),
        columns={"x": list(values)},
    )


def composed(
    text: str, *values: str, encoding: str = "auto", live: bool = True, **changes: object
) -> tuple[Composed, TextSummary]:
    """Compose in two chunks, so that counts must add up."""
    message = Message(text=text, encoding=encoding)
    composer = Composer(campaign(**{**QUIET, "message": message, **changes}), live=live, sizes={"x": (1, 9)})
    half = len(values) // 2
    first, second = composer.compose(rows(values[:half])), composer.compose(rows(values[half:]))
    first.contents.extend(second.contents)
    first.parts.extend(second.parts)
    return first, composer.summary()


def rules(summary: TextSummary) -> list[str]:
    """Return the rules that found something; the campaign is transactional, where a stop mention is one thing more."""
    return [found.rule for found in summary.findings if found.rule != "marketing-as-transactional"]


def test_two_encodings_and_the_character_to_blame() -> None:
    made, summary = composed("Bonjour {{ contact.x }}", "Françoise", "Zoé")
    assert made.contents == ["Bonjour Françoise", "Bonjour Zoé"]
    assert made.parts == [1, 1]
    assert summary == TextSummary(
        longest=17,
        seconds=0,
        encodings={"ucs2": 1, "gsm7": 1},
        parts={1: 2},
        locales={},
        replaced={},
        blamed={"ç": 1},
        pattern="Bonjour ‹x ≤9›",
        patterns={},
        findings=(),
    )


def test_replacements_under_gsm7_are_counted() -> None:
    made, summary = composed("{{ contact.x }} ê", "Françoise", "Zoë ç", "a\nb", encoding="gsm7")
    assert made.contents == ["Francoise e", "Zoe c e", "a\nb e"]
    assert summary.replaced == {"ê→e": 3, "ç→c": 2, "ë→e": 1}
    assert summary.encodings == {"gsm7": 3}
    assert summary.findings == ()


def test_decomposed_letters_are_composed_under_gsm7() -> None:
    made, summary = composed("{{ contact.x }}", "Zoe\u0301", "a", encoding="gsm7")
    assert made.contents == ["Zoé", "a"]
    assert summary.encodings == {"gsm7": 2}


def test_what_has_no_plain_form_is_refused_under_gsm7() -> None:
    _, summary = composed("{{ contact.x }}", "a😀", "b中", "c😀ç", "d", encoding="gsm7")
    (found,) = summary.findings
    assert (found.rule, found.severity, found.path) == ("encoding", Severity.ERROR, ("message", "text"))
    assert found.message == "the texts of 3 contacts hold what GSM-7 cannot: 😀 (2), 中 (1)"


def test_dearer_encoding_is_a_warning_that_says_by_how_much() -> None:
    _, summary = composed("a" * 100 + "{{ contact.x }}", "ç", "é", "a\nç", "😀")
    (found,) = summary.findings
    assert (found.rule, found.severity) == ("encoding", Severity.WARNING)
    assert found.message == "the texts of 3 contacts take 6 parts instead of 3 because of ç (2), 😀 (1)"
    assert (found.value, found.limit) == ("6", "3")


def test_encoding_that_costs_nothing_is_no_finding() -> None:
    made, summary = composed("{{ contact.x }}ç", "€" * 80)
    assert made.parts == [2]
    assert summary.findings == ()


def test_many_characters_are_counted_not_listed() -> None:
    _, summary = composed("a" * 100 + "{{ contact.x }}", "".join(map(chr, range(0x4E00, 0x4E20))))
    assert summary.findings[0].message.endswith("(1) and 22 more")


def test_extension_costs_two_septets() -> None:
    made, summary = composed("{{ contact.x }}", "a" * 159 + "€", "a" * 160, "€" * 80)
    assert made.parts == [2, 1, 1]
    assert summary.parts == {1: 2, 2: 1}


def test_no_rows_compose_to_nothing() -> None:
    composer = Composer(saying("a"), live=True, sizes={})
    assert composer.compose(rows([])).contents == []
    assert composer.summary().longest == 0


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("", "text-length"),
        (" \n ", "text-length"),
        ("a" * 1225, "text-length"),
        ("a\tb", "text-control"),
        ("a\x85b", "text-control"),
        ("a\u202eb", "text-invisible"),
        ("a\u200bb", "text-invisible"),
        ("a\ufeffb", "text-invisible"),
        ("a\U000e0041b", "text-invisible"),
        ("a {{ b", "text-leftover"),
        ("a {% b", "text-leftover"),
        ("a {param1}", "text-placeholder"),
        ("a {contact.first_name}", "text-placeholder"),
        ("a TODO", "text-placeholder"),
        ("a Lorem ipsum", "text-placeholder"),
        ("This is a test.", "text-placeholder"),
        ("Tel XXXXX", "stop-number"),
        ("STOP au XXXXX ou XXXXX", "stop-number"),
    ],
)
def test_rules_on_texts(value: str, rule: str) -> None:
    _, summary = composed("{{ contact.x }}", value, "fine", value, "fine")
    assert rules(summary) == [rule]
    assert summary.findings[0].message.startswith("the texts of 2 contacts ")
    assert summary.findings[0].hint


@pytest.mark.parametrize(
    "value",
    ["a\nb", "a" * 1224, "é€[]", "{ a }", "attest testing", "STOP au XXXXX", "STOP au XXXXX STOP au XXXXX", "❤️"],
)
def test_texts_that_are_fine(value: str) -> None:
    _, summary = composed("{{ contact.x }}", value)
    assert rules(summary) == []


def test_unseen_character_is_named_with_its_column() -> None:
    _, summary = composed("ab {{ contact.x }}", "c", "d\u200be", "f\u202e")
    assert "U+200B, first at column 5" in summary.findings[0].message
    _, summary = composed("ab\n{{ contact.x }}", "\x07")
    assert "U+0007, first at line 2, column 1" in summary.findings[0].message


def test_length_says_value_and_limit() -> None:
    _, summary = composed("{{ contact.x }}", "a" * 1300)
    assert (summary.findings[0].value, summary.findings[0].limit) == ("1,300", "1,224")


def test_draft_words_matter_to_real_people_only() -> None:
    _, summary = composed("a test {{ contact.x }}", "b", live=False)
    assert rules(summary) == []


def test_placeholder_and_draft_word_are_one_rule() -> None:
    _, summary = composed("{word} test {{ contact.x }}", "b")
    assert rules(summary) == ["text-placeholder", "text-placeholder"]


@pytest.mark.parametrize(
    ("text", "country", "found"),
    [
        ("Bonjour", "FR", ["stop-missing"]),
        ("Bonjour", "BE", []),
        ("Bonjour STOP au XXXXX", "FR", []),
        ("Bonjour Stop au XXXXX", "FR", ["stop-missing", "stop-number"]),
        ("Bonjour STOP au 36111", "FR", ["stop-missing"]),
    ],
)
def test_french_marketing_needs_the_opt_out_mention(text: str, country: str, found: list[str]) -> None:
    composer = Composer(saying(text, purpose=Purpose.MARKETING), live=True, sizes={})
    composer.compose(rows(["a"], [country]))
    assert rules(composer.summary()) == found


def test_opt_out_mention_is_for_sms_and_rcs_marketing() -> None:
    for changes in ({"channel": Channel.VOICE, "purpose": Purpose.MARKETING}, {"purpose": Purpose.TRANSACTIONAL}):
        composer = Composer(saying("a", **changes), live=True, sizes={})
        composer.compose(rows(["a"]))
        assert rules(composer.summary()) == []


def test_no_finding_quotes_a_contact() -> None:
    canary = "Canary{{ {c} TODO \u200b\t XXXXX " + "😀" * 1300
    for encoding in ("auto", "gsm7"):
        _, summary = composed("{{ contact.x }}", canary, encoding=encoding, purpose=Purpose.MARKETING)
        assert len(summary.findings) == 9
        assert "Canary" not in str(summary)
        assert "{c}" not in str(summary)
