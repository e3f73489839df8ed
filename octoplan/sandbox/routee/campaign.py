"""What is answered of a campaign, GET campaigns/{trackingId} and DELETE voice/campaign/{trackingId}."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, Any

import orjson

from octoplan.sandbox import countries, prices
from octoplan.sandbox.guesses.routee import STATUSES
from octoplan.sandbox.routee.refusal import CAMPAIGN_MISSING, NOT_SCHEDULED, Rejected, refused
from octoplan.sandbox.world import Verdict, verdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from octoplan.sandbox.routee.order import Order
    from octoplan.sandbox.routee.people import People
    from octoplan.sandbox.switches import Settings
    from octoplan.sandbox.world import Accepted, Call, Campaign, Message, World

_OK = 200
_QUEUED = "Queued"
_NOT_IN_SAMPLE = (
    *("campaignName", "scheduledDate", "callback", "campaignCallback", "hangupDelay", "fileURL"),
    *("collectDtmfDigits", "collectDtmfAwaitSeconds"),
)


def begun(order: Order, whom: People, *, message: Message, world: World) -> dict[str, Any]:
    """Write down what is answered of a campaign, as far as nothing changes it later."""
    said = order.said
    return {
        "trackingId": message.ticket,
        "type": "Voice",
        "campaignName": order.name,
        "createdAt": milliseconds(world.now),
        "scheduledDate": _seconds(order.scheduled) if order.scheduled else None,
        "from": order.sender,
        "to": order.numbers,
        "contacts": order.contacts,
        "groups": order.groups,
        "message": None if said.file_url else {"language": said.language, "gender": said.gender, "text": said.text},
        "fileURL": said.file_url,
        "respectQuietHours": order.respects_quiet,
        "hangupDelay": order.hangup_delay,
        "collectDtmfDigits": order.collects,
        "collectDtmfAwaitSeconds": order.pause,
        "callback": order.callback,
        "campaignCallback": order.campaign_callback,
        "voiceAnalysis": {**whom.analysis, "dialPlanAnalysis": {"placeholder": None}},
    }


def answer(campaign: Campaign, message: Message, *, settings: Settings) -> dict[str, Any]:
    """Answer an accepted campaign: all its calls are to be made."""
    state = "Scheduled" if message.at > campaign.created else _QUEUED
    return _shown(campaign, message, settings=settings) | {
        "state": state,
        "statuses": _statuses({_QUEUED: len(message.addresses)}),
    }


def _shown(campaign: Campaign, message: Message, *, settings: Settings) -> dict[str, Any]:
    shown = dict(campaign.answer)
    if settings.text("routee_answer_keys") == "sample":
        analysis = {name: found for name, found in shown["voiceAnalysis"].items() if name != "dialPlanAnalysis"}
        shown = {name: value for name, value in shown.items() if name not in _NOT_IN_SAMPLE}
        shown["voiceAnalysis"] = analysis
    cost = settings.text("routee_cost")
    if cost == "absent":
        return shown
    return shown | {"cost": orjson.Fragment(prices.literal(message.cost)) if cost == "estimate" else 0}


def show(call: Call, world: World) -> Verdict:
    """Answer how a campaign is getting on."""
    found = world.campaign(ticket(call))
    if found is None:
        return refused(_missing(), world.settings)
    body = _shown(found.campaign, found.message, settings=world.settings) | _progress(found, world)
    return verdict(200, body, outcome="campaign")


def _progress(found: Accepted, world: World) -> dict[str, Any]:
    message = found.message
    moments = [due(message, address) for address in message.addresses]
    over = sum(moment <= world.now for moment in moments)
    statuses = Counter({world.settings.text("routee_call_status"): over})
    statuses[_QUEUED] += len(moments) - over
    last = max(moments)
    state = "Sent" if over == len(moments) else "Running"
    return {
        "state": "Scheduled" if message.at > world.now else state,
        "statuses": _statuses(statuses),
        "totalMessages": len(moments),
        "endedAt": milliseconds(last) if last <= world.now else None,
    }


def delete(call: Call, world: World) -> Verdict:
    """Delete a campaign that is scheduled; nobody is called."""
    try:
        _check_deletable(ticket(call), world)
    except Rejected as rejected:
        return replace(refused(rejected, world.settings), outcome="cancel-refused")
    status = world.settings.number("routee_delete_status")
    body = b"{}" if status == _OK else b""
    return Verdict(status=status, body=body, outcome="cancelled", cancels=ticket(call))


def _check_deletable(asked: str, world: World) -> None:
    """Check that a campaign is scheduled, or was before it was deleted. Raises Rejected."""
    not_scheduled = Rejected(NOT_SCHEDULED, "The campaign is not scheduled.")
    found = world.campaign(asked)
    if found is not None:
        if found.message.send_at is None or found.message.at <= world.now:
            raise not_scheduled
        return
    again = world.settings.text("routee_delete_repeated")
    if world.known(asked) is None or again == "missing":
        raise _missing()
    if again == "not_scheduled":
        raise not_scheduled


def ticket(call: Call) -> str:
    """Read the tracking id at the end of an address."""
    return call.endpoint.rpartition("/")[2]


def due(message: Message, address: str) -> datetime:
    """Give the moment at which somebody is called."""
    return message.held.get(countries.of(address) or "", message.at)


def milliseconds(moment: datetime) -> str:
    """Write a moment as answers have it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _seconds(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _statuses(counts: Mapping[str, int]) -> dict[str, int]:
    return {status: counts.get(status, 0) for status in STATUSES}


def _missing() -> Rejected:
    return Rejected(CAMPAIGN_MISSING, "The campaign does not exist.")
