"""`octoplan validate`."""

from __future__ import annotations

import click

from octoplan.cli.terminal import Session, json_option, put, say


@click.command()
@click.argument("files", nargs=-1)
@json_option("Print the findings as JSON.")
@click.pass_obj
def validate(session: Session, files: tuple[str, ...], *, as_json: bool) -> int:
    """Check every file and print every finding. Offline, without credentials."""
    from octoplan.cli.findings import findings_json, show_findings
    from octoplan.workflow.validate import validate as check

    checked = check(session.project(), files)
    if as_json:
        put(findings_json(checked.findings))
    else:
        show_findings(checked.findings, err=False)
        say(f"{checked.campaigns} campaigns, {len(checked.findings)} findings")
    return checked.exit
