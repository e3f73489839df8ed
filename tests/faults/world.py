"""The world of one schedule: a project, a provider, a clock, and octoplan run over them, in order or at once."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from faults import child, points
from faults.project import Person

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from faults.clock import Clock
    from faults.points import Strike
    from faults.project import Project
    from faults.server import Server

ENVIRONMENT = "rehearsal"
REMEMBERS_LOGIN = "sandbox-team"
PEOPLE = 12
FINDINGS = ("error ", "limit ", "warning ")
"""How a plan begins to tell why it is blocked."""

FREEZE = 600.0
"""Seconds for which a process is stopped: ten minutes between claim and send, say."""

TRAVELLING = 0.03
"""Real seconds in which what a process that was killed has sent arrives."""

LONGEST_WAIT = 5.0
"""Real seconds that a run waits for another one, which may be waiting for it."""

EIGHT_DAYS = 8 * 86400.0
"""Seconds after which the time of a campaign without `send_at` is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A run of octoplan as it was seen from outside. `code` is negative where a signal ended it.

    `requests` are the numbers of those the provider saw while it lived, `suppressed` who had opted out when it
    began, `changed` when somebody did meanwhile, `plan` the saved plan it applied; `alone` that nobody else ran.
    """

    number: int
    words: tuple[str, ...]
    strikes: tuple[Strike, ...]
    code: int
    out: str
    err: str
    began: datetime
    ended: datetime
    skew: float
    requests: range
    suppressed: frozenset[str]
    plan: Path | None
    alone: bool
    home: Path
    changed: datetime | None = None
    faults: tuple[dict[str, Any], ...] = ()

    @property
    def verb(self) -> str:
        """The word after the options."""
        return next(word for word in self.words if not word.startswith("-") and word != ENVIRONMENT)

    @property
    def last_line(self) -> str:
        """The last line of an apply; empty where it was not reached."""
        return next((line for line in self.out.splitlines() if line.startswith("accepted ")), "")

    @property
    def findings(self) -> list[str]:
        """What a plan says that blocks a campaign; nothing where it blocks none."""
        lines = map(str.strip, (self.out + self.err).splitlines())
        return [line for line in lines if line.startswith(FINDINGS)] if self.code else []

    @property
    def killed(self) -> bool:
        """Whether it did not end by itself."""
        return self.code == points.KILLED


@dataclass(slots=True, kw_only=True)
class World:
    """Everything that steps act on.

    `skewed`: octoplan's clock once stood wrong; `delayed`: a request was held back on the wire; `priced`: the
    provider told wrong figures; `troubled`: the ledger is not in its place at the moment.
    """

    root: Path
    server: Server
    clock: Clock
    project: Project
    seed: int
    plain: bool = True
    mutant: Callable[[], None] | None = None
    patience: float = 20.0
    login: str = REMEMBERS_LOGIN
    plans: list[Path] = field(default_factory=list)
    runs: list[Ran] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    homes: list[Path] = field(default_factory=list)
    blacklisted: list[int] = field(default_factory=list)
    seen: int = 0
    skewed: bool = False
    troubled: bool = False
    delayed: bool = False
    priced: bool = False
    faults: tuple[dict[str, Any], ...] = ()
    looks: list[Callable[[World], None]] = field(default_factory=list)
    """What is looked at after every run."""

    @property
    def home(self) -> Path:
        """Where the project is."""
        return self.root / "project"

    @property
    def ledger(self) -> Path:
        """Where the ledger is."""
        return self.home / "rehearsal.db"

    def say(self, line: str) -> None:
        """Add a line to what a person reads when a schedule has failed."""
        self.trace.append(line)

    def met(self, kind: str) -> None:
        """Note a fault that has come about."""
        self.trouble.append(kind)

    def broken(self, invariant: str, what: str) -> None:
        """Note that a promise is broken."""
        self.violations.append(f"{invariant}: {what}")

    def begin(self) -> None:
        """Make the project and its ledger."""
        self.homes.append(self.home)
        self.person(self.home).mkdir()
        self.write()
        (self.root / "runs").mkdir()
        self.run("--env", ENVIRONMENT, "ledger", "init")
        (name,) = (self.home / ".octoplan/keys").iterdir()
        self.project.ledger_id = name.name
        self.write()
        shutil.copy2(self.ledger, self.root / "backup.db")

    def write(self) -> None:
        """Write the project's files, and what the provider holds of it."""
        self.project.write(self.home)
        if lists := self.project.lists():
            self.server.ask("lists", **lists)

    def key(self) -> bytes:
        """Return the ledger's key, which schedules may swap on the disk."""
        return self.keys[0]

    @property
    def keys(self) -> list[bytes]:
        """Every ledger's key."""
        return [bytes.fromhex(path.read_text().strip()) for path in (self.home / ".octoplan/keys").iterdir()]

    def run(self, *words: str, strikes: tuple[Strike, ...] = (), **how: Any) -> Ran:
        """Run octoplan once, alone."""
        (ran,) = self.together(Order(words=words, strikes=strikes, **how))
        return ran

    def together(self, *orders: Order) -> list[Ran]:
        """Run octoplan as often at the same time; return when all have ended."""
        began, suppressed = self.clock.now(), self.project.suppressed()
        codes = self._codes(orders)
        if points.KILLED in codes:
            time.sleep(TRAVELLING)
        first, self.seen = self.seen, self.seen + len(self.server.requests(self.seen))
        ran = [
            Ran(
                number=len(self.runs) + index,
                words=order.words,
                strikes=order.strikes,
                code=codes[index],
                out=self._printed(len(self.runs) + index, "out"),
                err=self._printed(len(self.runs) + index, "err"),
                began=began,
                ended=self.clock.now(),
                skew=self.clock.skew,
                requests=range(first, self.seen),
                suppressed=suppressed,
                plan=order.plan,
                alone=len(orders) == 1,
                home=order.home or self.home,
                changed=self._changed(len(self.runs) + index),
                faults=self.faults,
            )
            for index, order in enumerate(orders)
        ]
        self.runs += ran
        for one in ran:
            self.trouble += self._printed(one.number, "struck").splitlines()
            self._tell(one)
        for look in self.looks:
            look(self)
        return ran

    def _codes(self, orders: tuple[Order, ...]) -> list[int]:
        """Run orders and return how they ended; one that nothing happens to runs in this process."""
        numbers = range(len(self.runs), len(self.runs) + len(orders))
        if len(orders) == 1 and self.plain and not orders[0].strikes:
            words, setting, out = self._given(orders[0], numbers[0], numbers)
            return [child.here(words, setting, out=out)]
        started = []
        for number, order in zip(numbers, orders, strict=True):
            words, setting, out = self._given(order, number, numbers)
            started.append(child.start(words, setting, strikes=order.strikes, out=out))
            if any(strike.what == "await" for strike in order.strikes):
                self._wait_for(f"{number}.struck", f"{number}.done")
        return [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in started]

    def _given(self, order: Order, number: int, numbers: range) -> tuple[tuple[str, ...], child.Setting, str]:
        """Return the words of one of the runs that begin now, what it lives in, and where it prints."""
        home = order.home or self.home
        setting = child.Setting(
            clock=self.clock,
            environ={
                "OCTOPUSH_API_LOGIN": self.login,
                "OCTOPUSH_API_KEY": "sandbox-key",
                "ROUTEE_APPLICATION_ID": self.login,
                "ROUTEE_APPLICATION_SECRET": "sandbox-secret",
                "OCTOPLAN_SANDBOX": self.server.url,
                "OCTOPLAN_ACTOR": "ada",
                "HOME": str(self.person(home)),
                "TMPDIR": str(self.root / "temporary"),
            },
            seed=self.seed + number,
            plain=self.plain,
            patience=self.patience,
            acts={
                "freeze": lambda: self.clock.advance(FREEZE),
                "week": lambda: self.clock.advance(EIGHT_DAYS),
                "optout": lambda: self._leave(home, number),
                "await": lambda: self._wait_for(*(f"{other}.done" for other in numbers if other != number)),
            },
            mutant=self.mutant,
        )
        return ("-q", "-C", str(home), *order.words), setting, str(self.root / "runs" / str(number))

    def _wait_for(self, *names: str) -> None:
        """Wait until one of some notes of runs is there, so that another run goes on, or this one."""
        until = time.monotonic() + LONGEST_WAIT
        while not any((self.root / "runs" / name).exists() for name in names) and time.monotonic() < until:
            time.sleep(0.002)

    def _leave(self, home: Path, number: int) -> None:
        """Let the next person opt out while a run lasts, and note when; in the process of the run."""
        who = next((one for one in range(PEOPLE) if one not in self.project.opted_out), None)
        if who is not None:
            path = home / "audiences/stop.csv"
            text = path.read_text(encoding="utf-8")
            path.write_text(f"{text}{Person(who).phone}\n{Person(who).mail}\n", encoding="utf-8")
            (self.root / "runs" / f"{number}.changed").write_text(self.clock.now().isoformat(), encoding="utf-8")

    def _changed(self, number: int) -> datetime | None:
        text = self._printed(number, "changed")
        return datetime.fromisoformat(text) if text else None

    def _printed(self, number: int, name: str) -> str:
        path = self.root / "runs" / f"{number}.{name}"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def _tell(self, ran: Ran) -> None:
        words = " ".join(word.rpartition("/")[2] for word in ran.words if word not in ("--env", ENVIRONMENT))
        struck = f" [{', '.join(map(str, ran.strikes))}]" if ran.strikes else ""
        ending = ran.last_line or next(iter(reversed(ran.err.splitlines())), "")
        self.say(f"{'' if ran.alone else '| '}octoplan {words}{struck} -> {ran.code} {ending}".rstrip())
        for line in ran.findings:
            self.say(f"    {line}")

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.root, ignore_errors=True)

    def copied(self, name: str) -> Path:
        """Copy the project with all it remembers; return the copy."""
        there = self.root / name
        shutil.copytree(self.home, there, ignore=shutil.ignore_patterns("*.rescue-*"))
        self.homes.append(there)
        self.person(there).mkdir()
        return there

    def person(self, home: Path) -> Path:
        """Return the home folder of whoever works on a project: a copy is on another machine."""
        return self.root / f"person-{home.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A run to be started."""

    words: tuple[str, ...]
    strikes: tuple[Strike, ...] = ()
    plan: Path | None = None
    home: Path | None = None

    def but(self, **changes: Any) -> Order:
        """Return it with changes."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A person's word on a batch: what they said, and whether it was so; `addresses` are those a lie sets free."""

    batch: str
    sent: bool
    true: bool
    home: Path
    addresses: frozenset[str] = frozenset()


def forget(path: Path) -> None:
    """Remove a file if it is there."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
