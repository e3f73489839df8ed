"""What the ledger remembers of a campaign and of people, as a plan asks it; without a ledger, of nobody."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from octoplan.core import approval, cap, keys
from octoplan.core.model import NOTHING, Channel
from octoplan.core.rules import voice
from octoplan.core.trial import is_trial
from octoplan.ledger import BatchState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from octoplan.core.model import Campaign
    from octoplan.core.plan import Change
    from octoplan.core.settings import PerContact
    from octoplan.ledger import Edition, Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What the ledger knows of an edition, in contacts."""

    edition: Edition | None
    changes: tuple[Change, ...] = ()
    in_doubt: int = 0
    held: int = 0
    unfinished: bool = False
    open_cost: Decimal = Decimal(0)

    @property
    def claimed(self) -> bool:
        """Whether something of it was claimed, so that its members are fixed."""
        return self.edition is not None and self.edition.closed


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A ledger as the plan of one moment asks it; a trial contacts nobody whom it should know.

    `live` means real people; `limit` is how many messages a person may get.
    """

    ledger: Ledger | None
    live: bool
    limit: PerContact | None
    planned_at: datetime

    def past(self, campaign: Campaign, spec: dict[str, Any]) -> Past:
        """Return what is known of a campaign's edition; `spec` is how it is written now."""
        if self.ledger is None:
            return Past(edition=None)
        edition = self.ledger.edition(campaign.id, campaign.edition)
        batches = edition.batches
        return Past(
            edition=edition,
            changes=approval.changes(json.loads(edition.spec), spec) if edition.spec and edition.closed else (),
            in_doubt=sum(batch.count for batch in batches if batch.state is BatchState.IN_DOUBT),
            held=edition.people(edition.held()),
            unfinished=any(batch.state is BatchState.RESERVED for batch in batches)
            or (edition.closed and not edition.is_settled),
            open_cost=edition.cost,
        )

    def is_new(self, campaign: Campaign) -> bool:
        """Tell whether a live ledger was never told of any send."""
        asked = self.live and not is_trial(campaign.id)
        return asked and self.ledger is not None and not self.ledger.has_history()

    def excluded(self, campaign: Campaign) -> bytes:
        """Return the packed keys of everybody who got one of the excluded campaigns."""
        return b"".join(edition.held() for _, edition in self._excluded(campaign))

    def others(self, campaign: Campaign) -> Iterator[tuple[str, str | None]]:
        """Yield each excluded campaign with every channel it was sent on."""
        yield from dict.fromkeys((name, channel_of(edition)) for name, edition in self._excluded(campaign))

    def unknown(self, campaign: Campaign) -> Iterator[str]:
        """Yield each excluded campaign that was sent to an audience of the provider."""
        yield from dict.fromkeys(
            name for name, edition in self._excluded(campaign) if edition.of_provider and edition.held()
        )

    def _excluded(self, campaign: Campaign) -> Iterator[tuple[str, Edition]]:
        if self.ledger is not None:
            for other in campaign.audience.exclude_campaigns:
                for number in self.ledger.editions(other):
                    yield other, self.ledger.edition(other, number)

    def capped(self, campaign: Campaign) -> bytes:
        """Return the packed keys of everybody who has had their fill when this message is due."""
        if self.limit is None or is_trial(campaign.id):
            return b""
        return cap.reached(self._around(campaign, self.limit.days), self.limit.messages)

    def called(self, campaign: Campaign) -> frozenset[bytes]:
        """Return the keys of everybody who has had as many marketing calls as French law allows."""
        calls = {"channel": Channel.VOICE.value, "purpose": "marketing"}
        if {"channel": campaign.channel, "purpose": campaign.purpose} != calls:
            return frozenset()
        return distinct(cap.reached(self._around(campaign, voice.ATTEMPT_DAYS, like=calls), voice.ATTEMPTS))

    def _around(self, campaign: Campaign, days: int, *, like: Mapping[str, str] = NOTHING) -> tuple[bytes, ...]:
        """Return the packed keys of each batch that arrives in the days before a message or, sent already, after it."""
        due, span = campaign.schedule.send_at or self.planned_at, timedelta(days=days)
        return self.ledger.recent(due - span, until=due + span, like=like) if self.ledger else ()

    def got_another(self, campaign: Campaign) -> frozenset[bytes]:
        """Return the keys of who got another edition: an earlier one, or a later one if this was lowered."""
        if self.ledger is None or is_trial(campaign.id):
            return frozenset()
        numbers = (number for number in self.ledger.editions(campaign.id) if number != campaign.edition)
        return distinct(b"".join(self.ledger.edition(campaign.id, number).held() for number in numbers))

    def last_contacts(self, campaign: Campaign) -> int | None:
        """Return how many contacts the edition before this one had, if there was one."""
        return None if self.ledger is None else last_contacts(self.ledger, campaign)


def last_contacts(ledger: Ledger, campaign: Campaign) -> int | None:
    """Return how many contacts the edition before a campaign's had, if there was one."""
    before = [number for number in ledger.editions(campaign.id) if number < campaign.edition]
    if is_trial(campaign.id) or not before:
        return None
    edition = ledger.edition(campaign.id, max(before))
    everybody = edition.held() if edition.of_provider else edition.members()  # what is not sent of a list is a guess
    return edition.people(everybody) or None


def distinct(packed: bytes) -> frozenset[bytes]:
    """Return packed keys one by one."""
    return frozenset(packed[start : start + keys.SIZE] for start in range(0, len(packed), keys.SIZE))


def channel_of(edition: Edition | None) -> str | None:
    """Return the channel that an edition was begun on; None where nobody was sent it."""
    return json.loads(edition.spec).get("channel") if edition and edition.spec else None


def held_of(edition: Edition | None) -> str | None:
    """Return what the provider held of an edition's audience, in words; empty: addresses; None: nothing was begun."""
    if edition is None or not edition.batches:
        return None
    return "an audience of the provider" if edition.batches[0].held else ""
