"""`octoplan plan`."""

from __future__ import annotations

from pathlib import Path

import click

from octoplan.cli.terminal import Session, json_option, put, say


@click.command()
@click.argument("select", nargs=-1)
@click.option("--offline", is_flag=True, help="A preview without network and credentials; cannot be applied.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Save the plan, to be applied later.")
@json_option("Print plan.json.")
@click.pass_obj
def plan(session: Session, select: tuple[str, ...], *, offline: bool, out: Path | None, as_json: bool) -> int:
    """Show who would be contacted, with which text, for how much money. Never sends.

    SELECT: ids, globs, tag:NAME or files; ! before one excludes.
    """
    from octoplan.core import approval
    from octoplan.formats import FORMATS
    from octoplan.project import saved
    from octoplan.workflow.plan import make

    if offline and out is not None:
        raise click.UsageError("an offline plan is a preview and cannot be applied: leave out --out")
    project = session.project()
    if out is not None:
        saved.check(out)
    with session.progress() as progress:
        draft = make(project, words=select, offline=offline, progress=progress)
    if out is not None:
        saved.write(out, approval.save(draft.plan, draft.approved, key=project.key))
    put(FORMATS["json" if as_json else "text"](draft.plan))
    if out is not None:
        say(f"saved to {out}: `octoplan apply {out}` sends exactly this")
    return draft.exit
