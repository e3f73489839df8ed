"""Whatever the template and the contacts: what stands in the outgoing JSON, expanded, is the text rendered here."""

from __future__ import annotations

import json
import re
from itertools import permutations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns import PRICES, campaign
from octoplan.core.batch import Packer
from octoplan.core.compose import Composer
from octoplan.core.merge import MergeFields, unfit
from octoplan.core.merging import Merging
from octoplan.core.message import SEPARATOR, Locale, Message
from octoplan.core.model import Channel, Purpose, Request, Rows
from octoplan.core.templates import Placed, place, printing
from octoplan.providers.octopush import Octopush
from octoplan.providers.octopush.single import FIELDS

OCTOPUSH = Octopush()


def mostly(usual: st.SearchStrategy[str], odd: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Draw what is odd so rarely that most examples merge something."""
    return st.integers(0, 19).flatmap(lambda die: odd if die == 7 else usual)


COLUMNS = ("first_name", "last_name", "param1", "x", "two words")
CHAINS = ("", "|upper", "|trim", "|title", '|replace("a", "{param1}")', '|default("vous", true)', "|truncate(4)")

# What GSM-7 has in one septet and in two, lacks with and without a plain form, and what a provider may read as code.
SIGNS = st.sampled_from([*"ab X%é€êœ🎄{}$\\<[", "\u0301", "XXXXX", "{param1}", "{first_name}", "%s", "｛", "\u00a0"])
TEXTS = st.lists(SIGNS, max_size=6).map("".join)
PLAIN = st.text("abcdeé-'", min_size=1, max_size=12)
ODD = st.one_of(TEXTS, st.sampled_from(["", "\n", "x" * 50, "x" * 51, "🎄" * 12, "€" * 17]))
VALUES = mostly(PLAIN, ODD)
OUTPUTS = st.builds(
    lambda column, chain: f'{{{{ contact["{column}"]{chain} }}}}', st.sampled_from(COLUMNS), st.sampled_from(CHAINS)
)
LITERALS = TEXTS.map(lambda text: printing.text(text, before_code=True))
PIECES = mostly(st.one_of(OUTPUTS, PLAIN), LITERALS)
TEMPLATES = st.lists(PIECES, min_size=1, max_size=9).map("".join)


def audience(people: list[tuple[str, ...]], languages: list[str]) -> Rows:
    count = len(people)
    return Rows(
        keys=[number.to_bytes(16, "big") for number in range(count)],
        addresses=[f"+3363998{number:04}" for number in range(count)],
        countries=["FR"] * count,
        columns={**dict(zip(COLUMNS, map(list, zip(*people, strict=True)), strict=True)), "lang": languages},
    )


def expanded(text: str, recipient: dict[str, str]) -> set[str]:
    """Expand as different providers might: in one go, or one placeholder after the other in any order."""
    values = {name: value for name, value in recipient.items() if name != "phone_number"}
    found = {re.sub(r"\{(\w+)\}", lambda match: values[match[1]], text)}
    for order in list(permutations(values))[:6]:
        one = text
        for name in order:
            one = one.replace(f"{{{name}}}", values[name])
        found.add(one)
    return found


def bodies(packer: Packer) -> list[tuple[Request, dict[str, Any]]]:
    requests = [OCTOPUSH.next(batch, ()) for batch in packer.batches(first=True) if batch.content.text]
    return [(one, json.loads(one.body)) for one in requests if isinstance(one, Request)]


@settings(deadline=None)
@given(
    template=st.tuples(TEMPLATES, TEMPLATES),
    people=st.lists(st.tuples(*[VALUES] * len(COLUMNS)), min_size=1, max_size=6),
    encoding=st.sampled_from(["auto", "gsm7"]),
    channel=st.sampled_from([Channel.SMS, Channel.VOICE]),
    languages=st.lists(st.sampled_from(["fr", "en", "??"]), min_size=6, max_size=6),
)
def test_what_is_delivered_is_what_was_rendered(
    template: tuple[str, str], people: list[tuple[str, ...]], encoding: str, channel: Channel, languages: list[str]
) -> None:
    message = Message(
        text={"fr": template[0], "en": template[1]},
        locale=Locale(column="lang", default="fr"),
        encoding=encoding,
        gender="female",
        language={"fr": "fr-FR", "en": "en-GB"} if channel is Channel.VOICE else None,
    )
    asked = campaign(channel=channel, message=message, purpose=Purpose.TRANSACTIONAL)
    rows = audience(people, languages[: len(people)])
    composed = Composer(asked, live=False, sizes={}).compose(rows)
    packer = Packer(asked, PRICES, 3)
    merging = Merging(asked, FIELDS)
    packer.add(rows, composed.contents, parts=composed.parts, merged=merging.merge(rows, composed))
    rendered = {
        address: content.partition(SEPARATOR)[0]
        for address, content in zip(rows.addresses, composed.contents, strict=True)
    }
    delivered: dict[str, str] = {}
    for request, body in bodies(packer):
        for recipient in body["recipients"]:
            texts = {body["text"]} if request.path == "/multi-channel/send" else expanded(body["text"], recipient)
            (delivered[recipient["phone_number"]],) = texts
    assert delivered == {address: text for address, text in rendered.items() if text}
    sums = packer.packed()
    assert sums.parts == sum(composed.parts)
    assert sums.merged + sum(merging.misfits.values()) + sum(merging.unplaced.values()) <= len(people)


@settings(deadline=None)
@given(TEMPLATES)
def test_a_text_with_placeholders_has_no_other_braces_and_each_of_them_once(template: str) -> None:
    found = place(template, FIELDS.names)
    if isinstance(found, Placed):
        named = re.findall(r"\{(\w+)\}", found.text)
        assert set(named) == found.outputs.keys() <= set(FIELDS.names)
        assert not re.search("[{}]", re.sub(r"\{\w+\}", "", found.text))
        assert len(set(found.outputs.values())) == len(found.outputs)


@settings(deadline=None)
@given(VALUES)
def test_what_fits_is_as_long_as_the_provider_says_however_it_counts(value: str) -> None:
    if not unfit(value, FIELDS.longest):
        assert 0 < len(value.encode()) <= FIELDS.longest
        assert len(value.encode("utf-16-le")) // 2 <= FIELDS.longest
        assert value == value.strip()
        assert not set(value) & set("{}<>$\\")


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "{"]), max_size=30), st.integers(1, 5))
def test_a_contact_travels_the_same_way_whoever_else_is_there(values: list[str], size: int) -> None:
    asked = campaign(message=Message(text="{{ contact.x }}"), purpose=Purpose.TRANSACTIONAL)
    ways = []
    for step in (1, 2):
        kept = values[::step]
        rows = Rows(
            keys=[number.to_bytes(16, "big") for number in range(0, len(values), step)],
            addresses=["+33639980000"] * len(kept),
            countries=["FR"] * len(kept),
            columns={"x": kept},
        )
        composed = Composer(asked, live=False, sizes={}).compose(rows)
        packer = Packer(asked, PRICES, size)
        fields = MergeFields(names=FIELDS.names, longest=50, channels=(Channel.SMS,))
        packer.add(rows, composed.contents, parts=composed.parts, merged=Merging(asked, fields).merge(rows, composed))
        made = list(packer.batches(first=True))
        ways.append({key: batch.names for batch in made for key in batch.keys})
        assert [packer.rebuild(b"".join(batch.keys), first=batch.first) for batch in made] == [
            (batch, b"") for batch in made
        ]
    assert ways[1] == {key: names for key, names in ways[0].items() if key in ways[1]}
