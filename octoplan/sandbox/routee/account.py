"""GET system/prices and accounts/me/balance."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import orjson

from octoplan.sandbox import countries, prices
from octoplan.sandbox.routee.bill import PRODUCT
from octoplan.sandbox.world import verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from octoplan.sandbox.world import Call, Verdict, World

_CURRENCIES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"EUR": ("Euro", "€"), "USD": ("US Dollar", "$"), "GBP": ("Pound Sterling", "£"), "CHF": ("Swiss Franc", "CHF")}
)
_SECONDS: Mapping[str, int] = MappingProxyType({"minute": 60, "second": 1})


def list_prices(call: Call, world: World) -> Verdict:
    """Answer with what calls to each country of the price book cost; other services have no prices here."""
    service = call.query.get("service", "").strip().lower()
    body = {
        "currency": _currency(world.prices.currency),
        "sms": [],
        "voice": _voice(world) if service in ("", "voice") else [],
        "twoStep": {},
        "lookup": {},
        "numberValidator": {},
        "viber": [],
    }
    return verdict(200, body, outcome="prices")


def _voice(world: World) -> list[dict[str, Any]]:
    unit = world.settings.text("routee_price_unit")
    step = world.prices.voice_step_seconds
    found = []
    for country, price in sorted(world.prices.products.get(PRODUCT, {}).items()):
        amount = orjson.Fragment(prices.literal(price * _SECONDS.get(unit, step) / Decimal(step)))
        found.append(
            {"country": countries.name(country), "iso": country, "landlinePrice": amount, "mobilePrice": amount}
        )
    return found


def balance(_call: Call, world: World) -> Verdict:
    """Answer with the balance."""
    amount = orjson.Fragment(prices.literal(world.balance))
    return verdict(200, {"balance": amount, "currency": _currency(world.prices.currency)}, outcome="balance")


def _currency(code: str) -> dict[str, str]:
    name, sign = _CURRENCIES.get(code, (code, code))
    return {"code": code, "name": name, "sign": sign}
