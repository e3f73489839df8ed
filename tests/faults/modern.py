"""What a schedule holds besides: an audience at the provider, personal texts that share a call.

It is drawn by dice of its own, so that what a seed has always drawn stays as it was.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from faults import second
from faults.points import Strike
from faults.steps import Step
from faults.stories import LOST

if TYPE_CHECKING:
    from faults.project import Project

ALWAYS = 1_000_000
"""From this seed on, up to those of `second`, every schedule holds one or the other."""

PEOPLE = 12
CREATE, LOOK, CONFIRM = "*-on-list/create", "*-on-list/status", "*-on-list/send"
SINGLE, MULTI = "*-campaign/send", "multi-channel/send"


def draw(seed: int, project: Project, steps: list[Step]) -> list[Step]:
    """Change a project and its steps; most seeds leave them as they are."""
    dice = random.Random(f"{seed} modern")  # noqa: S311  dice
    holds, merges = dice.random() < 0.15, dice.random() < 0.2
    if ALWAYS <= seed < second.ALWAYS and not (holds or merges):
        holds = dice.random() < 0.6
        merges = not holds
    project.merge_fields = merges
    if holds:
        _hold(dice, project)
        if dice.random() < 0.4:
            steps = [*_first_phase(dice), *steps]
    if holds or merges:
        steps = [_aimed(dice, step, holds=holds, merges=merges) for step in steps]
    return steps


def _hold(dice: random.Random, project: Project) -> None:
    """Leave one campaign's audience, or every one's, to the provider, within its limits or not."""
    chosen = project.campaigns if dice.random() < 0.2 else project.campaigns[:1]
    for one in chosen:
        one.held = dice.choice(("list", "list", "tag"))
        one.channel = dice.choice(("sms", "sms", "voice"))
        one.style = "common"
        one.new_contacts = "skip"
        one.most = dice.choices((PEOPLE, len(one.people), max(1, len(one.people) - 1)), (6, 2, 1))[0]


def _first_phase(dice: random.Random) -> list[Step]:
    """Lose the reply to the first of two phases, or the run that waits for it, and go on."""
    if dice.random() < 0.5:
        kinds = dice.choice((("send",), ("receive",), ("commit",)))
        how: dict[str, Any] = {"strikes": (Strike(what="kill", kinds=kinds, at=dice.randint(1, 12)),)}
    else:
        where = dice.choice((CREATE, CREATE, LOOK))
        fault = {"fault": dice.choice(LOST), "endpoint": where, "simulation": False, "times": dice.choice((1, 2, 4))}
        how = {"faults": (fault | ({"seconds": 1.0} if fault["fault"] == "hang" else {}),)}
    later = [Step(name="jump", how={"seconds": dice.choice((60, 840, 25 * 3600))})] if dice.random() < 0.4 else []
    return [Step(name="plan"), Step(name="apply", how=how), *later, Step(name="apply")]


def _aimed(dice: random.Random, step: Step, *, holds: bool, merges: bool) -> Step:
    """Aim the faults of a step at calls that this project makes."""
    aims = [MULTI, *([CREATE, LOOK, CONFIRM, CONFIRM] if holds else []), *([SINGLE] * 3 if merges else [])]
    faults = tuple(
        {**one, "endpoint": dice.choice(aims)} if one.get("endpoint") == MULTI else one
        for one in step.how.get("faults", ())
    )
    return replace(step, how={**step.how, "faults": faults}) if faults else step
