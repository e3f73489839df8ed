"""What happens in a schedule, step by step: people who plan, apply, edit and decide, and what goes wrong meanwhile."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from faults import book, calls, recovery
from faults.project import PROVIDERS, Person
from faults.world import ENVIRONMENT, Order, forget

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.points import Strike
    from faults.project import Campaign
    from faults.world import Ran, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step; `how` is what its function takes."""

    name: str
    how: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        told = ", ".join(f"{name}={value}" for name, value in self.how.items() if value not in (None, (), 0, False))
        return f"{self.name}({told})"


def take(world: World, step: Step) -> None:
    """Do a step."""
    world.say(f"{world.clock.now():%m-%d %H:%M:%S} {step}")
    STEPS[step.name](world, **step.how)


def plan(world: World) -> None:
    recovery.plan(world)


def apply(
    world: World,
    *,
    back: int = 0,
    strikes: tuple[Strike, ...] = (),
    faults: tuple[dict[str, Any], ...] = (),
    rival: tuple[int, tuple[Strike, ...]] | None = None,
) -> None:
    """Apply the newest plan, or the one `back` before it; `rival` is a run at the same time: its plan and strikes."""
    if not world.plans:
        return
    _install(world, faults)
    if back and len(world.plans) > 1:
        world.met("older-plan")
    orders = [_order(world, back, strikes=strikes)]
    if rival is not None:
        orders.append(_order(world, rival[0], strikes=rival[1]))
        world.met("at-once")
    world.together(*orders)
    _take_note(world)
    _install(world, ())


def _install(world: World, faults: tuple[dict[str, Any], ...]) -> None:
    names = {one["fault"] for one in faults}
    if world.faults:
        for one in world.server.ask("faults")["faults"]:
            if one["struck"]:
                world.met(f"wire-{one['fault']}")
    if faults != world.faults:
        world.server.ask("faults", faults=list(faults), seed=world.seed)
    world.patience = 0.3 if names & {"hang", "late"} else 20.0
    world.faults = faults
    world.delayed = world.delayed or "late" in names
    world.priced = world.priced or "cost" in names


def _order(world: World, back: int, *, strikes: tuple[Strike, ...]) -> Order:
    path = world.plans[max(0, len(world.plans) - 1 - back)]
    return Order(words=("apply", str(path)), strikes=strikes, plan=path)


def _take_note(world: World) -> None:
    """Learn who has opted out while a run lasted."""
    text = (world.home / "audiences/stop.csv").read_text(encoding="utf-8")
    for number in range(12):
        if Person(number).phone in text and number not in world.project.opted_out:
            world.project.opted_out.append(number)
            world.say(f"  person {number} has opted out meanwhile")


def jump(world: World, *, seconds: float) -> None:
    world.met("clock-jump")
    world.clock.advance(seconds)


def back(world: World, *, seconds: float) -> None:
    """Set octoplan's clock back, or right again."""
    world.clock.skew = -seconds
    if seconds:
        world.met("clock-back")
    world.skewed = world.skewed or bool(seconds)


def edit(world: World, *, what: str, campaign: int, who: int = 0) -> None:
    """Change one thing of one campaign."""
    one = world.project.campaigns[campaign % len(world.project.campaigns)]
    world.met(f"edit-{what}")
    EDITS[what](world, one, who)
    world.write()


def opt_out(world: World, *, who: int) -> None:
    if who not in world.project.opted_out:
        world.met("opt-out")
        world.project.opted_out.append(who)
    world.write()


def limit(world: World, *, amount: str) -> None:
    world.met("limit")
    world.project.max_cost = amount
    world.write()


def account(world: World) -> None:
    world.met("account")
    world.login = "sandbox-other" if world.login == "sandbox-team" else "sandbox-team"


def switch(world: World, *, campaign: int) -> None:
    """Have the other provider make the calls of a campaign."""
    one = world.project.campaigns[campaign % len(world.project.campaigns)]
    if one.channel == "voice" and not one.held:
        world.met("provider")
        one.provider = "octopush" if one.provider == "routee" else "routee"
        world.write()


def balance(world: World, *, amount: str) -> None:
    world.met("balance")
    for provider in PROVIDERS:
        world.server.ask("balance", amount=amount, provider=provider)


def blacklist(world: World, *, who: int) -> None:
    world.met("blacklist")
    world.server.ask("blacklist", addresses=[Person(who).phone])
    world.blacklisted.append(who)


def resolve(world: World, *, strikes: tuple[Strike, ...] = (), faults: tuple[dict[str, Any], ...] = ()) -> None:
    """Let octoplan settle what it can."""
    _install(world, faults)
    world.run("--env", ENVIRONMENT, "resolve", "--json", strikes=strikes)
    _install(world, ())


def decide(world: World, *, lie: bool = False, wait: bool = True) -> None:
    """Have a person decide on every batch in doubt."""
    recovery.decide(world, lie=lie, wait=wait)


def trouble(world: World, *, what: str) -> None:
    """Put the ledger wrong, apply, and put it right again: nothing may have left."""
    kept = book.read(world.ledger)
    if kept is None or (what == "restored" and not kept.attempts):
        return  # a backup that lacks nobody who was sent something is no trouble: it may not have been noted
    before = world.server.requests(world.seen)
    world.seen += len(before)
    world.met(f"ledger-{what}")
    world.troubled = True
    mend = TROUBLES[what](world)
    if world.plans:
        path = world.plans[-1]
        ran = world.run("apply", str(path), plan=path)
        _nothing_left(world, ran, what)
    _nothing_left(world, world.run("--env", ENVIRONMENT, "plan"), what)
    mend()
    world.troubled = False


