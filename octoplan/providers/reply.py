"""Reading what a provider answers: whole JSON, exact numbers, and no benefit of the doubt."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

CEILING, FINEST = 10**12, -30
"""Larger figures are no figures, nor are those with more decimal places."""

LONGEST_TICKET = 255


class Unusable(Exception):
    """A reply that proves nothing; the message says why, without values."""


def decode(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a reply, fractions as `Decimal`.

    Raises:
        Unusable: it is no whole JSON object, or has duplicate keys, NaN, or numbers beyond any range.
    """
    try:
        value = json.loads(
            body.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_unique
        )
    except (ValueError, ArithmeticError, RecursionError):
        raise Unusable("the reply is not whole, unambiguous JSON") from None
    if not isinstance(value, dict):
        raise Unusable("the reply is not a JSON object")
    return value


def figure(value: Any, name: str) -> Decimal | None:
    """Return a finite number, exact; numerals as text are read, being the providers' own habit.

    Raises:
        Unusable: it is something else, or beyond any range.
    """
    if value is None:
        return None
    text = isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", value)
    if not text and (isinstance(value, bool) or not isinstance(value, int | Decimal)):
        raise Unusable(f"`{name}` is not a number")
    number = Decimal(value)
    if not abs(number) < CEILING or int(number.as_tuple().exponent) < FINEST:
        raise Unusable(f"`{name}` is beyond any range")
    return number


def amount(value: Any, name: str) -> Decimal | None:
    """Return a figure of money that was charged; raises `Unusable` where it is negative."""
    found = figure(value, name)
    if found is not None and found < 0:
        raise Unusable(f"`{name}` is negative")
    return found


def count(value: Any, name: str) -> int | None:
    """Return a figure that counts something; raises `Unusable` where it is negative, or not whole."""
    found = amount(value, name)
    return None if found is None else whole(found, name)


def whole(number: Decimal, name: str) -> int:
    """Return a figure as an integer; raises `Unusable` where it is none."""
    if number != number.to_integral_value():
        raise Unusable(f"`{name}` is not a whole number")
    return int(number)


def one_line(ticket: str) -> str:
    """Return a ticket; raises `Unusable` where it is not one line of text."""
    if not ticket.isprintable() or len(ticket) > LONGEST_TICKET:
        raise Unusable("the ticket is not one line of text")
    return ticket


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate keys")
    return found
