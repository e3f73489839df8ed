"""`octoplan show`."""

from __future__ import annotations

from pathlib import Path

import click

from octoplan.cli.terminal import Session, put, say


@click.command()
@click.argument("plan", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def show(session: Session, plan: Path, *, form: str) -> None:
    """Show a saved plan."""
    from datetime import UTC, datetime

    from octoplan.core.approval import read_saved
    from octoplan.formats import FORMATS

    saved = read_saved(plan.read_bytes())
    until = saved.plan.apply_until
    if until is not None and until < datetime.now(UTC):
        say(f"OUTDATED: this plan could be applied until {until:%Y-%m-%d %H:%M %Z}")
    elif session.verbose:
        say(f"plan {saved.plan.plan_id}, made {saved.plan.created_at:%Y-%m-%d %H:%M %Z}")
    put(FORMATS[form](saved.plan))
