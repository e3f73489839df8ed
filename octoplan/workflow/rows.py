"""A campaign's row in the plan, from what was found out about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from octoplan.core.plan import (
    AudienceCounts,
    Estimate,
    PlannedCampaign,
    PlannedFinding,
    Simulation,
    TextFacts,
    money_text,
)

if TYPE_CHECKING:
    from octoplan.audience import Resolved
    from octoplan.core.batch import Packed, Packer
    from octoplan.core.compose import TextSummary
    from octoplan.core.held import HeldPacker
    from octoplan.core.model import Campaign, Finding
    from octoplan.core.rules.all import SecondOpinion
    from octoplan.core.rules.merge import Shares


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """An audience with its texts and batches; `entries` are approved-set entries, `french` keys of French numbers.

    `resolved` is None where the provider holds it; `shares` is how the texts share calls.
    """

    resolved: Resolved | None
    summary: TextSummary
    packer: Packer | HeldPacker
    packed: Packed
    entries: tuple[bytes, ...]
    french: frozenset[bytes]
    shares: Shares | None = None

    @property
    def counts(self) -> AudienceCounts:
        """Where every row went; of what the provider holds there is only how many it may be."""
        resolved = self.resolved
        if resolved is None:
            return AudienceCounts(rows=self.packed.contacts, contacts=self.packed.contacts)
        return AudienceCounts(
            rows=resolved.rows,
            contacts=resolved.contacts,
            excluded=dict(resolved.excluded),
            already_sent=resolved.already_sent,
            left_out=dict(resolved.left_out),
            fallback=dict(resolved.fallback),
        )

    @property
    def facts(self) -> dict[str, Any]:
        """What the rules are told of the audience: fields of `Facts`."""
        resolved = self.resolved
        if resolved is None:
            return {"rows": self.packed.contacts, "contacts": self.packed.contacts}
        same = ("rows", "contacts", "already_sent", "excluded", "left_out", "invalid_reasons", "countries")
        more = ("missing", "differ", "fixed", "fiction")
        return {name: getattr(resolved, name) for name in (*same, *more)} | {"misspelled": resolved.misspelled_domains}


def filled(
    row: PlannedCampaign, campaign: Campaign, *, composed: Composed, opinion: SecondOpinion | None
) -> PlannedCampaign:
    """Return a row with the audience, the text, the money and the provider's second opinion."""
    summary, packed = composed.summary, composed.packed
    limit = campaign.limits.max_cost
    each = packed.contacts if campaign.audience.held else 1  # one text was composed for all of them
    update: dict[str, object] = {
        "audience": composed.counts,
        "limit": None if limit is None else money_text(limit.amount),
        "held": campaign.audience.held,
    }
    if packed.contacts:
        update |= {
            "text": TextFacts(
                pattern=summary.pattern,
                longest=summary.longest,
                encodings={name: count * each for name, count in summary.encodings.items()},
                parts={str(size): count * each for size, count in summary.parts.items()},
                blamed=summary.blamed,
                replaced=summary.replaced,
                locales=summary.locales,
                patterns=summary.patterns,
                seconds=summary.seconds,
                step=composed.packer.prices.voice_step if summary.seconds else 0,
            ),
            "calls": packed.calls,
            "merge_fields": bool(packed.names),
            "placeholders": packed.names,
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
            cost=None if opinion.cost is None else money_text(opinion.cost),
            countries=dict(opinion.countries),
            differing=opinion.differing,
            refused=sum(opinion.refused.values()),
        )
    return row.model_copy(update=update)


def planned(found: Finding) -> PlannedFinding:
    """Return a finding as the plan has it."""
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
