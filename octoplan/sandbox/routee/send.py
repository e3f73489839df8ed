"""POST voice/campaign and voice/analysis."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from octoplan.sandbox import prices
from octoplan.sandbox.routee import bill, campaign, hours
from octoplan.sandbox.routee import order as orders
from octoplan.sandbox.routee.people import people
from octoplan.sandbox.routee.refusal import BALANCE_TOO_LOW, NAME_TAKEN, Rejected, invalid, problem, refused
from octoplan.sandbox.world import Campaign, Message, Verdict, verdict

if TYPE_CHECKING:
    from octoplan.sandbox.routee.order import Order
    from octoplan.sandbox.routee.people import People
    from octoplan.sandbox.world import Call, World


def send(call: Call, world: World) -> Verdict:
    """Accept a campaign, or say why not."""
    settings = world.settings
    try:
        order = orders.read(call.content, settings, named=True)
        _check(order, world)
        whom = people(order, world)
        message = _composed(order, whom, world=world)
        _check_balance(message, world)
    except Rejected as rejected:
        return refused(rejected, settings)
    made = Campaign(
        ticket=message.ticket,
        name=order.name,
        login=call.login,
        created=world.now,
        answer=campaign.begun(order, whom, message=message, world=world) | _left_out(order, world),
        groups=whom.groups,
    )
    done = verdict(200, campaign.answer(made, message, settings=settings), outcome="sent")
    return replace(done, message=message, campaign=made)


def analyse(call: Call, world: World) -> Verdict:
    """Answer with what is known of the recipients; nothing follows from it, and it has no price."""
    settings = world.settings
    try:
        order = orders.read(call.content, settings, named=settings.on("routee_analysis_checks_name"))
        _check(order, world)
        whom = people(order, world)
        if settings.on("routee_analysis_checks_balance"):
            _check_balance(_composed(order, whom, world=world), world)
    except Rejected as rejected:
        return refused(rejected, settings)
    return verdict(200, {**whom.analysis, **_left_out(order, world)}, outcome="simulated")


def _check(order: Order, world: World) -> None:
    """Apply the checks that look beyond single fields. Raises Rejected."""
    late = world.settings.text("routee_past_date") == "rejected"
    if late and order.scheduled is not None and order.scheduled <= world.now:
        raise invalid(world.settings, "scheduledDate is over.")
    if order.name is not None and _is_taken(order.name, world):
        raise Rejected(NAME_TAKEN, "The campaign name already exists.", outcome="duplicate")


def _is_taken(name: str, world: World) -> bool:
    settings = world.settings
    if settings.text("routee_name_taken") == "accepted":
        return False
    hours_taken = settings.number("routee_name_taken_hours")
    return any(
        (other.name == name or not settings.on("routee_name_case_matters"))
        and not (other.deleted and settings.text("routee_deleted_name") == "free")
        and (not hours_taken or world.now - other.created < timedelta(hours=hours_taken))
        for other in world.named(name)
    )


def _check_balance(message: Message, world: World) -> None:
    if message.cost > world.balance:
        raise Rejected(BALANCE_TOO_LOW, "Not enough balance.")


def _left_out(order: Order, world: World) -> dict[str, object]:
    """Tell the numbers that were left out, where a switch has that told."""
    if not order.unusable or world.settings.text("routee_invalid_number") != "told":
        return {}
    code = world.settings.text("routee_invalid_code")
    return {"errors": [problem(code, "Invalid recipients.") | {"property": order.unusable}]}


def _composed(order: Order, whom: People, *, world: World) -> Message:
    """Count and price a campaign. Raises Rejected."""
    length = bill.seconds(order, world)
    steps = bill.steps(length, world)
    unit_cost = {where: price * steps for where, price in bill.by_country(whom.addresses, world).items()}
    at = max(order.scheduled or world.now, world.now)
    return Message(
        ticket=str(uuid.uuid4()),
        provider="routee",
        channel="voice",
        campaign=order.name,
        sender=order.sender,
        text=order.said.text,
        content={
            "language": order.said.language,
            "gender": order.said.gender,
            "file_url": order.said.file_url,
            "seconds": length,
            "keys": order.collects,
            "key_wait_seconds": order.pause,
            "ring_seconds": order.hangup_delay,
            "respect_quiet_hours": order.respects_quiet,
            "ignore_dnd": order.ignores_dnd,
            "callback": order.callback,
            "campaign_callback": order.campaign_callback,
        },
        encoding="",
        parts=steps,
        all_parts=steps * len(whom.addresses),
        request_id=order.name,
        send_at=order.scheduled,
        at=at,
        cost=prices.rounded(bill.total(whom.addresses, unit_cost)),
        unit_cost=unit_cost,
        addresses=whom.addresses,
        held=hours.held(order, whom.addresses, at=at, world=world),
    )
