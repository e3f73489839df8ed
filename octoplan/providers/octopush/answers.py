"""Reading what Octopush answers: exact numbers, no benefit of the doubt, and none of its wording.

A reply may repeat the message or a contact in any field, also in one that nobody has documented. So
what is kept is what we knew beforehand (codes in our own words, names of documented fields), figures,
the ticket, and sizes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from octoplan.core.model import Receipt
from octoplan.core.outcome import Answer
from octoplan.providers.octopush.codes import CODES, DUPLICATE, DUPLICATES, UNLISTED
from octoplan.providers.octopush.contract import FIELDS as SENT
from octoplan.providers.octopush.held_contract import FIELDS as PREPARED
from octoplan.providers.reply import Unusable, amount, count, decode, figure, one_line, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from octoplan.core.model import Quote, Reply

FIELDS = SENT | PREPARED
"""Every name that may be told of an answer."""

TICKETS = ("ticket_number", "sms_ticket", "vocal_ticket", "voice_ticket", "rcs_ticket", "email_ticket")
"""`ticket_number` and `sms_ticket` are documented, `vocal_ticket` is older; what RCS answers nobody documents."""
FIGURES = {"number_of_contacts", "number_of_sms_needed", "total_cost", "residual_credit", "estimated_duration"}
READY, COMPUTING, FAILED = "ready", "being prepared", "failed"
STATUSES: Mapping[str, str] = {
    "ready_to_be_sent": READY,
    "ready_to_be_send": READY,
    "under_computation": COMPUTING,
    "failed": FAILED,
}
"""What a draft may be; one of the provider's own examples misspells the first word."""

WORDING = {"message", "text"}
"""Fields that may repeat the message as sent: kept as their length."""

SINGLE: Mapping[str, str] = MappingProxyType({"call": "single"})
"""The detail of a receipt that says by which call it was sent; without it, by the multi-channel one."""

LARGEST_CODE = 999_999
"""Telephone numbers are longer."""

MOST_FIELDS, DEEPEST_FIELD = 10, 3


def read_sent(reply: Reply) -> Answer:
    """Read the answer to a send; acceptance needs a ticket."""
    answer = read_simulation(reply)
    if answer.receipt and not answer.receipt.ticket:
        return Answer(reason="the reply names no ticket")
    return answer


def read_single(reply: Reply) -> Answer:
    """Read the answer to a channel's own call: its ticket is cancelled by a call of that channel's own, too."""
    answer = read_sent(reply)
    if answer.receipt is None:
        return answer
    return replace(answer, receipt=replace(answer.receipt, details={**answer.receipt.details, **SINGLE}))


def read_simulation(reply: Reply) -> Answer:
    """Read the answer to a simulation: the same fields, but the result is a fake and may lack a ticket."""
    try:
        body = decode(reply.body)
        return _error(body) or Answer(receipt=_receipt(body))
    except Unusable as unusable:
        return Answer(reason=str(unusable))


def read_draft(reply: Reply) -> Answer:
    """Read the status of what is being prepared as a receipt with the detail `status`: READY has figures."""
    try:
        body = decode(reply.body)
        found = _error(body)
        if found:
            return found
        status = STATUSES.get(str(body.get("status")))
        contacts, cost = _count(body, "number_of_contacts"), amount(body.get("cost"), "cost")
        if status is None:
            return Answer(reason="the status of the draft is none that is documented")
        if status == READY and (contacts is None or cost is None):
            return Answer(reason="the draft is ready, and its contacts or its cost are not told")
        return Answer(receipt=Receipt(ticket="", contacts=contacts, cost=cost, details={"status": status}))
    except Unusable as unusable:
        return Answer(reason=str(unusable))


def read_confirmation(reply: Reply, *, ticket: str, quoted: Quote) -> Answer:
    """Read the answer to a confirmation: `sending_date` proves it; ticket and figures are those of the draft."""
    try:
        body = decode(reply.body)
        found = _error(body)
        if found:
            return found
        at = datetime.fromisoformat(str(body.get("sending_date")))
    except Unusable as unusable:
        return Answer(reason=str(unusable))
    except ValueError:
        return Answer(reason="the reply names no sending date")
    return Answer(
        receipt=Receipt(
            ticket=ticket, contacts=quoted.contacts, cost=quoted.cost, details={"sending_date": at.isoformat()}
        )
    )


