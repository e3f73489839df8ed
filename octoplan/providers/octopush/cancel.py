"""The calls that cancel: what may be taken back, the request for it, and what its answer means.

What one of the channels' own calls has sent is cancelled by that channel's own, under the same limits. Where
`channel` and `ticket_number` stand is not documented. The provider's own client sends a body with the DELETE that
cancels a list campaign, so a body it is.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import orjson

from octoplan.core.errors import InputError
from octoplan.core.model import Channel, Effect, Outcome, Request, Verdict
from octoplan.core.outcome import Hints, revoked
from octoplan.providers.octopush import answers
from octoplan.providers.octopush.answers import SINGLE
from octoplan.providers.octopush.body import CHANNELS
from octoplan.providers.octopush.contract import check_cancel
from octoplan.providers.provider import left_at_once

if TYPE_CHECKING:
    from collections.abc import Mapping

    from octoplan.core.model import Seen
    from octoplan.providers.provider import Sent

PATH = "/multi-channel/cancel"
OWN_PATHS: Mapping[Channel, str] = {Channel.SMS: "/sms-campaign/cancel", Channel.VOICE: "/voice-campaign/cancel"}
MOST_CONTACTS = 2
AHEAD = timedelta(minutes=10)
"""It must be longer than this until it is due."""

CANCELLED = 204
HINTS = Hints(
    refused="it may have left, or been cancelled before: look in Octopush's back office",
    unproved="look in Octopush's back office whether it was cancelled",
    reason="the answer is no 204",
)


def cancel(sent: Sent) -> Request | Outcome:
    """Return the request that cancels what was sent, or why Octopush would refuse it."""
    refused = left_at_once(sent) or _too_late(sent)
    if refused:
        return refused
    single = SINGLE.items() <= sent.details.items()
    channel = {} if single else {"channel": CHANNELS[sent.channel]}
    content = orjson.dumps({**channel, "ticket_number": sent.ticket})
    problems = check_cancel(content, single=single)
    if problems:
        raise InputError(problems)
    path = OWN_PATHS[sent.channel] if single else PATH
    return Request(method="DELETE", path=path, effect=Effect.CANCEL, body=content)


def _too_late(sent: Sent) -> Outcome | None:
    if sent.ahead is not None and sent.ahead <= AHEAD:
        return _refused("it is due in ten minutes or less, or has left")
    if sent.contacts > MOST_CONTACTS:
        return _refused(f"it has {sent.contacts:,} contacts: Octopush cancels fewer than {MOST_CONTACTS + 1} at once")
    return None


def _refused(reason: str) -> Outcome:
    return Outcome(verdict=Verdict.REJECTED, reason=reason)


def read(seen: Seen) -> Outcome:
    """Return what an answer means: 204 alone is ACCEPTED; IN_DOUBT is all that may have been heard."""
    return revoked(seen, answers.read_simulation, proof=lambda reply: reply.status == CANCELLED, hints=HINTS)
