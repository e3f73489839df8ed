"""Routee's voice campaigns with their habits, written from its documentation: strict where that names a code."""

from __future__ import annotations

import re
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from octoplan.sandbox.routee import token
from octoplan.sandbox.routee.account import balance, list_prices
from octoplan.sandbox.routee.campaign import delete, show
from octoplan.sandbox.routee.refusal import general, unauthorized
from octoplan.sandbox.routee.send import analyse, send
from octoplan.sandbox.routee.tracking import of_campaign, search
from octoplan.sandbox.world import Imitation, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from octoplan.sandbox.world import Call, Verdict, World

PROVIDER = "routee"
BASE = "/routee"
AUTHENTICATION_BASE = "/routee-auth"


def authenticate(call: Call, world: World) -> Verdict:
    """Answer any call below the base address of tokens."""
    return token.grant(call, world) if (call.method, call.endpoint) == TOKEN else _nothing_here()


def answer(call: Call, world: World) -> Verdict:
    """Answer any call below the base address of all else."""
    asked = f"{call.method} {call.endpoint}"
    endpoint = next((found for pattern, found in _ENDPOINTS if pattern.fullmatch(asked)), None)
    if endpoint is None:
        return _nothing_here()
    login = token.login(call, world)
    if login is None:
        return unauthorized(world.settings)
    return replace(endpoint(replace(call, login=login), world), login=login)


def _nothing_here() -> Verdict:
    return verdict(404, general(404, "Not found."), outcome="not-found")


TOKEN = ("POST", "/oauth/token")
ENDPOINTS: Mapping[tuple[str, str], Callable[[Call, World], Verdict]] = MappingProxyType(
    {
        ("POST", "/voice/campaign"): send,
        ("POST", "/voice/analysis"): analyse,
        ("DELETE", "/voice/campaign/{trackingId}"): delete,
        ("GET", "/voice/tracking/campaign/{trackingId}"): of_campaign,
        ("POST", "/voice/tracking"): search,
        ("GET", "/campaigns/{trackingId}"): show,
        ("GET", "/system/prices"): list_prices,
        ("GET", "/accounts/me/balance"): balance,
    }
)
_ENDPOINTS = tuple(
    (re.compile(f"{method} {path}".replace("{trackingId}", "[^/]+")), endpoint)
    for (method, path), endpoint in ENDPOINTS.items()
)

TOKENS = Imitation(
    provider=PROVIDER,
    base=AUTHENTICATION_BASE,
    answer=authenticate,
    signed=token.credentials,
    refusal=general,
    private=True,
)
ROUTEE = Imitation(provider=PROVIDER, base=BASE, answer=answer, signed=token.bearer, refusal=general)
