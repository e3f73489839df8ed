"""What a campaign costs: the price book, and exact arithmetic over it."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Any

from octoplan.core.codes import COUNTRIES
from octoplan.core.message import SERVICES
from octoplan.core.model import Channel, Prices
from octoplan.core.quoting import suggestion
from octoplan.core.rules import finding
from octoplan.core.written import examine, fresh
from octoplan.core.written.document import document
from octoplan.core.written.prices import PricesFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from octoplan.core.model import Campaign, Finding
    from octoplan.core.source import Source

CENT = Decimal("0.01")

PRODUCTS = ("sms_premium", "sms_low_cost", "voice_sms", "rcs")
"""What is priced by country."""

EMAIL = "email"
"""What is priced by service."""

_PRODUCTS: Mapping[Channel, str] = {Channel.VOICE: "voice_sms", Channel.RCS: "rcs", Channel.EMAIL: EMAIL}


def read_prices(source: Source) -> tuple[Prices | None, tuple[Finding, ...]]:
    """Return the price book, unless there is an error, and every finding, placed."""
    file, found = examine(PricesFile, source)
    found += fresh(_judged(file, source), found)
    return None if found else _prices(file), source.locate(found)


def product(campaign: Campaign) -> str:
    """Return what a campaign buys: `sms_premium`, `sms_low_cost`, `voice_sms`, `rcs` or `email`."""
    return _PRODUCTS.get(campaign.channel) or f"sms_{campaign.options.quality}"


def unit(prices: Prices, campaign: Campaign, *, country: str) -> Decimal | None:
    """Return the price of one part to a country, of an e-mail by its service; None where the book has none.

    Replies to an SMS cost more a part; that they do on RCS is documented nowhere.
    """
    place = campaign.message.service if campaign.channel is Channel.EMAIL else country
    price = prices.products.get(product(campaign), {}).get(place or "")
    if price is None or campaign.channel is not Channel.SMS:
        return price
    return price + prices.replies if campaign.options.replies else price


def per_request(prices: Prices, campaign: Campaign) -> Decimal:
    """Return what every request costs beside its parts: opted-out numbers are always taken out, of e-mails none."""
    return Decimal(0) if campaign.channel is Channel.EMAIL else prices.opt_out_removal


def batch_cost(prices: Prices, campaign: Campaign, *, contacts: Iterable[tuple[str, int]]) -> Decimal | None:
    """Return the cost of one request to contacts given as (country, parts); None where a price is missing."""
    cost = per_request(prices, campaign)
    for country, parts in contacts:
        price = unit(prices, campaign, country=country)
        if price is None:
            return None
        cost += price * parts
    return cost


def step(prices: Prices, campaign: Campaign) -> int:
    """Return the seconds of a billing step of a call; 0: it is no call."""
    return prices.voice_step if campaign.channel is Channel.VOICE else 0


def rates(prices: Prices, campaign: Campaign, *, parts: int) -> dict[str, Decimal]:
    """Return what one contact costs by country, of so many parts each."""
    found = {country: unit(prices, campaign, country=country) for country in prices.products.get(product(campaign), {})}
    return {country: each * parts for country, each in found.items() if each is not None}


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
                yield finding("wrong-value", message, path=path, place=source.key_place(path), hint="for example FR")
    if file.voice_sms and "voice_step_seconds" not in file.model_fields_set:
        message = "`voice_step_seconds` is missing: the price of a call depends on it"
        hint = "for example `voice_step_seconds: 30`, as your contract says"
        yield finding("missing-key", message, path=("voice_sms",), hint=hint)
    for service in file.email:
        if service not in SERVICES:
            path = (EMAIL, service)
            hint = suggestion(service, SERVICES)
            message = f"`{EMAIL}` must be by service: {' or '.join(SERVICES)}"
            yield finding("wrong-value", message, path=path, place=source.key_place(path), hint=hint)


def _prices(file: PricesFile) -> Prices:
    return Prices(
        currency=file.currency,
        as_of=file.as_of,
        sample=file.sample,
        products={name: getattr(file, name) for name in (*PRODUCTS, EMAIL)},
        voice_step=file.voice_step_seconds,
        opt_out_removal=file.surcharges.opt_out_removal_per_request,
        replies=file.surcharges.replies_per_part,
    )
