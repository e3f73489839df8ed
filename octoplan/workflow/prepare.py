"""Steps 3 to 6 for one campaign: whom it is owed to, what they would read, and what it would cost."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from octoplan.core import action, approval, cap, keys
from octoplan.core.batch import Packer
from octoplan.core.compose import Composer
from octoplan.core.errors import InputError
from octoplan.core.model import NOTHING, Channel, Purpose, Severity
from octoplan.core.plan import (
    AudienceCounts,
    Estimate,
    PlannedCampaign,
    PlannedFinding,
    Simulation,
    TextFacts,
    money_text,
)
from octoplan.core.rules import accept, blocks, history, reach, voice
from octoplan.core.rules.all import Facts, check_facts, check_simulation
from octoplan.core.rules.hours import check_hours
from octoplan.core.trial import is_trial
from octoplan.ledger import BatchState
from octoplan.workflow import hours
from octoplan.workflow.names import point, query

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from octoplan.audience import Engine, Query, Resolved
    from octoplan.core.batch import Packed
    from octoplan.core.compose import TextSummary
    from octoplan.core.model import Campaign, Finding
    from octoplan.core.plan import Change
    from octoplan.core.rules.all import SecondOpinion
    from octoplan.ledger import Edition
    from octoplan.project import Project
    from octoplan.project.files import Loaded
    from octoplan.workflow.ports import Ports


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
    packer: Packer | None = None
    entries: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Composed:
    """An audience with its texts and batches."""

    resolved: Resolved
    summary: TextSummary
    packer: Packer
    packed: Packed
    entries: tuple[bytes, ...]
    french: frozenset[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Past:
    """What the ledger knows of an edition, in contacts."""

    edition: Edition | None
    changes: tuple[Change, ...] = ()
    in_doubt: int = 0
    held: int = 0
    unfinished: bool = False
    open_cost: Decimal = Decimal(0)

    @property
    def claimed(self) -> bool:
        return self.edition is not None and self.edition.closed


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """The ports and the moment that all campaigns of one plan share; apply plans anew what was `planned_at` before."""

    project: Project
    loaded: Loaded
    ports: Ports
    simulates: bool
    now: datetime
    planned_at: datetime

    def prepare(self, campaign: Campaign, engine: Engine) -> Prepared:
        """Plan one campaign."""
        edition = self.ports.ledger.edition(campaign.id, campaign.edition) if self.ports.ledger else None
        spec = approval.campaign_spec(campaign)
        past = _past(edition, spec)
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

    def _concluded(self, bare: Prepared, past: _Past) -> Prepared:
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

    def _resolved(self, bare: Prepared, past: _Past, *, engine: Engine) -> Prepared:
        campaign = bare.campaign
        composed = self._compose(campaign, self._owed(campaign, past.edition), engine=engine)
        facts = self._facts(campaign, past, composed=composed)
        due = hours.planned(composed.packer, composed.packed, now=self.planned_at, takes=facts.takes)
        found = (
            *self._of_file(campaign),
            *composed.resolved.findings,
            *composed.summary.findings,
            *check_facts(facts),
            *(check_hours(due) if due else ()),
            *reach.check_edition(campaign, _channel(past.edition)),
            *reach.check_excluded(campaign, self._others(campaign)),
            *voice.check_attempts(self._called(campaign, composed)),
            *history.check_history(composed.packed.contacts, empty=self._remembers_nothing(campaign)),
        )
        opinion = self._simulate(campaign, composed, found=found)
        found += check_simulation(replace(facts, simulated=opinion))
        row = _filled(bare.row, campaign, composed=composed, opinion=opinion)
        row = row.model_copy(update={"again": self._again(campaign, composed), **hours.shown(due)})
        complete = replace(bare, row=row, packer=composed.packer, entries=composed.entries)
        return self._judged(complete, past, found=found)

    def _of_file(self, campaign: Campaign) -> tuple[Finding, ...]:
        """Return what was found when the campaign's file was read; none of it is an error."""
        return self.loaded.read[campaign.id].findings

    def everybody(self, campaign: Campaign, engine: Engine) -> Packer:
        """Return what makes batches of whom a campaign addresses now, whatever the ledger says of them.

        Raises:
            InputError: its audience cannot be read, or a column is not there.
        """
        return self._compose(campaign, query(self.project, campaign, key=self.project.key), engine=engine).packer

    def _owed(self, campaign: Campaign, edition: Edition | None) -> Query:
        return replace(
            query(self.project, campaign, key=self.project.preview_key, offline=self.ports.wires is None),
            held=edition.held() if edition else b"",
            members=edition.members() if edition and edition.closed else None,
            excluded_keys=self._excluded(campaign),
            capped=b"" if CAP in campaign.allow else self._capped(campaign),
        )

    def _compose(self, campaign: Campaign, asked: Query, *, engine: Engine) -> _Composed:
        resolved = engine.resolve(asked)
        prices = self.loaded.prices[campaign.provider]
        composer = Composer(
            campaign, live=not self.project.surroundings.sandbox, sizes=resolved.sizes, step=prices.voice_step
        )
        size = self.project.provider(campaign.provider).limits.batch_size
        packer = Packer(campaign, prices, size, hours.whereabouts(campaign, self.project))
        entries: list[bytes] = []
        french: set[bytes] = set()
        calls = campaign.channel is Channel.VOICE
        self.ports.progress.begin(f"compose {campaign.id}", resolved.contacts)
        for rows in resolved.chunks():
            composed = composer.compose(rows)
            packer.add(rows, composed.contents, parts=composed.parts)
            if self.ports.wires is not None:
                entries += keys.approved_entries(
                    self.project.key, campaign.id, edition=campaign.edition, keys=rows.keys, contents=composed.contents
                )
            if calls:
                french |= {key for key, country in zip(rows.keys, rows.countries, strict=True) if country == "FR"}
            self.ports.progress.advance(len(rows.keys))
        self.ports.progress.end()
        return _Composed(
            resolved=resolved,
            summary=composer.summary(),
            packer=packer,
            packed=packer.packed(),
            entries=tuple(entries),
            french=frozenset(french),
        )

    def _excluded(self, campaign: Campaign) -> bytes:
        """Return the packed keys of everybody the ledger says got one of the excluded campaigns."""
        if self.ports.ledger is None:
            return b""
        return b"".join(
            self.ports.ledger.edition(other, edition).held()
            for other in campaign.audience.exclude_campaigns
            for edition in self.ports.ledger.editions(other)
        )

    def _remembers_nothing(self, campaign: Campaign) -> bool:
        """Tell whether a live ledger was never told of any send; a trial contacts nobody whom it should know."""
        ledger = None if self.project.surroundings.sandbox or is_trial(campaign.id) else self.ports.ledger
        return ledger is not None and not ledger.has_history()

    def _others(self, campaign: Campaign) -> Iterator[tuple[str, str | None]]:
        """Yield each excluded campaign with every channel it was sent on."""
        ledger = self.ports.ledger
        for other in campaign.audience.exclude_campaigns if ledger else ():
            editions = (ledger.edition(other, edition) for edition in ledger.editions(other)) if ledger else ()
            yield from dict.fromkeys((other, _channel(edition)) for edition in editions)

    def _capped(self, campaign: Campaign) -> bytes:
        """Return the packed keys of everybody who has had their fill when this message is due: of a trial, nobody."""
        limit = self.project.limits.per_contact
        if limit is None or self.ports.ledger is None or is_trial(campaign.id):
            return b""
        return cap.reached(self._around(campaign, limit.days), limit.messages)

    def _called(self, campaign: Campaign, composed: _Composed) -> int:
        """Count the owed contacts in France who have had as many marketing calls as the law allows."""
        calls = {"channel": Channel.VOICE.value, "purpose": Purpose.MARKETING.value}
        if self.ports.ledger is None or {"channel": campaign.channel, "purpose": campaign.purpose} != calls:
            return 0
        called = distinct(cap.reached(self._around(campaign, voice.ATTEMPT_DAYS, like=calls), voice.ATTEMPTS))
        return len(called & composed.french)

    def _around(self, campaign: Campaign, days: int, *, like: Mapping[str, str] = NOTHING) -> tuple[bytes, ...]:
        """Return the packed keys of each batch that arrives in the days before a message or, sent already, after it."""
        due, span = campaign.schedule.send_at or self.planned_at, timedelta(days=days)
        return self.ports.ledger.recent(due - span, until=due + span, like=like) if self.ports.ledger else ()

    def _over_cap(self, campaign: Campaign, composed: _Composed) -> int:
        """Count the owed contacts who have had their fill and get this all the same."""
        return composed.packer.count(distinct(self._capped(campaign))) if CAP in campaign.allow else 0

    def _again(self, campaign: Campaign, composed: _Composed) -> int:
        """Count the owed contacts who got another edition: an earlier one, or a later one if this was lowered."""
        if self.ports.ledger is None or is_trial(campaign.id):
            return 0
        others: set[bytes] = set()
        for edition in self.ports.ledger.editions(campaign.id):
            if edition != campaign.edition:
                others |= distinct(self.ports.ledger.edition(campaign.id, edition).held())
        return composed.packer.count(others)

    def _facts(self, campaign: Campaign, past: _Past, *, composed: _Composed) -> Facts:
        resolved, packed = composed.resolved, composed.packed
        return Facts(
            campaign=campaign,
            sandbox=self.project.surroundings.sandbox,
            now=self.now,
            rows=resolved.rows,
            contacts=resolved.contacts,
            already_sent=resolved.already_sent,
            excluded=resolved.excluded,
            left_out=resolved.left_out,
            invalid_reasons=resolved.invalid_reasons,
            countries=resolved.countries,
            missing=resolved.missing,
            differ=resolved.differ,
            fixed=resolved.fixed,
            fiction=resolved.fiction,
            misspelled=resolved.misspelled_domains,
            last_contacts=self._last_contacts(campaign),
            over_cap=self._over_cap(campaign, composed),
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

    def _last_contacts(self, campaign: Campaign) -> int | None:
        """Return how many contacts the edition before this one had, if there was one."""
        if self.ports.ledger is None or is_trial(campaign.id):
            return None
        before = [edition for edition in self.ports.ledger.editions(campaign.id) if edition < campaign.edition]
        if not before:
            return None
        return len(self.ports.ledger.edition(campaign.id, max(before)).members()) // keys.SIZE

    def _simulate(self, campaign: Campaign, composed: _Composed, *, found: tuple[Finding, ...]) -> SecondOpinion | None:
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

    def _judged(self, bare: Prepared, past: _Past, *, found: tuple[Finding, ...]) -> Prepared:
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
        update = {"action": what, "reason": why, "findings": tuple(_planned(one) for one in placed)}
        return replace(bare, row=row.model_copy(update=update))


def mark(item: Prepared, found: tuple[Finding, ...]) -> Prepared:
    """Return a prepared campaign blocked by further findings, unless its file accepts them."""
    accepted = accept(found, item.campaign.allow)
    findings = (*item.row.findings, *(_planned(one) for one in accepted))
    update: dict[str, object] = {"findings": findings}
    if blocks(accepted):
        update |= {"action": "blocked", "reason": "blocked"}
    return replace(item, row=item.row.model_copy(update=update))


def distinct(packed: bytes) -> set[bytes]:
    """Return packed keys one by one."""
    return {packed[start : start + keys.SIZE] for start in range(0, len(packed), keys.SIZE)}


def _channel(edition: Edition | None) -> str | None:
    """Return the channel that an edition was begun on; None where nobody was sent it."""
    return json.loads(edition.spec).get("channel") if edition and edition.spec else None


def _past(edition: Edition | None, spec: dict[str, Any]) -> _Past:
    if edition is None:
        return _Past(edition=None)
    batches = edition.batches
    return _Past(
        edition=edition,
        changes=approval.changes(json.loads(edition.spec), spec) if edition.spec and edition.closed else (),
        in_doubt=sum(batch.count for batch in batches if batch.state is BatchState.IN_DOUBT),
        held=len(edition.held()) // keys.SIZE,
        unfinished=any(batch.state is BatchState.RESERVED for batch in batches)
        or (edition.closed and not edition.is_settled),
        open_cost=edition.cost,
    )


def _filled(
    row: PlannedCampaign, campaign: Campaign, *, composed: _Composed, opinion: SecondOpinion | None
) -> PlannedCampaign:
    resolved, summary, packed = composed.resolved, composed.summary, composed.packed
    limit = campaign.limits.max_cost
    update: dict[str, object] = {
        "audience": AudienceCounts(
            rows=resolved.rows,
            contacts=resolved.contacts,
            excluded=dict(resolved.excluded),
            already_sent=resolved.already_sent,
            left_out=dict(resolved.left_out),
            fallback=dict(resolved.fallback),
        ),
        "limit": None if limit is None else money_text(limit.amount),
    }
    if packed.contacts:
        update |= {
            "text": TextFacts(
                pattern=summary.pattern,
                longest=summary.longest,
                encodings=summary.encodings,
                parts={str(size): count for size, count in summary.parts.items()},
                blamed=summary.blamed,
                replaced=summary.replaced,
                locales=summary.locales,
                patterns=summary.patterns,
                seconds=summary.seconds,
                step=composed.packer.prices.voice_step if summary.seconds else 0,
            ),
            "calls": packed.calls,
            "estimate": Estimate(
                contacts=packed.contacts,
                parts=packed.parts,
                cost=money_text(packed.cost),
                worst=money_text(packed.worst),
                currency=composed.packer.prices.currency,
            ),
        }
    if opinion is not None:
        update["simulation"] = Simulation(
            calls=opinion.calls,
            contacts=opinion.contacts,
            cost=money_text(opinion.cost),
            differing=opinion.differing,
            refused=sum(opinion.refused.values()),
        )
    return row.model_copy(update=update)


def _planned(found: Finding) -> PlannedFinding:
    place = found.place
    return PlannedFinding(
        rule=found.rule,
        severity=found.severity.value,
        message=found.message,
        file=place.file if place else None,
        line=place.line if place else None,
        column=place.column if place else None,
        value=found.value,
        limit=found.limit,
        hint=found.hint,
    )
