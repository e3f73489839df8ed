"""A campaign that plays a recording: what is read of it, when, and what its calls then cost."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from recordings import written
from workspaces import AUDIENCE, Workspace, tally

from octoplan import wire
from octoplan.core.model import NotSent, Reply

if TYPE_CHECKING:
    from pathlib import Path

    from octoplan.core.model import Seen

MINUTE = written(8000 * 61)

PROJECT = """\
version: 1
defaults: {sender: ACME, country: FR, timezone: Europe/Paris}
limits: {max_cost: 500 EUR, max_contacts: 5000, max_parts: 3, countries: [FR]}
providers: {routee: {}}
"""
PRICES = """\
{currency: EUR, as_of: 2026-11-01, sample: true, voice_sms: {FR: 0.05}, voice_step_seconds: 30}
"""
CAMPAIGN = """\
id: fermeture
channel: voice
purpose: transactional
audience: {file: ../audiences/list.csv}
message: {audio: {url: "https://media.acme.fr/fermeture.wav", sha256: SHA256}}
"""


class Shelf:
    """What is at the address of the recording; `asked` counts who came for it."""

    def __init__(self, content: bytes) -> None:
        self.seen: Seen = Reply(status=200, headers={}, body=content)
        self.asked = 0

    def fetch(self, url: str, **_: object) -> Seen:
        assert url == "https://media.acme.fr/fermeture.wav"
        self.asked += 1
        return self.seen


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    there = Shelf(MINUTE)
    monkeypatch.setattr(wire, "fetch", there.fetch)
    return there


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    """Make a project that calls with a recording."""
    made = Workspace(tmp_path)
    made.write("octoplan.yaml", PROJECT)
    made.write("audiences/list.csv", AUDIENCE)
    made.write("prices/routee.yaml", PRICES)
    made.write("campaigns/fermeture.yaml", CAMPAIGN.replace("SHA256", hashlib.sha256(MINUTE).hexdigest()))
    return made


def planned(project: Workspace, *words: str, code: int = 0) -> dict[str, Any]:
    (campaign,) = json.loads(project.run("plan", "--json", *words, code=code).out)["campaigns"]
    return dict(campaign)


def told(campaign: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["severity"], one["message"]) for one in campaign["findings"] if one["rule"] == "audio"]


def test_its_length_is_what_calls_are_billed_by(project: Workspace, shelf: Shelf) -> None:
    campaign = planned(project)
    assert told(campaign) == []
    assert shelf.asked == 1
    assert campaign["text"]["parts"] == {"3": 3}
    assert (campaign["text"]["seconds"], campaign["text"]["step"]) == (61, 30)
    assert (campaign["estimate"]["parts"], campaign["estimate"]["cost"]) == (9, "0.45")
    shown = project.run("plan").flat
    assert "audio 61 s, 3 steps: 3 (30 s a step)" in shown
    assert 'audio url "https://media.acme.fr/fermeture.wav"' in shown


def test_its_steps_have_a_limit(project: Workspace, shelf: Shelf) -> None:
    project.edit("campaigns/fermeture.yaml", "message:", "limits: {max_parts: 2}\nmessage:")
    (limit,) = (one for one in planned(project, code=3)["findings"] if one["severity"] == "limit")
    assert (limit["rule"], limit["value"]) == ("parts-limit", "3")
    assert shelf.asked == 1


def test_offline_nothing_is_read_and_one_step_counted(project: Workspace, shelf: Shelf) -> None:
    campaign = planned(project, "--offline")
    assert told(campaign) == [("info", "the recording is not read offline: 30 seconds a call are counted")]
    assert campaign["estimate"]["parts"] == 3
    assert campaign["text"]["step"] == 0
    assert shelf.asked == 0


def test_samples_are_not_read(project: Workspace, shelf: Shelf) -> None:
    project.edit("campaigns/fermeture.yaml", "media.acme.fr", "media.acme.example")
    (info,) = told(planned(project))
    assert info[0] == "info"
    assert "reserved for examples" in info[1]
    assert shelf.asked == 0


def test_where_nobody_is_owed_it_nothing_is_read(project: Workspace, shelf: Shelf) -> None:
    project.edit("campaigns/fermeture.yaml", "list.csv}", "list.csv, where: \"code = 'none'\"}")
    assert told(planned(project, code=3)) == []
    assert shelf.asked == 0


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (NotSent(reason="cannot connect: refused"), "cannot connect: refused"),
        (Reply(status=403, headers={}, body=b""), "the server answers 403"),
        (Reply(status=200, headers={}, body=MINUTE + b"x"), "is not the one that is pinned"),
    ],
)
def test_what_cannot_be_heard_is_not_sent(project: Workspace, shelf: Shelf, seen: Seen, why: str) -> None:
    shelf.seen = seen
    campaign = planned(project, code=1)
    ((severity, message),) = told(campaign)
    assert (severity, campaign["action"]) == ("error", "blocked")
    assert why in message
    assert campaign["findings"][0]["line"] == 5


def test_it_is_read_again_before_it_is_sent(project: Workspace, shelf: Shelf) -> None:
    project.run("plan", "--out", "plan.zip")
    shelf.seen = Reply(status=200, headers={}, body=written(8000))
    ended = project.run("apply", "plan.zip", code=None)
    assert ended.code != 0
    assert shelf.asked == 2
    assert "is not the one that is pinned" in ended.flat + " ".join(ended.err.split())
    assert project.counts()["deliveries"] == 0


def test_everybody_hears_it_once(project: Workspace, shelf: Shelf) -> None:
    project.run("plan", "--out", "plan.zip")
    ended = project.run("apply", "plan.zip")
    assert tally(ended.out)["accepted"] == 3
    assert shelf.asked == 2
    assert {one["content"]["file_url"] for one in project.deliveries()} == {"https://media.acme.fr/fermeture.wav"}
    assert planned(project)["action"] == "none"
    assert shelf.asked == 2
