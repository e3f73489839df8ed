"""What was approved, and who did not want it: I2, I5, I6 and I7 over every request that could send."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from faults import book, calls

if TYPE_CHECKING:
    from faults.book import Attempt, Book
    from faults.checker import Evidence
    from faults.saved import Document
    from faults.world import Ran

PRICES = {
    ("octopush", "sms"): (Decimal("0.049"), Decimal("0.01")),
    ("octopush", "voice"): (Decimal("0.035"), Decimal("0.01")),
    ("octopush", "rcs"): (Decimal("0.055"), Decimal("0.01")),
    ("octopush", "email"): (Decimal("0.0009"), Decimal(0)),
    ("routee", "voice"): (Decimal("0.031"), Decimal(0)),
}
"""What a contact and a call cost, by provider and channel: the price books of `project`, written once more."""

SLACK = timedelta(seconds=61)
"""How long after the last look at the clock a request may arrive: its deadline."""

LIES = frozenset({"wire-contacts", "wire-cost"})
"""Faults by which the provider itself counts or charges wrong."""

ZERO = Decimal(0)
WINDOW = timedelta(hours=22)
QUIET = {"12m": timedelta(minutes=12), "2m": timedelta(minutes=2), "30s": timedelta(seconds=30)}


def only_what_was_approved(evidence: Evidence) -> None:
    """I2: each delivered text was in the approved set of the plan whose apply sent it, which was the newest then."""
    world = evidence.world
    for delivery in evidence.deliveries:
        found = evidence.sender(delivery["request_id"])
        if found is None:
            continue
        kept, attempt = found
        batch = kept.batches[attempt.batch]
        document = evidence.plans.get(batch.plan)
        if document is None:
            world.broken("I2", f"{batch.id} was sent under a plan that nobody saved")
            continue
        key = world.key()
        contact = book.held_key(key) if batch.held else book.contact_key(key, delivery["address"])
        entry = book.approved_entry(world.key(), batch.of, contact=contact, content=_content(delivery))
        if entry not in document.entries:
            world.broken("I2", f"somebody of {batch.id} got what was not approved")
        _newest(evidence, kept, attempt=attempt, document=document)


def _content(delivery: dict[str, Any]) -> str:
    """Return what a person got as the approved set counts it: the leaves of the message, in their order."""
    text: str = delivery["text"]
    if delivery["channel"] == "email":
        return f"{text}\0{delivery['content']['subject']}"
    if delivery["channel"] in ("voice_sms", "voice"):
        return f"{text}\0{delivery['content']['language']}"
    return text


def _newest(evidence: Evidence, kept: Book, *, attempt: Attempt, document: Document) -> None:
    """Hold the plans recorded before a claim, in the order of the ledger's events, against the one it was under.

    A request that is repeated may be of an older plan, if the newest one says the same of its edition.
    """
    batch = kept.batches[attempt.batch]
    seen = mine = (document.created_at, document.id)
    for event in kept.events:
        if event.what == "claimed" and event.details == attempt.id:
            break
        other = kept.plans.get(event.details) if event.what == "plan-recorded" else None
        if other and other.covers(batch.campaign):
            seen = max(seen, (datetime.fromisoformat(other.created_at), other.id))
    newest = evidence.plans.get(seen[1])
    if seen == mine or (newest and _is_repeated(kept, attempt) and newest.says_the_same(document, batch.of)):
        return
    evidence.world.broken("I2", f"{attempt.batch} was claimed under a plan that was superseded")


def _is_repeated(kept: Book, attempt: Attempt) -> bool:
    """Tell whether a batch was claimed before, for the very same request."""
    others = (one for one in kept.by_request()[attempt.request_id] if one.batch == attempt.batch)
    return any(one.claimed_at < attempt.claimed_at for one in others)


def only_in_time(evidence: Evidence) -> None:
    """I7 and the deadline: no request outside the campaign's time in its plan, or after its attempt's deadline.

    Of several threads one may have looked at the clock just before another one's stop, so that the
    deadline is exact for one alone; the quiet time is for the others. A strike of one run moves the clock of all
    that run at once.
    """
    world = evidence.world
    for ran in world.runs:
        if world.skewed or world.delayed:
            return
        exact = ran.alone and world.project.workers == 1
        calm = not any(one.strikes for one in world.runs if one.requests == ran.requests and one.began == ran.began)
        for number in ran.requests:
            request = evidence.requests[number]
            identity = sending(request)
            found = evidence.claimed(ran, identity) if identity else None
            if found is None:
                continue
            kept, attempt = found
            batch = kept.batches[attempt.batch]
            at = datetime.fromisoformat(request["at"])
            late = at - datetime.fromisoformat(attempt.deadline)
            if late > timedelta(seconds=1) and exact:
                world.broken("I7", f"a request of {batch.id} came {late} after its deadline")
            document = evidence.plans.get(batch.plan)
            approved = document.campaign(batch.of) if document else None
            if approved and not approved.is_open(at, slack=SLACK) and (exact or calm):
                world.broken("I7", f"a request of {batch.id} left at {at}, not {approved.opens} to {approved.closes}")


def sending(request: dict[str, Any]) -> str | None:
    """Return the request id of a request that could send; None for others."""
    found: str | None = request["identity"]
    return found


def opt_out_wins(evidence: Evidence) -> None:
    """I6: nobody who was on a list when the run began is in a request that it sent; once one changes it stops."""
    for ran in evidence.world.runs:
        _ends_what_it_began(evidence, ran)
        for number in ran.requests:
            request = evidence.requests[number]
            identity = sending(request)
            if identity is None or evidence.claimed(ran, identity) is None:
                continue
            _waits_for_nobody_who_left(evidence, ran, request=request)
            gone = calls.addresses(request) & ran.suppressed
            if gone:
                evidence.world.broken("I6", f"run {ran.number} sent to {len(gone)} who opted out")


def _ends_what_it_began(evidence: Evidence, ran: Ran) -> None:
    """I6: each worker may already have looked at the lists when one changes; after that it claims nothing more."""
    kept = evidence.books.get(ran.home)
    if ran.changed is None or kept is None or not ran.alone:
        return
    claims = (datetime.fromisoformat(attempt.claimed_at) for attempt in kept.attempts.values())
    further = sum(ran.changed < at <= ran.ended for at in claims)
    if further > evidence.world.project.workers:
        evidence.world.broken("I6", f"run {ran.number} claimed {further} batches after somebody had opted out")


def _waits_for_nobody_who_left(evidence: Evidence, ran: Ran, *, request: dict[str, Any]) -> None:
    """I6: whoever waits with a claimed batch looks at the lists again before the request is made once more."""
    if ran.changed is None or not ran.alone or evidence.world.skewed:
        return
    same = [
        evidence.requests[number] for number in ran.requests if evidence.requests[number]["body"] == request["body"]
    ]
    if request is same[0] or len(ran.strikes) > 1:
        return
    if datetime.fromisoformat(request["at"]) - ran.changed >= timedelta(seconds=1):
        evidence.world.broken("I6", f"run {ran.number} waited, somebody opted out, and it asked again")


def doubt_is_closed_by_evidence(evidence: Evidence) -> None:
    """I5: a decision has an actor and a reason, and comes when nothing can be travelling any more."""
    world = evidence.world
    quiet = QUIET[world.project.quiet_time]
    kept = evidence.book
    for event in kept.events:
        if not event.what.startswith("decided-") or event.batch is None:
            continue
        if not event.actor or not event.reason:
            world.broken("I5", f"a decision on {event.batch} names nobody, or no reason")
        claimed = [a.claimed_at for a in kept.attempts.values() if a.batch == event.batch and a.claimed_at <= event.at]
        if event.what == "decided-not-sent" and not world.skewed and claimed:
            since = datetime.fromisoformat(event.at) - datetime.fromisoformat(max(claimed))
            if since < quiet:
                world.broken("I5", f"{event.batch} was declared not sent {since} after its claim")
    _repeats_are_identical(evidence, quiet)


def _repeats_are_identical(evidence: Evidence, quiet: timedelta) -> None:
    """I5: what another run repeats has the same bytes, after the quiet time and while the provider remembers."""
    world = evidence.world
    first: dict[str, tuple[int, dict[str, Any], datetime]] = {}
    for ran in world.runs:
        for number in ran.requests:
            request = evidence.requests[number]
            identity = sending(request)
            found = evidence.claimed(ran, identity) if identity else None
            if identity is None or found is None:
                continue
            claimed = datetime.fromisoformat(found[1].claimed_at)
            where, earlier, since = first.setdefault(identity, (ran.number, request, claimed))
            if where == ran.number and earlier is not request and earlier["outcome"] == "sent" and ran.alone:
                world.broken("I5", f"run {ran.number} repeated a request at once")
            if where == ran.number or not ran.alone or ran.home != world.home:
                continue
            if calls.is_call(request) and len(world.homes) == 1:
                world.broken("I5", f"run {ran.number} repeated a request that has no request id")
            if earlier["body"] != request["body"]:
                world.broken("I5", f"run {ran.number} repeated a request with other bytes")
            age = claimed - since
            if not world.skewed and len(world.homes) == 1 and not quiet <= age <= WINDOW:
                world.broken("I5", f"run {ran.number} repeated a request after {age}")


def charges_are_exact(evidence: Evidence) -> None:
    """I4: what the provider charged stands in the ledger to the last digit."""
    answers = {sending(one): one["answer"] for one in evidence.requests if one["outcome"] == "sent"}
    for attempt in evidence.book.attempts.values():
        answer = answers.get(attempt.request_id)
        if attempt.cost is None or not attempt.ticket or answer is None:
            continue
        told = answer.get("total_cost", answer.get("cost"))
        if (
            told is not None
            and attempt.ticket in answer.values()
            and not evidence.world.priced
            and str(told) != attempt.cost
        ):
            evidence.world.broken("I4", f"{attempt.batch} cost {told}, the ledger has {attempt.cost}")


def a_list_is_within_its_limits(evidence: Evidence) -> None:
    """I2 and I4: what the provider counts of a list is within what the plan says at most, and is what it charged."""
    if LIES & set(evidence.world.trouble):
        return
    got = Counter(one["request_id"] for one in evidence.deliveries)
    for attempt in evidence.book.attempts.values():
        batch = evidence.book.batches[attempt.batch]
        document = evidence.plans.get(batch.plan)
        approved = document.campaign(batch.of) if document else None
        if not batch.held or approved is None or not got[attempt.request_id]:
            continue
        contacts = got[attempt.request_id]
        unit, call = PRICES[approved.provider, approved.channel]
        if contacts > approved.contacts or unit * contacts + call > approved.worst:
            evidence.world.broken("I2", f"{batch.id} reached {contacts}, approved were {approved.contacts}")
        told = (attempt.contacts, attempt.cost and Decimal(attempt.cost))
        if attempt.ticket and told != (contacts, unit * contacts + call):
            evidence.world.broken("I4", f"{batch.id} reached {contacts}, the ledger has {told}")


def estimates_are_exact(evidence: Evidence) -> None:
    """I4: what a plan says it costs is the price book's figures times the contacts, to the last digit."""
    for document in evidence.plans.values():
        for row in document.wanted:
            unit, call = PRICES.get((row.provider, row.channel), (ZERO, ZERO))
            exact = unit * row.contacts + call * row.calls
            if row.channel and row.contacts and row.cost != exact and not row.held:
                evidence.world.broken("I4", f"{row.id} costs {exact}, its plan says {row.cost}")


