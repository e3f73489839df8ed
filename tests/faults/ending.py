"""Nobody lost silently: at rest, the ledger counts as sent exactly whom the oracle does, and names the others."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from faults import recovery, saved
from faults.project import Person
from faults.world import ENVIRONMENT

if TYPE_CHECKING:
    from faults.oracle import Of, Oracle
    from faults.project import Campaign
    from faults.witness import Witness
    from faults.world import World


def come_to_rest(world: World, witness: Witness) -> Counter[str]:
    """Put everything right until nobody is owed anything, then compare; campaigns that are blocked are left out.

    Return how many people are named by which word as owed and not sent.
    """
    for one in world.project.campaigns:
        one.present = True
    named: Counter[str] = Counter()
    for _ in world.project.campaigns:
        recovery.recover(world)
        blocked = {one.id: one for one in saved.read(world.plans[-1]).campaigns if one.action == "blocked"}
        for one in world.project.campaigns:
            if one.present and one.id in blocked:
                named["blocked"] += blocked[one.id].contacts
                one.present = False
        if not blocked:
            break
    witness.resolve_beliefs(world)
    return named + _compare(world, witness.oracle)


def _compare(world: World, oracle: Oracle) -> Counter[str]:
    """Note who is lost, or counted wrong."""
    ran = world.run("--env", ENVIRONMENT, "status", "--json")
    found = json.loads(ran.out) if ran.code == 0 else []
    rows: dict[Of, dict[str, Any]] = {(row["campaign"], row["edition"]): row for row in found}
    for of, people in oracle.held.items():
        sent, doubtful = (rows.get(of, {}).get(name, 0) for name in ("sent", "in_doubt"))
        if not sent <= len(people) <= sent + doubtful:
            world.broken("count", f"{len(people)} have {of}, and status says sent {sent}, in doubt {doubtful}")
    planned = {(row["id"], row["edition"]): row for row in json.loads(saved.read(world.plans[-1]).text)["campaigns"]}
    named: Counter[str] = Counter()
    for one in (one for one in world.project.campaigns if one.present):
        of = (one.id, one.edition)
        missing = {Person(number).address(one.channel) for number in one.people}
        missing -= world.project.suppressed() | oracle.held[of]
        later = _later(one, missing, oracle=oracle)
        word = _word(planned[of], missing - later, standing=rows.get(of, {}))
        if word is None:
            world.broken("lost", f"{sorted(missing - later)} have no {of}, and nothing says so: {planned[of]}")
        named.update({"joined-later": len(later), word or "": len(missing - later)})
    return +named


def _later(one: Campaign, missing: set[str], *, oracle: Oracle) -> set[str]:
    """Return who joined after the edition had begun, and is not sent it for that reason."""
    members = oracle.members.get((one.id, one.edition))
    return set() if members is None or one.new_contacts == "send" else missing - members


def _word(row: dict[str, Any], missing: set[str], *, standing: dict[str, Any]) -> str | None:
    """Return the word by which plan or status name people who are owed an edition; None if none does."""
    excluded = (row["audience"] or {"excluded": {}})["excluded"]
    words = {
        "sent": not missing,
        "missed": row["reason"] == "missed",
        "in doubt": row["in_doubt"] >= len(missing),
        "rejected": standing.get("rejected", 0) >= len(missing),
        "joined-later": excluded.get("joined-later", 0) >= len(missing),
    }
    return next((word for word, applies in words.items() if applies), None)
