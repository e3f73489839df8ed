"""The plan as text: golden, readable at 80 columns, inert."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from plans import NOW, plan, row

from octoplan.core.plan import AudienceCounts, Change, PlannedFinding, TextFacts
from octoplan.core.quoting import visible
from octoplan.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable

    from octoplan.core.plan import Plan

Golden = "Callable[[str, str], None]"

LATER = datetime(2026, 12, 3, 9, tzinfo=UTC)
OPEN = {"hours": "fr-strict", "open_from": LATER.replace(hour=7), "open_until": LATER.replace(hour=19)}


def everything() -> Plan:
    sent = AudienceCounts(rows=210, contacts=0, already_sent=210)
    edited = row(
        id="rappel-2026",
        action="none",
        reason="edited-after-send",
        estimate=None,
        audience=sent,
        changes=(
            Change(path="audience.where", old=None, new="sha256:00"),
            Change(path="message.text", old="demain a 9h", new="demain a 9h30\nsoir"),
            Change(path="sender", old=None, new="A"),
        ),
    )
    blocked = row(
        id="promo",
        action="blocked",
        reason="blocked",
        audience=None,
        text=None,
        estimate=None,
        findings=(
            PlannedFinding(
                rule="stop-missing",
                severity="error",
                message="no opt-out mention",
                file="campaigns/promo.yaml",
                line=8,
                column=9,
                hint="add {{ stop }}",
            ),
            PlannedFinding(rule="fixed-line", severity="warning", message="3 fixed lines"),
        ),
    )
    waiting = row(id="later", action="wait", reason="waiting", send_at=LATER, apply_from=NOW, findings=(), **OPEN)
    doubt = row(id="doubt", action="in_doubt", reason="in-doubt", in_doubt=400, simulation=None, limit=None)
    two = row(
        id="two-encodings",
        edition=2,
        reason="new-edition",
        again=900,
        merge_fields=True,
        placeholders=("param1",),
        audience=AudienceCounts(rows=2, contacts=2, already_sent=1, fallback={"first_name": 1}),
        text=TextFacts(
            pattern="Bonjour ‹n 3–5›\nADIEU", longest=1, encodings={"gsm7": 1, "ucs2": 1}, parts={"1": 1, "2": 1}
        ),
    )
    resumed = row(id="resumed", action="resume", reason="resume", text=None, **OPEN)
    return plan(row(), edited, blocked, waiting, doubt, two, resumed, row(id="old", action="none", reason="sent"))


def test_every_kind_of_campaign(golden: Callable[[str, str], None]) -> None:
    golden("plan/everything.txt", FORMATS["text"](everything()))
    golden("plan/everything.json", FORMATS["json"](everything()))


def test_nothing_to_do(golden: Callable[[str, str], None]) -> None:
    quiet = plan(row(action="none", reason="sent", estimate=None), sandbox=True, ledger=None)
    golden("plan/no-changes.txt", FORMATS["text"](quiet))


def test_people_who_missed_it_are_not_called_nobody() -> None:
    text = FORMATS["text"](plan(row(action="none", reason="missed")))
    assert "No changes. 1 campaign, 1,184 contacts missed it, see above." in text


def test_a_recording_is_shown_with_its_length() -> None:
    patterns = {"audio.url": "https://media.acme.fr/a.wav", "audio.sha256": "0" * 64}
    spoken: dict[str, Any] = {"pattern": "", "longest": 0, "encodings": {}, "patterns": patterns}
    read = TextFacts(**spoken, parts={"3": 320}, seconds=61, step=30)
    shown = FORMATS["text"](plan(row(channel="voice", text=read)))
    for line in ("audio      61 s, 3 steps: 320 (30 s a step)", 'audio url  "https://media.acme.fr/a.wav"'):
        assert line in shown
    assert f'audio sha256 "{"0" * 64}"' in " ".join(shown.split())
    unread = FORMATS["text"](plan(row(channel="voice", text=TextFacts(**spoken, parts={"1": 320}))))
    assert "step" not in unread
    assert "audio url" in unread


def test_ids_of_contacts_are_not_compared_in_sight() -> None:
    changed = Change(path="audience.contact_ids", old="sha256:00", new="sha256:11")
    shown = FORMATS["text"](plan(row(changes=(changed,))))
    assert "sha256" not in shown
    assert "differs" in shown


def test_an_offline_preview_says_so() -> None:
    preview = plan(offline=True, ledger=None, apply_until=None, approvable=False, limits={})
    text = FORMATS["text"](preview)
    assert "offline preview, cannot be applied" in text
    assert "Cannot be applied" not in text
    assert " of 3,000" not in text
    assert "already sent: unknown, there is no ledger to read" in text
    assert "unknown" not in FORMATS["text"](plan(offline=True))


def test_an_empty_plan_has_no_legend() -> None:
    empty = plan(row()).model_copy(
        update={"campaigns": (), "totals": plan(row()).totals.model_copy(update={"send": 0})}
    )
    assert "No changes." in FORMATS["text"](empty)


def test_json_is_the_document() -> None:
    assert json.loads(FORMATS["json"](plan()))["totals"]["worst"] == {"EUR": "58.05"}


def test_a_text_cannot_drive_the_terminal() -> None:
    assert visible("a\x1b[2J\u202eb\nc\u200d") == "a\\u001b[2J\\u202eb⏎c\\u200d"
