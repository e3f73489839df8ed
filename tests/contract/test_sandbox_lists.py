"""Lists and tags: how a test fills them, and what is told about them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sandbox_account import LYON, PARIS, PRICES, Account, account
from workspaces import Workspace

from octoplan.sandbox import ListsUnusable, Sandbox
from octoplan.sandbox.lists import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GIVEN = {"lists": {"lyon": [{"phone_number": LYON, "first_name": "Zoe"}]}}
NONE: dict[str, dict[str, int]] = {"lists": {}, "tags": {}, "groups": {}, "contact_ids": {}}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("sandbox") / "sandbox.db", prices=PRICES, lists=GIVEN) as opened:
        yield opened


@pytest.fixture
def sandbox(opened: Account) -> Account:
    opened.set("reset")
    return opened


def test_lists_are_filled_one_by_one_and_counted(sandbox: Account) -> None:
    assert sandbox.look("lists") == NONE | {"lists": {"lyon": 1}}
    told = sandbox.set("lists", lists={"lyon": [{"phone_number": LYON}, {"phone_number": PARIS}], "empty": []})
    assert told == NONE | {"lists": {"empty": 0, "lyon": 2}}
    told = sandbox.set("lists", tags={"vip": [{"phone_number": "0033639980012"}, {"phone_number": LYON}]})
    assert told == NONE | {"lists": {"empty": 0, "lyon": 2}, "tags": {"vip": 1}}
    assert sandbox.set("lists", lists={"lyon": []})["lists"] == {"empty": 0, "lyon": 0}
    assert sandbox.set("lists") == NONE | {"lists": {"empty": 0, "lyon": 0}, "tags": {"vip": 1}}


def test_groups_and_contact_ids_are_filled_too(sandbox: Account) -> None:
    told = sandbox.set("lists", groups={"gold": [{"phone_number": LYON}]}, contact_ids={"5756": {"phone_number": LYON}})
    assert (told["groups"], told["contact_ids"]) == ({"gold": 1}, {"5756": 1})
    told = sandbox.set("lists", contact_ids={"5756": {"phone_number": PARIS}, "x": {"phone_number": LYON}}, groups={})
    assert (told["groups"], told["contact_ids"]) == ({"gold": 1}, {"5756": 1, "x": 1})


def test_a_reset_leaves_what_it_was_started_with(sandbox: Account) -> None:
    sandbox.set("lists", lists={"lyon": [], "other": [{"phone_number": LYON}]}, tags={"vip": []})
    sandbox.set("reset")
    assert sandbox.look("lists") == NONE | {"lists": {"lyon": 1}}


def test_a_restart_forgets_no_list(tmp_path: Path) -> None:
    with account(tmp_path / "sandbox.db", lists=GIVEN) as sandbox:
        sandbox.set("lists", lists={"lyon": [], "other": [{"phone_number": LYON}]})
    with account(tmp_path / "sandbox.db") as sandbox:
        assert sandbox.look("lists")["lists"] == {"lyon": 0, "other": 1}
    with account(tmp_path / "sandbox.db", lists=GIVEN) as sandbox, account(tmp_path / "sandbox.db") as other:
        assert other.look("lists")["lists"] == {"lyon": 1, "other": 1}
        other.set("lists", tags={"vip": [{"phone_number": LYON}]})
        assert sandbox.look("lists")["tags"] == {"vip": 1}


WRONG: list[tuple[Any, str]] = [
    ({"list": {}}, "lists must be such as"),
    ({"lists": []}, "lists must be such as"),
    ({"tags": {"vip": {}}}, "tags.vip must be a list of contacts"),
    ({"tags": {"x" * 21: []}}, "tags, number 1: a name has 1 to 20"),
    ({"lists": {"": []}}, "lists, number 1: a name has 1 to 30"),
    ({"lists": {" a": []}}, "no blanks around"),
    ({"lists": {"a\x1b[2J": []}}, "lists, number 1: a name"),
    ({"lists": {LYON: [5]}}, "lists, number 1, contact 1: must be an object"),
    ({"lists": {"lyon": [{"phone_number": LYON}, LYON]}}, "lists.lyon, contact 2: must be an object"),
    ({"lists": {"lyon": [{"phone_number": "0639980012"}]}}, "lists.lyon, contact 1: phone_number must be a number"),
    ({"lists": {"lyon": [{"first_name": "Zoe"}]}}, "lists.lyon, contact 1: phone_number must be a number"),
    ({"lists": {"lyon": [{"phone_number": LYON, "firstname": "Zoe"}]}}, "takes no 'firstname'; it takes phone_number"),
    ({"lists": {"lyon": [{LYON: LYON}]}}, "takes not all its fields"),
    ({"lists": {"lyon": [{"phone_number": LYON, "param1": [LYON]}]}}, "param1 must be a text"),
    ({"lists": {"lyon": [{"phone_number": "x"}] * 25}}, "contact 10: phone_number must be a number such as"),
    ({"lists": {"lyon": [{"phone_number": "x"}] * 25}}, "; and 15 more"),
    ({"groups": {"gold": {"phone_number": LYON}}}, "groups.gold must be a list of contacts"),
    ({"groups": {"x" * 101: []}}, "groups, number 1: a name has 1 to 100"),
    ({"contact_ids": []}, "contact_ids must be such as"),
    ({"contact_ids": {"abc": [{"phone_number": LYON}]}}, "contact_ids.abc, contact 1: must be an object"),
    ({"contact_ids": {"abc": {"phone_number": "0639980012"}}}, "contact_ids.abc, contact 1: phone_number must be"),
]


@pytest.mark.parametrize(("document", "said"), WRONG)
def test_what_is_wrong_is_named_and_changes_nothing(sandbox: Account, document: dict[str, Any], said: str) -> None:
    answer = sandbox.http.post("/_sandbox/lists", json={"lists": {"new": []}} | document)
    assert answer.status_code == 400
    assert said in answer.json()["message"]
    assert PARIS not in answer.text
    assert "0639980012" not in answer.json()["message"].replace('"+33639980012"', "")
    assert sandbox.look("lists") == NONE | {"lists": {"lyon": 1}}


@pytest.mark.parametrize("kind", ["", "text/plain"])
def test_a_web_page_cannot_fill_lists(sandbox: Account, kind: str) -> None:
    answer = sandbox.http.post("/_sandbox/lists", content=b'{"lists": {}}', headers={"content-type": kind})
    assert answer.status_code == 415


def test_a_file_is_named_in_what_is_wrong_with_it(tmp_path: Path) -> None:
    path = tmp_path / "lists.json"
    with pytest.raises(ListsUnusable, match=r"^lists\.json: the lists cannot be read: No such file"):
        load(path)
    for content, said in (
        (b'{"lists": ', r"^lists\.json: the lists are not JSON: .*line 1"),
        (b"\xff", r"^lists\.json: the lists are not JSON"),
        (b"null", r"^lists\.json: lists must be such as"),
        (b'{"lists": {"lyon": [5]}}', r"^lists\.json: lists\.lyon, contact 1: must be"),
    ):
        path.write_bytes(content)
        with pytest.raises(ListsUnusable, match=said):
            load(path)
    path.write_text(json.dumps(GIVEN), encoding="utf-8")
    assert load(path) == GIVEN


def test_what_cannot_be_filled_is_said_before_anything_is_served(tmp_path: Path) -> None:
    documents: tuple[object, ...] = ([], {"lists": {"lyon": [5]}}, "")
    for wrong in documents:
        with pytest.raises(ListsUnusable), Sandbox(tmp_path / "sandbox.db", lists=wrong):
            pass
    assert not (tmp_path / "sandbox.db").exists()


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def test_the_command_takes_a_file_of_lists(project: Workspace) -> None:
    project.write("lists.json", json.dumps(GIVEN))
    command = ("sandbox", "--port", "0", "--lists", str(project.root / "lists.json"))
    with project.start(*command) as process:
        assert process.stderr
        try:
            with Account(process.stderr.readline().strip()) as sandbox:
                assert sandbox.look("lists") == NONE | {"lists": {"lyon": 1}}
        finally:
            process.terminate()
        assert LYON not in process.stderr.read()


@pytest.mark.parametrize(
    ("lists", "says"),
    [
        ("{", "lists.json: the lists are not JSON"),
        ("null", "lists.json: lists must be such as"),
        (
            json.dumps({"lists": {"lyon": [{"phone_number": "0639980012"}]}}),
            "lists.json: lists.lyon, contact 1: phone_n",
        ),
    ],
)
def test_the_command_refuses_what_is_no_file_of_lists(project: Workspace, lists: str, says: str) -> None:
    project.write("lists.json", lists)
    ended = project.run("sandbox", "--lists", str(project.root / "lists.json"), code=1)
    assert says in ended.err
    assert "Traceback" not in ended.err
    assert "0639980012" not in ended.out + ended.err
    assert not (project.root / ".octoplan/sandbox.db").exists()


def test_the_command_needs_a_file_that_is_there(project: Workspace) -> None:
    assert "does not exist" in project.run("sandbox", "--lists", "nowhere.json", code=2).err
