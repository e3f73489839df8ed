from __future__ import annotations

from octoplan.core.errors import Exit, Unfinished
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
