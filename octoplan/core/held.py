"""An audience that the provider holds, as one batch: nobody knows who is in it, only what was approved of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from octoplan.core import price
from octoplan.core.batch import Packed
from octoplan.core.errors import Stale
from octoplan.core.message import filled
from octoplan.core.model import HELD_THERE, Batch, Money, Rows
from octoplan.core.places import Whereabouts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from octoplan.core.model import Campaign, Prices

STRICTEST = "FR"
"""Where contacts are of whom no country is known: its hours are the narrowest, its messages need a way to opt out."""


def kind_of(spec: Mapping[str, Any]) -> str:
    """Return what the provider holds the audience of a canonical campaign as; empty: octoplan has the addresses."""
    return next((kind for kind in HELD_THERE if kind in spec["audience"]), "")


@dataclass(slots=True, kw_only=True)
class HeldPacker:
    """Makes the one batch of a list or tag; its one `key` stands for whoever is in it.

    Its contacts and its cost are the campaign's limits: what it comes to is known when the provider has prepared it.
    """

    campaign: Campaign
    prices: Prices
    key: bytes
    whereabouts: Whereabouts = field(default_factory=Whereabouts)
    _content: str = ""
    _parts: int = 1

    @property
    def rows(self) -> Rows:
        """What is composed: one row for whoever is there, in the country whose rules are the strictest."""
        return Rows(keys=[self.key], addresses=[""], countries=[STRICTEST], columns={})

    @property
    def keys(self) -> bytes:
        """The packed keys of the contacts: none of them is known."""
        return b""

    @property
    def standing(self) -> bytes:
        """The packed keys by which an edition remembers whom it is for: one, for whoever is there."""
        return self.key

    def say(self, content: str, *, parts: int) -> None:
        """Take the one content of the batch, and its parts per contact."""
        self.whereabouts.add(self.rows)
        self._content, self._parts = content, parts

    def packed(self) -> Packed:
        """Return the upper bounds."""
        worst = self._most
        contacts = self.campaign.limits.max_contacts or 0
        return Packed(
            calls=1,
            contacts=contacts,
            parts=contacts * self._parts,
            cost=worst.amount,
            worst=worst.amount,
            units={},
            unpriced=(),
        )

    def batches(self, *, first: bool) -> Iterator[Batch]:
        """Yield the batch."""
        message = self.campaign.message
        worst = self._most
        yield Batch(
            campaign=self.campaign,
            keys=(self.key,),
            addresses=(),
            content=filled(message.content(message.locales[0]), self._content),
            parts=(self.campaign.limits.max_contacts or 0) * self._parts,
            cost=worst.amount,
            worst=worst.amount,
            currency=worst.currency,
            first=first,
            opening=self.whereabouts.opening((0,)),
            step=price.step(self.prices, self.campaign),
            rates=price.rates(self.prices, self.campaign, parts=self._parts),
        )

    def count(self, _wanted: AbstractSet[bytes]) -> int:
        """Return how many of the contacts have one of these keys: nobody can tell."""
        return 0

    def rebuild(self, packed: bytes, *, first: bool) -> tuple[Batch | None, bytes]:
        """Return the batch of packed keys.

        Raises:
            Stale: it was reserved for contacts with addresses.
        """
        if packed != self.key:
            raise Stale("the audience of a reserved batch is not the provider's any more", reason="plan-contacts")
        return next(self.batches(first=first)), b""

    @property
    def _most(self) -> Money:
        limit = self.campaign.limits.max_cost
        if limit is None:
            raise ValueError(self.campaign.id)
        return limit
