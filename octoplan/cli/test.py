"""`octoplan test`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from octoplan.cli.apply import announce, ask, may_ask, put_event, put_safely, supervise
from octoplan.cli.terminal import json_option

if TYPE_CHECKING:
    from octoplan.cli.terminal import Session
    from octoplan.core.plan import Plan


@click.command()
@click.argument("campaign")
@click.option("--to", metavar="NAME", help="One group of `test_contacts`; default: all of them.")
@json_option("Print JSON, one event a line: the test, its plan, each batch as it ends, the end.", event="end")
@click.pass_obj
def test(session: Session, campaign: str, *, to: str | None, as_json: bool) -> int:
    """Send one campaign to the project's test contacts only, now, in each of its languages.

    Columns have the values of `audience.fallback`, else their own names: nothing of a real contact is sent.
    It counts for no campaign, and each call sends again.
    """
    from octoplan.workflow.trial import choose, send

    project = session.project()
    if not may_ask(project):
        raise click.UsageError("without a terminal a test is sent in the built-in sandbox only")
    trial = choose(project, campaign, to=to)
    if as_json:
        put_event("test", trial.as_json())
    else:
        put_safely(trial.line())

    def confirm(plan: Plan) -> None:
        announce(plan, saved=False, as_json=as_json)
        ask(plan, project)

    return supervise(session, lambda watch: send(project, trial, watch=watch), confirm=confirm, as_json=as_json)
