"""What a campaign says, from its file: the message of its channel, and what is wrong with its keys together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from octoplan.core.message import Action, Audio, Card, From, Locale, Media, Message
from octoplan.core.model import Callback, Channel, Options
from octoplan.core.rules import finding
from octoplan.core.written.message import MESSAGE_KEYS, OPTION_KEYS
from octoplan.core.written.mistakes import named

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from octoplan.core.model import Finding, KeyPath
    from octoplan.core.source import Source
    from octoplan.core.written.campaign import CampaignFile
    from octoplan.core.written.message import ActionFile, CardFile, MessageFile

TEXT: KeyPath = ("message", "text")
LOCALE: KeyPath = ("message", "locale")
AUDIO = "audio"

_LOCALISED = ("text_file", "text", "subject", "template", "language")


def message(file: CampaignFile, source: Source) -> Message:
    """Return the message; the unsubscribe mention of an e-mail is in the language of its text."""
    written = file.message
    language = written.language
    locale = Locale(**dict(written.locale)) if written.locale else None
    if Channel(file.channel) is Channel.EMAIL and language is None and locale:
        language = {name: name for name in _locales(written)}
    return Message(
        text=written.text,
        subject=written.subject,
        template=written.template,
        language=language,
        locale=locale,
        encoding=written.encoding,
        gender=written.gender,
        actions=tuple(map(_action, written.actions)),
        cards=tuple(map(_card, written.cards)),
        from_=From(**dict(written.from_)) if written.from_ else None,
        service=written.service,
        format=written.format,
        audio=_audio(written, source),
    )


def options(file: CampaignFile) -> Options:
    """Return the options."""
    written = file.options
    callbacks = {name: getattr(written, name) for name in ("callback", "campaign_callback")}
    made = {name: Callback(**dict(value)) for name, value in callbacks.items() if value}
    return Options(**{**dict(written), **made})


def check_message(file: CampaignFile, source: Source) -> Iterator[Finding]:
    """Yield what is wrong with the texts of a message together."""
    written = source.data.get("message")
    if isinstance(written, dict):
        yield from _says_nothing(file, written)
        yield from _blank(file.message)
        recorded = file.channel == "voice" and written.get(AUDIO) is not None
        yield from _beside_audio(written) if recorded else _locale(file.message, written)


def check_channel(file: CampaignFile, source: Source) -> Iterator[Finding]:
    """Yield a finding for each key that the campaign's channel does not have."""
    yield from _other_channels(source, "message", channel=file.channel, keys=MESSAGE_KEYS)
    yield from _other_channels(source, "options", channel=file.channel, keys=OPTION_KEYS)


def _other_channels(
    source: Source, group: str, *, channel: str, keys: Mapping[str, tuple[str, ...]]
) -> Iterator[Finding]:
    """Yield a finding for each key that only other channels have."""
    written, allowed = source.data.get(group), keys[channel]
    for key in written if isinstance(written, dict) else ():
        others = [name for name, known in keys.items() if key in known]
        if others and channel not in others:
            path = (group, key)
            told = f"{named(path)} is no key of channel {channel}"
            hint = f"it belongs to channel {' and '.join(others)}: remove it"
            place = source.key_place(path)
            yield finding("unknown-key", told, path=path, place=place, limit=", ".join(allowed), hint=hint)


def _says_nothing(file: CampaignFile, written: Mapping[str, Any]) -> Iterator[Finding]:
    instead = {"voice": AUDIO, "rcs": "cards", "email": "template"}.get(file.channel, "text")
    if any(written.get(name) not in (None, []) for name in ("text", "text_file", instead)):
        return
    if file.channel == "email":
        hint = "write `text`, or name a `template` of the provider"
        yield finding("email-body", "`message` has neither `text` nor `template`", path=TEXT, hint=hint)
    else:
        hint = 'for example `text: "ACME: {{ contact.first_name }}, -20% today. {{ stop }}"`'
        yield finding("missing-key", "`message.text` is missing", path=TEXT, hint=hint)


def _blank(written: MessageFile) -> Iterator[Finding]:
    texts = written.text if isinstance(written.text, Mapping) else {"": written.text}
    for locale, text in texts.items():
        if isinstance(text, str) and not text.strip():
            path = (*TEXT, locale) if locale else TEXT
            yield finding("text-length", f"{named(path)} is blank", path=path, hint="write what is to be sent")


def _beside_audio(written: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what a recording makes needless: it is said already, in a language and a voice of its own."""
    text = "text_file" if "text_file" in written else "text"
    if text in written:
        told = f"`message` has both `{text}` and `{AUDIO}`"
        yield finding("voice-source", told, path=("message", AUDIO), hint="keep one of them")
        return
    for key in ("language", "gender", "locale"):
        if key in written:
            told = f"`message.{key}` is about how a text is said, and there is a recording"
            yield finding("voice-source", told, path=("message", key), hint=f"remove it, or write a text for `{AUDIO}`")


def _locale(file: MessageFile, written: Mapping[str, Any]) -> Iterator[Finding]:
    """Each text by language must have every language, and there must be a way to know a contact's."""
    by_language = [name for name in _LOCALISED if isinstance(written.get(name), dict)]
    if by_language and "locale" not in written:
        hint = "for example `locale: {column: lang, default: fr}`"
        told = f"`message.{by_language[0]}` is by language: `message.locale` is missing"
        yield finding("missing-key", told, path=LOCALE, hint=hint)
    elif "locale" in written and by_language in ([], ["language"]):
        hint = "write `text: {fr: …, en: …}`, or remove `locale`"
        yield finding("wrong-value", "`message.locale` chooses among texts, and there is one", path=LOCALE, hint=hint)
    elif file.locale:
        yield from _missing_locales(file, {file.locale.default, *_locales(file)})


def _missing_locales(file: MessageFile, wanted: AbstractSet[str]) -> Iterator[Finding]:
    for name in _LOCALISED:
        value, path = getattr(file, name), ("message", name)
        missing = sorted(wanted - value.keys()) if isinstance(value, Mapping) else []
        if missing and not (name == "text" and file.text_file is not None):
            told = f"{named(path)} has no text in {', '.join(missing)}"
            yield finding("missing-key", told, path=path, hint="write it in every language, the default's too")


def _locales(written: MessageFile) -> tuple[str, ...]:
    values = [getattr(written, name) for name in _LOCALISED]
    return tuple(sorted({locale for value in values if isinstance(value, Mapping) for locale in value}))


def _audio(written: MessageFile, source: Source) -> Audio | None:
    """Return the recording; where the file means one that could not be read, its absence is no further mistake."""
    if written.audio is not None:
        return Audio(**dict(written.audio))
    said = source.data.get("message")
    return Audio(url="", sha256="") if isinstance(said, dict) and said.get(AUDIO) is not None else None


def _action(written: ActionFile) -> Action:
    return Action(**dict(written))


def _card(written: CardFile) -> Card:
    return Card(
        title=written.title,
        description=written.description,
        media=Media(**dict(written.media)) if written.media else None,
        actions=tuple(map(_action, written.actions)),
    )
