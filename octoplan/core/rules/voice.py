"""Checks of a voice campaign that need nothing but the campaign: its voice, its caller, its keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from octoplan.core.model import Channel, Purpose
from octoplan.core.quantity import quantity
from octoplan.core.quoting import quoted, suggestion
from octoplan.core.rules import finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from octoplan.core.model import Campaign, Finding, KeyPath

GENDERS = ("male", "female")

ATTEMPTS, ATTEMPT_DAYS = 4, 30
"""How often a person in France may be called for marketing."""

LANGUAGE: KeyPath = ("message", "language")

_FRENCH_MOBILE = re.compile(r"(?:0|(?:00)?33)[67][0-9]{8}")


def check(campaign: Campaign) -> Iterator[Finding]:
    """Yield what these rules find; nothing for another channel."""
    if campaign.channel is Channel.VOICE:
        yield from _gender(campaign)
        yield from _caller_id(campaign)
        yield from _keys_nowhere(campaign)


def check_languages(campaign: Campaign, languages: Iterable[str]) -> Iterator[Finding]:
    """Yield what is wrong with the language of a voice, of those that a provider's voices speak."""
    if campaign.channel is not Channel.VOICE:
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


def _caller_id(campaign: Campaign) -> Iterator[Finding]:
    """Refuse callers in 06 and 07: Arcep keeps those numbers for people (decision 2022-1583)."""
    if campaign.purpose is Purpose.MARKETING and _FRENCH_MOBILE.fullmatch(campaign.sender or ""):
        message = "marketing calls may not come from a French mobile number (06, 07)"
        yield finding("caller-id", message, path=("sender",), hint="call from a number for automated calls, or a name")


def _keys_nowhere(campaign: Campaign) -> Iterator[Finding]:
    """Ask for a callback: providers have it by account, where no file can show it."""
    if campaign.options.collect_keys:
        message = "keys are collected, and no callback in this file says where to"
        hint = "set the callback in the provider's settings, then say so under `allow`; or remove `collect_keys`"
        yield finding("keys-nowhere", message, path=("options", "collect_keys"), hint=hint)
