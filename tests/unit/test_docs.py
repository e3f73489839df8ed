"""The pages say what the code does."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, get_args

import pytest
from conftest import ROOT

from octoplan.providers.octopush import answers
from octoplan.providers.octopush.contract import BODIES, SINGLES, Cancel, Ticket, fields, single_fields
from octoplan.providers.octopush.held_contract import CREATES
from octoplan.providers.pinned import Pinned
from octoplan.providers.routee import contract
from octoplan.providers.routee.codes import CODES
from octoplan.providers.routee.receipt import ECHOES, KEPT
from octoplan.sandbox import routee
from octoplan.sandbox.faults import CHOICE, FAULTS, MISSING, Field
from octoplan.sandbox.octopush import ENDPOINTS
from octoplan.sandbox.switches import SWITCHES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydantic import BaseModel

    from octoplan.providers.octopush.held_contract import Create

PARAMETERS = {"recipients.last_name", *(f"recipients.param{number}" for number in range(1, 6))}
"""What a golden file of one channel is enough to show: a placeholder is the same on both."""

WIRE = ROOT / "tests" / "golden" / "octopush"


def rows_below(heading: str, *, table: int = 0) -> list[list[str]]:
    """Return the cells of a table below a heading of docs/providers.md, the first by default, without its head."""
    page = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
    _, _, below = page.partition(f"### {heading}\n")
    lines = re.findall(r"(?:^\|.*\n)+", below, re.MULTILINE)[table].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


SENT = rows_below("The call `multi-channel/send`, field by field")
SINGLE = rows_below("The calls `sms-campaign/send` and `voice-campaign/send`", table=1)
CANCELLED = rows_below("The call `multi-channel/cancel`")
SINGLE_CANCELLED = rows_below("The calls `sms-campaign/cancel` and `voice-campaign/cancel`")
ANSWERED = rows_below("What it answers")
HELD = rows_below("Lists and tags: `sms-campaign-on-list` and `voice-campaign-on-list`")
HELD_ANSWERED = rows_below("Lists and tags: `sms-campaign-on-list` and `voice-campaign-on-list`", table=1)
CALLED = rows_below("The call `voice/campaign`, field by field")
CALL_ANSWERED = rows_below("What Routee answers")

ANSWER_KEYS = (
    *("callback", "callback.strategy", "callback.url"),
    *("campaignCallback", "campaignCallback.strategy", "campaignCallback.url", "campaignName"),
    *("contacts", "cost", "createdAt", "fileURL", "from", "groups", "hangupDelay"),
    *("message", "message.gender", "message.language", "message.text", "respectQuietHours", "scheduledDate"),
    *("state", "statuses", "to", "trackingId", "type", "collectDtmfDigits", "collectDtmfAwaitSeconds"),
    *("voiceAnalysis", "voiceAnalysis.contacts"),
    *("voiceAnalysis.dialPlanAnalysis", "voiceAnalysis.dialPlanAnalysis.placeholder"),
    *("voiceAnalysis.numberOfRecipients", "voiceAnalysis.recipientCountries", "voiceAnalysis.recipientsPerCountry"),
    *("voiceAnalysis.recipientsPerGroup", "voiceAnalysis.totalInGroups"),
    *("errors.code", "errors.developerMessage", "errors.property"),
)
"""What Routee's page of the voice campaign has for a response, in its order."""

CALLS = ROOT / "tests" / "golden" / "routee"

PROVIDERS = {"sms": "sms", "voice": "voice_sms"}
"""Channels of ours, and what the provider calls them."""


def words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_switch_of_the_sandbox_is_documented() -> None:
    page = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
    _, _, table = page.partition("### Switches of the sandbox")
    rows = re.findall(r"^\| `(\w+)` \| `(.*?)` \| (.+) \|$", table, re.MULTILINE)
    assert rows == [(name, json.dumps(switch.default), switch.meaning) for name, switch in SWITCHES.items()]


def alternatives(address: str) -> list[str]:
    """Expand `{a,b}` in an address."""
    before, brace, rest = address.partition("{")
    if not brace:
        return [address]
    choice, _, after = rest.partition("}")
    return [found for word in choice.split(",") for found in alternatives(before + word + after)]


def test_every_address_of_the_sandbox_is_documented() -> None:
    rows = rows_below("Addresses of the sandbox")
    assert {(row[0], address) for row in rows for address in alternatives(words(row[1])[0])} == ENDPOINTS.keys()


def test_every_address_of_the_sandboxs_routee_is_documented() -> None:
    there = {(method, routee.BASE + path) for method, path in routee.ENDPOINTS}
    there.add((routee.TOKEN[0], routee.AUTHENTICATION_BASE + routee.TOKEN[1]))
    assert {(row[0], words(row[1])[0]) for row in rows_below("Addresses of the sandbox: Routee")} == there


def written(field: Field) -> str:
    return "left out" if field.default is MISSING else f"`{json.dumps(field.default)}`"


