"""Projects as they are when their approved plan is about to be applied, again and again."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledgers import quick_folder
from person import Person, Trouble
from stem import Forked, heard, sandbox_apart
from workspaces import AUDIENCE, CAMPAIGN, HELD

from .listing import points, read
from .strace import Records, traced

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from .listing import Call, Point

ADDRESSES = re.findall(r"\+\d+", AUDIENCE)
LISTS = {"lists": {"clients": [{"phone_number": address} for address in ADDRESSES]}}
SCENES: Mapping[str, str] = {"batches": CAMPAIGN, "list": HELD.replace("max_contacts: 25", "max_contacts: 3")}
"""Campaigns that go to all addresses: in three batches, one after another, or as one on a list of the provider."""

ATTEMPTS = 20
"""How often a point is tried that was not reached: a reply may come in two pieces, a thread may open one file more."""

KILLED = -9


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """What became of one strike: `trouble` is None if all was well.

    `rescued` counts outcomes in rescue files, `decided` batches of which only a person could tell.
    """

    code: int
    reached: bool = True
    rescued: int = 0
    decided: int = 0
    trouble: Trouble | None = None


class Stage:
    """Plays the same apply from the same start; the sandbox beside it sees all of it."""

    def __init__(self, folder: Path, project: Forked, *, held: bool) -> None:
        self.project = project
        self.held = held
        self.plan = "first.plan"
        self._prepared = folder / "prepared"
        self._records = Records(folder=folder)
        project.run("--env", "rehearsal", "ledger", "init")
        project.run("--env", "rehearsal", "plan", "--out", self.plan)
        shutil.copytree(project.root, self._prepared)

    def listing(self) -> tuple[list[Point], int]:
        """Return the points of an apply that nothing disturbs, and how many calls were left out as alike."""
        code, calls = self._play(None)
        if code:
            raise Trouble(f"the apply that nothing disturbs ends with {code}")
        return points(calls)

    def strike(self, point: Point, how: str) -> Struck:
        """Strike at a point, recover as a person would, and look."""
        for _ in range(ATTEMPTS):
            code, calls = self._play((point, how))
            if _is_reached(calls, code, point=point, how=how):
                return self._aftermath(code)
        return Struck(code=code, reached=False)

    def _play(self, strike: tuple[Point, str] | None) -> tuple[int, list[Call]]:
        root = self.project.root
        shutil.rmtree(root)
        shutil.copytree(self._prepared, root)
        self.project.ask("reset", all=True)
        code = traced(self.project, ("apply", self.plan), records=self._records, strike=strike)
        return code, read(self._records.log, root, threads=self._records.threads)

    def _aftermath(self, code: int) -> Struck:
        person = Person(self.project, self.plan, addresses=ADDRESSES, held=self.held)
        rescued = sum(path.read_bytes().count(b"\n") for path in self.project.root.glob("*.rescue-*"))
        ended, trouble = heard(code, self._records.out), None
        if ended.err.count("in the rescue file beside it") > rescued:
            return Struck(code=code, trouble=Trouble("the rescue file does not hold what it is said to hold"))
        try:
            person.judge(ended, killed=code == KILLED, first=True)
            person.recover()
            person.check()
            self._refuse_repeated()
        except Trouble as found:
            trouble = found
        if rescued and person.decided and trouble is None:
            trouble = Trouble("a person had to decide what a rescue file holds")
        return Struck(code=code, rescued=rescued, decided=person.decided, trouble=trouble)

    def _refuse_repeated(self) -> None:
        """See that nothing was repeated that has no request id: whether it is sent again nobody documents."""
        asked = self.project.ask("requests?limit=1000")["requests"]
        sent = [each["body"] for each in asked if each["endpoint"].endswith("/send")]
        double = Counter(body for body in sent if '"request_id"' not in body and '"simulation_mode"' not in body)
        if double.total() > len(double):
            raise Trouble("a confirmation is repeated", double=len(ADDRESSES))


@contextlib.contextmanager
def stage(scene: str) -> Iterator[Stage]:
    """Set up the project of a scene."""
    with quick_folder() as folder:
        project = Forked(folder / "project")
        project.usual().edit("octoplan.yaml", "quiet_time: 1s", "quiet_time: 1s, workers: 1")
        project.write("campaigns/noel.yaml", SCENES[scene])
        prices, switches = project.root / "prices/octopush.yaml", {"draft_seconds": 0}
        with sandbox_apart(folder / "sandbox.db", prices, lists=LISTS, switches=switches) as url:
            project.served = url
            yield Stage(folder, project, held=scene == "list")


def _is_reached(calls: list[Call], code: int, *, point: Point, how: str) -> bool:
    """Tell whether the strike fell where it was meant to, and nowhere else."""
    if how == "kill":
        last = [call for call in calls if call.thread == point.call.thread][-1:]
        return code == KILLED and bool(last) and last[0].is_at(point)
    injected = [call for call in calls if call.injected]
    return bool(injected) and injected[0].is_at(point) and (len(injected) == 1 or how == "full")
