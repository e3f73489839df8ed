"""A dozen mistakes and more on every channel: each gives its rule, its place and a way out."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ROOT
from workspaces import Workspace

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / "tests" / "hostile" / "channels"
EXPECTED = re.compile(r"! ([a-z-]+) (?:(\S+):)?([0-9]+):([0-9]+)")
CHANNELS = ("sms", "voice", "rcs", "email")
KINDS = (*CHANNELS, "each")

AUDIENCE = """\
phone_number,email,first_name,code,lang
+33639980011,zoe@octoplan.example,Zoé,A1,fr
+33639980012,marc@octoplan.example,Marc,A 2,en-GB
+33639980013,ines@octoplan.example,Inès,,xx
"""
VALUES = re.compile(r"63998|639 98|zoe@|marc@|ines@|Zoé|Marc|Inès|A 2")

Placed = tuple[str, int, int, str]


def expected(kind: str) -> list[Placed]:
    return sorted(
        (other or path.relative_to(FOLDER).as_posix(), int(line), int(column), rule)
        for path in (FOLDER / "campaigns" / kind).iterdir()
        for rule, other, line, column in EXPECTED.findall(path.read_text(encoding="utf-8"))
    )


@pytest.fixture
def folder(tmp_path: Path) -> Workspace:
    shutil.copytree(FOLDER, tmp_path / "folder")
    project = Workspace(tmp_path / "kept")
    project.root = tmp_path / "folder"
    return project


@pytest.mark.parametrize("kind", KINDS)
def test_every_mistake_gives_rule_place_and_way_out(kind: str, folder: Workspace) -> None:
    names = sorted(path.relative_to(folder.root).as_posix() for path in (folder.root / "campaigns" / kind).iterdir())
    ended = folder.run("validate", "--json", *(str(folder.root / name) for name in names), code=1)
    rows = json.loads(ended.out)
    assert sorted((row["file"], row["line"], row["column"], row["rule"]) for row in rows) == expected(kind)
    assert all(row["hint"] for row in rows)
    assert not VALUES.search(ended.out + ended.err)
    if kind in CHANNELS:
        assert len({(row["rule"], row["message"]) for row in rows}) >= 12
        assert len({row["rule"] for row in rows}) >= 6


MESSAGES = {
    "sms": 'message: {text: "{% if contact.code %}Soldes{% else %}XXXXX\\t{% endif %} {{ contact.first_name }} '
    "{{ '{{' }} {name} test\"}\nsender: null",
    "voice": "options: {collect_keys: true}\nmessage: {language: fr-FR, gender: female, "
    'text: "{% if contact.code %}RDV 20h30, 1 250,50 € {{ contact.first_name }} \U0001f600 {{ stop }}{% endif %}"}',
    "rcs": """\
message:
  cards:
    - title: "{% if contact.code %}{{ contact.first_name }}{% endif %}"
      description: "Votre code: {{ contact.code }}, remise -20 %"
      actions:
        - label: "Bonjour {{ contact.first_name }}, voici votre code"
          open_url: "https://acme.example/{{ contact.code }}"
        - {label: "{{ contact.code }}"}""",
    "email": """\
message:
  subject: "{% if contact.code %} {{ contact.first_name }}{% endif %}"
  service: gateway
  from: {address: shop@acme.example}
  locale: {column: lang, default: fr}
  text: {fr: "Bonjour\\u200b {{ contact.first_name }}", en: "Hello TODO {{ contact.code }}\\u0007 {{ stop }}"}""",
}
FOUND = {
    "sms": {
        *(("stop-number", 5), ("text-control", 5), ("text-leftover", 5), ("text-placeholder", 5)),
        ("marketing-as-transactional", 5),
    },
    "voice": {("text-length", 6), ("read-aloud", 6), ("stop-number", 6), ("keys-nowhere", 5)},
    "rcs": {("rcs-shape", 7), ("rcs-limits", 10), ("url", 11), ("rcs-shape", 12), ("marketing-as-transactional", 6)},
    "email": {("subject", 6), ("text-invisible", 10), ("text-control", 10), ("stop-number", 10), ("locale", 9)},
}


def planned(project: Workspace, channel: str, message: str, **run: Any) -> list[dict[str, Any]]:
    project.edit("octoplan.yaml", ', "33639980012"', "")
    head = f"id: made\nchannel: {channel}\npurpose: transactional\n"
    audience = 'audience: {file: ../audiences/list.csv, fallback: {code: ""}}\n'
    project.write("campaigns/made.yaml", f"{head}{audience}{message}\n")
    project.write("audiences/list.csv", run.pop("audience", AUDIENCE))
    ended = project.run("plan", "--offline", "--json", **{"code": 1, **run})
    assert not VALUES.search(ended.out + ended.err)
    (campaign,) = json.loads(ended.out)["campaigns"]
    found: list[dict[str, Any]] = campaign["findings"]
    return found


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_contacts_would_get_is_judged_by_the_plan(channel: str, folder: Workspace) -> None:
    shutil.rmtree(folder.root / "campaigns")
    found = planned(folder, channel, MESSAGES[channel])
    assert {(row["rule"], row["line"]) for row in found} >= FOUND[channel], found
    assert all(row["hint"] and row["file"] == "campaigns/made.yaml" and row["column"] for row in found)


@pytest.mark.parametrize("channel", CHANNELS)
def test_addresses_of_the_wrong_kind_name_the_way_out(channel: str, folder: Workspace) -> None:
    shutil.rmtree(folder.root / "campaigns")
    message = MESSAGES[channel]
    lines = AUDIENCE.splitlines()
    head = lines[0].replace("phone_number,email", "email,phone_number")
    found = planned(folder, channel, message, audience="\n".join((head, *lines[1:])))
    (row,) = (row for row in found if row["rule"] == ("email-address" if channel == "email" else "phone"))
    assert "`audience.address`" in row["hint"]
    assert row["severity"] == "error"