def nothing_is_told_before_it_is_kept(evidence: Evidence) -> None:
    """Output: a run that cannot print anything sends and records like any other."""
    for ran in evidence.world.runs:
        if not any(strike.what == "mute" for strike in ran.strikes):
            continue
        for number in ran.requests:
            identity = sending(evidence.requests[number])
            found = evidence.claimed(ran, identity) if identity else None
            if found and evidence.requests[number]["outcome"] == "sent" and found[1].state != "accepted":
                evidence.world.broken("output", f"{found[1].batch} was sent, but is not recorded: nobody could be told")


def living_runs_keep_what_they_reserved(evidence: Evidence) -> None:
    """Another plan takes over what a run has reserved only when the run is gone, or the plan's time is over.

    A run that is killed beside another one, or whose disk takes no end of it, is gone before any event says so.
    """
    runs = evidence.world.runs
    if any(strike.what == "week" for ran in runs for strike in ran.strikes):
        return
    if any((ran.killed or any(strike.what == "disk" for strike in ran.strikes)) and not ran.alone for ran in runs):
        return
    for kept in evidence.books.values():
        living: set[str] = set()
        for event in kept.events:
            if event.what == "run-opened" and event.run:
                living.add(event.run)
            elif event.what == "run-closed" and event.run:
                living.discard(event.run)
            elif event.what == "released" and event.reason == "another-plan" and event.batch:
                batch = kept.batches[event.batch]
                if any(kept.runs[run] == batch.plan for run in living):
                    evidence.world.broken("I1", f"{batch.id} was taken from a run that lives")
