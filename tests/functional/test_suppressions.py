"""Opt-out wins, however a list of the project and a campaign abroad spell the number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from workspaces import Workspace

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    project = Workspace(tmp_path).usual()
    project.edit("octoplan.yaml", "version: 1", "version: 1\nsuppressions: [audiences/opposition.csv]")
    return project


def test_national_numbers_of_the_project_protect_from_a_campaign_abroad(project: Workspace) -> None:
    project.write("audiences/opposition.csv", "phone_number\n0639980012\n")
    project.edit("campaigns/noel.yaml", "list.csv}", "list.csv, country: BE}")
    project.run("apply")
    assert sorted(one["address"] for one in project.deliveries()) == ["+33639980011", "+33639980013"]


@pytest.mark.parametrize("entries", ["email\nacme.example\n", "phone_number\n0639980012;0639980013\n"])
def test_a_list_without_any_number_is_the_wrong_list(project: Workspace, entries: str) -> None:
    project.write("audiences/opposition.csv", entries)
    refused = project.run("apply", code=1)
    assert "protecting nobody" in " ".join(refused.out.split())
    assert project.counts()["deliveries"] == 0


def test_a_list_of_e_mail_addresses_alone_is_said_and_stops_nothing(project: Workspace) -> None:
    project.write("audiences/opposition.csv", "email\nx@acme.example\n")
    shown = project.run("apply").flat
    assert "opposition.csv: only e-mail addresses (1), no telephone numbers" in shown
    assert project.counts()["deliveries"] == 3


def test_a_mixed_list_protects_its_numbers(project: Workspace) -> None:
    project.write("audiences/opposition.csv", "x@acme.example\n0639980012\nZoe <zoe@acme.example>\n")
    shown = project.run("apply").flat
    assert "opposition.csv" not in shown
    assert sorted(one["address"] for one in project.deliveries()) == ["+33639980011", "+33639980013"]
