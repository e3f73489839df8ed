"""Beginnings that lead to where promises are easily broken, each drawn in many ways; `schedule` adds what follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faults.points import Strike
from faults.steps import Step

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

SENDS: dict[str, Any] = {"endpoint": "multi-channel/send", "simulation": False}
LOST = ("lose-reply", "reset-reply", "reset-request", "truncate", "garbage", "hang")
REFUSALS: tuple[dict[str, Any], ...] = (
    {"fault": "status", "status": 401},
    {"fault": "status", "status": 403},
    {"fault": "status", "status": 503},
    {"fault": "refuse"},
    {"fault": "lose-reply"},
)


def doubt(dice: random.Random) -> list[Step]:
    """Lose a reply, or kill a run; change something, let time pass, and have the doubt closed."""
    return [Step(name="plan"), _doubtful(dice), *_change(dice), *_time(dice), *_closing(dice)]


def _doubtful(dice: random.Random) -> Step:
    if dice.random() < 0.3:
        strike = Strike(what="kill", kinds=dice.choice((("send",), ("receive",))), at=dice.randint(1, 6))
        return Step(name="apply", how={"strikes": (strike,)})
    name = dice.choice(LOST)
    fault = {"fault": name, **SENDS, "skip": dice.choice((0, 0, 1, 2)), "times": dice.choice((1, 1, 2))}
    if name == "hang":
        fault["seconds"] = 1.0
    return Step(name="apply", how={"faults": (fault,)})


def _change(dice: random.Random) -> list[Step]:
    changes: tuple[Step | None, ...] = (
        None,
        None,
        Step(name="opt_out", how={"who": dice.randrange(12)}),
        Step(name="edit", how={"what": "text", "campaign": 0}),
        Step(name="edit", how={"what": "leave", "campaign": 0, "who": dice.randrange(12)}),
        Step(name="edit", how={"what": "edition", "campaign": 0}),
        Step(name="edit", how={"what": "delete", "campaign": 0}),
        Step(name="account"),
        Step(name="balance", how={"amount": "0"}),
        Step(name="blacklist", how={"who": dice.randrange(12)}),
    )
    return [step for step in dice.sample(changes, dice.choice((1, 1, 2))) if step]


def _time(dice: random.Random) -> list[Step]:
    seconds = dice.choice((0, 60, 840, 840, 840, 25 * 3600))
    return [Step(name="jump", how={"seconds": seconds})] if seconds else []


def _closing(dice: random.Random) -> list[Step]:
    faults: tuple[dict[str, Any], ...] = ()
    if dice.random() < 0.4:
        faults = ({**dice.choice(REFUSALS), **SENDS, "times": dice.choice((1, None))},)
    word = dice.random()
    if word < 0.25:
        return [Step(name="decide", how={"wait": False})]
    again = [Step(name="decide", how={"wait": False})] if word < 0.5 else []
    return [Step(name="resolve", how={"faults": faults}), *again]


def rivals(dice: random.Random) -> list[Step]:
    """Apply two plans at once: the second begins, and mostly ends, while the first is at one of its points."""
    kind, most = dice.choice((("read", 26), ("read", 26), ("commit", 14), ("connect", 6), ("receive", 8)))
    what = "pause" if kind == "commit" else "await"
    slow = (Strike(what=what, kinds=(kind,), at=dice.randint(1, most)),)
    change = dice.choice(
        (
            [],
            [Step(name="edit", how={"what": "text", "campaign": 0})],
            [Step(name="opt_out", how={"who": dice.randrange(12)})],
        )
    )
    first, second = dice.choice(((0, 0), (0, 1), (1, 0), (1, 0)))
    how = {"back": first, "strikes": slow, "rival": (second, ())}
    apply = Step(name="apply", how=how)
    return [Step(name="plan"), *change, Step(name="plan"), apply]


def frozen(dice: random.Random) -> list[Step]:
    """Stop the process between its claim and its request."""
    strike = Strike(what="freeze", kinds=("connect",), at=dice.randint(1, 6))
    apply = Step(name="apply", how={"strikes": (strike,)})
    return [Step(name="plan"), apply]


def overtaken(dice: random.Random) -> list[Step]:
    """Apply an older plan after a newer one that was not finished."""
    strike = Strike(what=dice.choice(("kill", "SIGTERM")), kinds=("commit",), at=dice.randint(5, 14))
    return [
        Step(name="plan"),
        Step(name="edit", how={"what": dice.choice(("text", "join")), "campaign": 0, "who": 3}),
        Step(name="plan"),
        Step(name="apply", how={"strikes": (strike,)}),
        Step(name="edit", how={"what": "undo", "campaign": 0}),
        Step(name="apply", how={"back": 1}),
    ]


def mute(dice: random.Random) -> list[Step]:
    """Let nobody hear what is told from the first request on, or a later one."""
    strike = Strike(what="mute", kinds=("connect",), at=dice.choice((1, 1, 3)))
    return [Step(name="plan"), Step(name="apply", how={"strikes": (strike,)})]


def repeated(dice: random.Random) -> list[Step]:
    """Lose a reply and have the request repeated in good time, when somebody has left or the provider refuses."""
    lost = {"fault": dice.choice(("lose-reply", "reset-reply", "truncate")), **SENDS, "skip": dice.choice((0, 1))}
    left = [Step(name="opt_out", how={"who": dice.randrange(12)})] if dice.random() < 0.6 else []
    refused = ({**dice.choice(REFUSALS), **SENDS, "times": 1},) if dice.random() < 0.5 else ()
    return [
        Step(name="plan"),
        Step(name="apply", how={"faults": ({**lost, "times": 1},)}),
        *left,
        Step(name="jump", how={"seconds": 840}),
        Step(name="resolve", how={"faults": refused}),
    ]


def belated(dice: random.Random) -> list[Step]:
    """Begin, or not, and go on when the time in the plan may be over."""
    strike = Strike(what=dice.choice(("kill", "SIGTERM")), kinds=("commit",), at=dice.randint(5, 14))
    begun = [Step(name="apply", how={"strikes": (strike,)})] if dice.random() < 0.5 else []
    late = Step(name="jump", how={"seconds": dice.choice((6, 7, 8)) * 86400 + dice.choice((0, 3600))})
    return [Step(name="plan"), *begun, late, Step(name="apply")]


def left(dice: random.Random) -> list[Step]:
    """Let somebody opt out while batches are being sent."""
    strike = Strike(what="optout", kinds=dice.choice((("commit",), ("receive",))), at=dice.randint(3, 14))
    return [Step(name="plan"), Step(name="apply", how={"strikes": (strike,)})]


def shared(dice: random.Random) -> list[Step]:
    """Apply the same plan in a copy of the project."""
    return [Step(name="plan"), Step(name="copy", how={"first": dice.random() < 0.5})]


STORIES: dict[Callable[[random.Random], list[Step]], int] = {
    doubt: 8,
    rivals: 4,
    frozen: 1,
    overtaken: 2,
    mute: 1,
    repeated: 2,
    belated: 1,
    left: 1,
    shared: 1,
}
"""Each by how often it begins a schedule."""
