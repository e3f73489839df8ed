"""Drawing a schedule: one seed fixes the project, the steps, and everything that goes wrong."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from faults import modern, second
from faults.clock import START
from faults.points import Strike
from faults.project import Campaign, Project
from faults.steps import EDITS, TROUBLES, Step
from faults.stories import SENDS, STORIES

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

PEOPLE = 12
NAMES = ("noel", "rappel", "solde")
EVERY_ENGINE = 50
"""One schedule in so many resolves its audiences with the engine itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What happens, in order. `lies`: the person's decisions are false."""

    seed: int
    project: Project
    steps: tuple[Step, ...]
    plain: bool


def draw(seed: int) -> Schedule:
    """Draw the schedule of a seed."""
    dice = random.Random(seed)  # noqa: S311  dice
    project = _project(dice)
    wild = dice.random() < 0.5
    if dice.random() < 0.6:
        steps = dice.choices(tuple(STORIES), tuple(STORIES.values()))[0](dice)
    else:
        steps = [Step(name="plan"), _apply(dice, calm=0.15)]
    count = dice.randint(2, 7) if wild else dice.randint(0, 3)
    lies = dice.random() < 0.08
    for _ in range(count):
        steps += _some(dice, lies=lies)
    steps = second.draw(seed, project, modern.draw(seed, project, steps))
    return Schedule(seed=seed, project=project, steps=tuple(steps), plain=seed % EVERY_ENGINE != 0)


def _project(dice: random.Random) -> Project:
    number = dice.choices((1, 2, 3), (6, 3, 1))[0]
    everybody = list(range(PEOPLE))
    return Project(
        campaigns=[_campaign(dice, NAMES[index], everybody) for index in range(number)],
        workers=dice.choice((1, 1, 2, 3)),
        quiet_time=dice.choice(("12m", "2m", "30s")),
        opted_out=dice.sample(everybody, dice.choice((0, 0, 1, 2))),
    )


def _campaign(dice: random.Random, name: str, everybody: list[int]) -> Campaign:
    return Campaign(
        id=name,
        file=name,
        people=dice.sample(everybody, dice.choice((1, 2, 3, 3, 4, 5, 6, 8, 10, 12))),
        channel=dice.choices(("sms", "voice", "rcs", "email"), (8, 1, 1, 1))[0],
        purpose="transactional",
        style=dice.choices(("own", "store", "common"), (5, 2, 3))[0],
        new_contacts=dice.choice(("skip", "skip", "send")),
        send_at=_send_at(dice) if dice.random() < 0.1 else None,
        max_change=dice.choice((20, 100)),
    )


def _send_at(dice: random.Random) -> datetime:
    """Draw a time that is open now, or within some days."""
    ahead = timedelta(minutes=dice.choice((30, 240, 1400, 1600, 3000)))
    return START + ahead


def _some(dice: random.Random, *, lies: bool) -> list[Step]:
    """Draw what happens next: often something changes, and then somebody plans and applies."""
    name = dice.choices(tuple(DRAWN), tuple(weight for weight, _ in DRAWN.values()))[0]
    steps = DRAWN[name][1](dice)
    if lies and dice.random() < 0.5:
        steps.append(Step(name="decide", how={"lie": True}))
    return steps


def _again(dice: random.Random) -> list[Step]:
    return [_apply(dice, calm=0.4)]


def _plan_and_apply(dice: random.Random) -> list[Step]:
    """Draw a new plan and its apply, mostly of something new to send."""
    what = dice.choice(("edition", "edition", "join"))
    new = Step(name="edit", how={"what": what, "campaign": dice.randrange(3), "who": dice.randrange(PEOPLE)})
    return [*([new] if dice.random() < 0.7 else []), Step(name="plan"), _apply(dice, calm=0.2)]


