"""What one part may cost, by country or service, exactly."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from campaigns import PLAIN, campaign
from octoplan.core.message import Message
from octoplan.core.model import Channel, Money, Severity
from octoplan.core.rules.unit_price import check

if TYPE_CHECKING:
    from octoplan.core.model import Finding

UNITS = {"FR": "0.049", "BE": "0.079", "GB": "0.0801"}
BY_MAIL = Message(text="Bonjour", subject="ACME", service="mailbox")


def found(limit: str | None, units: dict[str, str], *, currency: str = "EUR", **changes: Any) -> list[Finding]:
    most = None if limit is None else Money(amount=Decimal(limit), currency="EUR")
    made = campaign(limits=replace(PLAIN.limits, max_unit_price=most), **changes)
    return list(check(made, {name: Decimal(unit) for name, unit in units.items()}, currency=currency))


@pytest.mark.parametrize(("limit", "units"), [(None, UNITS), ("0.0801", UNITS), ("0.049", {"FR": "0.049"}), ("0", {})])
def test_a_price_may_reach_the_limit(limit: str | None, units: dict[str, str]) -> None:
    assert found(limit, units) == []


@pytest.mark.parametrize(
    ("limit", "units", "changes", "value", "told"),
    [
        ("0.08", UNITS, {}, "0.0801 EUR", "one part costs more than the limit of 0.08 EUR: GB 0.0801 EUR"),
        ("0.06", UNITS, {}, "0.0801 EUR", "limit of 0.06 EUR: GB 0.0801 EUR, BE 0.079 EUR"),
        ("0.1", {"FR": "1049"}, {}, "1,049.00 EUR", "limit of 0.10 EUR: FR 1,049.00 EUR"),
        ("0.08", {"FR": "0.09"}, {"channel": Channel.VOICE}, "0.09 EUR", "one billing step costs"),
        ("0.05", {"FR": "0.055"}, {"channel": Channel.RCS}, "0.055 EUR", "one message costs"),
        (
            "0.001",
            {"": "0.0016"},
            {"channel": Channel.EMAIL, "message": BY_MAIL},
            "0.0016 EUR",
            "one message costs more than the limit of 0.001 EUR: mailbox 0.0016 EUR",
        ),
    ],
)
def test_a_price_above_it_is_a_limit(
    limit: str, units: dict[str, str], changes: dict[str, Any], value: str, told: str
) -> None:
    (one,) = found(limit, units, **changes)
    assert (one.rule, one.severity, one.value) == ("unit-price", Severity.LIMIT, value)
    assert one.path == ("limits", "max_unit_price")
    assert told in one.message
    assert one.hint


def test_the_dearest_countries_are_named() -> None:
    many = {name: f"0.{number}" for number, name in enumerate(("FR", "BE", "GB", "DE", "ES", "IT", "CH"), 10)}
    (one,) = found("0.01", many)
    assert one.message.endswith("CH 0.16 EUR, IT 0.15 EUR, ES 0.14 EUR, DE 0.13 EUR, GB 0.12 EUR and 2 more")


def test_another_currency_limits_nothing() -> None:
    (one,) = found("0.01", UNITS, currency="USD")
    assert (one.rule, one.severity, one.value, one.limit) == ("currency-limit", Severity.ERROR, "USD", "0.01 EUR")
