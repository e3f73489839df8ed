"""A campaign to the project's test contacts: planned, confirmed and sent as any other, beside everything real."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from octoplan.core.errors import Refused
from octoplan.core.plan import Selection
from octoplan.core.quantity import quantity
from octoplan.core.quoting import quoted, suggestion, typed
from octoplan.core.trial import recipients, renumbered, trials
from octoplan.workflow.apply import Order, carry_out
from octoplan.workflow.names import columns
from octoplan.workflow.plan import load, one
from octoplan.workflow.suppressions import Suppressions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from octoplan.core.model import Campaign
    from octoplan.core.plan import Plan
    from octoplan.project import Project
    from octoplan.project.files import Loaded
    from octoplan.workflow.crew import Supervision
    from octoplan.workflow.tally import Tally

EXAMPLE = 'test_contacts: {team: ["+33…"]}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One campaign for the test contacts of some groups; `others` of them have no address of its channel.

    `campaigns` are what is sent in its place, `loaded` the files with these alone.
    """

    campaign: str
    groups: tuple[str, ...]
    contacts: int
    others: int
    campaigns: tuple[Campaign, ...]
    loaded: Loaded
    suppressions: Suppressions

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        return {
            "campaign": self.campaign,
            "groups": list(self.groups),
            "contacts": self.contacts,
            "other_channel": self.others,
        }

    def line(self) -> str:
        """Return it as one line for people."""
        groups = ", ".join(self.groups)
        others = f", {self.others:,} not of this channel" if self.others else ""
        reached = quantity(self.contacts, "test contact")
        return f"TEST: {self.campaign} to {reached} of {groups}{others}"


def choose(project: Project, word: str, *, to: str | None) -> Trial:
    """Make the trial of the one campaign that `word` selects, for the test contacts of one group or of all.

    Raises:
        InputError: a file has findings of severity error; all of them.
        Refused: not exactly one campaign, or no test contact that it can reach.
    """
    suppressions = Suppressions.of(project)
    loaded = load(project, [word])
    campaign = one(loaded, word)
    groups = _groups(project, to)
    written = [address for name in groups for address in project.settings.test_contacts[name]]
    kind = campaign.channel.address_kind
    chosen = recipients(dict.fromkeys(written), kind, country=project.settings.defaults.country)
    if not chosen.addresses:
        way = f"add {'an e-mail address' if kind.value == 'email' else 'a number'} to it in octoplan.yaml"
        told = f"no contact of {', '.join(map(quoted, groups))} has an address of channel {campaign.channel}: {way}"
        raise Refused(told, reason="test-contacts")
    made = trials(campaign, chosen, columns=columns(campaign))
    read = loaded.read[campaign.id]
    return Trial(
        campaign=campaign.id,
        groups=groups,
        contacts=len(chosen.addresses),
        others=chosen.others,
        campaigns=made,
        loaded=replace(loaded, campaigns=made, read={each.id: read for each in made}),
        suppressions=suppressions,
    )


def send(project: Project, trial: Trial, *, watch: Supervision) -> tuple[Plan, Tally]:
    """Send a trial as an edition that was never sent.

    Raises:
        OctoplanError: before anything was sent, with the exit code that names the human action.
    """
    with contextlib.closing(project.open_ledger()) as ledger:
        before = (edition for each in trial.campaigns for edition in ledger.editions(each.id))
        campaigns = renumbered(trial.campaigns, max(before, default=0) + 1)
        order = Order(
            loaded=replace(trial.loaded, campaigns=campaigns),
            selection=Selection(ids=_ids(campaigns)),
            suppressions=trial.suppressions,
        )
        return carry_out(order, project, ledger=ledger, watch=watch)


def _ids(campaigns: Iterable[Campaign]) -> tuple[str, ...]:
    return tuple(campaign.id for campaign in campaigns)


def _groups(project: Project, to: str | None) -> tuple[str, ...]:
    known = project.settings.test_contacts
    if not known:
        raise Refused(f"octoplan.yaml has no test contacts: add `{EXAMPLE}`", reason="test-contacts")
    if to is None:
        return tuple(known)
    if to not in known:
        told = f"octoplan.yaml has no test contacts {typed(to)}: {suggestion(to, known)}"
        raise Refused(told, reason="test-contacts")
    return (to,)
