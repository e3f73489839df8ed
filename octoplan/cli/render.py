"""`octoplan render`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from octoplan.cli.terminal import Session


@click.command()
@click.argument("campaign")
@click.option("--contact", metavar="KEY", help="The contact: the beginning of a contact key, or an address.")
@click.option("--longest", is_flag=True, help="The contact with the longest text.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def render(session: Session, campaign: str, *, contact: str | None, longest: bool, as_json: bool) -> None:
    """Show what one contact of a campaign would read, and the request that would carry it."""
    from octoplan.formats.text import visible
    from octoplan.workflow.render import render as show

    shown = show(session.project(), campaign, contact=contact, longest=longest)
    if as_json:
        click.echo(json.dumps(shown.as_json(), ensure_ascii=False, indent=1))
        return
    click.echo(f"{shown.campaign} · contact {shown.key} · {shown.country}")
    click.echo(f"{shown.encoding} · units {shown.units} · parts {shown.parts} · {shown.cost}")
    click.echo("")
    click.echo("\n".join(visible(line) for line in shown.text.split("\n")))
    click.echo("")
    click.echo(json.dumps(shown.body, ensure_ascii=False, indent=1))
