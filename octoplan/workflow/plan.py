"""Steps 1 to 6: from files to a plan and, beside it, what apply needs and a plan may not hold."""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from octoplan import __version__
from octoplan.audience import Engine
from octoplan.core import approval
from octoplan.core.errors import Exit, InputError, worst
from octoplan.core.model import Severity
from octoplan.core.plan import LedgerReference, Plan, PlannedCampaign, PriceReference, total
from octoplan.core.rules import finding
from octoplan.workflow.prepare import Preparation, Prepared, mark
from octoplan.workflow.select import select

if TYPE_CHECKING:
    from collections.abc import Iterable

    from octoplan.core.model import Finding, Money
    from octoplan.ledger import Ledger
    from octoplan.project import Loaded, Project, Wires
    from octoplan.workflow.progress import Progress



@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A plan, and the batches and approved entries it stands for."""

    plan: Plan
    prepared: tuple[Prepared, ...]

    @property
    def approved(self) -> frozenset[bytes]:
        """Who would get what: one entry per owed contact of every campaign that is not blocked."""
        return frozenset(entry for item in self.prepared if item.row.action != "blocked" for entry in item.entries)

    @property
    def exit(self) -> Exit:
        """1 for an error, 3 for a limit or warning that nobody accepted, else 0."""
        return verdict(self.plan)


def verdict(plan: Plan) -> Exit:
    """Return the exit code that a plan's findings ask for."""
    severities = {found.severity for campaign in plan.campaigns for found in campaign.findings}
    codes = [Exit.INPUT] if "error" in severities else []
    codes += [Exit.BLOCKED] if severities & {"limit", "warning"} else []
    return worst(codes)


def make(project: Project, *, words: Iterable[str] = (), offline: bool = False, progress: Progress) -> Draft:
    """Plan campaigns with the provider's simulation; `offline` uses neither network nor credentials.

    Raises:
        InputError: a file has findings of severity error; all of them.
        Refused: selection, ledger or credentials.
    """
    loaded = load(project)
    with contextlib.ExitStack() as stack:
        ledger = None
        if not offline or project.has_ledger():
            ledger = stack.enter_context(contextlib.closing(project.open_ledger()))
        wires = None if offline else stack.enter_context(project.wires())
        return draft(project, loaded, words=words, ledger=ledger, wires=wires, progress=progress)


def load(project: Project) -> Loaded:
    """Read all files.

    Raises:
        InputError: some file has findings of severity error; all of them.
    """
    loaded = project.load()
    if any(found.severity is Severity.ERROR for found in loaded.findings):
        raise InputError(loaded.findings)
    return loaded


def draft(  # noqa: PLR0913  the ports of a run; every one is named
    project: Project,
    loaded: Loaded,
    *,
    words: Iterable[str],
    ledger: Ledger | None,
    wires: Wires | None,
    progress: Progress,
    simulate: bool = True,
) -> Draft:
    """Plan with open ports; without `simulate` no request leaves at all (apply's own re-planning)."""
    chosen, selection = select(loaded.campaigns, words)
    now = project.clock()
    preparation = Preparation(
        project=project, loaded=loaded, ledger=ledger, wires=wires if simulate else None, now=now, progress=progress
    )
    prepared: list[Prepared] = []
    with Engine(project.temporary_folder()) as engine:
        for campaign in chosen:
            progress.step("plan", campaign.id)
            prepared.append(preparation.prepare(campaign, engine))
    prepared = _within_project_limits(project, prepared)
    rows = tuple(item.row for item in prepared)
    limits = project_limits(project)
    names = sorted({campaign.provider for campaign in chosen})
    totals = total(rows)
    plan = Plan(
        octoplan_version=__version__,
        plan_id=uuid.uuid4().hex,
        digest=approval.plan_digest(
            [item.spec for item in prepared],
            limits=limits,
            prices={name: approval.prices_digest(loaded.prices[name]) for name in names},
            environment=project.surroundings.name,
        ),
        created_at=now,
        apply_until=max((row.apply_until for row in rows if _sends(row) and row.apply_until), default=None),
        env=project.surroundings.name,
        sandbox=project.surroundings.sandbox,
        accounts={} if wires is None else {name: project.account(name) for name in names},
        offline=wires is None,
        ledger=None if ledger is None else LedgerReference(id=ledger.identity.id, serial=ledger.identity.serial),
        git=project.git(),
        selection=selection,
        prices={
            name: PriceReference(as_of=loaded.prices[name].as_of, digest=approval.prices_digest(loaded.prices[name]))
            for name in names
        },
        limits=limits,
        campaigns=rows,
        totals=totals,
        approvable=wires is not None and totals.blocked == 0,
    )
    return Draft(plan=plan, prepared=tuple(prepared))


def project_limits(project: Project) -> dict[str, Any]:
    """Return the project's limits in this environment, as the digest sees them."""
    limits: dict[str, Any] = approval.canonical(project.limits)
    return limits


def _sends(row: PlannedCampaign) -> bool:
    return row.action in ("send", "resume", "wait", "in_doubt")


def _within_project_limits(project: Project, prepared: list[Prepared]) -> list[Prepared]:
    """Block the campaigns with which the running total of one plan exceeds the project's limits."""
    limits = project.limits
    spent = Decimal(0)
    contacts = 0
    result = []
    for item in prepared:
        estimate = item.row.estimate
        if estimate is None or item.row.action == "blocked" or not _sends(item.row):
            result.append(item)
            continue
        found = _project_findings(
            limits.max_cost, spent + Decimal(estimate.worst), limits.max_contacts, contacts + estimate.contacts
        )
        if found:
            result.append(mark(item, project.source.locate(found)))
        else:
            spent += Decimal(estimate.worst)
            contacts += estimate.contacts
            result.append(item)
    return result


def _project_findings(
    max_cost: Money | None, spent: Decimal, max_contacts: int | None, contacts: int
) -> tuple[Finding, ...]:
    found = []
    if max_cost is not None and spent > max_cost.amount:
        found.append(
            finding(
                "cost-limit",
                "with this campaign the plan's worst cost is above the project's limit for one plan",
                path=("limits", "max_cost"),
                value=f"{spent:.2f}",
                limit=f"{max_cost.amount:.2f}",
                hint="deselect campaigns, or raise the limit in a reviewed change",
            )
        )
    if max_contacts is not None and contacts > max_contacts:
        found.append(
            finding(
                "contacts-limit",
                "with this campaign the plan's contacts are above the project's limit for one plan",
                path=("limits", "max_contacts"),
                value=str(contacts),
                limit=str(max_contacts),
                hint="deselect campaigns, or raise the limit in a reviewed change",
            )
        )
    return tuple(found)
