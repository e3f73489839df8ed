"""The command line: words in, exit code out. One module a verb, one screen each.

Verbs import their workflow when they run, so that `--help` stays quick.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from octoplan import __version__
from octoplan.cli import (
    adoption,
    apply,
    cancel,
    init,
    ledger,
    plan,
    render,
    resolve,
    sandbox,
    schema,
    show,
    status,
    test,
    validate,
)
from octoplan.cli.terminal import JSON, Session, crash, put, say
from octoplan.core.errors import Exit, InputError, OctoplanError, Refused
from octoplan.core.quoting import masked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn


class Octoplan(click.Group):
    """Says how a verb ended: to people, and to programs that asked for JSON."""

    def invoke(self, context: click.Context) -> Any:
        """Run a verb; the exit code is what it returns."""
        try:
            return super().invoke(context)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:  # noqa: BLE001  the one boundary: what nobody foresaw becomes a crash log
            ended = _explain(error)
        if JSON in context.meta:
            put(json.dumps({**context.meta[JSON], **ended}, ensure_ascii=False))
        return ended["exit"]


@click.group(cls=Octoplan, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-C",
    "directory",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=".",
    metavar="DIR",
    help="Run as if started in DIR.",
)
@click.option(
    "--env",
    "environment",
    metavar="NAME",
    help="The environment of octoplan.yaml, or OCTOPLAN_ENV; default: the built-in sandbox.",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@click.option("-v", "--verbose", is_flag=True, help="Say more on stderr.")
@click.version_option(__version__, prog_name="octoplan")
@click.pass_context
def octoplan(context: click.Context, directory: Path, *, environment: str | None, quiet: bool, verbose: bool) -> None:
    """Terraform for messages that cannot be unsent.

    Campaigns are YAML files in git. `plan` shows who will be contacted, with which text, for how much
    money; `apply` sends exactly that, once.
    """
    try:
        context.with_resource(contextlib.chdir(directory))
        here = Path.cwd()
    except OSError as error:
        raise Refused(f"this folder cannot be worked in: {error.strerror}", reason="directory") from error
    context.obj = Session(directory=here, environment=environment, quiet=quiet, verbose=verbose)


VERBS: tuple[click.Command, ...] = (
    init.init,
    validate.validate,
    render.render,
    plan.plan,
    show.show,
    apply.apply,
    test.test,
    status.status,
    resolve.resolve,
    cancel.cancel,
    adoption.adopt,
    ledger.ledger,
    schema.schema,
    sandbox.sandbox,
)
for verb in VERBS:
    octoplan.add_command(verb)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run octoplan and leave the process with the exit code of what a person must do."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that is not UTF-8 is no reason to fail
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run octoplan and return the exit code; never a traceback for what a person wrote."""
    try:
        returned = octoplan.main(arguments, prog_name="octoplan", standalone_mode=False)
    except click.ClickException as error:
        told = io.StringIO()
        error.show(told)
        for line in masked(told.getvalue()).splitlines():  # it quotes the command line
            say(line)
        return Exit.USAGE
    except click.Abort:
        say("interrupted")
        return Exit.INTERRUPTED
    except OSError as error:  # `--help` and `--version` are printed before any verb runs
        return int(_explain(error)["exit"])
    return int(returned) if isinstance(returned, int) else Exit.DONE


def _explain(error: Exception) -> dict[str, Any]:
    """Tell people why a verb ended, and return what programs are told."""
    if isinstance(error, OSError) and error.strerror:
        error = _refused(error)
    if not isinstance(error, OctoplanError):
        crash(error)
        return {"exit": int(Exit.BUG), "reason": "bug", "message": type(error).__name__}
    told: dict[str, Any] = {"exit": int(error.exit), "reason": error.reason, "message": str(error)}
    if isinstance(error, InputError):
        from octoplan.cli.findings import as_rows, show_findings

        show_findings(error.findings)
        told["findings"] = as_rows(error.findings)
    say(f"octoplan: {error} ({error.reason})")
    return told


def _refused(error: OSError) -> Refused:
    """Return what the machine refused: a folder that is read-only, a disk that is full."""
    place = "" if error.filename is None else f": {error.filename}"
    return Refused(f"{error.strerror}{place}", reason="files")
