"""Checks of a voice campaign that need nothing but the campaign: its voice or recording, its caller, its keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from octoplan.core.model import Channel, Purpose
from octoplan.core.quantity import quantity
from octoplan.core.quoting import quoted, suggestion
from octoplan.core.rules import finding
from octoplan.core.rules.url import check_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from octoplan.core.message import Audio
    from octoplan.core.model import Callback, Campaign, Finding, KeyPath, Options

GENDERS = ("male", "female")

ATTEMPTS, ATTEMPT_DAYS = 4, 30
"""How often a person in France may be called for marketing."""

KEY_WAIT, RING = (1, 30), (1, 60)
"""Bounds of our own, in seconds: the provider documents none."""

LANGUAGE: KeyPath = ("message", "language")
AUDIO: KeyPath = ("message", "audio")

_FRENCH_MOBILE = re.compile(r"(?:0|(?:00|\+)?33)[67][0-9]{8}")
_WAVE = re.compile(r"[a-zA-Z]+://[^/?#]*/[^?#]*\.wav(?:[?#].*)?")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def check(campaign: Campaign) -> Iterator[Finding]:
    """Yield what these rules find; nothing for another channel."""
    if campaign.channel is Channel.VOICE:
        yield from _gender(campaign) if campaign.message.audio is None else _audio(campaign.message.audio)
        yield from _caller_id(campaign)
        yield from _keys(campaign.options)
        yield from _keys_nowhere(campaign)
        yield from _callbacks(campaign.options)


def check_languages(campaign: Campaign, languages: Iterable[str]) -> Iterator[Finding]:
    """Yield what is wrong with the language of a voice, of those that a provider's voices speak."""
    if campaign.channel is not Channel.VOICE or campaign.message.audio is not None:
        return
    allowed = tuple(languages)
    listed = ", ".join(allowed)
    if campaign.message.language is None:
        message = "`message.language` is missing: nobody documents which one a voice speaks by itself"
        yield finding("voice-language", message, path=LANGUAGE, limit=listed, hint="for example `language: fr-FR`")
    for locale, content in campaign.message.contents.items():
        written = content.language
        if written is not None and written not in allowed:
            path = (*LANGUAGE, locale) if locale and not isinstance(campaign.message.language, str) else LANGUAGE
            message = f"{quoted(written)} is no language of the provider's voices"
            spoken = [name for name in allowed if name[:2] == written[:2].lower()]
            hint = suggestion(written, spoken or allowed)
            yield finding("voice-language", message, path=path, value=written, limit=listed, hint=hint)


def check_attempts(reached: int) -> Iterator[Finding]:
    """Yield a finding where so many owed French contacts have had their `ATTEMPTS` of marketing calls already.

    Source: decree 2022-1313, article D. 223-9 of the French consumer code.
    """
    if reached:
        message = f"{quantity(reached, 'contact')} in France had {ATTEMPTS} marketing calls in {ATTEMPT_DAYS} days"
        hint = "wait, or take them out with `exclude: [{campaign: …}]`"
        limit = f"{ATTEMPTS} in {ATTEMPT_DAYS} days"
        yield finding("voice-attempts", message, path=("audience",), value=f"{reached:,}", limit=limit, hint=hint)


def _gender(campaign: Campaign) -> Iterator[Finding]:
    gender = campaign.message.gender
    if gender not in GENDERS:
        what = "is missing" if gender is None else f"must be {' or '.join(GENDERS)}"
        value = None if gender is None else quoted(gender)[1:-1]
        hint = f"write `gender: {GENDERS[1]}`" if gender is None else suggestion(gender, GENDERS)
        path = ("message", "gender")
        yield finding(
            "voice-gender", f"`message.gender` {what}", path=path, value=value, limit=", ".join(GENDERS), hint=hint
        )


def _audio(audio: Audio) -> Iterator[Finding]:
    """Check what is known of a recording before anybody fetches it."""
    path = (*AUDIO, "url")
    wrong = check_url(audio.url, path)
    yield from wrong
    if not wrong and not _WAVE.fullmatch(audio.url):
        message = "the path of a recording must end in .wav: nothing else is played"
        yield finding("audio", message, path=path, limit=".wav", hint="export it as WAVE, and name that file")
    if not _DIGEST.fullmatch(audio.sha256):
        message = "`message.audio.sha256` must be 64 hexadecimal digits, as sha256sum prints them"
        yield finding("audio", message, path=(*AUDIO, "sha256"), hint="write what `sha256sum FILE` prints")


def _caller_id(campaign: Campaign) -> Iterator[Finding]:
    """Refuse callers in 06 and 07: Arcep keeps those numbers for people (decision 2022-1583)."""
    if campaign.purpose is Purpose.MARKETING and _FRENCH_MOBILE.fullmatch(campaign.sender or ""):
        message = "marketing calls may not come from a French mobile number (06, 07)"
        yield finding("caller-id", message, path=("sender",), hint="call from a number for automated calls, or a name")


def _keys(options: Options) -> Iterator[Finding]:
    """Keep within bounds what nobody says how the provider would read it."""
    for name, bounds in (("key_wait_seconds", KEY_WAIT), ("ring_seconds", RING)):
        seconds: int | None = getattr(options, name)
        least, most = bounds
        if seconds is not None and not least <= seconds <= most:
            limit = f"{least} to {most}"
            message = f"`options.{name}` must be {limit} seconds"
            hint = f"write a number from {limit}"
            yield finding("keys", message, path=("options", name), value=f"{seconds:,}", limit=limit, hint=hint)
    if options.key_wait_seconds is not None and not options.collect_keys:
        message = "`options.key_wait_seconds` is how long a key is waited for, and none is collected"
        hint = "write `collect_keys: true`, or remove it"
        yield finding("keys", message, path=("options", "key_wait_seconds"), hint=hint)


def _callbacks(options: Options) -> Iterator[Finding]:
    for name in ("callback", "campaign_callback"):
        callback: Callback | None = getattr(options, name)
        if callback is not None:
            yield from check_url(callback.url, ("options", name, "url"))


def _keys_nowhere(campaign: Campaign) -> Iterator[Finding]:
    """Ask for a callback: providers may have it by account, where no file can show it."""
    if campaign.options.collect_keys and campaign.options.callback is None:
        message = "keys are collected, and no callback in this file says where to"
        hint = "set the callback in the provider's settings, then say so under `allow`; or remove `collect_keys`"
        yield finding("keys-nowhere", message, path=("options", "collect_keys"), hint=hint)
