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
@click.option(
    "--accept-serial",
    type=click.IntRange(min=0),
    metavar="N",
    help="Go on with a restored ledger whose serial is N, after looking up what was sent since.",
)
@click.option("--reason", metavar="TEXT", help="How the person knows; kept in the ledger.")
@click.pass_obj
def check(session: Session, *, accept_serial: int | None, reason: str | None) -> int:
    """Check that the ledger is whole, is the one octoplan.yaml names, and lacks nothing that was seen in it."""
    from octoplan.workflow.ledger import accept
    from octoplan.workflow.ledger import check as look

    given = (reason or "").strip()
    if (accept_serial is None) == bool(given):
        raise click.UsageError("a restored ledger is gone on with by --accept-serial N and --reason TEXT together")
    project = session.project()
    if accept_serial is not None:
        accepted = accept(project, accept_serial, reason=given)
        put(f"ledger {accepted.id} · serial {accepted.serial} accepted · goes on as {accepted.since}")
        say("plans made before are refused; what was sent and is not in it must be recorded first: docs/ledger.md")
        return Exit.DONE
    checked = look(project)
    put(f"ledger {checked.id} · serial {checked.serial} · {checked.kind}")
    for problem in checked.problems:
        put(f"problem: {problem}")
    if checked.lack is not None:
        put(f"problem: {checked.lack}")
    if checked.problems:
        say("restore the last good backup: docs/ledger.md")
    if checked.problems or checked.lack is not None:
        return Exit.INPUT
    put("whole")
    return Exit.DONE
