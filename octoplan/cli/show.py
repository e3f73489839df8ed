"""`octoplan show`."""

from __future__ import annotations

from pathlib import Path

import click

from octoplan.cli.terminal import Session, put, say
from octoplan.core.errors import OctoplanError


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
    key = _key(session, saved.plan.env)
    if key is None and session.verbose:
        say("the seal is not checked: the ledger's key is not at hand")
    elif key is not None and not saved.is_sealed(key):
        say("NOT AS SAVED: a byte was changed, or another ledger's key has sealed it; it cannot be applied here")
    until = saved.plan.apply_until
    if until is not None and until < datetime.now(UTC):
        say(f"OUTDATED: this plan could be applied until {until:%Y-%m-%d %H:%M %Z}")
    elif session.verbose:
        say(f"plan {saved.plan.plan_id}, made {saved.plan.created_at:%Y-%m-%d %H:%M %Z}")
    put(FORMATS[form](saved.plan))


def _key(session: Session, environment: str) -> bytes | None:
    """Return the key that the plan's environment has here, if it has one."""
    from octoplan.project import open_project

    try:
        project = open_project(session.directory, environment)
        return project.key if project.has_key() else None
    except OctoplanError:
        return None