def test_every_fault_of_the_sandbox_is_documented() -> None:
    assert rows_below("Faults of the sandbox", table=1) == [
        [f"`{name}`", kind.where, ", ".join(f"`{n}` {written(f)}" for n, f in kind.takes.items()), kind.meaning]
        for name, kind in FAULTS.items()
    ]
    assert [row[:2] for row in rows_below("Faults of the sandbox")] == [
        [f"`{name}`", written(field)] for name, field in CHOICE.items()
    ]


def pinned(fields: Callable[[str], dict[str, tuple[str, ...]]], channels: Iterable[str]) -> list[tuple[str, str]]:
    return sorted(
        (channel, f"{group}.{name}" if group else name)
        for channel in channels
        for group, names in fields(channel).items()
        for name in names
    )


def test_every_field_of_the_contract_has_a_row_and_every_row_a_field() -> None:
    for rows, there in ((SENT, pinned(fields, BODIES)), (SINGLE, pinned(single_fields, SINGLES))):
        assert sorted((channel, words(row[0])[0]) for row in rows for channel in row[1].split(", ")) == there


def test_every_field_of_a_cancel_has_a_row() -> None:
    assert [(words(row[0])[0], row[1]) for row in CANCELLED] == [
        (name, ", ".join(BODIES)) for name in Cancel.model_fields
    ]
    assert [(words(row[0])[0], row[1]) for row in SINGLE_CANCELLED] == [
        (name, ", ".join(SINGLES)) for name in Ticket.model_fields
    ]


@pytest.mark.parametrize(
    ("field", "channels", "named"),
    [(words(row[0])[0], row[1], words(row[3])) for row in [*SENT, *SINGLE, *CANCELLED, *SINGLE_CANCELLED]],
)
def test_the_golden_files_of_a_field_hold_it_on_each_of_its_channels(
    field: str, channels: str, named: list[str]
) -> None:
    holding = set()
    for name in named:
        golden = json.loads((WIRE / f"{name}.json").read_text(encoding="utf-8"))
        body = golden["body"]
        group, _, key = field.rpartition(".")
        inside = body[group] if group else body
        assert key in (inside[0] if isinstance(inside, list) else inside), name
        own = re.search("/(sms|voice)-campaign/", golden["request"])
        holding.add(PROVIDERS[own[1]] if own else body["channel"])
    assert holding <= set(channels.split(", "))
    assert len(holding) == len(channels.split(", ")) or field in PARAMETERS


def test_every_field_of_a_campaign_on_a_list_or_tag_has_a_row_and_every_row_a_field() -> None:
    assert sorted((channel, words(row[0])[0]) for row in HELD for channel in row[1].split(", ")) == sorted(
        (PROVIDERS[channel], name) for channel, create in CREATES.items() for name in create.model_fields
    )


@pytest.mark.parametrize(("field", "channels", "named"), [(words(row[0])[0], row[1], words(row[3])) for row in HELD])
def test_the_golden_files_of_a_list_or_tag_hold_a_field_on_each_of_its_channels(
    field: str, channels: str, named: list[str]
) -> None:
    holding = set()
    for name in named:
        steps = json.loads((WIRE / f"{name}.json").read_text(encoding="utf-8"))
        assert any(field in steps[step]["body"] for step in ("create", "simulate")), name
        holding.add(PROVIDERS[name.partition("-")[0]])
    assert holding == set(channels.split(", "))


@pytest.mark.parametrize(("channel", "create"), CREATES.items())
def test_what_is_always_sent_of_a_list_or_tag_is_said_to_be(channel: str, create: type[Create]) -> None:
    always = {words(row[0])[0] for row in HELD if PROVIDERS[channel] in row[1].split(", ") and "always" in row[2]}
    needed = {name for name, field in create.model_fields.items() if field.is_required()}
    assert needed <= always


def test_the_answers_of_a_list_or_tag_are_told_for_each_of_its_calls() -> None:
    assert {words(row[0])[0] for row in HELD_ANSWERED} == {"create", "status", "send", "cancel"}
    assert set(answers.STATUSES) <= {word for row in HELD_ANSWERED for word in words(row[1])}


def test_the_guesses_name_switches_there_are_and_the_answers_every_ticket() -> None:
    cells = [row[4] for row in [*SENT, *SINGLE, *CANCELLED, *SINGLE_CANCELLED, *HELD]]
    cells += [row[3] for row in ANSWERED]
    named = {word for cell in cells for word in words(cell) if "." not in word}
    tickets = {word for row in ANSWERED for cell in (row[0], row[3]) for word in words(cell) if "ticket" in word}
    assert named - {*answers.TICKETS, "providers/octopush/rcs.py"} <= SWITCHES.keys()
    assert tickets == {*answers.TICKETS}
    assert {word for row in ANSWERED for word in words(row[0])} >= answers.FIGURES


