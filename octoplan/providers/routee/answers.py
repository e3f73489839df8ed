"""Reading what Routee answers: exact numbers, no benefit of the doubt, and none of its wording.

A reply may repeat numbers and texts. So what is kept is what we knew beforehand (codes in our own words, whether what
we sent came back as we sent it), figures, the ticket, and sizes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from octoplan.core.codes import COUNTRIES
from octoplan.core.model import Receipt
from octoplan.core.outcome import NOT_FOUND, Answer
from octoplan.core.quantity import quantity
from octoplan.providers.reply import Unusable, amount, count, decode, figure, one_line, whole
from octoplan.providers.routee.codes import CODES, NAME_TAKEN, UNKNOWN_USER, UNLISTED, Code
from octoplan.providers.routee.receipt import details

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from decimal import Decimal

    from octoplan.core.model import Reply

SMALLEST_CODE, LARGEST_CODE = 100_000_000, 999_999_999


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysed:
    """Whom a campaign would call: `contacts` in all, and how many of them in each country (ISO 3166-1 alpha-2).

    Of those who are in none, no country is told.
    """

    contacts: int
    countries: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """What the provider itself asks for calls to mobiles by country, in the account's currency."""

    currency: str
    mobile: Mapping[str, Decimal]


def read_campaign(reply: Reply, *, sent: Mapping[str, Any]) -> Answer:
    """Read the answer to a campaign, given the body that was sent; acceptance needs its tracking id."""
    return _read(reply, lambda body: _accepted(body, sent=sent))


def read_analysis(reply: Reply) -> Answer:
    """Read the answer to an analysis; the receipt holds its contacts alone, see `analysed`."""
    return _read(reply, lambda body: Answer(receipt=Receipt(ticket="", contacts=_analysed(body).contacts)))


def read_prices(reply: Reply) -> Answer:
    """Read the answer to `system/prices`; see `price_list`."""
    return _read(reply, lambda body: Answer(receipt=Receipt(ticket="", details={"currency": _prices(body).currency})))


def read_balance(reply: Reply) -> Answer:
    """Read the answer to `accounts/me/balance` as a receipt with `credit` and the detail `currency`."""
    return _read(reply, _balance)


def read_tracking(reply: Reply, *, name: str) -> Answer:
    """Read a page of calls as a receipt that counts those there are.

    `name` is that of the campaign: calls of others do not count, should a search have been ignored. Empty: they were
    asked for by its tracking id.
    """
    return _read(reply, lambda body: Answer(receipt=Receipt(ticket="", contacts=_calls(body, name=name))))


def read_cancel(reply: Reply) -> Answer:
    """Read the answer to a cancel; what a successful one says is not documented, so it may be empty."""
    return _read(reply, lambda _: Answer(receipt=Receipt(ticket=""))) if reply.body.strip() else Answer()


def analysed(reply: Reply) -> Analysed:
    """Return what an analysis found; raises `Unusable`."""
    return _analysed(decode(reply.body))


def price_list(reply: Reply) -> PriceList:
    """Return the provider's prices of calls; raises `Unusable`."""
    return _prices(decode(reply.body))


def _read(reply: Reply, read: Callable[[dict[str, Any]], Answer]) -> Answer:
    try:
        body = decode(reply.body)
        return _error(body, status=reply.status) or read(body)
    except Unusable as unusable:
        return Answer(reason=str(unusable))


def _error(body: Mapping[str, Any], *, status: int) -> Answer | None:
    """Read an error body, `{code, developerMessage}` or `{errors: [{code, developerMessage, property}]}`; None if none.

    The first is what Routee's page of error codes shows, the second what the page of the voice campaign names.
    """
    each = list(_errors(body))
    if not each:
        return None
    codes = [_code(error.get("code")) for error in each]
    known = [CODES.get(code) or (UNKNOWN_USER if status == NOT_FOUND else Code("", UNLISTED)) for code in codes]
    invalid = sum(map(_invalid, each))
    meanings = (": ".join(filter(None, (f"code {code}", of.meaning))) for code, of in zip(codes, known, strict=True))
    told = (*meanings, *([quantity(invalid, "invalid recipient")] if invalid else []))
    reason = "; ".join(dict.fromkeys(told))
    if not all(codes) or body.get("trackingId") or not all(isinstance(e.get("developerMessage"), str) for e in each):
        return Answer(reason=f"an error of an undocumented shape, {reason}")
    return Answer(
        duplicate=NAME_TAKEN in codes,
        rejected=True,
        stops=any(of.stops for of in known),
        reason=reason,
        hint="; ".join(dict.fromkeys(of.hint for of in known)),
    )


