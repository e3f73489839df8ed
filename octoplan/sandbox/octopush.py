"""Octopush v1 with its habits, written from its documentation: it casts, fixes or ignores what is wrong, and sends."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import orjson

from octoplan.sandbox import casts, countries, prices, text
from octoplan.sandbox.world import Call, Message, Verdict, World, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from octoplan.sandbox.switches import Settings

BASE = "/octopush/v1/public"
LOGIN_PREFIX = "sandbox"

_MOST_RECIPIENTS = 500
_LONGEST_TEXT = 1224
_LONGEST_SENDER = 11
_SHORTEST_SENDER = 3
_LONGEST_LIST_NAME = 30
_NOT_IN_A_SENDER = re.compile(r"[^A-Za-z0-9]", re.ASCII)
_STOP_MISSING = {
    "documented": "Mention STOP is missing.",
    "observed": "STOP mention ([STOP au {number}]) is missing from your text.",
}


class Rejected(Exception):
    """The call is refused; `field` puts code and message below `errors`, as payload validation does."""

    def __init__(self, code: int, message: str, *, field: str | None = None, outcome: str = "rejected") -> None:
        super().__init__(message)
        self.code, self.message, self.field, self.outcome = code, message, field, outcome

    def body(self) -> dict[str, Any]:
        """Give the error body in the shape the documentation shows."""
        problem = {"code": self.code, "message": self.message}
        if self.field is None:
            return problem
        return {"code": 400, "message": "Payload validation error.", "errors": {self.field: problem}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A send as the provider understood it."""

    channel: str
    text: str
    numbers: list[str]
    sender: str
    marketing: bool
    product: str
    replies: bool
    remove_blacklisted: bool
    simulated: bool
    send_at: datetime | None
    list_name: str | None
    request_id: str | None


def answer(call: Call, world: World) -> Verdict:
    """Answer any call below the base address."""
    endpoint = ENDPOINTS.get((call.method, call.endpoint))
    if endpoint is None:
        return verdict(404, {"code": 404, "message": "Not found."}, outcome="not-found")
    if not (call.key and call.login.startswith(LOGIN_PREFIX)):
        return verdict(401, {"code": 401, "message": "unauthorized"}, outcome="unauthorized")
    return endpoint(call, world)


def _request_id(fields: Mapping[str, Any]) -> str | None:
    return casts.text(casts.mapping(fields.get("metadata")).get("request_id")) or None


