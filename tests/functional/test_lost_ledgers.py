"""A ledger that is lost, restored, foreign or damaged: refused before any request, with the way out, and no harm done.

Each case begins with three contacts who were sent one campaign, and an approved plan of another one.
"""

from __future__ import annotations

import json
import os
import random
import resource
import secrets
import shutil
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from relay import passed, relaying
from workspaces import CAMPAIGN, Ended, Workspace, tally, without_power

from octoplan import project as projects
from octoplan.core.model import Kind
from octoplan.ledger import BACKENDS
from octoplan.project import seen, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from relay import Call

REHEARSAL = ("--env", "rehearsal")
SECOND = ("apply", "second.zip")
VERBS = (SECOND, ("plan",), ("resolve",), ("resolve", "noel/1/1", "--as", "sent", "--reason", "seen"), ("status",))
PAGE = 4096


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Send one campaign of a rehearsal and approve another one, once for all tests."""
    project = Workspace(tmp_path_factory.mktemp("template")).usual()
    project.edit("octoplan.yaml", "quiet_time: 1s", "quiet_time: 1s, workers: 1")
    project.variables = {"XDG_STATE_HOME": str(project.root / "state")}
    with project.serving():
        project.run(*REHEARSAL, "ledger", "init")
        shutil.copy2(place(project), project.root / "new.db")
        project.run(*REHEARSAL, "plan", "--out", "first.zip")
        project.run("apply", "first.zip")
        project.write("campaigns/second.yaml", CAMPAIGN.replace("noel", "second").replace("bonjour", "bonsoir"))
        project.run(*REHEARSAL, "plan", "--out", "second.zip")
        project.ask("reset", all=True)
        yield project


@pytest.fixture
def project(template: Workspace, tmp_path: Path) -> Workspace:
    """Return a copy of it on a machine that has seen its ledger."""
    template.ask("reset", all=True)
    copy = Workspace(tmp_path / "copy")
    shutil.copytree(template.root, copy.root, dirs_exist_ok=True)
    copy.served = template.served
    copy.variables = {"XDG_STATE_HOME": str(copy.root / "state")}
    return copy


def place(project: Workspace) -> Path:
    return project.root / "rehearsal.db"


def key_file(project: Workspace) -> Path:
    (found,) = (project.root / ".octoplan/keys").iterdir()
    return found


def asked(project: Workspace) -> list[Any]:
    found: list[Any] = project.ask("requests")["requests"]
    return found


def refused(project: Workspace, *words: str, reason: str) -> Ended:
    """Run a verb that must say why it refuses, to people and to programs, and ask nobody anything."""
    ended = project.run(*REHEARSAL, *words, "--json", code=1)
    assert json.loads(ended.out.splitlines()[-1])["reason"] == reason
    assert ended.err.endswith(f" ({reason})\n")
    assert len(ended.err.splitlines()) == 1
    assert "init" not in ended.err
    assert asked(project) == []
    return ended


def goes_on(project: Workspace) -> None:
    """Apply the second plan with the right ledger in its place: everybody once, nobody the first campaign."""
    assert tally(project.run(*SECOND).out)["accepted"] == 3
    assert tally(project.run(*SECOND).out)["accepted"] == 0
    assert project.counts() == {"deliveries": 3, "addresses": 3, "most_per_address": 1}


# lost, damaged, foreign


def cut(length: int) -> Callable[[Workspace], None]:
    return lambda project: os.truncate(place(project), length % place(project).stat().st_size)


def half(project: Workspace) -> None:
    os.truncate(place(project), place(project).stat().st_size // 2)


def put_noise(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek(page * PAGE)
        file.write(random.Random(page).randbytes(PAGE))  # noqa: S311  the same noise each time


def noise_in(table: str) -> Callable[[Workspace], None]:
    def spoil(project: Workspace) -> None:
        with closing(sqlite3.connect(place(project))) as db:
            (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        put_noise(place(project), root - 1)

    return spoil


def rename(old: bytes, new: bytes) -> Callable[[Workspace], None]:
    """Overwrite the name of a table or column so that SQLite takes it for what was wished."""

    def spoil(project: Workspace) -> None:
        content = place(project).read_bytes()
        place(project).write_bytes(content.replace(old, new))

    return spoil


def no_text(project: Workspace) -> None:
    """Overwrite text with what is none."""
    content = place(project).read_bytes()
    place(project).write_bytes(content.replace(b"rehearsal", b"\xff" * 9))


def in_place(make: Callable[[Path], object]) -> Callable[[Workspace], None]:
    def change(project: Workspace) -> None:
        place(project).rename(project.root / "moved.db")
        make(place(project))

    return change


def other(project: Workspace, *, identity: str = "00000000", kind: Kind = Kind.REHEARSAL) -> None:
    place(project).unlink()
    key = bytes.fromhex(key_file(project).read_text())
    BACKENDS["sqlite"].create(place(project), id=identity, kind=kind, key=key, clock=utc_now).close()


def newer(project: Workspace) -> None:
    with closing(sqlite3.connect(place(project))) as db:
        db.execute("UPDATE meta SET schema_version = 99")
        db.commit()


LOST = {
    "deleted": (lambda project: place(project).unlink(), "ledger-missing"),
    "emptied": (cut(0), "ledger-empty"),
    "first 100 bytes": (cut(100), "ledger-corrupt"),
    "first half": (half, "ledger-corrupt"),
    "without its last page": (lambda project: cut(place(project).stat().st_size - PAGE)(project), "ledger-corrupt"),
    "noise in meta": (noise_in("meta"), "ledger-corrupt"),
    "noise in batches": (noise_in("batches"), "ledger-corrupt"),
    "noise in runs": (noise_in("runs"), "ledger-corrupt"),
    "noise in events": (noise_in("events"), "ledger-corrupt"),
    "another table name": (rename(b"meta", b"atem"), "ledger-corrupt"),
    "another column name": (rename(b"ended_at", b"ta_dedne"), "ledger-corrupt"),
    "no text": (no_text, "ledger-corrupt"),
    "folder": (in_place(Path.mkdir), "ledger-path"),
    "link": (in_place(lambda path: path.symlink_to("moved.db")), "ledger-path"),
    "pipe": (in_place(os.mkfifo), "ledger-path"),
    "of another project": (other, "ledger-foreign"),
    "live": (lambda project: other(project, identity=key_file(project).name, kind=Kind.LIVE), "ledger-kind"),
    "newer": (newer, "ledger-newer"),
    "key of another": (lambda project: key_file(project).write_text(secrets.token_hex(32)), "ledger-key"),
    "key elsewhere": (lambda project: project.variables.update(OCTOPLAN_LEDGER_KEY="f" * 64), "ledger-key"),
    "key lost": (lambda project: key_file(project).unlink(), "key-missing"),
}


@pytest.mark.parametrize("case", LOST)
def test_a_ledger_that_is_not_the_one_or_not_whole(project: Workspace, case: str) -> None:
    damage, reason = LOST[case]
    key = key_file(project)
    content, secret, variables = place(project).read_bytes(), key.read_bytes(), dict(project.variables)
    damage(project)  # type: ignore[no-untyped-call]  # the lambdas above
    for words in VERBS:
        refused(project, *words, reason=reason)
    assert f"({reason})" in project.run(*REHEARSAL, "ledger", "check", code=1).err
    lost = place(project)
    if lost.is_dir():
        lost.rmdir()
    else:
        lost.unlink(missing_ok=True)
    lost.write_bytes(content)
    lost.chmod(0o600)
    key.write_bytes(secret)
    project.variables = variables
    goes_on(project)


def test_whatever_page_is_overwritten_nothing_is_sent(project: Workspace) -> None:
    whole = place(project).read_bytes()
    for page in range(len(whole) // PAGE):
        for content in (random.Random(page).randbytes(PAGE), bytes(PAGE)):  # noqa: S311  the same noise each time
            place(project).write_bytes(whole[: page * PAGE] + content + whole[(page + 1) * PAGE :])
            assert "(ledger-" in project.run(*SECOND, code=1).err, page
    assert asked(project) == []
    place(project).write_bytes(whole)
    goes_on(project)


# restored


def restore(project: Workspace, backup: str = "new.db") -> None:
    """Put an older copy into the place."""
    shutil.copyfile(project.root / backup, place(project))


def back_up(project: Workspace, name: str) -> None:
    shutil.copyfile(place(project), project.root / name)


def forget(project: Workspace) -> None:
    """Go on where nothing was seen before, as a fresh runner does."""
    project.variables = {"XDG_STATE_HOME": str(project.root / secrets.token_hex(4))}


def accept(project: Workspace, serial: int, *, code: int = 0, reason: str = "looked up at the provider") -> Ended:
    words = ("ledger", "check", "--accept-serial", str(serial), "--reason", reason)
    return project.run(*REHEARSAL, *words, code=code)


def test_a_restored_backup_is_refused_until_the_newest_copy_is_back(project: Workspace) -> None:
    back_up(project, "newest.db")
    restore(project)
    for words in VERBS[:-1]:
        told = refused(project, *words, reason="ledger-restored").err
        assert "the ledger's serial 0 is below 1, which this machine has seen" in told
        assert "`octoplan --env rehearsal ledger check --accept-serial 0 --reason TEXT`, see docs/ledger.md" in told
    checked = project.run(*REHEARSAL, "ledger", "check", code=1)
    assert "serial 0 · rehearsal\nproblem: the ledger's serial 0 is below 1" in checked.out
    assert "whole" not in checked.out
    assert "init" not in checked.out + checked.err
    restore(project, "newest.db")
    assert "whole" in project.run(*REHEARSAL, "ledger", "check").out
    goes_on(project)


def test_status_shows_what_a_restored_ledger_holds_and_says_so(project: Workspace) -> None:
    back_up(project, "before.db")
    project.run(*SECOND)
    restore(project, "before.db")
    for words in ((), ("--json",), ("--contact", "+33639980011")):
        shown = project.run(*REHEARSAL, "status", *words, code=1)
        assert "noel" in shown.out
        assert "second" not in shown.out
        assert "serial 1 is below 2" in shown.err
        assert shown.err.endswith(" (ledger-restored)\n")


def test_a_plan_alone_tells_a_restored_backup(project: Workspace) -> None:
    restore(project)
    forget(project)
    told = refused(project, *SECOND, reason="ledger-restored").err
    assert "serial 0 is below the plan's 1" in told
    assert "`octoplan --env rehearsal ledger check --accept-serial 0 --reason TEXT`" in told


def test_a_person_accepts_a_restored_ledger(project: Workspace) -> None:
    restore(project)
    assert "(ledger-serial)" in accept(project, 1, code=1).err
    assert "--accept-serial N and --reason TEXT together" in accept(project, 0, code=2, reason=" ").err
    project.run(*REHEARSAL, "ledger", "check", "--reason", "none", code=2)
    assert "· serial 0 accepted · goes on as 2" in accept(project, 0, reason="they say 06 39 98 00 11 got it").out
    with closing(sqlite3.connect(place(project))) as db:
        (event,) = db.execute("SELECT actor, reason, details FROM events WHERE what = 'serial-accepted'").fetchall()
    assert event[0] != ""
    assert event[1:] == ("they say <number> got it", '{"from": 0, "to": 2}')
    assert "whole" in project.run(*REHEARSAL, "ledger", "check").out
    assert "(ledger-serial)" in accept(project, 0, code=1).err
    old = project.run(*SECOND, "--json", code=4)
    assert "made before a restored ledger was accepted" in old.err
    assert json.loads(old.out)["reason"] == "ledger-restored"
    assert asked(project) == []
    project.run(*REHEARSAL, "plan", "second", "--out", "second.zip")
    assert tally(project.run(*SECOND).out)["accepted"] == 3
    assert project.counts()["most_per_address"] == 1


def test_a_plan_of_the_lost_future_is_refused_whatever_its_serial(project: Workspace) -> None:
    project.run(*SECOND)
    project.write("campaigns/third.yaml", CAMPAIGN.replace("noel", "third").replace("bonjour", "salut"))
    project.run(*REHEARSAL, "plan", "--out", "third.zip")
    restore(project)
    forget(project)
    accept(project, 0)
    assert "(ledger-restored)" in project.run("apply", "third.zip", code=4).err


def test_a_backup_of_the_same_serial_is_told_by_its_events(project: Workspace) -> None:
    def copied(call: Call) -> None:
        back_up(project, "during.db")  # one batch is claimed, the others are not
        passed(call)

    with relaying(project.served) as relay:
        served, project.served = project.served, relay.url
        relay.then(copied)
        assert tally(project.run(*SECOND).out)["accepted"] == 3
        project.served = served
    back_up(project, "newest.db")
    restore(project, "during.db")
    told = project.run(*REHEARSAL, "plan", code=1).err
    assert "the ledger (serial 2) lacks entries that this machine has seen in it (at serial 2)" in told
    assert "(ledger-restored)" in project.run(*SECOND, code=1).err
    restore(project, "newest.db")
    assert tally(project.run(*SECOND).out)["accepted"] == 0
    assert project.counts()["most_per_address"] == 1


def test_a_backup_that_was_used_since_is_told_by_its_events(project: Workspace) -> None:
    back_up(project, "before.db")
    seen = dict(project.variables)
    project.run(*SECOND)
    restore(project, "before.db")
    forget(project)
    project.ask("reset", all=True)
    project.run(*SECOND)
    project.variables = seen
    assert "lacks entries that this machine has seen in it (at serial 2)" in project.run(*SECOND, code=1).err


def test_what_is_about_to_be_sent_is_seen_before(project: Workspace) -> None:
    known = []

    def looking(call: Call) -> None:
        known.append(json.loads(memory(project).read_text())["serial"])
        passed(call)

    with relaying(project.served) as relay:
        project.served = relay.url
        relay.then(looking)
        project.run(*SECOND)
    assert known == [2]


def test_another_machine_goes_by_what_it_has_seen_itself(project: Workspace) -> None:
    here = dict(project.variables)
    project.run(*SECOND)  # this machine has seen serial 2, the other one 1
    restore(project)
    forget(project)
    assert "goes on as 1" in accept(project, 0).out
    elsewhere, project.variables = project.variables, here
    assert "serial 1 is below 2" in project.run(*REHEARSAL, "plan", code=1).err
    assert "goes on as 3" in accept(project, 1).out
    project.run(*REHEARSAL, "plan")
    project.variables = elsewhere
    project.run(*REHEARSAL, "plan")


def test_a_damaged_ledger_is_not_accepted(project: Workspace) -> None:
    with closing(sqlite3.connect(place(project))) as db:
        db.execute("DROP TRIGGER events_are_not_changed")
        db.commit()
    shown = project.run(*REHEARSAL, "ledger", "check", code=1)
    assert shown.out.endswith("problem: trigger events_are_not_changed is missing\n")
    assert "restore the last good backup: docs/ledger.md" in shown.err
    told = accept(project, 1, code=1).err
    assert "a damaged ledger is not gone on with (trigger events_are_not_changed is missing)" in told
    assert "(ledger-corrupt)" in told


# what this machine has seen


def memory(project: Workspace) -> Path:
    return Path(project.variables["XDG_STATE_HOME"]) / "octoplan/serials" / key_file(project).name


def test_what_was_seen_is_private_and_holds_no_more_than_it_must(project: Workspace) -> None:
    forget(project)
    project.run(*REHEARSAL, "status")
    seen = memory(project)
    assert json.loads(seen.read_text()).keys() == {"serial", "event", "fingerprint"}
    assert stat.S_IMODE(seen.stat().st_mode) == 0o600
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in seen.parents[:2]] == [0o700, 0o700]
    assert [path.name for path in seen.parent.iterdir()] == [seen.name]


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"serial": 9}', b" " * 2000])
def test_what_is_no_memory_is_none(project: Workspace, content: bytes) -> None:
    memory(project).write_bytes(content)
    project.run(*REHEARSAL, "status")
    assert json.loads(memory(project).read_text())["serial"] == 1


def in_the_way(project: Workspace) -> None:
    project.write("state/octoplan", "")


def homeless(project: Workspace) -> None:
    project.variables = {}


def relative(project: Workspace) -> None:
    project.variables = {"XDG_STATE_HOME": "state"}


@pytest.mark.parametrize("change", [in_the_way, homeless, relative])
def test_a_machine_without_a_place_for_it_says_so_when_asked(
    project: Workspace, change: Callable[[Workspace], None]
) -> None:
    shutil.rmtree(project.root / "state")
    change(project)
    goes_on(project)
    assert project.run(*REHEARSAL, "status").err == ""
    told = project.run("-v", *REHEARSAL, "status").err
    assert told.count("this machine cannot remember how far the ledger came (") == 1
    assert project.run("-v", "plan").err == ""
    assert not (project.root / "state/octoplan/serials").exists()


def test_a_home_keeps_it_among_its_state(project: Workspace, tmp_path: Path) -> None:
    project.variables = {"HOME": str(tmp_path)}
    project.run(*REHEARSAL, "status")
    assert (tmp_path / ".local/state/octoplan/serials" / key_file(project).name).exists()


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", nobody)
    assert seen.state_home() is None


def test_the_built_in_sandbox_may_be_reset_and_restored(project: Workspace) -> None:
    project.run("plan")
    back_up_of = project.root / ".octoplan/ledger.db"
    content = back_up_of.read_bytes()
    project.run("apply")
    back_up_of.write_bytes(content)
    project.run("plan")
    assert [path.name for path in memory(project).parent.iterdir()] == [memory(project).name]


def test_a_sandbox_whose_ledger_alone_was_deleted_says_how_to_begin_anew(tmp_path: Path) -> None:
    project = Workspace(tmp_path).usual()
    project.run("apply")
    (project.root / ".octoplan/ledger.db").unlink()
    told = project.run("apply", code=7).err
    assert "delete the folder .octoplan to begin anew" in told
    shutil.rmtree(project.root / ".octoplan")
    assert tally(project.run("apply").out)["accepted"] == 3


# journals


def torn(ledger: Path) -> tuple[bytes, bytes]:
    """Return a ledger's file and its journal as a process leaves them that was killed in a transaction."""
    path = ledger.with_name("torn.db")
    shutil.copyfile(ledger, path)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA cache_size = 1")
        db.execute("BEGIN IMMEDIATE")
        db.execute("UPDATE batches SET state = 'released', reason = hex(zeroblob(4000))")
        db.execute("UPDATE meta SET serial = 77")
        db.executemany("INSERT INTO runs VALUES (?, '', '', 1, '', '', '', NULL)", [(str(n),) for n in range(2000)])
        found = path.read_bytes(), path.with_name("torn.db-journal").read_bytes()
        db.execute("ROLLBACK")
    assert found[0] != ledger.read_bytes()
    return found


