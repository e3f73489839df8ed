"""A state machine over everything people and accidents do to a project, held against an oracle of plain sets."""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from faults import book, child, ending, runner, steps
from faults.patch import put
from faults.points import Strike
from faults.project import Campaign, Person, Project
from faults.steps import Step
from faults.stories import SENDS
from faults.witness import Witness
from faults.world import ENVIRONMENT, World
from octoplan.workflow import ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.clock import Clock
    from faults.server import Server

NAMES = ("noel", "rappel")
PEOPLE = 6
MINUTE, HOUR, DAY = 60, 3600, 86400

WHERE: dict[tuple[str, ...], int] = {
    ("commit",): 20,
    ("send",): 6,
    ("receive",): 6,
    ("connect", "send"): 8,
    ("file",): 6,
}
"""Where runs are struck, and about how many such points an apply of this size has."""


LOST = tuple(what for what in steps.TROUBLES if what != "restored")


class Broken(AssertionError):
    """A promise was broken, or somebody is owed a message and nothing says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Then:
    """What people do after a change: perhaps plan, then apply the plans so many `back`, the last with `trouble`."""

    plans: bool
    backs: tuple[int, ...] = ()
    trouble: dict[str, Any] = field(default_factory=dict)


def _strike(what: str) -> st.SearchStrategy[Strike]:
    return st.sampled_from(tuple(WHERE)).flatmap(
        lambda kinds: st.builds(Strike, what=st.just(what), kinds=st.just(kinds), at=st.integers(1, WHERE[kinds]))
    )


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


Whom = st.integers(0, PEOPLE - 1)
Which = st.integers(0, len(NAMES) - 1)
Back = st.sampled_from((0, 0, 0, 1, 2))
Kills = st.tuples(_strike("kill"))
Strikes = st.one_of(Kills, st.tuples(st.one_of(*map(_strike, ("SIGTERM", "disk", "freeze", "optout")))))
Trouble = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"strikes": Kills}),
    st.fixed_dictionaries({"strikes": Strikes}),
    st.fixed_dictionaries({"faults": _faults()}),
)
"""What goes wrong in a run: nothing, a strike at one of its points, or a fault of the wire."""

Next = st.one_of(
    st.just(Then(plans=False)),
    st.builds(Then, plans=st.just(value=False), backs=st.tuples(Back), trouble=Trouble),
    st.builds(Then, plans=st.just(value=True), backs=st.sampled_from(((0,), (0,), (0, 1))), trouble=Trouble),
)
Campaigns = st.lists(
    st.fixed_dictionaries(
        {
            "people": st.lists(Whom, min_size=1, max_size=4, unique=True),
            "channel": st.sampled_from(("sms", "sms", "sms", "email")),
            "style": st.sampled_from(("own", "common")),
            "new_contacts": st.sampled_from(("skip", "skip", "send")),
            "ahead": st.sampled_from((None, None, None, None, None, 30 * MINUTE, DAY)),
        }
    ),
    min_size=1,
    max_size=len(NAMES),
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
    named: Counter[str] = field(default_factory=Counter)


class Machine(RuleBasedStateMachine):
    """People plan, apply, edit and decide; runs are struck; ledgers get lost. Every delivery is held to the oracle.

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
        self.lasts = 0
        self.failed = False

    @property
    def backup(self) -> Path:
        return self.world.root / "backup.db"

    def take(self, name: str, **how: Any) -> None:
        """Take a step of schedules."""
        self.lasts -= 1
        if self.lasts < 0:
            self.find_ledger()
        self.stage.rules[how["what"] if name == "edit" else name] += 1
        steps.take(self.world, Step(name=name, how=how))

    def go_on(self, then: Then) -> None:
        """Do what follows a change."""
        if then.plans:
            self.take("plan")
        for number, back in enumerate(then.backs, start=1):
            self.take("apply", back=back, **(then.trouble if number == len(then.backs) else {}))

    @initialize(campaigns=Campaigns, opted_out=st.lists(Whom, max_size=1), then=Next)
    def begin(self, *, campaigns: list[dict[str, Any]], opted_out: list[int], then: Then) -> None:
        self.stage.examples += 1
        world = self.world
        world.clock.reset()
        world.server.ask("reset")
        for name in ("person", "temporary"):
            (world.root / name).mkdir()
        for name, drawn in zip(NAMES, campaigns, strict=False):
            ahead = drawn.pop("ahead")
            at = None if ahead is None else world.clock.now() + timedelta(seconds=ahead)
            world.project.campaigns.append(Campaign(id=name, file=name, send_at=at, **drawn))
        world.project.opted_out = opted_out
        put(ledger, secrets=child._Secrets(random.Random(1)))  # noqa: S311  the same ledger in each example
        world.begin()
        world.say(f"  {world.project.campaigns}, opted out {opted_out}")
        world.looks.append(self.witness.look)
        self.take("plan")
        self.go_on(then)

    @invariant()
    def promises(self) -> None:
        """Nobody twice, nobody unapproved, nobody who opted out or was imported, and no more money than approved."""
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
        self.go_on(Then(plans=True, backs=(0,), trouble=trouble))

    @rule(back=Back, trouble=Trouble, rival=st.tuples(st.integers(0, 1), st.one_of(st.just(()), Strikes)))
    def two_at_once(self, *, back: int, trouble: dict[str, Any], rival: tuple[int, tuple[Strike, ...]]) -> None:
        self.take("apply", back=back, rival=rival, **trouble)

    @rule(what=st.sampled_from(("text", "value", "value", "undo")), campaign=Which, who=Whom, then=Next)
    def edit(self, *, what: str, campaign: int, who: int, then: Then) -> None:
        self.take("edit", what=what, campaign=campaign, who=who)
        self.go_on(then)

    @rule(what=st.sampled_from(("join", "leave")), campaign=Which, who=Whom, then=Next)
    def join_or_leave(self, *, what: str, campaign: int, who: int, then: Then) -> None:
        self.take("edit", what=what, campaign=campaign, who=who)
        self.go_on(then)

    @rule(what=st.sampled_from(("value", "join", "leave", "text")), campaign=Which, who=Whom, again=st.booleans())
    def change_after_approval(self, *, what: str, campaign: int, who: int, again: bool) -> None:
        """Change something between plan and apply; `again`: of a new edition, so that everybody is owed it."""
        if again:
            self.take("edit", what="edition", campaign=campaign)
        self.take("plan")
        self.take("edit", what=what, campaign=campaign, who=who)
        self.take("apply")

    @rule(campaign=Which, then=Next)
    def raise_edition(self, *, campaign: int, then: Then) -> None:
        self.take("edit", what="edition", campaign=campaign)
        self.go_on(then)

    @rule(what=st.sampled_from(("delete", "file")), campaign=Which, then=Next)
    def move_file(self, *, what: str, campaign: int, then: Then) -> None:
        """Delete a campaign's file, put it back, or rename it."""
        self.take("edit", what=what, campaign=campaign)
        self.go_on(then)

    @rule(who=Whom, then=Next)
    def opt_out(self, *, who: int, then: Then) -> None:
        self.take("opt_out", who=who)
        self.go_on(then)

    @rule(seconds=st.sampled_from((5 * MINUTE, 13 * MINUTE, HOUR, 25 * HOUR, 8 * DAY)), then=Next)
    def advance(self, *, seconds: int, then: Then) -> None:
        self.take("jump", seconds=seconds)
        self.go_on(then)

    @rule(amount=st.sampled_from(("0.05", "0.20", "500")), then=Next)
    def limit(self, *, amount: str, then: Then) -> None:
        self.take("limit", amount=amount)
        self.go_on(then)

    @rule(then=Next)
    def switch_account(self, *, then: Then) -> None:
        self.take("account")
        self.go_on(then)

    @rule(trouble=Trouble, later=st.booleans())
    def resolve(self, *, trouble: dict[str, Any], later: bool) -> None:
        if later:
            self.take("jump", seconds=13 * MINUTE)
        self.take("resolve", **trouble)

    @rule(lie=st.sampled_from((False, False, True)), wait=st.booleans(), then=Next)
    def decide(self, *, lie: bool, wait: bool, then: Then) -> None:
        self.take("decide", lie=lie, wait=wait)
        self.go_on(then)

    @rule(campaign=Which, who=Whom, then=Next)
    def adopt(self, *, campaign: int, who: int, then: Then) -> None:
        """Import one person; of whom it is in doubt that is told, and it stays so."""
        self.stage.rules["import"] += 1
        world = self.world
        one = world.project.campaigns[campaign % len(world.project.campaigns)]
        address = Person(who).address(one.channel)
        path = world.root / "import.csv"
        path.write_text(f"{'email' if one.channel == 'email' else 'phone_number'}\n{address}\n", encoding="utf-8")
        words = ("import", one.id, str(path), "--edition", str(one.edition), "--channel", one.channel, "--json")
        world.say(f"  person {who} is imported")
        ran = world.run("--env", ENVIRONMENT, *words)
        if ran.code == 0 and not json.loads(ran.out)["in_doubt"]:
            self.witness.oracle.adopt((one.id, one.edition), address)
        self.go_on(then)

    @precondition(lambda self: self.mend is None)
    @rule(what=st.sampled_from(LOST), lasts=st.integers(1, 3), then=Next)
    def lose_ledger(self, *, what: str, lasts: int, then: Then) -> None:
        """Put something wrong with the ledger; within so many steps somebody puts it right."""
        self.spoil(what, lasts=lasts)
        self.go_on(then)

    @precondition(lambda self: self.mend is None)
    @rule(then=Next)
    def back_up(self, *, then: Then) -> None:
        self.roll_back()
        shutil.copy2(self.world.ledger, self.backup)
        self.go_on(then)

    @precondition(lambda self: self.mend is None and self.backup.exists())
    @rule(lasts=st.integers(1, 3), then=Next)
    def restore(self, *, lasts: int, then: Then) -> None:
        """Put the last backup in the ledger's place, if something happened since."""
        before, now = book.read(self.backup), book.read(self.world.ledger)
        if before and now and before.serial < now.serial:
            self.spoil("restored", lasts=lasts)
        self.go_on(then)

    def spoil(self, what: str, *, lasts: int) -> None:
        self.stage.rules[f"ledger {what}"] += 1
        self.roll_back()
        self.world.say(f"  the ledger: {what}")
        self.mend, self.lasts = steps.TROUBLES[what](self.world), lasts
        self.witness.usable = False

    def roll_back(self) -> None:
        """Have octoplan roll back what a killed run has left half written: its journal belongs to the ledger."""
        if self.world.ledger.with_name(f"{self.world.ledger.name}-journal").exists():
            self.world.run("--env", ENVIRONMENT, "status")

    @precondition(lambda self: self.mend is not None)
    @rule()
    def find_ledger(self) -> None:
        """Put the ledger right again."""
        if self.mend is None:
            return
        self.world.say("  the ledger is right again")
        self.mend()
        self.mend, self.witness.usable = None, True

    def teardown(self) -> None:
        try:
            if not self.failed and self.world.plans:
                self.rest()
        finally:
            self.stage.deliveries += self.witness.oracle.delivered
            self.stage.codes.update(ran.code for ran in self.world.runs)
            self.world.close()

    def rest(self) -> None:
        """Put everything right, go on until nobody is owed anything, and compare."""
        self.find_ledger()
        self.stage.named += ending.come_to_rest(self.world, self.witness)
        self.promises()
