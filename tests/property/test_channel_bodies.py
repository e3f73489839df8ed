"""Whatever people are told on whatever channel: texts stay apart, and what leaves keeps the contract."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from simulations import simulation

from campaigns import PRICES, campaign
from octoplan.core import spoken
from octoplan.core.batch import Packer
from octoplan.core.compose import Composer
from octoplan.core.measure import Steps
from octoplan.core.message import Action, Card, Content, From, Locale, Media, Message, filled, joined, leaves
from octoplan.core.model import Channel, Effect, Options, Purpose, Request, Rows, Severity
from octoplan.core.rules.campaign import check_campaign
from octoplan.providers import PROVIDERS
from octoplan.providers.octopush.contract import check_body

if TYPE_CHECKING:
    from octoplan.core.model import Campaign

OCTOPUSH = PROVIDERS["octopush"]
BOOK = replace(PRICES, products={**PRICES.products, "voice_sms": {"FR": Decimal(1)}, "rcs": {"FR": Decimal(1)}})

WORDS = st.text(st.sampled_from("aB é€<&>\"'%|0.\u00a0"), min_size=1, max_size=8).filter(str.strip)
SLOTS = st.sampled_from(["", "{{ contact.x }}", "{% if contact.x == 'a' %}A{% endif %}", "{{ contact.y | upper }}"])
TEXTS = st.builds(lambda before, slot, after: before + slot + after, WORDS, SLOTS, WORDS)
LINES = TEXTS.map(str.strip)
SHORT = st.builds(lambda word, slot: f"a{word}{slot}"[:60], st.sampled_from("bcd"), SLOTS)
ACTIONS = st.lists(
    st.one_of(
        st.builds(Action, label=SHORT, postback=st.none() | TEXTS),
        st.builds(Action, label=SHORT, open_url=st.just("https://www.acme.example/a?b=c")),
        st.builds(Action, label=SHORT, dial=st.just("+33639980012")),
    ),
    max_size=4,
).map(tuple)
MEDIA = st.builds(
    Media,
    url=st.just("https://www.acme.example/a.jpg"),
    height=st.sampled_from(["short", "medium", "tall"]),
    thumbnail=st.none() | st.just("https://www.acme.example/b.jpg"),
)
CARDS = st.lists(
    st.builds(Card, title=TEXTS, description=st.none() | TEXTS, media=st.none() | MEDIA, actions=ACTIONS),
    min_size=1,
    max_size=3,
).map(tuple)
LOCALE = Locale(column="lang", default="fr")


def localised(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({"fr": texts, "en": texts, "pt-BR": texts})


EMAILS = {
    "subject": LINES,
    "from_": st.builds(From, address=st.just("shop@acme.example"), name=st.none() | st.just("ACME")),
    "service": st.sampled_from(["mailbox", "gateway"]),
}
MESSAGES: dict[Channel, st.SearchStrategy[Message]] = {
    Channel.SMS: st.builds(Message, text=TEXTS)
    | st.builds(Message, text=localised(TEXTS), locale=st.just(LOCALE), encoding=st.just("auto")),
    Channel.VOICE: st.builds(
        Message,
        text=localised(TEXTS),
        locale=st.just(LOCALE),
        gender=st.sampled_from(["male", "female"]),
        language=st.just({"fr": "fr-FR", "en": "en-GB", "pt-BR": "pt-BR"}),
    ),
    Channel.RCS: st.builds(Message, text=TEXTS, actions=ACTIONS) | st.builds(Message, cards=CARDS),
    Channel.EMAIL: st.builds(Message, text=TEXTS, **EMAILS)
    | st.builds(Message, template=st.just("welcome"), language=st.just("fr"), **EMAILS)
    | st.builds(
        Message,
        text=localised(TEXTS),
        locale=st.just(LOCALE),
        language=st.just({"fr": "fr", "en": "en", "pt-BR": "pt-BR"}),
        **{**EMAILS, "subject": localised(LINES)},
    ),
}


@st.composite
def campaigns(draw: st.DrawFn) -> Campaign:
    channel = draw(st.sampled_from(Channel))
    options = Options(
        replies=channel in (Channel.SMS, Channel.RCS) and draw(st.booleans()),
        collect_keys=channel is Channel.VOICE and draw(st.booleans()),
        list_name=draw(st.none() | st.just("noel")),
    )
    return campaign(
        channel=channel,
        purpose=Purpose.TRANSACTIONAL,
        sender=None if options.replies else draw(st.none() | st.just("ACME")),
        message=draw(MESSAGES[channel]),
        options=options,
    )


VALUES = st.sampled_from(["a", "b", "É", "<script>", "%s"])
PEOPLE = st.lists(
    st.tuples(VALUES, VALUES, st.sampled_from(["fr", "FR", "fr_BE", " en ", "", "xx", "pt-br", "pt"])),
    min_size=1,
    max_size=6,
)
Person = tuple[str, str, str]


def rows(people: list[Person], *, email: bool, start: int = 0) -> Rows:
    numbers = range(start, start + len(people))
    return Rows(
        keys=[number.to_bytes(16, "big") for number in numbers],
        addresses=[f"a{number}@acme.example" if email else f"+3363998{number:04}" for number in numbers],
        countries=["FR"] * len(people),
        columns={name: [person[at] for person in people] for at, name in enumerate(("x", "y", "lang"))},
    )


def composer(made: Campaign) -> Composer:
    return Composer(made, live=False, sizes={"x": (1, 8), "y": (1, 8)})


@given(campaigns(), PEOPLE)
@settings(max_examples=100, deadline=None)
def test_everybody_gets_what_they_would_get_alone(made: Campaign, people: list[Person]) -> None:
    email = made.channel is Channel.EMAIL
    whole = composer(made)
    together = whole.compose(rows(people, email=email))
    alone = [composer(made).compose(rows([person], email=email)) for person in people]
    assert together.contents == [one.contents[0] for one in alone]
    assert together.parts == [one.parts[0] for one in alone]
    skeleton = made.message.content(made.message.locales[0])
    for content in together.contents:
        values = [text for _, text in leaves(filled(skeleton, content))]
        assert joined([[value] for value in values]) == [content]
    packer = Packer(made, BOOK, 500)
    packer.add(rows(people, email=email), together.contents, parts=together.parts)
    batches = list(packer.batches(first=True))
    assert len(batches) == len(set(together.contents))
    assert {len({together.contents[int.from_bytes(key)] for key in batch.keys}) for batch in batches} == {1}


@given(campaigns(), PEOPLE)
@settings(max_examples=100, deadline=None)
def test_what_leaves_keeps_the_contract_and_a_simulation_sends_nothing(made: Campaign, people: list[Person]) -> None:
    judged = (*check_campaign(made), *OCTOPUSH.check(made))
    assert not [one for one in judged if one.severity is Severity.ERROR]
    whole = composer(made)
    chunk = rows(people, email=made.channel is Channel.EMAIL)
    composed = whole.compose(chunk)
    if any(one.severity is Severity.ERROR for one in whole.summary().findings):
        return
    packer = Packer(made, BOOK, 500)
    packer.add(chunk, composed.contents, parts=composed.parts)
    for batch in packer.batches(first=True):
        named = replace(batch, request_id="octoplan-1")
        request, asking = OCTOPUSH.next(named, ()), simulation(OCTOPUSH, named)
        assert isinstance(request, Request)
        assert (check_body(request.body), check_body(asking.body)) == ((), ())
        assert OCTOPUSH.may_plan(asking)
        assert not OCTOPUSH.may_plan(request)
        assert not OCTOPUSH.may_plan(replace(request, effect=Effect.SIMULATE))
        assert json.loads(request.body)["metadata"]["request_id"] == "octoplan-1"
        assert b"octoplan-1" not in asking.body
        assert b"request_id" not in asking.body


CONTENTS = st.builds(
    Content, text=st.none() | WORDS, subject=st.none() | WORDS, language=st.just("fr"), actions=ACTIONS, cards=CARDS
)


@given(CONTENTS, st.data())
@settings(max_examples=100, deadline=None)
def test_leaves_go_back_to_their_places(skeleton: Content, data: st.DataObject) -> None:
    paths = [path for path, _ in leaves(skeleton)]
    rendered = data.draw(st.lists(WORDS, min_size=len(paths), max_size=len(paths)))
    (content,) = joined([[text] for text in rendered])
    assert list(leaves(filled(skeleton, content))) == list(zip(paths, rendered, strict=True))


@given(st.text(max_size=400), st.text(max_size=40), st.integers(1, 120), st.integers(0, 30))
def test_more_text_never_takes_fewer_steps(text: str, more: str, step: int, pause: int) -> None:
    shorter, longer = Steps(step, pause=pause).count([text, text + more], "")
    assert 1 <= shorter <= longer
    assert shorter == -(-(spoken.seconds(text) + pause) // step)
