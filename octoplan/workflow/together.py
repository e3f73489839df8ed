"""What the campaigns of one plan are to each other: each was prepared as if it were alone.

All that is found here is told and nobody is left out for it: whom another campaign of the plan reaches may change
until it is applied, and nobody may join then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from octoplan.core import cap
from octoplan.core.keys import SIZE
from octoplan.core.rules.together import check_cap, check_excluded
from octoplan.core.trial import is_trial
from octoplan.ledger import packed
from octoplan.workflow.limits import SENDING, placed
from octoplan.workflow.names import point
from octoplan.workflow.near import near_duplicates
from octoplan.workflow.prepare import mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from octoplan.core.model import Finding
    from octoplan.core.settings import PerContact
    from octoplan.workflow.prepare import Preparation, Prepared


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """Whom a campaign would be sent to, and when they get it."""

    at: datetime
    keys: packed.Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Judges the campaigns of one plan, in its order."""

    preparation: Preparation

    def judge(self, prepared: Iterable[Prepared]) -> list[Prepared]:
        """Block the campaigns that are too much for people who get others of the same plan, or got others of late."""
        items = list(prepared)
        owing = sorted((item for item in items if _owes(item)), key=self._at)
        near = near_duplicates(owing, ledger=self.preparation.ports.ledger, planned_at=self.preparation.planned_at)
        items = [self._marked(item, near.get(item.row.id, ())) for item in items]
        items = [self._marked(item, self._excluded(item, items)) for item in items]
        return self._within_cap(items)

    def _marked(self, item: Prepared, found: Iterable[Finding]) -> Prepared:
        placed = point(found, self.preparation.loaded.read[item.row.id])
        return mark(item, placed) if placed else item

    def _excluded(self, item: Prepared, items: Iterable[Prepared]) -> Iterator[Finding]:
        """Yield a finding for each excluded campaign that some of these people get no later, by the same plan."""
        names = item.campaign.audience.exclude_campaigns
        if not names or not _sends(item):
            return
        mine = self._due(item)
        for other in items:
            if other.row.id in names and other.row.id != item.row.id and _sends(other):
                theirs = self._due(other)
                shared = packed.within(mine.keys, theirs.keys).sum() if theirs.at <= mine.at else 0
                yield from check_excluded(other.row.id, int(shared))

    def _within_cap(self, items: list[Prepared]) -> list[Prepared]:
        """Block the campaigns with which people would get more than the cap allows, in the order they are due in."""
        limit = self.preparation.project.limits.per_contact
        if limit is None:
            return items
        judged = list(items)
        before: list[_Due] = []
        sending = [(index, self._due(item)) for index, item in enumerate(items) if _sends(item)]
        for index, mine in sorted(sending, key=lambda pair: pair[1].at):
            over = self._over(mine, before, limit=limit)
            found = placed(self.preparation.project, check_cap(over, str(limit)))
            if found:
                judged[index] = mark(items[index], found)
            if _sends(judged[index]):
                before.append(mine)
        return judged

    def _over(self, mine: _Due, before: Iterable[_Due], *, limit: PerContact) -> int:
        """Count the people who are over the cap for what they get before, and were not for what the ledger has."""
        span = timedelta(days=limit.days)
        since = mine.at - span
        others = [due.keys for due in before if due.at >= since]
        again = mine.keys[packed.within(mine.keys, _joined(others))]
        if not again.size:
            return 0
        ledger = self.preparation.ports.ledger
        got = packed.keys(b"".join(ledger.recent(since, until=mine.at + span) if ledger else ()))
        got = got[packed.within(got, again)]
        alone = cap.reached((got.tobytes(),), limit.messages)
        planned = (keys[packed.within(keys, again)].tobytes() for keys in others)
        return (len(cap.reached((got.tobytes(), *planned), limit.messages)) - len(alone)) // SIZE

    def _due(self, item: Prepared) -> _Due:
        keys = item.packer.keys if item.packer else b""
        return _Due(at=self._at(item), keys=packed.keys(keys))

    def _at(self, item: Prepared) -> datetime:
        return item.campaign.schedule.send_at or self.preparation.planned_at


def _owes(item: Prepared) -> bool:
    """Tell whether somebody would be sent a campaign, once nothing blocks it."""
    return item.row.estimate is not None and item.row.action != "none" and not is_trial(item.row.id)


def _sends(item: Prepared) -> bool:
    return _owes(item) and item.row.action in SENDING


def _joined(parts: Iterable[packed.Keys]) -> packed.Keys:
    return packed.keys(b"".join(part.tobytes() for part in parts))