def journal(project: Workspace) -> Path:
    return place(project).with_name("rehearsal.db-journal")


def test_a_journal_left_by_a_killed_process_is_rolled_back(project: Workspace) -> None:
    content, left = torn(place(project))
    place(project).write_bytes(content)
    journal(project).write_bytes(left)
    assert "serial 1 · rehearsal\nwhole" in project.run(*REHEARSAL, "ledger", "check").out
    goes_on(project)


def test_a_journal_that_was_deleted_is_missed(project: Workspace) -> None:
    whole = place(project).read_bytes()
    place(project).write_bytes(torn(place(project))[0])
    journal(project).unlink(missing_ok=True)
    for words in VERBS:
        refused(project, *words, reason="ledger-corrupt")
    place(project).write_bytes(whole)
    goes_on(project)


def test_the_journal_of_another_ledger_destroys_this_one_and_is_noticed(project: Workspace) -> None:
    whole = place(project).read_bytes()
    other = project.root / "other.db"
    BACKENDS["sqlite"].create(other, id="00000000", kind=Kind.REHEARSAL, key=bytes(32), clock=utc_now).close()
    journal(project).write_bytes(torn(other)[1])
    for words in VERBS:
        assert "(ledger-" in project.run(*REHEARSAL, *words, code=1).err
    assert place(project).read_bytes() != whole
    assert asked(project) == []
    place(project).write_bytes(whole)
    goes_on(project)


