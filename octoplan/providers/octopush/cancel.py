"""`DELETE /multi-channel/cancel`: what may be taken back, the request for it, and what its answer means.

Where `channel` and `ticket_number` stand is not documented. The provider's own client sends a body with
the DELETE that cancels a list campaign, so a body it is.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import orjson

from octoplan.core.errors import InputError
from octoplan.core.model import Effect, NotSent, Outcome, Receipt, Reply, Request, Verdict
from octoplan.core.outcome import (
    BAD_REQUEST,
    REQUEST_TIMEOUT,
    SERVER_ERROR,
    TOO_MANY,
    consult,
)
from octoplan.providers.octopush import answers
from octoplan.providers.octopush.body import CHANNELS
from octoplan.providers.octopush.contract import check_cancel

if TYPE_CHECKING:
    from octoplan.core.model import Seen
    from octoplan.providers.provider import Sent

PATH = "/multi-channel/cancel"
MOST_CONTACTS = 2
AHEAD = timedelta(minutes=10)
"""It must be longer than this until it is due."""

CANCELLED = 204
REFUSED = "it may have left, or been cancelled before: look in Octopush's back office"
UNPROVED = "look in Octopush's back office whether it was cancelled"


def cancel(sent: Sent) -> Request | Outcome:
    """Return the request that cancels what was sent, or why Octopush would refuse it."""
    reason = _why_not(sent)
    if reason:
        return Outcome(verdict=Verdict.REJECTED, reason=reason)
    content = orjson.dumps({"channel": CHANNELS[sent.channel], "ticket_number": sent.ticket})
    problems = check_cancel(content)
    if problems:
        raise InputError(problems)
    return Request(method="DELETE", path=PATH, effect=Effect.CANCEL, body=content)


def _why_not(sent: Sent) -> str:
    if sent.ahead is None:
        return "it left at once: only what is scheduled can be cancelled"
    if sent.ahead <= AHEAD:
        return "it is due in ten minutes or less, or has left"
    if sent.contacts > MOST_CONTACTS:
        return f"it has {sent.contacts:,} contacts: Octopush cancels fewer than {MOST_CONTACTS + 1} at once"
    return ""


def read(seen: Seen) -> Outcome:
    """Return what an answer means: 204 alone is ACCEPTED; IN_DOUBT is all that may have been heard."""
    if isinstance(seen, Reply) and seen.status == CANCELLED:
        return Outcome(verdict=Verdict.ACCEPTED)
    found = consult(seen, answers.read_simulation)
    if isinstance(found, Receipt):
        return Outcome(verdict=Verdict.IN_DOUBT, reason="the answer is no 204", hint=UNPROVED)
    status = seen.status if isinstance(seen, Reply) else 0
    if found.verdict is Verdict.REFUSED or isinstance(seen, NotSent) or status == TOO_MANY:
        return found
    if found.verdict is Verdict.REJECTED or (BAD_REQUEST <= status < SERVER_ERROR and status != REQUEST_TIMEOUT):
        return Outcome(verdict=Verdict.REJECTED, reason=found.reason, hint=REFUSED)
    return Outcome(verdict=Verdict.IN_DOUBT, reason=found.reason)
