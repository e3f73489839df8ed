"""The judge: the delivery log is the truth, and every promise is held against it.

It shares no code with octoplan's ledger, keys, plans or workflow: `book` and `saved` read the files by themselves.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from faults import book, calls, consent, saved
from faults.project import CANARIES, Person

if TYPE_CHECKING:
    from pathlib import Path

    from faults.book import Attempt, Batch, Book
    from faults.project import Campaign
    from faults.saved import Document
    from faults.world import Ran, World

DOUBT = 7
RECORDED = "Routee's records have "
"""How an acceptance by the provider's records begins to say so."""

CODES = frozenset({0, 1, 3, 4, 5, 6, 7, 130})
"""The exit codes that a verb of a schedule may end with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything there is at the end."""

    world: World
    deliveries: list[dict[str, Any]]
    requests: list[dict[str, Any]]
    book: Book
    books: dict[Path, Book]
    """All ledgers by the project they are of: those of copies too."""
    plans: dict[str, Document]

    def attempts(self, request_id: str) -> list[tuple[Book, Attempt]]:
        """Return the attempts that any ledger has under a request id."""
        return [
            (one, attempt)
            for one in self.books.values()
            for attempt in one.attempts.values()
            if attempt.request_id == request_id
        ]

    def sender(self, request_id: str) -> tuple[Book, Attempt] | None:
        """Return the attempt that was delivered under a request id: of the ledger whose run sent it."""
        homes = (
            ran.home
            for ran in self.world.runs
            for number in ran.requests
            if self.requests[number]["outcome"] == "sent" and self.requests[number]["identity"] == request_id
        )
        found = self.attempts(request_id)
        of_home = (one for home in homes for one in found if one[0] is self.books.get(home))
        return next(of_home, found[0] if found else None)

    def claimed(self, ran: Ran, request_id: str) -> tuple[Book, Attempt] | None:
        """Return the attempt under a request id that a run made; None where the request only came late."""
        kept = self.books.get(ran.home)
        for attempt in kept.attempts.values() if kept else ():
            at = datetime.fromisoformat(attempt.claimed_at)
            if kept and attempt.request_id == request_id and ran.began <= at <= ran.ended:
                return kept, attempt
        return None


def gather(world: World) -> Evidence | None:
    """Collect what there is; None where the ledger cannot be read."""
    kept = book.read(world.ledger)
    if kept is None:
        world.broken("ledger", "the ledger cannot be read at the end")
        return None
    copies = {home: found for home in world.homes[1:] if (found := book.read(home / "rehearsal.db"))}
    documents = [saved.read(path) for path in world.plans]
    return Evidence(
        world=world,
        deliveries=world.server.deliveries(),
        requests=calls.identified(world.server.requests()),
        book=kept,
        books={world.home: kept, **copies},
        plans={document.id: document for document in documents},
    )


def check(world: World) -> None:
    """Note every broken promise of a schedule that has come to rest."""
    for ran in world.runs:
        check_code(world, ran)
    evidence = gather(world)
    if evidence is None:
        return
    for promise in PROMISES:
        promise(evidence)


def check_code(world: World, ran: Ran) -> None:
    """Exit: a run that was not killed ends with a code that tells a person what to do."""
    if ran.killed and any(strike.what == "kill" for strike in ran.strikes):
        return
    if ran.code not in CODES:
        world.broken("exit", f"run {ran.number} ended {ran.code}: {ran.err[-2000:]}")


def nobody_twice(evidence: Evidence) -> None:
    """I1: each address gets an edition of a campaign once, but for what a person's false word set free."""
    world = evidence.world
    got = Counter((*_edition(evidence, one), one["address"]) for one in evidence.deliveries)
    free = Counter(
        (*evidence.book.batches[lie.batch].of, address)
        for lie in world.decisions
        if not lie.true and not lie.sent and lie.batch in evidence.book.batches
        for address in lie.addresses
    )
    free.update(_elsewhere(evidence))
    for of, times in got.items():
        if times > 1 + free[of]:
            world.broken("I1", f"{of[2]} got {of[0]} #{of[1]} {times} times, {free[of]} of them by a person's doing")
    for one in evidence.books.values():
        held: Counter[tuple[str, int, bytes]] = Counter(
            (*batch.of, key) for batch in one.batches.values() if not batch.free for key in batch.keys
        )
        for (campaign, edition, _), times in held.items():
            if times > 1:
                world.broken("I1", f"somebody is in {times} batches of {campaign} #{edition} at once")