# a disk that takes nothing


def powerless(project: Workspace, *words: str, limit: int | None = None) -> Ended:
    """Run octoplan where permissions bind, also root; `limit` bytes is the longest file that can be made."""

    def bound() -> None:
        without_power()
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    process = project.start(*REHEARSAL, *words, measured=False, preexec_fn=bound)
    out, err = process.communicate(timeout=60)
    return Ended(process.returncode, out, err)


@pytest.mark.parametrize("case", ["file 0400", "folder 0500", "file 0000", "full"])
def test_a_ledger_that_cannot_be_written_is_found_before_any_request(project: Workspace, case: str) -> None:
    folder = project.root / "ledger"
    folder.mkdir()
    place(project).rename(folder / "ledger.db")
    project.edit("octoplan.yaml", "rehearsal.db", "ledger/ledger.db")
    if case == "full":
        ended = powerless(project, *SECOND, limit=(folder / "ledger.db").stat().st_size)
    else:
        what, mode = case.split()
        (folder if what == "folder" else folder / "ledger.db").chmod(int(mode, 8))
        ended = powerless(project, *SECOND)
    assert (ended.code, ended.out) == (1, "")
    assert "make room, or make its file and folder writable" in ended.err
    assert ended.err.endswith("(ledger-unwritable)\n")
    assert asked(project) == []
    folder.chmod(0o700)
    (folder / "ledger.db").chmod(0o600)
    goes_on(project)


# a clock that stands wrong


def test_a_clock_set_back_by_a_day_is_refused(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def yesterday() -> datetime:
        return datetime.now(UTC) - timedelta(days=1)

    with monkeypatch.context() as patch:
        patch.setattr(projects, "open_project", partial(projects.open_project, clock=yesterday))
        for words in (SECOND, ("plan",), ("ledger", "check", "--accept-serial", "1", "--reason", "none")):
            ended = project.run(*REHEARSAL, *words, code=1)
            assert "set the clock right" in ended.err
            assert "see docs/ledger.md" in ended.err
            assert ended.err.endswith(" (clock)\n")
        assert asked(project) == []
        project.run(*REHEARSAL, "plan", "--offline")
        project.run(*REHEARSAL, "status")
    goes_on(project)
