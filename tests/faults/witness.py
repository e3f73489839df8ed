"""What the oracle is told after every run: who approved, who decided, and what the provider delivered meanwhile."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faults import book, checker, saved
from faults.oracle import Approval, Delivery, Moment, Oracle
from faults.project import Person

if TYPE_CHECKING:
    from faults.oracle import Line, Of
    from faults.world import Decision, Ran, World

PATIENCE = 10.0
"""Real seconds within which the sandbox has dealt with everything that was sent to it."""

_CAMPAIGN = re.compile(r"ACME ([A-Z])[0-9]+:")
_CONNECTED = ("01", "08")
"""As the system counts: established, or closed by the other side alone."""


@dataclass(slots=True, kw_only=True)
class Witness:
    """Watches a world and tells the oracle. `usable`: whether the ledger is as it should be."""

    oracle: Oracle = field(default_factory=Oracle)
    approvals: dict[Path, Approval] = field(default_factory=dict)
    usable: bool = True
    runs: int = 0
    requests: int = 0
    deliveries: int = 0
    decisions: int = 0
    believed: list[Decision] = field(default_factory=list)
    """False words that somebody was sent it, of whom only the ledger knows who they are."""

    def look(self, world: World) -> None:
        """Tell of the runs since it looked last, which were at the same time."""
        ran, self.runs = world.runs[self.runs :], len(world.runs)
        settle(world.server.url)
        self._hear(world.decisions)
        for one in ran:
            if world.mutant is None:  # a mutant is caught by what it does, not by how it breaks
                checker.check_code(world, one)
            if one.verb == "plan":
                self._approve(world, Path(one.words[-1]))
        play = tuple(approval for one in ran for approval in self._play(one))
        for approval in play:
            self.oracle.apply(approval)
        deliveries, costs = self._delivered(world)
        self.oracle.judge(self._moment(world, ran, play=play), deliveries, costs=costs)

    def _hear(self, decisions: list[Decision]) -> None:
        for one in decisions[self.decisions :]:
            if not one.true and one.sent:
                self.believed.append(one)
            elif not one.true:
                self.oracle.believe(_of(one), one.addresses, sent=False)
        self.decisions = len(decisions)

    def resolve_beliefs(self, world: World) -> None:
        """Tell of false words that somebody was sent it, once the ledger can be read."""
        kept = book.read(world.ledger)
        for one in self.believed if kept else ():
            key = world.key()
            keys = kept.batches[one.batch].keys if kept else frozenset()
            everybody = {address for number in range(100) for address in _addresses(number)}
            people = {address for address in everybody if book.contact_key(key, address) in keys}
            self.oracle.believe(_of(one), people, sent=True)
        self.believed = []

    def _approve(self, world: World, path: Path) -> None:
        """Note what a saved plan approves: the people and texts as the files have them, the rest as it shows them."""
        if not path.exists():
            return
        document = saved.read(path)
        self.approvals[path] = Approval(
            index=len(self.approvals),
            login=world.login,
            limit=world.project.max_cost,
            lines=self._lines(world),
            worst={one.of: one.worst for one in document.campaigns},
            times={one.of: (one.opens, one.closes) for one in document.campaigns},
            approvable=document.approvable,
        )

    def _lines(self, world: World) -> dict[Of, frozenset[Line]]:
        suppressed = world.project.suppressed()
        found = {}
        for one in world.project.campaigns:
            of = (one.id, one.edition)
            lines = {(Person(number).address(one.channel), one.said(number)) for number in one.people}
            gone = suppressed | self.oracle.held[of]
            found[of] = frozenset(line for line in lines if line[0] not in gone) if one.present else frozenset()
        return found

    def _play(self, ran: Ran) -> tuple[Approval, ...]:
        """Return the approvals under which a run may send."""
        if ran.verb == "resolve":
            return tuple(self.oracle.applied)
        return (self.approvals[ran.plan],) if ran.plan else ()

    def _delivered(self, world: World) -> tuple[list[Delivery], dict[Of, Decimal]]:
        """Return what was delivered since it looked last, and what the provider charged."""
        rows = world.server.ask(f"deliveries?limit=100000&offset={self.deliveries}")["deliveries"]
        self.deliveries += len(rows)
        deliveries = [Delivery(of=_named(world, row["text"]), address=row["address"], text=row["text"]) for row in rows]
        requests = world.server.requests(self.requests)
        self.requests += len(requests)
        costs: defaultdict[Of, Decimal] = defaultdict(Decimal)
        for request in requests:
            if request["outcome"] == "sent":
                costs[_named(world, request["body"])] += _charged(request)
        return deliveries, dict(costs)

    def _moment(self, world: World, ran: list[Ran], *, play: tuple[Approval, ...]) -> Moment:
        campaigns = world.project.campaigns
        return Moment(
            began=ran[0].began,
            ended=ran[0].ended,
            login=world.login,
            limit=world.project.max_cost,
            opted_out=ran[0].suppressed,
            present=frozenset((one.id, one.edition) for one in campaigns if one.present),
            joinable=frozenset(one.id for one in campaigns if one.new_contacts == "send"),
            play=play,
            repeats=any(one.verb == "resolve" for one in ran),
            usable=self.usable,
        )


def settle(url: str) -> None:
    """Wait until the sandbox has let go of every connection but ours: what a killed run sent has arrived by then."""
    port = f":{int(url.rpartition(':')[2]):04X}"
    ends = time.monotonic() + PATIENCE
    while True:
        lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
        rows = [line.split() for line in lines]
        if sum(row[1].endswith(port) and row[3] in _CONNECTED for row in rows) <= 1:
            return
        if time.monotonic() > ends:
            raise TimeoutError("the sandbox is still busy")
        time.sleep(0.001)


def _of(decision: Decision) -> Of:
    campaign, edition, _ = decision.batch.rsplit("/", 2)
    return campaign, int(edition)


def _addresses(number: int) -> tuple[str, str]:
    return Person(number).phone, Person(number).mail


def _named(world: World, text: str) -> Of:
    """Return what a text is of: its campaign by its letter, in the edition that the files have it in."""
    found = _CAMPAIGN.search(text)
    (one,) = [one for one in world.project.campaigns if found and one.id[0].upper() == found[1]]
    return one.id, one.edition


def _charged(request: dict[str, Any]) -> Decimal:
    return Decimal(str(request["answer"]["total_cost"]))
