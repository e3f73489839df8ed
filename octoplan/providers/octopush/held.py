"""Campaigns on a list or tag that Octopush holds: create, look, agree, confirm.

Only the confirmation contacts anybody. What is created without it stays a draft, so its answer may be lost
and it is made again under another request id; a confirmation is never repeated, since what the provider says
to a second one nobody documents.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from octoplan.core.errors import InputError
from octoplan.core.model import (
    Agreed,
    Channel,
    Drafted,
    Effect,
    Exchange,
    Outcome,
    Quote,
    Receipt,
    Reply,
    Request,
    Verdict,
    Wait,
)
from octoplan.core.outcome import BAD_REQUEST, TOO_MANY, consult, judge, pause
from octoplan.core.rules import finding
from octoplan.providers.octopush import answers
from octoplan.providers.octopush.held_contract import check_create, check_ticket
from octoplan.providers.octopush.single import OWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from octoplan.core.model import Batch, Campaign, Finding, History, Seen, Step

CALLS: Mapping[Channel, str] = {Channel.SMS: "sms-campaign", Channel.VOICE: "voice-campaign"}
"""The channels that have lists and tags, as their paths begin."""

KINDS = ("list", "tag")

SOONEST, LATEST = 0.25, 15.0
"""Seconds until a draft is looked at again: twice as long each time, up to the latest."""

MOST_LOOKS = 60
"""How often one run looks at a draft: a quarter of an hour. The next run looks on."""

MOST_FAILURES = 5
"""Looks in a row without a usable answer that are followed by another one."""

FAILED = "Octopush could not prepare the campaign"
LOOK_AT_LIST = "look at the list or tag in Octopush's back office, then make a new plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The calls of a channel for one kind of audience, as their paths say."""

    call: str
    kind: str

    def path(self, step: str) -> str:
        """Return the path of a step: create, status, send or cancel."""
        return f"/{self.call}-on-{self.kind}/{step}"


def calls(channel: Channel, kind: str, *, own_tag_paths: bool) -> Held:
    """Return the calls for campaigns on a kind of audience, list or tag.

    The documentation of the `-on-list` calls has `tag_name` among its fields; older pages name `-on-tag` calls.
    """
    return Held(call=CALLS[channel], kind=kind if own_tag_paths else "list")


def check(campaign: Campaign) -> Iterator[Finding]:
    """Yield an error for a list or tag on a channel without such calls."""
    audience = campaign.audience
    if audience.kind in KINDS and campaign.channel not in CALLS:
        channels = " and ".join(CALLS)
        message = f"Octopush sends to a {audience.kind} by {channels} alone"
        hint = f"choose channel {' or '.join(CALLS)}, or name a `file`"
        yield finding("source", message, path=("audience",), value=campaign.channel, limit=channels, hint=hint)


def step(batch: Batch, history: History, *, of: Held) -> Step | Outcome:
    """Return what comes next: the creation, a look at its draft, its figures, the confirmation, or how it ended."""
    agreed = [index for index, item in enumerate(history) if isinstance(item, Agreed)]
    drafted = [item for item in history if isinstance(item, Drafted)]
    if not drafted:
        return _create(batch, history, of=of)
    ticket = drafted[-1].ticket
    if not agreed:
        return _look(history, ticket=ticket, of=of)
    since = history[agreed[-1] + 1 :]
    if since and isinstance(since[-1], Exchange):
        quoted = _quoted(history[: agreed[-1]])
        found = judge(batch, since, read=lambda reply: answers.read_confirmation(reply, ticket=ticket, quoted=quoted))
        return _no_duplicate(found)
    return _ticketed(of.path("send"), Effect.SEND, ticket=ticket)


def simulate(batch: Batch, *, of: Held) -> Request:
    """Return the request that asks whether a campaign could be created: it creates nothing."""
    return _created(batch, Effect.SIMULATE, of=of, simulation_mode=True)


def cancel(ticket: str, *, of: Held) -> Request:
    """Return the request that cancels a draft, or what was confirmed while it has not left."""
    return _ticketed(of.path("cancel"), Effect.CANCEL, ticket=ticket)


def _create(batch: Batch, history: History, *, of: Held) -> Step | Outcome:
    if not (history and isinstance(history[-1], Exchange)):
        return _created(batch, Effect.PREPARE, of=of, request_id=batch.request_id or None)
    found = judge(batch, history, read=answers.read_sent)
    if isinstance(found, Outcome) and found.verdict is Verdict.ACCEPTED and found.receipt:
        return Drafted(ticket=found.receipt.ticket)
    return found


def _created(batch: Batch, effect: Effect, *, of: Held, **last: Any) -> Request:
    campaign = batch.campaign
    audience = campaign.audience
    send_at = campaign.schedule.send_at
    fields: dict[str, Any] = {
        "text": batch.content.text,
        "list_name": audience.list_,
        "tag_name": audience.tag,
        "segmentation": audience.segmentation,
        "send_at": send_at and send_at.isoformat(timespec="seconds"),
        "sender": campaign.sender,
        "auto_remove_blacklisted_numbers": True,
        **OWN[campaign.channel](batch),
    }
    body = _encoded({**fields, **last})
    request = Request(method="POST", path=of.path("create"), effect=effect, body=body)
    return _kept(request, check_create(campaign.channel.value, body))


