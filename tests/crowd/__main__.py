"""`python -m tests.crowd [--processes N…] [--seeds N…] [--pairs N] [--own N]`: what it finds, one line a game."""

from __future__ import annotations

import argparse
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

from person import Trouble
from stem import warm

from .dice import crowd
from .pairs import pairs

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crowd", description=sys.modules[__package__].__doc__)
    parser.add_argument("--processes", type=int, nargs="*", default=[2, 8, 32], metavar="N", help="sizes of crowds")
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3, 4, 5], metavar="S", help="of their dice")
    parser.add_argument("--pairs", type=int, default=50, metavar="N", help="rounds of two applies of one saved plan")
    parser.add_argument("--own", type=int, default=50, metavar="N", help="the same, each of a plan of its own")
    asked = parser.parse_args()
    warm()
    games = [
        (f"crowd of {size}, seed {seed}", partial(crowd, size, seed=seed))
        for size in asked.processes
        for seed in asked.seeds
    ]
    if asked.pairs:
        games.append((f"two at once, {asked.pairs} times", partial(_told, asked.pairs, saved=True)))
    if asked.own:
        games.append((f"two at once, each its own plan, {asked.own} times", partial(_told, asked.own, saved=False)))
    troubles = [_played(name, game) for name, game in games]
    found = [trouble for trouble in troubles if trouble]
    lost, double = sum(trouble.lost for trouble in found), sum(trouble.double for trouble in found)
    say(f"games {len(troubles)} · lost {lost} · double {double} · in trouble {len(found)}")
    return int(bool(found))


def _played(name: str, game: Callable[[], str]) -> Trouble | None:
    began = time.monotonic()
    try:
        say(f"{name}: {game()} · {time.monotonic() - began:.1f} s")
    except Trouble as trouble:
        say(f"{name}: TROUBLE: {trouble}")
        return trouble
    return None


def _told(rounds: int, *, saved: bool) -> str:
    return "; ".join(f"{ends}: {count}" for ends, count in pairs(rounds, saved=saved).most_common())


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
