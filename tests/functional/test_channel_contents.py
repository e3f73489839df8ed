"""Campaigns of every kind, end to end: who gets which words, and what an edit changes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from workspaces import PRICES, Workspace

if TYPE_CHECKING:
    from pathlib import Path

EMAIL = """\
id: news
channel: email
purpose: marketing
audience: {file: ../audiences/list.csv}
message:
  subject: {fr: Pour vous, en: For you}
  from: {address: shop@acme.example, name: ACME}
  service: gateway
  locale: {column: lang, default: fr}
  format: html
  text_file: {fr: ../texts/news.fr.html, en: ../texts/news.en.html}
"""
EACH = """\
id: "note-{{ each.channel }}"
for_each: [{channel: sms}, {channel: rcs}, {channel: voice}]
channel: "{{ each.channel }}"
purpose: transactional
audience: {file: ../audiences/list.csv}
message: {text_file: "../texts/{{ each.channel }}.txt"}
"""


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    project = Workspace(tmp_path)
    project.write("prices/octopush.yaml", PRICES + "email: {gateway: 0.003}\nrcs: {FR: 0.08}\n")
    project.write("texts/news.fr.html", '<p>Bonjour {{ contact.name }}</p>\r\n{% include "foot.html" %}')
    project.write("texts/news.en.html", '<p>Hello {{ contact.name }}</p>{% include "foot.html" %}')
    project.write("texts/foot.html", "<p>ACME</p>")
    return project


def digest(project: Workspace) -> str:
    return str(json.loads(project.run("plan", "--offline", "--json").out)["digest"])


def test_five_hundred_e_mails_leave_out_who_does_not_want_any(project: Workspace) -> None:
    project.edit("octoplan.yaml", "limits:", "suppressions: [audiences/no.csv]\nlimits:")
    langs = ("fr", "EN", " fr_BE ", "", "xx")
    lines = [
        f"p{number}@octoplan.example,{'<script>' if number == 7 else 'Zoe'},{langs[number % 5]}"
        for number in range(503)
    ]
    project.write("audiences/list.csv", "\n".join(("email,name,lang", *lines)))
    project.write("audiences/no.csv", "email\nP1@octoplan.example\n p2@OCTOPLAN.example \n")
    project.write("campaigns/news.yaml", EMAIL)
    project.run("apply")
    deliveries = project.deliveries()
    assert len(deliveries) == 501
    shown = json.dumps(deliveries)
    assert not re.search(r"\bp[12]@octoplan", shown)
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "\\r" not in shown
    got = json.dumps([one for one in deliveries if "p6@" in json.dumps(one)])
    assert "Hello Zoe" in got
    assert "For you" in got
    assert "1 unchanged" in project.run("plan").flat


def test_every_edit_of_what_is_read_is_another_plan(project: Workspace) -> None:
    project.write("audiences/list.csv", "email,name,lang\na@octoplan.example,Zoe,fr\nb@octoplan.example,Ines,en\n")
    project.write("campaigns/news.yaml", EMAIL)
    seen = {digest(project)}
    for name, old, new in (
        ("texts/foot.html", "ACME", "ACME!"),
        ("texts/news.en.html", "Hello", "Good day"),
        ("campaigns/news.yaml", "For you", "For you all"),
        ("campaigns/news.yaml", "name: ACME", "name: ACME Shops"),
        ("campaigns/news.yaml", "gateway", "mailbox"),
    ):
        project.edit(name, old, new)
        if new == "mailbox":
            project.edit("prices/octopush.yaml", "{gateway", "{mailbox: 0.002, gateway")
        found = digest(project)
        assert found not in seen, (name, new)
        seen.add(found)


def test_items_may_differ_in_their_channel(project: Workspace) -> None:
    project.write("audiences/list.csv", "phone_number\n+33639980011\n+33639980012\n")
    for channel in ("sms", "rcs", "voice"):
        project.write(f"texts/{channel}.txt", f"Bonjour par {channel}")
    project.write("campaigns/note.yaml", EACH)
    assert "`message.gender` is missing" in project.run("validate", code=1).out
    project.edit("campaigns/note.yaml", ", {channel: voice}", "")
    project.run("apply")
    assert sorted(str(one["text"]) for one in project.deliveries()) == ["Bonjour par rcs"] * 2 + ["Bonjour par sms"] * 2


def test_a_book_without_the_product_has_no_price_for_it(project: Workspace) -> None:
    project.edit("prices/octopush.yaml", "rcs: {FR: 0.08}\n", "voice_sms: {FR: 0.1}\nvoice_step_seconds: 1\n")
    project.write("audiences/list.csv", "phone_number\n+33639980011\n")
    project.write("texts/rcs.txt", "Bonjour")
    project.write("campaigns/note.yaml", EACH.replace("{channel: sms}, ", "").replace(", {channel: voice}", ""))
    assert "error price-missing: the price book has no price for rcs to FR" in project.run("plan", code=1).flat
    calls = EACH.replace("{channel: sms}, {channel: rcs}, ", "").replace(
        "text_file:", "language: fr-FR, gender: male, text_file:"
    )
    project.write("campaigns/note.yaml", calls)
    project.write("texts/voice.txt", "bonjour " * 6)
    planned = project.run("plan", code=3).flat
    assert "4 steps: 1 (1 s a step)" in planned
    assert "limit parts-limit: the longest text takes 4 billing steps, the limit is 3" in planned
