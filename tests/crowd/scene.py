"""One project, one ledger, and as many processes of octoplan as are asked for, all let go at one instant."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections import Counter
from typing import TYPE_CHECKING

from ledgers import quick_folder
from person import Trouble
from stem import Forked, heard, sandbox_apart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from workspaces import Ended

    Watch = Callable[[list[int]], dict[int, int]]
    """Gets the ids of the processes, waits for all of them, and returns their exit codes, negative for a signal."""


class Scene:
    """Plays from the same start as often as it is asked to; the sandbox beside it sees everything."""

    def __init__(self, folder: Path, project: Forked, *, people: int) -> None:
        self.project = project
        self.addresses = [f"+336399800{number}" for number in range(11, 11 + people)]
        self.plan = "saved.plan"
        self._folder = folder
        self._prepared = folder / "prepared"
        rows = (f"{address},Zoe,{number}\n" for number, address in enumerate(self.addresses))
        project.write("audiences/list.csv", "phone_number,first_name,code\n" + "".join(rows))
        project.run("--env", "rehearsal", "ledger", "init")
        project.run("--env", "rehearsal", "plan", "--out", self.plan)
        shutil.copytree(project.root, self._prepared)

    def reset(self) -> None:
        """Go back to the start."""
        shutil.rmtree(self.project.root)
        shutil.copytree(self._prepared, self.project.root)
        self.project.ask("reset", all=True)

    def play(self, *words: str, processes: int, watch: Watch) -> list[Ended]:
        """Let so many processes of octoplan go at one instant; return how each ended."""
        reading, writing = os.pipe()

        def ready() -> None:
            os.close(writing)
            os.read(reading, 1)  # until its other end is closed

        outs = [self._folder / f"out-{number}" for number in range(processes)]
        children = [self.project.fork(*words, out=out, ready=ready) for out in outs]
        os.close(reading)
        os.close(writing)
        codes = watch(children)
        return [heard(codes[child], out) for child, out in zip(children, outs, strict=True)]

    def delivered(self) -> int:
        """Return how many got the message.

        Raises:
            Trouble: somebody got it twice.
        """
        found = Counter(row["address"] for row in self.project.deliveries())
        double = (found - Counter(self.addresses)).total()
        if double:
            raise Trouble(f"{double} double", double=double)
        return found.total()


@contextlib.contextmanager
def scene(people: int) -> Iterator[Scene]:
    """Set up a project of so many batches, one for each contact."""
    with quick_folder() as folder:
        project = Forked(folder / "project")
        project.usual().edit("octoplan.yaml", "quiet_time: 1s", "quiet_time: 1s, workers: 2")
        with sandbox_apart(folder / "sandbox.db", project.root / "prices/octopush.yaml") as url:
            project.served = url
            yield Scene(folder, project, people=people)


def patiently(children: list[int]) -> dict[int, int]:
    """Wait for processes that nobody disturbs."""
    return {child: os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children}