def _edited(dice: random.Random) -> list[Step]:
    what = dice.choice(tuple(EDITS))
    step = Step(
        name="edit",
        how={"what": what, "campaign": dice.randrange(3), "who": dice.randrange(PEOPLE)},
    )
    return [step, *_then(dice)]


def _then(dice: random.Random) -> list[Step]:
    """Draw what people do after a change: the old plan again, a new one, an old one after a new one, or nothing."""
    which = dice.random()
    if which < 0.3:
        return [_apply(dice, calm=0.5)]
    if which < 0.7:
        return [Step(name="plan"), _apply(dice, calm=0.5)]
    if which < 0.85:
        return [Step(name="plan"), _apply(dice, calm=0.5), _apply(dice, calm=0.7, back=1)]
    return []


def _opted_out(dice: random.Random) -> list[Step]:
    return [Step(name="opt_out", how={"who": dice.randrange(PEOPLE)}), *_then(dice)]


def _jumped(dice: random.Random) -> list[Step]:
    seconds = dice.choice((300, 840, 3600, 6 * 3600, 25 * 3600, 8 * 86400))
    return [Step(name="jump", how={"seconds": seconds}), *_then(dice)]


def _set_back(dice: random.Random) -> list[Step]:
    seconds = dice.choice((30, 3600, 86400))
    wrong = Step(name="back", how={"seconds": seconds})
    right = Step(name="back", how={"seconds": 0})
    return [wrong, *_then(dice), right]


def _troubled(dice: random.Random) -> list[Step]:
    what = dice.choice(tuple(TROUBLES))
    return [Step(name="trouble", how={"what": what}), *_then(dice)]


def _copied(dice: random.Random) -> list[Step]:
    strikes = _strikes(dice) if dice.random() < 0.3 else ()
    return [
        Step(name="plan"),
        Step(name="copy", how={"first": dice.random() < 0.5, "strikes": strikes}),
    ]


def _limited(dice: random.Random) -> list[Step]:
    return [Step(name="limit", how={"amount": dice.choice(("0.05", "0.20", "500"))}), *_then(dice)]


def _switched(dice: random.Random) -> list[Step]:
    return [Step(name="account"), *_then(dice)]


def _poor(dice: random.Random) -> list[Step]:
    empty = Step(name="balance", how={"amount": dice.choice(("0", "0.07", "0.2"))})
    filled = Step(name="balance", how={"amount": "1000"})
    return [empty, *_then(dice), *([filled] if dice.random() < 0.7 else [])]


def _blocked(dice: random.Random) -> list[Step]:
    return [Step(name="blacklist", how={"who": dice.randrange(PEOPLE)}), *_then(dice)]


def _resolved(dice: random.Random) -> list[Step]:
    strikes = _strikes(dice) if dice.random() < 0.3 else ()
    faults = _wire(dice) if dice.random() < 0.3 else ()
    first = [Step(name="jump", how={"seconds": 840})] if dice.random() < 0.6 else []
    return [*first, Step(name="resolve", how={"strikes": strikes, "faults": faults})]


def _decided(dice: random.Random) -> list[Step]:
    return [Step(name="decide", how={"wait": dice.random() < 0.6})]


DRAWN: dict[str, tuple[int, Callable[[random.Random], list[Step]]]] = {
    "again": (5, _again),
    "plan and apply": (4, _plan_and_apply),
    "edit": (5, _edited),
    "opt-out": (2, _opted_out),
    "jump": (3, _jumped),
    "back": (1, _set_back),
    "trouble": (1, _troubled),
    "copy": (1, _copied),
    "limit": (1, _limited),
    "account": (1, _switched),
    "balance": (1, _poor),
    "blacklist": (1, _blocked),
    "resolve": (2, _resolved),
    "decide": (2, _decided),
}


