"""No message is due when its recipient may not be reached: at plan, at each request, and after each wait."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from relay import Relay, passed, relaying, request_lost, says
from workspaces import CAMPAIGN, Workspace, tally

from octoplan import project as projects
from octoplan.core import hours

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from relay import Call

PARIS = ZoneInfo("Europe/Paris")
SUNDAY = datetime(2030, 12, 1, 10, tzinfo=PARIS)
MONDAY = SUNDAY + timedelta(days=1)
CLOSING = MONDAY.replace(hour=19, minute=59)
MARKETING = CAMPAIGN.replace("transactional", "marketing").replace("code {{", "{{ stop }} {{")


class Clock:
    """A clock that stands still until a test sets it."""

    now = SUNDAY

    def __call__(self) -> datetime:
        return self.now.astimezone(UTC)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(projects, "open_project", partial(projects.open_project, clock=clock))
    return clock


@pytest.fixture
def project(tmp_path: Path, clock: Clock) -> Workspace:
    """Make a project of one marketing campaign in three batches, and one worker."""
    assert clock.now == SUNDAY
    project = Workspace(tmp_path).usual()
    project.write("campaigns/noel.yaml", MARKETING)
    project.edit("prices/octopush.yaml", "BE:", "GB:")
    project.edit("octoplan.yaml", "quiet_time: 1s", "quiet_time: 1s, workers: 1")
    return project


@pytest.fixture
def relay(project: Workspace) -> Iterator[Relay]:
    with project.serving() as served, relaying(served) as relay:
        project.served = relay.url
        project.run("--env", "rehearsal", "ledger", "init")
        yield relay


def saved(project: Workspace, *, code: int = 0) -> list[str]:
    project.run("--env", "rehearsal", "plan", "--out", str(project.root / "a.plan"), code=code)
    return ["apply", str(project.root / "a.plan")]


def line(accepted: int, not_started: int = 0) -> dict[str, int]:
    return {"accepted": accepted, "rejected": 0, "in doubt": 0, "dropped": 0, "not started": not_started}


def scheduled(project: Workspace, at: datetime, more: str = "") -> None:
    project.write("campaigns/noel.yaml", f"{MARKETING}schedule: {{send_at: {at:%Y-%m-%dT%H:%M}}}\n{more}")


def found(project: Workspace, *words: str, code: int = 0) -> dict[str, Any]:
    (row,) = json.loads(project.run(*words, "plan", "--json", code=code).out)["campaigns"]
    assert isinstance(row, dict)
    return row


def test_on_a_sunday_nothing_is_claimed_and_on_monday_everything_is_sent(
    project: Workspace, relay: Relay, clock: Clock
) -> None:
    shown = project.run("--env", "rehearsal", "plan").flat
    assert "as soon as applied, closed until Mon 2030-12-02 08:00 (fr-strict)" in shown
    words = saved(project)
    closed = project.run(*words, code=5)
    assert tally(closed.out) == line(0, not_started=3)
    until = "Mon 2030-12-02 08:00 Europe/Paris: run the same command again then"
    assert closed.err.splitlines()[-1] == f"closed: noel is closed under fr-strict until {until}"
    assert not relay.sends
    clock.now = MONDAY.replace(hour=8, minute=0)
    assert tally(project.run(*words).out) == line(3)
    assert project.counts()["most_per_address"] == 1


def test_open_for_the_first_batch_and_closed_for_the_second(project: Workspace, relay: Relay, clock: Clock) -> None:
    def last(call: Call) -> None:
        passed(call)
        clock.now = CLOSING + timedelta(minutes=1)

    clock.now = CLOSING
    words = saved(project)
    relay.then(last)
    events = [json.loads(event) for event in project.run(*words, "--json", code=5).out.splitlines()]
    assert (events[-1]["reason"], events[-1]["accepted"], events[-1]["not_started"]) == ("closed", 1, 2)
    assert "Tue 2030-12-03 08:00" in events[-1]["reasons"]["closed"]
    assert len(relay.sends) == 1
    assert tally(project.run(*words, code=5).out) == line(0, not_started=2)
    clock.now = MONDAY + timedelta(days=1)
    assert tally(project.run(*words).out) == line(2)
    assert project.counts() == {"deliveries": 3, "addresses": 3, "most_per_address": 1}


def test_a_wait_that_lasts_beyond_closing_time(project: Workspace, relay: Relay, clock: Clock) -> None:
    def busy(call: Call) -> None:
        says(429, retry_after="1")(call)
        clock.now = CLOSING + timedelta(minutes=1)

    clock.now = CLOSING
    words = saved(project)
    relay.then(busy)
    closed = project.run(*words, code=5)
    assert tally(closed.out) == line(0, not_started=3)
    assert closed.err.count("closed: ") == 1
    assert len(relay.sends) == 1
    clock.now = MONDAY + timedelta(days=1)
    assert tally(project.run(*words).out) == line(3)
    assert project.counts() == {"deliveries": 3, "addresses": 3, "most_per_address": 1}


def test_what_may_go_at_any_hour_goes_on(project: Workspace, relay: Relay, clock: Clock) -> None:
    assert relay.url
    project.write("campaigns/code.yaml", CAMPAIGN.replace("id: noel", "id: code"))
    words = saved(project)
    assert tally(project.run(*words, code=5).out) == line(3, not_started=3)
    clock.now = MONDAY
    assert tally(project.run(*words).out) == line(3)


def test_a_moment_out_of_hours_is_a_limit_everywhere_and_can_be_accepted(
    project: Workspace, relay: Relay, clock: Clock
) -> None:
    moment = SUNDAY + timedelta(hours=2)
    scheduled(project, moment)
    for environment in ("sandbox", "rehearsal"):
        row = found(project, "--env", environment, code=3)
        assert [(one["rule"], one["severity"], one["line"]) for one in row["findings"]] == [("hours", "limit", 6)]
        assert (row["action"], row["hours"]) == ("blocked", "fr-strict")
    scheduled(project, moment, "allow: {hours: they asked for it}\n")
    words = saved(project)
    assert "(accepted: they asked for it)" in found(project)["findings"][0]["message"]
    clock.now = moment
    assert tally(project.run(*words).out) == line(3)
    assert len(relay.sends) == 3


def test_a_moment_within_the_hours_may_be_applied_at_night(project: Workspace, relay: Relay, clock: Clock) -> None:
    scheduled(project, MONDAY)
    shown = project.run("--env", "rehearsal", "plan").flat
    assert "send at Mon 2030-12-02 10:00 Europe/Paris, open 08:00–20:00 (fr-strict) · cannot be recalled" in shown
    words = saved(project)
    assert tally(project.run(*words).out) == line(3)
    assert clock.now == SUNDAY
    assert len(relay.sends) == 3


def test_what_is_late_for_its_moment_and_then_closed_needs_a_new_plan(
    project: Workspace, relay: Relay, clock: Clock
) -> None:
    scheduled(project, CLOSING)
    words = saved(project)
    clock.now = CLOSING + timedelta(minutes=1)
    late = project.run(*words, code=4)
    assert tally(late.out) == line(0, not_started=3)
    assert "until Tue 2030-12-03 08:00 Europe/Paris, which is after its time in this plan" in late.err
    assert not relay.sends
    clock.now = CLOSING
    assert tally(project.run(*words).out) == line(3)


def test_a_demonstration_works_on_a_sunday(project: Workspace) -> None:
    row = found(project)
    assert [(one["rule"], one["severity"]) for one in row["findings"]] == [("hours", "info")]
    assert "live: closed until Mon 2030-12-02 08:00" in row["findings"][0]["message"]
    assert (row["open_from"], row["hours"]) == (None, "fr-strict")
    assert tally(project.run("apply").out) == line(3)


def test_a_test_reaches_test_contacts_at_any_hour(project: Workspace, relay: Relay) -> None:
    project.edit("octoplan.yaml", "providers:", 'test_contacts: {team: ["+33639980001"]}\nproviders:')
    project.edit("octoplan.yaml", "rehearsal: {sandbox: true,", "rehearsal: {sandbox: true, limits: {max_contacts: 9},")
    assert tally(project.run("test", "noel").out) == line(1)
    assert len(relay.sends) == 1


def test_another_policy_needs_a_new_approval(
    project: Workspace, relay: Relay, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.now = MONDAY
    words = saved(project)
    strict = hours.POLICIES["fr-strict"]
    monkeypatch.setitem(hours.POLICIES, "fr-strict", replace(strict, as_of="2031-01-01"))
    assert tally(project.run(*words).out) == line(3)
    project.edit("campaigns/noel.yaml", "id: noel", "id: next")
    words = saved(project)
    monkeypatch.setitem(hours.POLICIES, "fr-strict", replace(strict, messages=hours.EVERY_DAY))
    stale = project.run(*words, code=4)
    assert "the hours policy fr-strict differs" in stale.err
    assert len(relay.sends) == 3


def test_britons_are_a_warning_and_have_their_bank_holidays(project: Workspace, relay: Relay, clock: Clock) -> None:
    clock.now = datetime(2031, 8, 25, 10, tzinfo=PARIS)
    project.edit("octoplan.yaml", "countries: [FR]", "countries: [FR, GB]")
    numbers = "phone_number,first_name,code\n+447700900123,Luke,1\n+33639980012,Zoe,2\n"
    project.write("audiences/list.csv", numbers)
    row = found(project, "--env", "rehearsal", code=3)
    rules = {one["rule"]: (one["severity"], one["message"]) for one in row["findings"]}
    assert rules["hours-country"][0] == "warning"
    assert rules["hours"][1].startswith("closed for 1 of 2 contacts until Tue 2031-08-26 09:00")
    project.write("campaigns/noel.yaml", MARKETING + "schedule: {hours: fr-strict}\n")
    words = saved(project)
    assert tally(project.run(*words, code=5).out) == line(1, not_started=1)
    assert len(relay.sends) == 1
    clock.now += timedelta(days=1)
    assert tally(project.run(*words).out) == line(1)


def test_an_unknown_policy_is_told_with_the_one_that_was_meant(project: Workspace) -> None:
    project.write("campaigns/noel.yaml", MARKETING + "schedule: {hours: fr-strickt}\n")
    told = project.run("validate", code=1)
    assert "campaigns/noel.yaml:6:19" in told.out
    assert "fr-strict" in told.out.replace("fr-strickt", "")


def test_a_request_in_doubt_is_not_repeated_outside_the_hours(project: Workspace, relay: Relay, clock: Clock) -> None:
    clock.now = CLOSING
    words = saved(project)
    relay.then(passed, request_lost)
    project.run(*words, code=7)

    def resolved(at: datetime, code: int) -> dict[str, Any]:
        clock.now = at
        ahead = int((at - datetime.fromisoformat(project.ask("clock")["now"])).total_seconds())
        project.ask("clock", advance=f"{ahead}s")
        found: dict[str, Any] = json.loads(project.run("--env", "rehearsal", "resolve", "--json", code=code).out)
        return found

    (batch,) = resolved(CLOSING + timedelta(minutes=2), 7)["batches"]
    assert "closed under fr-strict until Tue 2030-12-03 08:00 Europe/Paris" in batch["next"]
    assert len(relay.sends) == 2
    assert resolved(CLOSING + timedelta(hours=12, minutes=2), 0)["settled"]
    assert relay.sends[1] == relay.sends[2]
