"""`octoplan ledger`."""

from __future__ import annotations

import click

from octoplan.cli.terminal import Session, put, say
from octoplan.core.errors import Exit


@click.group()
def ledger() -> None:
    """Care for the ledger, the memory of what was sent."""


@ledger.command("init")
@click.pass_obj
def init(session: Session) -> None:
    """Make the first ledger of an environment and write its id into octoplan.yaml."""
    from octoplan.workflow.ledger import init as make

    made = make(session.project())
    put(f"ledger {made.id} for environment {made.environment}: {made.place}")
    say(f"its id is written into octoplan.yaml: commit it. Its key is in {made.key_file}, never in git:")
    say("store it as the secret OCTOPLAN_LEDGER_KEY wherever this environment is applied; without it nobody is known")


@ledger.command("check")
@click.pass_obj
def check(session: Session) -> int:
    """Check that the ledger is whole and is the one octoplan.yaml names."""
    from octoplan.workflow.ledger import check as look

    checked = look(session.project())
    put(f"ledger {checked.id} · serial {checked.serial} · {checked.kind}")
    for problem in checked.problems:
        put(f"problem: {problem}")
    if checked.problems:
        say("restore the last good backup: docs/ledger.md")
        return Exit.INPUT
    put("whole")
    return Exit.DONE
