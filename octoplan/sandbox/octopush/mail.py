"""Channel `email`: a template, or a text that is plain or HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from octoplan.sandbox import casts, text
from octoplan.sandbox.octopush.bill import NOWHERE, accepted, number, price
from octoplan.sandbox.octopush.channel import Channel
from octoplan.sandbox.octopush.order import Fields, Rejected

if TYPE_CHECKING:
    from decimal import Decimal

    from octoplan.sandbox.octopush.order import Order
    from octoplan.sandbox.world import Message, World

_SERVICES = ("mailbox", "gateway")
_LONGEST_SUBJECT = 1000


def _read(fields: Fields) -> Order:
    template = fields.line("template_name")
    html = fields.word("body_format") == "html"
    said = fields.text(needed=not template or fields.settings.on("template_needs_text"))
    sender = fields.sender()
    return fields.order(
        text.without_scripts(said) if html and fields.settings.text("html_scripts") == "stripped" else said,
        sender=sender,
        content={
            "subject": _subject(fields),
            "from": {"address": _from(fields), "name": fields.line("name_from") or sender},
            "service": _service(fields),
            "language": fields.line("language") or None,
            "template_name": template or None,
            "body_format": "html" if html else "plain_text",
        },
    )


def _subject(fields: Fields) -> str:
    subject = " ".join(fields.line("subject").splitlines())
    if not subject and fields.settings.text("subject_missing") == "rejected":
        raise Rejected(400, "Subject is missing.", field="subject")
    if len(subject) > _LONGEST_SUBJECT and fields.settings.text("subject_too_long") == "rejected":
        raise Rejected(400, f"Subject is longer than {_LONGEST_SUBJECT} characters.", field="subject")
    return subject[:_LONGEST_SUBJECT]


def _from(fields: Fields) -> str:
    usable = casts.emails([fields.line("email_from")])
    return usable[0] if usable else fields.settings.text("default_email_from")


def _service(fields: Fields) -> str:
    service, otherwise = fields.word("emailing_service"), fields.settings.text("unknown_emailing_service")
    if service not in _SERVICES and otherwise == "rejected":
        raise Rejected(400, "Emailing service is missing or not supported.", field="emailing_service")
    return service if service in _SERVICES else otherwise


def _prices(order: Order, world: World) -> dict[str, Decimal]:
    return {NOWHERE: price("email", order.content["service"], world=world)}


def answer(message: Message, world: World) -> dict[str, Any]:
    """Answer an accepted send."""
    return accepted(message) | {"residual_credit": number(world.balance)}


MAIL = Channel(prefix="email", read=_read, whom=Fields.emails, prices=_prices, answer=answer, charges_removal=False)
