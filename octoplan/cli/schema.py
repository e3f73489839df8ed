"""`octoplan schema`."""

from __future__ import annotations

import click


@click.command()
@click.argument("name", type=click.Choice(["campaign", "project", "prices", "plan"]))
def schema(name: str) -> None:
    """Print the JSON Schema of a file format, for editors and CI."""
    from octoplan.workflow.schema import schema_text

    click.echo(schema_text(name), nl=False)
