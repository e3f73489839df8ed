"""POST voice/tracking and GET voice/tracking/campaign/{trackingId}: calls, page by page."""

from __future__ import annotations

import re
import uuid
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from octoplan.sandbox import casts, countries, prices
from octoplan.sandbox.routee.campaign import due, milliseconds, ticket
from octoplan.sandbox.routee.refusal import CAMPAIGN_MISSING, Rejected, invalid, refused
from octoplan.sandbox.world import verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from octoplan.sandbox.switches import Settings
    from octoplan.sandbox.world import Accepted, Call, Verdict, World

    Item = Mapping[str, Any]

_USUAL_SIZE = 20
_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)
_PAID = ("Completed", "Terminated")


class Filter(NamedTuple):
    """What a call must be like."""

    field: str
    operator: str
    term: str


FIELDS: Mapping[str, Callable[[Item], Sequence[str]]] = MappingProxyType(
    {
        "id": lambda item: [item["messageId"]],
        "recipient": lambda item: [item["to"]],
        "from": lambda item: [item["from"]],
        "collectedTones": lambda item: [item["collectedTones"] or ""],
        "groups": lambda item: item["groups"],
        "country": lambda item: [item["country"] or ""],
        "status.status": lambda item: [item["status"]["status"]],
        "campaign": lambda item: [item["campaign"] or ""],
    }
)
OPERATORS: Mapping[str, Callable[[Sequence[str], str], bool]] = MappingProxyType(
    {
        "is": lambda values, term: term in values,
        "is_not": lambda values, term: term not in values,
        "contains": lambda values, term: any(term in value for value in values),
        "starts_with": lambda values, term: any(value.startswith(term) for value in values),
        "ends_with": lambda values, term: any(value.endswith(term) for value in values),
    }
)


def search(call: Call, world: World) -> Verdict:
    """List the calls that match filters; query parameters but page, size and trackingId are ignored."""
    try:
        filters = _filters(call.content, world.settings)
    except Rejected as rejected:
        return refused(rejected, world.settings)
    by_name = [one for one in filters if one.field == "campaign"]
    if by_name and world.settings.text("routee_tracking_finds") == "nothing":
        return _page([], call.query)
    every = all if world.settings.text("routee_tracking_filters") == "all" else any
    found = [
        item
        for item in _calls(_candidates(call, filters, world=world), world)
        if not filters or every(OPERATORS[one.operator](FIELDS[one.field](item), one.term) for one in filters)
    ]
    return _page(found, call.query)


def _candidates(call: Call, filters: Sequence[Filter], *, world: World) -> Iterable[Accepted]:
    """Give the campaigns worth looking through."""
    asked = call.query.get("trackingId")
    if asked:
        found = world.campaign(asked)
        return [found] if found else []
    exact = [one.term for one in filters if (one.field, one.operator) == ("campaign", "is")]
    narrows = exact and (len(filters) == 1 or world.settings.text("routee_tracking_filters") == "all")
    return world.campaigns((exact[0] or None) if narrows else None)


def of_campaign(call: Call, world: World) -> Verdict:
    """List the calls of a campaign."""
    found = world.campaign(ticket(call))
    if found is None and world.settings.text("routee_tracking_unknown") == "missing":
        return refused(Rejected(CAMPAIGN_MISSING, "The campaign does not exist."), world.settings)
    return _page(list(_calls([found] if found else [], world)), call.query)


def _filters(content: bytes, settings: Settings) -> list[Filter]:
    """Read filters: a list, one alone, or none. Raises Rejected."""
    try:
        given = orjson.loads(content or b"[]")
    except orjson.JSONDecodeError as error:
        raise invalid(settings, "The body is no JSON.") from error
    entries = [given] if isinstance(given, dict) else given
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise invalid(settings, "The body must be a list of filters.")
    read = [
        Filter(
            casts.text(entry.get("fieldName")) or "",
            casts.text(entry.get("searchOperator")) or "is",
            casts.text(entry.get("searchTerm")) or "",
        )
        for entry in entries
    ]
    usable = [one for one in read if one.field in FIELDS and one.operator in OPERATORS]
    if len(usable) < len(read) and settings.text("routee_unknown_filter") == "rejected":
        raise invalid(settings, "fieldName or searchOperator is unknown.")
    return usable


def _calls(campaigns: Iterable[Accepted], world: World) -> Iterator[Item]:
    scheduled = world.settings.on("routee_tracking_scheduled")
    for found in campaigns:
        for number, address in enumerate(found.message.addresses):
            if scheduled or due(found.message, address) <= world.now:
                yield _item(found, number, world=world)


def _item(found: Accepted, number: int, *, world: World) -> Item:
    campaign, message = found
    address = message.addresses[number]
    country = countries.of(address)
    at = due(message, address)
    status = world.settings.text("routee_call_status") if at <= world.now else "Queued"
    paid = status in _PAID and at <= world.now
    return {
        "messageId": str(uuid.uuid5(uuid.UUID(message.ticket), str(number))),
        "conversationTrackingId": None,
        "to": address,
        "from": message.sender,
        "country": country,
        "groups": campaign.groups.get(address, []),
        "status": {"status": status, "date": milliseconds(at if at <= world.now else campaign.created)},
        "campaign": campaign.name,
        "applicationName": campaign.login,
        "originatingService": "Voice",
        "direction": "Outbound",
        "duration": message.content["seconds"] if paid else 0,
        "fileURL": campaign.answer["fileURL"],
        "message": campaign.answer["message"],
        "price": orjson.Fragment(prices.literal(message.unit_cost[country or ""])) if paid else 0,
        "chargeInterval": world.prices.voice_step_seconds,
        "collectedTones": None,
        "recordings": [],
    }


def _page(items: Sequence[Item], query: Mapping[str, str]) -> Verdict:
    number = _whole(query.get("page"), otherwise=0)
    size = _whole(query.get("size"), otherwise=_USUAL_SIZE) or _USUAL_SIZE
    shown = items[number * size : (number + 1) * size]
    body = {
        "content": shown,
        "first": number == 0,
        "last": (number + 1) * size >= len(items),
        "number": number,
        "numberOfElements": len(shown),
        "size": size,
        "totalElements": len(items),
        "totalPages": -(-len(items) // size),
    }
    return verdict(200, body, outcome="tracking")


def _whole(written: str | None, *, otherwise: int) -> int:
    return int(written) if written and _WHOLE.fullmatch(written) else otherwise
