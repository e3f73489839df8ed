"""Who would get the same text twice, under two ids: in one plan, or after what was sent of late."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from octoplan.core import cap
from octoplan.core.held import kind_of
from octoplan.core.rules.near import DAYS, Likeness, check
from octoplan.core.wording import wordings
from octoplan.ledger import packed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from octoplan.core.model import Finding
    from octoplan.ledger import Ledger, Sent
    from octoplan.workflow.prepare import Prepared

_NEVER = datetime.max.replace(tzinfo=UTC)
_NOWHERE = 2**31


@dataclass(frozen=True, slots=True, kw_only=True)
class _Saying:
    """One id that says something: its campaign and place in the plan, if that owes it to anybody; what was sent."""

    item: Prepared | None = None
    order: int = _NOWHERE
    held: str = ""
    sent: list[Sent] = field(default_factory=list)

    def side(self, edition: int | None = None) -> _Side:
        """Return everybody it is said to, by one edition or any."""
        sent = [one for one in self.sent if edition in (None, one.edition)]
        keys = b"".join(one.read_keys() for one in sent if one.held)
        owed = self.item.packer.standing if self.item and self.item.packer else b""
        return _Side(
            keys=packed.keys(packed.distinct(keys + owed) if keys else owed),
            began=min((one.planned_at for one in sent), default=None),
            order=self.order,
            sent=bool(keys),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """Everybody to whom an id says something, each once. `began`: when the first plan that claimed it was made."""

    keys: packed.Keys
    began: datetime | None
    order: int
    sent: bool


def near_duplicates(
    owing: Iterable[Prepared], *, ledger: Ledger | None, planned_at: datetime
) -> dict[str, tuple[Finding, ...]]:
    """Return what is found of campaigns with somebody owed, in the order they are due in, by id.

    What was sent under the plan of `planned_at` itself changes nothing between two campaigns of that plan:
    which of them is the later one was reviewed with it.
    """
    found: dict[str, dict[str, Likeness]] = defaultdict(dict)
    for group in _groups(owing, ledger=ledger, start=planned_at - timedelta(days=DAYS)):
        for campaign, likeness in _likenesses(group, planned_at):
            found[campaign][likeness.campaign] = likeness
    return {campaign: tuple(check(likes.values())) for campaign, likes in found.items()}


def _groups(owing: Iterable[Prepared], *, ledger: Ledger | None, start: datetime) -> Iterator[dict[str, _Saying]]:
    """Yield the ids that say the same, where they are several; of the ledger texts are read here, and no keys."""
    groups: dict[tuple[str, str], dict[str, _Saying]] = defaultdict(dict)
    for order, item in enumerate(owing):
        for said in _said(item.spec):
            groups[said][item.row.id] = _Saying(item=item, order=order, held=said[1])
    known = cache(lambda spec: _said(json.loads(spec)))
    for sent in ledger.sent_since(start) if ledger and groups else ():
        for said in known(sent.spec) & groups.keys():
            groups[said].setdefault(sent.campaign, _Saying(held=said[1])).sent.append(sent)
    yield from (group for group in groups.values() if len(group) > 1)


def _said(spec: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """Return what a campaign says, each with what of the provider it is said to; empty: people of whom we know."""
    audience = spec.get("audience", {})
    kind = kind_of(spec) if audience else ""
    held = f"{kind} {audience[kind]}" if kind else ""
    return frozenset((wording, held) for wording in wordings(spec.get("message", {})))


def _likenesses(group: dict[str, _Saying], planned_at: datetime) -> Iterator[tuple[str, Likeness]]:
    """Yield what each campaign of the plan shares with each other id of its group, where that is anybody."""
    sides = {campaign: saying.side() for campaign, saying in group.items()}
    everybody = [side.keys.tobytes() for side in sides.values()]
    if not packed.repeats(packed.keys(b"".join(everybody))):
        return
    several = packed.keys(cap.reached(everybody, 2))
    for campaign, saying in group.items():
        if saying.item is None:
            continue
        own = saying.side(saying.item.row.edition)
        if packed.within(own.keys, several).any():
            for name, other in sides.items():
                if name != campaign:
                    likeness = _likeness(name, own, other=other, planned_at=planned_at)
                    yield campaign, replace(likeness, held=saying.held)


def _likeness(name: str, own: _Side, *, other: _Side, planned_at: datetime) -> Likeness:
    together = other.order != _NOWHERE or other.began == planned_at
    mine = own.began or (planned_at if together else _NEVER)
    return Likeness(
        campaign=name,
        contacts=own.keys.size,
        theirs=other.keys.size,
        shared=int(packed.within(own.keys, other.keys).sum()),
        later=(mine, own.order) < (other.began or planned_at, other.order),
        sent=other.sent,
    )
