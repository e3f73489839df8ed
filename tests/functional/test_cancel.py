"""What can be taken back is, what cannot is said, and whoever is cancelled still counts as sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from relay import HTML, Relay, nobody_home, passed, reply_held, reply_lost, request_lost, says
from workspaces import AUDIENCE, CAMPAIGN, Workspace, tally

from octoplan.core.errors import Unfinished
from octoplan.ledger.sqlite import SqliteLedger
from octoplan.providers.octopush.cancel import HINTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from relay import Call

    Act = Callable[[Call], None]

SOON = (datetime.now(UTC) + timedelta(hours=2)).astimezone(ZoneInfo("Europe/Paris"))
SCHEDULED = f"{CAMPAIGN}schedule: {{send_at: {SOON:%Y-%m-%dT%H:%M}}}\n"
NO = b'{"code": 155, "message": "Zoe"}'
DONE = says(204, b"")


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    """Make a project of three batches of one contact each, scheduled in two hours."""
    project = Workspace(tmp_path).usual()
    project.edit("octoplan.yaml", "quiet_time: 1s", "quiet_time: 1s, workers: 1")
    project.write("campaigns/noel.yaml", SCHEDULED)
    return project


class Provider:
    """Answers cancels by a script, in order of arrival, and keeps what they asked for."""

    def __init__(self, relay: Relay) -> None:
        self.script: list[Act] = []
        self.asked: list[dict[str, str]] = []
        relay.asks = self.answer

    def answer(self, call: Call) -> None:
        if call.command != "DELETE":
            passed(call)
            return
        assert call.path == "/octopush/v1/public/multi-channel/cancel"
        self.asked.append(json.loads(call.content))
        self.script.pop(0)(call)


@pytest.fixture
def provider(relay: Relay) -> Provider:
    return Provider(relay)


def told(project: Workspace, code: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(project.run("cancel", "noel", "--json", code=code).out)
    return found


def states(found: dict[str, Any]) -> list[str]:
    return [each["state"] for each in found["batches"]]


def standing(project: Workspace) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(project.run("status", "noel", "--json").out)[0]
    return {name: found[name] for name in ("sent", "cancelled", "owed")}


def lost(call: Call) -> None:
    """Let the provider hear it, and nobody hear the provider."""
    call.cut()


def test_one_cancelled_one_refused_one_lost(project: Workspace, provider: Provider) -> None:
    project.run("apply")
    provider.script = [DONE, says(400, NO), lost]
    ended = project.run("cancel", "noel", code=6)
    first, *lines, last = ended.out.splitlines()
    assert first == last == "SANDBOX: nobody is contacted"
    assert lines[:3] == [
        "cancelled: noel/1/1 · 1 contact",
        f"not cancelled: noel/1/2 · 1 contact · code 155 — {HINTS.refused}",
        "unknown: noel/1/3 · 1 contact · the connection closed before a whole reply, or it was not HTTP",
    ]
    assert "cancelled 1 · not cancelled 1 · unknown 1 · cancelled before 0" in lines
    assert "raise `edition`" in lines[-1]
    assert standing(project) == {"sent": 3, "cancelled": 1, "owed": 0}
    assert "cancelled 1, still counted as sent" in project.run("status").out
    assert "cancelled" in project.run("status", "--contact", "+33639980011", code=None).out + "".join(
        project.run("status", "--contact", f"+3363998001{n}").out for n in (2, 3)
    )
    provider.script = [says(400, NO), DONE]
    again = told(project, 6)
    assert states(again) == ["not-cancelled", "cancelled"]
    assert (again["before"], again["reason"], again["exit"]) == (1, "not-cancelled", 6)
    provider.script = [DONE]
    assert told(project, 0)["cancelled"] == 1
    assert told(project, 0)["before"] == 3
    assert len(provider.asked) == 6
    assert {asked["channel"] for asked in provider.asked} == {"sms"}
    assert len({asked["ticket_number"] for asked in provider.asked}) == 3


def test_the_cancelled_are_not_sent_it_again(project: Workspace, provider: Provider) -> None:
    project.run("apply")
    provider.script = [DONE] * 3
    assert states(told(project, 0)) == ["cancelled"] * 3
    project.edit("campaigns/noel.yaml", "bonjour", "bonsoir")
    project.edit("campaigns/noel.yaml", "list.csv}", "list.csv, new_contacts: send}")
    project.write("audiences/list.csv", f"{AUDIENCE}+33639980014,Nadia,D4\n")
    assert tally(project.run("apply").out)["accepted"] == 1
    assert project.counts()["most_per_address"] == 1
    assert standing(project) == {"sent": 4, "cancelled": 3, "owed": 0}


@pytest.mark.parametrize(
    ("act", "code", "ended"),
    [
        (lost, 5, ("unknown", 3)),
        (says(500, HTML), 5, ("unknown", 3)),
        (says(200, b"{}"), 5, ("unknown", 3)),
        (says(401), 1, ("not-asked", 1)),
        (says(429), 5, ("not-asked", 1)),
    ],
    ids=["lost", "500", "200", "401", "429"],
)
def test_what_is_not_proved_leaves_them_accepted(
    project: Workspace, provider: Provider, act: Act, code: int, ended: tuple[str, int]
) -> None:
    project.run("apply")
    provider.script = [act] * 3
    found = told(project, code)
    assert states(found) == [ended[0]] * 3
    assert (found["unknown"], len(provider.asked)) == (3, ended[1])
    assert standing(project) == {"sent": 3, "cancelled": 0, "owed": 0}


def test_a_provider_that_nobody_reaches(project: Workspace, relay: Relay) -> None:
    project.run("apply")
    assert project.served == relay.url
    with nobody_home() as address:
        project.served = address
        ended = project.run("cancel", "noel", code=5)
    assert ended.out.count("not asked: noel/1/") == 3
    assert "Run the same command again" in ended.out


def test_what_cannot_be_cancelled_is_said_without_asking(project: Workspace, provider: Provider) -> None:
    project.write("campaigns/now.yaml", CAMPAIGN.replace("noel", "now").replace("bonjour", "voila"))
    project.write("campaigns/late.yaml", SCHEDULED.replace("noel", "late").replace("bonjour", "a demain"))
    shared = SCHEDULED.replace("noel", "many").replace("{{ contact.first_name }}, code {{ contact.code }}.", "!")
    project.write("campaigns/many.yaml", shared)
    assert tally(project.run("apply").out)["accepted"] == 12
    assert "it left at once" in project.run("cancel", "now", code=6).out
    assert "many/1/1 · 3 contacts · it has 3 contacts" in project.run("cancel", "many", code=6).out
    (project.root / "campaigns/late.yaml").unlink()
    assert provider.asked == []
    provider.script = [DONE] * 3
    assert "cancelled 3" in project.run("cancel", "late").out


def test_what_is_not_sent_needs_no_cancelling(project: Workspace, provider: Provider, relay: Relay) -> None:
    assert "(campaign-unknown)" in project.run("cancel", "nol", code=1).err
    ended = project.run("cancel", "noel").out
    assert (
        "Nothing was sent, so there is nothing to cancel; to send nothing, edit or delete campaigns/noel.yaml." in ended
    )
    relay.then(passed, says(401))
    project.run("apply", code=1)
    provider.script = [DONE]
    ended = project.run("cancel", "noel").out
    assert "Not sent yet, so not to be cancelled: 1 contact; to send nothing, edit or delete" in ended
    assert standing(project) == {"sent": 1, "cancelled": 1, "owed": 2}


def test_doubt_and_a_duplicate_have_no_ticket(project: Workspace, provider: Provider, relay: Relay) -> None:
    relay.then(reply_lost)
    project.run("apply", code=7)
    assert "`octoplan resolve` lists it" in project.run("cancel", "noel", code=6).out
    project.run("resolve", "noel/1/1", "--as", "sent", "--reason", "it is in the back office")
    assert "named no ticket" in project.run("cancel", "noel", code=6).out
    assert provider.asked == []


def test_a_run_that_lives_is_no_hindrance(project: Workspace, provider: Provider, relay: Relay) -> None:
    relay.then(passed, reply_held)
    process = project.start("apply")
    relay.wait_until_held()
    provider.script = [DONE]
    found = told(project, 5)
    assert states(found) == ["cancelled", "not-asked"]
    relay.release.set()
    process.communicate(timeout=30)
    provider.script = [DONE] * 2
    assert told(project, 0)["cancelled"] == 2
    assert project.counts()["most_per_address"] == 1


def test_of_earlier_editions_only_what_has_not_left(project: Workspace, provider: Provider) -> None:
    project.run("apply")
    project.edit("campaigns/noel.yaml", "id: noel", "id: noel\nedition: 2")
    project.run("apply")
    provider.script = [says(400, NO)] * 3 + [DONE] * 3
    found = told(project, 6)
    assert [each["batch"] for each in found["batches"]] == [f"noel/{n}/{m}" for n in (1, 2) for m in (1, 2, 3)]
    project.edit("campaigns/noel.yaml", SCHEDULED.splitlines()[-1], "")
    project.edit("campaigns/noel.yaml", "edition: 2", "edition: 3")
    project.run("apply")
    provider.script = [DONE] * 3
    assert states(told(project, 6)) == ["cancelled"] * 3 + ["not-cancelled"] * 3


def test_what_is_still_to_arrive_of_an_earlier_edition_is_named_though_it_cannot_be_cancelled(
    project: Workspace, provider: Provider
) -> None:
    project.edit("campaigns/noel.yaml", "bonjour {{ contact.first_name }}, code {{ contact.code }}", "bonjour a tous")
    assert tally(project.run("apply").out)["accepted"] == 3  # in one batch, which is too many to cancel
    project.write("campaigns/noel.yaml", SCHEDULED.replace("id: noel", "id: noel\nedition: 2"))
    project.run("apply")
    provider.script = [DONE] * 3
    found = told(project, 6)
    assert [(each["batch"], each["state"]) for each in found["batches"]] == [
        ("noel/1/1", "not-cancelled"),
        *((f"noel/2/{number}", "cancelled") for number in (1, 2, 3)),
    ]


def test_a_provider_that_is_gone_from_the_project(project: Workspace, provider: Provider) -> None:
    project.run("apply")
    project.edit("octoplan.yaml", "  octopush: {", "  renamed: {kind: octopush, ")
    project.edit("octoplan.yaml", "provider: octopush", "provider: renamed")
    assert "has no provider `octopush` any more" in project.run("cancel", "noel", code=6).out
    assert provider.asked == []


def test_a_ledger_that_cannot_note_it_hides_nothing(
    project: Workspace, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> bool:
        raise Unfinished("the ledger is held", reason="ledger-busy")

    project.run("apply")
    provider.script = [DONE] * 3
    with monkeypatch.context() as broken:
        broken.setattr(SqliteLedger, "cancel", busy)
        ended = project.run("cancel", "noel", code=5).out
    assert ended.count("the ledger could not note it: the ledger is held") == 3
    assert standing(project)["cancelled"] == 0


def test_it_is_told_before_credentials_are_needed(project: Workspace, relay: Relay) -> None:
    relay.then(request_lost)
    project.run("--env", "rehearsal", "ledger", "init")
    project.variables = {"OCTOPUSH_API_KEY": ""}
    assert "Nothing was sent" in project.run("--env", "rehearsal", "cancel", "noel").out


def test_the_sandbox_cancels_once(project: Workspace) -> None:
    with project.serving():
        project.run("apply")
        assert project.counts()["deliveries"] == 3
        assert "cancelled 3 · not cancelled 0" in project.run("cancel", "noel").out
        assert project.counts()["deliveries"] == 0
        assert "cancelled 0 · not cancelled 0 · unknown 0 · cancelled before 3" in project.run("cancel", "noel").out
        assert tally(project.run("apply").out)["accepted"] == 0
        assert project.counts()["deliveries"] == 0


def test_a_cancel_whose_reply_was_lost_is_asked_again(project: Workspace, provider: Provider) -> None:
    project.run("apply")
    provider.script = [reply_lost, passed, passed]
    assert states(told(project, 5)) == ["unknown", "cancelled", "cancelled"]
    assert project.counts()["deliveries"] == 0
    provider.script = [passed]
    again = project.run("cancel", "noel", code=6).out
    assert f"not cancelled: noel/1/1 · 1 contact · code 131 — {HINTS.refused}" in again, "a refusal proves no message"
    assert standing(project) == {"sent": 3, "cancelled": 2, "owed": 0}


def test_what_was_sent_elsewhere_is_cancelled_elsewhere(project: Workspace, provider: Provider) -> None:
    project.run("import", "noel", "audiences/list.csv")
    assert "not cancelled: noel/1/1 · 3 contacts · it was sent elsewhere" in project.run("cancel", "noel", code=6).out
    assert provider.asked == []
