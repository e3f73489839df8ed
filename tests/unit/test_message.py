"""Contents of every channel: leaves in one order, one string a person, and what each contact would see."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from campaigns import PLAIN, PRICES, campaign
from octoplan.core import spoken
from octoplan.core.batch import Packer
from octoplan.core.compose import Composer
from octoplan.core.measure import Terms
from octoplan.core.message import Action, Audio, Card, Content, From, Locale, Media, Message, filled, joined, leaves
from octoplan.core.model import Channel, Finding, Options, Purpose, Rows, Severity
from octoplan.core.recording import Recording
from octoplan.core.rules import accept, blocks, finding
from octoplan.core.rules.campaign import check_campaign
from octoplan.core.rules.contents import Chunk, ContentRules
from octoplan.core.rules.sender import CALLER, NAME, check
from octoplan.providers.octopush.contract import check_body

if TYPE_CHECKING:
    from collections.abc import Sequence

    from octoplan.core.model import Campaign

CARD = Card(
    title="{{ contact.x }}",
    media=Media(url="https://www.acme.example/a.jpg"),
    actions=(Action(label="a", open_url="https://www.acme.example/{{ contact.x }}"),),
)
EMAIL: dict[str, Any] = {"subject": "S", "service": "gateway", "from_": From(address="shop@acme.example", name="ACME")}
VOICE: dict[str, Any] = {"language": "fr-FR", "gender": "male"}


def rows(values: Sequence[str], **columns: list[str]) -> Rows:
    return Rows(
        keys=[bytes([number]) for number in range(len(values))],
        addresses=["+33639980012"] * len(values),
        countries=["FR"] * len(values),
        columns={"x": list(values), **columns},
    )


def of(channel: Channel, message: Message, **changes: Any) -> Campaign:
    return campaign(**{"channel": channel, "purpose": Purpose.TRANSACTIONAL, "message": message, **changes})


def found(made: Campaign, values: Sequence[str], **columns: list[str]) -> list[Finding]:
    composer = Composer(made, live=False, sizes={"x": (1, 9)})
    composer.compose(rows(values, **columns))
    return list(composer.summary().findings)


def told(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    return [(one.rule, one.message) for one in findings]


def test_a_content_of_many_leaves_comes_back() -> None:
    content = Content(cards=(CARD, replace(CARD, actions=())), language="fr")
    values = [text for _, text in leaves(content)]
    assert filled(content, joined([[value] for value in values])[0]) == content
    assert filled(Content(text="{{ contact.x }}"), "a") == Content(text="a")
    assert filled(Content(template="welcome"), "welcome") == Content(template="welcome")


def test_contacts_get_the_text_of_their_language() -> None:
    message = Message(text={"fr": "Salut {{ contact.x }}", "en": "Hi {{ contact.x }}"}, locale=LOCALE)
    made = of(Channel.SMS, message)
    composer = Composer(made, live=False, sizes={"x": (1, 9)})
    values = ["FR", "fr_BE", " en ", "", "xx", "EN-gb"]
    contents = composer.compose(rows(["Zoe"] * 6, lang=values)).contents
    assert contents == ["Salut Zoe", "Salut Zoe", "Hi Zoe", "Salut Zoe", "Salut Zoe", "Hi Zoe"]
    summary = composer.summary()
    assert summary.locales == {"en": 2, "fr": 4}
    assert summary.pattern == "Salut ‹x ≤9›"
    assert summary.patterns == {"text.en": "Hi ‹x ≤9›"}
    (locale,) = (one for one in summary.findings if one.rule == "locale")
    assert locale.message == "2 contacts in another language than fr, en: they get fr"


LOCALE = Locale(column="lang", default="fr")


def test_only_the_subject_may_be_by_language() -> None:
    message = Message(
        text="{{ contact.x }}", format="plain", locale=LOCALE, **{**EMAIL, "subject": {"fr": "Un", "en": "One"}}
    )
    composer = Composer(of(Channel.EMAIL, message), live=False, sizes={"x": (1, 9)})
    made = composer.compose(rows(["a", "a", "a"], lang=["fr", "en", "fr"]))
    assert made.contents == ["a\0Un", "a\0One", "a\0Un"]
    assert composer.summary().pattern == "‹x ≤9›"
    assert composer.summary().patterns == {"subject.fr": "Un", "subject.en": "One"}


def test_a_value_with_the_separator_is_refused_and_cannot_move_a_text() -> None:
    made = of(Channel.EMAIL, Message(text="{{ contact.x }}", **{**EMAIL, "subject": "{{ contact.x }}"}))
    composer = Composer(made, live=False, sizes={"x": (1, 9)})
    chunk = rows(["a\0b", "a"])
    contents = composer.compose(chunk)
    assert [one.rule for one in composer.summary().findings] == ["text-control"]
    packer = Packer(made, PRICES, 500)
    packer.add(chunk, contents.contents, parts=contents.parts)
    texts = [(batch.content.subject, batch.content.text) for batch in packer.batches(first=True)]
    assert texts == [("a�b", "a�b"), ("a", "a")]


def test_html_values_are_escaped_in_the_body_only() -> None:
    message = Message(text="<p>{{ contact.x }}</p>", format="html", **{**EMAIL, "subject": "For {{ contact.x }}"})
    composer = Composer(of(Channel.EMAIL, message), live=False, sizes={"x": (1, 9)})
    (content,) = composer.compose(rows(["<script>&"])).contents
    assert content == "<p>&lt;script&gt;&amp;</p>\0For <script>&"


def test_calls_are_counted_in_steps() -> None:
    made = of(Channel.VOICE, Message(text="{{ contact.x }}", **VOICE))
    composer = Composer(made, live=False, sizes={}, terms=Terms(step=1))
    assert composer.compose(rows(["a" * 12, "a" * 13])).parts == [1, 2]
    assert composer.summary().seconds == 2
    assert spoken.seconds("a" * 361) == 31


AUDIO = Audio(url="https://media.acme.fr/test.wav", sha256="0" * 64)


def test_a_recording_is_the_same_for_everybody_and_has_no_text_to_judge() -> None:
    made = of(Channel.VOICE, Message(audio=AUDIO))
    read = finding("audio", "read", severity=Severity.INFO)
    terms = Terms(text=10, step=30, recording=Recording(seconds=61, findings=(read,)))
    composer = Composer(made, live=True, sizes={}, terms=terms)
    composed = composer.compose(rows(["Zoe", "Marc"]))
    assert composed.parts == [3, 3]
    assert len(set(composed.contents)) == 1
    assert filled(made.message.content(), composed.contents[0]) == Content(audio=AUDIO)
    summary = composer.summary()
    assert (summary.longest, summary.seconds, summary.parts, summary.pattern) == (0, 61, {3: 2}, "")
    assert summary.patterns == {"audio.url": AUDIO.url, "audio.sha256": AUDIO.sha256}
    assert summary.findings == (read,)


def test_a_recording_of_unknown_length_is_one_step() -> None:
    made = of(Channel.VOICE, Message(audio=AUDIO))
    composer = Composer(made, live=True, sizes={})
    assert composer.compose(rows(["a"])).parts == [1]
    assert composer.summary().seconds == 0
    assert composer.summary().findings == ()


def test_what_is_approved_moves_with_each_half_of_a_recording() -> None:
    def content(audio: Audio) -> str:
        return Composer(of(Channel.VOICE, Message(audio=audio)), live=False, sizes={}).compose(rows(["a"])).contents[0]

    others = (replace(AUDIO, url="https://media.acme.fr/other.wav"), replace(AUDIO, sha256="1" * 64))
    assert len({content(one) for one in (AUDIO, *others)}) == 3


def test_a_text_has_the_length_of_its_provider() -> None:
    made = of(Channel.VOICE, Message(text="{{ contact.x }}", **VOICE))
    composer = Composer(made, live=False, sizes={}, terms=Terms(text=1000))
    composer.compose(rows(["a" * 1000, "a" * 1001]))
    (one,) = composer.summary().findings
    assert (one.rule, one.value, one.limit) == ("text-length", "1,001", "1,000")
    assert "the texts of 1 contact are empty or longer than 1,000 characters" in one.message


def test_what_a_contact_sees_of_a_card_is_judged() -> None:
    made = of(Channel.RCS, Message(cards=(CARD,)), sender=None)
    assert told(found(made, ["ok", "é" * 101, "a b", " "])) == [
        ("rcs-limits", "`title` has 202 characters or bytes for 1 contact, at most 200 are shown"),
        ("rcs-shape", "`title` is blank for 1 contact"),
        ("url", "`open_url` is no usable address for 3 contacts"),
    ]


def test_a_message_must_travel() -> None:
    cards = tuple(Card(description="{{ contact.x }}") for _ in range(10))
    assert ("rcs-limits", "the message has 260,000 bytes, at most 250,000 travel") in told(
        found(of(Channel.RCS, Message(cards=cards), sender=None), ["d" * 26_000])
    )


def test_subjects_are_judged_as_contacts_would_see_them() -> None:
    made = of(Channel.EMAIL, Message(text="Hello", **{**EMAIL, "subject": "{{ contact.x }}"}))
    assert told(found(made, ["", " a", "a\nb", "s" * 71, "s" * 1001, "ok"])) == [
        ("subject", "the subject is empty for 1 contact"),
        ("subject", "the subject has blanks around it for 1 contact"),
        ("subject", "the subject has a line break for 1 contact"),
        ("subject", "the subject is longer than most inboxes show for 1 contact"),
        ("subject", "the subject is longer than an e-mail takes for 1 contact"),
    ]


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        (Channel.VOICE, Message(text="{{ contact.x }}", **VOICE)),
        (Channel.EMAIL, Message(template="w", **{**EMAIL, "subject": "{{ contact.x }}"})),
    ],
)
def test_a_stop_mention_is_filled_in_on_sms_and_rcs_only(channel: Channel, message: Message) -> None:
    rules = [one.rule for one in found(of(channel, message), ["STOP au XXXXX", "XXXXX"])]
    assert rules.count("stop-number") == 1


def test_a_provider_template_has_no_text_to_judge() -> None:
    made = of(Channel.EMAIL, Message(template="welcome", **EMAIL))
    assert check_campaign(made) == ()
    rules = ContentRules(made, live=True)
    rules.look(Chunk(columns={"template": ["welcome"], "subject": ["S"]}, countries=["FR"]))
    assert rules.findings() == ()


def test_a_text_of_rcs_has_the_length_of_all_texts() -> None:
    made = of(Channel.RCS, Message(text="{{ contact.x }}"), sender=None)
    assert told(found(made, ["é" * 1224])) == []
    assert [rule for rule, _ in told(found(made, ["é" * 1225]))] == ["text-length"]


def test_whoever_is_wanted_is_counted() -> None:
    packer = Packer(PLAIN, PRICES, 500)
    chunk = rows(["a", "b"])
    packer.add(chunk, ["a", "b"], parts=[1, 1])
    assert packer.count({chunk.keys[1], b"other"}) == 1


def test_anything_but_infos_blocks() -> None:
    warning = check_campaign(of(Channel.SMS, Message(text="https://bit.ly/x")))
    assert blocks(warning)
    assert not blocks(accept(warning, {"public-shortener": "ours"}))


def test_senders_of_rcs_are_agents() -> None:
    made = of(Channel.RCS, Message(text="Hello"), sender="ACME Shops", options=Options())
    for shape in (NAME, CALLER):
        assert [*check(made, shape)] == []
        assert [one.rule for one in check(replace(made, sender="A\u200b"), shape)] == ["sender-shape"]


def test_languages_without_their_own_text_take_any() -> None:
    message = Message(text={"fr": "Un"}, subject={"fr": "Un", "en": "One"}, locale=LOCALE)
    assert message.content("en").text == "Un"
    assert message.locales == ("fr", "en")


RCS_BODY = {
    "channel": "rcs",
    "text": "Hello",
    "recipients": [{"phone_number": "+33639980012"}],
    "purpose": "alert",
    "auto_remove_blacklisted_contacts": True,
    "metadata": {},
}
EMAIL_BODY = {
    "channel": "email",
    "recipients": [{"email": "zoe@octoplan.example"}],
    "purpose": "alert",
    "metadata": {"email_from": "shop@acme.example", "subject": "S", "emailing_service": "gateway"},
}
REPLY = {"reply": {"text": "a", "postbackData": "a"}}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({**RCS_BODY, "metadata": {"message_type": "rich_card"}}, "`metadata`: cards go with rich_card"),
        ({**RCS_BODY, "metadata": {"cards": [{"title": "a"}]}}, "`metadata`: cards go with rich_card"),
        (
            {**RCS_BODY, "metadata": {"message_type": "rich_card", "cards": [{"title": "a"}], "actions": [REPLY]}},
            "`metadata`: cards go with rich_card",
        ),
        ({**RCS_BODY, "text": ""}, "`text`: String should have at least 1 character"),
        ({name: value for name, value in RCS_BODY.items() if name != "text"}, "`body`: text is missing"),
        (EMAIL_BODY, "`body`: text and metadata.template_name are missing"),
    ],
)
def test_the_contract_refuses_a_body_that_says_nothing(body: dict[str, Any], told: str) -> None:
    (one,) = check_body(orjson.dumps(body))
    assert told in one.message
    assert check_body(orjson.dumps(RCS_BODY)) == ()
    assert check_body(orjson.dumps({**EMAIL_BODY, "text": "Hello"})) == ()


@pytest.mark.parametrize(
    ("card", "missing"),
    [
        (Card(description="STOP au XXXXX"), 0),
        (Card(title="a", actions=(Action(label="b", postback="STOP au XXXXX"),)), 1),
        (Card(media=Media(url="https://www.acme.example/a.jpg")), 1),
    ],
)
def test_the_stop_mention_must_be_seen(card: Card, missing: int) -> None:
    made = of(Channel.RCS, Message(cards=(card,)), purpose=Purpose.MARKETING)
    assert [one.rule for one in found(made, ["x"])].count("stop-missing") == missing
