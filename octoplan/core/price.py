"""What a campaign costs: the price book, and exact arithmetic over it."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Any

from octoplan.core.codes import COUNTRIES
from octoplan.core.model import Prices
from octoplan.core.rules import finding
from octoplan.core.written import examine, fresh
from octoplan.core.written.document import document
from octoplan.core.written.prices import PricesFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from octoplan.core.model import Campaign, Finding
    from octoplan.core.source import Source

CENT = Decimal("0.01")

PRODUCTS = ("sms_premium", "sms_low_cost")


def read_prices(source: Source) -> tuple[Prices | None, tuple[Finding, ...]]:
    """Return the price book, unless there is an error, and every finding, placed."""
    file, found = examine(PricesFile, source)
    found += fresh(_judged(file, source), found)
    return None if found else _prices(file), source.locate(found)


def product(campaign: Campaign) -> str:
    """Return what a campaign buys: `sms_premium` or `sms_low_cost`."""
    return f"{campaign.channel}_{campaign.options.quality}"


def unit(prices: Prices, campaign: Campaign, *, country: str) -> Decimal | None:
    """Return the price of one part to a country, replies included; None where the book has none."""
    price = prices.products.get(product(campaign), {}).get(country)
    if price is None:
        return None
    return price + prices.replies if campaign.options.replies else price


def per_request(prices: Prices, _campaign: Campaign) -> Decimal:
    """Return what every request costs beside its parts: opted-out recipients are always taken out."""
    return prices.opt_out_removal


def batch_cost(prices: Prices, campaign: Campaign, *, contacts: Iterable[tuple[str, int]]) -> Decimal | None:
    """Return the cost of one request to contacts given as (country, parts); None where a price is missing."""
    cost = per_request(prices, campaign)
    for country, parts in contacts:
        price = unit(prices, campaign, country=country)
        if price is None:
            return None
        cost += price * parts
    return cost


def worst(cost: Decimal) -> Decimal:
    """Return a batch's cost rounded up to cents: what is reserved for it."""
    return cost.quantize(CENT, rounding=ROUND_CEILING)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of price books."""
    return dict(document(PricesFile))


def _judged(file: PricesFile, source: Source) -> Iterator[Finding]:
    for name in PRODUCTS:
        for country in getattr(file, name):
            if country not in COUNTRIES:
                path = (name, country)
                message = f"`{name}` must be by country code of ISO 3166, such as FR"
                yield finding("wrong-value", message, path=path, place=source.key_place(path))


def _prices(file: PricesFile) -> Prices:
    return Prices(
        currency=file.currency,
        as_of=file.as_of,
        sample=file.sample,
        products={name: getattr(file, name) for name in PRODUCTS},
        opt_out_removal=file.surcharges.opt_out_removal_per_request,
        replies=file.surcharges.replies_per_part,
    )
