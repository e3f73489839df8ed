"""The controls below /_sandbox: what a test looks at and turns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import orjson

from octoplan.sandbox import casts, lists, prices
from octoplan.sandbox.faults import FaultUnknown
from octoplan.sandbox.imitations import PROVIDERS
from octoplan.sandbox.switches import SWITCHES, SwitchUnknown, checked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from octoplan.sandbox.state import State

_PERIOD = re.compile(r"(?:([0-9]{1,4})d)?(?:([0-9]{1,5})h)?(?:([0-9]{1,7})m)?(?:([0-9]{1,9})s)?", re.ASCII)
_AMOUNT = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,8})?", re.ASCII)


class Misused(ValueError):
    """A control got something it cannot use; the message says what it takes."""


@dataclass(frozen=True, slots=True)
class Control:
    """One control address: `look` answers GET, and POST after `change` has taken its body."""

    look: Callable[[State], dict[str, Any]]
    change: Callable[[State, dict[str, Any]], None]


def _clock(state: State) -> dict[str, Any]:
    return {"now": state.now().isoformat(timespec="milliseconds"), "ahead_seconds": state.ahead().total_seconds()}


def _advance(state: State, body: dict[str, Any]) -> None:
    written = _only(body, "advance")
    period = _PERIOD.fullmatch(written) if isinstance(written, str) else None
    if not written or period is None:
        raise Misused('advance must be a period such as "25h", "1d12h" or "90s"')
    days, hours, minutes, seconds = (int(part or 0) for part in period.groups())
    state.advance(timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds))


def _switches(state: State) -> dict[str, Any]:
    values = state.settings().all()
    return {
        "switches": {
            name: {
                "value": values[name],
                "default": switch.default,
                "allowed": switch.shown,
                "meaning": switch.meaning,
            }
            for name, switch in SWITCHES.items()
        }
    }


def _turn(state: State, body: dict[str, Any]) -> None:
    try:
        state.set_switches(checked(body))
    except SwitchUnknown as unknown:
        raise Misused(str(unknown)) from unknown


def _blacklist(state: State) -> dict[str, Any]:
    return {"addresses": state.blacklisted()}


def _block(state: State, body: dict[str, Any]) -> None:
    entries = _only(body, "addresses")
    given = entries if isinstance(entries, list) else []
    numbers = casts.phone_numbers([entry for entry in given if "@" not in str(entry)])
    found = numbers + [address.lower() for address in casts.emails(given)]
    if not isinstance(entries, list) or len(found) != len(entries):
        raise Misused('addresses must be a list of numbers such as "+33639980012" or of e-mail addresses')
    state.blacklist(tuple(found))


def _lists(state: State) -> dict[str, Any]:
    return dict(state.lists())


def _fill(state: State, body: dict[str, Any]) -> None:
    try:
        state.set_lists(lists.read(body))
    except lists.ListsUnusable as unusable:
        raise Misused(str(unusable)) from unusable


def _balance(state: State) -> dict[str, Any]:
    """Tell Octopush's balance, as ever, and that of each provider."""
    balances = {
        provider: {
            "amount": orjson.Fragment(prices.literal(state.balance(provider))),
            "currency": state.currency(provider),
        }
        for provider in PROVIDERS
    }
    return {**balances["octopush"], "providers": balances}


def _credit(state: State, body: dict[str, Any]) -> None:
    """Set a provider's balance, Octopush's where none is named."""
    provider = body.pop("provider", "octopush")
    amount = casts.text(_only(body, "amount")) or ""
    if provider not in PROVIDERS:
        raise Misused(f"provider must be one of {', '.join(PROVIDERS)}")
    if not _AMOUNT.fullmatch(amount):
        raise Misused("amount must be a number such as 12.50")
    state.set_balance(Decimal(amount), provider=provider)


def _faults(state: State) -> dict[str, Any]:
    return state.faults.shown()


def _install(state: State, body: dict[str, Any]) -> None:
    try:
        state.faults.install(body)
    except FaultUnknown as unknown:
        raise Misused(str(unknown)) from unknown


def _reset(state: State, _body: dict[str, Any]) -> None:
    state.reset()


def _only(body: dict[str, Any], name: str) -> Any:
    if set(body) != {name}:
        raise Misused(f'send {{"{name}": …}}')
    return body[name]


CONTROLS: Mapping[str, Control] = MappingProxyType(
    {
        "clock": Control(_clock, _advance),
        "switches": Control(_switches, _turn),
        "blacklist": Control(_blacklist, _block),
        "lists": Control(_lists, _fill),
        "balance": Control(_balance, _credit),
        "faults": Control(_faults, _install),
        "reset": Control(_clock, _reset),
    }
)
