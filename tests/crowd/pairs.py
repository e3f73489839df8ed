"""Two applies at one instant, again and again: of one saved plan, or each of a plan of its own."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from person import Person, Trouble
from workspaces import tally

from .scene import patiently, scene

if TYPE_CHECKING:
    from workspaces import Ended

    from .scene import Scene

PEOPLE = 6


def pairs(rounds: int, *, saved: bool) -> Counter[str]:
    """Return how the pairs ended, each as `code accepted + code accepted`.

    Raises:
        Trouble: somebody got it twice or not at all, or the two do not add up.
    """
    found: Counter[str] = Counter()
    with scene(PEOPLE) as played:
        for _ in range(rounds):
            played.reset()
            words = ("apply", played.plan) if saved else ("apply",)
            both = played.play(*words, processes=2, watch=patiently)
            _add_up(played, both, saved=saved)
            found[" + ".join(sorted(f"exit {one.code} accepted {_accepted(one)}" for one in both))] += 1
    return found


def _add_up(played: Scene, both: list[Ended], *, saved: bool) -> None:
    person = Person(played.project, played.plan, addresses=played.addresses)
    for one in both:
        person.judge(one)
        if one.code not in ({0, 5} if saved else {0, 4, 5}):
            raise Trouble(f"exit {one.code} of two at once: {one.err}")
    accepted = sum(_accepted(one) for one in both)
    if accepted != played.delivered():
        raise Trouble(f"{accepted} accepted, {played.delivered()} delivered")
    if accepted < PEOPLE:
        if all(one.code == 0 for one in both):
            raise Trouble(f"both say that all is done, and {PEOPLE - accepted} got nothing", lost=PEOPLE - accepted)
        played.project.run("apply", *([played.plan] if saved else []))
    if played.delivered() != PEOPLE:
        raise Trouble(f"{PEOPLE - played.delivered()} lost", lost=PEOPLE - played.delivered())


def _accepted(one: Ended) -> int:
    return tally(one.out)["accepted"] if "accepted " in one.out else 0
