"""`python -m tests.crash [--jobs N] [--point K] [--how kill|ENOSPC|EIO] [--list]`."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from stem import warm

from .stage import Struck, stage
from .strace import HOWS, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.queues import SimpleQueue

    from .listing import Point

    Result = tuple[Point, str, Struck]


def main() -> int:
    asked = _arguments()
    warm()
    began = time.monotonic()
    try:
        with stage() as first:
            found, alike = first.listing()
    except Refused as refused:
        say(f"tests.crash: {refused}")
        return 1
    if asked.list:
        for point in found:
            say(str(point))
        return 0
    orders = [
        (point, how) for point in found if asked.point in (None, point.number) for how in asked.how or tuple(HOWS)
    ]
    results = [_told(result) for result in _all(orders, jobs=min(asked.jobs, len(orders)))]
    where = Counter(f"{point.call.name} {point.call.place}" for point in found)
    say("; ".join(f"{name} {count}" for name, count in where.most_common()))
    say(f"{alike} calls of the ledger's write test are like their neighbours and were left out")
    return _sum_up(results, points=len({point.number for point, _ in orders}), seconds=time.monotonic() - began)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=sys.modules[__package__].__doc__)
    parser.add_argument("--jobs", type=int, default=2, metavar="N")
    parser.add_argument("--point", type=int, metavar="K", help="only this one")
    parser.add_argument("--how", choices=tuple(HOWS), action="append", help="only so")
    parser.add_argument("--list", action="store_true", help="list the points of a run that nothing disturbs")
    return parser.parse_args()


def _all(orders: list[tuple[Point, str]], *, jobs: int) -> Iterator[Result]:
    """Yield what became of every strike, from `jobs` processes, each with a sandbox and a project of its own."""
    context = multiprocessing.get_context("fork")
    answers: SimpleQueue[Result | None] = context.SimpleQueue()
    crew = [context.Process(target=_work, args=(orders[start::jobs], answers)) for start in range(jobs)]
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


def _work(orders: list[tuple[Point, str]], answers: SimpleQueue[Result | None]) -> None:
    try:
        with stage() as played:
            for point, how in orders:
                answers.put((point, how, played.strike(point, how)))
    finally:
        answers.put(None)


def _told(result: Result) -> Result:
    """Say at once what is not well, and how to see it again."""
    point, how, struck = result
    if struck.trouble or not struck.reached:
        say(f"point {point} {how}, exit {struck.code}: {struck.trouble or 'not reached'}")
        say(f"  python -m tests.crash --point {point.number} --how {how}")
    return result


def _sum_up(results: list[Result], *, points: int, seconds: float) -> int:
    """Say how it went, and return 1 where something was not well."""
    reached = [(how, struck) for _, how, struck in results if struck.reached]
    hows, codes = Counter(how for how, _ in reached), Counter(struck.code for _, struck in reached)
    troubles = [struck.trouble for _, struck in reached if struck.trouble]
    lost, double = sum(trouble.lost for trouble in troubles), sum(trouble.double for trouble in troubles)
    rescued, decided = sum(struck.rescued for _, struck in reached), sum(struck.decided for _, struck in reached)
    say("exit codes of the runs struck: " + " · ".join(f"{code}: {count}" for code, count in sorted(codes.items())))
    say(f"outcomes rescued {rescued} · batches decided by a person {decided} · {seconds:.0f} s")
    say(
        f"points {points} · killed {hows['kill']} · ENOSPC {hows['ENOSPC']} · EIO {hows['EIO']} · "
        f"not reached {len(results) - len(reached)} · lost {lost} · double {double} · "
        f"other trouble {sum(not trouble.lost + trouble.double for trouble in troubles)}"
    )
    return int(bool(troubles) or len(reached) < len(results))


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
