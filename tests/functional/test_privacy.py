"""Nobody's number and nobody's value leaves octoplan by any other way than the wire.

Every cell of every file holds a value found nowhere else; nothing octoplan prints or writes may hold it.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import tempfile
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from relay import relaying, says
from workspaces import PRICES, Ended, Workspace

from octoplan.cli import run
from octoplan.sandbox import Sandbox
from octoplan.workflow import plan as planning

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Spoil = Callable[[Workspace], None]

CANARY = "Kanari"
SEPARATORS = re.compile(r"[\s ./()+<>%-]+")
INPUTS = ("audiences/", "campaigns/")
PROVIDER = (".octoplan/sandbox.db",)
"""The imitation of the provider: it has to know whom it delivers to."""

SPELLINGS = ("+33{0}{1}{2}{3}{4}", "0{0}.{1}.{2}.{3}.{4}", "+33 (0){0} {1} {2} {3} {4}", "0033{0}-{1}-{2}-{3}-{4}")
COLUMNS = ("id", "mobile", "first_name", "code", "notes")
CAMPAIGN = """\
id: noel
channel: sms
purpose: transactional
audience:
  file: ../audiences/list.csv
  address: mobile
  exclude: [../audiences/vip.csv]
  expect: {max_invalid: 40%}
message:
  text: "ACME: {{ contact.first_name }}, code {{ contact.code }}."
"""
INLINE = """\
id: inline
channel: sms
purpose: transactional
audience:
  contacts:
    - {phone_number: "+33639981071", first_name: "Kanari-first-71"}
    - {phone_number: "06 39 98 10 72", first_name: "Kanari-first-72"}
message: {text: "ACME: {{ contact.first_name }}"}
"""
USUAL = (
    ("validate",),
    ("validate", "--json"),
    ("plan", "--offline"),
    ("plan",),
    ("plan", "--json"),
    ("plan", "--out", "saved.plan"),
    ("show", "saved.plan"),
    ("show", "--format", "json", "saved.plan"),
    ("apply", "--json"),
    ("apply",),
    ("apply", "saved.plan"),
    ("status",),
    ("status", "--json"),
    ("status", "noel"),
    ("status", "--contact", "+33 6 39 98 10 01"),
    ("status", "--contact", "0639981001", "--json"),
    ("status", "--contact", "Kanari-first-1"),
    ("status", "0639981001"),
    ("plan", "06 39 98 10 01"),
    ("render", "0639981001"),
    ("render", "noel", "--contact", "0639981099"),
    ("resolve",),
    ("resolve", "--json"),
    ("resolve", "0639981001", "--as", "sent", "--reason", "no"),
    ("validate", "0639981001"),
    ("apply", "0639981001"),
    ("test", "0639981001"),
    ("test", "noel", "--to", "0639981001"),
    ("-C", "0639981001", "plan"),
    ("--env", "0639981001", "plan"),
    ("cancel", "noel"),
    ("cancel", "noel", "--json"),
    ("cancel", "0639981001"),
    ("import", "noel", "audiences/list.csv"),
    ("import", "inline", "audiences/list.csv", "--json"),
    ("import", "0639981001", "audiences/list.csv", "--channel", "sms"),
    ("import", "noel", "audiences/list.csv", "--at", "0639981001"),
    ("import", "noel", "0639981001"),
    ("ledger", "check"),
)
"""Verbs a person may run, also those in which an address stands where none belongs."""


def number(person: int) -> str:
    return f"63998{1000 + person}"


def cells(person: int) -> dict[str, str]:
    pairs = re.findall("..?", "6" + number(person)[1:])
    digits = number(person)
    spelt = SPELLINGS[person % len(SPELLINGS)].format(digits[0], *re.findall("..", digits[1:]))
    assert len(pairs) == 5
    return {
        "id": f"{CANARY}-id-{person}",
        "mobile": spelt,
        "first_name": f"{CANARY}-first-{person}",
        "code": f"{CANARY}-code-{person}",
        "notes": f"{CANARY}-notes-{person}",
    }


def sheet(*people: dict[str, str]) -> str:
    return "\n".join(";".join(row) for row in [COLUMNS, *(person.values() for person in people)]) + "\n"


PEOPLE = tuple(cells(person) for person in range(1, 7))


@pytest.fixture
def spill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "spill"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


@pytest.fixture
def project(tmp_path: Path, spill: Path) -> Workspace:
    assert spill.is_dir()
    project = Workspace(tmp_path / "project")
    project.edit("octoplan.yaml", "limits:", "suppressions: [audiences/opposition.csv]\nlimits:")
    project.write("campaigns/noel.yaml", CAMPAIGN)
    project.write("campaigns/inline.yaml", INLINE)
    project.write("audiences/list.csv", sheet(*PEOPLE))
    project.write("audiences/vip.csv", sheet(PEOPLE[1], cells(61)))
    project.write("audiences/opposition.csv", f"phone_number,since\n0{number(3)},{CANARY}-since\n0{number(62)},x\n")
    return project


def tell(project: Workspace, *words: str) -> Ended:
    """Run octoplan as talkative as it gets."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in project.environ().items():
            patch.setenv(name, value)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(["-v", "-C", str(project.root), *words])
    return Ended(int(code), out.getvalue(), err.getvalue())


