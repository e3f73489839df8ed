"""Step 8: plan again and compare with what was approved; what passes is run."""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from octoplan.core.errors import OctoplanError
from octoplan.core.plan import Selection
from octoplan.workflow import approve
from octoplan.workflow.crew import Crew
from octoplan.workflow.digest import digest
from octoplan.workflow.plan import draft, load
from octoplan.workflow.ports import Ports
from octoplan.workflow.run import Run
from octoplan.workflow.suppressions import Suppressions

if TYPE_CHECKING:
    from octoplan.core.approval import SavedPlan
    from octoplan.core.plan import Plan
    from octoplan.ledger import Ledger
    from octoplan.project import Project
    from octoplan.project.files import Loaded
    from octoplan.workflow.crew import Supervision
    from octoplan.workflow.plan import Draft
    from octoplan.workflow.tally import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be sent, and what was approved of it; `suppressions` as they were before anybody read them."""

    loaded: Loaded
    selection: Selection
    suppressions: Suppressions
    saved: SavedPlan | None = None


def apply(project: Project, saved: SavedPlan | None, *, watch: Supervision) -> tuple[Plan, Tally]:
    """Send what was approved; without a saved plan, what is planned now and confirmed.

    Raises:
        OctoplanError: before anything was sent, with the exit code that names the human action.
    """
    if saved is not None:
        approve.check_origin(saved.plan, project)
    with contextlib.closing(project.open_ledger()) as ledger:
        if saved is not None:
            approve.check_seal(saved, ledger, key=project.key)
        suppressions = Suppressions.of(project)
        selection = Selection(all=True) if saved is None else saved.plan.selection
        loaded = load(project, selection.ids)
        if saved is not None:
            content = digest(project, loaded, selection=selection)
            approve.check_content(saved.plan, content, project=project)
        order = Order(loaded=loaded, selection=selection, suppressions=suppressions, saved=saved)
        return carry_out(order, project, ledger=ledger, watch=watch)


def carry_out(order: Order, project: Project, *, ledger: Ledger, watch: Supervision) -> tuple[Plan, Tally]:
    """Plan, have it confirmed, and send.

    Raises:
        OctoplanError: before anything was sent, with the exit code that names the human action.
    """
    saved = order.saved
    plan_id = uuid.uuid4().hex if saved is None else saved.plan.plan_id
    with contextlib.ExitStack() as stack:
        run = ledger.open_run(plan_id)  # before any network use: it proves that outcomes can be recorded
        try:
            wires = stack.enter_context(project.wires())
            fresh = _fresh_draft(project, order, ports=Ports(ledger=ledger, wires=wires, progress=watch.progress))
            now = project.clock()  # read once: what is checked as in time is what is sent
            if saved is not None:
                approve.check_approved(saved, fresh, now=now)
            plan = fresh.plan.model_copy(update={"plan_id": plan_id}) if saved is None else saved.plan
            watch.confirm(plan)
            approve.check_blocked(plan, fresh, now=None if saved is None else now)
            work = Run(
                id=run,
                project=project,
                plan=plan,
                fresh=fresh,
                now=now,
                ledger=ledger,
                wires=wires,
                suppressions=order.suppressions,
                watch=watch,
                crew=Crew(project=project, wires=wires, suppressions=order.suppressions, watch=watch),
            )
            work.send()
        except BaseException:
            with contextlib.suppress(OctoplanError):
                ledger.close_run(run)
            raise
        return plan, work.conclude()


def _fresh_draft(project: Project, order: Order, *, ports: Ports) -> Draft:
    approved = None if order.saved is None else order.saved.plan
    return draft(project, order.loaded, selection=order.selection, ports=ports, approved=approved)
