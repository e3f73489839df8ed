"""Whom a campaign goes to, numbers, contacts and groups without who is blacklisted, and what an analysis says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from octoplan.sandbox import countries
from octoplan.sandbox.routee.refusal import CONTACT_MISSING, NOBODY_LEFT, Rejected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from octoplan.sandbox.routee.order import Order
    from octoplan.sandbox.world import World

_NOWHERE = "ZZ"
"""The country of a number that has none that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Who is called, in order; `groups` are those somebody is called for, by address."""

    addresses: Sequence[str]
    groups: Mapping[str, Sequence[str]]
    analysis: Mapping[str, Any]


def people(order: Order, world: World) -> People:
    """Find out whom an order goes to. Raises Rejected."""
    contacts = {name: _contact(name, world) for name in order.contacts}
    groups = {name: _group(name, world) for name in order.groups}
    named = [*order.numbers, *contacts.values()]
    if world.settings.text("routee_duplicates") == "once":
        named = list(dict.fromkeys(named))
    removed = world.blacklist
    if not world.settings.on("routee_blacklist_covers_to"):
        removed = removed - set(order.numbers)
    called = [number for number in named if number not in removed]
    specified = set(named)
    memberships: dict[str, list[str]] = {}
    for name, members in groups.items():
        for number in members:
            if number not in specified:
                memberships.setdefault(number, []).append(name)
    addresses = [*called, *memberships]
    if not addresses:
        raise Rejected(NOBODY_LEFT, "The campaign has no recipients.")
    every_one = world.settings.text("routee_number_of_recipients") == "all"
    listed = addresses if world.settings.text("routee_recipient_countries") == "all" else order.numbers
    listed = [number for number in listed if number not in removed]
    return People(
        addresses=addresses,
        groups=memberships,
        analysis={
            "contacts": {
                name: {"recipient": number, "recipientCountry": _country(number), "blacklisted": _gone(number, world)}
                for name, number in contacts.items()
            },
            "numberOfRecipients": len(addresses if every_one else called),
            "recipientCountries": {number: _country(number) for number in listed},
            "recipientsPerCountry": {country or _NOWHERE: n for country, n in countries.count(addresses).items()},
            "recipientsPerGroup": {name: len(members) for name, members in groups.items()},
            "totalInGroups": len(memberships),
        },
    )


def _contact(name: str, world: World) -> str:
    found = world.listed("contact id", name)
    if not found:
        raise Rejected(CONTACT_MISSING, "The contact does not exist.")
    return found[0]


def _group(name: str, world: World) -> list[str]:
    """Give who is in a group and not blacklisted."""
    found = world.listed("group", name)
    if found is None and world.settings.text("routee_unknown_group") == "rejected":
        raise Rejected(CONTACT_MISSING, "The group does not exist.")
    return [number for number in found or () if not _gone(number, world)]


def _gone(number: str, world: World) -> bool:
    return number in world.blacklist


def _country(number: str) -> str:
    return countries.of(number) or _NOWHERE
