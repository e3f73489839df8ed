"""`python -m tests.crash [--jobs N] [--point K] [--how kill|ENOSPC|EIO|full] [--only batches|list] [--list]`."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from stem import warm

from .stage import SCENES, Struck, stage
from .strace import HOWS, USUAL, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.queues import SimpleQueue

    from .listing import Point

    Order = tuple[Point, str]
    Result = tuple[Point, str, Struck]


def main() -> int:
    asked = _arguments()
    warm()
    try:
        return max([_play(scene, asked) for scene in asked.only or SCENES])
    except Refused as refused:
        say(f"tests.crash: {refused}")
        return 1


def _play(scene: str, asked: argparse.Namespace) -> int:
    """Strike one scene at all its points, say how it went, and return 1 where something was not well."""
    with stage(scene) as first:
        found, alike = first.listing()
    if asked.list:
        for point in found:
            say(str(point))
        return 0
    where = Counter(f"{point.call.name} {point.call.place}" for point in found)
    say("; ".join(f"{name} {count}" for name, count in where.most_common()))
    say(f"{alike} further calls of the ledger's write test are like their neighbours and left out")
    chosen = [point for point in found if point.number in (asked.point or [point.number])]
    return _strike(scene, [(point, how) for point in chosen for how in asked.how or USUAL], jobs=asked.jobs)


def _strike(scene: str, orders: list[Order], *, jobs: int) -> int:
    """Carry out all orders, say how it went, and return 1 where something was not well."""
    began, results = time.monotonic(), []
    for result in _all(scene, orders, jobs=min(jobs, len(orders))):
        results.append(_told(result, scene=scene))
        if len(results) % 100 == 0:
            say(f"{len(results)} of {len(orders)}, {time.monotonic() - began:.0f} s")
    points = len({point.number for point, _ in orders})
    ended = _sum_up(results, scene=scene, points=points, seconds=time.monotonic() - began)
    return ended or int(len(results) < len(orders))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=sys.modules[__package__].__doc__)
    parser.add_argument("--jobs", type=int, default=2, metavar="N")
    parser.add_argument("--point", type=int, nargs="+", metavar="K", help="only these")
    parser.add_argument("--how", choices=tuple(HOWS), action="append", help="only so")
    parser.add_argument("--only", choices=tuple(SCENES), action="append", help="only a campaign of this kind")
    parser.add_argument("--list", action="store_true", help="list the points of a run that nothing disturbs")
    return parser.parse_args()


def _all(scene: str, orders: list[Order], *, jobs: int) -> Iterator[Result]:
    """Yield what became of every strike, from `jobs` processes, each with a sandbox and a project of its own."""
    context = multiprocessing.get_context("fork")
    answers: SimpleQueue[Result | None] = context.SimpleQueue()
    crew = [context.Process(target=_work, args=(scene, orders[start::jobs], answers)) for start in range(jobs)]
    for worker in crew:
        worker.start()
    working = jobs
    while working:
        answer = answers.get()
        if answer is None:
            working -= 1
        else:
            yield answer
    for worker in crew:
        worker.join()


def _work(scene: str, orders: list[Order], answers: SimpleQueue[Result | None]) -> None:
    try:
        with stage(scene) as played:
            for point, how in orders:
                answers.put((point, how, played.strike(point, how)))
    finally:
        answers.put(None)


def _told(result: Result, *, scene: str) -> Result:
    """Say at once what is not well, and how to see it again."""
    point, how, struck = result
    if struck.trouble or not struck.reached:
        say(f"point {point} {how}, exit {struck.code}: {struck.trouble or 'not reached'}")
        say(f"  python -m tests.crash --only {scene} --point {point.number} --how {how}")
    return result


def _sum_up(results: list[Result], *, scene: str, points: int, seconds: float) -> int:
    """Say how it went, and return 1 where something was not well."""
    reached = [(how, struck) for _, how, struck in results if struck.reached]
    hows, codes = Counter(how for how, _ in reached), Counter(struck.code for _, struck in reached)
    troubles = [struck.trouble for _, struck in reached if struck.trouble]
    rescued, decided = sum(struck.rescued for _, struck in reached), sum(struck.decided for _, struck in reached)
    say("exit codes of the runs struck: " + " · ".join(f"{code}: {count}" for code, count in sorted(codes.items())))
    say(f"outcomes rescued {rescued} · batches decided by a person {decided} · {seconds:.0f} s")
    figures = {
        "points": points,
        "killed": hows["kill"],
        "ENOSPC": hows["ENOSPC"],
        "EIO": hows["EIO"],
        **({"full": hows["full"]} if hows["full"] else {}),
        "not reached": len(results) - len(reached),
        "lost": sum(trouble.lost for trouble in troubles),
        "double": sum(trouble.double for trouble in troubles),
        "other trouble": sum(not trouble.lost + trouble.double for trouble in troubles),
    }
    say(f"{scene}: " + " · ".join(f"{name} {figure:,}" for name, figure in figures.items()))
    return int(bool(troubles) or len(reached) < len(results))


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
