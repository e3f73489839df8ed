from __future__ import annotations

import sqlite3

from octoplan.core.errors import Exit, InDoubt, OctoplanError, Refused, Unfinished
from octoplan.workflow.tally import Tally


def test_the_reason_is_the_word_for_the_exit_code() -> None:
    tally = Tally()
    assert (tally.exit, tally.reason) == (Exit.DONE, "done")
    tally.end(Exit.DONE, "waiting", sentence="noel waits")
    assert (tally.exit, tally.reason) == (Exit.DONE, "waiting")
    tally.end(Exit.REJECTED, "rejected", sentence="112", batch="noel/1/1")
    tally.end(Exit.DOUBT, "in-doubt", sentence="a person must look")
    tally.fail(Unfinished("busy", reason="ledger-busy"))
    assert (tally.exit, tally.reason, tally.as_json()["reason"]) == (Exit.DOUBT, "in-doubt", "in-doubt")
    assert list(tally.reasons) == ["waiting", "rejected", "in-doubt", "ledger-busy"]


def test_a_story_is_told_once_with_its_batches() -> None:
    tally = Tally()
    for batch in ("noel/1/1", "noel/1/2", "noel/1/2", "noel/1/4"):
        tally.end(Exit.REJECTED, "rejected", sentence="bad type", batch=batch)
    tally.end(Exit.REJECTED, "rejected", sentence="too long", batch="noel/1/3")
    assert tally.reasons == {"rejected": "noel/1/1 and 2 more: bad type; noel/1/3: too long"}


def caused(error: OctoplanError, cause: Exception) -> OctoplanError:
    error.__cause__ = cause
    return error


def test_a_full_disk_is_no_bug() -> None:
    tally = Tally()
    full = sqlite3.OperationalError("database or disk is full")
    tally.fail(caused(Refused("the ledger cannot be written", reason="ledger-unwritable"), full))
    assert (tally.exit, tally.bugs) == (Exit.INPUT, [])


def test_what_octoplan_broke_with_on_the_wire_is_a_bug() -> None:
    tally = Tally()
    bug = TypeError("reply")
    tally.fail(caused(InDoubt("octoplan broke", reason="in-doubt"), bug))
    assert (tally.exit, tally.bugs) == (Exit.DOUBT, [bug])
    assert "octoplan broke with TypeError" in tally.reasons["bug"]
