"""Channel `voice_sms`: a text read to whoever picks up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from octoplan.sandbox import text
from octoplan.sandbox.octopush.bill import Bill, accepted, by_country, number
from octoplan.sandbox.octopush.channel import Channel
from octoplan.sandbox.octopush.order import Rejected
from octoplan.sandbox.switches import VOICE_GENDERS, VOICE_LANGUAGES

if TYPE_CHECKING:
    from octoplan.sandbox.octopush.order import Fields, Order
    from octoplan.sandbox.world import Message, World

_LANGUAGES = {language.lower(): language for language in VOICE_LANGUAGES}


def _read(fields: Fields) -> Order:
    gender = fields.word("voice_gender")
    return fields.order(
        fields.text(),
        fields.numbers(),
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


def _bill(order: Order, world: World) -> Bill:
    steps = -(-_seconds(order.text, world) // world.prices.voice_step_seconds)
    costs = by_country(order, "voice_sms", world=world)
    return Bill(parts=steps, unit_cost={country: price * steps for country, price in costs.items()})


def _answer(message: Message, world: World) -> dict[str, Any]:
    billed = message.parts * world.prices.voice_step_seconds
    durations = {
        "message": _seconds(message.text, world),
        "billed": billed,
        "total": billed * len(message.addresses),
    }
    return accepted(message) | {
        "estimated_duration": durations[world.settings.text("estimated_duration")],
        "residual_credit": number(world.balance),
    }


VOICE = Channel(prefix="voice", read=_read, bill=_bill, answer=_answer)
