"""Channel `voice_sms`: a text read to whoever picks up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from octoplan.sandbox import text
from octoplan.sandbox.guesses.octopush import VOICE_GENDERS, VOICE_LANGUAGES
from octoplan.sandbox.octopush.bill import accepted, by_country, number
from octoplan.sandbox.octopush.channel import Channel, Measure
from octoplan.sandbox.octopush.order import Rejected

if TYPE_CHECKING:
    from decimal import Decimal

    from octoplan.sandbox.octopush.order import Fields, Order
    from octoplan.sandbox.world import Message, World

_LANGUAGES = {language.lower(): language for language in VOICE_LANGUAGES}


def _read(fields: Fields) -> Order:
    gender = fields.word("voice_gender")
    return fields.order(
        fields.text(),
        sender=fields.sender(),
        content={
            "language": _language(fields),
            "gender": gender if gender in VOICE_GENDERS else fields.settings.text("default_voice_gender"),
            "keys": fields.flag("get_back_pressed_keys"),
        },
    )


def _language(fields: Fields) -> str:
    written = fields.word("voice_language").replace("_", "-")
    if written not in _LANGUAGES and written:
        raise Rejected(442, "Voice language not supported.", field="voice_language")
    return _LANGUAGES.get(written) or fields.settings.text("default_voice_language")


def _seconds(said: str, world: World) -> int:
    return text.seconds(said, characters_per_second=world.settings.number("voice_characters_per_second"))


def _measure(said: str, world: World) -> Measure:
    return Measure("", -(-_seconds(said, world) // world.prices.voice_step_seconds))


def _prices(order: Order, world: World) -> dict[str, Decimal]:
    return by_country(order, "voice_sms", world=world)


def duration(message: Message, world: World) -> int:
    """Estimate how long a message takes, of differing texts the longest, in the sense of `estimated_duration`."""
    step = world.prices.voice_step_seconds
    said = [personal.text for personal in message.personal] or [message.text]
    durations = {
        "message": max(_seconds(text, world) for text in said),
        "billed": message.parts * step,
        "total": message.all_parts * step,
    }
    return durations[world.settings.text("estimated_duration")]


def _answer(message: Message, world: World) -> dict[str, Any]:
    return accepted(message) | {
        "estimated_duration": duration(message, world),
        "residual_credit": number(world.balance),
    }


VOICE = Channel(prefix="voice", read=_read, measure=_measure, prices=_prices, answer=_answer)
