"""What was approved is what is sent: a saved plan against everything that may change after it."""

from __future__ import annotations

import json
import shutil
import zipfile
from typing import TYPE_CHECKING

import pytest
from json_schemas import mismatches
from workspaces import PROJECT, Workspace, tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from workspaces import Ended

SETTINGS = (
    PROJECT.replace("senders: [ACME]", "senders: [ACME, VILLE]")
    + "suppressions: [audiences/opposition.csv]\nvars: {shop: acme.example}\n"
)
NOEL = """\
id: noel
channel: sms
purpose: transactional
audience: {file: ../audiences/list.csv, fallback: {first_name: "cher client"}}
message: {text: "ACME: bonjour {{ contact.first_name }}, code {{ contact.code }}, {{ vars.shop }}"}
"""
RAPPEL = """\
id: rappel
channel: sms
purpose: transactional
tags: [promo]
audience:
  contacts:
    - {phone_number: "+33639980031", day: jeudi}
    - {phone_number: "+33639980032", day: vendredi}
    - {phone_number: "+33639980033", day: samedi}
message: {text: "ACME: a {{ contact.day }} 9h"}
"""
NAMES = ("Zoe", "Marc", "Ines", "Lea", "Hugo", "Nora", "Paul", "Eve", "Luc", "Ana", "Tom", "Lou")
ROWS = tuple(f"+336399800{10 + index},{name},K{index}Q" for index, name in enumerate(NAMES))
CANARIES = ("+336399", "6399800", *(row.split(",")[2] for row in ROWS), *NAMES, "jeudi", "vendredi", "samedi")
"""What stands in a contact's columns; none of it may be told."""

BOTH = pytest.mark.parametrize("approved", ["sandbox", "rehearsal"], indirect=True)


def listed(*rows: str) -> str:
    return "\n".join(("phone_number,first_name,code", *rows)) + "\n"


class Approved(Workspace):
    """A project with an approved plan in `plan.zip`, and a sandbox apart."""

    environment: str

    def apply(self, *, code: int) -> Ended:
        """Apply the approved plan and look for what may not be told."""
        ended = self.run("--env", self.environment, "apply", "plan.zip", code=code)
        told = ended.out + ended.err
        assert not [canary for canary in CANARIES if canary in told], told
        return ended


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Approved]]:
    """One approved project an environment, made once; every test changes a copy."""
    made = {}
    first = Workspace(tmp_path_factory.mktemp("served"))
    with first.serving() as served:
        for environment in ("sandbox", "rehearsal"):
            project = Approved(tmp_path_factory.mktemp(environment))
            project.served, project.environment = served, environment
            project.write("octoplan.yaml", SETTINGS)
            project.write("campaigns/noel.yaml", NOEL)
            project.write("campaigns/rappel.yaml", RAPPEL)
            project.write("audiences/list.csv", listed(*ROWS))
            project.write("audiences/opposition.csv", "phone_number\n+33639980099\n")
            if environment == "rehearsal":
                project.run("--env", "rehearsal", "ledger", "init")
            project.run("--env", environment, "plan", "--out", "plan.zip")
            made[environment] = project
        yield made


@pytest.fixture
def approved(request: pytest.FixtureRequest, templates: dict[str, Approved], tmp_path: Path) -> Approved:
    """Return a copy of the approved project, before anything was sent."""
    template = templates[getattr(request, "param", "rehearsal")]
    template.ask("reset", all=True)
    copy = Approved(tmp_path / "copy")
    shutil.copytree(template.root, copy.root, dirs_exist_ok=True)
    copy.served, copy.environment = template.served, template.environment
    return copy


def rewrite(old: str, new: str, name: str = "campaigns/noel.yaml") -> Callable[[Approved], None]:
    return lambda project: project.edit(name, old, new)


def replace_rows(*rows: str) -> Callable[[Approved], None]:
    return lambda project: project.write("audiences/list.csv", listed(*rows))


def suppress(project: Approved) -> None:
    project.write("audiences/opposition.csv", "phone_number\n+33639980099\n06 39 98 00 10\n")


def suppress_all(project: Approved) -> None:
    project.write("audiences/opposition.csv", "phone_number\n" + "".join(f"{row[:12]}\n" for row in ROWS))


def rename(project: Approved) -> None:
    (project.root / "campaigns/noel.yaml").rename(project.root / "campaigns/fetes.yaml")


