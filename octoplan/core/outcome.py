"""What an answer means for a batch: one table, tried from the top; whatever no row knows is in doubt.

`judge` is for requests that send, `consult` for those that only ask. Both are functions of what was
asked and answered, so any row can be tried in a test by writing the exchange down.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from octoplan.core.model import (
    Doubted,
    Exchange,
    NotSent,
    Outcome,
    Receipt,
    Reply,
    Unknown,
    Verdict,
    Wait,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from octoplan.core.model import Batch, History, Seen

RETRIES = 5
"""Connections tried again after the first one failed."""

RATE_LIMITS = 10
"""Rate-limit answers waited for; a provider that goes on limiting must not hold a run for ever."""

SHORTEST_WAIT, USUAL_WAIT, LONGEST_WAIT = 1.0, 30.0, 900.0
"""Seconds: what a `Retry-After` is clamped to, and what its absence means."""

OK, REDIRECT, BAD_REQUEST, SERVER_ERROR = 200, 300, 400, 500
DENIED = (401, 403)
NOT_FOUND = 404
REQUEST_TIMEOUT, TOO_MANY = 408, 429


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a provider reads in a whole reply, whatever its status line says.

    `receipt`: the body proves acceptance. `duplicate`: it says that the request id is known.
    `rejected`: it has the shape of a documented rejection; `stops` if every other batch would meet
    the same. `reason` and `hint` are our own words: the provider's may quote a contact. `ticket` is named by a reply
    that proves nothing else: what became of the request can be looked up by it.
    """

    receipt: Receipt | None = None
    duplicate: bool = False
    rejected: bool = False
    stops: bool = False
    reason: str = ""
    hint: str = ""
    ticket: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What to do about a cancel that was refused, and about one whose answer proves nothing, for a reason."""

    refused: str
    unproved: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """The last exchange, and how many before it met the same obstacle. `status` 0: no whole reply."""

    seen: Seen
    status: int
    headers: Mapping[str, str]
    answer: Answer
    unreached: int = 0
    limited: int = 0


def judge(batch: Batch, history: History, *, read: Callable[[Reply], Answer]) -> Outcome | Wait:
    """Return what the last exchange of `history` means for `batch`.

    After an earlier attempt or exchange left the batch in doubt, only acceptance or a duplicate closes it.
    """
    exchanges = [step for step in history if isinstance(step, Exchange)]
    cases = [_case(exchange.seen, read) for exchange in exchanges]
    last = replace(
        cases[-1],
        unreached=sum(isinstance(case.seen, NotSent) for case in cases[:-1]),
        limited=sum(case.status == TOO_MANY for case in cases[:-1]),
    )
    found = _first(last)
    if isinstance(found, Outcome) and found.verdict is Verdict.ACCEPTED:
        return _compare(batch, found)
    if isinstance(found, Outcome) and found.verdict is Verdict.DUPLICATE:
        return found
    if any(isinstance(step, Doubted) for step in history) or any(_leaves_doubt(case) for case in cases[:-1]):
        return Outcome(verdict=Verdict.IN_DOUBT, reason=f"an earlier attempt is in doubt; this one: {found.reason}")
    return found


def consult(seen: Seen, read: Callable[[Reply], Answer]) -> Receipt | Outcome:
    """Return the figures that answer a request that sends nothing, or why there is none.

    Asking again is harmless, so there is no doubt: REFUSED (the credentials), REJECTED (what was
    asked) or UNREACHABLE.
    """
    case = _case(seen, read)
    found = _denied(case)
    if found:
        return found
    if OK <= case.status < REDIRECT and case.answer.receipt:
        return case.answer.receipt
    if OK <= case.status < SERVER_ERROR and case.status != TOO_MANY and case.answer.rejected:
        return Outcome(verdict=Verdict.REJECTED, reason=case.answer.reason, hint=case.answer.hint)
    return Outcome(verdict=Verdict.UNREACHABLE, reason=_words(case))


def revoked(seen: Seen, read: Callable[[Reply], Answer], *, proof: Callable[[Reply], bool], hints: Hints) -> Outcome:
    """Return what the answer to a cancel means: what is a `proof` is ACCEPTED, what says that it was refused REJECTED.

    IN_DOUBT is all that may have been heard.
    """
    if isinstance(seen, Reply) and proof(seen):
        return Outcome(verdict=Verdict.ACCEPTED)
    found = consult(seen, read)
    if isinstance(found, Receipt):
        return Outcome(verdict=Verdict.IN_DOUBT, reason=hints.reason, hint=hints.unproved)
    status = seen.status if isinstance(seen, Reply) else 0
    if found.verdict is Verdict.REFUSED or isinstance(seen, NotSent) or status == TOO_MANY:
        return found
    if found.verdict is Verdict.REJECTED or (BAD_REQUEST <= status < SERVER_ERROR and status != REQUEST_TIMEOUT):
        return Outcome(verdict=Verdict.REJECTED, reason=found.reason, hint=hints.refused)
    return Outcome(verdict=Verdict.IN_DOUBT, reason=found.reason)


def pause(headers: Mapping[str, str]) -> float:
    """Return the seconds a 429 asks for: `Retry-After` as seconds, or as a date against the reply's own `Date`."""
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]+", text):
        return _clamp(float(text[:9]))
    until, now = _date(text), _date(headers.get("date", ""))
    return _clamp((until - now).total_seconds()) if until and now else USUAL_WAIT