def _errors(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    nested = body.get("errors")
    for error in (body, *(nested if isinstance(nested, list) else [nested])):
        if isinstance(error, dict) and (error.get("code") is not None or (error is not body and error)):
            yield error


def _code(value: Any) -> int:
    """Return a code of nine digits; 0: it is none."""
    number = figure(value, "code")
    found = 0 if number is None else whole(number, "code")
    return found if SMALLEST_CODE <= found <= LARGEST_CODE else 0


def _invalid(error: Mapping[str, Any]) -> int:
    """Count the recipients that an error names; which ones is not kept."""
    named = error.get("property")
    return len(named) if isinstance(named, list) else int(bool(named))


def _accepted(body: Mapping[str, Any], *, sent: Mapping[str, Any]) -> Answer:
    ticket = body.get("trackingId")
    if not isinstance(ticket, str) or not ticket:
        return Answer(reason="the reply names no tracking id")
    named = one_line(ticket)
    try:
        cost = amount(body.get("cost"), "cost")
        contacts = _recipients(body.get("voiceAnalysis"))
        return Answer(
            receipt=Receipt(ticket=named, contacts=contacts, cost=cost or None, details=dict(details(body, sent=sent)))
        )
    except Unusable as unusable:
        return Answer(reason=str(unusable), ticket=named)


def _recipients(analysis: Any) -> int | None:
    """Return how many people are called, by either of the two figures that the documentation has for it."""
    if not isinstance(analysis, dict):
        return None
    told = [count(analysis.get(name), name) for name in ("numberOfRecipients", "totalInGroups")]
    return max((number for number in told if number is not None), default=None)


def _analysed(body: Mapping[str, Any]) -> Analysed:
    contacts = _recipients(body)
    if contacts is None:
        raise Unusable("the analysis does not count its recipients")
    counted = body.get("recipientsPerCountry")
    each = counted if isinstance(counted, dict) else {}
    countries = {country: count(each[country], "recipientsPerCountry") or 0 for country in each.keys() & COUNTRIES}
    return Analysed(contacts=contacts, countries={country: number for country, number in countries.items() if number})


def _prices(body: Mapping[str, Any]) -> PriceList:
    currency, voice = body.get("currency"), body.get("voice")
    code = currency.get("code") if isinstance(currency, dict) else None
    if not isinstance(code, str) or not isinstance(voice, list):
        raise Unusable("the reply names no prices of calls")
    found = {str(each.get("iso")): each.get("mobilePrice") for each in voice if isinstance(each, dict)}
    prices = {country: amount(price, "mobilePrice") for country, price in found.items()}
    return PriceList(currency=code, mobile={country: price for country, price in prices.items() if price is not None})


def _balance(body: Mapping[str, Any]) -> Answer:
    credit, currency = figure(body.get("balance"), "balance"), body.get("currency")
    code = currency.get("code") if isinstance(currency, dict) else None
    if credit is None or not isinstance(code, str):
        return Answer(reason="the reply names no balance")
    return Answer(receipt=Receipt(ticket="", credit=credit, details={"currency": code}))


def _calls(body: Mapping[str, Any], *, name: str) -> int:
    content, total = body.get("content"), count(body.get("totalElements"), "totalElements")
    if not isinstance(content, list) or total is None:
        raise Unusable("the reply is no page of calls")
    ours = [call for call in content if not name or (isinstance(call, dict) and call.get("campaign") == name)]
    return total if len(ours) == len(content) else len(ours)
