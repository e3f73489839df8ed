"""The faults of the application: what becomes of an answer."""

from __future__ import annotations

import re
import zlib
from datetime import timedelta
from email.utils import format_datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

import orjson
from starlette.responses import Response

from octoplan.sandbox.faults import MISSING
from octoplan.sandbox.world import Verdict, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from typing import Any

    from octoplan.sandbox.faults import Fault
    from octoplan.sandbox.world import Call, Imitation, World

    Refusal = Callable[[int, str], Mapping[str, Any]]

_MEGABYTE = 1_000_000
_FIRST_SERVER_ERROR = 500
_HTML = "<!DOCTYPE html>\n<html><head><title>{0}</title></head><body><h1>{0}</h1><hr>sandbox</body></html>\n"
_FALSIFY = frozenset({"gzip-bomb", "huge-reply", "cost", "contacts", "ticket"})
"""What needs an answer that says something."""

_TICKET = re.compile(rb'"(sms_ticket|ticket_number|rcs_ticket|trackingId)":"[^"]*",?')
_COST = re.compile(rb'("(?:total_)?cost":)[-+.0-9eE]+')
_CONTACTS = re.compile(rb'("(?:number_of_contacts|numberOfRecipients)":)([0-9]+)')


def without_acting(fault: Fault, imitation: Imitation) -> Callable[[Call, World], Verdict]:
    """Give what decides a call in the application's place and changes nothing."""
    said = imitation.refusal(0, f"the fault {fault.name} kept this from the application")
    return lambda _call, _world: verdict(fault.details.get("status", 200), said, outcome="fault")


def response(fault: Fault, decided: Verdict, *, refusal: Refusal, path: str, now: datetime) -> Response:
    """Answer what was decided as the fault has it.

    `refusal` is what a body of the provider's errors looks like, `path` the address that was asked, `now` the
    sandbox's time.
    """
    if fault.name == "date":
        at = now + timedelta(minutes=fault.details["minutes"])
        return Response(decided.body, decided.status, {"date": format_datetime(at, usegmt=True)}, "application/json")
    if fault.name == "redirect":
        return Response(status_code=fault.details["status"], headers={"location": fault.details["location"] or path})
    if not decided.body and fault.name in _FALSIFY:
        return Response(status_code=decided.status)
    if fault.name == "status":
        return _status(fault, refusal)
    return SPOILS[fault.name](fault, decided)


def json(content: bytes, status: int, **headers: str) -> Response:
    """Answer with JSON."""
    return Response(content, status, media_type="application/json", headers=headers)


def _status(fault: Fault, refusal: Refusal) -> Response:
    status, after = fault.details["status"], fault.details["retry_after"]
    headers = {} if after is None else {"retry-after": after}
    if status >= _FIRST_SERVER_ERROR:
        return Response(_HTML.format(f"{status} out of order"), status, headers=headers, media_type="text/html")
    return json(orjson.dumps(refusal(status, "unauthorized")), status, **headers)


def _gzip_bomb(fault: Fault, decided: Verdict) -> Response:
    packer = zlib.compressobj(9, wbits=31)
    blanks = b" " * _MEGABYTE
    packed = [packer.compress(blanks) for _ in range(fault.details["megabytes"])]
    return json(b"".join([*packed, packer.flush()]), decided.status, **{"content-encoding": "gzip"})


def _huge_reply(fault: Fault, decided: Verdict) -> Response:
    return json(decided.body[:-1] + b" " * (fault.details["megabytes"] * _MEGABYTE) + b"}", decided.status)


def _cost(fault: Fault, decided: Verdict) -> Response:
    value = fault.details["value"].encode()
    return json(_COST.sub(lambda found: found[1] + value, decided.body), decided.status)


def _contacts(fault: Fault, decided: Verdict) -> Response:
    add = fault.details["add"]
    return json(_CONTACTS.sub(lambda found: b"%s%d" % (found[1], int(found[2]) + add), decided.body), decided.status)


def _ticket(fault: Fault, decided: Verdict) -> Response:
    value = fault.details["value"]

    def put(found: re.Match[bytes]) -> bytes:
        if value is MISSING:
            return b""
        end = b"," if found[0].endswith(b",") else b""
        return b'"%s":%s%s' % (found[1], orjson.dumps(value), end)

    return json(_TICKET.sub(put, decided.body), decided.status)


def _body(fault: Fault, _decided: Verdict) -> Response:
    return Response(fault.details["content"], headers={"content-type": fault.details["type"]})


SPOILS: Mapping[str, Callable[[Fault, Verdict], Response]] = MappingProxyType(
    {
        "gzip-bomb": _gzip_bomb,
        "huge-reply": _huge_reply,
        "cost": _cost,
        "contacts": _contacts,
        "ticket": _ticket,
        "body": _body,
    }
)
