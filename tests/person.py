"""What a person does after an accident, by the messages alone, and whether it ended well, by the delivery log."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from workspaces import tally

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from workspaces import Ended, Workspace

DOCUMENTED = frozenset({0, 1, 3, 4, 5, 6, 7, 130})
MOST_ROUNDS = 6


class Trouble(Exception):
    """Something that must not be; `lost` and `double` count people."""

    def __init__(self, what: str, *, lost: int = 0, double: int = 0) -> None:
        super().__init__(what)
        self.lost = lost
        self.double = double


class Person:
    """Applies a saved plan of a rehearsal until it is done, and decides what is in doubt by the delivery log.

    `quiet` is the project's quiet time, in seconds. `held`: the provider holds the addresses, so that the ledger
    knows none of them and every batch is for all.
    """

    def __init__(
        self, project: Workspace, plan: str, *, addresses: Collection[str], quiet: float = 1.0, held: bool = False
    ) -> None:
        self.project = project
        self.plan = plan
        self.addresses = addresses
        self.quiet = quiet
        self.held = held
        self.decided = 0

    def recover(self) -> None:
        """Bring it to an end.

        Raises:
            Trouble: that is not possible by the documented ways, or somebody got it twice.
        """
        for _ in range(MOST_ROUNDS):
            ended = self.project.run("apply", self.plan, code=None)
            self.judge(ended)
            self._count_people()
            if ended.code == 0:
                return
            if ended.code != 7:
                raise Trouble(f"apply after the accident ends with {ended.code}: {ended.err}")
            self._decide()
        raise Trouble("no end after many rounds")

    def judge(self, ended: Ended, *, killed: bool = False, first: bool = False) -> None:
        """Hold one run against what is promised of every run; the last line of the first one counts everybody.

        Raises:
            Trouble: it says or does what none may.
        """
        if ended.code not in DOCUMENTED and not killed:
            raise Trouble(f"exit {ended.code}: {ended.err}")
        if "Traceback" in ended.out + ended.err:
            raise Trouble(f"a traceback: {ended.err}")
        if any(address in ended.out + ended.err for address in self.addresses):
            raise Trouble("an address in what it says")
        told = sum(tally(ended.out).values()) if "accepted " in ended.out else None
        if told is not None and (told > len(self.addresses) or (first and told < len(self.addresses))):
            raise Trouble(f"the last line does not add up: {ended.out}{ended.err}")
        double = self._delivered() - Counter(self.addresses)
        if double:
            raise Trouble(f"{double.total()} double", double=double.total())

    def check(self) -> None:
        """See that everybody got it once, and that the ledger says so.

        Raises:
            Trouble: it does not.
        """
        delivered, wanted = self._delivered(), Counter(self.addresses)
        if delivered != wanted:
            lost, double = (wanted - delivered).total(), (delivered - wanted).total()
            raise Trouble(f"{lost} lost, {double} double", lost=lost, double=double)
        standing = self._standing()
        if standing["sent"] != len(self.addresses):
            raise Trouble(f"the ledger says {standing}")
        check = self.project.run("--env", "rehearsal", "ledger", "check", code=None)
        if check.code:
            raise Trouble(f"the ledger is not whole: {check.out}{check.err}")
        left = sorted(path.name for path in self.project.root.iterdir() if ".rescue-" in path.name)
        if left:
            raise Trouble(f"left behind: {left}")

    def _decide(self) -> None:
        time.sleep(self.quiet + 0.1)  # what travels has arrived by then, and doubt may be resolved by evidence
        doubtful = dict(self._doubtful())
        delivered = self._delivered()
        for address, batch in doubtful.items():
            word = "sent" if delivered[address] else "not-sent"
            decision = ("resolve", batch, "--as", word, "--reason", "by the delivery log")
            ended = self.project.run("--env", "rehearsal", *decision, code=None)
            known = "not in doubt" in ended.err  # another one of the same batch
            if ended.code and not known:
                raise Trouble(f"resolve --as {word} ends with {ended.code}: {ended.err}")
            self.decided += not known

    def _doubtful(self) -> Iterator[tuple[str, str]]:
        found = self.project.run("--env", "rehearsal", "resolve", "--json", code=None)
        if self.held:
            batches = [doubt["batch"] for doubt in json.loads(found.out)["batches"]]
            yield from ((address, batch) for batch in batches for address in self.addresses)
            return
        for address in self.addresses:
            words = ("--env", "rehearsal", "status", "--contact", address, "--json")
            for row in json.loads(self.project.run(*words).out):
                if row["state"] == "in_doubt":
                    yield address, row["batch"]

    def _delivered(self) -> Counter[str]:
        return Counter(row["address"] for row in self.project.deliveries())

    def _standing(self) -> dict[str, Any]:
        rows: list[dict[str, Any]] = json.loads(self.project.run("--env", "rehearsal", "status", "--json").out)
        if len(rows) != 1:
            raise Trouble(f"{len(rows)} editions in the ledger")
        return rows[0]

    def _count_people(self) -> None:
        standing = self._standing()
        found = sum(standing[name] for name in ("sent", "sending", "owed", "rejected", "in_doubt"))
        if found != len(self.addresses):
            raise Trouble(f"the ledger adds up to {found} people: {standing}")