def told_at(seen: Seen) -> datetime | None:
    """Return the moment a reply says it was made at, by its `Date`; None without a usable one."""
    return _date(seen.headers.get("date", "")) if isinstance(seen, Reply) else None


def _case(seen: Seen, read: Callable[[Reply], Answer]) -> _Case:
    if isinstance(seen, Reply):
        return _Case(seen=seen, status=seen.status, headers=seen.headers, answer=read(seen))
    return _Case(seen=seen, status=0, headers={}, answer=Answer())


def _first(case: _Case) -> Outcome | Wait:
    for row in ROWS:
        found = row(case)
        if found is not None:
            return found
    ticket = case.answer.ticket
    return Outcome(verdict=Verdict.IN_DOUBT, reason=_words(case), receipt=Receipt(ticket=ticket) if ticket else None)


def _words(case: _Case) -> str:
    if not isinstance(case.seen, Reply):
        return case.seen.reason
    return f"HTTP {case.status}: {case.answer.reason}" if case.answer.reason else f"HTTP {case.status}"


def _unreached(case: _Case) -> Outcome | Wait | None:
    if not isinstance(case.seen, NotSent):
        return None
    if case.unreached >= RETRIES:
        return Outcome(
            verdict=Verdict.UNREACHABLE,
            reason=case.seen.reason,
            hint="nothing was sent; check the network, then run the same command again",
        )
    return Wait(seconds=2.0**case.unreached, reason=case.seen.reason)


def _lost(case: _Case) -> Outcome | None:
    return Outcome(verdict=Verdict.IN_DOUBT, reason=_words(case)) if isinstance(case.seen, Unknown) else None


def _duplicate(case: _Case) -> Outcome | None:
    if not case.answer.duplicate:
        return None
    return Outcome(verdict=Verdict.DUPLICATE, reason=case.answer.reason, receipt=Receipt(ticket=""))


def _denied(case: _Case) -> Outcome | None:
    if case.status not in DENIED:
        return None
    return Outcome(
        verdict=Verdict.REFUSED,
        reason=f"HTTP {case.status}: the provider refuses these credentials",
        hint="check the provider's credentials in octoplan.yaml and in the environment",
    )


def _limited(case: _Case) -> Outcome | Wait | None:
    if case.status != TOO_MANY:
        return None
    if case.limited >= RATE_LIMITS:
        return Outcome(
            verdict=Verdict.UNREACHABLE,
            reason="HTTP 429: the provider goes on limiting the rate",
            hint="run the same command again later, or lower `rate` and `workers`",
        )
    return Wait(seconds=pause(case.headers), reason="HTTP 429: the provider limits the rate")


def _uncertain(case: _Case) -> Outcome | None:
    if case.status != REQUEST_TIMEOUT and not REDIRECT <= case.status < BAD_REQUEST and case.status < SERVER_ERROR:
        return None
    return Outcome(verdict=Verdict.IN_DOUBT, reason=_words(case))


def _rejected(case: _Case) -> Outcome | None:
    if not BAD_REQUEST <= case.status < SERVER_ERROR or not case.answer.rejected:
        return None
    verdict = Verdict.REFUSED if case.answer.stops else Verdict.REJECTED
    return Outcome(verdict=verdict, reason=case.answer.reason, hint=case.answer.hint)


def _accepted(case: _Case) -> Outcome | None:
    if not OK <= case.status < REDIRECT or case.answer.receipt is None:
        return None
    return Outcome(verdict=Verdict.ACCEPTED, receipt=case.answer.receipt)


ROWS: tuple[Callable[[_Case], Outcome | Wait | None], ...] = (
    _unreached,
    _lost,
    _duplicate,
    _denied,
    _limited,
    _uncertain,
    _rejected,
    _accepted,
)


def _leaves_doubt(case: _Case) -> bool:
    found = _first(case)
    return isinstance(found, Outcome) and found.verdict is Verdict.IN_DOUBT


def _compare(batch: Batch, accepted: Outcome) -> Outcome:
    """Name as excess what goes beyond the reservation."""
    receipt = accepted.receipt or Receipt(ticket="")
    reserved, excess = batch.contacts, []
    if receipt.contacts is not None and receipt.contacts > reserved:
        given = "approved" if batch.campaign.audience.held else "sent"
        excess.append(f"{receipt.contacts} contacts accepted, {reserved} {given}")
    if receipt.cost is not None and receipt.cost > batch.worst:
        excess.append(f"{receipt.cost} {batch.currency} charged, {batch.worst} reserved")
    return replace(accepted, receipt=receipt, excess="; ".join(excess))


def _clamp(seconds: float) -> float:
    return min(max(seconds, SHORTEST_WAIT), LONGEST_WAIT)


def _date(text: str) -> datetime | None:
    """Read an HTTP date; one without a zone is GMT, as HTTP says. A zone beyond any range overflows the parser."""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