def private(text: str) -> str | None:
    """Return what is somebody's, if anything is: a canary, or the end of a number in any spelling."""
    found = re.search(rf"{CANARY}|63998[\s ./()-]*1[\s ./()-]*0", text, re.IGNORECASE)
    found = found or re.search(r"639981[01]\d\d", SEPARATORS.sub("", text))
    return None if found is None else text[max(0, found.start() - 60) : found.end() + 60]


def written(root: Path) -> Iterator[tuple[str, bytes]]:
    """Every file on disk that is neither written by a person nor the provider's; archives are opened."""
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if not path.is_file() or name.startswith((*INPUTS, *PROVIDER)):
            continue
        yield name, path.read_bytes()
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield from ((f"{name}/{member}", archive.read(member)) for member in archive.namelist())


def assert_private(project: Workspace, *said: Ended) -> None:
    for ended in said:
        for text in (ended.out, ended.err):
            assert private(text) is None, text
    for name, content in written(project.root):
        assert private(content.decode("latin-1")) is None, name
        assert private(content.decode("utf-16-le", "replace")) is None, name


def everything(project: Workspace, verbs: tuple[tuple[str, ...], ...] = USUAL) -> list[Ended]:
    return [tell(project, *words) for words in verbs]


def test_the_detector_detects() -> None:
    for person in (*PEOPLE, cells(72)):
        for name, value in person.items():
            assert private(f"x {value} y") is not None, name
    assert private(json.dumps(PEOPLE[2])) is not None
    assert private("1,184 contacts for 63.99 EUR") is None


def test_no_output_and_no_file_holds_a_number_or_a_value(project: Workspace, spill: Path) -> None:
    said = everything(project)
    assert_private(project, *said)
    assert {ended.code for ended in said} <= {0, 1, 2, 4, 6}
    assert not list(spill.iterdir())
    assert {row["address"] for row in project.deliveries()} >= {f"+33{number(1)}", "+33639981072"}
    text = said[USUAL.index(("status", "--contact", "+33 6 39 98 10 01"))].out
    assert "noel #1: accepted" in text


def test_render_masks_the_address_of_the_one_contact_it_shows(project: Workspace) -> None:
    for words in (("render", "noel"), ("render", "noel", "--json"), ("render", "noel", "--contact", "0639981005")):
        ended = tell(project, *words)
        assert ended.code == 0, ended.err
        assert CANARY in ended.out
        assert "+…" in ended.out
        assert private(ended.out.replace(CANARY, "")) is None


def csv(**changes: str) -> Spoil:
    """Give the first two people other cells."""
    return lambda project: project.write(
        "audiences/list.csv", sheet({**PEOPLE[0], **changes}, {**PEOPLE[4], **changes}, *PEOPLE[1:4])
    )


def both(first: Spoil, second: Spoil) -> Spoil:
    def spoil(project: Workspace) -> None:
        first(project)
        second(project)

    return spoil


def campaign(old: str, new: str) -> Spoil:
    return lambda project: project.edit("campaigns/noel.yaml", old, new)


def raw(text: str) -> Spoil:
    return lambda project: project.write("audiences/list.csv", text)


def inline(contacts: str) -> Spoil:
    return lambda project: project.write(
        "campaigns/inline.yaml", re.sub(r"  contacts:\n(    .*\n)+", f"  contacts: {contacts}\n", INLINE)
    )


