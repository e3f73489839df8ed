"""DELETE multi-channel/cancel, and those of one channel: few contacts, a while ahead, and not too often."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from octoplan.sandbox import casts
from octoplan.sandbox.octopush.channels import CHANNELS
from octoplan.sandbox.octopush.order import Rejected
from octoplan.sandbox.world import Call, Verdict, World, verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from octoplan.sandbox.switches import Settings
    from octoplan.sandbox.world import Known

_MOST_CONTACTS = 2
_AHEAD = timedelta(minutes=10)
_MOST_A_MONTH = 1000


def multi_channel_cancel(call: Call, world: World, *, channel: str | None = None) -> Verdict:
    """Cancel what is scheduled, or say why not; `channel` is that of an endpoint that has only one."""
    try:
        _within_month(call, world)
        ticket = _checked(fields(call, world.settings), world, channel=channel)
    except Rejected as rejected:
        refused = verdict(400, rejected.body(), outcome=rejected.outcome)
        return replace(refused, counts=world.settings.text("cancels_counted") == "calls")
    return Verdict(status=204, body=b"", outcome="cancelled", cancels=ticket, counts=True)


sms_cancel = partial(multi_channel_cancel, channel="sms")
voice_cancel = partial(multi_channel_cancel, channel="voice_sms")


def _within_month(call: Call, world: World) -> None:
    if world.cancels(call.login) >= _MOST_A_MONTH:
        raise Rejected(400, f"At most {_MOST_A_MONTH} campaigns can be canceled in a month.", outcome="cancel-refused")


def fields(call: Call, settings: Settings) -> Mapping[str, Any]:
    """Read what a cancel says, from where it is read."""
    takes = settings.text("cancel_takes")
    body = (casts.body(call.content) or {}) if takes != "query" else {}
    return {**(call.query if takes != "body" else {}), **body}


def _checked(given: Mapping[str, Any], world: World, *, channel: str | None) -> str:
    """Return the ticket to cancel. Raises Rejected."""
    if not given:
        raise _refused(100, "POST data is missing.")
    channel = channel or (casts.text(given.get("channel")) or "").strip().lower()
    if channel not in CHANNELS:
        raise _refused(400, "Channel is missing or not supported.", field="channel")
    ticket = (casts.text(given.get("ticket_number")) or "").strip()
    if not ticket:
        raise _refused(400, "Ticket number is missing.", field="ticket_number")
    known = world.known(ticket)
    strict = world.settings.text("cancel_wrong_channel") == "rejected"
    if known is None or (strict and known.channel != channel):
        raise _refused(131, "Campaign not found.")
    _still_possible(known, world)
    return ticket


def _still_possible(known: Known, world: World) -> None:
    settings = world.settings
    if known.cancelled:
        if settings.text("cancel_repeated") == "rejected":
            raise _refused(131, "Campaign not found.")
        return
    if known.at <= world.now:
        raise _refused(132, "Campaign already sent.")
    if known.at - world.now <= _AHEAD:
        raise _limited("A campaign can be canceled until 10 minutes before it is sent.", settings)
    if known.contacts > _MOST_CONTACTS:
        raise _limited(f"Only campaigns of up to {_MOST_CONTACTS} recipients can be canceled.", settings)


def _limited(message: str, settings: Settings) -> Rejected:
    if settings.text("cancel_limit_shape") == "top":
        return _refused(155, message)
    return _refused(400, message, field="ticket_number")


def _refused(code: int, message: str, *, field: str | None = None) -> Rejected:
    return Rejected(code, message, field=field, outcome="cancel-refused")
