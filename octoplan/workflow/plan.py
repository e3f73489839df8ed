"""Steps 1 to 6: from files to a plan and, beside it, what apply needs and a plan may not hold."""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from octoplan import __version__
from octoplan.audience import Engine
from octoplan.core.errors import Exit, InputError, Refused, worst
from octoplan.core.model import LEFT_AUDIENCE, Severity
from octoplan.core.plan import AudienceCounts, LedgerReference, Plan, PlannedCampaign, total
from octoplan.core.quantity import quantity
from octoplan.core.quoting import typed
from octoplan.core.trial import is_trial
from octoplan.ledger import HELD, BatchState
from octoplan.workflow.digest import digest
from octoplan.workflow.limits import SENDING, within_limits
from octoplan.workflow.ports import Ports
from octoplan.workflow.prepare import Preparation
from octoplan.workflow.select import select, selected, spared
from octoplan.workflow.together import Together

if TYPE_CHECKING:
    from collections.abc import Iterable

    from octoplan.core.model import Campaign
    from octoplan.core.plan import Selection
    from octoplan.ledger import Edition, Ledger
    from octoplan.project import Project
    from octoplan.project.files import Loaded
    from octoplan.workflow.prepare import Prepared
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
        return verdict(self.plan.campaigns)


def verdict(campaigns: Iterable[PlannedCampaign]) -> Exit:
    """Return the exit code that the findings of some campaigns ask for."""
    severities = {found.severity for campaign in campaigns for found in campaign.findings}
    codes = [Exit.INPUT] if "error" in severities else []
    codes += [Exit.BLOCKED] if severities & {"limit", "warning"} else []
    return worst(codes)


def make(project: Project, *, words: Iterable[str] = (), offline: bool = False, progress: Progress) -> Draft:
    """Plan campaigns with the provider's simulation; `offline` uses neither network nor credentials.

    Raises:
        InputError: a file has findings of severity error; all of them.
        Refused: selection, ledger or credentials.
    """
    given = tuple(words)
    loaded = load(project, given)
    selection = _selection(loaded, given)
    with contextlib.ExitStack() as stack:
        ledger = None
        if not offline or project.has_ledger():
            ledger = stack.enter_context(contextlib.closing(project.open_ledger()))
            if not offline:
                ledger.refuse_clock()  # a plan of the past is superseded before it is applied
        wires = None if offline else stack.enter_context(project.wires())
        return draft(project, loaded, selection=selection, ports=Ports(ledger=ledger, wires=wires, progress=progress))


def load(project: Project, words: Iterable[str] = ()) -> Loaded:
    """Read all files; a broken campaign does not stop the others if the words leave it out.

    Raises:
        InputError: some other file has findings of severity error; all of them.
    """
    loaded = project.load()
    harmless = spared(loaded.broken, words)
    others = (found for file, findings in loaded.of_files.items() if file not in harmless for found in findings)
    if any(found.severity is Severity.ERROR for found in (*loaded.general, *others)):
        raise InputError(loaded.findings)
    return loaded


def one(loaded: Loaded, word: str) -> Campaign:
    """Return the one campaign that a word chooses.

    Raises:
        InputError: there is none, and of some file none could be made.
        Refused: there is none, or more than one.
    """
    chosen = selected(loaded.campaigns, _selection(loaded, (word,)))
    if len(chosen) != 1:
        raise Refused(f"{typed(word)} selects {quantity(len(chosen), 'campaign')}: name one", reason="selection-many")
    return chosen[0]


def _selection(loaded: Loaded, words: tuple[str, ...]) -> Selection:
    try:
        return select(loaded.campaigns, words, broken=loaded.broken)
    except Refused:
        if loaded.broken:  # the word may be for a campaign of which nothing could be made
            raise InputError(loaded.findings) from None
        raise