CHANGES: dict[str, tuple[Callable[[Approved], object], str]] = {
    "text": (rewrite("bonjour", "bonsoir"), "campaign noel: message.text differs"),
    "variable": (rewrite("acme.example", "acme.test", "octoplan.yaml"), "campaign noel: message.text differs"),
    "sender": (rewrite("id: noel", "id: noel\nsender: VILLE"), "campaign noel: sender differs"),
    "default sender": (rewrite("sender: ACME", "sender: VILLE", "octoplan.yaml"), "campaign rappel: sender differs"),
    "condition": (rewrite("list.csv", "list.csv, where: \"code <> ''\""), "campaign noel: audience.where differs"),
    "fallback": (rewrite("cher client", "chere cliente"), "campaign noel: audience.fallback.first_name differs"),
    "acceptance": (rewrite("id: noel", "id: noel\nallow: {fixed-line: seen}"), "campaign noel: allow.fixed-line"),
    "campaign limit": (rewrite("id: noel", "id: noel\nlimits: {max_parts: 2}"), "campaign noel: limits.max_parts"),
    "edition": (rewrite("id: noel", "id: noel\nedition: 2"), "campaign noel: edition differs"),
    "price": (rewrite("FR: 0.049", "FR: 0.048", "prices/octopush.yaml"), "the price book of octopush differs"),
    "project limit": (rewrite("contacts: 5000", "contacts: 4000", "octoplan.yaml"), "limits.max_contacts differs"),
    "cap": (rewrite("its: {", "its: {per_contact: {messages: 9, days: 7}, ", "octoplan.yaml"), "limits.per_contact"),
    "code": (replace_rows(ROWS[0].replace("K0Q", "K0R"), *ROWS[1:]), "1 contact of noel would get something"),
    "two codes": (replace_rows(*(row.replace("K1", "L1") for row in ROWS)), "3 contacts of noel would get something"),
    "inline value": (rewrite("jeudi", "vendredi", "campaigns/rappel.yaml"), "1 contact of rappel would get something"),
    "row": (replace_rows(*ROWS, "+33639980044,Zoe,K0Q"), "1 contact of noel would get something"),
    "number": (replace_rows(ROWS[0].replace("9980010", "9980044"), *ROWS[1:]), "1 contact of noel would get something"),
    "audience": (replace_rows(*ROWS[3:]), "3 of 12 planned contacts of noel are gone, more than expect.max_change"),
    "everybody": (suppress_all, "12 of 12 planned contacts of noel are gone, more than expect.max_change"),
    "campaign": (lambda here: here.write("campaigns/new.yaml", RAPPEL.replace("rappel", "new")), "campaign new is new"),
    "file": (lambda here: (here.root / "campaigns/rappel.yaml").unlink(), "campaign rappel is gone"),
}  # fmt: skip


TWICE = ("text", "price", "project limit", "code", "row")
"""The changes that are made in both environments; the rest differ only in what they name."""


@pytest.mark.parametrize(
    ("approved", "name"),
    [*(("rehearsal", name) for name in CHANGES), *(("sandbox", name) for name in TWICE)],
    indirect=["approved"],
)
def test_a_change_after_approval_is_refused_and_named(approved: Approved, name: str) -> None:
    change, told = CHANGES[name]
    change(approved)
    ended = approved.apply(code=4)
    assert told in ended.err
    assert "make a new plan" in ended.err
    assert approved.ask("requests")["requests"] == []


