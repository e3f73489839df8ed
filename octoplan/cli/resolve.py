"""`octoplan resolve`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from octoplan.cli.apply import listening
from octoplan.cli.terminal import json_option, put, say

if TYPE_CHECKING:
    from octoplan.cli.terminal import Session


@click.command()
@click.argument("batch", required=False)
@click.option("--as", "decision", type=click.Choice(["sent", "not-sent"]), help="What a person decides.")
@click.option("--reason", metavar="TEXT", help="How the person knows; kept in the ledger.")
@json_option("Print JSON.")
@click.pass_obj
def resolve(session: Session, batch: str | None, *, decision: str | None, reason: str | None, as_json: bool) -> int:
    """Settle what can be proved, repeat identical requests where that is safe, and list the rest.

    With BATCH: record a person's decision about it.
    """
    from octoplan.workflow.progress import Stop
    from octoplan.workflow.resolve import decide
    from octoplan.workflow.resolve import resolve as settle

    if batch is not None and (decision is None or not (reason or "").strip()):
        raise click.UsageError("a decision needs --as sent|not-sent and --reason TEXT")
    if batch is None and (decision or reason):
        raise click.UsageError("--as and --reason need a BATCH")
    project = session.project()
    if batch is None:
        stop = Stop()
        stop.sending = True
        with listening(stop):
            found = settle(project, stop=stop)
        for note in found.notes:
            say(note)
        put(json.dumps(found.as_json(), ensure_ascii=False, indent=1) if as_json else "\n".join(found.lines()))
        return found.exit
    decided = decide(project, batch, sent=decision == "sent", reason=(reason or "").strip())
    put(json.dumps(decided.as_json()) if as_json else decided.line())
    return 0
