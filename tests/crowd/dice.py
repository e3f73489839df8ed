"""A crowd on one ledger, in which a dice stops, continues and kills."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from person import Person, Trouble
from workspaces import tally

from .scene import scene

if TYPE_CHECKING:
    from collections.abc import Callable

    from workspaces import Ended

PEOPLE = 40
PATIENCE = 120.0
ACTS = 6
"""For each process, how often the dice may fall."""


@dataclass(slots=True)
class Dice:
    """Falls every few milliseconds once sending has begun: it stops one, continues another, now and then kills one."""

    random: Random
    begun: Callable[[], bool]
    living: set[int] = field(default_factory=set)
    stopped: set[int] = field(default_factory=set)
    codes: dict[int, int] = field(default_factory=dict)
    acts: Counter[str] = field(default_factory=Counter)

    def watch(self, children: list[int]) -> dict[int, int]:
        """Play with processes until all have ended.

        Raises:
            Trouble: they do not end.
        """
        self.living |= set(children)
        until = time.monotonic() + PATIENCE
        falls = ACTS * len(children)
        while self.living and not self.begun():
            time.sleep(0.01)
            self._reap()
        while self.living:
            time.sleep(self.random.uniform(0, 0.01))
            self._reap()
            if self.living and self.acts.total() < falls:
                self._fall(self.random.choice(sorted(self.living)))
            else:
                self._let_go()
            if time.monotonic() > until:
                for child in self.living:
                    os.kill(child, signal.SIGKILL)
                raise Trouble(f"{len(self.living)} processes do not end")
        return self.codes

    def _fall(self, child: int) -> None:
        act = self.random.choices(("stop", "continue", "kill"), (5, 4, 1))[0]
        number = {"stop": signal.SIGSTOP, "continue": signal.SIGCONT, "kill": signal.SIGKILL}[act]
        if act == "continue":
            child = self.random.choice(sorted(self.stopped or {child}))
        os.kill(child, number)
        self.acts[act] += 1
        self.stopped.discard(child)
        if act == "stop":
            self.stopped.add(child)

    def _let_go(self) -> None:
        for child in self.stopped:
            os.kill(child, signal.SIGCONT)
        self.stopped.clear()

    def _reap(self) -> None:
        for child in sorted(self.living):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                self.codes[child] = os.waitstatus_to_exitcode(status)
                self.living.discard(child)
                self.stopped.discard(child)


def crowd(processes: int, *, seed: int) -> str:
    """Play one crowd, recover as a person would, and say how it went.

    Raises:
        Trouble: somebody got it twice or not at all, or something does not add up.
    """
    with scene(PEOPLE) as played:
        dice = Dice(Random(f"{processes}/{seed}"), begun=lambda: played.project.counts()["deliveries"] > 0)  # noqa: S311  a dice
        ended = played.play("apply", played.plan, processes=processes, watch=dice.watch)
        person = Person(played.project, played.plan, addresses=played.addresses)
        for one in ended:
            person.judge(one, killed=one.code == -signal.SIGKILL)
        delivered = played.delivered()
        accepted = sum(_accepted(one) for one in ended)
        if accepted > delivered:
            raise Trouble(f"{accepted} accepted, {delivered} delivered")
        person.recover()
        person.check()
    senders = sum(_accepted(one) > 0 for one in ended)
    codes = " ".join(f"{code}×{count}" for code, count in sorted(Counter(one.code for one in ended).items()))
    acts = " ".join(f"{act} {count}" for act, count in sorted(dice.acts.items()))
    return f"{acts} · exits {codes} · {senders} sent · delivered {delivered}, decided {person.decided}, then {PEOPLE}"


def _accepted(one: Ended) -> int:
    return tally(one.out)["accepted"] if "accepted " in one.out else 0
