"""What must hold, in plain sets: whom the person approved, who opted out, and whom the provider reached.

It knows neither ledger nor plan files nor octoplan: it is told what people did, and what was delivered.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    Of = tuple[str, int]
    """A campaign and its edition."""

    Line = tuple[str, str]
    """An address and what it reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What a person said yes to, as the files were then; `worst` and `times` as the plan showed them.

    `lines` leaves out whoever had it already: they are not owed it, whatever becomes of that later.
    """

    index: int
    login: str
    limit: str
    lines: Mapping[Of, frozenset[Line]]
    worst: Mapping[Of, Decimal]
    times: Mapping[Of, tuple[datetime | None, datetime | None]]
    approvable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message that reached somebody."""

    of: Of
    address: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """How things were while octoplan ran. `play`: the approvals it may have sent under; `repeats`: it was `resolve`.

    `joinable` are the campaigns that send to whoever joins later, `present` the editions that the files hold;
    `usable` is False while something is wrong with the ledger.
    """

    began: datetime
    ended: datetime
    login: str
    limit: str
    opted_out: frozenset[str]
    present: frozenset[Of]
    joinable: frozenset[str]
    play: tuple[Approval, ...]
    repeats: bool
    usable: bool

    def objection(self, approval: Approval, delivery: Delivery) -> str:
        """Say why an approval does not cover a delivery; empty if it does."""
        opens, closes = approval.times.get(delivery.of, (None, None))
        objections = {
            "the plan was not approvable": not approval.approvable,
            "not approved": (delivery.address, delivery.text) not in approval.lines.get(delivery.of, ()),
            "approved for another account": approval.login != self.login,
            "approved under another limit": approval.limit != self.limit and not self.repeats,
            "not yet in time": opens is not None and self.ended < opens,
            "out of time": closes is not None and self.began > closes,
        }
        return next((why for why, holds in objections.items() if holds), "")


@dataclass(slots=True, kw_only=True)
class Oracle:
    """What has happened so far. `held` got an edition, here or elsewhere, or are believed to by a person's word.

    `freed` are those whom a person's false word has taken out of it again.
    """

    held: defaultdict[Of, set[str]] = field(default_factory=lambda: defaultdict(set))
    freed: defaultdict[Of, set[str]] = field(default_factory=lambda: defaultdict(set))
    members: dict[Of, frozenset[str]] = field(default_factory=dict)
    """Since an edition has begun, everybody it can ever reach."""

    applied: list[Approval] = field(default_factory=list)
    newest: int = -1
    """The newest plan of which something was delivered."""

    spent: defaultdict[tuple[int, Of], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    broken: list[str] = field(default_factory=list)
    delivered: int = 0

    def apply(self, approval: Approval) -> None:
        """Hear that somebody applies what was approved."""
        if approval not in self.applied:
            self.applied.append(approval)

    def adopt(self, of: Of, address: str) -> None:
        """Hear that somebody got an edition elsewhere."""
        self.held[of].add(address)

    def believe(self, of: Of, addresses: Iterable[str], *, sent: bool) -> None:
        """Hear a person's false word about some people."""
        if sent:
            self.held[of] |= set(addresses)
        else:
            self.held[of] -= set(addresses)
            self.freed[of] |= set(addresses)

    def judge(self, moment: Moment, deliveries: Iterable[Delivery], *, costs: Mapping[Of, Decimal]) -> None:
        """Hold what was delivered meanwhile against every promise."""
        deliveries = tuple(deliveries)
        self.delivered += len(deliveries)
        if deliveries and not moment.usable:
            self.broken.append(f"something is wrong with the ledger, and {len(deliveries)} got a message")
        for one in deliveries:
            self._judge(moment, one)
        for of, cost in costs.items():
            self._spend(moment, of, cost=cost)
        if deliveries and moment.play and not moment.repeats:
            self.newest = max(self.newest, min(one.index for one in moment.play))

    def _judge(self, moment: Moment, one: Delivery) -> None:
        campaign, edition = one.of
        got = f"{one.address} got {campaign} #{edition}"
        if one.address in self.held[one.of]:
            self.broken.append(f"{got} again, or had got it elsewhere")
        self.held[one.of].add(one.address)
        if one.address in moment.opted_out:
            self.broken.append(f"{got} after opting out")
        if one.of not in moment.present:
            self.broken.append(f"{got}, and no file holds it")
        if self.members.setdefault(one.of, self._approved(one.of)).isdisjoint({one.address}) and (
            campaign not in moment.joinable
        ):
            self.broken.append(f"{got} after joining later")
        objections = {self._objection(moment, approval, one) for approval in moment.play}
        if "" not in objections:
            self.broken.append(f"{got} and reads {one.text!r}: {', '.join(sorted(objections)) or 'nothing is applied'}")

    def _objection(self, moment: Moment, approval: Approval, one: Delivery) -> str:
        if approval.index < self.newest and not moment.repeats:
            return f"plan {approval.index} is superseded by plan {self.newest}"
        return moment.objection(approval, one)

    def _approved(self, of: Of) -> frozenset[str]:
        """Return everybody that any applied plan has an edition for."""
        return frozenset(address for one in self.applied for address, _ in one.lines.get(of, ()))

    def _spend(self, moment: Moment, of: Of, *, cost: Decimal) -> None:
        """Hold the money against what was approved; where a false word was believed, more was spent than known."""
        if len(moment.play) != 1 or self.freed[of]:
            return
        (approval,) = moment.play
        self.spent[approval.index, of] += cost
        spent, worst = self.spent[approval.index, of], approval.worst.get(of, Decimal(0))
        total = sum(amount for (index, _), amount in self.spent.items() if index == approval.index)
        if spent > worst or total > Decimal(approval.limit):
            self.broken.append(f"plan {approval.index} cost {spent} for {of}, {total} in all, approved were {worst}")
