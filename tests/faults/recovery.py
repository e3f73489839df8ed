"""How a schedule comes to rest: faults off, everything right, and plan, apply and resolve until nothing changes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from faults import book, saved
from faults.project import PROVIDERS
from faults.world import ENVIRONMENT, Decision

if TYPE_CHECKING:
    from faults.world import Ran, World

ROUNDS = 40
QUIET = timedelta(minutes=15).total_seconds()
"""Longer than any quiet time of a schedule, and the deadline of an attempt."""

NIGHT = timedelta(hours=12).total_seconds()
"""After which the hours that nobody may be called in are over."""

BLOCKED = (1, 3)
UNFINISHED = 5


def plan(world: World) -> Ran:
    """Make a plan and save it; one that could not be made leaves none."""
    path = world.root / f"{len(world.plans)}.plan"
    ran = world.run("--env", ENVIRONMENT, "plan", "--out", str(path))
    if path.exists():
        world.plans.append(path)
    return ran


def apply(world: World) -> Ran:
    """Apply the newest plan."""
    path = world.plans[-1]
    return world.run("apply", str(path), plan=path)


def doubts(world: World) -> list[str]:
    """Have octoplan settle what it can, and return the batches it leaves in doubt."""
    ran = world.run("--env", ENVIRONMENT, "resolve", "--json")
    try:
        told: Any = json.loads(ran.out)
    except ValueError:
        return []
    rows = told.get("batches", []) if isinstance(told, dict) else told
    return [row["batch"] for row in rows]


def decide(world: World, *, lie: bool = False, wait: bool = True) -> None:
    """Have a person decide on every batch that octoplan leaves in doubt: by the delivery log, or against it."""
    waiting = doubts(world)
    if waiting and wait:
        world.clock.advance(QUIET)
        waiting = doubts(world)
    for batch in waiting:
        reached = _reached(world, batch)
        sent = bool(reached) != lie
        word = "sent" if sent else "not-sent"
        ran = world.run("--env", ENVIRONMENT, "resolve", batch, "--as", word, "--reason", "looked it up")
        if ran.code == 0:
            if lie:
                world.met("false-decision")
            world.decisions.append(
                Decision(batch=batch, sent=sent, true=not lie, home=world.home, addresses=frozenset(reached))
            )


def _reached(world: World, batch: str) -> set[str]:
    """Return who was delivered a batch, by the request ids of its attempts."""
    kept = book.read(world.ledger)
    if kept is None:
        return set()
    ids = {attempt.request_id for attempt in kept.attempts.values() if attempt.batch == batch}
    return {one["address"] for one in world.server.deliveries() if one["request_id"] in ids}


def recover(world: World) -> None:
    """Put everything right, and go on until nobody is owed anything any more or a person's word is needed."""
    world.server.ask("faults", faults=[])
    for provider in PROVIDERS:
        world.server.ask("balance", amount="1000000", provider=provider)
    world.clock.skew = 0.0
    world.login = "sandbox-team"
    world.project.max_cost = "500"
    world.project.opted_out += [who for who in world.blacklisted if who not in world.project.opted_out]
    for one in world.project.campaigns:
        if one.held and set(one.people) <= set(world.blacklisted):  # the provider prepares nothing for nobody
            one.present = False
    world.write()
    world.clock.advance(QUIET)
    world.say("-- recovery")
    for _ in range(ROUNDS):
        decide(world)
        ran = plan(world)
        if ran.code == UNFINISHED:
            continue
        if ran.code != 0:
            if not ran.findings:
                world.broken("rest", f"everything is right again, and run {ran.number} ended {ran.code}: {ran.err}")
            return
        document = saved.read(world.plans[-1])
        if not any(one.action in ("send", "resume", "in_doubt", "wait") for one in document.campaigns):
            return
        if not _advanced(world, document) and not _applied(world):
            return
    world.broken("rest", f"no rest after {ROUNDS} rounds of plan, apply and resolve")


def _applied(world: World) -> bool:
    """Apply the newest plan, and let the night pass where nobody may be reached; False where it is blocked."""
    ran = apply(world)
    if ran.code == UNFINISHED and "closed: " in ran.err:
        world.clock.advance(NIGHT)
    return ran.code not in BLOCKED


def _advanced(world: World, document: saved.Document) -> bool:
    """Let time pass until the first waiting campaign opens, if nothing else is to be done; tell whether it did."""
    if any(one.action in ("send", "resume", "in_doubt") for one in document.campaigns):
        return False
    opens = [one.opens for one in document.campaigns if one.action == "wait" and one.opens]
    world.clock.advance(max(0.0, (min(opens) - world.clock.now()).total_seconds()) + 1)
    return True
