"""`octoplan init`."""

from __future__ import annotations

from pathlib import Path

import click

from octoplan.cli.terminal import put, say


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option(
    "--example",
    type=click.Choice(["sms", "voice", "rcs", "email", "list", "routee"]),
    default="sms",
    show_default=True,
    help="The channel of its campaign, an SMS to a list that the provider holds, or a call by Routee.",
)
def init(directory: Path, example: str) -> None:
    """Make a new project in DIR: one campaign, six contacts nobody has, sample prices."""
    from octoplan.workflow.init import init as make

    for name in make(directory, example):
        put(str(directory / name))
    if example == "list":
        say("first, in a terminal of its own: `octoplan sandbox --lists lists.json`, which fills the sandbox's list")
    say("next: `octoplan plan`, then `octoplan apply`: in the sandbox, nobody is contacted")