def read_balance(reply: Reply) -> Answer:
    """Read the answer to `wallet/check-balance` as a receipt with `credit` and the detail `unit`."""
    try:
        body = decode(reply.body)
        found = _error(body)
        if found:
            return found
        credit, unit = figure(body.get("amount"), "amount"), body.get("unit")
    except Unusable as unusable:
        return Answer(reason=str(unusable))
    if credit is None or not isinstance(unit, str):
        return Answer(reason="the reply names no balance")
    return Answer(receipt=Receipt(ticket="", credit=credit, details={"unit": unit}))


def _error(body: Mapping[str, Any]) -> Answer | None:
    """Read an error body, `{code, message, errors: {field: {code, message}}}`; None if it is none."""
    code = _code(body.get("code"))
    fields = dict(_fields(body.get("errors")))
    codes = [code, *fields.values()]
    if not code and not fields:
        return None
    reason = _reason(code, fields)
    if DUPLICATES.intersection(codes) or any(name.split(".")[-1] == "request_id" for name in fields):
        return Answer(duplicate=True, reason=reason)
    known = [CODES[each] for each in codes if each in CODES]
    if not code or not isinstance(body.get("message"), str) or any(body.get(name) for name in TICKETS):
        return Answer(reason=f"an error of an undocumented shape, {reason}")
    return Answer(
        rejected=not any(each.unclear for each in known),
        stops=any(each.stops for each in known),
        reason=reason,
        hint="; ".join(dict.fromkeys(each.hint for each in known)) or UNLISTED,
    )


def _fields(errors: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, int]]:
    """Yield the name of each field an error names, with its code; 0: none."""
    if not isinstance(errors, dict) or len(path) > DEEPEST_FIELD:
        return
    for name, problem in errors.items():
        here = (*path, name)
        if isinstance(problem, dict) and not {"code", "message"} & problem.keys():
            yield from _fields(problem, here)
        else:
            yield ".".join(here), _code(problem.get("code")) if isinstance(problem, dict) else 0


def _reason(code: int, fields: Mapping[str, int]) -> str:
    """Say what an error is about; fields we cannot name safely are one."""
    words = dict.fromkeys(
        f"{_documented(name)}: {_named(each)}" if each else _documented(name) for name, each in fields.items()
    )
    return "; ".join((_named(code), *islice(words, MOST_FIELDS)))


def _documented(name: str) -> str:
    return ".".join(part for part in name.split(".") if part in FIELDS) or "another field"


def _named(code: int) -> str:
    meaning = DUPLICATE if code in DUPLICATES else CODES[code].meaning if code in CODES else ""
    return f"code {code}: {meaning}" if meaning else f"code {code}"


def _code(value: Any) -> int:
    """Return an error code; 0, also the code of success, if there is none."""
    number = figure(value, "code")
    if number is None:
        return 0
    if abs(number) > LARGEST_CODE:
        raise Unusable("`code` is beyond any range")
    return whole(number, "code")


def _receipt(body: Mapping[str, Any]) -> Receipt:
    duration = _count(body, "estimated_duration")
    return Receipt(
        ticket=_ticket(body),
        contacts=_count(body, "number_of_contacts"),
        parts=_count(body, "number_of_sms_needed"),
        cost=amount(body.get("total_cost"), "total_cost"),
        credit=figure(body.get("residual_credit"), "residual_credit"),
        details={
            **({} if duration is None else {"estimated_duration": str(duration)}),
            **dict(_details(body)),
        },
    )


def _count(body: Mapping[str, Any], name: str) -> int | None:
    return count(body.get(name), name)


def _ticket(body: Mapping[str, Any]) -> str:
    found = {body[name] for name in TICKETS if isinstance(body.get(name), str) and body[name]}
    if len(found) > 1:
        raise Unusable("the reply names two tickets")
    ticket: str = next(iter(found), "")
    return one_line(ticket)


def _details(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield which figures were text, the lengths of wording, and how many other fields there were."""
    for name in sorted(FIGURES & body.keys()):
        if isinstance(body[name], str):
            yield f"{name}_as_text", "true"
    for name in sorted(WORDING & body.keys()):
        yield f"{name}_length", str(len(str(body[name] or "")))
    others = body.keys() - FIGURES - WORDING - {*TICKETS, "code", "errors"}
    if others:
        yield "other_fields", str(len(others))