def draft(
    project: Project, loaded: Loaded, *, selection: Selection, ports: Ports, approved: Plan | None = None
) -> Draft:
    """Plan with open ports; against an `approved` plan there is no second simulation."""
    content = digest(project, loaded, selection=selection)
    wires = ports.wires
    accounts = {} if wires is None else {name: project.account(name) for name in content.prices}
    now = project.clock()
    preparation = Preparation(
        project=project,
        loaded=loaded,
        ports=ports,
        simulates=approved is None,
        now=now,
        planned_at=now if approved is None else approved.created_at,
    )
    with Engine(project.temporary_folder(), root=project.root) as engine:
        prepared = [preparation.prepare(campaign, engine) for campaign in content.campaigns]
    prepared = Together(preparation=preparation).judge(prepared)
    prepared = within_limits(project, prepared, wires=wires)
    rows = (*(item.row for item in prepared), *_forgotten(ports.ledger, content.campaigns, selection=selection))
    totals = total(rows)
    plan = Plan(
        octoplan_version=__version__,
        plan_id=uuid.uuid4().hex,
        digest=content.digest,
        created_at=now,
        apply_until=max((row.apply_until for row in rows if row.action in SENDING and row.apply_until), default=None),
        env=project.surroundings.name,
        sandbox=project.surroundings.sandbox,
        accounts=accounts,
        offline=wires is None,
        ledger=_reference(ports.ledger),
        git=project.git(),
        selection=selection,
        prices=content.prices,
        hours=content.hours,
        limits=content.limits,
        campaigns=rows,
        totals=totals,
        approvable=wires is not None and not totals.blocked,
    )
    return Draft(plan=plan, prepared=tuple(prepared))


def _forgotten(
    ledger: Ledger | None, campaigns: Iterable[Campaign], *, selection: Selection
) -> tuple[PlannedCampaign, ...]:
    """Return a row for each edition that is not over and that no file holds any more: without a spec, in no digest.

    That is an edition in doubt, and a partly sent one until a plan without it was applied. Trials are in no file:
    of those, only earlier editions of what is tried now.
    """
    held = {campaign.id: campaign for campaign in campaigns}
    rows = []
    for of in ledger.campaigns() if ledger else ():
        campaign = held.get(of.campaign)
        elsewhere = is_trial(of.campaign) or not selection.all
        if campaign.edition == of.edition if campaign else elsewhere:
            continue
        doubted, whole = BatchState.IN_DOUBT in of.batches, of.batches.keys() <= HELD
        if ledger and (doubted or (campaign is None and not whole)):
            edition = ledger.edition(of.campaign, of.edition)
            if doubted or not _is_given_up(ledger, edition):
                rows.append(_row_of_none(edition, file=campaign.file if campaign else ""))
    return tuple(rows)


def _is_given_up(ledger: Ledger, edition: Edition) -> bool:
    """Tell whether a plan without a partly sent edition was applied, or a run is sending it now."""
    left = [batch for batch in edition.batches if batch.state not in HELD]
    return all(batch.alive or ledger.superseded(batch.plan_id, edition.campaign) for batch in left)


def _row_of_none(edition: Edition, *, file: str) -> PlannedCampaign:
    in_doubt = sum(batch.count for batch in edition.batches if batch.state is BatchState.IN_DOUBT)
    sent = edition.people(edition.held())
    left = edition.people(edition.members()) - sent
    return PlannedCampaign(
        id=edition.campaign,
        edition=edition.edition,
        provider=edition.batches[0].provider,
        channel="",
        purpose="",
        file=file,
        action="in_doubt" if in_doubt else "none",
        reason="in-doubt" if in_doubt else "file-gone",
        digest="",
        in_doubt=in_doubt,
        audience=AudienceCounts(
            rows=sent,
            contacts=0,
            already_sent=sent,
            left_out={LEFT_AUDIENCE: left} if left and not file else {},
        ),
    )


def _reference(ledger: Ledger | None) -> LedgerReference | None:
    return None if ledger is None else LedgerReference(id=ledger.identity.id, serial=ledger.identity.serial)