def _nothing_left(world: World, ran: Ran, what: str) -> None:
    if ran.code != 1:
        world.broken("ledger", f"run {ran.number} ended {ran.code}, not 1, with its ledger {what}")
    sent = [one for one in world.server.requests(ran.requests.start)[: len(ran.requests)] if calls.may_send(one)]
    if sent:
        world.broken("ledger", f"run {ran.number} sent with its ledger {what}")


def _deleted(world: World) -> Callable[[], None]:
    there = world.ledger.with_name("kept")
    world.ledger.rename(there)
    return lambda: _restore(world, there)


def _truncated(world: World) -> Callable[[], None]:
    there = world.ledger.with_name("kept")
    shutil.copy2(world.ledger, there)
    os.truncate(world.ledger, 0)
    return lambda: _restore(world, there)


def _torn(world: World) -> Callable[[], None]:
    there = world.ledger.with_name("kept")
    shutil.copy2(world.ledger, there)
    content = bytearray(there.read_bytes())
    content[:100] = bytes(100)
    world.ledger.write_bytes(bytes(content))
    return lambda: _restore(world, there)


def _backup(world: World) -> Callable[[], None]:
    """Put back the ledger as it was before anything was sent."""
    there = world.ledger.with_name("kept")
    world.ledger.rename(there)
    shutil.copy2(world.root / "backup.db", world.ledger)
    return lambda: _restore(world, there)


def _restore(world: World, there: Any) -> None:
    forget(world.ledger)
    there.rename(world.ledger)


def _wrong_key(world: World) -> Callable[[], None]:
    (path,) = (world.home / ".octoplan/keys").iterdir()
    right = path.read_text()
    path.write_text(right[::-1])
    return lambda: _rewrite(path, right)


def _no_key(world: World) -> Callable[[], None]:
    (path,) = (world.home / ".octoplan/keys").iterdir()
    right = path.read_text()
    path.unlink()
    return lambda: _rewrite(path, right)


def _rewrite(path: Any, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)


def _foreign(world: World) -> Callable[[], None]:
    """Name another ledger in the project than the one that is there."""
    right = world.project.ledger_id
    (key,) = (world.home / ".octoplan/keys").iterdir()
    other = key.with_name("0badf00d")
    shutil.copy2(key, other)
    world.project.ledger_id = "0badf00d"
    world.write()

    def mend() -> None:
        other.unlink()
        world.project.ledger_id = right
        world.write()

    return mend


def copy(world: World, *, first: bool, strikes: tuple[Strike, ...] = ()) -> None:
    """Apply the newest plan here and in a copy of the project made just before: two ledgers, the same batches."""
    if not world.plans:
        return
    world.met("second-ledger")
    there = world.copied(f"copy{len(world.homes)}")
    path = world.plans[-1]
    orders = [
        Order(words=("apply", str(path)), plan=path, home=there),
        Order(words=("apply", str(path)), plan=path, strikes=strikes),
    ]
    for order in orders if first else reversed(orders):
        world.together(order)


def _reword(_world: World, one: Campaign, _who: int) -> None:
    one.wording += 1


def _revalue(_world: World, one: Campaign, who: int) -> None:
    if one.people:
        number = one.people[who % len(one.people)]
        one.values[number] = one.values.get(number, 0) + 1


def _join(_world: World, one: Campaign, who: int) -> None:
    if who not in one.people:
        one.people.append(who)


def _leave_list(_world: World, one: Campaign, who: int) -> None:
    if len(one.people) > 1:
        one.people.pop(who % len(one.people))


def _again(_world: World, one: Campaign, _who: int) -> None:
    one.edition += 1


def _rename(_world: World, one: Campaign, _who: int) -> None:
    one.file += "x"


def _delete(_world: World, one: Campaign, _who: int) -> None:
    one.present = not one.present


def _undo(_world: World, one: Campaign, who: int) -> None:
    """Take the last change of a text, or of who is in, back."""
    if one.wording:
        one.wording -= 1
    elif who in one.people[1:]:
        one.people.remove(who)


EDITS: dict[str, Callable[[World, Campaign, int], None]] = {
    "text": _reword,
    "value": _revalue,
    "join": _join,
    "leave": _leave_list,
    "edition": _again,
    "file": _rename,
    "delete": _delete,
    "undo": _undo,
}
TROUBLES: dict[str, Callable[[World], Callable[[], None]]] = {
    "deleted": _deleted,
    "truncated": _truncated,
    "torn": _torn,
    "wrong-key": _wrong_key,
    "no-key": _no_key,
    "foreign": _foreign,
    "restored": _backup,
}
STEPS: dict[str, Callable[..., None]] = {
    "plan": plan,
    "apply": apply,
    "jump": jump,
    "back": back,
    "edit": edit,
    "opt_out": opt_out,
    "limit": limit,
    "account": account,
    "switch": switch,
    "balance": balance,
    "blacklist": blacklist,
    "resolve": resolve,
    "decide": decide,
    "trouble": trouble,
    "copy": copy,
}
