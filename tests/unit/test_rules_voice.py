"""Calls: what is played or said, who calls, which keys are waited for, and where it is reported."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from campaigns import campaign
from octoplan.core.message import Audio, Message
from octoplan.core.model import Audience, Callback, Campaign, Channel, Finding, Limits, Options, Purpose
from octoplan.core.rules import sender, voice
from octoplan.core.rules.offered import not_offered

AUDIO = Audio(url="https://media.acme.fr/winter/hello.wav", sha256="0" * 64)
SPOKEN = Message(text="Bonjour", language="fr-FR", gender="female")


def calling(**changes: Any) -> Campaign:
    return campaign(**{"channel": Channel.VOICE, "message": Message(audio=AUDIO), **changes})


def found(made: Campaign) -> list[tuple[str, str]]:
    return [(one.rule, ".".join(map(str, one.path))) for one in voice.check(made)]


def test_a_recording_needs_no_voice() -> None:
    assert found(calling()) == []
    assert [*voice.check_languages(calling(), ("fr-FR",))] == []
    assert found(calling(message=Message(text="Bonjour"))) == [("voice-gender", "message.gender")]


@pytest.mark.parametrize(
    "url",
    [
        "https://media.acme.fr/a.wav?token=x.mp3#y",
        "HTTPS://media.acme.fr:8443/a%20b/.wav",
        "https://8.8.8.8/a.wav",
    ],
)
def test_a_recording_is_a_wave_file(url: str) -> None:
    assert found(calling(message=Message(audio=replace(AUDIO, url=url)))) == []


@pytest.mark.parametrize(
    "url",
    [
        "https://media.acme.fr/a.mp3",
        "https://media.acme.fr/a.wav.mp3",
        "https://media.acme.fr/a.WAV",
        "https://media.acme.fr/wav",
        "https://media.acme.fr/?file=a.wav",
        "https://media.acme.fr/#a.wav",
        "https://media.wav",
        "https://media.wav?/a.wav",
    ],
)
def test_anything_else_is_no_recording(url: str) -> None:
    assert found(calling(message=Message(audio=replace(AUDIO, url=url)))) == [("audio", "message.audio.url")]


@pytest.mark.parametrize(
    "url",
    [
        "http://media.acme.fr/a.wav",
        "https://127.0.0.1/a.wav",
        "https://[::1]/a.wav",
        "https://user@media.acme.fr/a.wav",
        "https://localhost/a.wav",
        "https://media.acme.fr/{{ contact.x }}.wav",
        "https://media.acme.fr/a.wav\n",
        "a.wav",
    ],
)
def test_a_recording_is_where_everybody_can_fetch_it(url: str) -> None:
    made = calling(message=Message(audio=replace(AUDIO, url=url)))
    assert set(found(made)) == {("url", "message.audio.url")}


@pytest.mark.parametrize("sha256", ["", "0" * 63, "0" * 65, "A" * 64, "g" * 64, "0" * 64 + "\n"])
def test_a_recording_is_pinned_by_its_digest(sha256: str) -> None:
    made = calling(message=Message(audio=replace(AUDIO, sha256=sha256)))
    assert found(made) == [("audio", "message.audio.sha256")]


@pytest.mark.parametrize("name", ["callback", "campaign_callback"])
def test_what_is_reported_goes_to_a_public_address(name: str) -> None:
    def to(url: str) -> list[tuple[str, str]]:
        callbacks: dict[str, Any] = {name: Callback(url=url)}
        return found(calling(options=Options(**callbacks)))

    assert to("https://hooks.acme.example/calls") == []
    assert to("https://169.254.169.254/") == [("url", f"options.{name}.url")]


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"ring_seconds": 1}, []),
        ({"ring_seconds": 60}, []),
        ({"ring_seconds": 0}, ["ring_seconds"]),
        ({"ring_seconds": 61}, ["ring_seconds"]),
        ({"key_wait_seconds": 1, "collect_keys": True}, []),
        ({"key_wait_seconds": 30, "collect_keys": True}, []),
        ({"key_wait_seconds": 0, "collect_keys": True}, ["key_wait_seconds"]),
        ({"key_wait_seconds": 31, "collect_keys": True}, ["key_wait_seconds"]),
        ({"key_wait_seconds": 30}, ["key_wait_seconds"]),
        ({"key_wait_seconds": -1, "ring_seconds": 10**12}, ["key_wait_seconds", "ring_seconds", "key_wait_seconds"]),
    ],
)
def test_keys_and_ringing_have_their_time(options: dict[str, Any], wrong: list[str]) -> None:
    hook = Callback(url="https://hooks.acme.example/calls")
    assert found(calling(options=Options(callback=hook, **options))) == [("keys", f"options.{key}") for key in wrong]


def test_keys_are_collected_for_somebody() -> None:
    hook = Callback(url="https://hooks.acme.example/calls", when="change")
    nowhere = [("keys-nowhere", "options.collect_keys")]
    assert found(calling(options=Options(collect_keys=True))) == nowhere
    assert found(calling(options=Options(collect_keys=True, campaign_callback=hook))) == nowhere
    assert found(calling(options=Options(collect_keys=True, callback=hook))) == []


@pytest.mark.parametrize(
    ("number", "refused"),
    [
        ("0639980012", True),
        ("33739980012", True),
        ("+33639980012", True),
        ("0033639980012", True),
        ("+33199000001", False),
    ],
)
def test_marketing_does_not_call_from_a_mobile(number: str, *, refused: bool) -> None:
    assert found(calling(sender=number)) == ([("caller-id", "sender")] if refused else [])
    assert found(calling(sender=number, purpose=Purpose.TRANSACTIONAL)) == []


def named(made: Campaign) -> list[str]:
    return [one.rule for one in sender.check(made, sender.CALLER)]


@pytest.mark.parametrize("given", ["1", "+1", "0" * 16, "+" + "9" * 16, "A", "Acme2026Fr0"])
def test_a_caller_is_a_number_or_a_name(given: str) -> None:
    assert named(calling(sender=given)) == []


@pytest.mark.parametrize("given", ["", "+", "0" * 17, "++1", "Acme2026Fr01", "A B", "Été", "٣", "33 1 99 00", "ACME\n"])
def test_any_other_caller_is_refused(given: str) -> None:
    assert named(calling(sender=given)) == ["sender-shape"]


def test_a_caller_is_needed_and_known_to_the_project() -> None:
    (missing,) = sender.check(calling(sender=None, provider="calls"), sender.CALLER)
    assert (missing.rule, missing.path) == ("sender-shape", ("sender",))
    assert "calls" in missing.message
    assert [*sender.check(calling(sender=None))] == []
    known = Limits(senders=("+33199000001",))
    assert named(calling(sender="+33199000001", limits=known)) == []
    (unknown,) = sender.check(calling(sender="+33199000002", limits=known), sender.CALLER)
    assert unknown.rule == "sender-unknown"
    assert "199" not in f"{unknown.message} {unknown.value} {unknown.limit} {unknown.hint}"


def test_what_a_provider_does_not_have_is_refused_where_it_is_set() -> None:
    keys = ("audience.list", "audience.groups", "message.audio", "options.callback", "options.respect_quiet_hours")

    def refused(**changes: Any) -> list[Finding]:
        return [*not_offered(campaign(**changes), keys, kind="one", has="two")]

    assert refused() == []
    (audio,) = refused(message=Message(audio=AUDIO))
    assert (audio.rule, audio.path, audio.limit) == ("wrong-value", ("message", "audio"), "two")
    assert audio.message == "`message.audio` is not offered by one: two has it"
    assert "two" in audio.hint
    held = Audience(address="phone_number", country="FR", list_="clients")
    (there,) = refused(audience=held, options=Options(list_name="copy"))
    assert (there.rule, there.path) == ("source", ("audience", "list"))
    assert [one.path[-1] for one in refused(options=Options(respect_quiet_hours=False, ring_seconds=3))] == [
        "respect_quiet_hours"
    ]
