"""GET wallet/check-balance and wallet/check-credits."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from octoplan.sandbox import casts
from octoplan.sandbox.octopush.bill import number, price
from octoplan.sandbox.octopush.order import Rejected
from octoplan.sandbox.world import Call, Verdict, World, verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

_PRODUCTS = {"vocal_sms": "voice_sms"}
"""What a product is called by check-balance, and in a price book."""

_CREDITS: Mapping[str, str] = MappingProxyType(
    {"premium_sms": "sms_premium", "vocal_sms": "voice_sms", "low_cost_sms": "sms_low_cost"}
)
"""The same, of check-credits."""


def check_balance(call: Call, world: World) -> Verdict:
    """Answer with euros, or how many messages of a product to a country they pay for."""
    country, product = call.query.get("country_code"), call.query.get("product_name")
    body: dict[str, Any] = {"amount": number(world.balance), "unit": "euros"}
    try:
        if country or product:
            one = price(_PRODUCTS.get(product or "", product or ""), (country or "").upper(), world=world)
            body = {"amount": number(_paid_for(one, world)), "unit": product}
    except Rejected as rejected:
        return verdict(world.settings.number("rejection_status"), rejected.body(), outcome=rejected.outcome)
    if casts.flag(call.query.get("with_details"), default=False):
        pack = {"id": "00000000-0000-4000-8000-000000000000", "credit": body["amount"], "expiration_date": None}
        body["wallet_packs"] = [pack]
    return verdict(200, body, outcome="balance")


def check_credits(call: Call, world: World) -> Verdict:
    """Answer with how many messages of each product the balance pays for, by country; where there is no price, none."""
    body = {country: _credits(country, world) for country in _countries(call, world)}
    return verdict(200, body, outcome="credits")


def _countries(call: Call, world: World) -> list[str]:
    """Read `country_codes[]`, `country_codes[0]` and so on, or a list with commas; without any, those of the book."""
    asked = (casts.body(call.asked.encode()) or {}).get("country_codes")
    written = list(asked.values()) if isinstance(asked, dict) else [asked]
    codes = [code.strip().upper() for one in written for code in (casts.text(one) or "").split(",")]
    priced = {where for product in _CREDITS.values() for where in world.prices.products.get(product, {})}
    return list(dict.fromkeys(filter(None, codes))) or sorted(priced)


def _credits(country: str, world: World) -> dict[str, Any]:
    found = {}
    for name, product in _CREDITS.items():
        try:
            found[name] = number(_paid_for(price(product, country, world=world), world))
        except Rejected:
            found[name] = number(Decimal(0))
    return found | {"hlr": number(_paid_for(Decimal(world.settings.text("hlr_price")), world))}


def _paid_for(one: Decimal, world: World) -> Decimal:
    """Give how many the balance pays for; the balance where they cost nothing."""
    return world.balance // one if one else world.balance
