"""Steps 3 to 6 for one campaign: whom it is owed to, what they would read, and what it would cost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from octoplan.core import action, approval, keys
from octoplan.core.batch import Packer
from octoplan.core.compose import Composer
from octoplan.core.errors import InputError
from octoplan.core.held import HeldPacker
from octoplan.core.measure import Terms
from octoplan.core.merging import Merging
from octoplan.core.model import Channel, Quote, Severity
from octoplan.core.plan import AudienceCounts, PlannedCampaign
from octoplan.core.rules import accept, blocks, history, merge, reach, voice
from octoplan.core.rules import held as listed
from octoplan.core.rules.all import Facts, check_facts, check_simulation
from octoplan.core.rules.hours import check_hours
from octoplan.core.trial import is_trial
from octoplan.project.audio import hear
from octoplan.workflow import hours
from octoplan.workflow.names import point, query
from octoplan.workflow.remembered import Remembered, channel_of, distinct, held_of
from octoplan.workflow.rows import Composed, filled, planned

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from octoplan.audience import Engine, Query
    from octoplan.core.batch import Packed
    from octoplan.core.model import Campaign, Finding, Rows
    from octoplan.core.rules.all import SecondOpinion
    from octoplan.ledger import Edition
    from octoplan.project import Project
    from octoplan.project.files import Loaded
    from octoplan.workflow.ports import Ports
    from octoplan.workflow.remembered import Past


CAP = "contact-cap"
"""The rule whose acceptance lets people over the cap in."""

LOSSES = ("audience-size", "audience-change")
"""The rules that stop an edition with nobody owed, too: of a partly sent one, many were not sent it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A campaign's row in the plan, and what sending it takes. `entries` are its approved-set entries."""

    campaign: Campaign
    spec: dict[str, Any]
    row: PlannedCampaign
    edition: Edition | None
    packer: Packer | HeldPacker | None = None
    entries: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """The ports and the moment that all campaigns of one plan share; apply plans anew what was `planned_at` before."""

    project: Project
    loaded: Loaded
    ports: Ports
    simulates: bool
    now: datetime
    planned_at: datetime

    @property
    def remembered(self) -> Remembered:
        """The ledger, as this plan asks it."""
        return Remembered(
            ledger=self.ports.ledger,
            live=not self.project.surroundings.sandbox,
            limit=self.project.limits.per_contact,
            planned_at=self.planned_at,
        )

    def prepare(self, campaign: Campaign, engine: Engine) -> Prepared:
        """Plan one campaign."""
        spec = approval.campaign_spec(campaign)
        past = self.remembered.past(campaign, spec)
        edition = past.edition
        window = action.window(campaign, self.now)
        row = PlannedCampaign(
            id=campaign.id,
            edition=campaign.edition,
            provider=campaign.provider,
            channel=campaign.channel.value,
            purpose=campaign.purpose.value,
            file=campaign.file,
            action="none",
            reason="nobody-owed",
            digest=approval.fingerprint(spec),
            in_doubt=past.in_doubt,
            send_at=campaign.schedule.send_at,
            timezone=campaign.schedule.timezone,
            hours=hours.policy(campaign),
            apply_from=window.opens,
            apply_until=window.closes,
            changes=past.changes,
            spec=spec,
        )
        bare = Prepared(campaign=campaign, spec=spec, row=row, edition=edition)
        if edition is not None and edition.is_settled and campaign.audience.new_contacts == "skip":
            return self._concluded(bare, past)
        try:
            return self._resolved(bare, past, engine=engine)
        except InputError as error:
            return self._judged(bare, past, found=error.findings)

    def _concluded(self, bare: Prepared, past: Past) -> Prepared:
        """Return the row of an edition with nobody owed; it is not resolved again."""
        counts = AudienceCounts(rows=past.held, contacts=0, already_sent=past.held)
        counted = replace(bare, row=bare.row.model_copy(update={"audience": counts}))
        facts = Facts(
            campaign=bare.campaign,
            sandbox=self.project.surroundings.sandbox,
            now=self.now,
            rows=past.held,
            contacts=0,
            already_sent=past.held,
            claimed=True,
            edited=bool(past.changes),
        )
        return self._judged(counted, past, found=check_facts(facts))

    def _resolved(self, bare: Prepared, past: Past, *, engine: Engine) -> Prepared:
        campaign = bare.campaign
        composed = self._composed(campaign, past, engine=engine)
        facts = self._facts(campaign, past, composed=composed)
        due = hours.planned(composed.packer, composed.packed, now=self.planned_at, takes=facts.takes)
        found = (
            *self._of_file(campaign),
            *(composed.resolved.findings if composed.resolved else ()),
            *composed.summary.findings,
            *check_facts(facts),
            *(check_hours(due) if due else ()),
            *reach.check_edition(campaign, channel_of(past.edition)),
            *listed.check_edition(campaign, held_of(past.edition)),
            *reach.check_excluded(campaign, self.remembered.others(campaign)),
            *listed.check_excluded(self.remembered.unknown(campaign)),
            *(merge.check(campaign, composed.shares) if composed.shares else ()),
            *voice.check_attempts(len(self.remembered.called(campaign) & composed.french)),
            *history.check_history(composed.packed.contacts, empty=self.remembered.is_new(campaign)),
        )
        opinion = self._simulate(campaign, composed, found=found)
        found += (*check_simulation(replace(facts, simulated=opinion)), *self._counted(campaign, opinion))
        row = filled(bare.row, campaign, composed=composed, opinion=opinion)
        row = row.model_copy(
            update={"again": composed.packer.count(self.remembered.got_another(campaign)), **hours.shown(due)}
        )
        complete = replace(bare, row=row, packer=composed.packer, entries=composed.entries)
        return self._judged(complete, past, found=found)

    def _counted(self, campaign: Campaign, opinion: SecondOpinion | None) -> Iterable[Finding]:
        """Return what the provider counts beyond what is approved, where it counts an audience that it holds."""
        if opinion is None or not campaign.audience.held or not opinion.contacts:
            return ()
        quote = Quote(contacts=opinion.contacts, cost=opinion.cost or Decimal(0), countries=opinion.countries)
        return listed.check_counted(campaign, quote, last=self.remembered.last_contacts(campaign))

    def _of_file(self, campaign: Campaign) -> tuple[Finding, ...]:
        """Return what was found when the campaign's file was read; none of it is an error."""
        return self.loaded.read[campaign.id].findings

    def everybody(self, campaign: Campaign, engine: Engine) -> Packer | HeldPacker:
        """Return what makes batches of whom a campaign addresses now, whatever the ledger says of them.

        Raises:
            InputError: its audience cannot be read, or a column is not there.
        """
        if campaign.audience.held:
            return self._say(campaign).packer
        return self._compose(campaign, query(self.project, campaign, key=self.project.key), engine=engine).packer

    def _owed(self, campaign: Campaign, edition: Edition | None) -> Query:
        return replace(
            query(self.project, campaign, key=self.project.preview_key, offline=self.ports.wires is None),
            held=edition.held() if edition else b"",
            members=edition.members() if edition and edition.closed else None,
            excluded_keys=self.remembered.excluded(campaign),
            capped=b"" if CAP in campaign.allow else self.remembered.capped(campaign),
        )

    def _composed(self, campaign: Campaign, past: Past, *, engine: Engine) -> Composed:
        if campaign.audience.held:
            return self._say(campaign)
        return self._compose(campaign, self._owed(campaign, past.edition), engine=engine)

    def _say(self, campaign: Campaign) -> Composed:
        """Compose the one text for whoever is in an audience of the provider."""
        prices = self.loaded.prices[campaign.provider]
        terms = self._terms(campaign, owed=True)
        composer = Composer(campaign, live=not self.project.surroundings.sandbox, sizes={}, terms=terms)
        packer = HeldPacker(
            campaign=campaign,
            prices=prices,
            key=keys.held_key(self.project.preview_key),
            whereabouts=hours.whereabouts(campaign, self.project),
        )
        composed = composer.compose(packer.rows)
        packer.say(composed.contents[0], parts=composed.parts[0])
        return Composed(
            resolved=None,
            summary=composer.summary(),
            packer=packer,
            packed=packer.packed(),
            entries=self._entries(campaign, packer.rows, contents=composed.contents),
            french=frozenset(),
        )

    def _terms(self, campaign: Campaign, *, owed: bool) -> Terms:
        """Return what its messages are measured by; a recording is read where somebody is owed it."""
        return Terms(
            text=self.project.provider(campaign.provider).limits.text,
            step=self.loaded.prices[campaign.provider].voice_step,
            recording=hear(
                campaign.message.audio if owed else None,
                sandbox=self.project.surroundings.sandbox,
                offline=self.ports.wires is None,
            ),
        )

    def _entries(self, campaign: Campaign, rows: Rows, *, contents: list[str]) -> tuple[bytes, ...]:
        if self.ports.wires is None:
            return ()
        identity = (self.project.key, campaign.id)
        return tuple(keys.approved_entries(*identity, edition=campaign.edition, keys=rows.keys, contents=contents))

    def _compose(self, campaign: Campaign, asked: Query, *, engine: Engine) -> Composed:
        resolved = engine.resolve(asked)
        prices = self.loaded.prices[campaign.provider]
        terms = self._terms(campaign, owed=resolved.contacts > 0)
        composer = Composer(campaign, live=not self.project.surroundings.sandbox, sizes=resolved.sizes, terms=terms)
        limits = self.project.provider(campaign.provider).limits
        packer = Packer(campaign, prices, limits.batch_size, hours.whereabouts(campaign, self.project))
        merging = Merging(campaign, limits.merge_fields)
        entries: list[bytes] = []
        french: set[bytes] = set()
        calls = campaign.channel is Channel.VOICE
        self.ports.progress.begin(f"compose {campaign.id}", resolved.contacts)
        for rows in resolved.chunks():
            composed = composer.compose(rows)
            packer.add(rows, composed.contents, parts=composed.parts, merged=merging.merge(rows, composed))
            entries += self._entries(campaign, rows, contents=composed.contents)
            if calls:
                french |= {key for key, country in zip(rows.keys, rows.countries, strict=True) if country == "FR"}
            self.ports.progress.advance(len(rows.keys))
        self.ports.progress.end()
        packed = packer.packed()
        return Composed(
            resolved=resolved,
            summary=composer.summary(),
            packer=packer,
            packed=packed,
            shares=merging.shares(packed),
            entries=tuple(entries),
            french=frozenset(french),
        )

    def _facts(self, campaign: Campaign, past: Past, *, composed: Composed) -> Facts:
        packed = composed.packed
        held = campaign.audience.held
        return Facts(
            campaign=campaign,
            sandbox=self.project.surroundings.sandbox,
            now=self.now,
            **composed.facts,
            last_contacts=None if held else self.remembered.last_contacts(campaign),
            over_cap=composed.packer.count(distinct(self.remembered.capped(campaign))) if CAP in campaign.allow else 0,
            cap=str(self.project.limits.per_contact),
            most_parts=max(composed.summary.parts, default=1),
            cost=packed.cost,
            worst=packed.worst,
            prices=self.loaded.prices[campaign.provider],
            units=packed.units,
            unpriced=packed.unpriced,
            open_contacts=past.held,
            open_cost=past.open_cost,
            claimed=past.claimed,
            edited=bool(past.changes),
            takes=self._takes(campaign, packed),
        )

    def _takes(self, campaign: Campaign, packed: Packed) -> timedelta:
        """Return how long sending lasts at the rate the provider's settings allow; the sandbox has none."""
        rate = None if self.project.surroundings.sandbox else self.project.settings.providers[campaign.provider].rate
        return timedelta(0) if rate is None else timedelta(seconds=packed.calls / float(rate))

    def _simulate(self, campaign: Campaign, composed: Composed, *, found: tuple[Finding, ...]) -> SecondOpinion | None:
        """Ask the provider about every batch, unless the campaign cannot be sent anyway."""
        wrong = any(one.severity is Severity.ERROR for one in found)
        if self.ports.wires is None or not self.simulates or wrong or not composed.packed.contacts:
            return None
        from octoplan.workflow.simulate import simulate  # noqa: PLC0415  what is offline needs no HTTP

        self.ports.progress.begin(f"simulate {campaign.id}", composed.packed.contacts)
        opinion = simulate(
            composed.packer.batches(first=False),
            name=campaign.provider,
            wires=self.ports.wires,
            workers=self.project.settings.providers[campaign.provider].workers,
            progress=self.ports.progress,
        )
        self.ports.progress.end()
        return opinion

    def _judged(self, bare: Prepared, past: Past, *, found: tuple[Finding, ...]) -> Prepared:
        """Accept what the file allows, place what is left, and decide the action."""
        campaign, row = bare.campaign, bare.row
        owed = 0 if row.estimate is None else row.estimate.contacts
        left_out = sum(row.audience.left_out.values()) if row.audience else 0
        over = past.claimed and row.audience is not None and not owed
        told = LOSSES if left_out else ()
        kept = tuple(one for one in found if not over or one.severity is Severity.INFO or one.rule in told)
        placed = point(accept(kept, campaign.allow), self.loaded.read[campaign.id])
        what, why = action.decide(
            action.Situation(
                owed=owed,
                already_sent=row.audience.already_sent - past.in_doubt if row.audience else 0,
                in_doubt=past.in_doubt,
                claimed=past.claimed,
                unfinished=past.unfinished,
                edited=bool(past.changes),
                edition=campaign.edition,
                blocked=blocks(placed),
                now=self.now,
                window=action.window(campaign, self.now),
                trial=is_trial(campaign.id),
                left_out=left_out,
            )
        )
        update = {"action": what, "reason": why, "findings": tuple(planned(one) for one in placed)}
        return replace(bare, row=row.model_copy(update=update))


def mark(item: Prepared, found: tuple[Finding, ...]) -> Prepared:
    """Return a prepared campaign blocked by further findings, unless its file accepts them."""
    accepted = accept(found, item.campaign.allow)
    findings = (*item.row.findings, *(planned(one) for one in accepted))
    update: dict[str, object] = {"findings": findings}
    if blocks(accepted):
        update |= {"action": "blocked", "reason": "blocked"}
    return replace(item, row=item.row.model_copy(update=update))