def _apply(dice: random.Random, *, calm: float, back: int = 0) -> Step:
    """Draw an apply: in peace with the probability `calm`, else with one fault, seldom two."""
    how: dict[str, Any] = {"back": back or dice.choices((0, 1, 2), (12, 2, 1))[0]}
    if dice.random() >= calm:
        for kind in dice.sample(("strike", "wire", "twice"), dice.choices((1, 2), (4, 1))[0]):
            if kind == "strike":
                how["strikes"] = _strikes(dice)
            elif kind == "wire":
                how["faults"] = _wire(dice)
            else:
                strikes = _strikes(dice) if dice.random() < 0.4 else ()
                how["rival"] = (dice.choice((how["back"], how["back"], 1)), strikes)
    return Step(name="apply", how=how)


def _strikes(dice: random.Random) -> tuple[Strike, ...]:
    what = dice.choices(tuple(STRIKES), tuple(STRIKES.values()))[0]
    strike = _strike(dice, what)
    if what in ("SIGINT", "SIGTERM") and dice.random() < 0.3:
        return strike, _strike(dice, what)
    return (strike,)


def _strike(dice: random.Random, what: str) -> Strike:
    kinds = STRUCK.get(what) or dice.choices(tuple(ANYWHERE), tuple(ANYWHERE.values()))[0]
    times = dice.choice((1, 1, 2, 5, 50)) if what == "disk" else 1
    most = 24 if "commit" in kinds else 16 if "connect" in kinds else 8
    return Strike(what=what, kinds=kinds, at=dice.randint(1, most), times=times)


STRIKES = {"kill": 10, "SIGINT": 2, "SIGTERM": 2, "disk": 3, "freeze": 2, "optout": 2, "week": 1, "pause": 1}
STRUCK: dict[str, tuple[str, ...]] = {
    "disk": ("commit", "file"),
    "freeze": ("commit", "connect"),
    "week": ("commit", "connect"),
}
"""Where strikes of some kinds are of use."""

ANYWHERE: dict[tuple[str, ...], int] = {
    ("commit",): 6,
    ("send",): 4,
    ("receive",): 3,
    ("connect", "send", "receive"): 2,
    ("file",): 1,
}
"""Where the others are, by weight."""


def _wire(dice: random.Random) -> tuple[dict[str, Any], ...]:
    """Draw one or two faults of the wire or of the provider."""
    return tuple(_fault(dice) for _ in range(dice.choices((1, 2), (4, 1))[0]))


def _fault(dice: random.Random) -> dict[str, Any]:
    name = dice.choice(tuple(FAULTS))
    details = {key: dice.choice(values) for key, values in FAULTS[name].items()}
    whom = SENDS if dice.random() < 0.9 else {"endpoint": "*"}
    if details.get("status") in REFUSING:
        details["acts"] = False
    return {
        "fault": name,
        **whom,
        "skip": dice.choice((0, 0, 1, 2)),
        "times": dice.choice((1, 1, 2, 6, None)),
        **details,
    }


REFUSING = (401, 403, 429)
"""What a provider answers that has not sent: of one that says so and has, nobody could tell."""

FAULTS: dict[str, dict[str, tuple[Any, ...]]] = {
    "refuse": {},
    "reset-request": {"at": (0, 10, 100)},
    "reset-reply": {"at": (0, 20, 150)},
    "lose-reply": {},
    "hang": {"seconds": (1.0,)},
    "late": {"seconds": (0.0,)},
    "truncate": {"lacks": (1, 30)},
    "garbage": {"acts": (True, False)},
    "informational": {"status": (103,)},
    "redirect": {"status": (301, 302, 307), "acts": (True, False)},
    "status": {
        "status": (401, 403, 408, 429, 500, 502, 503),
        "acts": (True, False),
        "retry_after": ("1", "0", None, "600"),
    },
    "cost": {"value": ("NaN", "-1", "1e400", "999")},
    "contacts": {"add": (-1, 1)},
    "ticket": {"value": ("", None, 7)},
    "body": {"content": ("{}", "null", "<html></html>"), "acts": (True, False)},
}
