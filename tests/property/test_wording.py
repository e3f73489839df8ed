"""What a message says is the same however it is spaced, whatever its slots are called; another word is another text."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from campaigns import campaign
from octoplan.core import approval
from octoplan.core.message import Action, Audio, Card, Locale, Media, Message
from octoplan.core.wording import wordings

BLANKS = st.text(alphabet=" \t\n\u00a0\u202f", max_size=3)
WORDS = st.text(alphabet="abcdÉéßﬁ’€!<>{}\"'", min_size=1, max_size=6)
SLOTS = st.sampled_from(
    [
        "{{ contact.a }}",
        '{{ contact["b c"] }}',
        '{{ contact.c|default("}}") }}',
        '{{ contact.d|replace("\\"", "%}") }}',
        '{% if contact.e == "{{" %}',
        "{% endif %}",
    ]
)
PIECES = st.lists(st.one_of(WORDS.map(lambda word: word.replace("{", "(")), SLOTS), min_size=1, max_size=8)


def said(message: Message) -> frozenset[str]:
    """Return what a campaign says, as the ledger keeps it."""
    kept = json.dumps(approval.campaign_spec(campaign(message=message)), sort_keys=True, ensure_ascii=False)
    fresh: dict[str, Any] = approval.campaign_spec(campaign(message=message))["message"]
    assert wordings(json.loads(kept)["message"]) == wordings(fresh)
    return wordings(fresh)


@settings(deadline=None)
@given(pieces=PIECES, blanks=st.lists(BLANKS, min_size=9, max_size=9))
@example(pieces=["e", "\u0301"], blanks=[" "] * 9)
def test_blanks_and_capitals_change_nothing(pieces: list[str], blanks: list[str]) -> None:
    spaced = "".join(blank + piece for blank, piece in zip(blanks, pieces, strict=False)) + blanks[-1]
    assert said(Message(text="a" + spaced)) == said(Message(text="a" + "".join(pieces)))
    shouted = "".join(piece if piece[:1] == "{" else piece.swapcase() for piece in pieces)
    assert said(Message(text="a" + shouted)) == said(Message(text="a" + "".join(pieces)))


@settings(deadline=None)
@given(pieces=PIECES, others=st.lists(SLOTS, min_size=9, max_size=9))
def test_slots_change_nothing_beside_words(pieces: list[str], others: list[str]) -> None:
    changed = [other if piece[:1] == "{" else piece for piece, other in zip(pieces, others, strict=False)]
    assert said(Message(text="a" + "".join(changed))) == said(Message(text="a" + "".join(pieces)))


@settings(deadline=None)
@given(pieces=PIECES, place=st.integers(min_value=0, max_value=8))
def test_another_word_is_another_text(pieces: list[str], place: int) -> None:
    more = [*pieces[:place], "zz", *pieces[place:]]
    assert not said(Message(text="a" + "".join(more))) & said(Message(text="a" + "".join(pieces)))


def test_any_language_is_enough() -> None:
    locale = Locale(column="lang", default="fr")
    both = Message(text={"fr": "Bonjour", "en": "Hello"}, subject="ACME", locale=locale)
    assert said(both) & said(Message(text="Hello", subject="acme"))
    assert said(both) & said(Message(text={"en": "hello", "de": "Hallo"}, subject="ACME", locale=locale))
    assert not said(both) & said(Message(text={"fr": "Hello"}, subject={"fr": "Bonjour"}, locale=locale))
    lacking = {"text": {"fr": "Bonjour"}, "subject": {"fr": "A", "en": "B"}}  # of an older version, perhaps
    assert len(wordings(lacking)) == 2


def test_a_recording_says_what_its_bytes_say() -> None:
    here, there = (Message(audio=Audio(url=f"https://{host}/a.wav", sha256="0" * 64)) for host in ("a.fr", "b.fr"))
    assert said(here) == said(there)
    assert not said(here) & said(Message(audio=Audio(url="https://a.fr/a.wav", sha256="1" * 64)))


def test_a_template_and_cards_say_something_and_buttons_do_not() -> None:
    assert said(Message(template="winter")) != said(Message(template="summer"))
    card = Card(title="Soldes", description="Tout", media=Media(url="https://acme.example/a.png"))
    other = Card(title="soldes", description="tout", actions=(Action(label="Voir", open_url="https://acme.example"),))
    assert said(Message(cards=(card,))) == said(Message(cards=(other,)))
    assert said(Message(cards=(card,))) != said(Message(cards=(card, card)))


def test_without_words_everything_else_counts() -> None:
    pictures = [Message(cards=(Card(media=Media(url=f"https://acme.example/{name}")),)) for name in "aab"]
    assert said(pictures[0]) == said(pictures[1]) != said(pictures[2])
    assert said(Message(text="{{ contact.a }}")) == said(Message(text="{{contact.a}} "))
    assert said(Message(text="{{ contact.a }}")) != said(Message(text="{{ contact.b }}"))
    for nothing in ({}, {"text": " "}, {"actions": [1]}):
        assert wordings(nothing) == frozenset()
