"""What the digest of a plan is made of: nothing that an audience, a ledger or a clock could change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from octoplan.core import approval
from octoplan.core.hours import hours
from octoplan.core.plan import PolicyReference, PriceReference
from octoplan.workflow.select import selected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from octoplan.core.model import Campaign
    from octoplan.core.plan import Selection
    from octoplan.project import Project
    from octoplan.project.files import Loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Digested:
    """The selected campaigns, their specs by id, what they are held to (prices, hours, limits); and the digest."""

    campaigns: tuple[Campaign, ...]
    specs: Mapping[str, dict[str, Any]]
    prices: dict[str, PriceReference]
    hours: dict[str, PolicyReference]
    limits: dict[str, Any]
    digest: str


def digest(project: Project, loaded: Loaded, *, selection: Selection) -> Digested:
    """Digest what was read, as far as it is selected."""
    campaigns = selected(loaded.campaigns, selection)
    specs = {campaign.id: approval.campaign_spec(campaign) for campaign in campaigns}
    books = {name: loaded.prices[name] for name in sorted({campaign.provider for campaign in campaigns})}
    prices = {
        name: PriceReference(as_of=book.as_of, digest=approval.prices_digest(book)) for name, book in books.items()
    }
    policies = [held.policy for campaign in campaigns if (held := hours(campaign))]
    held_to = {
        str(policy.name): PolicyReference(as_of=policy.as_of, digest=approval.policy_digest(policy))
        for policy in sorted(policies, key=lambda policy: policy.name)
    }
    limits = approval.canonical(project.limits)
    return Digested(
        campaigns=campaigns,
        specs=specs,
        prices=prices,
        hours=held_to,
        limits=limits,
        digest=approval.plan_digest(
            specs.values(),
            limits=limits,
            values={
                "prices": {name: book.digest for name, book in prices.items()},
                "hours": {name: policy.digest for name, policy in held_to.items()},
                "calls": {name: approval.fingerprint(_calls(project, name)) for name in books},
            },
            env=project.surroundings.name,
        ),
    )


def _calls(project: Project, name: str) -> dict[str, object]:
    """Return the settings of a provider that change by which calls a campaign travels, and so what is transmitted."""
    chosen = project.settings.providers[name]
    keys = ("merge_fields", "single_channel_request_id", "own_tag_paths")
    return {key: getattr(chosen, key) for key in keys}