HARMLESS: dict[str, tuple[Callable[[Approved], object], int]] = {
    "order of keys and comments": (
        lambda here: here.write("campaigns/noel.yaml", "\n".join(["# fetes", *reversed(NOEL.splitlines()), ""])),
        0,
    ),
    "description, owner and tags": (
        rewrite("id: noel", "id: noel\ndescription: Fetes\nowner: crm@acme.example\ntags: [q4]"),
        0,
    ),
    "name of the file": (rename, 0),
    "date of the price book": (rewrite("2026-11-01", "2026-11-09", "prices/octopush.yaml"), 0),
    "order of rows": (replace_rows(*reversed(ROWS)), 0),
    "removed rows": (replace_rows(*ROWS[2:]), 2),
    "opt-out": (suppress, 1),
    "removed inline contacts": (
        rewrite('    - {phone_number: "+33639980031", day: jeudi}\n', "", "campaigns/rappel.yaml"),
        1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HARMLESS)
def test_people_may_drop_out_and_files_may_be_tidied(approved: Approved, name: str) -> None:
    change, dropped = HARMLESS[name]
    change(approved)
    ended = approved.apply(code=0)
    sent = len(ROWS) + 3 - dropped
    assert tally(ended.out) == {"accepted": sent, "rejected": 0, "in doubt": 0, "dropped": dropped, "not started": 0}
    assert approved.counts() == {"deliveries": sent, "addresses": sent, "most_per_address": 1}


def test_a_small_audience_may_lose_any_share(approved: Approved) -> None:
    kept = RAPPEL.replace('    - {phone_number: "+33639980031", day: jeudi}\n', "")
    approved.write("campaigns/rappel.yaml", kept.replace('    - {phone_number: "+33639980032", day: vendredi}\n', ""))
    assert tally(approved.apply(code=0).out)["dropped"] == 2


@pytest.mark.parametrize("place", [0, 40, 0.5, -70, -1], ids=str)
def test_one_byte_of_the_saved_plan(approved: Approved, place: float) -> None:
    content = bytearray((approved.root / "plan.zip").read_bytes())
    position = int(place) if int(place) == place else int(len(content) * place)
    content[position] ^= 1
    (approved.root / "plan.zip").write_bytes(content)
    assert "(plan-" in approved.apply(code=4).err
    assert approved.ask("requests")["requests"] == []


@BOTH
def test_applied_twice_it_sends_once(approved: Approved) -> None:
    assert tally(approved.apply(code=0).out)["accepted"] == 15
    again = approved.apply(code=0).out
    assert tally(again) == {"accepted": 0, "rejected": 0, "in doubt": 0, "dropped": 0, "not started": 0}
    assert approved.counts() == {"deliveries": 15, "addresses": 15, "most_per_address": 1}


def test_whoever_was_sent_and_then_left_is_not_counted_as_dropped(approved: Approved) -> None:
    approved.apply(code=0)
    replace_rows(*ROWS[3:])(approved)
    assert tally(approved.apply(code=0).out)["dropped"] == 0


def test_an_older_plan_is_superseded_by_a_newer_applied_one(approved: Approved) -> None:
    approved.run("--env", "rehearsal", "plan", "noel", "--out", "newer.zip")
    approved.run("--env", "rehearsal", "apply", "newer.zip")
    ended = approved.apply(code=4)
    assert "plan-superseded" in ended.err
    assert "noel is superseded" in ended.err
    told = {"accepted": 3, "rejected": 0, "in doubt": 0, "dropped": 0, "not started": 0}
    assert tally(ended.out) == told  # the newer plan did not cover `rappel`
    assert approved.counts() == {"deliveries": 15, "addresses": 15, "most_per_address": 1}
    approved.run("--env", "rehearsal", "plan", "--out", "newest.zip")
    approved.run("--env", "rehearsal", "apply", "newest.zip")
    assert approved.run("--env", "rehearsal", "apply", "newer.zip", code=4).err.count("superseded") == 2


# whose plan it is


def test_the_plan_of_another_environment(approved: Approved) -> None:
    assert "(plan-environment)" in approved.run("--env", "sandbox", "apply", "plan.zip", code=4).err
    approved.variables["OCTOPLAN_ENV"] = "sandbox"
    assert "for environment `rehearsal`, not `sandbox`" in approved.run("apply", "plan.zip", code=4).err
    assert approved.ask("requests")["requests"] == []
    del approved.variables["OCTOPLAN_ENV"]
    assert tally(approved.run("apply", "plan.zip").out)["accepted"] == 15


def test_the_plan_of_another_account(approved: Approved) -> None:
    approved.variables["OCTOPUSH_API_LOGIN"] = "sandbox-others"
    assert "the account of octopush differs from the approved plan's" in approved.apply(code=4).err
    assert approved.ask("requests")["requests"] == []


def test_the_plan_of_another_project_or_ledger_has_another_seal(
    approved: Approved, templates: dict[str, Approved]
) -> None:
    shutil.copy(templates["sandbox"].root / "plan.zip", approved.root)
    assert "plan-environment" in approved.run("--env", "rehearsal", "apply", "plan.zip", code=4).err
    shutil.rmtree(approved.root / ".octoplan")
    assert "plan-seal" in approved.run("--env", "sandbox", "apply", "plan.zip", code=4).err


def test_a_plan_of_an_older_ledger_with_the_same_key(approved: Approved) -> None:
    backup = (approved.root / "rehearsal.db").read_bytes()
    approved.apply(code=0)
    approved.run("--env", "rehearsal", "plan", "--out", "later.zip")
    (approved.root / "rehearsal.db").write_bytes(backup)
    ended = approved.run("--env", "rehearsal", "apply", "later.zip", code=1)
    assert "restored backup" in ended.err
    assert "(ledger-restored)" in ended.err


# selection


def chosen(project: Workspace, *words: str) -> list[str]:
    return [row["id"] for row in json.loads(project.run("plan", "--offline", "--json", *words).out)["campaigns"]]


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["noel"], ["noel"]),
        (["r*"], ["rappel"]),
        (["tag:promo"], ["rappel"]),
        (["campaigns/noel.yaml"], ["noel"]),
        (["./campaigns/noel.yaml"], ["noel"]),
        (["!noel"], ["rappel"]),
        (["*", "!tag:promo"], ["noel"]),
        (["noel", "rappel"], ["noel", "rappel"]),
        ([], ["noel", "rappel"]),
    ],
    ids=str,
)
def test_a_selection(approved: Approved, words: list[str], ids: list[str]) -> None:
    assert chosen(approved, *words) == ids


