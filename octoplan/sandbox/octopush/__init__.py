"""Octopush v1 with its habits, written from its documentation: it casts, fixes or ignores what is wrong, and sends."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from octoplan.sandbox import casts
from octoplan.sandbox.octopush.bill import number, price
from octoplan.sandbox.octopush.cancel import multi_channel_cancel, sms_cancel, voice_cancel
from octoplan.sandbox.octopush.draft import DRAFTS
from octoplan.sandbox.octopush.order import Rejected
from octoplan.sandbox.octopush.send import multi_channel_send, sms_send, voice_send
from octoplan.sandbox.world import Call, Verdict, World, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BASE = "/octopush/v1/public"
LOGIN_PREFIX = "sandbox"
_PRODUCTS = {"vocal_sms": "voice_sms"}
"""What a product is called in the wallet, and in a price book."""


def answer(call: Call, world: World) -> Verdict:
    """Answer any call below the base address."""
    endpoint = ENDPOINTS.get((call.method, call.endpoint))
    if endpoint is None:
        return verdict(404, {"code": 404, "message": "Not found."}, outcome="not-found")
    if not (call.key and call.login.startswith(LOGIN_PREFIX)):
        return verdict(401, {"code": 401, "message": "unauthorized"}, outcome="unauthorized")
    return endpoint(call, world)


def check_balance(call: Call, world: World) -> Verdict:
    """GET wallet/check-balance: euros, or how many messages of a product to a country they pay for."""
    country, product = call.query.get("country_code"), call.query.get("product_name")
    body: dict[str, Any] = {"amount": number(world.balance), "unit": "euros"}
    try:
        if country or product:
            one = price(_PRODUCTS.get(product or "", product or ""), (country or "").upper(), world=world)
            body = {"amount": number(world.balance // one if one else world.balance), "unit": product}
    except Rejected as rejected:
        return verdict(world.settings.number("rejection_status"), rejected.body(), outcome=rejected.outcome)
    if casts.flag(call.query.get("with_details"), default=False):
        pack = {"id": "00000000-0000-4000-8000-000000000000", "credit": body["amount"], "expiration_date": None}
        body["wallet_packs"] = [pack]
    return verdict(200, body, outcome="balance")


ENDPOINTS: Mapping[tuple[str, str], Callable[[Call, World], Verdict]] = MappingProxyType(
    {
        ("POST", "/multi-channel/send"): multi_channel_send,
        ("DELETE", "/multi-channel/cancel"): multi_channel_cancel,
        ("POST", "/sms-campaign/send"): sms_send,
        ("DELETE", "/sms-campaign/cancel"): sms_cancel,
        ("POST", "/voice-campaign/send"): voice_send,
        ("DELETE", "/voice-campaign/cancel"): voice_cancel,
        **DRAFTS,
        ("GET", "/wallet/check-balance"): check_balance,
    }
)
