"""What really happens to a campaign between its first plan and its last receipt, one story a test.

Each ends with every address delivered at most once per campaign and edition, nobody silently lost, and a way out that
a message has named.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from relay import NO_STOP, Relay, passed, relaying, reply_lost, request_lost, says
from workspaces import CAMPAIGN, Ended, Workspace, tally

from octoplan import project as projects
from octoplan import wire
from octoplan.ledger.sqlite import SqliteLedger
from octoplan.workflow import sending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from relay import Call

ZOE, MARC, INES, NORA = (f"+3363998001{number}" for number in (1, 2, 3, 4))
PARIS = ZoneInfo("Europe/Paris")
NO_CREDIT = b'{"code": 104, "message": "No credit left."}'
LIST = "audiences/list.csv"
FILE = "campaigns/noel.yaml"


class Story:
    """A rehearsal with three contacts in three batches, sent one after another, and a clock that can be moved."""

    def __init__(self, project: Workspace, relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
        self.project = project
        self.relay = relay
        self._ahead = self._there = timedelta()
        opened = projects.open_project
        monkeypatch.setattr(projects, "open_project", lambda *words, **more: opened(*words, clock=self.now, **more))
        monkeypatch.setattr(sending, "Deadline", partial(wire.Deadline, wall=lambda: self.now().timestamp()))
        self.run("ledger", "init")

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def later(self, **by: float) -> None:
        """Move this machine's clock; the provider's goes along, but never back."""
        self._ahead += timedelta(**by)
        if self._ahead > self._there:
            self.project.ask("clock", advance=f"{int((self._ahead - self._there).total_seconds())}s")
            self._there = self._ahead

    def run(self, *words: str, code: int | None = 0) -> Ended:
        return self.project.run("--env", "rehearsal", *words, code=code)

    def plan(self, name: str = "plan", *words: str, code: int = 0) -> Ended:
        """Plan and save, as a reviewer approves it."""
        return self.run("plan", "--out", str(self.project.root / name), *words, code=code)

    def apply(self, name: str = "plan", *, code: int | None = 0) -> Ended:
        return self.project.run("apply", str(self.project.root / name), code=code)

    def part_sent(self, act: Callable[[Call], None] = reply_lost) -> str:
        """Send the first of three batches, leave the second in doubt and the third unsent; return the second."""
        self.plan()
        self.relay.then(passed, act)
        self.apply(code=7)
        (batch,) = self.resolve(code=7)["batches"]
        assert isinstance(batch["batch"], str)
        return batch["batch"]

    def resolve(self, code: int) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("resolve", "--json", code=code).out)
        return found

    def decide(self, batch: str, *, sent: bool) -> None:
        self.run("resolve", batch, "--as", "sent" if sent else "not-sent", "--reason", "as the provider's log has it")

    def quiet(self) -> None:
        """Let pass what a request may take to arrive."""
        time.sleep(1.1)

    def got(self, text: str = "") -> Counter[str]:
        """Count the deliveries by address, of messages that hold a text."""
        return Counter(row["address"] for row in self.project.deliveries() if text in row["text"])

    def standing(self, campaign: str = "noel") -> dict[int, dict[str, int]]:
        """Return, by edition, how many contacts are where."""
        rows = json.loads(self.run("status", campaign, "--json").out)
        return {row["edition"]: {name: row[name] for name in ("sent", "owed", "rejected", "in_doubt")} for row in rows}

    def edit(self, name: str, old: str, new: str) -> None:
        self.project.edit(name, old, new)

    def without(self, address: str) -> str:
        """Take a contact out of the list; return the line."""
        text = (self.project.root / LIST).read_text()
        line = next(line for line in text.splitlines(keepends=True) if line.startswith(address))
        self.edit(LIST, line, "")
        return line

    def join(self, line: str) -> None:
        self.project.write(LIST, (self.project.root / LIST).read_text() + line)

    def first_and_others(self) -> tuple[str, list[str]]:
        """Return who got it, and who has not."""
        (first,) = self.got()
        return first, sorted({ZOE, MARC, INES} - {first})


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    project = Workspace(tmp_path).usual()
    project.edit("octoplan.yaml", "quiet_time: 1s", "quiet_time: 1s, workers: 1")
    with project.serving() as served, relaying(served) as relay:
        project.served = relay.url
        yield Story(project, relay, monkeypatch)


def once(*addresses: str) -> Counter[str]:
    return Counter(addresses)


def test_partial_send_then_edit(story: Story) -> None:
    batch = story.part_sent(request_lost)
    first, _others = story.first_and_others()
    story.edit(FILE, "bonjour", "bonsoir")
    assert "make a new plan" in story.apply(code=4).err
    story.quiet()
    assert "text, values, options or account" in story.resolve(code=7)["batches"][0]["next"]
    story.decide(batch, sent=False)
    assert "your edit reaches only the other 2: 1 already got it" in story.plan("second").flat
    story.apply("second")
    assert story.got("bonjour") == once(first)
    assert story.got() == once(ZOE, MARC, INES)
    assert story.standing() == {1: {"sent": 3, "owed": 0, "rejected": 0, "in_doubt": 0}}


def test_partial_send_contact_removed_and_put_back(story: Story) -> None:
    story.part_sent()
    first, _others = story.first_and_others() if len(story.got()) == 1 else (next(iter(story.got())), [])
    line = story.without(first)
    story.quiet()
    story.resolve(code=0)
    story.plan("second")
    story.apply("second")
    assert story.got() == once(ZOE, MARC, INES)
    story.join(line)
    assert "No changes." in story.plan("third").out
    story.apply("third")
    assert story.got() == once(ZOE, MARC, INES)


def test_a_canary_by_a_narrow_where_then_widened(story: Story) -> None:
    story.edit(FILE, "list.csv}", "list.csv, where: \"first_name = 'Zoe'\", new_contacts: send}")
    story.plan()
    assert tally(story.apply().out)["accepted"] == 1
    story.edit(FILE, ", where: \"first_name = 'Zoe'\"", "")
    assert "1 already got it" in story.plan("wide").flat
    assert tally(story.apply("wide").out)["accepted"] == 2
    assert story.got() == once(ZOE, MARC, INES)


def test_a_canary_without_new_contacts_names_the_way_out(story: Story) -> None:
    story.edit(FILE, "list.csv}", "list.csv, where: \"first_name = 'Zoe'\"}")
    story.plan()
    story.apply()
    story.edit(FILE, ", where: \"first_name = 'Zoe'\"", "")
    shown = story.plan("wide").flat
    assert "joined-later" in shown or "raise `edition`" in shown
    story.apply("wide")
    assert story.got() == once(ZOE)


def test_a_join_after_a_typo_fix(story: Story) -> None:
    story.part_sent(request_lost)
    story.quiet()
    story.edit(FILE, "bonjour", "bonsoir")
    story.join(f"{NORA},Nora,A1\n")
    story.decide(story.resolve(code=7)["batches"][0]["batch"], sent=False)
    shown = story.plan("second").flat
    assert re.search(r"−1 joined-later|joined.later", shown)
    story.apply("second")
    assert story.got() == once(ZOE, MARC, INES)


def test_the_plan_s_time_is_over_in_mid_apply(story: Story) -> None:
    send_at = (story.now() + timedelta(days=2)).astimezone(PARIS).replace(second=0, microsecond=0)
    story.project.write(FILE, f'{CAMPAIGN}schedule: {{send_at: "{send_at:%Y-%m-%dT%H:%M}"}}\n')
    story.plan()
    story.later(hours=47, minutes=50)
    story.plan()

    def over(call: Call) -> None:
        passed(call)
        call.connection.recv(1)  # nothing, once the reply was read whole: before that it would come too late
        story.later(minutes=40)

    story.relay.then(over)
    ended = story.apply(code=4)
    assert tally(ended.out) == {"accepted": 1, "rejected": 0, "in doubt": 0, "dropped": 0, "not started": 2}
    assert "the time of noel in this plan is over: make a new plan" in ended.err
    assert "change `schedule.send_at`, or raise `edition`" in story.plan("second").flat
    assert story.standing()[1] == {"sent": 1, "owed": 2, "rejected": 0, "in_doubt": 0}
    later = (story.now() + timedelta(days=1)).astimezone(PARIS)
    story.edit(FILE, f"{send_at:%Y-%m-%dT%H:%M}", f"{later:%Y-%m-%dT%H:%M}")
    story.plan("third")
    story.later(hours=2)
    assert tally(story.apply("third").out)["accepted"] == 2
    assert {row["address"]: 1 for row in story.project.deliveries()} == story.got()
    assert story.got() == once(ZOE, MARC, INES)


def test_an_opt_out_inside_a_batch_in_doubt(story: Story) -> None:
    batch = story.part_sent(request_lost)
    first, others = story.first_and_others()
    story.project.write("audiences/opposition.csv", "\n".join(["phone_number", *others]) + "\n")
    story.edit("octoplan.yaml", "limits:", "suppressions: [audiences/opposition.csv]\nlimits:")
    story.quiet()
    assert "1 contact opted out or left" in story.resolve(code=7)["batches"][0]["next"]
    story.decide(batch, sent=False)
    story.plan("second")
    story.apply("second")
    assert story.got() == once(first)


def test_the_account_is_switched_after_a_partial_send(story: Story) -> None:
    batch = story.part_sent(request_lost)
    story.project.variables["OCTOPUSH_API_LOGIN"] = "sandbox-other"
    assert (
        "account of octoplan" in story.apply(code=4).err or "differs from the approved plan" in story.apply(code=4).err
    )
    story.quiet()
    assert "account are not what they were" in story.resolve(code=7)["batches"][0]["next"]
    story.decide(batch, sent=False)
    story.plan("second")
    assert tally(story.apply("second").out)["accepted"] == 2
    assert story.got() == once(ZOE, MARC, INES)


def test_the_edition_is_raised_while_in_doubt(story: Story) -> None:
    batch = story.part_sent()
    story.project.write(FILE, CAMPAIGN + "edition: 2\n")
    assert "\n? noel #1" in story.plan("second").out
    ended = story.apply("second", code=7)
    assert tally(ended.out)["accepted"] == 3
    assert "octoplan resolve" in ended.err
    story.quiet()
    assert "decide" in story.resolve(code=7)["batches"][0]["next"]
    story.decide(batch, sent=True)
    assert story.resolve(code=0)["batches"] == []
    assert set(story.got().values()) <= {1, 2}
    assert story.standing()[2] == {"sent": 3, "owed": 0, "rejected": 0, "in_doubt": 0}
    assert story.standing()[1]["in_doubt"] == 0


def test_the_file_is_renamed(story: Story) -> None:
    story.part_sent()
    (story.project.root / FILE).rename(story.project.root / "campaigns/christmas.yaml")
    story.quiet()
    assert story.resolve(code=0)["settled"]
    assert tally(story.apply().out)["accepted"] == 1
    assert story.got() == once(ZOE, MARC, INES)


def test_the_file_is_deleted_while_in_doubt(story: Story) -> None:
    batch = story.part_sent(request_lost)
    text = (story.project.root / FILE).read_text()
    story.project.write("campaigns/other.yaml", text.replace("noel", "other").replace("bonjour", "salut"))
    (story.project.root / FILE).unlink()
    story.quiet()
    assert "no file holds noel any more: put it back, or decide" in story.resolve(code=7)["batches"][0]["next"]
    assert "\n? noel #1" in story.plan("second").out
    assert story.standing()[1]["in_doubt"] == 1
    (story.project.root / "campaigns/other.yaml").unlink()
    story.project.write(FILE, text)
    assert story.resolve(code=0)["settled"][0]["batch"] == batch
    story.apply()
    assert story.got("bonjour") == once(ZOE, MARC, INES)


def test_reply_lost_credit_empty_retry_refused_topped_up(story: Story) -> None:
    story.part_sent()
    story.quiet()
    story.relay.then(says(400, NO_CREDIT))
    assert "not closed by the answer" in story.resolve(code=7)["batches"][0]["next"]
    assert tally(story.apply(code=7).out) == {
        "accepted": 1,
        "rejected": 0,
        "in doubt": 1,
        "dropped": 0,
        "not started": 0,
    }
    story.quiet()
    assert story.resolve(code=0)["settled"]
    assert story.got() == once(ZOE, MARC, INES)


def test_a_duplicate_from_another_ledger_tried_again_next_day(
    story: Story, tmp_path_factory: pytest.TempPathFactory
) -> None:
    copied = tmp_path_factory.mktemp("copy") / "project"
    story.plan()
    shutil.copytree(story.project.root, copied)
    story.apply()
    here, story.project = story.project, Workspace.__new__(Workspace)
    story.project.root, story.project.served, story.project.variables = copied, here.served, {}
    ended = story.apply(code=7)
    assert "foreign" in ended.err
    assert tally(ended.out)["in doubt"] == 1
    story.later(hours=25)
    again = story.apply(code=7)
    assert tally(again.out) == {"accepted": 0, "rejected": 0, "in doubt": 1, "dropped": 0, "not started": 2}
    assert "import whom it sent to" in again.err
    assert "another ledger sent it" in story.resolve(code=7)["batches"][0]["next"]
    assert Counter(row["address"] for row in here.deliveries()) == once(ZOE, MARC, INES)


def test_a_rejected_batch_is_mended_and_run_again(story: Story) -> None:
    story.plan()
    story.relay.then(says(400, NO_STOP))
    assert tally(story.apply(code=6).out)["rejected"] == 1
    assert "STOP" in story.apply(code=6).err
    story.edit(FILE, "bonjour", "bonsoir")
    story.plan("second")
    assert tally(story.apply("second").out)["accepted"] == 1
    assert story.got() == once(ZOE, MARC, INES)


def test_a_fresh_runner_with_a_default_ledger(story: Story, tmp_path_factory: pytest.TempPathFactory) -> None:
    story.plan()
    runner = tmp_path_factory.mktemp("runner") / "project"
    shutil.copytree(story.project.root, runner, ignore=shutil.ignore_patterns("*.db*", ".octoplan"))
    fresh = Workspace.__new__(Workspace)
    key = next((story.project.root / ".octoplan/keys").iterdir()).read_text()
    fresh.root, fresh.served, fresh.variables = runner, story.project.served, {"OCTOPLAN_LEDGER_KEY": key}
    for words in (("apply", str(runner / "plan")), ("--env", "rehearsal", "plan")):
        refused = fresh.run(*words, code=1)
        assert "docs/ledger.md" in refused.err
        assert "init" not in refused.err
    assert not list(runner.rglob("*.db"))
    story.apply()
    assert story.got() == once(ZOE, MARC, INES)


def test_the_audience_is_truncated_after_approval(story: Story) -> None:
    numbers = [f"+336399810{number:02}" for number in range(20)]
    rows = [f"{number},Zoe,A1" for number in numbers]
    story.project.write(LIST, "\n".join(["phone_number,first_name,code", *rows]) + "\n")
    story.plan()
    story.project.write(LIST, "\n".join(["phone_number,first_name,code", *rows[:9]]) + "\n")
    refused = story.apply(code=4).err
    assert "11 of 20 planned contacts of noel are gone, more than expect.max_change" in refused
    assert "make a new plan" in refused
    story.project.write(LIST, "\n".join(["phone_number,first_name,code", *rows]) + "\n")
    story.apply()
    assert story.got() == once(*numbers)


@pytest.fixture
def begun(story: Story) -> tuple[Story, list[str], str]:
    """Send it to one of twenty before the credit is used up; return the story, the others and the one."""
    numbers = [f"+336399810{number:02}" for number in range(20)]
    list_of(story, numbers)
    story.plan()
    story.relay.then(passed, says(400, NO_CREDIT))
    assert tally(story.apply(code=1).out) == {
        "accepted": 1,
        "rejected": 0,
        "in doubt": 0,
        "dropped": 0,
        "not started": 19,
    }
    (first,) = story.got()
    return story, [number for number in numbers if number != first], first


def list_of(story: Story, numbers: list[str]) -> None:
    rows = [f"{number},Zoe,A{number[-2:]}" for number in numbers]
    story.project.write(LIST, "\n".join(["phone_number,first_name,code", *rows]) + "\n")


def owed(story: Story) -> tuple[int, dict[str, int]]:
    """Return who the plan says is owed it and who is left out, having seen that the ledger says the same."""
    found = json.loads(story.run("plan", "--json", code=None).out)["campaigns"][0]["audience"]
    assert story.standing()[1]["owed"] == found["contacts"] + sum(found["left_out"].values())
    return found["contacts"], found["left_out"]


def test_everybody_who_was_not_sent_it_has_left_the_audience(begun: tuple[Story, list[str], str]) -> None:
    story, others, first = begun
    list_of(story, [first])
    assert owed(story) == (0, {"left-the-audience": 19})
    shown = story.plan("second", code=3).flat
    assert "! noel" in shown
    assert "not sent −19 left the audience" in shown
    assert "limit audience-change: of 20 contacts this edition is for, 19 were not sent it" in shown
    assert "campaigns/noel.yaml" in shown
    story.apply("second", code=3)
    list_of(story, [first, *others])
    story.plan("third")
    story.apply("third")
    assert story.got() == once(first, *others)


def test_half_of_who_was_not_sent_it_has_left_the_audience(begun: tuple[Story, list[str], str]) -> None:
    story, others, first = begun
    list_of(story, [first, *others[:9]])
    assert owed(story) == (9, {"left-the-audience": 10})
    assert "10 were not sent it and are not owed it now: left-the-audience 10" in story.plan("second", code=3).flat


def test_everybody_who_was_not_sent_it_is_suppressed(begun: tuple[Story, list[str], str]) -> None:
    story, others, first = begun
    story.project.write("audiences/opposition.csv", "\n".join(["phone_number", *others]) + "\n")
    story.edit("octoplan.yaml", "limits:", "suppressions: [audiences/opposition.csv]\nlimits:")
    assert owed(story) == (0, {"suppressed": 19})
    assert "not sent −19 suppressed" in story.plan("second", code=3).flat
    story.project.write(FILE, CAMPAIGN + 'allow: {audience-change: "they did opt out"}\n')
    shown = story.plan("third").flat
    assert "= noel #1" in shown
    assert "partly sent: 1 got it, and nobody else is owed it now" in shown
    assert "nobody is owed a message (19 of partly sent editions are not any more, see above)" in shown
    story.apply("third")
    assert story.got() == once(first)


def test_few_who_were_not_sent_it_are_suppressed(begun: tuple[Story, list[str], str]) -> None:
    story, others, first = begun
    story.project.write("audiences/opposition.csv", "\n".join(["phone_number", *others[:2]]) + "\n")
    story.edit("octoplan.yaml", "limits:", "suppressions: [audiences/opposition.csv]\nlimits:")
    assert owed(story) == (17, {"suppressed": 2})
    story.plan("second")
    story.apply("second")
    assert story.got() == once(first, *others[2:])
    assert owed(story) == (0, {"suppressed": 2})
    assert "= 1 unchanged, 2 contacts not sent: opted out or gone, see `octoplan status`" in story.plan("third").flat
    story.edit(FILE, "list.csv}", "list.csv, expect: {min: 20}}")
    assert "No changes" in story.plan("fourth").out
    story.edit("octoplan.yaml", "suppressions: [audiences/opposition.csv]\n", "")
    list_of(story, [first, *others[2:]])
    assert owed(story) == (0, {"left-the-audience": 2})
    assert "limit audience-size: 18 contacts, at least 20 are expected" in story.plan("fifth", code=3).flat


def test_the_file_is_deleted_after_a_partial_send(begun: tuple[Story, list[str], str]) -> None:
    story, _, first = begun
    story.project.write("campaigns/now.yaml", CAMPAIGN.replace("noel", "now").replace("bonjour", "salut"))
    (story.project.root / FILE).unlink()
    shown = story.plan("second").flat
    assert "= noel #1" in shown
    assert "partly sent: 1 got it; put the file back, or apply this plan to leave it at that" in shown
    assert "not sent −19 left the audience" in shown
    assert "noel" not in story.run("plan", "now").out
    story.apply("second")
    assert "noel" not in story.plan("third").out
    assert story.standing()[1]["owed"] == 19
    assert story.got("bonjour") == once(first)


def test_apply_is_run_again_by_a_nervous_operator_five_times(story: Story) -> None:
    story.plan()
    accepted = [tally(story.apply().out)["accepted"] for _ in range(5)]
    assert accepted == [3, 0, 0, 0, 0]
    assert story.got() == once(ZOE, MARC, INES)


def test_a_second_campaign_a_week_after_the_first(story: Story) -> None:
    story.plan()
    story.apply()
    story.later(days=7)
    story.project.write("campaigns/soldes.yaml", CAMPAIGN.replace("noel", "soldes").replace("bonjour", "hiver,"))
    shown = story.plan("second").out
    assert "+ soldes" in shown
    assert "= noel" in shown or "1 unchanged" in shown
    assert tally(story.apply("second").out)["accepted"] == 3
    assert story.got("hiver,") == story.got("bonjour") == once(ZOE, MARC, INES)


@pytest.mark.parametrize("change", ["edited", "deleted"])
def test_a_waiting_campaign_is_changed_a_new_plan_approved_and_the_old_one_applied(story: Story, change: str) -> None:
    send_at = (story.now() + timedelta(days=3)).astimezone(PARIS)
    waiting = f'{CAMPAIGN}schedule: {{send_at: "{send_at:%Y-%m-%dT%H:%M}"}}\n'
    story.project.write(FILE, waiting)
    story.project.write("campaigns/now.yaml", CAMPAIGN.replace("noel", "now").replace("bonjour", "salut"))
    story.plan("old")
    old = story.project.root / "old-files"
    shutil.copytree(story.project.root / "campaigns", old)
    assert "waiting" in story.apply("old").err
    if change == "edited":
        story.edit(FILE, "bonjour", "bonsoir")
    else:
        (story.project.root / FILE).unlink()
    story.plan("new")
    story.apply("new")
    story.later(days=2, hours=12)
    shutil.rmtree(story.project.root / "campaigns")
    old.rename(story.project.root / "campaigns")  # the old plan is applied at its own commit
    ended = story.apply("old", code=4)
    assert "superseded" in ended.err
    assert "make a new plan" in ended.err
    assert story.got("bonjour") == once()
    assert story.got("salut") == once(ZOE, MARC, INES)


def test_a_gate_passed_three_days_later(story: Story) -> None:
    story.plan()
    story.later(days=3)
    assert tally(story.apply().out)["accepted"] == 3
    assert story.got() == once(ZOE, MARC, INES)


def test_a_gate_passed_too_late(story: Story) -> None:
    story.plan()
    story.later(days=8)
    ended = story.apply(code=4)
    assert "is over: make a new plan" in ended.err
    assert story.got() == once()
    story.plan("second")
    story.apply("second")
    assert story.got() == once(ZOE, MARC, INES)


def test_a_process_is_stopped_for_ten_minutes_between_claim_and_send(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, stops = SqliteLedger.claim, [0, 10, 0]

    def stopped(*words: Any, **more: Any) -> str | None:
        attempt = claim(*words, **more)
        story.later(minutes=stops.pop(0) if stops else 0)
        return attempt

    monkeypatch.setattr(SqliteLedger, "claim", stopped)
    story.plan()
    story.apply(code=None)
    story.apply(code=None)
    story.apply()
    assert story.got() == once(ZOE, MARC, INES)
    assert len(story.relay.sends) == 3


def test_the_clock_is_set_back_by_a_day(story: Story) -> None:
    story.part_sent()
    story.later(days=-1)
    refused = story.apply(code=1).err
    assert "set the clock right" in refused
    assert "set the clock right" in story.run("resolve", code=1).err
    story.later(days=1)
    story.quiet()
    assert len(story.got()) == 2
    assert story.resolve(code=0)["settled"]
    story.apply()
    assert story.got() == once(ZOE, MARC, INES)


def test_the_clock_is_set_back_by_seconds_between_plan_and_apply(story: Story) -> None:
    numbers = [f"+336399810{number:02}" for number in range(20)]
    list_of(story, numbers)
    send_at = (story.now() + timedelta(hours=5)).astimezone(PARIS)
    story.project.write(FILE, f'{CAMPAIGN}schedule: {{send_at: "{send_at:%Y-%m-%dT%H:%M}"}}\n')
    story.plan()
    story.later(seconds=-20)
    story.relay.then(*[passed] * 10, says(400, NO_CREDIT))
    assert tally(story.apply(code=1).out)["accepted"] == 10
    assert tally(story.apply().out) == {"accepted": 10, "rejected": 0, "in doubt": 0, "dropped": 0, "not started": 0}
    story.later(hours=6)
    assert story.got() == once(*numbers)


def test_two_copies_of_one_campaign_in_one_change(story: Story) -> None:
    story.project.write("campaigns/copy.yaml", CAMPAIGN.replace("noel", "copy"))
    shown = story.plan(code=3).flat
    assert "near-duplicate" in shown
    assert "allow" in shown
    story.apply(code=3)
    assert story.got() == once()
    (story.project.root / "campaigns/copy.yaml").unlink()
    story.plan("second")
    story.apply("second")
    assert story.got() == once(ZOE, MARC, INES)


def test_the_id_is_renamed(story: Story) -> None:
    story.plan()
    story.apply()
    story.edit(FILE, "id: noel", "id: christmas")
    shown = story.plan("second", code=3).flat
    assert "near-duplicate" in shown
    assert "noel" in shown
    story.apply("second", code=3)
    assert story.got() == once(ZOE, MARC, INES)
    story.edit(FILE, "id: christmas", "id: noel")
    assert "No changes." in story.plan("third").out
    story.edit(FILE, "id: noel", 'allow: {near-duplicate: "a reminder, see ticket 12"}\nid: christmas')
    story.plan("fourth")
    assert tally(story.apply("fourth").out)["accepted"] == 3


def test_a_backup_is_restored(story: Story, tmp_path: Path) -> None:
    story.project.variables["XDG_STATE_HOME"] = str(tmp_path / "state")
    ledger = story.project.root / "rehearsal.db"
    story.plan()
    shutil.copy2(ledger, tmp_path / "backup.db")
    story.apply()
    shutil.copy2(ledger, tmp_path / "newest.db")
    shutil.copy2(tmp_path / "backup.db", ledger)
    for words in (
        ("apply", str(story.project.root / "plan")),
        ("--env", "rehearsal", "plan"),
    ):
        refused = story.project.run(*words, code=1)
        assert "--accept-serial" in refused.err
        assert "docs/ledger.md" in refused.err
    assert story.got() == once(ZOE, MARC, INES)
    serial = re.search(r"serial (\d+)", story.run("ledger", "check", code=1).out)
    assert serial
    story.run("ledger", "check", "--accept-serial", serial[1], "--reason", "no newer copy; noel was sent")
    assert "make a new plan" in story.apply(code=4).err
    story.run("import", "noel", str(story.project.root / LIST))
    assert "No changes." in story.plan("second").out
    story.apply("second")
    assert story.got() == once(ZOE, MARC, INES)


def test_it_is_cancelled_and_applied_again(story: Story) -> None:
    send_at = (story.now() + timedelta(hours=5)).astimezone(PARIS)
    story.project.write(FILE, f'{CAMPAIGN}schedule: {{send_at: "{send_at:%Y-%m-%dT%H:%M}"}}\n')
    story.plan()
    story.apply()
    assert "still counts as sent" in story.run("cancel", "noel").flat
    assert story.got() == once()
    assert tally(story.apply().out)["accepted"] == 0
    assert "No changes." in story.plan("second").out
    story.apply("second")
    assert story.got() == once()
    story.project.write(FILE, (story.project.root / FILE).read_text() + "edition: 2\n")
    story.plan("third")
    story.apply("third")
    assert story.got() == once(ZOE, MARC, INES)


# the lost reply of the first of two phases is `test_a_lost_answer_to_the_creation_leaves_no_doubt` of test_lists.py
