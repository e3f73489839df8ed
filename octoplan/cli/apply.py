"""`octoplan apply`."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from octoplan.cli.terminal import SANDBOX_LINE, Session, crash, json_option, put, say
from octoplan.core.errors import Exit, Refused, Unfinished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from octoplan.core.plan import Plan
    from octoplan.project import Project
    from octoplan.workflow.crew import Ended, Supervision
    from octoplan.workflow.progress import Stop
    from octoplan.workflow.tally import Tally

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, the wish of whoever runs it, and a terminal or connection that is gone."""


@click.command()
@click.argument("plan", type=click.Path(path_type=Path, dir_okay=False, exists=True), required=False)
@json_option("Print JSON, one event a line: the plan, each batch as it ends, the end.", event="end")
@click.pass_obj
def apply(session: Session, plan: Path | None, *, as_json: bool) -> int:
    """Send exactly what was approved, once.

    With a saved PLAN: that plan. Without: the sandbox sends at once; on a terminal the plan is shown and
    the number of contacts must be typed.
    """
    from octoplan.core.approval import read_saved
    from octoplan.workflow.apply import apply as send

    saved = None if plan is None else read_saved(plan.read_bytes())
    project = session.project(usual=None if saved is None else saved.plan.env)
    if saved is None and not may_ask(project):
        raise click.UsageError("without a terminal only a saved plan is applied: `octoplan apply PLAN`")

    def confirm(shown: Plan) -> None:
        announce(shown, saved=saved is not None, as_json=as_json)
        if saved is None:
            ask(shown, project)

    return supervise(session, lambda watch: send(project, saved, watch=watch), confirm=confirm, as_json=as_json)


def supervise(
    session: Session,
    send: Callable[[Supervision], tuple[Plan, Tally]],
    *,
    confirm: Callable[[Plan], None],
    as_json: bool,
) -> Exit:
    """Send under the eyes of whoever called: with progress, signals that stop it, and the last line."""
    from octoplan.workflow.crew import Supervision
    from octoplan.workflow.progress import Stop

    stop = Stop()

    def tell(ended: Ended) -> None:
        if as_json:
            put_event("batch", ended.as_json())

    with session.progress() as progress, listening(stop):
        watch = Supervision(progress=progress, stop=stop, confirm=confirm, told=tell)
        plan, tally = send(watch)
        _report(plan, tally, as_json=as_json)
        for bug in tally.bugs:
            crash(bug)
    return tally.exit


ONCE = 0.1
"""Seconds in which a signal that comes twice was meant once: `timeout` tells a process, and then its group."""


class _Terminated(BaseException):
    """A wish to end that nothing on the way may take for an error of its own."""


@contextlib.contextmanager
def listening(stop: Stop) -> Iterator[None]:
    """Leave at the first signal; once something may be on the wire, stop at it, and leave at the second."""
    first = 0.0

    def wish(number: int, _frame: object) -> None:
        nonlocal first
        if stop.wished is not None and (number == signal.SIGHUP or time.monotonic() - first < ONCE):
            return  # a terminal that closes sends it more than once; nobody has asked twice
        if stop.wished is not None:
            _call("octoplan: left at once; what was on the wire, if anything, is in doubt: `octoplan resolve` lists it")
            os._exit(Exit.DOUBT)
        if not stop.sending and number == signal.SIGINT:
            raise KeyboardInterrupt
        if not stop.sending:
            raise _Terminated
        first = time.monotonic()
        stop.wished = Exit.INTERRUPTED if number == signal.SIGINT else Exit.UNFINISHED
        stop.set()
        _call("octoplan: stopping when what is on the wire is settled; once more leaves at once")

    heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]  # of nohup
    before = {number: signal.signal(number, wish) for number in heard}
    try:
        yield
    except _Terminated:
        why = "stopped before anything was sent: run the same command again"
        raise Unfinished(why, reason="stopped") from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _call(line: str) -> None:
    """Write a line to stderr from a signal handler, which may have interrupted a print."""
    with contextlib.suppress(OSError):
        os.write(2, f"{line}\n".encode())


def announce(plan: Plan, *, saved: bool, as_json: bool) -> None:
    """Show the plan that is about to be sent; one that was saved has been seen."""
    from octoplan.formats import FORMATS

    if as_json:
        totals = plan.totals.model_dump(mode="json")
        put_event("plan", {"plan_id": plan.plan_id, "env": plan.env, "digest": plan.digest, "totals": totals})
    elif not saved:
        put_safely(FORMATS["text"](plan))
    elif plan.sandbox:
        put_safely(SANDBOX_LINE)


def may_ask(project: Project) -> bool:
    """Tell whether a plan that nobody saved can be confirmed: by a person at a terminal; the sandbox asks nobody."""
    return project.surroundings.is_built_in or (sys.stdin.isatty() and sys.stdout.isatty())


def ask(plan: Plan, project: Project) -> None:
    """Let a person type the number of contacts of a plan that nobody saved."""
    if project.surroundings.is_built_in or plan.totals.blocked or not plan.totals.contacts:
        return
    typed = click.prompt(f"Type the number of contacts ({plan.totals.contacts:,}) to send", err=True)
    if typed.replace(",", "").strip() != str(plan.totals.contacts):
        raise click.UsageError("that is not the number of contacts: nothing was sent")


def put_safely(text: str) -> None:
    """Print, if it can be: what is sent and recorded does not depend on who hears of it."""
    try:
        put(text)
    except Refused as error:
        say(f"octoplan: {error}")


def put_event(name: str, fields: Mapping[str, object]) -> None:
    """Print one event, if it can be."""
    put_safely(json.dumps({"event": name, **fields}, ensure_ascii=False))


def _report(plan: Plan, tally: Tally, *, as_json: bool) -> None:
    if as_json:
        put_event("end", tally.as_json())
        return
    for reason, sentence in tally.reasons.items():
        say(f"{reason}: {sentence}")
    put_safely(tally.line())
    if plan.sandbox:
        put_safely(f"{SANDBOX_LINE} · see them: octoplan sandbox")
