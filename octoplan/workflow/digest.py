"""What the digest of a plan is made of: nothing that an audience, a ledger or a clock could change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from octoplan.core import approval
from octoplan.core.plan import PriceReference
from octoplan.workflow.select import selected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from octoplan.core.model import Campaign
    from octoplan.core.plan import Selection
    from octoplan.project import Project
    from octoplan.project.files import Loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Digested:
    """The selected campaigns, their specs by id, the price books they use, the project's limits; and the digest."""

    campaigns: tuple[Campaign, ...]
    specs: Mapping[str, dict[str, Any]]
    prices: dict[str, PriceReference]
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
    limits = approval.canonical(project.limits)
    return Digested(
        campaigns=campaigns,
        specs=specs,
        prices=prices,
        limits=limits,
        digest=approval.plan_digest(
            specs.values(),
            limits=limits,
            prices={name: book.digest for name, book in prices.items()},
            environment=project.surroundings.name,
        ),
    )
