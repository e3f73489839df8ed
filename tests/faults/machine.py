"""A state machine over everything people and accidents do to a project, against an oracle of plain sets."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from faults import ending, recovery, runner, steps
from faults.points import Strike
from faults.project import Campaign, Person, Project
from faults.schedule import SENDS
from faults.steps import Step
from faults.witness import Witness
from faults.world import ENVIRONMENT, World
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.clock import Clock
    from faults.server import Server

NAMES = ("noel", "rappel")
PEOPLE = 6
MINUTE, HOUR, DAY = 60, 3600, 86400

Whom = st.integers(0, PEOPLE - 1)
Which = st.integers(0, 1)
Back = st.sampled_from((0, 0, 0, 0, 1, 2))


class Broken(AssertionError):
    """A promise was broken, or nobody knows of somebody who is owed a message."""


def _strike(what: str) -> st.SearchStrategy[Strike]:
    kinds = st.sampled_from((("commit",), ("send",), ("receive",), ("connect", "send", "receive"), ("file",)))
    return st.builds(Strike, what=st.just(what), kinds=kinds, at=st.integers(1, 16))


def _faults() -> st.SearchStrategy[tuple[dict[str, Any], ...]]:
    what = st.sampled_from(
        (
            {"fault": "lose-reply"},
            {"fault": "reset-reply", "at": 20},
            {"fault": "refuse"},
            {"fault": "status", "status": 500, "acts": True},
            {"fault": "status", "status": 500, "acts": False},
            {"fault": "status", "status": 429, "acts": False, "retry_after": "1"},
            {"fault": "truncate", "lacks": 30},
        )
    )
    when = st.fixed_dictionaries({"skip": st.integers(0, 1), "times": st.sampled_from((1, 1, None))})
    return st.builds(lambda one, times: ({**one, **SENDS, **times},), what, when)


Kills = st.tuples(_strike("kill"))
Strikes = st.one_of(
    Kills, Kills, st.tuples(st.one_of(*map(_strike, ("SIGTERM", "disk", "freeze", "optout"))))
)
Trouble = st.one_of(
    st.just({}),
    st.just({}),
    st.fixed_dictionaries({"strikes": Strikes}),
    st.fixed_dictionaries({"faults": _faults()}),
)
"""What goes wrong in a run: nothing, a strike at one of its points, or a fault of the wire."""

Campaigns = st.lists(
    st.fixed_dictionaries(
        {
            "people": st.lists(Whom, min_size=1, max_size=4, unique=True),
            "channel": st.sampled_from(("sms", "sms", "sms", "email")),
            "style": st.sampled_from(("own", "common")),
            "new_contacts": st.sampled_from(("skip", "skip", "send")),
            "ahead": st.sampled_from((None, None, None, 30 * MINUTE, DAY)),
        }
    ),
    min_size=1,
    max_size=2,
)


@dataclass(slots=True, kw_only=True)
class Stage:
    """Where examples are played, one after another, and what came of them."""

    server: Server
    clock: Clock
    mutant: Callable[[], None] | None = None
    examples: int = 0
    deliveries: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    codes: Counter[int] = field(default_factory=Counter)
    rests: Counter[str] = field(default_factory=Counter)


class Machine(RuleBasedStateMachine):
    """People plan, apply, edit and decide; runs are struck; ledgers get lost. Every delivery is held against the oracle.

    At the end all is put right, until nobody is owed anything: then the ledger counts as sent exactly those
    whom the oracle does, and whoever is owed a message and has none is named.
    """

    stage: ClassVar[Stage]

    def __init__(self) -> None:
        super().__init__()
        self.witness = Witness()
        self.world = World(
            root=Path(tempfile.mkdtemp(prefix="faults-", dir=runner.memory())),
            server=self.stage.server,
            clock=self.stage.clock,
            project=Project(campaigns=[]),
            seed=1,
            mutant=self.stage.mutant,
        )
        self.mend: Callable[[], None] | None = None
        self.failed = False

    def take(self, name: str, **how: Any) -> None:
        """Take a step of schedules."""
        self.stage.rules[how.get("what", name) if name == "edit" else name] += 1
        steps.take(self.world, Step(name=name, how=how))

    @initialize(campaigns=Campaigns, opted_out=st.lists(Whom, max_size=1), trouble=Trouble)
    def begin(self, *, campaigns: list[dict[str, Any]], opted_out: list[int], trouble: dict[str, Any]) -> None:
        self.stage.examples += 1
        world = self.world
        world.clock.reset()
        world.server.ask("reset")
        for name in ("person", "temporary"):
            (world.root / name).mkdir()
        for name, drawn in zip(NAMES, campaigns, strict=False):
            ahead = drawn.pop("ahead")
            at = None if ahead is None else datetime.now(UTC) + timedelta(seconds=ahead)
            world.project.campaigns.append(Campaign(id=name, file=name, send_at=at, **drawn))
        world.project.opted_out = opted_out
        world.begin()
        world.say(f"  {world.project.campaigns}, opted out {opted_out}")
        world.looks.append(self.witness.look)
        self.plan_and_apply(trouble=trouble)

    @invariant()
    def promises(self) -> None:
        """Nobody twice, nobody unapproved, nobody who opted out or was imported, and no more money than approved."""
        self.check()

    def check(self) -> None:
        broken = [*self.witness.oracle.broken, *self.world.violations]
        if broken:
            self.failed = True
            raise Broken("\n".join([*self.world.trace, *broken]))

    @rule()
    def plan(self) -> None:
        self.take("plan")

    @rule(back=Back, trouble=Trouble)
    def apply(self, *, back: int, trouble: dict[str, Any]) -> None:
        self.take("apply", back=back, **trouble)

    @rule(trouble=Trouble)
    def plan_and_apply(self, *, trouble: dict[str, Any]) -> None:
        self.take("plan")
        self.take("apply", **trouble)

    @rule(back=Back, other=st.integers(0, 1), trouble=Trouble, second=st.one_of(st.just(()), Strikes))
    def two_at_once(
        self, *, back: int, other: int, trouble: dict[str, Any], second: tuple[Strike, ...]
    ) -> None:
        self.take("apply", back=back, other=other, second=second, **trouble)

    @rule(what=st.sampled_from(tuple(steps.EDITS)), campaign=Which, who=Whom)
    def edit(self, *, what: str, campaign: int, who: int) -> None:
        self.take("edit", what=what, campaign=campaign, who=who)

    @rule(who=Whom)
    def opt_out(self, *, who: int) -> None:
        self.take("opt_out", who=who)

    @rule(seconds=st.sampled_from((5 * MINUTE, 13 * MINUTE, HOUR, 25 * HOUR, 8 * DAY)))
    def advance(self, *, seconds: int) -> None:
        self.take("jump", seconds=seconds)

    @rule(amount=st.sampled_from(("0.05", "0.20", "500")))
    def limit(self, *, amount: str) -> None:
        self.take("limit", amount=amount)

    @rule()
    def switch_account(self) -> None:
        self.take("account")

    @rule(trouble=Trouble)
    def resolve(self, *, trouble: dict[str, Any]) -> None:
        self.take("resolve", **trouble)

    @rule(lie=st.sampled_from((False, False, True)), wait=st.booleans())
    def decide(self, *, lie: bool, wait: bool) -> None:
        self.take("decide", lie=lie, wait=wait)

    @rule(campaign=Which, who=Whom)
    def adopt(self, *, campaign: int, who: int) -> None:
        """Import one person; who was in doubt is told, and stays so."""
        self.stage.rules["import"] += 1
        world = self.world
        one = world.project.campaigns[campaign % len(world.project.campaigns)]
        address = Person(who).address(one.channel)
        path = world.root / "import.csv"
        path.write_text(f"{'email' if one.channel == 'email' else 'phone_number'}\n{address}\n", encoding="utf-8")
        words = ("import", one.id, str(path), "--edition", str(one.edition), "--channel", one.channel, "--json")
        ran = world.run("--env", ENVIRONMENT, *words)
        if ran.code == 0 and not json.loads(ran.out)["in_doubt"]:
            self.witness.oracle.adopt((one.id, one.edition), address)

    @precondition(lambda self: self.mend is None)
    @rule(what=st.sampled_from(tuple(steps.TROUBLES)))
    def lose_ledger(self, *, what: str) -> None:
        """Put something wrong with the ledger; what a killed run left half written is rolled back before."""
        self.stage.rules[f"ledger {what}"] += 1
        self.world.run("--env", ENVIRONMENT, "status")
        self.world.say(f"  the ledger: {what}")
        self.mend = steps.TROUBLES[what](self.world)
        self.witness.usable = False

    @precondition(lambda self: self.mend is not None)
    @rule()
    def find_ledger(self) -> None:
        """Put the ledger right again."""
        if self.mend is not None:
            self.world.say("  the ledger is right again")
            self.mend()
        self.mend, self.witness.usable = None, True

    def teardown(self) -> None:
        try:
            if not self.failed and self.world.runs:
                self.rest()
        finally:
            self.stage.deliveries += self.witness.oracle.delivered
            self.stage.codes.update(ran.code for ran in self.world.runs)
            self.world.close()

    def rest(self) -> None:
        """Put everything right, go on until nobody is owed anything, and compare."""
        self.check()
        self.find_ledger()
        for one in self.world.project.campaigns:
            one.present = True
        recovery.recover(self.world)
        self.check()
        self.witness.resolve_beliefs(self.world)
        self.stage.rests += ending.compare(self.world, self.witness.oracle)
        self.check()
