"""`octoplan render`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from octoplan.cli.terminal import json_option, put
from octoplan.core.quoting import visible

if TYPE_CHECKING:
    from octoplan.cli.terminal import Session


@click.command()
@click.argument("campaign")
@click.option("--contact", metavar="KEY", help="The contact: the beginning of a contact key, or an address.")
@click.option("--longest", is_flag=True, help="The contact with the longest text.")
@json_option("Print JSON.")
@click.pass_obj
def render(session: Session, campaign: str, *, contact: str | None, longest: bool, as_json: bool) -> None:
    """Show what one contact of a campaign would read, and the request that would carry it."""
    from octoplan.workflow.render import render as show

    if contact is not None and longest:
        raise click.UsageError("--contact and --longest each name one contact: give one of them")
    shown = show(session.project(), campaign, contact=contact, longest=longest)
    if as_json:
        put(json.dumps(shown.as_json(), ensure_ascii=False, indent=1))
        return
    put(" · ".join(filter(None, (shown.campaign, f"contact {shown.key}", shown.country))))
    put(f"{shown.encoding} · units {shown.units} · parts {shown.parts} · {shown.cost}")
    put("")
    put("\n".join(map(visible, shown.text.split("\n"))))
    put("")
    put("\n".join(map(visible, json.dumps(shown.body, ensure_ascii=False, indent=1).split("\n"))))
