"""A campaign leaves in its time or not at all, whatever the clock says and whoever runs late."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from workspaces import AUDIENCE, CAMPAIGN, Workspace, sibling

from octoplan.core import approval
from octoplan.core.errors import Exit, OctoplanError
from octoplan.project import open_project
from octoplan.workflow.apply import apply
from octoplan.workflow.crew import Supervision
from octoplan.workflow.plan import make
from octoplan.workflow.progress import Silent, Stop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from octoplan.core.approval import SavedPlan
    from octoplan.project import Project
    from octoplan.workflow.plan import Draft
    from octoplan.workflow.tally import Tally

PARIS = ZoneInfo("Europe/Paris")
SEND_AT = (datetime.now(PARIS) + timedelta(days=3)).replace(hour=10, minute=0, second=0, microsecond=0)
"""A moment that the sandbox, whose clock is its own, has before it."""
LEAD, GRACE = timedelta(hours=24), timedelta(minutes=15)
MOMENT = timedelta(seconds=1)


@dataclass
class Clocked:
    """A project whose clock stands still until it is set."""

    workspace: Workspace
    now: datetime = SEND_AT - timedelta(days=2)

    @property
    def project(self) -> Project:
        return open_project(self.workspace.root, clock=lambda: self.now)

    def plan(self, *words: str) -> Draft:
        return make(self.project, words=words, progress=Silent())

    def save(self, *words: str) -> SavedPlan:
        drafted = self.plan(*words)
        return approval.read_saved(approval.save(drafted.plan, drafted.approved, key=self.project.key))

    def apply(self, saved: SavedPlan | None = None) -> Tally:
        watch = Supervision(progress=Silent(), stop=Stop(), confirm=lambda _plan: None, told=lambda _ended: None)
        return apply(self.project, saved, watch=watch)[1]

    def refused(self, saved: SavedPlan | None = None) -> OctoplanError:
        with pytest.raises(OctoplanError) as caught:
            self.apply(saved)
        return caught.value

    def schedule(self, send_at: datetime | None = SEND_AT) -> None:
        schedule = "" if send_at is None else f'schedule: {{send_at: "{send_at:%Y-%m-%dT%H:%M}"}}\n'
        self.workspace.write("campaigns/noel.yaml", CAMPAIGN + schedule)


@pytest.fixture
def clocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clocked]:
    """Return a project with one campaign for `SEND_AT`, two days before, over a sandbox apart."""
    workspace = Workspace(tmp_path).usual()
    with workspace.serving() as served:
        monkeypatch.setenv("OCTOPLAN_SANDBOX", served)
        made = Clocked(workspace)
        made.schedule()
        yield made


def test_before_its_time_a_campaign_waits_whole(clocked: Clocked) -> None:
    drafted = clocked.plan()
    (row,) = drafted.plan.campaigns
    assert (row.action, row.reason) == ("wait", "waiting")
    assert (row.apply_from, row.apply_until) == (SEND_AT - LEAD, SEND_AT + GRACE)
    assert drafted.exit is Exit.DONE
    assert len(drafted.approved) == drafted.plan.totals.contacts == 3
    assert drafted.plan.totals.wait == 1
    assert drafted.plan.totals.worst == {"EUR": "0.18"}
    assert drafted.plan.apply_until == SEND_AT + GRACE
    assert row.simulation is not None
    saved = clocked.save()
    tally = clocked.apply(saved)
    assert (tally.exit, tally.accepted, tally.not_started) == (Exit.DONE, 0, 3)
    assert tally.line().endswith("not started 3 · cost 0.00 of 0.18 EUR")
    assert clocked.workspace.counts()["deliveries"] == 0


@pytest.mark.parametrize("at", [SEND_AT - LEAD, SEND_AT - timedelta(hours=1), SEND_AT + GRACE], ids=str)
def test_in_its_time_it_is_sent_for_the_moment_it_names(clocked: Clocked, at: datetime) -> None:
    saved = clocked.save()
    clocked.now = at
    tally = clocked.apply(saved)
    assert (tally.exit, tally.accepted, tally.not_started) == (Exit.DONE, 3, 0)
    assert tally.line().endswith("cost 0.18 of 0.18 EUR")
    bodies = [json.loads(row["body"]) for row in clocked.workspace.ask("requests?limit=100")["requests"]]
    assert {body["send_at"] for body in bodies if not body.get("simulation_mode")} == {SEND_AT.isoformat()}
    assert {datetime.fromisoformat(row["at"]) for row in clocked.workspace.deliveries()} == {SEND_AT.astimezone(UTC)}
    assert clocked.apply(saved).accepted == 0


def test_a_moment_outside_its_time_nothing_leaves(clocked: Clocked) -> None:
    saved = clocked.save()
    clocked.now = SEND_AT - LEAD - MOMENT
    assert clocked.apply(saved).exit is Exit.DONE
    clocked.now = SEND_AT + GRACE + MOMENT
    tally = clocked.apply(saved)
    assert (tally.exit, tally.accepted, tally.not_started) == (Exit.STALE, 0, 3)
    assert "plan-expired" in tally.reasons
    assert clocked.workspace.counts()["deliveries"] == 0


def test_a_new_plan_after_its_time_is_an_error_while_nobody_has_got_it(clocked: Clocked) -> None:
    clocked.now = SEND_AT + GRACE + MOMENT
    drafted = clocked.plan()
    (row,) = drafted.plan.campaigns
    assert row.action == "blocked"
    assert [found.severity for found in row.findings if found.rule == "send-at-past"] == ["error"]
    assert drafted.exit is Exit.INPUT
    assert clocked.refused().exit is Exit.INPUT
    assert clocked.workspace.counts()["deliveries"] == 0


def test_whoever_missed_a_begun_edition_is_listed_and_not_sent(clocked: Clocked) -> None:
    clocked.now = SEND_AT - LEAD
    clocked.apply(clocked.save())
    clocked.workspace.write("audiences/list.csv", AUDIENCE + "+33639980014,Lea,C4\n")
    clocked.workspace.edit("campaigns/noel.yaml", "list.csv}", "list.csv, new_contacts: send}")
    late = clocked.save()
    clocked.now = SEND_AT + GRACE + MOMENT
    drafted = clocked.plan()
    (row,) = drafted.plan.campaigns
    assert (row.action, row.reason) == ("none", "missed")
    assert {found.severity for found in row.findings} == {"info"}
    assert ["1 contact missed" in found.message for found in row.findings if found.rule == "send-at-past"] == [True]
    assert (drafted.exit, drafted.plan.totals.contacts) == (Exit.DONE, 0)
    assert clocked.apply().accepted == 0
    assert clocked.apply(late).exit is Exit.STALE
    assert clocked.workspace.counts()["deliveries"] == 3


def test_a_saved_plan_without_a_moment_is_open_for_seven_days(clocked: Clocked) -> None:
    clocked.schedule(None)
    saved = clocked.save()
    assert saved.plan.apply_until == clocked.now + timedelta(days=7)
    clocked.now += timedelta(days=7) + MOMENT
    tally = clocked.apply(saved)
    assert (tally.exit, tally.accepted, tally.not_started) == (Exit.STALE, 0, 3)


def test_a_saved_plan_past_its_time_is_done_when_nobody_is_owed(clocked: Clocked) -> None:
    clocked.schedule(None)
    saved = clocked.save()
    clocked.now += timedelta(days=7)
    assert clocked.apply(saved).accepted == 3
    clocked.now += timedelta(days=1)
    tally = clocked.apply(saved)
    assert (tally.exit, tally.accepted, tally.not_started) == (Exit.DONE, 0, 0)


def test_one_campaign_waits_while_another_is_sent_and_a_third_is_late(clocked: Clocked) -> None:
    now = clocked.now
    for name, send_at in (("late", now), ("now", now + timedelta(hours=2))):
        schedule = f'schedule: {{send_at: "{send_at:%Y-%m-%dT%H:%M}"}}\n'
        clocked.workspace.write(f"campaigns/{name}.yaml", sibling(name) + schedule)
    saved = clocked.save()
    assert {row.id: row.action for row in saved.plan.campaigns} == {"late": "send", "noel": "wait", "now": "send"}
    clocked.now += timedelta(hours=1)
    tally = clocked.apply(saved)
    assert (tally.exit, tally.accepted, tally.not_started) == (Exit.STALE, 3, 6)
    assert set(tally.reasons) == {"plan-expired", "waiting"}
    assert {row["text"][:5] for row in clocked.workspace.deliveries()} == {"ACME:"}
    clocked.now = SEND_AT
    assert clocked.apply(saved).accepted == 3  # the one that waited; the other was late before and still is


def test_who_joins_a_waiting_campaign_stops_only_that_one(clocked: Clocked) -> None:
    clocked.workspace.write("campaigns/now.yaml", sibling("now").replace("list.csv", "other.csv"))
    clocked.workspace.write("audiences/other.csv", AUDIENCE)
    saved = clocked.save()
    clocked.workspace.write("audiences/list.csv", AUDIENCE + "+33639980014,Lea,C4\n")
    tally = clocked.apply(saved)
    assert (tally.exit, tally.accepted) == (Exit.DONE, 3)
    clocked.now = SEND_AT
    assert clocked.refused(saved).reason == "plan-contacts"


def test_of_two_copies_in_one_plan_the_other_may_leave_first(clocked: Clocked) -> None:
    """Which of them is told was reviewed with the plan: it does not change with whose time opens first."""
    later = f'schedule: {{send_at: "{SEND_AT + timedelta(hours=1):%Y-%m-%dT%H:%M}", lead: 48h}}\n'
    copy = CAMPAIGN.replace("id: noel", "id: copy")
    clocked.workspace.write("campaigns/copy.yaml", copy + later)
    assert [row.id for row in clocked.plan().plan.campaigns if row.action == "blocked"] == ["copy"]
    clocked.workspace.write("campaigns/copy.yaml", 'allow: {near-duplicate: "in two steps"}\n' + copy + later)
    saved = clocked.save()
    clocked.now = SEND_AT - LEAD - MOMENT
    assert clocked.apply(saved).accepted == 3
    clocked.now = SEND_AT
    assert clocked.apply(saved).accepted == 3


def test_the_digest_is_the_same_elsewhere_and_later(
    clocked: Clocked, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = Workspace(tmp_path_factory.mktemp("elsewhere")).usual()
    other = Clocked(elsewhere, clocked.now + timedelta(hours=7))
    other.schedule()
    one, two = clocked.plan().plan, other.plan().plan
    assert one.digest == two.digest
    assert one.campaigns[0].digest == two.campaigns[0].digest
    assert one.plan_id != two.plan_id
    assert one.ledger != two.ledger
    monkeypatch.delenv("OCTOPLAN_SANDBOX")
    assert make(other.project, offline=True, progress=Silent()).plan.digest == one.digest


def test_a_cap_is_judged_by_when_the_plan_was_made(clocked: Clocked) -> None:
    """Whoever was over the cap at plan is so at apply: nobody joins because days have passed."""
    clocked.schedule(None)
    clocked.apply()
    clocked.workspace.edit("octoplan.yaml", "limits: {", "limits: {per_contact: {messages: 1, days: 2}, ")
    clocked.workspace.write("campaigns/next.yaml", sibling("next"))
    clocked.workspace.write("audiences/list.csv", AUDIENCE + "+33639980014,Lea,C4\n")
    clocked.now += timedelta(days=1)
    saved = clocked.save()
    assert saved.plan.totals.contacts == 1
    clocked.now += timedelta(days=5)
    tally = clocked.apply(saved)
    assert (tally.exit, tally.accepted, tally.dropped) == (Exit.DONE, 1, 0)
