"""The provider's record of requests, read by itself: which could send, and under whose request id."""

from __future__ import annotations

import json
from typing import Any

ADDRESSES = ("phone_number", "email")
CREATE = "/create"
CAMPAIGN = "voice/campaign"


def identified(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return requests with an `identity` each: the request id of what could send; None for others.

    What confirms a prepared campaign names a ticket alone: its id is that of the request which prepared it.
    """
    prepared: dict[str, str] = {}
    found = []
    for request in requests:
        body = fields(request)
        identity = _identity(request, body, prepared)
        ticket = (request["answer"] or {}).get("ticket_number") if request["outcome"] == "prepared" else None
        if ticket:
            prepared[ticket] = body.get("request_id", "")
        found.append({**request, "identity": identity})
    return found


def fields(request: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a request; empty where there is none that can be read."""
    try:
        body = json.loads(request["body"] or "{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def is_creation(request: dict[str, Any]) -> bool:
    """Tell whether a request prepares a campaign on a list or tag, which sends nothing."""
    return bool(request["endpoint"].endswith(CREATE))


def is_call(request: dict[str, Any]) -> bool:
    """Tell whether a request calls people through the provider that has no request ids."""
    is_post = (request["provider"], request["method"]) == ("routee", "POST")
    return is_post and bool(request["endpoint"].endswith(CAMPAIGN))


def may_send(request: dict[str, Any]) -> bool:
    """Tell whether a request could send something: all but what simulates, reads or asks for a token."""
    if request["provider"] == "routee":
        return is_call(request)
    body = fields(request)
    return request["method"] == "POST" and (body.get("simulation_mode") is not True or "request_id" in request["body"])


def addresses(request: dict[str, Any]) -> set[str]:
    """Return whom a request names."""
    body = fields(request)
    recipients = body.get("recipients", ())
    return {one[name] for one in recipients for name in ADDRESSES if name in one} | set(body.get("to", ()))


def _identity(request: dict[str, Any], body: dict[str, Any], prepared: dict[str, str]) -> str | None:
    if request["provider"] == "routee":
        return body.get("name") if is_call(request) else None
    if request["method"] != "POST" or body.get("simulation_mode") is True or is_creation(request):
        return None
    if "ticket_number" in body:
        return prepared.get(body["ticket_number"])
    found: str | None = body.get("request_id") or body.get("metadata", {}).get("request_id")
    return found
