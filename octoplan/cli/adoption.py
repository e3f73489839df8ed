"""`octoplan import`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from octoplan.cli.terminal import Session, json_option, put


@click.command("import")
@click.argument("campaign")
@click.argument("file", metavar="CSV", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--edition", type=click.IntRange(1), help="Default: the campaign's own, or 1.")
@click.option(
    "--channel", type=click.Choice(["sms", "voice", "rcs", "email"]), help="Of a campaign that no file holds any more."
)
@click.option("--at", metavar="DATE", help="When it was sent, such as 2026-12-03 or 2026-12-03T10:00; default: now.")
@json_option("Print JSON.")
@click.pass_obj
def adopt(session: Session, /, campaign: str, *, file: Path, as_json: bool, **given: Any) -> None:
    """Adopt a send made elsewhere: nobody in CSV is ever sent this edition of CAMPAIGN.

    The column of addresses is that of the campaign's audience, else `phone_number` or `email`. Nothing is
    sent, nothing of the file is kept but keyed hashes, and the same file can be imported again.
    """
    from octoplan.workflow.adoption import Asked
    from octoplan.workflow.adoption import adopt as take_in

    asked = Asked(campaign=campaign, path=file, **given)
    project = session.project()
    with session.progress() as progress:
        imported = take_in(project, asked, progress=progress)
    put(json.dumps(imported.as_json(), ensure_ascii=False, indent=1) if as_json else "\n".join(imported.lines()))