@pytest.mark.parametrize(
    ("word", "near"),
    [("nole", "`noel`"), ("tag:promos", "`tag:promo`"), ("campaign/noel.yaml", "`campaigns/noel.yaml`")],
)
def test_a_word_that_matches_nothing(approved: Approved, word: str, near: str) -> None:
    for words in ([word], [f"!{word}"], ["noel", word]):
        ended = approved.run("plan", "--offline", *words, code=1)
        assert f"matches no campaign: did you mean {near}?" in ended.err
        assert "(selection-empty)" in ended.err
    assert "(selection-empty)" in approved.run("plan", "--offline", "noel", "!noel", code=1).err


def test_apply_plans_exactly_what_was_selected(approved: Approved) -> None:
    approved.run("plan", "tag:promo", "--out", "some.zip")
    approved.edit("campaigns/noel.yaml", "bonjour", "bonsoir")
    approved.edit("campaigns/rappel.yaml", "tags: [promo]", "tags: [q4]")
    approved.write("campaigns/new.yaml", RAPPEL.replace("rappel", "new"))
    assert tally(approved.run("apply", "some.zip").out)["accepted"] == 3
    (approved.root / "campaigns/rappel.yaml").unlink()
    assert "campaign rappel is gone" in approved.run("apply", "some.zip", code=4).err


@pytest.mark.parametrize(
    ("old", "new", "code", "rule"),
    [
        ("id: noel", "id: noel\nlimits: {max_contacts: 11}", 3, "contacts-limit"),
        ("code <> ''", "code <> ''", 1, "price-missing"),
    ],
)
def test_a_plan_with_a_blocked_campaign(approved: Approved, old: str, new: str, code: int, rule: str) -> None:
    if code == 3:
        approved.edit("campaigns/noel.yaml", old, new)
    else:
        approved.edit("campaigns/noel.yaml", "id: noel", "id: noel\noptions: {quality: low_cost}\nsender: null")
        approved.edit("prices/octopush.yaml", "sms_low_cost: {FR: 0.039}\n", "")
    shown = approved.run("plan", "--out", "blocked.zip", code=code)
    assert "! noel #1" in shown.out
    assert f" {rule}: " in shown.out
    assert "+ rappel #1" in shown.out
    assert "Cannot be applied: deselect or mend the campaigns marked !" in shown.out
    assert "saved" in shown.err
    assert "(plan-blocked)" in approved.run("apply", "blocked.zip", code=3).err
    assert f"noel: {rule}: " in approved.run("apply", code=code).err
    assert approved.counts()["deliveries"] == 0
    approved.run("plan", "!noel", "--out", "some.zip")
    assert tally(approved.run("apply", "some.zip").out)["accepted"] == 3


# the document


def test_the_plan_is_what_its_schema_says_and_adds_up(approved: Approved) -> None:
    late = RAPPEL.replace("rappel", "late").replace("9h", "10h")
    approved.write("campaigns/late.yaml", late + "limits: {max_contacts: 2}\n")
    shown = approved.run("plan", "--out", "p.zip", code=3).out
    assert approved.run("show", "p.zip").out == shown
    printed = approved.run("plan", "--out", "p.zip", "--json", code=3).out
    plan = json.loads(printed)
    schema = json.loads(approved.run("schema", "plan").out)
    assert list(mismatches(plan, schema, root=schema)) == []
    rows = [row for row in plan["campaigns"] if row["action"] not in ("none", "blocked")]
    for name in ("contacts", "parts"):
        assert plan["totals"][name] == sum(row["estimate"][name] for row in rows)
    assert plan["totals"]["send"] == len(rows) == 2
    assert plan["totals"]["blocked"] == 1
    assert float(plan["totals"]["worst"]["EUR"]) == pytest.approx(sum(float(row["estimate"]["worst"]) for row in rows))
    for row in plan["campaigns"]:
        audience = row["audience"]
        assert audience["rows"] == audience["contacts"] + audience["already_sent"] + sum(audience["excluded"].values())
        assert sum(row["text"]["parts"].values()) == sum(row["text"]["encodings"].values()) == audience["contacts"]
        assert row["estimate"]["parts"] == sum(int(size) * n for size, n in row["text"]["parts"].items())
    with zipfile.ZipFile(approved.root / "p.zip") as archive:
        inside = archive.read("plan.json").decode()
        assert len(archive.read("approved")) == 16 * plan["totals"]["contacts"]
    assert printed == approved.run("show", "p.zip", "--format", "json").out == inside + "\n"