def check_balance(call: Call, world: World) -> Verdict:
    """GET wallet/check-balance: euros, or how many messages of a product to a country they pay for."""
    country, product = call.query.get("country_code"), call.query.get("product_name")
    body: dict[str, Any] = {"amount": _number(world.balance), "unit": "euros"}
    try:
        if country or product:
            price = _price(product or "", (country or "").upper(), world=world)
            body = {"amount": _number(world.balance // price if price else world.balance), "unit": product}
    except Rejected as rejected:
        return verdict(world.settings.number("rejection_status"), rejected.body(), outcome=rejected.outcome)
    if casts.flag(call.query.get("with_details"), default=False):
        pack = {"id": "00000000-0000-4000-8000-000000000000", "credit": body["amount"], "expiration_date": None}
        body["wallet_packs"] = [pack]
    return verdict(200, body, outcome="balance")


def multi_channel_send(call: Call, world: World) -> Verdict:
    """POST multi-channel/send, for the channels in CHANNELS."""
    fields = casts.body(call.content) or {}
    given_id = _request_id(fields)
    simulated = _simulated(fields)
    settings = world.settings
    try:
        order = _checked(_order(fields, settings), world)
        return _sent(order, world)
    except Rejected as rejected:
        duplicate = rejected.outcome == "duplicate"
        status = settings.number("duplicate_status" if duplicate else "rejection_status")
        burned = settings.on("rejection_burns_id") and not simulated and not duplicate
        return replace(verdict(status, rejected.body(), outcome=rejected.outcome), burns=given_id if burned else None)


def _simulated(fields: Mapping[str, Any]) -> bool:
    return casts.flag(fields.get("simulation_mode"), default=False)


def _order(fields: Mapping[str, Any], settings: Settings) -> Order:
    if not fields:
        raise Rejected(100, "POST data is missing.")
    metadata = casts.mapping(fields.get("metadata"))
    channel = (casts.text(fields.get("channel")) or "").strip().lower()
    if channel not in CHANNELS:
        raise Rejected(400, "Channel is missing or not supported.", field="channel")
    replies = casts.flag(metadata.get("with_replies"), default=False)
    return Order(
        channel=channel,
        text=_text(fields, settings),
        numbers=_numbers(casts.recipients(fields.get("recipients")), settings),
        sender=settings.text("short_number") if replies else _sender(fields.get("sender"), settings),
        marketing=(casts.text(fields.get("purpose")) or "").strip().lower() != "alert",
        product=_product(metadata.get("type")),
        replies=replies,
        remove_blacklisted=any(casts.flag(fields.get(name), default=False) for name in _opt_out_flags(settings)),
        simulated=_simulated(fields),
        send_at=casts.moment(fields.get("send_at"), ZoneInfo(settings.text("naive_send_at"))),
        list_name=(casts.text(fields.get("list_name")) or "")[:_LONGEST_LIST_NAME] or None,
        request_id=_request_id(fields),
    )


def _numbers(entries: list[Any], settings: Settings) -> list[str]:
    if not entries:
        raise Rejected(110, "Recipients are missing.", field="recipients")
    if len(entries) > _MOST_RECIPIENTS:
        raise Rejected(400, f"At most {_MOST_RECIPIENTS} recipients are allowed.", field="recipients")
    numbers = casts.phone_numbers(entries)
    dropped = len(entries) - len(numbers)
    if not numbers or (dropped and settings.text("unusable_number") == "rejected"):
        raise Rejected(117, "No correct phone number.", field="recipients")
    return numbers


def _text(fields: Mapping[str, Any], settings: Settings) -> str:
    written = text.without_prohibited(casts.text(fields.get("text")) or "")
    if casts.flag(fields.get("auto_optimize_text"), default=True):
        written = text.optimise(written, keep_leftover=settings.text("optimised_leftover") == "kept")
    if not written:
        raise Rejected(107, "Text is missing.", field="text")
    if len(written) > _LONGEST_TEXT and settings.text("text_too_long") == "rejected":
        raise Rejected(102, f"Text is longer than {_LONGEST_TEXT} characters.", field="text")
    return written[:_LONGEST_TEXT]


def _sender(value: object, settings: Settings) -> str:
    allowed = _NOT_IN_A_SENDER.sub("", casts.text(value) or "")[:_LONGEST_SENDER]
    return allowed if len(allowed) >= _SHORTEST_SENDER else settings.text("default_sender")


def _product(value: object) -> str:
    written = (casts.text(value) or "").strip().lower()
    return written if written in prices.PRODUCTS else prices.PRODUCTS[0]


def _opt_out_flags(settings: Settings) -> tuple[str, ...]:
    name = settings.text("opt_out_flag")
    return ("auto_remove_blacklisted_contacts", "auto_delete_optout_contacts") if name == "both" else (name,)


def _checked(order: Order, world: World) -> Order:
    """Apply the checks that look beyond single fields: the STOP mention, then the request id."""
    order = _with_stop(order, world.settings)
    checked = not order.simulated or world.settings.on("simulation_burns_id")
    if checked and order.request_id and world.remembers(order.request_id):
        field = "request_id" if world.settings.text("duplicate_shape") == "nested" else None
        message = "A SMS with the same request_id has already been sent."
        raise Rejected(120, message, field=field, outcome="duplicate")
    return order


def _with_stop(order: Order, settings: Settings) -> Order:
    number = settings.text("short_number")
    needed = order.marketing and any(phone.startswith("+33") for phone in order.numbers)
    checked = not order.simulated or settings.on("simulation_checks_stop")
    if needed and checked and not text.has_stop(order.text, accepts=settings.text("stop_accepts")):
        if settings.text("stop_missing") == "rejected":
            raise Rejected(121, _STOP_MISSING[settings.text("stop_message")].format(number=number))
        return replace(order, text=f"{order.text} STOP au {number}")
    return replace(order, text=order.text.replace(text.STOP_PLACEHOLDER, number))


def _sent(order: Order, world: World) -> Verdict:
    """Send and charge; a simulation makes up the same answer and leaves the world alone."""
    message = _message(order, world)
    if message.cost > world.balance:
        raise Rejected(104, "No credit left.")
    charged = not order.simulated or world.settings.text("simulated_credit") == "reduced"
    burned = not order.simulated or world.settings.on("simulation_burns_id")
    return Verdict(
        status=world.settings.number("success_status"),
        body=orjson.dumps(_success(message, world.balance - message.cost if charged else world.balance)),
        outcome="simulated" if order.simulated else "sent",
        message=None if order.simulated else message,
        burns=order.request_id if burned else None,
    )


def _message(order: Order, world: World) -> Message:
    """Leave out who has opted out, count the parts, price what is left."""
    numbers = [n for n in order.numbers if n not in world.blacklist] if order.remove_blacklisted else order.numbers
    measured = text.measure(order.text)
    contacts = countries.count(numbers)
    unit_cost = {country or "": _unit_price(order, country, world=world) * measured.parts for country in contacts}
    cost = sum((unit_cost[country or ""] * n for country, n in contacts.items()), Decimal(0))
    if order.remove_blacklisted:
        cost += world.prices.opt_out_removal_per_request
    return Message(
        ticket=f"sms_{secrets.token_hex(10)}",
        provider="octopush",
        channel=order.channel,
        campaign=order.list_name,
        sender=order.sender,
        text=order.text,
        encoding=measured.encoding,
        parts=measured.parts,
        request_id=order.request_id,
        send_at=order.send_at,
        at=max(order.send_at or world.now, world.now),
        cost=prices.rounded(cost),
        unit_cost=unit_cost,
        addresses=numbers,
    )


def _success(message: Message, credit: Decimal) -> dict[str, Any]:
    return {
        "sms_ticket": message.ticket,
        "number_of_contacts": len(message.addresses),
        "total_cost": _number(message.cost),
        "number_of_sms_needed": message.parts * len(message.addresses),
        "residual_credit": _number(credit),
        "message": "",
    }


def _unit_price(order: Order, country: str | None, *, world: World) -> Decimal:
    price = _price(order.product, country or "", world=world)
    return price + world.prices.replies_per_part if order.replies else price


def _price(product: str, country: str, *, world: World) -> Decimal:
    if not world.prices.products:
        return Decimal(world.settings.text("price_without_book"))
    price = world.prices.products.get(product, {}).get(country)
    if price is not None:
        return price
    fallback = world.settings.text("unknown_country_price")
    if not fallback:
        raise Rejected(151, "Country is not served.")
    return Decimal(fallback)


def _number(amount: Decimal) -> orjson.Fragment:
    return orjson.Fragment(prices.literal(amount))


CHANNELS = frozenset({"sms"})

ENDPOINTS: Mapping[tuple[str, str], Callable[[Call, World], Verdict]] = MappingProxyType(
    {
        ("POST", "/multi-channel/send"): multi_channel_send,
        ("GET", "/wallet/check-balance"): check_balance,
    }
)