def at(body: Any, key: str) -> Any:
    """Return the value at a dotted key; None where there is none."""
    for name in key.split("."):
        body = body[0] if isinstance(body, list) else body
        body = body.get(name) if isinstance(body, dict) else None
    return body


def names(model: type[BaseModel], before: str = "") -> list[str]:
    """Return the fields of a contract as they are called on the wire, dotted."""
    found = []
    for name, field in model.model_fields.items():
        found.append(before + (field.alias or name))
        inside = [each for each in (field.annotation, *get_args(field.annotation)) if isinstance(each, type)]
        for each in inside:
            found += names(each, f"{found[-1]}.") if issubclass(each, Pinned) else []
    return found


def routee_golden(name: str) -> Any:
    return json.loads((CALLS / f"{name}.json").read_text(encoding="utf-8"))


def test_every_field_of_routees_contract_has_a_row_and_every_row_a_field() -> None:
    assert sorted(words(row[0])[0] for row in CALLED) == sorted(names(contract.Campaign))
    assert sorted(words(row[0])[0] for row in CALLED if row[1] == "yes") == sorted(names(contract.Analysis))
    assert {row[1] for row in CALLED} == {"yes", ""}


@pytest.mark.parametrize(("field", "analysed", "named"), [(words(row[0])[0], row[1], words(row[3])) for row in CALLED])
def test_the_golden_files_of_routees_fields_hold_them(field: str, analysed: str, named: list[str]) -> None:
    assert named
    for name in named:
        steps = routee_golden(name)
        assert at(steps["send"]["body"], field) is not None, name
        assert (at(steps["simulate"]["body"], field) is not None) == (analysed == "yes"), name


def test_what_routee_is_always_sent_is_said_to_be() -> None:
    always = {words(row[0])[0] for row in CALLED if row[2].startswith("always: ")}
    sends = [routee_golden(name)["send"]["body"] for name in ("text", "transactional", "recording", "groups")]
    assert always == set.intersection(*map(set, sends))
    assert always == {
        field.alias or name for name, field in contract.Campaign.model_fields.items() if field.is_required()
    } | {"name"}


def test_every_key_of_routees_answer_has_a_row_that_says_what_is_kept() -> None:
    assert tuple(words(row[0])[0] for row in CALL_ANSWERED) == ANSWER_KEYS
    kept = {words(row[0])[0]: row[1] for row in CALL_ANSWERED}
    parents = {key for key in ANSWER_KEYS if f"{key}." in "".join(ANSWER_KEYS)} - {*KEPT}
    errors = {key for key in ANSWER_KEYS if key.startswith("errors.")}
    assert {key for key, told in kept.items() if told == "by its keys"} == parents
    assert {key for key, told in kept.items() if told.startswith("compared")} == ECHOES.keys()
    assert kept.keys() - parents - errors - ECHOES.keys() == {*KEPT, "trackingId"}


def test_every_key_of_routees_answer_has_its_golden_file() -> None:
    assert [words(row[2]) for row in CALL_ANSWERED] == [[f"keys/{key}"] for key in ANSWER_KEYS]
    assert {path.stem for path in (CALLS / "keys").iterdir()} == set(ANSWER_KEYS)
    assert [key for key in ANSWER_KEYS if at(routee_golden(f"keys/{key}")["answer"], key) is None] == []


def test_every_error_code_of_routee_is_documented_with_our_hint() -> None:
    verdicts = {code: told["verdict"] for code, told in routee_golden("codes").items()}
    become = {
        "refused": "not sent, and the run stops",
        "rejected": "rejected",
        "duplicate": "a duplicate, see below",
    }
    assert rows_below("What Routee answers", table=1) == [
        [f"`{code}`", of.meaning, become[verdicts[str(code)]], of.hint] for code, of in CODES.items()
    ]


def test_the_guesses_about_routee_name_its_switches() -> None:
    cells = [row[4] for row in CALLED] + [row[3] for row in CALL_ANSWERED]
    cells += [row[1] for row in rows_below("What octoplan assumes of Routee")]
    named = {word for cell in cells for word in words(cell) if word.startswith("routee_")}
    assert named <= {name for name in SWITCHES if name.startswith("routee_")}
    page = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
    _, _, section = page.partition("## Routee: voice\n")
    assert {*re.findall(r"`(routee_\w+)`", section)} <= SWITCHES.keys()


def test_every_decision_is_numbered_and_says_why() -> None:
    for number, path in enumerate(sorted((ROOT / "docs" / "decisions").glob("*.md")), start=1):
        page = path.read_text(encoding="utf-8")
        assert path.name.startswith(f"{number:04}-")
        assert re.findall(r"^#+ .*", page, re.MULTILINE)[1:] == ["## Context", "## Decision", "## Consequences"]
        assert page.startswith(f"# {number} · ")


def test_links_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = [
        (page.name, target)
        for page in pages
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []
