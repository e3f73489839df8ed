"""Negative controls: octoplan with one rule switched off each. A suite that lets one of them pass proves nothing.

Most are octoplan's own source with one line changed: if that line is not there any more, the mutant fails loudly
instead of being caught by accident.
"""

from __future__ import annotations
import __future__

import inspect
import sys
import textwrap
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from faults.patch import put
from octoplan import wire
from octoplan.core import batch
from octoplan.core.model import Unknown
from octoplan.ledger import attempts, file, plans, reservation, runs
from octoplan.ledger.sqlite import SqliteLedger
from octoplan.providers import octopush
from octoplan.providers.octopush import held, single
from octoplan.providers.routee import Routee
from octoplan.workflow import approve, drafting, names, prepare, repeat, run, sending, suppressions

if TYPE_CHECKING:
    from collections.abc import Callable


def rewrite(owner: Any, name: str, *changes: tuple[str, str]) -> None:
    """Compile a function anew with some of its text changed, in the module that it is of."""
    function = inspect.unwrap(getattr(owner, name))
    text = textwrap.dedent(inspect.getsource(function))
    for old, new in changes:
        if old not in text:
            raise AssertionError(f"{name} holds no {old!r} any more: mend the mutant")
        text = text.replace(old, new)
    module = sys.modules[function.__module__]
    made: dict[str, Any] = {}
    code = compile(text, f"<mutant of {name}>", "exec", flags=__future__.annotations.compiler_flag)
    exec(code, module.__dict__, made)  # noqa: S102  octoplan's own source
    put(owner, **{name: made[name]})


def claim_after_send() -> None:
    """Claim a batch only when its outcome is known."""
    claim, settle = SqliteLedger.claim, SqliteLedger.settle
    waiting: dict[str, tuple[str, str, Any]] = {}

    def later(_: SqliteLedger, run: str, batch_id: str, *, wanted: Any) -> str:
        waiting[batch_id] = (run, batch_id, wanted)
        return batch_id

    def both(self: SqliteLedger, attempt: str, settlement: Any) -> Any:
        if attempt not in waiting:  # a further attempt of a batch in doubt
            return settle(self, attempt, settlement)
        run, batch_id, wanted = waiting[attempt]
        made = claim(self, run, batch_id, wanted=wanted)
        return settle(self, made or "", settlement)

    put(SqliteLedger, claim=later, settle=both, renew=lambda *_: None, earlier=lambda *_: False)


def no_version_check() -> None:
    """Reserve whatever was planned, however much has been sent since."""
    put(reservation, _refuse_others=lambda *_, **__: None)
    rewrite(reservation, "_next_version", ("if version < wanted.version or tx.row(", "if False and tx.row("))
    rewrite(reservation, "reserve", ("not in FREE)).any()", "not in FREE)).any() and False"))


def no_quiet_time() -> None:
    """Let a person declare a batch not sent at once."""
    put(attempts, _refuse_early=lambda *_, **__: None)


def resolve_at_once() -> None:
    """Repeat a request while the first may still be travelling."""
    put(repeat, quiet_until=lambda _, doubt: doubt.first_at)


def no_22_hour_limit() -> None:
    """Repeat a request that the provider may have forgotten."""
    put(repeat, refuse_age=lambda *_, **__: None)


def no_ledger_id_check() -> None:
    """Take any ledger for ours."""
    rewrite(file, "refuse_other", ('if id is not None and meta["id"] != id', 'if id is None and meta["id"] != id'))


def no_key_check() -> None:
    """Take any key for the ledger's."""
    rewrite(file, "refuse_other", ('if meta["key_check"] != keys.key_check(key)', "if False"))


def foreign_is_ours() -> None:
    """Take every duplicate for our own."""
    rewrite(sending.Sender, "_duplicate", ("self.ledger.earlier(attempt)", "True"))


def library_retries() -> None:
    """Ask again at once when no whole reply came, as HTTP libraries like to."""
    exchange = wire.Line.exchange

    def twice(self: wire.Line, request: Any, deadline: Any) -> Any:
        seen = exchange(self, request, deadline)
        return exchange(self, request, deadline) if isinstance(seen, Unknown) else seen

    put(wire.Line, exchange=twice)


def new_request_id_on_retry() -> None:
    """Repeat a request under another id."""
    rewrite(attempts, "repeat", ("if (wanted.request_id, wanted.payload_hash) != (", "if None in ("))
    rewrite(
        sending.Sender,
        "repeat",
        ("deadline = self", "identified = replace(identified, request_id='a' * 26)\n    deadline = self"),
    )


def output_before_settle() -> None:
    """Tell about an answer before it is recorded."""
    told = "    print(outcome, flush=True)\n    self._settle(claimed, outcome)\n    return"
    rewrite(sending.Sender, "_settled", ("    self._settle(claimed, outcome)\n    return", told))


def float_money() -> None:
    """Add up in binary fractions."""
    exact = "sum(self._costs[index] for index in members)"
    rewrite(batch.Packer, "_batch_cost", (exact, "Decimal(sum(float(self._costs[index]) for index in members))"))