def _elsewhere(evidence: Evidence) -> Counter[tuple[str, int, str]]:
    """Count what copies of the project have sent, once their step was over.

    While both apply the same plan the provider's memory of request ids keeps them apart, and that is
    checked; whoever goes on with both for longer sends twice by their own doing.
    """
    world = evidence.world
    found: Counter[tuple[str, int, str]] = Counter()
    if len(world.homes) == 1:
        return found
    runs = {number: ran for ran in world.runs for number in ran.requests}
    by_edition: dict[tuple[str, int, str], list[Ran]] = {}
    for number, request in enumerate(evidence.requests):
        if request["outcome"] == "sent" and number in runs:
            one = {"request_id": request["identity"], "text": "nothing"}
            reached = (got["address"] for got in evidence.deliveries if got["request_id"] == request["identity"])
            for address in calls.addresses(request) or reached:
                by_edition.setdefault((*_edition(evidence, one), address), []).append(runs[number])
    for of, senders in by_edition.items():
        numbers = [ran.number for ran in senders]
        apart = max(numbers) - min(numbers) > 1 or _is_held(evidence, of[:2])
        if len({ran.home for ran in senders}) > 1 and apart:
            found[of] += sum(ran.home != world.home for ran in senders)
    return found


def _is_held(evidence: Evidence, of: tuple[str, int]) -> bool:
    """Tell whether the provider holds the audience of an edition: no request id keeps two ledgers apart there."""
    return any(batch.held for batch in evidence.book.batches.values() if batch.of == of)


def foreign_is_no_proof(evidence: Evidence) -> None:
    """Foreign: a request id that another ledger has used leaves the batch in doubt, and ends the run with 7.

    Whoever was killed, or had no clear answer, did not hear that it is known; its repetition then proves no more than
    that it was sent.
    """
    world = evidence.world
    first: dict[str, Ran] = {}
    for ran in world.runs if len(world.homes) > 1 else ():
        for number in ran.requests:
            request = evidence.requests[number]
            identity = consent.sending(request)
            if identity is None or request["outcome"] not in ("sent", "duplicate"):
                continue
            sender = first.setdefault(identity, ran)
            if request["outcome"] == "sent" or sender.home == ran.home or _unheard(evidence, ran, identity):
                continue
            if not ran.killed and ran.alone and ran.code != DOUBT:
                world.broken("foreign", f"run {ran.number} met a foreign duplicate and ended {ran.code}")
            found = evidence.claimed(ran, identity)
            if found and found[1].state == "accepted" and not _was_looked_up(found[0], found[1].batch):
                world.broken("foreign", f"{found[1].batch} was sent by another ledger and is taken as ours")


def _unheard(evidence: Evidence, ran: Ran, request_id: str) -> bool:
    """Tell whether an earlier run of the same ledger attempted a request id and was not told that it is known."""
    before = (one for one in evidence.world.runs[: ran.number] if one.home == ran.home)
    attempts = [found for one in before if (found := evidence.claimed(one, request_id))]
    return any(not _heard(kept, attempt.batch) for kept, attempt in attempts)


def _was_looked_up(kept: Book, batch: str) -> bool:
    """Tell whether the provider's records closed a doubt: they say that it was sent, whoever did."""
    return any(event.batch == batch and event.reason.startswith(RECORDED) for event in kept.events)


def _heard(kept: Book, batch: str) -> bool:
    return any(event.batch == batch and event.reason.startswith("foreign duplicate") for event in kept.events)


def _edition(evidence: Evidence, delivery: dict[str, Any]) -> tuple[str, int]:
    """Return what a delivery was for, by its request id; of an unknown one the campaign in its words."""
    found = evidence.sender(delivery["request_id"])
    if found is None:
        return f"unknown {delivery['text'][:7]}", 0
    kept, attempt = found
    return kept.batches[attempt.batch].of


def nothing_lost(evidence: Evidence) -> None:
    """I3: what was delivered is accepted or in doubt, what is not sent was not delivered."""
    world = evidence.world
    by_request: dict[str, set[str]] = {}
    for one in evidence.deliveries:
        by_request.setdefault(one["request_id"], set()).add(one["address"])
    for request_id, addresses in by_request.items():
        found = evidence.attempts(request_id)
        if not found:
            world.broken("I3", f"{len(addresses)} contacts got a message that no ledger has an attempt of")
        sender = evidence.sender(request_id)
        for kept, attempt in [sender] if sender else found:  # another ledger may know that it has not sent it
            batch = kept.batches[attempt.batch]
            if batch.free and not _said(evidence, batch, true=False):
                world.broken("I3", f"{batch.id} was delivered under {request_id} and is {batch.state}")
    for batch in evidence.book.batches.values():
        _accepted_is_delivered(evidence, batch, by_request=by_request)


def _said(evidence: Evidence, batch: Batch, *, true: bool) -> bool:
    return any(one.batch == batch.id and one.true is true for one in evidence.world.decisions)


