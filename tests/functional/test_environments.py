"""Rehearsal and live environments: their ledger, key and accounts, and what each refuses before any request."""

from __future__ import annotations

import secrets
import shutil
import stat
from typing import TYPE_CHECKING

import pytest
from relay import relaying, says
from workspaces import AUDIENCE, PROJECT, Workspace, sibling, tally

from octoplan.core.model import Kind
from octoplan.ledger import BACKENDS
from octoplan.project import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from relay import Call

LIVE = PROJECT.replace(", quiet_time: 1s", "").replace(
    "environments:\n", 'environments:\n  prod: {ledger: {url: "sqlite:///prod.db"}}\n'
)
REHEARSAL = ("--env", "rehearsal")
PROD = ("--env", "prod")


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path).usual()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Return a rehearsal with an approved plan in `plan.zip`, over a sandbox apart, made once."""
    project = Workspace(tmp_path_factory.mktemp("template")).usual()
    with project.serving():
        project.run(*REHEARSAL, "ledger", "init")
        project.run(*REHEARSAL, "plan", "--out", "plan.zip")
        yield project


@pytest.fixture
def rehearsed(template: Workspace, tmp_path: Path) -> Workspace:
    """Return a copy of the rehearsal, before anything was sent."""
    template.ask("reset", all=True)
    copy = Workspace(tmp_path / "copy")
    shutil.copytree(template.root, copy.root, dirs_exist_ok=True)
    copy.served = template.served
    return copy


@pytest.fixture
def live(project: Workspace) -> Workspace:
    """Return a live environment whose account nobody has; its first ledger is made."""
    project.write("octoplan.yaml", LIVE)
    project.variables = {"OCTOPUSH_API_LOGIN": "acme", "OCTOPUSH_API_KEY": "k"}
    project.run(*PROD, "ledger", "init")
    return project


# the first ledger


STYLES = {
    "flow": '  rehearsal: {sandbox: true, ledger: {url: "sqlite:///r.db"}}  # ours\n',
    "flow, id after": "  rehearsal: {sandbox: true, ledger: { url: 'sqlite:///r.db' }, vars: {a: b}}\n",
    "flow, plain": "  rehearsal: {ledger: {url: sqlite:///r.db}, sandbox: true}\n",
    "flow over lines": "  rehearsal: {\n    sandbox: true, ledger: {  # a\n      url: sqlite:///r.db  # b\n    }}\n",
    "block": "  rehearsal:\n    sandbox: true\n    ledger:\n      # where\n      url: sqlite:///r.db  # a file\n",
    "block, then more": "  rehearsal:\n    ledger:\n      url: sqlite:///r.db\n    sandbox: true\n"
    "  other: {sandbox: true}\n",
    "carriage returns": "  rehearsal:\r\n    sandbox: true\r\n    ledger:\r\n      url: sqlite:///r.db\r\n",
    "no line end": "  rehearsal:\n    sandbox: true\n    ledger:\n      url: sqlite:///r.db",
}


@pytest.mark.parametrize("style", STYLES)
def test_ledger_init_writes_the_id_and_leaves_the_rest(project: Workspace, style: str) -> None:
    head = PROJECT.partition("environments:")[0].replace("\n", "\n# a comment\n", 1) + "environments:\n"
    written = head + STYLES[style]
    (project.root / "octoplan.yaml").write_bytes(written.encode())
    made = project.run(*REHEARSAL, "ledger", "init")
    after = (project.root / "octoplan.yaml").read_bytes().decode()
    identity = made.out.split()[1]
    assert after.replace(f', id: "{identity}"', "") in (written, after)
    assert sorted(set(after.splitlines()) - set(written.splitlines())) != []
    for line in written.splitlines():
        assert line in after.replace(f', id: "{identity}"', "")
    key = project.root / ".octoplan/keys" / identity
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE((project.root / ".octoplan").stat().st_mode) == 0o700
    assert stat.S_IMODE((project.root / "r.db").stat().st_mode) == 0o600
    assert key.read_text().strip() not in made.out + made.err
    assert project.run(*REHEARSAL, "ledger", "check").out == f"ledger {identity} · serial 0 · rehearsal\nwhole\n"
    again = project.run(*REHEARSAL, "ledger", "init", code=1)
    assert f"names ledger {identity} already" in again.err
    assert "(ledger-named)" in again.err


@pytest.mark.parametrize(
    ("settings", "words", "reason"),
    [
        (PROJECT, ("ledger", "init"), "sandbox"),
        (PROJECT, ("--env", "prod", "ledger", "init"), "environment-unknown"),
        (PROJECT.replace('sqlite:///rehearsal.db"', '${LEDGER}"'), (*REHEARSAL, "ledger", "init"), "variable-missing"),
        (PROJECT.replace("sqlite:///rehearsal.db", "postgresql://db/o"), (*REHEARSAL, "ledger", "init"), "ledger-url"),
        (PROJECT.replace("rehearsal.db", "campaigns/noel.yaml"), (*REHEARSAL, "ledger", "init"), "ledger-exists"),
        (PROJECT.replace("rehearsal.db", "octoplan.yaml/r.db"), (*REHEARSAL, "ledger", "init"), "ledger-unwritable"),
        (
            PROJECT.replace("ledger: {", "ledger: &one {") + "  other: {sandbox: true, ledger: *one}\n",
            (*REHEARSAL, "ledger", "init"),
            "ledger-url",
        ),
    ],
    ids=["sandbox", "unknown", "variable", "postgresql", "exists", "unwritable", "shared"],
)  # fmt: skip
def test_ledger_init_refuses(project: Workspace, settings: str, words: tuple[str, ...], reason: str) -> None:
    project.write("octoplan.yaml", settings)
    assert f"({reason})" in project.run(*words, code=1).err
    assert (project.root / "octoplan.yaml").read_text() == settings


def test_a_ledger_outside_the_project(project: Workspace, tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("elsewhere") / "deep" / "ledger.db"
    project.edit("octoplan.yaml", "sqlite:///rehearsal.db", f"sqlite:///{place}")
    assert str(place) in project.run(*REHEARSAL, "ledger", "init").out
    assert "whole" in project.run(*REHEARSAL, "ledger", "check").out


# the ledger and the key an apply needs


def remove(project: Workspace) -> None:
    (project.root / "rehearsal.db").unlink()


def empty(project: Workspace) -> None:
    (project.root / "rehearsal.db").write_bytes(b"")


def another(project: Workspace, kind: Kind = Kind.REHEARSAL, identity: str = "00000000") -> None:
    """Put another ledger into the place, made with the right key."""
    (key,) = (project.root / ".octoplan/keys").iterdir()
    place = project.root / "rehearsal.db"
    place.unlink()
    content = bytes.fromhex(key.read_text())
    BACKENDS["sqlite"].create(place, id=identity, kind=kind, key=content, clock=utc_now).close()


def of_another_kind(project: Workspace) -> None:
    (key,) = (project.root / ".octoplan/keys").iterdir()
    another(project, Kind.LIVE, key.name)


def spoil(project: Workspace) -> None:
    place = project.root / "rehearsal.db"
    place.write_bytes(place.read_bytes()[:100] + secrets.token_bytes(4000))


def no_ledger(project: Workspace) -> None:
    (project.root / "rehearsal.db").write_bytes(secrets.token_bytes(4000))


def lose_the_key(project: Workspace) -> None:
    (key,) = (project.root / ".octoplan/keys").iterdir()
    key.unlink()


def give(value: str) -> Callable[[Workspace], None]:
    return lambda project: project.variables.update(OCTOPLAN_LEDGER_KEY=value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (remove, "ledger-missing"),
        (empty, "ledger-empty"),
        (another, "ledger-foreign"),
        (of_another_kind, "ledger-kind"),
        (spoil, "ledger-corrupt"),
        (no_ledger, "ledger-corrupt"),
        (lambda here: (here.root / "rehearsal.db").chmod(0o644), "ledger-path"),
        (lambda here: here.edit("octoplan.yaml", ', id: "', ', id: "0'), "input"),
        (lose_the_key, "key-missing"),
        (give("f" * 64), "ledger-key"),
        (give("secret"), "key-shape"),
        (give(""), "key-shape"),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "__name__", ""),
)
def test_a_ledger_or_key_that_is_not_the_one(
    rehearsed: Workspace, change: Callable[[Workspace], object], reason: str
) -> None:
    change(rehearsed)
    for words in (("apply", "plan.zip"), ("plan",), ("status",), ("ledger", "check")):
        ended = rehearsed.run(*REHEARSAL, *words, code=1)
        assert f"({reason})" in ended.err
        assert "init" not in ended.err or reason == "input"
    assert rehearsed.ask("requests")["requests"] == []


def test_the_key_may_come_from_the_surroundings(rehearsed: Workspace) -> None:
    (key,) = (rehearsed.root / ".octoplan/keys").iterdir()
    content = key.read_text()
    lose_the_key(rehearsed)
    give(content)(rehearsed)
    assert tally(rehearsed.run("apply", "plan.zip").out)["accepted"] == 3


def test_the_plan_of_another_ledger_with_the_same_key(rehearsed: Workspace) -> None:
    another(rehearsed)
    (key,) = (rehearsed.root / ".octoplan/keys").iterdir()
    give(key.read_text())(rehearsed)
    rehearsed.edit("octoplan.yaml", key.name, "00000000")
    ended = rehearsed.run(*REHEARSAL, "apply", "plan.zip", code=4)
    assert "(plan-ledger)" in ended.err


def test_an_environment_without_an_id_says_how_to_begin(project: Workspace) -> None:
    ended = project.run(*REHEARSAL, "plan", code=1)
    assert "`octoplan --env rehearsal ledger init`" in ended.err
    assert "(ledger-unnamed)" in ended.err


# accounts


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"OCTOPUSH_API_LOGIN": "acme"}, "credentials-environment"),
        ({"OCTOPUSH_API_LOGIN": ""}, "variable-missing"),
        ({"OCTOPUSH_API_KEY": ""}, "variable-missing"),
        ({"OCTOPLAN_SANDBOX": "http://192.0.2.1:8027"}, "sandbox-address"),
        ({"OCTOPLAN_SANDBOX": "http://127.0.0.1.example:8027"}, "sandbox-address"),
        ({"OCTOPLAN_SANDBOX": "https://127.0.0.1:8027"}, "sandbox-address"),
        ({"OCTOPLAN_SANDBOX": "http://127.0.0.1@192.0.2.1"}, "sandbox-address"),
        ({"OCTOPLAN_SANDBOX": "http://[::1"}, "sandbox-address"),
    ],
    ids=str,
)
def test_an_account_or_a_sandbox_that_does_not_fit_a_rehearsal(
    rehearsed: Workspace, variables: dict[str, str], reason: str
) -> None:
    rehearsed.variables = variables
    for words in (("apply", "plan.zip"), ("plan",)):
        ended = rehearsed.run(*REHEARSAL, *words, code=1)
        assert f"({reason})" in ended.err
        assert "acme" not in ended.err
        assert "192.0.2.1" not in ended.err
    assert rehearsed.ask("requests")["requests"] == []


def test_a_live_environment_refuses_in_the_order_of_what_must_be_put_right(project: Workspace) -> None:
    project.write("octoplan.yaml", LIVE)
    project.variables = {"OCTOPLAN_SANDBOX": "http://127.0.0.1:1"}
    assert "(sandbox-in-live)" in project.run(*PROD, "plan", code=1).err
    project.variables = {}
    assert "(ledger-unnamed)" in project.run(*PROD, "plan", code=1).err
    project.run(*PROD, "ledger", "init")
    assert "(credentials-environment)" in project.run(*PROD, "plan", code=1).err
    project.variables = {"OCTOPUSH_API_LOGIN": "acme", "OCTOPUSH_API_KEY": ""}
    assert "OCTOPUSH_API_KEY is not set (variable-missing)" in project.run(*PROD, "plan", code=1).err
    project.variables["OCTOPUSH_API_KEY"] = "k"
    project.write("audiences/list.csv", "phone_number,first_name,code\n+33612345678,Zoe,1\n")
    shown = project.run(*PROD, "plan", "--out", "plan.zip", code=1).out
    assert "! noel #1" in shown
    assert "1 row → 1 contact" in shown
    assert "error sample-prices" in shown
    assert "simulated" not in shown
    assert "SANDBOX" not in shown
    assert "(plan-blocked)" in project.run("apply", "plan.zip", code=3).err


def test_fiction_numbers_are_nobody_in_a_live_environment(live: Workspace) -> None:
    live.edit("prices/octopush.yaml", "sample: true\n", "")
    shown = live.run(*PROD, "plan", code=1).out
    assert "error fiction-number: 3 numbers reserved for fiction" in shown
    assert "3 rows → 0 contacts" in shown


def test_a_live_ledger_is_no_rehearsal(live: Workspace) -> None:
    live.run(*REHEARSAL, "ledger", "init")
    text = (live.root / "octoplan.yaml").read_text()
    ids = [part[:8] for part in text.split('id: "')[1:]]
    live.write("octoplan.yaml", text.replace(ids[0], "x").replace(ids[1], ids[0]).replace('"x"', f'"{ids[1]}"'))
    live.edit("octoplan.yaml", "prod.db", "other.db")
    live.edit("octoplan.yaml", "rehearsal.db", "prod.db")
    live.edit("octoplan.yaml", "other.db", "rehearsal.db")
    for words in (PROD, REHEARSAL):
        assert "(ledger-kind)" in live.run(*words, "ledger", "check", code=1).err


# who may apply without a saved plan


def test_without_a_terminal_only_a_saved_plan_is_applied(rehearsed: Workspace) -> None:
    ended = rehearsed.run(*REHEARSAL, "apply", code=2)
    assert "without a terminal only a saved plan is applied" in ended.err
    assert ended.out == ""
    assert rehearsed.ask("requests")["requests"] == []


@pytest.mark.parametrize(("answer", "code", "sent"), [("2", 2, 0), ("\x04", 130, 0), ("3", 0, 3)], ids=str)
def test_at_a_terminal_the_number_of_contacts_is_typed(rehearsed: Workspace, answer: str, code: int, sent: int) -> None:
    ended, seen = rehearsed.at_a_terminal(*REHEARSAL, "apply", answer=answer)
    assert ended == code
    assert "Type the number of contacts (3) to send" in seen
    assert rehearsed.counts()["deliveries"] == sent
    assert ("nothing was sent" in seen) == (answer == "2")


# offline


def test_an_offline_plan_needs_neither_credentials_nor_ledger_nor_network(project: Workspace) -> None:
    project.write("octoplan.yaml", LIVE)
    project.edit("octoplan.yaml", "sqlite:///rehearsal.db", "${NOWHERE_URL}")
    project.variables = {"OCTOPUSH_API_LOGIN": "", "OCTOPUSH_API_KEY": ""}
    for environment, code in (("sandbox", 0), ("rehearsal", 0), ("prod", 1)):
        shown = project.run("--env", environment, "plan", "--offline", code=code).out
        assert f"env {environment} · offline preview, cannot be applied" in shown
        assert "already sent: unknown, there is no ledger to read" in shown
        assert "3 rows" in shown
        ended = project.run("--env", environment, "plan", "--offline", "--out", "p.zip", code=2)
        assert "an offline plan is a preview and cannot be applied" in ended.err
    assert not (project.root / "p.zip").exists()
    assert {path.name for path in project.root.iterdir()} == {"audiences", "campaigns", "octoplan.yaml", "prices"}
    project.edit("octoplan.yaml", "prod: {", 'prod: {vars: {a: "b"}, ')
    project.edit("octoplan.yaml", "sqlite:///prod.db", "postgresql://db.example/octoplan")
    assert "already sent: unknown" in project.run(*PROD, "plan", "--offline", code=1).out


def test_an_offline_plan_reads_a_ledger_that_is_there(rehearsed: Workspace) -> None:
    rehearsed.run("apply", "plan.zip")
    rehearsed.served = ""
    rehearsed.write("audiences/list.csv", AUDIENCE + "+33639980014,Lea,C4\n")
    rehearsed.edit("campaigns/noel.yaml", "list.csv}", "list.csv, new_contacts: send}")
    shown = rehearsed.run(*REHEARSAL, "plan", "--offline").out
    assert "4 rows → 1 contact   −3 already sent" in shown
    assert "unknown" not in shown
    lose_the_key(rehearsed)
    shown = rehearsed.run(*REHEARSAL, "plan", "--offline").out
    assert "4 rows → 4 contacts" in shown
    assert "already sent: unknown" in shown


def test_an_offline_plan_cannot_be_applied_however_it_was_saved(rehearsed: Workspace) -> None:
    from octoplan.core import approval  # noqa: PLC0415

    saved = approval.read_saved((rehearsed.root / "plan.zip").read_bytes())
    (key,) = (rehearsed.root / ".octoplan/keys").iterdir()
    forged = approval.save(saved.plan.model_copy(update={"offline": True}), (), key=bytes.fromhex(key.read_text()))
    (rehearsed.root / "plan.zip").write_bytes(forged)
    assert "(plan-offline)" in rehearsed.run("apply", "plan.zip", code=4).err


# limits


def many(project: Workspace) -> None:
    """Add two campaigns like the usual one: three contacts each, at worst 0.18 EUR each."""
    for name in ("oct", "nov"):
        project.write(f"campaigns/{name}.yaml", sibling(name))


@pytest.mark.parametrize(
    ("limit", "rule", "told"),
    [
        ("max_cost: 0.40 EUR", "cost-limit", "may cost 0.54 EUR, the project's limit for one plan is 0.40 EUR"),
        ("max_cost: 500 EUR, max_contacts: 7", "contacts-limit", "the plan has 9 contacts, the project's limit is 7"),
    ],
)
def test_a_limit_on_the_whole_plan_blocks_the_campaign_that_exceeds_it(
    project: Workspace, limit: str, rule: str, told: str
) -> None:
    many(project)
    blocked = "oct"  # the last by id: those before it stay within
    project.write("octoplan.yaml", PROJECT.replace("max_cost: 500 EUR, max_contacts: 5000", limit))
    with project.serving():
        ended = project.run("plan", code=3)
        assert "2 to send, 0 to resume, 0 waiting, 1 blocked" in ended.out
        assert f"! {blocked} #1" in ended.out
        assert told in ended.flat
        assert "at octoplan.yaml:4:" in ended.out
        assert f"{blocked}: {rule}: " in project.run("apply", code=3).err
        assert project.counts()["deliveries"] == 0
        project.edit("campaigns/oct.yaml", "id: oct", f'id: oct\nallow: {{{rule}: "agreed, ticket 812"}}')
        shown = project.run("plan")
        assert "(accepted: agreed, ticket 812)" in shown.flat
        assert f"info {rule}" in shown.out
        assert tally(project.run("apply").out)["accepted"] == 9


def test_an_accepted_campaign_counts_for_those_after_it(project: Workspace) -> None:
    many(project)
    project.edit("octoplan.yaml", "max_contacts: 5000", "max_contacts: 5")
    project.edit("campaigns/nov.yaml", "id: nov", "id: nov\nallow: {contacts-limit: agreed}")
    shown = project.run("plan", code=3).flat
    assert "the plan has 6 contacts, the project's limit is 5 (accepted: agreed)" in shown
    assert "the plan has 9 contacts, the project's limit is 5" in shown


def test_the_limit_of_an_environment_is_named_in_its_place(project: Workspace) -> None:
    many(project)
    project.edit("octoplan.yaml", "rehearsal: {sandbox: true,", "rehearsal: {sandbox: true, limits: {max_contacts: 7},")
    shown = project.run(*REHEARSAL, "plan", "--offline", code=3).out
    assert "at octoplan.yaml:8:" in shown


def test_a_balance_that_would_fall_too_low_blocks(rehearsed: Workspace) -> None:
    rehearsed.edit("octoplan.yaml", "limits: {", "limits: {min_balance: 50 EUR, ")
    rehearsed.ask("balance", amount="50.18")
    assert "+ noel #1" in rehearsed.run(*REHEARSAL, "plan", "--out", "plan.zip").out
    rehearsed.ask("balance", amount="50.17")
    ended = rehearsed.run(*REHEARSAL, "plan", code=3)
    assert "limit balance: with this campaign 49.99 EUR of 50.17 EUR may be left, the least is 50.00 EUR" in ended.flat
    ended = rehearsed.run("apply", "plan.zip", code=3)
    assert "noel: balance: " in ended.err
    assert rehearsed.counts()["deliveries"] == 0
    assert "+ noel #1" in rehearsed.run(*REHEARSAL, "plan", "--offline").out


@pytest.mark.parametrize(
    ("answer", "code", "reason"),
    [
        (says(401, b'{"code": 101, "message": "unauthorized"}'), 1, "credentials"),
        (says(404, b'{"code": 404, "message": "gone"}'), 1, "credentials"),
        (says(503), 5, "unreachable"),
        (says(200, b'{"amount": 9, "unit": "sms_premium"}'), 5, "unreachable"),
        (says(200, b"{}"), 5, "unreachable"),
    ],
    ids=["401", "404", "503", "unit", "empty"],
)
def test_a_balance_that_cannot_be_read_sends_nothing(
    rehearsed: Workspace, answer: Callable[[Call], None], code: int, reason: str
) -> None:
    rehearsed.edit("octoplan.yaml", "limits: {", "limits: {min_balance: 50 EUR, ")
    rehearsed.run(*REHEARSAL, "plan", "--out", "plan.zip")
    with relaying(rehearsed.served) as relay:
        relay.asks, rehearsed.served = answer, relay.url
        ended = rehearsed.run("apply", "plan.zip", code=code)
        assert "its balance" in ended.err
        assert f"({reason})" in ended.err
        assert relay.sends == []


@pytest.mark.parametrize("accepted", [False, True])
def test_whoever_has_had_their_fill_is_left_out(rehearsed: Workspace, *, accepted: bool) -> None:
    rehearsed.run("apply", "plan.zip")
    rehearsed.edit("octoplan.yaml", "limits: {", "limits: {per_contact: {messages: 2, days: 7}, ")
    many(rehearsed)
    rehearsed.write("audiences/list.csv", AUDIENCE.replace("+33639980013,Ines,C3", "+33639980014,Lea,C4"))
    rehearsed.run(*REHEARSAL, "plan", "nov", "--out", "nov.zip")
    rehearsed.run("apply", "nov.zip")
    if accepted:
        rehearsed.edit("campaigns/oct.yaml", "id: oct", "id: oct\nallow: {contact-cap: a recall of goods}")
    shown = rehearsed.run(*REHEARSAL, "plan", "oct", "--out", "oct.zip")
    owed = 3 if accepted else 1
    assert f"3 rows → {owed} contact" in shown.out
    assert ("−2 over cap" in shown.out) != accepted
    told = "info contact-cap: 2 contacts had as many messages as the limit allows: 2 in 7 days (accepted: a recall of"
    assert (told in shown.flat) == accepted
    assert tally(rehearsed.run("apply", "oct.zip").out)["accepted"] == owed
