"""`octoplan sandbox`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from octoplan.cli.terminal import Session, say
from octoplan.core.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8027, show_default=True, help="On 127.0.0.1.")
@click.option(
    "--prices",
    multiple=True,
    metavar="[KIND=]FILE",
    help="A price book: Octopush's, or routee=FILE; default: those of octoplan.yaml.",
)
@click.option(
    "--faults",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="What goes wrong: JSON, see docs/providers.md.",
)
@click.option(
    "--lists",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Lists, tags and groups with their contacts: JSON, see docs/providers.md.",
)
@click.pass_obj
def sandbox(session: Session, port: int, *, prices: tuple[str, ...], faults: Path | None, lists: Path | None) -> None:
    """Serve the providers' imitation and the outbox page over the state in .octoplan/."""
    from octoplan.sandbox import FaultUnknown, ListsUnusable, PricesUnreadable, StateUnusable, serve
    from octoplan.sandbox.faults import load as load_faults
    from octoplan.sandbox.lists import load as load_lists

    given = _books(prices)
    project = session.project()
    try:
        serve(
            project.sandbox_state(),
            port=port,
            prices={**project.sandbox_prices(), **given},
            faults=load_faults(faults) if faults else None,
            lists=load_lists(lists) if lists else None,
            ready=say,
        )
    except (FaultUnknown, ListsUnusable, PricesUnreadable, StateUnusable) as error:
        raise Refused(str(error), reason="sandbox") from error
    except OSError as error:
        raise Refused(
            f"port {port} cannot be served ({error.strerror}): choose another --port", reason="port"
        ) from error


def _books(written: Iterable[str]) -> dict[str, Path]:
    """Read `KIND=FILE`, or the file alone."""
    from octoplan.sandbox import PROVIDERS

    books: dict[str, Path] = {}
    for one in written:
        kind, separator, rest = one.partition("=")
        kind, name = (kind, rest) if separator and kind in PROVIDERS else ("octopush", one)
        if not Path(name).is_file():
            raise click.BadParameter(f"File '{name}' does not exist.", param_hint="'--prices'")
        books[kind] = Path(name)
    return books
