"""Packing: contacts with the same content, or the same one with placeholders, share a request of limited size.

Rows arrive in key order; every batch holds its contacts in key order and batches are numbered by their
first key, so the same owed contacts always make the same batches.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from octoplan.core import price
from octoplan.core.errors import Stale
from octoplan.core.keys import SIZE
from octoplan.core.merge import Form
from octoplan.core.message import filled
from octoplan.core.model import Batch
from octoplan.core.places import Whereabouts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from octoplan.core.merge import Merged
    from octoplan.core.message import Content
    from octoplan.core.model import Campaign, Prices, Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """What a campaign's batches come to; money in the price book's currency.

    `units` is what one part costs by country, where the book has a price. `merged` contacts share texts with
    placeholders called `names`; `alone` are the calls that carry one text for all their contacts, `fewest` those
    that would do if everybody shared.
    """

    calls: int
    contacts: int
    parts: int
    cost: Decimal
    worst: Decimal
    units: Mapping[str, Decimal]
    unpriced: tuple[str, ...]
    merged: int = 0
    names: tuple[str, ...] = ()
    alone: int = 0
    fewest: int = 0


@dataclass(slots=True)
class Packer:
    """Collects composed rows of one campaign and cuts them into batches of at most `size` contacts."""

    campaign: Campaign
    prices: Prices
    size: int
    whereabouts: Whereabouts = field(default_factory=Whereabouts)
    _keys: list[bytes] = field(default_factory=list)
    _addresses: list[str] = field(default_factory=list)
    _costs: list[Decimal] = field(default_factory=list)
    _parts: list[int] = field(default_factory=list)
    _groups: dict[str | Form, list[int]] = field(default_factory=dict)
    _shared: list[str | Form] = field(default_factory=list)
    """What each contact is packed by: their content, or the form of it."""
    _values: list[tuple[str, ...]] = field(default_factory=list)
    _index: dict[bytes, int] = field(default_factory=dict)
    _units: dict[tuple[str, int], Decimal] = field(default_factory=dict)
    _prices: dict[str, Decimal] = field(default_factory=dict)
    _skeleton: Content = field(init=False)
    _unpriced: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Take any locale's content for the order of leaves: it is the same in all of them."""
        message = self.campaign.message
        self._skeleton = message.content(message.locales[0])

    def add(self, rows: Rows, contents: Sequence[str], *, parts: Sequence[int], merged: Merged | None = None) -> None:
        """Add rows in key order with their rendered contents and parts per contact; who is `merged` shares a form."""
        start = len(self._keys)
        self._keys.extend(rows.keys)
        self._addresses.extend(rows.addresses)
        self.whereabouts.add(rows)
        self._parts.extend(parts)
        self._costs.extend(map(self._cost, rows.countries, parts))
        self._values.extend(merged.values if merged else [()] * len(contents))
        shared: Sequence[str | Form] = contents
        if merged:
            shared = [form or content for form, content in zip(merged.forms, contents, strict=True)]
        self._shared.extend(shared)
        groups = self._groups
        for index, content in enumerate(shared, start):
            if (members := groups.get(content)) is None:
                groups[content] = [index]
            else:
                members.append(index)

    @property
    def keys(self) -> bytes:
        """The packed keys of all contacts, ascending."""
        return b"".join(self._keys)

    @property
    def standing(self) -> bytes:
        """The packed keys by which an edition remembers whom it is for: those of the contacts."""
        return self.keys

    def packed(self) -> Packed:
        """Return the sums over all batches."""
        amounts = Counter(map(self._batch_cost, self._slices()))
        forms = {shared: members for shared, members in self._groups.items() if isinstance(shared, Form)}
        return Packed(
            calls=amounts.total(),
            contacts=len(self._keys),
            parts=sum(self._parts),
            cost=sum((amount * count for amount, count in amounts.items()), start=Decimal(0)),
            worst=sum((price.worst(amount) * count for amount, count in amounts.items()), start=Decimal(0)),
            units=dict(self._prices),
            unpriced=tuple(sorted(self._unpriced)),
            merged=sum(map(len, forms.values())),
            names=tuple(sorted({name for form in forms for name in form.names})),
            alone=amounts.total() - sum(-(-len(members) // self.size) for members in forms.values()),
            fewest=-(-len(self._keys) // self.size),
        )

    def batches(self, *, first: bool) -> Iterator[Batch]:
        """Yield the batches by first key; `first` says that the first of them opens its edition."""
        ordered = sorted(self._slices(), key=lambda members: self._keys[members[0]])
        for number, members in enumerate(ordered):
            yield self._batch(members, first=first and number == 0)

    def count(self, wanted: AbstractSet[bytes]) -> int:
        """Return how many of the contacts have one of these keys."""
        return sum(key in wanted for key in self._keys)

    def rebuild(self, packed: bytes, *, first: bool) -> tuple[Batch | None, bytes]:
        """Return the batch of packed keys, and the packed keys of people who have dropped out since.

        None: nobody is left in it.

        Raises:
            Stale: its people no longer get the same message.
        """
        if not self._index:
            self._index.update((key, index) for index, key in enumerate(self._keys))
        wanted = [packed[start : start + SIZE] for start in range(0, len(packed), SIZE)]
        members = [self._index[key] for key in wanted if key in self._index]
        dropped = b"".join(key for key in wanted if key not in self._index)
        if not members:
            return None, dropped
        if len({self._shared[index] for index in members}) > 1:
            raise Stale("the people of a reserved batch no longer get the same message", reason="plan-contacts")
        return self._batch(members, first=first), dropped

    def _batch(self, members: list[int], *, first: bool) -> Batch:
        cost = self._batch_cost(members)
        shared = self._shared[members[0]]
        form = shared if isinstance(shared, Form) else Form(content=shared, names=())
        return Batch(
            campaign=self.campaign,
            keys=tuple(self._keys[index] for index in members),
            addresses=tuple(self._addresses[index] for index in members),
            content=filled(self._skeleton, form.content),
            parts=sum(self._parts[index] for index in members),
            cost=cost,
            worst=price.worst(cost),
            currency=self.prices.currency,
            first=first,
            opening=self.whereabouts.opening(members),
            names=form.names,
            values=tuple(self._values[index] for index in members) if form.names else (),
            carries_id=form.carries_id,
            step=price.step(self.prices, self.campaign),
        )

    def _slices(self) -> Iterator[list[int]]:
        for members in self._groups.values():
            for start in range(0, len(members), self.size):
                yield members[start : start + self.size]

    def _batch_cost(self, members: list[int]) -> Decimal:
        contacts = self._costs[members[0]] if len(members) == 1 else sum(self._costs[index] for index in members)
        return contacts + price.per_request(self.prices, self.campaign)

    def _cost(self, country: str, parts: int) -> Decimal:
        found = self._units.get((country, parts))
        if found is None:
            unit = price.unit(self.prices, self.campaign, country=country)
            if unit is None:
                self._unpriced.add(country)
                unit = Decimal(0)
            else:
                self._prices[country] = unit
            found = self._units[country, parts] = unit * parts
        return found