def _ticketed(path: str, effect: Effect, *, ticket: str) -> Request:
    body = _encoded({"ticket_number": ticket})
    method = "DELETE" if effect is Effect.CANCEL else "POST"
    return _kept(Request(method=method, path=path, effect=effect, body=body), check_ticket(body))


def _encoded(fields: Mapping[str, Any]) -> bytes:
    return orjson.dumps({name: value for name, value in fields.items() if value is not None})


def _kept(request: Request, problems: tuple[Finding, ...]) -> Request:
    """Return a request that keeps the contract of its call."""
    if problems:
        raise InputError(problems)
    return request


def _no_duplicate(found: Wait | Outcome) -> Wait | Outcome:
    """Return what a confirmation came to: its request has no id, so that it was sent before proves nothing of it."""
    if isinstance(found, Outcome) and found.verdict is Verdict.DUPLICATE:
        return Outcome(verdict=Verdict.IN_DOUBT, reason=found.reason)
    return found


def _status(ticket: str, *, of: Held) -> Request:
    path = f"{of.path('status')}?ticket_number={quote(ticket, safe='')}"
    return Request(method="GET", path=path, effect=Effect.READ)


def _look(history: History, *, ticket: str, of: Held) -> Step | Outcome:
    """Return the next look at a draft, or what the last one showed.

    400 is documented as the answer while it is being computed; other errors of the 4xx kind say that there is no
    such draft any more.
    """
    if not isinstance(history[-1], Exchange):
        return _status(ticket, of=of)
    looks = [item.seen for item in history if isinstance(item, Exchange) and item.request.effect is Effect.READ]
    found = consult(looks[-1], answers.read_draft)
    if isinstance(found, Receipt) and found.details["status"] == answers.READY:
        return _figures(found)
    if isinstance(found, Receipt) and found.details["status"] == answers.FAILED:
        return Outcome(verdict=Verdict.REJECTED, reason=FAILED, hint=LOOK_AT_LIST)
    if isinstance(found, Outcome) and _is_final(found, looks):
        return found
    if len(looks) >= MOST_LOOKS:
        still = "Octopush is still preparing the campaign"
        return Outcome(verdict=Verdict.UNREACHABLE, reason=still, hint="nothing was sent; run the same command again")
    limited = looks[-1] if isinstance(looks[-1], Reply) and looks[-1].status == TOO_MANY else None
    seconds = pause(limited.headers) if limited else min(SOONEST * 2 ** (len(looks) - 1), LATEST)
    return Wait(seconds=seconds, reason="Octopush is preparing the campaign")


def _is_final(found: Outcome, looks: Sequence[Seen]) -> bool:
    """Tell whether a look without figures is the last one: another would show the same, or nobody answers."""
    if found.verdict is Verdict.UNREACHABLE:
        return len(looks) > MOST_FAILURES and not any(_is_usable(seen) for seen in looks[-MOST_FAILURES - 1 :])
    return found.verdict is Verdict.REFUSED or not _is_unready(looks[-1])


def _is_usable(seen: Seen) -> bool:
    return _is_unready(seen) or isinstance(consult(seen, answers.read_draft), Receipt)


def _is_unready(seen: Seen) -> bool:
    return isinstance(seen, Reply) and seen.status == BAD_REQUEST


def _figures(receipt: Receipt) -> Quote:
    return Quote(contacts=receipt.contacts or 0, cost=receipt.cost or Decimal(0))


def _quoted(history: History) -> Quote:
    """Return the figures that were agreed to: those of the last look."""
    looks = [item for item in history if isinstance(item, Exchange)]
    found = consult(looks[-1].seen, answers.read_draft)
    if not isinstance(found, Receipt):
        raise TypeError(found)
    return _figures(found)


def evidence(ticket: str, answered: tuple[Exchange, ...], *, of: Held) -> Request | Outcome:
    """Return the look that may prove that nothing was confirmed, or what it showed.

    Only the words for what was not ready prove it. An error does not: what is answered once a campaign was sent
    is not documented.
    """
    if not answered:
        return _status(ticket, of=of)
    found = consult(answered[-1].seen, answers.read_draft)
    if isinstance(found, Receipt) and found.details["status"] in (answers.FAILED, answers.COMPUTING):
        never = "Octopush had not finished preparing it: it was never confirmed"
        return Outcome(verdict=Verdict.REJECTED, reason=never)
    told = found.reason if isinstance(found, Outcome) else f"its status is {found.details['status']}"
    return Outcome(verdict=Verdict.IN_DOUBT, reason=f"Octopush does not say whether it was sent: {told}")
