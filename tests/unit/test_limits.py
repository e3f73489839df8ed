"""The tightest limit counts; nobody loosens another's."""

from __future__ import annotations

from decimal import Decimal

import pytest

from octoplan.core.limits import loosened, tightest
from octoplan.core.model import Limits, Money


def euros(amount: int) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


def cents(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


WIDE = Limits(
    max_cost=euros(90),
    max_unit_price=cents("0.08"),
    max_contacts=100,
    max_parts=3,
    countries=("FR", "BE"),
    senders=("ACME", "VILLE"),
)
NARROW = Limits(
    max_cost=euros(10),
    max_unit_price=cents("0.0795"),
    max_contacts=10,
    max_parts=1,
    countries=("BE",),
    senders=("ACME",),
)


def test_the_tightest_of_every_limit_counts() -> None:
    assert tightest(WIDE, NARROW) == tightest(NARROW, WIDE) == NARROW
    assert tightest(WIDE, Limits()) == tightest(Limits(), WIDE) == WIDE
    assert tightest(Limits(), Limits()) == Limits()


def test_lists_leave_what_both_allow() -> None:
    assert tightest(Limits(countries=("FR", "BE")), Limits(countries=("BE", "CH"))).countries == ("BE",)
    assert tightest(Limits(senders=("ACME",)), Limits(senders=("VILLE",))).senders == ()


def test_another_currency_never_replaces_a_limit() -> None:
    dollars = Limits(max_cost=Money(amount=Decimal(1), currency="USD"))
    assert tightest(WIDE, dollars).max_cost == euros(90)
    assert [found.path for found in loosened(WIDE, dollars, path=("limits",))] == [("limits", "max_cost")]


@pytest.mark.parametrize(
    ("inner", "value", "limit"),
    [
        (Limits(max_contacts=101), "101", "100"),
        (Limits(max_parts=4), "4", "3"),
        (Limits(max_cost=euros(1234)), "1,234.00 EUR", "90.00 EUR"),
        (Limits(max_unit_price=cents("0.0801")), "0.0801 EUR", "0.08 EUR"),
        (Limits(max_unit_price=Money(amount=Decimal(0), currency="USD")), "0.00 USD", "0.08 EUR"),
        (Limits(countries=("FR", "DE", "CH")), "DE, CH", "FR, BE"),
        (Limits(senders=("PayPal",)), "PayPal", "ACME, VILLE"),
    ],
)
def test_a_wider_limit_is_found(inner: Limits, value: str, limit: str) -> None:
    (found,) = loosened(WIDE, inner, path=("limits",))
    assert (found.rule, found.value, found.limit) == ("limit-loosened", value, limit)
    assert not list(loosened(Limits(), inner, path=()))


def test_equal_and_tighter_limits_are_fine() -> None:
    assert not list(loosened(WIDE, WIDE, path=()))
    assert not list(loosened(WIDE, NARROW, path=()))
    assert not list(loosened(WIDE, Limits(), path=()))
