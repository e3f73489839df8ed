"""What a schedule holds of a second provider: calls without request ids, audiences that it holds, tokens that end.

It is drawn by dice of its own, so that what a seed has always drawn stays as it was.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from faults.points import Strike
from faults.project import Campaign
from faults.steps import Step
from faults.stories import LOST

if TYPE_CHECKING:
    from faults.project import Project

ALWAYS = 2_000_000
"""From this seed on every schedule holds a campaign of the second provider, often beside one of the first."""

PEOPLE = 12
SEND, ANALYSIS, TRACKING, TOKEN = "voice/campaign", "voice/analysis", "voice/tracking*", "oauth/token"
MULTI = "multi-channel/send"
HOUR = 3600.0


def draw(seed: int, project: Project, steps: list[Step]) -> list[Step]:
    """Change a project and its steps, if the seed is one of these."""
    if seed < ALWAYS:
        return steps
    dice = random.Random(f"{seed} second")  # noqa: S311  dice
    if len(project.campaigns) == 1 and dice.random() < 0.5:
        project.campaigns.append(_another(dice))
    chosen = project.campaigns if dice.random() < 0.4 else project.campaigns[:1]
    for one in chosen:
        _call(dice, one)
    if dice.random() < 0.3:
        steps = [*_doubt(dice), *steps]
    if dice.random() < 0.15:
        steps.insert(dice.randint(1, len(steps)), Step(name="jump", how={"seconds": HOUR + 60}))  # its token is over
    if dice.random() < 0.15:
        steps.insert(dice.randint(1, len(steps)), Step(name="switch", how={"campaign": dice.randrange(3)}))
    aims = (SEND,) if len(chosen) == len(project.campaigns) else (SEND, SEND, MULTI)
    return [_aimed(dice, step, aims=aims) for step in steps]


def _another(dice: random.Random) -> Campaign:
    people = dice.sample(range(PEOPLE), dice.choice((1, 3, 5, 8)))
    return Campaign(id="rappel", file="rappel", people=people, style=dice.choice(("own", "store", "common")))


def _call(dice: random.Random, one: Campaign) -> None:
    """Make a campaign one of the second provider's, to people or to whom it holds."""
    one.provider, one.channel, one.held = "routee", "voice", ""
    one.style = dice.choice(("own", "store", "common", "common"))
    if dice.random() < 0.25:
        one.held = dice.choice(("groups", "contact_ids"))
        one.style, one.new_contacts = "common", "skip"
        one.most = dice.choices((PEOPLE, len(one.people), max(1, len(one.people) - 1)), (6, 2, 1))[0]


def _doubt(dice: random.Random) -> list[Step]:
    """Lose what becomes of a campaign, by the wire or by the run that waits for it, and have it looked up."""
    if dice.random() < 0.4:
        strike = Strike(what="kill", kinds=dice.choice((("send",), ("receive",), ("commit",))), at=dice.randint(1, 10))
        how: dict[str, Any] = {"strikes": (strike,)}
    else:
        fault = {"fault": dice.choice(LOST), "endpoint": SEND, "times": dice.choice((1, 2))}
        how = {"faults": (fault | ({"seconds": 1.0} if fault["fault"] == "hang" else {}),)}
    later = [Step(name="jump", how={"seconds": dice.choice((60, 840, 25 * 3600))})] if dice.random() < 0.7 else []
    looked: dict[str, Any] = {}
    if dice.random() < 0.4:
        looked = {"faults": ({"fault": dice.choice(("status", *LOST[:4])), "endpoint": TRACKING, "times": 1},)}
        looked["faults"][0].update({"status": 503} if looked["faults"][0]["fault"] == "status" else {})
    return [
        Step(name="plan"),
        Step(name="apply", how=how),
        *later,
        Step(name="resolve", how=looked),
        Step(name="apply"),
    ]


def _aimed(dice: random.Random, step: Step, *, aims: tuple[str, ...]) -> Step:
    """Aim the faults of a step at calls that this project makes."""
    faults = tuple(
        _at(one, dice.choice((*aims, *aims, ANALYSIS, TOKEN))) if one.get("endpoint") == MULTI else one
        for one in step.how.get("faults", ())
    )
    return replace(step, how={**step.how, "faults": faults}) if faults else step


def _at(fault: dict[str, Any], endpoint: str) -> dict[str, Any]:
    """Return a fault of another call; that of none but the first provider's simulates."""
    kept = {name: value for name, value in fault.items() if name != "simulation" or endpoint == MULTI}
    return {**kept, "endpoint": endpoint}
