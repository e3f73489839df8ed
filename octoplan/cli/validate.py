"""`octoplan validate`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from octoplan.cli.terminal import Session, json_option, put, say


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@json_option("Print the findings as JSON.")
@click.pass_obj
def validate(session: Session, files: tuple[Path, ...], *, as_json: bool) -> int:
    """Check every file and print every finding. Offline, without credentials."""
    from octoplan.cli.findings import as_rows, show_findings
    from octoplan.core.errors import InputError
    from octoplan.workflow.validate import Checked
    from octoplan.workflow.validate import validate as check

    try:
        checked = check(session.project(), files)
    except InputError as error:
        checked = Checked(campaigns=0, findings=error.findings)
    if as_json:
        put(json.dumps(as_rows(checked.findings), ensure_ascii=False, indent=1))
    else:
        show_findings(checked.findings, err=False)
        say(f"campaigns read: {checked.campaigns} · findings: {len(checked.findings)}")
    return checked.exit
