"""The price book as the sandbox reads it, and what a request costs by it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SMS = ("sms_premium", "sms_low_cost")
PRODUCTS = (*SMS, "voice_sms", "rcs", "email")
_STEP = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_EIGHT_PLACES = Decimal("1E-8")


class PricesUnreadable(ValueError):
    """The price book is missing or is not one; the message names the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices by product and country, of e-mail by service; `products` is empty where no book was given.

    A price is for a part of an SMS, a billing step of a call, or an RCS message or e-mail.
    """

    currency: str = "EUR"
    products: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    opt_out_removal_per_request: Decimal = Decimal(0)
    replies_per_part: Decimal = Decimal(0)
    voice_step_seconds: int = 30


def read(path: Path) -> Prices:
    """Read a price book (YAML). Raises PricesUnreadable."""
    try:
        book = YAML(typ="base", pure=True).load(path.read_text(encoding="utf-8"))
        return _prices(book)
    except (OSError, UnicodeDecodeError) as error:
        raise PricesUnreadable(f"{path.name}: the price book cannot be read: {error}") from error
    except (YAMLError, InvalidOperation, ValueError, TypeError, AttributeError) as error:
        raise PricesUnreadable(
            f"{path.name}: not a price book: expected `currency: EUR` and, per product, `sms_premium: {{FR: 0.049}}`"
        ) from error


def _prices(book: Any) -> Prices:
    surcharges = book.get("surcharges") or {}
    return Prices(
        currency=str(book.get("currency", "EUR")),
        products={
            product: {where: _amount(price) for where, price in (book.get(product) or {}).items()}
            for product in PRODUCTS
        },
        opt_out_removal_per_request=_amount(surcharges.get("opt_out_removal_per_request", "0")),
        replies_per_part=_amount(surcharges.get("replies_per_part", "0")),
        voice_step_seconds=_step(book.get("voice_step_seconds", "30")),
    )


def _amount(text: str) -> Decimal:
    amount = Decimal(text)
    if not amount.is_finite() or amount < 0:
        raise InvalidOperation
    return amount


def _step(text: str) -> int:
    if not _STEP.fullmatch(text):
        raise ValueError(text)
    return int(text)


def rounded(amount: Decimal) -> Decimal:
    """Round to the eight decimals the provider's amounts have."""
    return amount.quantize(_EIGHT_PLACES)


def literal(amount: Decimal) -> str:
    """Write an amount as a JSON number, without a float in between and without trailing zeros."""
    text = f"{rounded(amount):f}"
    return text.rstrip("0").rstrip(".") or "0"
