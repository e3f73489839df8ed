"""What a plan tells of its campaigns together: caps and exclusions among them; and what one part may cost."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from workspaces import Workspace, sibling, tally

if TYPE_CHECKING:
    from pathlib import Path

CAP = "limits: {per_contact: {messages: 1, days: 7}, "
EMAIL = """\
id: mail
channel: email
purpose: transactional
sender: null
audience: {contacts: [{email: zoe@acme.example}]}
message: {subject: Bonjour, text: Bonjour, from: {address: shop@acme.example}, service: gateway}
limits: {max_unit_price: 0.0008 EUR}
"""


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    """Make a project with two campaigns to the same three people, another text each."""
    project = Workspace(tmp_path).usual()
    project.write("campaigns/oct.yaml", sibling("oct"))
    return project


def told(project: Workspace, *words: str) -> list[tuple[str, str, str]]:
    """Plan; return the campaigns that are stopped, each with rule and message."""
    rows = json.loads(project.run("plan", *words, "--offline", "--json", code=None).out)["campaigns"]
    return [
        (row["id"], found["rule"], found["message"])
        for row in rows
        for found in row["findings"]
        if found["severity"] != "info"
    ]


def in_days(days: float) -> str:
    return f"schedule: {{send_at: {datetime.now(UTC) + timedelta(days=days):%Y-%m-%dT%H:%M}, timezone: UTC}}\n"


def test_two_campaigns_of_one_plan_are_too_much_for_the_same_people(project: Workspace) -> None:
    assert told(project) == []
    project.edit("octoplan.yaml", "limits: {", CAP)
    message = "with what this plan sends before it, 3 contacts would get more than 1 in 7 days"
    assert told(project) == [("oct", "contact-cap", message)]
    assert "at octoplan.yaml:4:" in project.run("plan", code=3).out
    assert "oct: contact-cap: " in project.run("apply", code=3).err
    project.apply_only("noel")
    assert told(project) == [("oct", "audience-empty", "nobody is left to contact of 3 rows")]  # the way out it names
    project.edit("campaigns/oct.yaml", "id: oct", 'id: oct\nallow: {contact-cap: "a recall of goods"}')
    assert tally(project.run("apply").out)["accepted"] == 3


def test_whoever_accepts_it_lets_them_get_both(project: Workspace) -> None:
    project.edit("octoplan.yaml", "limits: {", CAP)
    project.edit("campaigns/oct.yaml", "id: oct", 'id: oct\nallow: {contact-cap: "a recall of goods"}')
    assert "would get more than 1 in 7 days (accepted: a recall of goods)" in project.run("plan").flat
    assert tally(project.run("apply").out)["accepted"] == 6


def test_what_was_sent_before_counts_too(project: Workspace) -> None:
    project.apply_only("noel")
    project.edit("octoplan.yaml", "limits: {", CAP.replace("1,", "2,"))
    assert told(project) == []
    project.write("campaigns/pub.yaml", sibling("pub"))
    assert [(name, rule) for name, rule, _ in told(project)] == [("pub", "contact-cap")]
    project.write("audiences/list.csv", "phone_number,first_name,code\n+33639980014,Lea,C4\n+33639980011,Zoe,1E5\n")
    assert "1 contact would get more than 2 in 7 days" in told(project)[0][2]


def test_only_what_is_due_before_and_within_the_days_counts(project: Workspace) -> None:
    project.edit("octoplan.yaml", "limits: {", CAP)
    project.write("campaigns/oct.yaml", sibling("oct") + in_days(6.5))
    assert [name for name, *_ in told(project)] == ["oct"]
    project.write("campaigns/oct.yaml", sibling("oct") + in_days(7.5))
    assert told(project) == []
    project.write("campaigns/noel.yaml", sibling("noel") + in_days(9))
    assert [name for name, *_ in told(project)] == ["noel"]  # due after the other, whatever it is called


def test_whoever_is_excluded_by_a_campaign_of_the_same_plan_is_told(project: Workspace) -> None:
    project.edit("campaigns/oct.yaml", "list.csv}", "list.csv, exclude: [{campaign: noel}, {campaign: other}]}")
    message = "`noel` is excluded, and this plan sends it to 3 contacts of this campaign"
    assert told(project) == [("oct", "excluded-in-plan", message)]
    project.run("apply", code=3)
    assert told(project, "oct") == []
    project.write("campaigns/noel.yaml", sibling("noel") + in_days(1))
    assert told(project) == []  # by the time of oct nobody has got it
    project.write("campaigns/noel.yaml", sibling("noel"))
    project.apply_only("noel")
    assert told(project) == [("oct", "audience-empty", "nobody is left to contact of 3 rows")]


@pytest.mark.parametrize(("limit", "stopped"), [("0.049", False), ("0.0489", True)])
def test_a_part_may_not_cost_more_than_its_limit(project: Workspace, limit: str, *, stopped: bool) -> None:
    project.edit("octoplan.yaml", "limits: {", f"limits: {{max_unit_price: {limit} EUR, ")
    message = f"one part costs more than the limit of {limit} EUR: FR 0.049 EUR"
    expected = [("noel", "unit-price", message), ("oct", "unit-price", message)]
    assert told(project) == (expected if stopped else [])


def test_an_e_mail_is_priced_by_its_service(project: Workspace) -> None:
    project.edit("prices/octopush.yaml", "sms_low_cost", "email: {gateway: 0.0009}\nsms_low_cost")
    project.write("campaigns/mail.yaml", EMAIL)
    message = "one message costs more than the limit of 0.0008 EUR: gateway 0.0009 EUR"
    assert told(project, "mail") == [("mail", "unit-price", message)]
    project.edit("campaigns/mail.yaml", "id: mail", 'id: mail\nallow: {unit-price: "agreed"}')
    assert told(project, "mail") == []