def _accepted_is_delivered(evidence: Evidence, batch: Batch, *, by_request: dict[str, set[str]]) -> None:
    if batch.state != "accepted" or _said(evidence, batch, true=False):
        return
    ids = {one.request_id for one in evidence.book.attempts.values() if one.batch == batch.id}
    if not any(_was_sent(evidence, one) for one in ids):
        evidence.world.broken("I3", f"{batch.id} is accepted, and the provider never sent it")
    if batch.held:
        return
    key = evidence.world.key()
    reached = {book.contact_key(key, address) for one in ids for address in by_request.get(one, ())}
    if reached - batch.keys:
        evidence.world.broken("I3", f"{batch.id} reached people who are not in it")


def _was_sent(evidence: Evidence, request_id: str) -> bool:
    return any(one["outcome"] == "sent" and one["identity"] == request_id for one in evidence.requests)


def plans_send_nothing(evidence: Evidence) -> None:
    """I10: what reaches the provider while octoplan plans, asks or decides sends nothing."""
    harmless = {"plan", "status", "ledger"}
    for ran in evidence.world.runs:
        if ran.verb not in harmless or not ran.alone:
            continue
        for number in ran.requests:
            request = evidence.requests[number]
            if calls.may_send(request) and not _was_claimed(evidence, request, before=ran):
                evidence.world.broken("I10", f"run {ran.number} planned, and request {number} sends")


def _was_claimed(evidence: Evidence, request: dict[str, Any], *, before: Ran) -> bool:
    """Tell whether a request is an earlier run's that came late: somebody who was killed had sent it."""
    if calls.is_creation(request):
        asked = (one.drafts.get(calls.fields(request).get("request_id", "")) for one in evidence.books.values())
        return any(datetime.fromisoformat(at) < before.began for at in asked if at)
    attempts = evidence.attempts(consent.sending(request) or "")
    return any(datetime.fromisoformat(attempt.claimed_at) < before.began for _, attempt in attempts)


def nobody_is_forgotten(evidence: Evidence) -> None:
    """I3: at rest, whoever is on a list and has not opted out has got the message, or the ledger says why not."""
    world = evidence.world
    if not world.plans:
        return
    last = saved.read(world.plans[-1])
    got = {(*_edition(evidence, one), one["address"]) for one in evidence.deliveries}
    for campaign in world.project.campaigns:
        row = last.campaign((campaign.id, campaign.edition))
        if (
            not campaign.present
            or row is None
            or row.action != "none"
            or (row.closes or last.created_at) < last.created_at
        ):
            continue
        for number in campaign.people:
            address = Person(number).address(campaign.channel)
            if address in world.project.suppressed() or (*row.of, address) in got:
                continue
            if not _is_explained(evidence.book, campaign, key=book.contact_key(world.key(), address)):
                world.broken("I3", f"person {number} is owed {campaign.id} #{campaign.edition}, and nothing says so")


def _is_explained(kept: Book, campaign: Campaign, *, key: bytes) -> bool:
    """Tell whether somebody is held or rejected, or joined an edition that had begun and takes nobody in."""
    batches = [batch for batch in kept.batches.values() if batch.of == (campaign.id, campaign.edition)]
    if campaign.held:  # whoever joined a list that was sent is not sent it
        return any(not batch.free or batch.rejected for batch in batches)
    if not any(key in batch.keys for batch in batches):
        return campaign.new_contacts == "skip" and any(batch.attempt for batch in batches)
    return any(key in batch.keys and (not batch.free or batch.rejected) for batch in batches)


def leaves_no_trace(evidence: Evidence) -> None:
    """I9: no file but the people's own lists holds an address, or a value of somebody."""
    root = evidence.world.root
    for path in sorted(root.rglob("*")):
        if not path.is_file() or path.parent.name == "audiences":
            continue
        contents = [path.read_bytes()]
        if path.suffix == ".plan":
            contents.append(saved.read(path).text.encode())
        if any(one in content for one in CANARIES for content in contents):
            evidence.world.broken("I9", f"{path.relative_to(root)} tells who somebody is, or a value of theirs")


PROMISES = (
    nobody_twice,
    foreign_is_no_proof,
    nothing_lost,
    nobody_is_forgotten,
    plans_send_nothing,
    leaves_no_trace,
    consent.only_what_was_approved,
    consent.only_in_time,
    consent.opt_out_wins,
    consent.doubt_is_closed_by_evidence,
    consent.charges_are_exact,
    consent.estimates_are_exact,
    consent.a_list_is_within_its_limits,
    consent.nothing_is_told_before_it_is_kept,
    consent.living_runs_keep_what_they_reserved,
)
