"""Prices are exact, from the book to the cent that is reserved."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from campaigns import campaign
from octoplan.core import price, source
from octoplan.core.model import Options

if TYPE_CHECKING:
    from octoplan.core.model import Prices

BOOK = """
currency: EUR
as_of: 2026-11-01
sample: true
sms_premium: {FR: 0.049, BE: 0.0795, CH: 1}
sms_low_cost: {FR: 0.039}
voice_sms: {FR: 0.03}
voice_step_seconds: 20
rcs: {FR: 0.055}
email: {gateway: 0.0008}
surcharges: {opt_out_removal_per_request: 0.01, replies_per_part: 0.03}
"""


def read(text: str) -> Prices:
    written, findings = source.read("prices/octopush.yaml", text.encode())
    assert written is not None, findings
    prices, findings = price.read_prices(written)
    assert prices is not None, findings
    return prices


def test_a_book_is_read_exactly() -> None:
    prices = read(BOOK)
    assert (prices.currency, prices.as_of, prices.sample) == ("EUR", "2026-11-01", True)
    assert prices.products == {
        "sms_premium": {"FR": Decimal("0.049"), "BE": Decimal("0.0795"), "CH": Decimal(1)},
        "sms_low_cost": {"FR": Decimal("0.039")},
        "voice_sms": {"FR": Decimal("0.03")},
        "rcs": {"FR": Decimal("0.055")},
        "email": {"gateway": Decimal("0.0008")},
    }
    assert prices.voice_step == 20
    assert (prices.opt_out_removal, prices.replies) == (Decimal("0.01"), Decimal("0.03"))


def test_a_book_needs_no_more_than_its_currency_and_day() -> None:
    prices = read('{currency: CHF, as_of: "2026-11-01"}')
    assert (prices.sample, prices.opt_out_removal, prices.replies) == (False, Decimal(0), Decimal(0))


def test_a_part_costs_what_its_product_and_country_say() -> None:
    prices, made = read(BOOK), campaign()
    cheap = replace(made, sender=None, options=Options(quality="low_cost"))
    answered = replace(made, sender=None, options=Options(replies=True))
    assert price.product(made) == "sms_premium"
    assert price.product(cheap) == "sms_low_cost"
    assert price.unit(prices, made, country="BE") == Decimal("0.0795")
    assert price.unit(prices, cheap, country="FR") == Decimal("0.039")
    assert price.unit(prices, cheap, country="BE") is None
    assert price.unit(prices, answered, country="FR") == Decimal("0.079")
    assert price.unit(read("{currency: EUR, as_of: 2026-11-01}"), made, country="FR") is None


def test_a_batch_costs_its_parts_and_its_request() -> None:
    prices, made = read(BOOK), campaign()
    assert price.per_request(prices, made) == Decimal("0.01")
    assert price.batch_cost(prices, made, contacts=[("FR", 1), ("FR", 3), ("BE", 2)]) == Decimal("0.365")
    assert price.batch_cost(prices, made, contacts=[]) == Decimal("0.01")
    assert price.batch_cost(prices, made, contacts=[("FR", 1), ("DE", 1)]) is None


@pytest.mark.parametrize(
    ("cost", "reserved"),
    [("0.365", "0.37"), ("0.36", "0.36"), ("0.3600001", "0.37"), ("0", "0.00"), ("24.51", "24.51")],
)
def test_a_cost_is_reserved_up_to_the_next_cent(cost: str, reserved: str) -> None:
    assert str(price.worst(Decimal(cost))) == reserved


def test_a_call_has_no_price_without_its_step() -> None:
    written, _ = source.read("prices/octopush.yaml", b'{currency: EUR, as_of: "2026-11-01", voice_sms: {FR: 0.03}}')
    assert written is not None
    prices, (found,) = price.read_prices(written)
    assert prices is None
    assert (found.rule, found.path) == ("missing-key", ("voice_sms",))
