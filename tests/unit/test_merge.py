"""Merge fields: which text becomes one with placeholders, whose values fit, and that nothing reads otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from campaigns import PRICES, campaign
from octoplan.core.batch import Packer
from octoplan.core.compose import Composer
from octoplan.core.errors import Stale
from octoplan.core.merge import (
    BLANKS,
    BRACES,
    DIFFERENT,
    EMPTY,
    LONG,
    SIGNS,
    Form,
    MergeFields,
    filled_in,
    misfits,
    unfit,
)
from octoplan.core.merging import Merging
from octoplan.core.message import Locale, Message
from octoplan.core.model import Channel, Options, Purpose, Rows
from octoplan.core.rules.merge import check
from octoplan.core.templates import Placed, Unplaced, place
from octoplan.providers import PROVIDERS

if TYPE_CHECKING:
    from octoplan.core.model import Batch, Campaign

FIELDS = PROVIDERS["octopush"].limits.merge_fields or MergeFields(names=(), longest=0, channels=())
NAMES = FIELDS.names
OWN = "texts of their own take 3 calls"


def people(**columns: list[str]) -> Rows:
    count = len(next(iter(columns.values())))
    return Rows(
        keys=[number.to_bytes(16, "big") for number in range(count)],
        addresses=[f"+3363998{number:04}" for number in range(count)],
        countries=["FR"] * count,
        columns=columns,
    )


def saying(text: Any, **changes: Any) -> Campaign:
    message = Message(text=text, **{name: changes.pop(name) for name in ("encoding", "locale") if name in changes})
    return campaign(**{"purpose": Purpose.TRANSACTIONAL, "message": message, **changes})


def merged(asked: Campaign, rows: Rows, fields: MergeFields | None = FIELDS) -> tuple[Packer, Merging]:
    """Compose, merge and pack in chunks of two contacts."""
    composer = Composer(asked, live=False, sizes={})
    merging = Merging(asked, fields)
    packer = Packer(asked, PRICES, 500)
    for start in range(0, len(rows.keys), 2):
        chunk = slice(start, start + 2)
        some = Rows(
            keys=rows.keys[chunk],
            addresses=rows.addresses[chunk],
            countries=rows.countries[chunk],
            columns={name: values[chunk] for name, values in rows.columns.items()},
        )
        composed = composer.compose(some)
        packer.add(some, composed.contents, parts=composed.parts, merged=merging.merge(some, composed))
    return packer, merging


def batches(text: Any, **how: Any) -> tuple[list[Batch], Merging]:
    columns = {name: how.pop(name) for name in list(how) if isinstance(how[name], list)}
    packer, merging = merged(saying(text, **how), people(**columns))
    return list(packer.batches(first=False)), merging


def read(made: list[Batch]) -> list[str]:
    """Return what each contact reads, in key order."""
    found = {}
    for batch in made:
        for index, key in enumerate(batch.keys):
            values = dict(zip(batch.names, batch.values[index], strict=True)) if batch.names else None
            text = batch.content.text or ""
            found[key] = text if values is None else filled_in(text, values)
    return [found[key] for key in sorted(found)]


# the compiler


def placed(source: str) -> Placed:
    found = place(source, NAMES)
    assert isinstance(found, Placed)
    return found


@pytest.mark.parametrize(
    ("source", "text", "outputs"),
    [
        ("Bonjour", "Bonjour", {}),
        ("{{ contact.x }}", "{param1}", {"param1": "{{ contact.x }}"}),
        (
            "{{ contact.a }}{{ contact.b }}",
            "{param1}{param2}",
            {"param1": "{{ contact.a }}", "param2": "{{ contact.b }}"},
        ),
        ("{{ contact.a }} {{ contact.a }}", "{param1} {param1}", {"param1": "{{ contact.a }}"}),
        (
            "{{ contact.a|upper }} {{ contact.a|lower }}",
            "{param1} {param2}",
            {"param1": "{{ contact.a|upper }}", "param2": "{{ contact.a|lower }}"},
        ),
        (
            "{{ contact.last_name }} {{ contact.first_name }} {{ contact.x }}",
            "{last_name} {first_name} {param1}",
            {
                "last_name": "{{ contact.last_name }}",
                "first_name": "{{ contact.first_name }}",
                "param1": "{{ contact.x }}",
            },
        ),
        (
            "{{ contact.first_name|upper }} {{ contact.first_name }}",
            "{param1} {first_name}",
            {"param1": "{{ contact.first_name|upper }}", "first_name": "{{ contact.first_name }}"},
        ),
        ("{{ contact.first_name|upper }}", "{first_name}", {"first_name": "{{ contact.first_name|upper }}"}),
        ("{{ contact.param2 }}", "{param2}", {"param2": "{{ contact.param2 }}"}),
        (
            '{{ contact.a or "vous" }}',
            "{param1}",
            {"param1": '{{ contact.a or "vous" }}'},
        ),
        ('100 %s {{ "%" }}', "100 %s %", {}),
    ],
)
def test_outputs_become_placeholders(source: str, text: str, outputs: dict[str, str]) -> None:
    assert placed(source) == Placed(text=text, outputs=outputs)


def test_seven_outputs_take_all_placeholders_and_eight_are_too_many() -> None:
    source = " ".join(f"{{{{ contact.c{number} }}}}" for number in range(7))
    assert placed(source).text == "{param1} {param2} {param3} {param4} {param5} {first_name} {last_name}"
    found = place(f"{source} {{{{ contact.c7 }}}}", NAMES)
    assert isinstance(found, Unplaced)
    assert "8 outputs over `contact`, of which a call takes 7" in found.why


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ('{% if contact.x == "a" %}oui{% endif %}', "the text has `{% if %}` over `contact`"),
        ("{code} {{ contact.x }}", "the text has braces of its own"),
        ('{{ contact.x }}{{ "{" }}', "the text has braces of its own"),
        ("{{ contact.x }}}", "the text has braces of its own"),
    ],
)
def test_what_cannot_have_placeholders(source: str, why: str) -> None:
    assert place(source, NAMES) == Unplaced(why)


# expanding


def test_a_value_is_never_looked_at_for_another_placeholder() -> None:
    assert filled_in("{param1}{param2}", {"param1": "{param2}", "param2": "{param1}"}) == "{param2}{param1}"
    with pytest.raises(KeyError):
        filled_in("{param1}", {})


def test_a_form_is_filled_in_as_one_by_one() -> None:
    form = Form(content="{a} % {b}{a}\0fr-FR", names=("b", "a"))
    assert list(form.filled([("1", "2"), ("%s", "\\1")])) == ["2 % 12\0fr-FR", "\\1 % %s\\1\0fr-FR"]


# values


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("Zoé", ""),
        ("L'Haÿ-les-Roses, 94", ""),
        ("x" * 50, ""),
        ("x" * 51, LONG),
        ("é" * 25, ""),
        ("é" * 26, LONG),
        ("🎄" * 12, ""),
        ("🎄" * 13, LONG),
        ("€" * 16, ""),
        ("€" * 17, LONG),
        ("[" * 25, ""),
        ("[" * 26, LONG),
        ("", EMPTY),
        ("{param1}", BRACES),
        ("a}", BRACES),
        (" a", BLANKS),
        ("a ", BLANKS),
        ("a  b", BLANKS),
        ("a b", ""),
        ("\u00a0a", BLANKS),
        ("a\u00a0b", SIGNS),
        ("a\nb", SIGNS),
        ("a\tb", SIGNS),
        ("a\u200bb", SIGNS),
        ("a\ud83cb", SIGNS),
        ("<b>", SIGNS),
        ("a\\1", SIGNS),
        ("$1", SIGNS),
        ("XXXXX", SIGNS),
    ],
)
def test_values_that_fit_and_those_that_a_provider_might_change(value: str, why: str) -> None:
    assert unfit(value, 50) == why
    expected = [(1, why)] if why else []
    assert list(misfits(["Marc", value, "Ines"], 50)) == expected
    assert list(misfits([value], 50)) == ([(0, why)] if why else [])


def test_nobody_has_no_misfit() -> None:
    assert list(misfits([], 50)) == []


# campaigns


def test_personal_texts_share_a_batch() -> None:
    made, merging = batches(
        "{{ contact.first_name }}: {{ contact.code }}.", first_name=["Zoe", "Marc", "Ines"], code=["1", "2", "3"]
    )
    (batch,) = made
    assert batch.content.text == "{first_name}: {param1}."
    assert batch.names == ("first_name", "param1")
    assert batch.values == (("Zoe", "1"), ("Marc", "2"), ("Ines", "3"))
    assert (batch.parts, batch.carries_id) == (3, True)
    assert not merging.misfits
    assert read(made) == ["Zoe: 1.", "Marc: 2.", "Ines: 3."]


def test_whose_value_does_not_fit_travels_by_a_text_of_their_own() -> None:
    made, merging = batches("Salut {{ contact.x }}!", x=["Zoe", "{param1}", "x" * 51, "", "Ines"])
    assert [batch.names for batch in made] == [("param1",), (), (), ()]
    assert read(made) == ["Salut Zoe!", "Salut {param1}!", "Salut " + "x" * 51 + "!", "Salut !", "Salut Ines!"]
    assert merging.misfits == {BRACES: 1, LONG: 1, EMPTY: 1}


def test_a_text_of_ones_own_that_looks_like_the_shared_one_is_no_part_of_it() -> None:
    made, _ = batches("{{ contact.x }}", x=["Zoe", "{param1}"])
    assert [(batch.content.text, batch.names) for batch in made] == [("{param1}", ("param1",)), ("{param1}", ())]


def test_parts_are_the_total_of_all_contacts() -> None:
    made, _ = batches("{{ contact.x }} " + "a" * 150, x=["ab", "c" * 20, "ê"])
    assert [batch.parts for batch in made] == [1 + 2 + 3]


def test_plain_forms_are_put_before_anything_is_compared() -> None:
    made, merging = batches("Cœur {{ contact.x }} ça", encoding="gsm7", x=["Noël", "œuf", "Zoe"])
    (batch,) = made
    assert batch.content.text == "Coeur {param1} ca"
    assert batch.values == (("Noel",), ("oeuf",), ("Zoe",))
    assert not merging.misfits


def test_a_sign_that_joins_the_text_beside_it_does_not_fit() -> None:
    made, merging = batches("caf e{{ contact.x }}", encoding="gsm7", x=["\u0301!", "s"])
    assert merging.misfits == {DIFFERENT: 1}
    assert read(made) == ["caf é!", "caf es"]


def test_braces_that_appear_with_the_plain_forms_are_braces() -> None:
    _, merging = batches("｛a｝ {{ contact.x }}", encoding="gsm7", x=["Zoe"])
    assert merging.unplaced == {"the text has braces of its own": 1}


def test_a_stop_number_made_of_text_and_value_does_not_fit() -> None:
    _, merging = batches("XX{{ contact.x }}", x=["XXXa", "b"])
    assert merging.misfits == {DIFFERENT: 1}
    _, merging = batches("{{ contact.x }} au XXXXX", x=["STOP", "stop"])
    assert merging.misfits == {DIFFERENT: 1}


def test_a_line_break_in_a_value_keeps_the_others_in_their_places() -> None:
    made, merging = batches("{{ contact.x }}ê", encoding="gsm7", x=["a\nb", "ô"])
    assert read(made) == ["a\nbe", "oe"]
    assert merging.misfits == {SIGNS: 1}


def test_text_that_is_too_long_only_with_its_placeholders_is_not_merged() -> None:
    text = "{{ contact.first_name }}" + "a" * 1213
    made, merging = batches(text, first_name=["Zoe", "Marc"])
    assert [batch.names for batch in made] == [(), ()]
    assert merging.unplaced == {"the text has 1,225 characters with its placeholders, at most 1,224 travel": 2}


def test_text_that_is_too_long_only_when_expanded_is_merged_and_refused_by_its_rule() -> None:
    asked = saying("{{ contact.x }}" + "a" * 1200, purpose=Purpose.TRANSACTIONAL)
    rows = people(x=["b" * 24, "b" * 25])
    composer = Composer(asked, live=False, sizes={})
    composer.compose(rows)
    assert [found.rule for found in composer.summary().findings] == ["text-length"]


def test_each_locale_has_a_form_of_its_own() -> None:
    text = {
        "fr": "Bonjour {{ contact.x }}",
        "en": "Hello {{ contact.x }}",
        "de": '{% if contact.x == "a" %}Hallo{% endif %}!',
        "it": "Ciao",
        "es": "Bonjour {{ contact.x|upper }}",
    }
    lang = ["fr", "en", "fr", "de", "it", "es", "en"]
    asked = {"locale": Locale(column="lang", default="fr")}
    made, merging = batches(text, x=list("abcdefg"), lang=lang, **asked)
    assert [(batch.content.text, len(batch.keys)) for batch in made] == [
        ("Bonjour {param1}", 3),
        ("Hello {param1}", 2),
        ("!", 1),
        ("Ciao", 1),
    ]
    assert read(made) == ["Bonjour a", "Hello b", "Bonjour c", "!", "Ciao", "Bonjour F", "Hello g"]
    assert merging.unplaced == {"the text has `{% if %}` over `contact`": 1}


def test_a_voice_keeps_its_language() -> None:
    message = Message(text="Bonjour {{ contact.x }}", language="fr-FR", gender="female")
    packer, _ = merged(campaign(channel=Channel.VOICE, message=message), people(x=["a", "b"]))
    (batch,) = packer.batches(first=True)
    assert (batch.content.text, batch.content.language) == ("Bonjour {param1}", "fr-FR")


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({}, None),
        ({"channel": Channel.RCS}, FIELDS),
        ({"options": Options(list_name="noel")}, FIELDS),
    ],
)
def test_what_is_not_merged(changes: dict[str, Any], fields: MergeFields | None) -> None:
    packer, merging = merged(saying("{{ contact.x }}", **changes), people(x=["a", "b"]), fields)
    assert [batch.names for batch in packer.batches(first=True)] == [(), ()]
    assert dict(merging.unplaced) == (
        {"`options.list_name` would store the values, too": 2} if "options" in changes else {}
    )


def test_a_request_without_its_id_is_known_by_its_batch() -> None:
    packer, _ = merged(saying("{{ contact.x }}"), people(x=["a", "{"]), replace(FIELDS, carries_id=False))
    assert [batch.carries_id for batch in packer.batches(first=True)] == [False, True]


# packing


def test_the_sums_tell_shared_calls_from_others() -> None:
    packer, _ = merged(saying("{{ contact.x }}"), people(x=["a", "b", "{", "{", "}", "c"]))
    sums = packer.packed()
    assert (sums.calls, sums.contacts, sums.merged, sums.names, sums.alone, sums.fewest) == (
        *(3, 6, 3, ("param1",), 2, 1),
    )


def test_ten_thousand_personal_texts_are_twenty_calls() -> None:
    values = [f"C{number}" for number in range(10_000)]
    asked = saying("{{ contact.x }}")
    rows, composer = people(x=values), Composer(asked, live=False, sizes={})
    composed = composer.compose(rows)
    packer = Packer(asked, PRICES, 500)
    packer.add(rows, composed.contents, parts=composed.parts, merged=Merging(asked, FIELDS).merge(rows, composed))
    made = list(packer.batches(first=True))
    assert [len(batch.keys) for batch in made] == [500] * 20
    assert read(made) == values


def test_a_reserved_batch_is_rebuilt_with_the_values_of_those_who_are_left() -> None:
    packer, _ = merged(saying("{{ contact.x }}"), people(x=["a", "b", "c"]))
    gone = b"\xff" * 16
    batch, dropped = packer.rebuild((1).to_bytes(16, "big") + (2).to_bytes(16, "big") + gone, first=False)
    assert batch is not None
    assert (batch.values, dropped) == ((("b",), ("c",)), gone)


def test_a_reserved_batch_whose_people_travel_in_different_ways_now_is_stale() -> None:
    packer, _ = merged(saying("{{ contact.x }}"), people(x=["a", "{"]))
    with pytest.raises(Stale):
        packer.rebuild((0).to_bytes(16, "big") + (1).to_bytes(16, "big"), first=False)


# what is said about it


def told(text: str, channel: Channel = Channel.SMS, **columns: list[str]) -> list[tuple[str, str]]:
    asked = saying(text, channel=channel)
    packer, merging = merged(asked, people(**columns))
    return [(one.rule, one.message) for one in check(asked, merging.shares(packer.packed()))]


def test_whoever_does_not_fit_is_counted_without_their_values() -> None:
    assert told("{{ contact.x }}", x=["a", "{b}", "{c}", "d" * 51]) == [
        (
            "merge-value",
            "3 contacts with values that fit no merge field (too long 1, with braces 2): " + OWN,
        )
    ]


def test_a_text_without_placeholders_says_what_it_costs_in_calls() -> None:
    text = '{% if contact.x == "a" %}A{% endif %}{{ contact.x }}'
    assert told(text, x=["a", "b", "c"]) == [
        (
            "merge-text",
            f"no merge fields for 3 contacts: the text has `{{% if %}}` over `contact`; {OWN}, where 1 would do",
        )
    ]
    assert told(text, x=["a", "a"]) == []


def test_a_voice_is_told_what_the_call_does_not_transmit() -> None:
    assert told("{{ contact.x }}", Channel.VOICE, x=["a", "b"]) == [
        ("voice-purpose", "the call with merge fields has no `purpose`: that this is transactional is not transmitted")
    ]


def test_of_a_text_that_everybody_gets_nothing_is_said() -> None:
    assert told("Bonjour", x=["a", "b"]) == []
