"""What one part may cost, by country or service, exactly."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from campaigns import PLAIN, campaign
from octoplan.core.message import Message
from octoplan.core.model import Channel, Limits, Money, Options, Prices, Severity
from octoplan.core.rules.unit_price import check

if TYPE_CHECKING:
    from octoplan.core.model import Finding

BOOK = Prices(
    currency="EUR",
    as_of="2026-11-01",
    sample=False,
    products={
        "sms_premium": {"FR": Decimal("0.049"), "BE": Decimal("0.079"), "GB": Decimal("0.0801")},
        "sms_low_cost": {"FR": Decimal("0.039")},
        "voice_sms": {"FR": Decimal("0.09")},
        "rcs": {"FR": Decimal("0.055")},
        "email": {"mailbox": Decimal("0.0016"), "gateway": Decimal("0.0009")},
    },
    replies=Decimal("0.03"),
)
BY_MAIL = Message(text="Bonjour", subject="ACME", service="mailbox")


def found(limit: str | None, *countries: str, book: Prices = BOOK, **changes: Any) -> list[Finding]:
    most = None if limit is None else Money(amount=Decimal(limit), currency="EUR")
    made = campaign(limits=replace(PLAIN.limits, max_unit_price=most), **changes)
    return list(check(made, book, countries=countries))


@pytest.mark.parametrize(
    ("limit", "countries", "changes"),
    [
        (None, ("FR", "BE", "GB"), {}),
        ("0.0801", ("FR", "BE", "GB"), {}),
        ("0.049", ("FR",), {}),
        ("0.0016", (), {"channel": Channel.EMAIL, "message": BY_MAIL}),
        ("0.01", ("CH",), {}),  # not in the book: another rule's business
    ],
)
def test_a_price_may_reach_the_limit(limit: str | None, countries: tuple[str, ...], changes: dict[str, Any]) -> None:
    assert found(limit, *countries, **changes) == []


@pytest.mark.parametrize(
    ("limit", "countries", "changes", "value", "told"),
    [
        ("0.08", ("FR", "BE", "GB"), {}, "0.0801 EUR", "a part of sms_premium costs more than the limit of 0.08 EUR"),
        ("0.06", ("FR", "BE", "GB"), {}, "0.0801 EUR", "0.06 EUR: GB 0.0801 EUR, BE 0.079 EUR"),
        ("0.0489", ("FR",), {}, "0.049 EUR", "FR 0.049 EUR"),
        ("0.049", ("FR",), {"options": Options(replies=True)}, "0.079 EUR", "FR 0.079 EUR"),
        ("0.08", ("FR",), {"channel": Channel.VOICE}, "0.09 EUR", "a billing step of voice_sms"),
        ("0.05", ("FR",), {"channel": Channel.RCS}, "0.055 EUR", "a message of rcs"),
        ("0.001", (), {"channel": Channel.EMAIL, "message": BY_MAIL}, "0.0016 EUR", "mailbox 0.0016 EUR"),
    ],
)
def test_a_price_above_it_is_a_limit(
    limit: str, countries: tuple[str, ...], changes: dict[str, Any], value: str, told: str
) -> None:
    (one,) = found(limit, *countries, **changes)
    assert (one.rule, one.severity, one.value) == ("unit-price", Severity.LIMIT, value)
    assert one.path == ("limits", "max_unit_price")
    assert told in one.message
    assert one.hint


def test_the_dearest_countries_are_named() -> None:
    many = {name: Decimal(number) / 100 for number, name in enumerate(("FR", "BE", "GB", "DE", "ES", "IT", "CH"), 10)}
    (one,) = found("0.01", *many, book=replace(BOOK, products={"sms_premium": many}))
    assert one.message.endswith("CH 0.16 EUR, IT 0.15 EUR, ES 0.14 EUR, DE 0.13 EUR, GB 0.12 EUR and 2 more")


def test_another_currency_limits_nothing() -> None:
    (one,) = found("0.01", "FR", book=replace(BOOK, currency="USD"))
    assert (one.rule, one.severity, one.value, one.limit) == ("currency-limit", Severity.ERROR, "USD", "0.01 EUR")


def test_without_a_price_book_another_rule_speaks() -> None:
    made = campaign(limits=Limits(max_unit_price=Money(amount=Decimal(0), currency="EUR")))
    assert list(check(made, None, countries=("FR",))) == []
