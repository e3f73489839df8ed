"""`octoplan cancel`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from octoplan.cli.terminal import SANDBOX_LINE, json_option, put

if TYPE_CHECKING:
    from octoplan.cli.terminal import Session


@click.command()
@click.argument("campaign")
@json_option("Print JSON.")
@click.pass_obj
def cancel(session: Session, campaign: str, *, as_json: bool) -> int:
    """Cancel what the provider still lets us cancel of a campaign, and say what it does not.

    Whoever is cancelled still counts as sent. What is not sent yet needs no cancelling: edit or delete its file.
    """
    from octoplan.workflow.cancel import cancel as take_back

    project = session.project()
    with session.progress() as progress:
        cancelled = take_back(project, campaign, progress=progress)
    if as_json:
        put(json.dumps(cancelled.as_json(), ensure_ascii=False, indent=1))
        return cancelled.exit
    frame = [SANDBOX_LINE] if cancelled.sandbox else []
    put("\n".join([*frame, *cancelled.lines(), *frame]))
    return cancelled.exit
