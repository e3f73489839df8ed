"""POST oauth/token: client credentials against a bearer token, of which a digest alone is kept."""

from __future__ import annotations

import base64
import binascii
import hashlib
import uuid
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from octoplan.sandbox import casts
from octoplan.sandbox.routee.refusal import general
from octoplan.sandbox.world import Token, Verdict, verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from octoplan.sandbox.world import Call, World

LOGIN_PREFIX = "sandbox"
NOT_KEPT = "not kept"
_GRANT = "client_credentials"
_BAD_REQUEST = 400
_SCOPES = ("account", "contact", "report", "voice")
_PERMISSIONS = ("MT_ROLE_ACCOUNT_FINANCE", "MT_ROLE_CONTACT", "MT_ROLE_REPORT", "MT_ROLE_VOICE")


def credentials(headers: Mapping[str, str]) -> tuple[str, str]:
    """Read application id and secret; empty where there are none."""
    kind, _, encoded = headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return "", ""
    try:
        login, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return login, secret


def bearer(headers: Mapping[str, str]) -> tuple[str, str]:
    """Read a token; whose it is the state knows."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    return "", token.strip() if kind.lower() == "bearer" else ""


def grant(call: Call, world: World) -> Verdict:
    """Give out a token; those given out before count until they are over."""
    asked = {**call.query, **(casts.body(call.content) or {})}
    if not (call.key and call.login.startswith(LOGIN_PREFIX)):
        status = world.settings.number("routee_unauthorized_status")
        return _refused(status, "Bad credentials", call=call, world=world)
    if casts.text(asked.get("grant_type")) != _GRANT:
        return _refused(_BAD_REQUEST, f"grant_type must be {_GRANT}", call=call, world=world)
    token, life = str(uuid.uuid4()), world.settings.number("routee_token_seconds")
    documented = world.settings.text("routee_oauth_answer") == "documented"
    body = {
        "access_token": token,
        "token_type": "Bearer" if documented else "bearer",
        "expires_in": life,
        "scope": ("," if documented else " ").join(_SCOPES),
        "permissions": _PERMISSIONS,
    }
    return Verdict(
        status=200,
        body=orjson.dumps(body),
        kept=orjson.dumps(body | {"access_token": NOT_KEPT}),
        outcome="token",
        token=Token(digest=_digest(token), login=call.login, expires=world.now + timedelta(seconds=life)),
    )


def _refused(status: int, message: str, *, call: Call, world: World) -> Verdict:
    body: dict[str, Any] = general(status, message)
    if world.settings.text("routee_oauth_answer") == "observed":
        body = {
            "timestamp": int(world.now.astimezone(UTC).timestamp() * 1000),
            "status": status,
            "error": "Bad Request" if status == _BAD_REQUEST else "Unauthorized",
            "message": message,
            "path": call.endpoint,
        }
    return verdict(status, body, outcome="rejected" if status == _BAD_REQUEST else "unauthorized")


def login(call: Call, world: World) -> str | None:
    """Find out whose call it is; None where its token does not count."""
    token = world.token(_digest(call.key)) if call.key else None
    return token.login if token and world.now < token.expires else None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
