"""Random histories of one edition against an oracle of plain sets."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from decimal import Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from ledgers import REJECTED, SENT, UNKNOWN, UNREACHABLE, World, people, quick_folder

from octoplan.core.errors import Stale, Unfinished
from octoplan.ledger import FREE, HELD, BatchState, Settlement

EVERYBODY = range(1, 13)
OUTCOMES = st.sampled_from((SENT, UNKNOWN, REJECTED, UNREACHABLE))


class Histories(RuleBasedStateMachine):
    """Runs come and go, plans replace each other, and whoever may have been reached is never forgotten.

    `reached` holds whom a message may have reached; only a definite answer or a person takes one out.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stack = contextlib.ExitStack()
        self.world = World(self.stack.enter_context(quick_folder()) / "ledger.db")
        self.plans = 0
        self.runs: dict[str, str] = {}
        self.open: dict[str, tuple[str, str]] = {}
        self.reached: dict[str, set[int]] = {}
        self.ever: set[int] = set()

    def teardown(self) -> None:
        assert self.world.ledger.check() == ()
        self.world.ledger.close()
        self.stack.close()

    @initialize()
    def begin(self) -> None:
        self.apply_a_new_plan()

    @rule()
    def apply_a_new_plan(self) -> None:
        self.plans += 1
        self.world.clock.advance(seconds=1)
        plan = f"p{self.plans}"
        self.runs[self.world.plan(plan, worst="1000", until=self.world.clock() + timedelta(hours=1))] = plan

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def apply_a_plan_again(self, data: st.DataObject) -> None:
        plan = data.draw(st.sampled_from(sorted(set(self.runs.values()))))
        self.runs[self.world.ledger.open_run(plan)] = plan

    @precondition(lambda self: self.runs)
    @rule(data=st.data(), size=st.integers(1, 4), stale=st.booleans())
    def reserve(self, data: st.DataObject, size: int, stale: bool) -> None:  # noqa: FBT001  drawn by name
        run = data.draw(st.sampled_from(list(self.runs)))
        wanted = sorted(data.draw(st.sets(st.sampled_from(EVERYBODY), min_size=1)))
        batches = [tuple(wanted[start : start + size]) for start in range(0, len(wanted), size)]
        plan = self.runs[run]
        version = max(0, self.world.ledger.edition("noel", 1).version - stale)
        try:
            rows = self.world.reserve(run, plan, *batches, version=version)
        except (Stale, Unfinished):
            return
        reserved = [person for row in rows for person in people(row.keys)]
        assert len(set(reserved)) == len(reserved)
        assert not set(reserved) & self.in_reach()
        assert plan == f"p{self.plans}"
        self.ever |= set(reserved)

    @precondition(lambda self: self.runs)
    @rule(data=st.data(), drop=st.booleans())
    def claim(self, data: st.DataObject, drop: bool) -> None:  # noqa: FBT001  drawn by name
        edition = self.world.ledger.edition("noel", 1)
        reserved = [row.id for row in edition.batches if row.state is BatchState.RESERVED]
        if not reserved:
            return
        batch, run = data.draw(st.sampled_from(reserved)), data.draw(st.sampled_from(list(self.runs)))
        members = people(self.world.ledger._read_keys((batch,)))
        dropped = members[:1] if drop else []
        try:
            attempt = self.world.claim(run, batch, *dropped)
        except Stale:
            return
        assert (attempt is None) == (members == dropped)
        if attempt:
            reached = set(members) - set(dropped)
            assert not reached & self.in_reach()
            self.open[attempt] = (batch, run)
            self.reached[batch] = reached

    @precondition(lambda self: self.open)
    @rule(data=st.data(), outcome=OUTCOMES)
    def settle(self, data: st.DataObject, outcome: Settlement) -> None:
        attempt = data.draw(st.sampled_from(list(self.open)))
        batch, _run = self.open.pop(attempt)
        assert self.world.ledger.settle(attempt, outcome) == 0
        if outcome.state is BatchState.NOT_SENT:
            del self.reached[batch]

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        gone = data.draw(st.sampled_from(list(self.runs)))
        del self.runs[gone]
        self.open = {attempt: (batch, run) for attempt, (batch, run) in self.open.items() if run != gone}
        self.world.ledger._write(lambda tx: tx.change("UPDATE runs SET process_started = '1' WHERE id = ?", gone))

    @rule(data=st.data(), sent=st.booleans())
    def decide(self, data: st.DataObject, sent: bool) -> None:  # noqa: FBT001  drawn by name
        doubtful = [row.id for row in self.world.ledger.in_doubt()]
        if not doubtful:
            return
        batch = data.draw(st.sampled_from(doubtful))
        self.world.ledger.decide(batch, sent=sent, actor="ada", reason="seen", quiet=timedelta(0))
        if not sent:
            del self.reached[batch]

    @rule(data=st.data())
    def adopt(self, data: st.DataObject) -> None:
        wanted = data.draw(st.sets(st.sampled_from(EVERYBODY), min_size=1))
        before = self.in_reach()
        try:
            told = self.world.adopt(*wanted)
        except Unfinished:
            assert self.runs
            return
        assert (told.contacts, told.known) == (len(wanted - before), len(wanted & before))
        newest = self.world.ledger.edition("noel", 1).batches[-1:]
        if wanted - before:
            self.reached[newest[0].id] = wanted - before
        self.ever |= wanted

    @rule()
    def let_the_plans_time_pass(self) -> None:
        self.world.clock.advance(hours=2)

    @rule()
    def restart(self) -> None:
        self.world.ledger.close()
        self.world.ledger = self.world.reopened()

    def in_reach(self) -> set[int]:
        return {person for batch in self.reached.values() for person in batch}

    @invariant()
    def nobody_twice_and_nobody_lost(self) -> None:
        edition = self.world.ledger.edition("noel", 1)
        holding = tuple(row.id for row in edition.batches if row.state not in FREE)
        keys = people(self.world.ledger._read_keys(holding))
        assert len(set(keys)) == len(keys)
        assert sorted(people(edition.held())) == sorted(self.in_reach())
        assert set(people(edition.members())) == self.ever
        assert edition.is_settled == (edition.closed and self.in_reach() == self.ever)
        at_stake = [row.charged or row.worst for row in edition.batches if row.state in HELD]
        assert sum(at_stake, start=Decimal(0)) <= Decimal(1000)


Histories.TestCase.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestHistories = Histories.TestCase
