"""A campaign of calls as Routee reads it: cast where that is possible, refused where a documented rule is broken."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import orjson

from octoplan.sandbox import casts
from octoplan.sandbox.guesses.routee import STRATEGIES
from octoplan.sandbox.routee.refusal import NO_RECIPIENTS_OR_SENDER, Rejected, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from octoplan.sandbox.switches import Settings

LANGUAGES = (
    *("en-US", "de-DE", "fr-FR", "it-IT", "pt-BR", "es-ES", "es-LA", "en-GB", "el-GR", "bg-BG", "pl-PL", "hu-HU"),
    *("sv-SE", "ru-RU"),
)
GENDERS = ("female", "male")
MOST_RECIPIENTS = 1000
LONGEST_TEXT = 1000
_MOST_HANGUP_SECONDS = 60
_BY_LANGUAGE = {language.lower(): language for language in LANGUAGES}
_BY_STRATEGY = {strategy.lower(): strategy for strategy in STRATEGIES}
_NUMERIC = re.compile(r"\+?[0-9]{1,16}", re.ASCII)
_ALPHANUMERIC = re.compile(r"[A-Za-z0-9 ]{1,11}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9 -]{2,30}", re.ASCII)
_OFFSET = re.compile(r"(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})$", re.ASCII)


class Said(NamedTuple):
    """What whoever picks up hears: `text` read aloud, or a file, whose address is the text then."""

    text: str
    language: str | None = None
    gender: str | None = None
    file_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A campaign as it was understood; `numbers` are those of `to`, `unusable` what is no number there."""

    sender: str
    said: Said
    numbers: list[str]
    unusable: list[str]
    contacts: list[str]
    groups: list[str]
    name: str | None
    scheduled: datetime | None
    collects: bool
    pause: float | None
    hangup_delay: float | None
    respects_quiet: bool
    ignores_dnd: bool
    callback: Mapping[str, str] | None
    campaign_callback: Mapping[str, str] | None


def read(content: bytes, settings: Settings, *, named: bool) -> Order:
    """Read a request; `named`: with the name of a campaign. Raises Rejected."""
    fields = casts.body(content)
    if not fields:
        raise invalid(settings, "The body is missing or no JSON object.")
    sender = _sender(fields, settings)
    numbers, unusable = _numbers(fields)
    contacts, groups = _texts(fields.get("contacts")), _texts(fields.get("groups"))
    _check_recipients((len(numbers) + len(unusable), len(contacts), len(groups)), settings)
    if unusable and settings.text("routee_invalid_number") == "rejected":
        raise invalid(settings, "Invalid recipients.", numbers=unusable)
    collects = casts.flag(fields.get("collectDtmfDigits"), default=False)
    return Order(
        sender=sender,
        said=_said(fields, settings),
        numbers=numbers,
        unusable=unusable,
        contacts=contacts,
        groups=groups,
        name=_name(fields, settings) if named else None,
        scheduled=_scheduled(fields, settings),
        collects=collects,
        pause=_seconds(fields.get("collectDtmfAwaitSeconds")),
        hangup_delay=_hangup_delay(fields, settings),
        respects_quiet=casts.flag(fields.get("respectQuietHours"), default=False),
        ignores_dnd=casts.flag(fields.get("ignoreDnd"), default=False),
        callback=_callback(fields, "callback", settings=settings),
        campaign_callback=_callback(fields, "campaignCallback", settings=settings),
    )


def _sender(fields: Mapping[str, Any], settings: Settings) -> str:
    sender = _line(fields.get("from"))
    letters = settings.text("routee_alphanumeric_from") == "accepted"
    if not (_NUMERIC.fullmatch(sender) or (letters and _ALPHANUMERIC.fullmatch(sender))):
        raise Rejected(NO_RECIPIENTS_OR_SENDER, "Invalid sender.")
    return sender


