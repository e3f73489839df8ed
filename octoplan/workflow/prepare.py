"""Steps 3 to 6 for one campaign: whom it is owed to, what they would read, and what it would cost."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from octoplan.audience import Query
from octoplan.core import action, approval, keys, templates
from octoplan.core.batch import Packer
from octoplan.core.compose import Composer
from octoplan.core.model import Severity
from octoplan.core.plan import (
    AudienceCounts,
    Change,
    Estimate,
    PlannedCampaign,
    PlannedFinding,
    Simulation,
    TextFacts,
    money_text,
)
from octoplan.core.rules import accept, blocks, finding
from octoplan.core.rules.all import Facts, check_campaign, check_facts
from octoplan.ledger import BatchState
from octoplan.workflow.simulate import Opinion, simulate

if TYPE_CHECKING:
    from datetime import datetime

    from octoplan.audience import Engine, Resolved
    from octoplan.core.batch import Packed
    from octoplan.core.compose import TextSummary
    from octoplan.core.model import Campaign, Finding
    from octoplan.ledger import Edition, Ledger
    from octoplan.project import Loaded, Project, Wires
    from octoplan.workflow.progress import Progress

HELD = (BatchState.CLAIMED, BatchState.ACCEPTED, BatchState.IN_DOUBT, BatchState.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A campaign's row in the plan, and what sending it takes. `entries` are its approved-set entries."""

    campaign: Campaign
    spec: dict[str, Any]
    row: PlannedCampaign
    edition: Edition | None
    window: action.Window
    packer: Packer | None = None
    entries: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """The ports and the moment that all campaigns of one plan share. Without `wires` nothing is simulated."""

    project: Project
    loaded: Loaded
    ledger: Ledger | None
    wires: Wires | None
    now: datetime
    progress: Progress

    def prepare(self, campaign: Campaign, engine: Engine) -> Prepared:
        """Plan one campaign."""
        edition = self.ledger.edition(campaign.id, campaign.edition) if self.ledger else None
        spec = approval.campaign_spec(campaign)
        bare = Prepared(
            campaign=campaign,
            spec=spec,
            row=_bare_row(campaign, spec),
            edition=edition,
            window=action.window(campaign, self.now),
        )
        if edition is not None and edition.is_settled and campaign.audience.new_contacts == "skip":
            return self._concluded(bare, edition)
        return self._resolved(bare, engine)

    def _concluded(self, bare: Prepared, edition: Edition) -> Prepared:
        """Return the row of an edition with nobody owed; it is not resolved again."""
        changes = _changes(edition, bare.spec)
        doubt = _count(edition, BatchState.IN_DOUBT)
        held = sum(batch.count for batch in edition.batches if batch.state in HELD)
        situation = action.Situation(
            owed=0,
            already_sent=held - doubt,
            in_doubt=doubt,
            claimed=True,
            unfinished=False,
            edited=bool(changes),
            edition=bare.campaign.edition,
            blocked=False,
            now=self.now,
            window=bare.window,
        )
        what, why = action.decide(situation)
        counts = AudienceCounts(rows=held, contacts=0, already_sent=held - doubt)
        row = bare.row.model_copy(
            update={"action": what, "reason": why, "changes": changes, "in_doubt": doubt, "audience": counts}
        )
        return replace(bare, row=row)

    def _resolved(self, bare: Prepared, engine: Engine) -> Prepared:
        campaign = bare.campaign
        prices = self.loaded.prices[campaign.provider]
        columns = templates.columns(campaign.message.text)
        resolved = engine.resolve(self._query(campaign, bare.edition, columns))
        composer = Composer(campaign, live=not self.project.surroundings.sandbox, sizes=resolved.sizes)
        provider = self.project.provider(campaign.provider)
        packer = Packer(campaign, prices, provider.limits.batch_size)
        entries: list[bytes] = []
        self.progress.begin(f"read {campaign.id}", resolved.contacts)
        for rows in resolved.chunks():
            composed = composer.compose(rows)
            packer.add(rows, composed.texts, composed.parts)
            if self.wires is not None or self.ledger is not None:
                entries += keys.approved_entries(
                    self.project.key, campaign.id, edition=campaign.edition, keys=rows.keys, texts=composed.texts
                )
            self.progress.advance(len(rows.keys))
        self.progress.end()
        packed = packer.packed()
        summary = composer.summary()
        facts = self._facts(bare, resolved, summary, packed)
        found = [*check_campaign(campaign, self.project.settings), *provider.check(campaign), *resolved.findings]
        found += [*summary.findings, *check_facts(facts)]
        opinion = self._simulate(bare, packer, found)
        if opinion is not None:
            found += check_simulation(opinion, packed, sandbox=self.project.surroundings.sandbox)
        row = self._row(bare, resolved, summary, packed, opinion)
        complete = replace(bare, row=row, packer=packer, entries=tuple(entries))
        return self._judged(complete, tuple(found), resolved)
