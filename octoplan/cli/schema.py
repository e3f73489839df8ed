"""`octoplan schema`."""

from __future__ import annotations

import click

from octoplan.cli.terminal import put


@click.command()
@click.argument("name", type=click.Choice(["campaign", "project", "prices", "plan"]))
def schema(name: str) -> None:
    """Print the JSON Schema of a file format, for editors and CI."""
    from octoplan.workflow.schema import schema_text

    put(schema_text(name))