def retry_to_those_who_left() -> None:
    """Repeat a request without looking at the suppression lists again."""

    def blind(*words: Any, **named: Any) -> Any:
        return replace(names.query(*words, **named), suppressions=())

    everybody = prepare.Preparation.everybody

    def all_of_them(self: Any, *words: Any) -> Any:
        put(prepare, query=blind)
        try:
            return everybody(self, *words)
        finally:
            put(prepare, query=names.query)

    put(prepare.Preparation, everybody=all_of_them)


def refused_retry_closes_doubt() -> None:
    """Believe whatever is answered to a further attempt."""
    rewrite(octopush, "judge", ("if any(isinstance(step, Doubted) for step in history) or any(", "if any("))


def reserved_freed_while_alive() -> None:
    """Take over what a living run has reserved."""
    put(reservation, _refuse_others=lambda *_, **__: None)
    put(run.Run, _refuse_rivals=lambda _: None)


def deadline_not_checked() -> None:
    """Write a request however late it is."""
    rewrite(
        wire._Passage, "seconds", ("if left <= self.deadline.reserved:", "left = max(left, 1.0)\n    if left <= 0:")
    )


def older_plan_after_newer() -> None:
    """Send an older plan although a newer one was applied."""
    put(plans, refuse_superseded=lambda *_, **__: None, superseding=lambda *_, **__: None)


def dead_claims_are_free() -> None:
    """Take what a dead run has claimed for not sent."""
    rewrite(runs, "sweep", ("SET state = 'in_doubt'", "SET state = 'not_sent'"))


def no_approved_set() -> None:
    """Send to whoever is on the list now, whatever they would read."""
    put(approve, check_approved=lambda *_, **__: None)


def opt_outs_not_looked_at_again() -> None:
    """Keep sending after a list of those who left has changed."""
    put(suppressions.Suppressions, changed=lambda _: False)


def plan_time_ignored() -> None:
    """Send although the campaign's time is over."""
    put(sending.Sender, is_over=lambda _: False)
    put(approve, is_in_time=lambda *_: True)


def lists_without_limits() -> None:
    """Confirm whatever the provider counts in a list."""
    put(drafting.Drafting, _beyond=lambda *_: ())


def ready_is_proof() -> None:
    """Take it for a proof that nothing was confirmed that a draft is still called ready, cancelled or not."""
    rewrite(held, "evidence", ("(answers.FAILED, answers.COMPUTING)", "answers.STATUSES.values()"))
    rewrite(repeat.Repeater, "_evidence", ("is not Verdict.ACCEPTED:", "is None:"))


def values_of_others() -> None:
    """Give each contact of a call the values of the next one."""
    rewrite(single, "_recipients", ("batch.values, strict", "(*batch.values[1:], batch.values[0]), strict"))


def no_record_is_proof() -> None:
    """Take it for a proof that nothing was sent that the provider's records have nothing, or are not to be had."""
    rewrite(Routee, "evidence", ("verdict=Verdict.IN_DOUBT", "verdict=Verdict.REJECTED"))


def counting_is_sending() -> None:
    """Take the count of an audience for an earlier attempt: a name that another ledger took is then ours."""
    rewrite(sending.Sender, "_duplicate", (" if item.request.effect is Effect.SEND", ""))


def calls_again() -> None:
    """Repeat a request that has no request id, instead of looking up what became of it."""
    put(Routee, limits=replace(Routee.limits, request_id_window=timedelta(hours=22)))


MUTANTS: dict[str, Callable[[], None]] = {
    made.__name__.replace("_", "-"): made
    for made in (
        claim_after_send,
        no_version_check,
        no_quiet_time,
        resolve_at_once,
        no_22_hour_limit,
        no_ledger_id_check,
        no_key_check,
        foreign_is_ours,
        library_retries,
        new_request_id_on_retry,
        output_before_settle,
        float_money,
        retry_to_those_who_left,
        refused_retry_closes_doubt,
        reserved_freed_while_alive,
        deadline_not_checked,
        older_plan_after_newer,
        dead_claims_are_free,
        lists_without_limits,
        ready_is_proof,
        values_of_others,
        no_record_is_proof,
        counting_is_sending,
        calls_again,
        no_approved_set,
        opt_outs_not_looked_at_again,
        plan_time_ignored,
    )
}

CAUGHT: dict[str, int] = {
    "calls-again": 2000001,
    "claim-after-send": 21,
    "counting-is-sending": 2000120,
    "dead-claims-are-free": 17,
    "deadline-not-checked": 1,
    "float-money": 2,
    "foreign-is-ours": 2,
    "library-retries": 6,
    "lists-without-limits": 1000022,
    "new-request-id-on-retry": 7,
    "no-22-hour-limit": 77,
    "no-approved-set": 25,
    "no-key-check": 136,
    "no-ledger-id-check": 108,
    "no-quiet-time": 133,
    "no-record-is-proof": 2000028,
    "no-version-check": 93,
    "older-plan-after-newer": 24,
    "opt-outs-not-looked-at-again": 164,
    "output-before-settle": 23,
    "plan-time-ignored": 249,
    "ready-is-proof": 1000083,
    "refused-retry-closes-doubt": 48,
    "reserved-freed-while-alive": 145,
    "resolve-at-once": 33,
    "retry-to-those-who-left": 291,
    "values-of-others": 1000003,
}
"""By mutant a seed that catches it. `python -m tests.faults --mutant NAME --schedules 500` finds another one."""
