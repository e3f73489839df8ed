"""The project's limits on a plan as a whole: cost, contacts, and what has to stay on the account."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from octoplan.core.errors import Refused, Unfinished
from octoplan.core.model import Money, Verdict
from octoplan.core.rules.plan import Running, check_running
from octoplan.workflow.prepare import mark

if TYPE_CHECKING:
    from collections.abc import Iterable

    from octoplan.core.model import Finding
    from octoplan.project import Project
    from octoplan.project.wires import Wires
    from octoplan.workflow.prepare import Prepared

SENDING = ("send", "resume", "wait", "in_doubt")


def within_limits(project: Project, prepared: Iterable[Prepared], *, wires: Wires | None) -> list[Prepared]:
    """Block the campaigns with which the running sums of one plan exceed the project's limits.

    Raises:
        Unfinished: the balance is needed and the provider cannot be reached.
        Refused: it does not tell the balance.
    """
    limits = project.limits
    asks = wires is not None and limits.min_balance is not None
    balances: dict[str, Money] = {}
    worst: dict[str, Decimal] = defaultdict(Decimal)
    drawn: dict[str, Decimal] = defaultdict(Decimal)
    contacts = 0
    judged = []
    for item in prepared:
        estimate, name = item.row.estimate, item.row.provider
        if estimate is None or item.row.action not in SENDING:
            judged.append(item)
            continue
        if wires is not None and asks and name not in balances:
            balances[name] = balance(wires, name)
        amount = Decimal(estimate.worst)
        running = Running(
            limits=limits,
            worst=worst[estimate.currency] + amount,
            contacts=contacts + estimate.contacts,
            currency=estimate.currency,
            drawn=drawn[name] + amount,
            balance=balances.get(name),
            least=limits.min_balance,
        )
        marked = mark(item, placed(project, check_running(running)))
        judged.append(marked)
        if marked.row.action != "blocked":
            worst[estimate.currency] += amount
            drawn[name] += amount
            contacts += estimate.contacts
    return judged


def placed(project: Project, found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Place findings at the limit that counts: the environment's, where it has one of its own."""
    name = project.surroundings.name
    inner = project.settings.environments.get(name)
    own = ("environments", name)
    return project.source.locate(
        replace(one, path=(*own, *one.path)) if inner and getattr(inner.limits, str(one.path[1])) is not None else one
        for one in found
    )


def balance(wires: Wires, name: str) -> Money:
    """Ask a provider what its account holds.

    Raises:
        Unfinished: it cannot be reached.
        Refused: it does not tell.
    """
    from octoplan.wire import Deadline  # noqa: PLC0415  what is offline needs no HTTP

    provider = wires.project.provider(name)
    with contextlib.closing(wires.planning(name)) as wire:
        found = provider.read_balance(wire.exchange(provider.balance(), Deadline()))
    if isinstance(found, Money):
        return found
    if found.verdict is Verdict.UNREACHABLE:
        raise Unfinished(
            f"{name} does not tell its balance ({found.reason}): run the same command again", reason="unreachable"
        )
    raise Refused(
        f"{name} refuses to tell its balance ({found.reason}): check its credentials, or remove `limits.min_balance`",
        reason="credentials",
    )
