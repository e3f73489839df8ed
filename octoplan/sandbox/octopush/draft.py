"""Campaigns to a list or tag: prepared, computed for a while, then confirmed or cancelled."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import orjson

from octoplan.sandbox import casts
from octoplan.sandbox.octopush import cancel, voice
from octoplan.sandbox.octopush.bill import number
from octoplan.sandbox.octopush.channels import CHANNELS
from octoplan.sandbox.octopush.order import Fields, Order, Rejected
from octoplan.sandbox.octopush.sending import burnt, checked, composed, refused
from octoplan.sandbox.world import Draft, Verdict, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from octoplan.sandbox.switches import Settings
    from octoplan.sandbox.world import Call, Contact, Message, World

COMBINING = ("filter", "group")
_CONFIRMED, _CANCELLED = "confirmed", "cancelled"


class _NotReady(Rejected):
    """A draft is not computed yet."""


class _Failed(Rejected):
    """The computation of a draft came to nothing."""


def create(call: Call, world: World, *, channel: str, by: str) -> Verdict:
    """Prepare a campaign; a simulation makes up a ticket and keeps nothing."""
    fields = Fields(call.content, world.settings, channel=channel)
    try:
        order, draft = _prepared(fields, world, by=by)
    except Rejected as rejected:
        return refused(rejected, fields, world=world)
    return Verdict(
        status=world.settings.number("draft_success_status"),
        body=orjson.dumps({"ticket_number": draft.ticket}),
        outcome="simulated" if order.simulated else "prepared",
        draft=None if order.simulated else draft,
        burns=burnt(order, world.settings),
    )


def _prepared(fields: Fields, world: World, *, by: str) -> tuple[Order, Draft]:
    if not fields:
        raise Rejected(100, "POST data is missing.")
    list_name, tag_name, combines = _named(fields, world, by=by)
    order = replace(CHANNELS[fields.channel].read(fields), held=True, list_name=list_name or tag_name)
    order = checked(order, world)
    return order, Draft(
        ticket=f"{CHANNELS[order.channel].prefix}_{secrets.token_hex(10)}",
        channel=order.channel,
        by=by,
        list_name=list_name,
        tag_name=tag_name,
        combines=combines,
        removes=order.remove_blacklisted,
        order=_written(order),
        ready_at=world.now + timedelta(seconds=world.settings.number("draft_seconds")),
    )


def _named(fields: Fields, world: World, *, by: str) -> tuple[str | None, str | None, str]:
    """Read the list, the tag and how both are combined; where they are not, the list alone counts."""
    named = {kind: fields.name(kind) for kind in ("list", "tag")}
    if world.settings.on("tags_need_own_path"):
        named = {kind: name if kind == by else None for kind, name in named.items()}
    if not any(named.values()):
        raise Rejected(110, "Recipients list is missing.", field=f"{by}_name")
    how = fields.word("segmentation")
    combines = how if world.settings.text("segmentation") == "combines" and all(named.values()) else ""
    if combines not in COMBINING:
        combines, named = "", named | ({"tag": None} if named["list"] else {})
    for kind, name in named.items():
        if name and world.settings.text("unknown_list") == "rejected" and not world.exists(kind, name):
            raise _unknown(kind)
    return named["list"], named["tag"], combines


def _written(order: Order) -> dict[str, Any]:
    """Write the rest of an order as JSON has it."""
    return {
        "text": order.text,
        "content": order.content,
        "sender": order.sender,
        "marketing": order.marketing,
        "send_at": order.send_at.isoformat() if order.send_at else None,
        "list_name": order.list_name,
        "request_id": order.request_id,
        "optimised": order.optimised,
    }


def status(call: Call, world: World, *, channel: str, by: str) -> Verdict:
    """Say how far a draft is: 400 until it is computed, unless a switch has it otherwise."""
    try:
        draft = _draft(call.query, world, channel=channel, by=by)
        body = _status(_not_cancelled(draft), world)
    except Rejected as rejected:
        return _refused(rejected)
    return verdict(world.settings.number("draft_success_status"), body, outcome="status")


def _status(draft: Draft, world: World) -> dict[str, Any]:
    settings = world.settings
    after = settings.text("status_after_confirm") if draft.stage == _CONFIRMED else "unchanged"
    if after == "rejected":
        raise _missing()
    try:
        message = _computed(draft, world)
    except _NotReady:
        if settings.text("not_ready_status") == "rejected":
            raise
        return _figures(draft, "under_computation", message=None, world=world)
    except _Failed:
        return _figures(draft, "failed", message=None, world=world)
    said = "sent" if after == "sent" else settings.text("ready_word")
    return _figures(draft, said, message=message, world=world)


def _figures(draft: Draft, said: str, *, message: Message | None, world: World) -> dict[str, Any]:
    figures = {
        "number_of_contacts": len(message.addresses) if message else 0,
        "cost": number(message.cost) if message else 0,
        "status": said,
    }
    if draft.channel == "voice_sms":
        figures["estimated_duration"] = voice.duration(message, world) if message else 0
    return figures


def confirm(call: Call, world: World, *, channel: str, by: str) -> Verdict:
    """Send what is prepared, once."""
    try:
        draft = _draft(_said(casts.body(call.content) or {}), world, channel=channel, by=by)
        return _confirmed(_not_cancelled(draft), world)
    except Rejected as rejected:
        return _refused(rejected)


def _confirmed(draft: Draft, world: World) -> Verdict:
    settings = world.settings
    answered = settings.number("draft_success_status")
    if draft.stage == _CONFIRMED:
        if settings.text("confirm_repeated") == "rejected":
            raise _already_sent()
        return verdict(answered, {"sending_date": draft.sending_date}, outcome="repeated")
    if draft.contacts is not None and settings.text("draft_contacts") == "confirmed":
        draft = replace(draft, contacts=world.members(draft))
    message = _computed(draft, world)
    if message.cost > world.balance:
        raise Rejected(104, "No credit left.")
    date = message.at if message.at == message.send_at else message.at.astimezone(_zone(settings))
    sending_date = date.isoformat(timespec="seconds")
    return Verdict(
        status=answered,
        body=orjson.dumps({"sending_date": sending_date}),
        outcome="sent",
        message=message,
        draft=replace(draft, stage=_CONFIRMED, sending_date=sending_date),
    )


def _zone(settings: Settings) -> ZoneInfo:
    return ZoneInfo(settings.text("naive_send_at"))


def _computed(draft: Draft, world: World) -> Message:
    """Count and price a draft. Raises _NotReady, and _Failed where it came to nothing."""
    settings = world.settings
    if draft.contacts is None:
        raise _NotReady(settings.number("not_ready_code"), "Campaign is being built.", outcome="not-ready")
    try:
        order = _order(draft, draft.contacts, settings=settings)
        return composed(CHANNELS[draft.channel], order, world=world, ticket=draft.ticket)
    except Rejected as rejected:
        raise _Failed(rejected.code, rejected.message, field=rejected.field, outcome="failed") from rejected


def _order(draft: Draft, contacts: Sequence[Contact], *, settings: Settings) -> Order:
    """Put an order together again. Raises Rejected where it can go to nobody."""
    if not draft.found:
        raise _unknown("list" if draft.list_name else "tag")
    if not contacts and settings.text("empty_list") == "failed":
        raise Rejected(117, "No correct phone number.")
    order = _restored(draft, contacts, settings=settings)
    return CHANNELS[draft.channel].stop(order, settings) if settings.text("held_stop") == "computed" else order


def _restored(draft: Draft, contacts: Sequence[Contact], *, settings: Settings) -> Order:
    send_at = draft.order["send_at"]
    return Order(
        channel=draft.channel,
        addresses=[one.address for one in contacts],
        values=[one.values for one in contacts] if settings.on("held_placeholders") else (),
        remove_blacklisted=draft.removes,
        simulated=False,
        **{**draft.order, "send_at": datetime.fromisoformat(send_at) if send_at else None},
    )


def cancel_draft(call: Call, world: World, *, channel: str, by: str) -> Verdict:
    """Give up a draft; it has none of the limits that the pages name for what is scheduled."""
    try:
        draft = _draft(_said(cancel.fields(call, world.settings)), world, channel=channel, by=by)
        return _cancelled(draft, world)
    except Rejected as rejected:
        return replace(_refused(rejected), outcome="cancel-refused")


def _cancelled(draft: Draft, world: World) -> Verdict:
    done = Verdict(status=204, body=b"", outcome="cancelled")
    gone = replace(draft, stage=_CANCELLED)
    if draft.stage == _CANCELLED:
        if world.settings.text("cancel_repeated") == "rejected":
            raise _missing()
        return done
    if draft.stage != _CONFIRMED:
        return replace(done, draft=gone)
    after = world.settings.text("cancel_after_confirm")
    if after == "ignored":
        return done
    sent = world.known(draft.ticket)
    if after == "rejected" or sent is None or sent.at <= world.now:
        raise _already_sent()
    return replace(done, draft=gone, cancels=draft.ticket)


def _said(given: Mapping[str, Any]) -> Mapping[str, Any]:
    if not given:
        raise Rejected(100, "POST data is missing.")
    return given


def _draft(given: Mapping[str, Any], world: World, *, channel: str, by: str) -> Draft:
    """Look up the draft a call is about. Raises Rejected."""
    ticket = (casts.text(given.get("ticket_number")) or "").strip()
    if not ticket:
        raise Rejected(400, "Ticket number is missing.", field="ticket_number")
    draft = world.draft(ticket)
    if draft is None or draft.channel != channel:
        raise _missing()
    if draft.by != by and world.settings.on("tags_need_own_path"):
        raise _missing()
    return draft


def _not_cancelled(draft: Draft) -> Draft:
    if draft.stage == _CANCELLED:
        raise _missing()
    return draft


def _missing() -> Rejected:
    return Rejected(131, "Campaign not found.")


def _already_sent() -> Rejected:
    return Rejected(132, "Campaign already sent.")


def _unknown(kind: str) -> Rejected:
    return Rejected(303, f"The {kind} does not exist.", field=f"{kind}_name")


def _refused(rejected: Rejected) -> Verdict:
    """Answer 400, as the pages have it for status and confirm."""
    return verdict(400, rejected.body(), outcome=rejected.outcome)


DRAFTS: Mapping[tuple[str, str], Callable[[Call, World], Verdict]] = MappingProxyType(
    {
        (method, f"/{word}-campaign-on-{by}/{what}"): partial(answer, channel=channel, by=by)
        for word, channel in (("sms", "sms"), ("voice", "voice_sms"))
        for by in ("list", "tag")
        for method, what, answer in (
            ("POST", "create", create),
            ("GET", "status", status),
            ("POST", "send", confirm),
            ("DELETE", "cancel", cancel_draft),
        )
    }
)
"""By method and the address below the provider's base."""