ROWS = sheet(*PEOPLE)
FINDINGS: dict[str, tuple[str, Spoil]] = {
    "invalid numbers": ("phone", csv(mobile="0639981001Kanari")),
    "too many invalid numbers": ("audience-invalid", both(csv(mobile="0639981001Kanari"), campaign("40%", "1%"))),
    "missing values": ("value-missing", csv(code="")),
    "differing duplicates": ("contact-values-differ", raw(sheet(*PEOPLE, {**PEOPLE[0], "code": "Kanari-other"}))),
    "control character": ("text-control", csv(code="Kanari\x07")),
    "invisible character": ("text-invisible", csv(code="Kanari\u202e")),
    "too long": ("text-length", csv(code="Kanari" * 300)),
    "too many parts": ("parts-limit", csv(code="Kanari " * 100)),
    "encoding refused": (
        "encoding",
        both(csv(code="Kanari 😀"), campaign('code }}."', 'code }}."\n  encoding: gsm7')),
    ),
    "encoding dearer": ("encoding", csv(code="Kanari 😀" + "Kanari" * 12)),
    "braces": ("text-leftover", csv(code="{{Kanari")),
    "placeholder": ("text-placeholder", csv(code="{Kanari}")),
    "stop number": ("stop-number", csv(code="KanariXXXXX")),
    "no stop": ("stop-missing", campaign("transactional", "marketing")),
    "where cannot convert": ("where", campaign("  exclude", '  where: "cast(code as integer) > 3"\n  exclude')),
    "where names a value": ("where", campaign("  exclude", "  where: first_name = Vorname\n  exclude")),
    "another file than pinned": ("source", campaign("  exclude", f"  sha256: {'a' * 64}\n  exclude")),
    "column of nobody": ("template-name", campaign("contact.code", "contact.kode")),
    "jagged rows": ("file", raw(ROWS + f"{CANARY};0639981077\n" * 3)),
    "open quote": ("file", raw(ROWS.replace(f"{CANARY}-first-3", f'"{CANARY}-first-3'))),
    "no header": ("file", raw("\n".join(ROWS.split("\n")[1:]))),
    "one column, no header": ("file", raw("".join(f"0{number(person)}\n" for person in range(5)))),
    "a number as a header": ("file", raw(ROWS.replace("notes", "06 39 98 10 01"))),
    "an address as a header": ("file", raw(ROWS.replace("notes", "kanari@acme.example"))),
    "not text": ("file", raw(ROWS.replace("Kanari-code-1", "Kanari\0"))),
    "long row": ("file", raw(ROWS + CANARY * 30_000 + "\n")),
    "JSON": ("file", raw(json.dumps(PEOPLE))),
    "premium number": ("number-type", csv(mobile="0899 63 10 01")),
    "fixed line": ("fixed-line", csv(mobile="01 11 22 23 33")),
    "elsewhere": ("country", csv(mobile="+32 470 63 99 81")),
    "jagged exclusions": ("file", lambda project: project.write("audiences/vip.csv", ROWS + "Kanari;Kanari\n")),
    "exclusions without addresses": (
        "file",
        lambda project: project.write("audiences/vip.csv", "a,b\nKanari,Kanari\n"),
    ),
    "jagged suppressions": (
        "file",
        lambda project: project.write("audiences/opposition.csv", ROWS + "Kanari;Kanari\n"),
    ),
    "suppressions that are none": (
        "phone",
        lambda project: project.write("audiences/opposition.csv", f"phone\n{CANARY}\n0{number(2)}x\n"),
    ),
    "inline: a number as a number": ("wrong-type", inline("[{phone_number: +33639981071}]")),
    "inline: a number as a key": ("wrong-type", inline("[{0639981071: [Kanari]}]")),
    "inline: a list": ("wrong-type", inline("[[0639981071, Kanari]]")),
    "inline: text": ("wrong-type", inline("['0639981071', Kanari]")),
    "inline: one mapping": ("wrong-type", inline("{phone_number: '0639981071', Kanari: Kanari}")),
    "inline: invalid": ("phone", inline("[{phone_number: Kanari, first_name: Kanari}]")),
    "inline: twice": ("duplicate-key", inline("[{phone_number: '0639981071', phone_number: '0639981072'}]")),
    "inline: a column of nobody": ("template-name", inline("[{phone_number: '0639981071', Vorname: Kanari}]")),
    "inline: broken": ("yaml", inline("[{phone_number: '0639981071', first_name: 'Kanari}]")),
    "inline: a tag": ("yaml", inline("[{phone_number: !vault '0639981071'}]")),
    "fallback": (
        "contact-values-differ",
        both(
            campaign("  exclude", "  fallback: {code: there}\n  exclude"),
            raw(sheet(*PEOPLE, {**PEOPLE[0], "code": ""})),
        ),
    ),
}
BRIEF = (("validate",), ("plan", "--out", "saved.plan"), ("apply", "--json"))
AFTER = (
    ("apply",),
    ("plan", "--json"),
    ("status", "--json"),
    ("status", "--contact", "0639981001"),
    ("resolve",),
    ("resolve", "--json"),
)


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve one sandbox to all the projects that break a rule: starting one takes longer than a test."""
    folder = tmp_path_factory.mktemp("provider")
    (folder / "prices.yaml").write_text(PRICES)
    with Sandbox(folder / "sandbox.db", prices=folder / "prices.yaml") as sandbox:
        yield sandbox.url


@pytest.mark.parametrize("name", FINDINGS)
def test_no_finding_quotes_a_contact(name: str, project: Workspace, spill: Path, provider: str) -> None:
    rule, spoil = FINDINGS[name]
    spoil(project)
    other = "noel" if name.startswith("inline") else "inline"
    (project.root / f"campaigns/{other}.yaml").unlink()
    project.served = provider
    said = everything(project, BRIEF)
    told = "\n".join(ended.out + ended.err for ended in said)
    assert re.search(rf'"{rule}"|\b{rule}:', told), told
    assert 70 not in {ended.code for ended in said}
    assert_private(project, *said)
    assert not list(spill.iterdir())


def test_what_a_condition_names_is_nowhere_but_in_its_file(project: Workspace) -> None:
    condition = "first_name <> '{0}-first-2' and mobile <> '+33 (0)6 39 98 10 99'"
    campaign("  exclude", f'  where: "{condition.format(CANARY)}"\n  exclude')(project)
    said = everything(project)
    project.edit("campaigns/noel.yaml", "10 99", "10 98")
    again = everything(project)
    assert_private(project, *said, *again)
    assert "audience.where differs" in again[USUAL.index(("plan",))].out


NUMBERS = "The phone number +33 (0)6 39 98 10 05 / 0639981005 / 33-6.39.98.10.05 and kanari@acme.example are refused"
ECHO = f"{NUMBERS}: ACME: {CANARY}-first-5, code {CANARY}-code-5."
REJECTED = {"errors": {"recipients": {"code": 101, "message": ECHO}, ECHO: {"code": 117, "message": ECHO}}}
ACCEPTED = {"sms_ticket": "t1", "number_of_contacts": 1, "total_cost": 0.049, "residual_credit": 9}


@pytest.mark.parametrize(("status", "code"), [(400, 106), (422, 999), (400, 101), (500, 106), (400, 120), (200, 0)])
@pytest.mark.parametrize("more", [REJECTED, ACCEPTED])
def test_a_provider_that_echoes_a_contact_is_not_repeated(
    status: int, code: int, more: dict[str, Any], project: Workspace
) -> None:
    echoes = {"to": ECHO, "preview": ECHO, ECHO: ECHO, "list": [ECHO]}
    body = json.dumps({"code": code, "message": ECHO, **echoes, **more})
    with project.serving() as served, relaying(served) as relay:
        project.served = relay.url
        relay.then(*[says(status, body.encode())] * 5)
        said = everything(project, AFTER)
    assert_private(project, *said)
    assert "are refused" not in "\n".join(ended.out + ended.err for ended in said)
    assert relay.sends


def test_a_crash_is_told_without_what_the_exception_says(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError(f"{CANARY} 0639981001") from KeyError(f"{CANARY}")

    monkeypatch.setattr(planning, "draft", broken)
    ended = tell(project, "plan")
    assert ended.code == 70
    assert "ValueError" in ended.err
    assert "test_privacy.py" in ended.err
    assert_private(project, ended)
