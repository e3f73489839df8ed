"""`octoplan status`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from octoplan.cli.terminal import json_option, put, say
from octoplan.core.errors import Exit

if TYPE_CHECKING:
    from octoplan.cli.terminal import Session


@click.command()
@click.argument("campaign", required=False)
@click.option("--contact", metavar="ADDRESS", help="What one address got.")
@json_option("Print JSON.")
@click.pass_obj
def status(session: Session, campaign: str | None, *, contact: str | None, as_json: bool) -> int:
    """Show what was sent, is owed, was rejected or is in doubt, from the ledger."""
    from octoplan.workflow.ledger import lacking
    from octoplan.workflow.status import contact_status, ledger_status, status_lines

    project = session.project()
    rows = (
        contact_status(project, contact, campaign=campaign) if contact is not None else ledger_status(project, campaign)
    )
    if as_json:
        put(json.dumps([row.as_json() for row in rows], ensure_ascii=False, indent=1))
    else:
        for line in status_lines(rows, contact=contact is not None):
            put(line)
    if lack := lacking(project):
        say(f"octoplan: {lack} (ledger-restored)")
        return Exit.INPUT
    return Exit.DONE
