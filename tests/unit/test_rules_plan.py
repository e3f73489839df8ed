"""What a plan as a whole may not exceed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from octoplan.core.model import Limits, Money, Severity
from octoplan.core.rules.plan import Running, check_running


def euros(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


GOOD = Running(
    limits=Limits(max_cost=euros("100"), max_contacts=1000),
    worst=Decimal(100),
    contacts=1000,
    currency="EUR",
    drawn=Decimal(100),
    balance=euros("150"),
    least=euros("50"),
)


def test_a_plan_may_reach_its_limits() -> None:
    assert check_running(GOOD) == ()
    assert check_running(replace(GOOD, limits=Limits(), worst=Decimal(10**6), balance=None, least=None)) == ()


@pytest.mark.parametrize(
    ("changes", "rule", "value", "limit"),
    [
        ({"worst": Decimal("100.01")}, "cost-limit", "100.01 EUR", "100.00 EUR"),
        ({"contacts": 1001}, "contacts-limit", "1001", "1000"),
        ({"drawn": Decimal("100.01")}, "balance", "49.99 EUR", "50.00 EUR"),
    ],
)
def test_a_plan_may_not_exceed_them(changes: dict[str, object], rule: str, value: str, limit: str) -> None:
    (found,) = check_running(replace(GOOD, **changes))  # type: ignore[arg-type]  # fields by name
    assert (found.rule, found.severity, found.value, found.limit) == (rule, Severity.LIMIT, value, limit)
    assert found.path[0] == "limits"


@pytest.mark.parametrize(
    "changes",
    [{"balance": Money(amount=Decimal(9), currency="USD")}, {"least": Money(amount=Decimal(9), currency="USD")}],
)
def test_a_balance_in_another_currency_protects_nothing(changes: dict[str, Money]) -> None:
    (found,) = check_running(replace(GOOD, **changes))  # type: ignore[arg-type]  # fields by name
    assert (found.rule, found.severity) == ("currency-limit", Severity.ERROR)
    assert "EUR" in found.message
    assert "USD" in found.message


@pytest.mark.parametrize("missing", ["balance", "least"])
def test_no_balance_is_asked_for_without_a_limit(missing: str) -> None:
    assert check_running(replace(GOOD, drawn=Decimal(10**6), **{missing: None})) == ()  # type: ignore[arg-type]