def _numbers(fields: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Read `to`: the numbers, and what is none."""
    entries = casts.recipients(fields.get("to"))
    numbers = casts.phone_numbers(entries)
    unusable = [] if len(numbers) == len(entries) else [_line(e) for e in entries if not casts.phone_numbers([e])]
    return numbers, unusable


def _check_recipients(counts: tuple[int, ...], settings: Settings) -> None:
    if not any(counts):
        raise Rejected(NO_RECIPIENTS_OR_SENDER, "One of to, contacts and groups is required.")
    together = settings.text("routee_limit_counts") == "all"
    if (sum(counts) if together else max(counts)) > MOST_RECIPIENTS:
        raise invalid(settings, f"At most {MOST_RECIPIENTS} recipients are allowed.")


def _texts(value: object) -> list[str]:
    """Cast to a list of texts: a form's numbered fields, JSON text, or one alone."""
    if isinstance(value, str):
        with suppress(orjson.JSONDecodeError):
            value = orjson.loads(value)
    if isinstance(value, dict):
        value = list(value.values())
    return [line for one in (value if isinstance(value, list) else [value]) if (line := _line(one))]


def _said(fields: Mapping[str, Any], settings: Settings) -> Said:
    message, file_url = casts.mapping(fields.get("message")), _line(fields.get("fileURL"))
    if message and file_url:
        counts = settings.text("routee_message_and_file")
        if counts == "rejected":
            raise invalid(settings, "Only one of message and fileURL is allowed.")
        message, file_url = (message, "") if counts == "message" else ({}, file_url)
    if message:
        return _message(message, settings)
    if not file_url:
        raise invalid(settings, "One of message and fileURL is required.")
    if not _is_wav(file_url):
        raise invalid(settings, "fileURL must be the address of a wav file.")
    return Said(file_url, file_url=file_url)


def _message(message: Mapping[str, Any], settings: Settings) -> Said:
    text = casts.without_prohibited(casts.text(message.get("text")) or "").strip()
    if not text:
        raise invalid(settings, "message.text is required.")
    if len(text) > LONGEST_TEXT and settings.text("routee_text_too_long") == "rejected":
        raise invalid(settings, f"message.text is longer than {LONGEST_TEXT} characters.")
    language = _line(message.get("language")).lower().replace("_", "-")
    gender = _line(message.get("gender")).lower()
    if settings.text("routee_voice_missing") == "default":
        language, gender = language or LANGUAGES[0].lower(), gender or GENDERS[0]
    if language not in _BY_LANGUAGE:
        raise invalid(settings, "message.language is missing or not supported.")
    if gender not in GENDERS:
        raise invalid(settings, "message.gender is missing or not supported.")
    return Said(text[:LONGEST_TEXT], _BY_LANGUAGE[language], gender)


def _is_wav(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and parts.path.lower().endswith(".wav")


def _name(fields: Mapping[str, Any], settings: Settings) -> str | None:
    read_from = settings.text("routee_name_field")
    candidates = ("name", "campaignName") if read_from == "both" else (read_from,)
    name = next((text for field in candidates if (text := casts.text(fields.get(field))) is not None), None)
    if name is not None and not _NAME.fullmatch(name):
        raise invalid(settings, "name must have 2 to 30 latin letters, digits, spaces and -.")
    return name


def _scheduled(fields: Mapping[str, Any], settings: Settings) -> datetime | None:
    written = _line(fields.get("scheduledDate"))
    if not written:
        return None
    moment = casts.moment(written, ZoneInfo("UTC"))
    naive = not _OFFSET.search(written)
    if moment is None and settings.text("routee_unusable_date") == "ignored":
        return None
    if moment is None or (naive and settings.text("routee_naive_date") == "rejected"):
        raise invalid(settings, "scheduledDate must be such as 2026-12-03T09:00:00Z.")
    return moment


def _hangup_delay(fields: Mapping[str, Any], settings: Settings) -> float | None:
    delay = _seconds(fields.get("hangupDelay"))
    bounded = settings.text("routee_hangup_delay") != "any"
    if delay is not None and bounded and not 1 <= delay <= _MOST_HANGUP_SECONDS:
        raise invalid(settings, f"hangupDelay must be 1 to {_MOST_HANGUP_SECONDS} seconds.")
    return delay


def _seconds(value: object) -> float | None:
    """Cast to seconds; what looks like none is ignored."""
    try:
        seconds = float(casts.text(value) or "")
    except ValueError:
        return None
    if not math.isfinite(seconds) or seconds < 0:
        return None
    return int(seconds) if seconds.is_integer() else seconds


def _callback(fields: Mapping[str, Any], name: str, *, settings: Settings) -> Mapping[str, str] | None:
    given = casts.mapping(fields.get(name))
    url = _line(given.get("url"))
    if not url:
        return None
    otherwise = settings.text("routee_unknown_strategy")
    strategy = _BY_STRATEGY.get(_line(given.get("strategy")).lower(), otherwise)
    if strategy not in STRATEGIES:
        raise invalid(settings, f"{name}.strategy must be one of {', '.join(STRATEGIES)}.")
    return {"strategy": strategy, "url": url}


def _line(value: object) -> str:
    return casts.without_prohibited(casts.text(value) or "").strip()
