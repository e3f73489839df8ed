"""Octopush v1 with its habits, written from its documentation: it casts, fixes or ignores what is wrong, and sends."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from octoplan.sandbox.octopush.cancel import multi_channel_cancel, sms_cancel, voice_cancel
from octoplan.sandbox.octopush.draft import DRAFTS
from octoplan.sandbox.octopush.send import multi_channel_send, sms_send, voice_send
from octoplan.sandbox.octopush.wallet import check_balance, check_credits
from octoplan.sandbox.world import Call, Imitation, Verdict, World, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

BASE = "/octopush/v1/public"
LOGIN_PREFIX = "sandbox"


def answer(call: Call, world: World) -> Verdict:
    """Answer any call below the base address."""
    endpoint = ENDPOINTS.get((call.method, call.endpoint))
    if endpoint is None:
        return verdict(404, {"code": 404, "message": "Not found."}, outcome="not-found")
    if not (call.key and call.login.startswith(LOGIN_PREFIX)):
        return verdict(401, {"code": 401, "message": "unauthorized"}, outcome="unauthorized")
    return endpoint(call, world)


ENDPOINTS: Mapping[tuple[str, str], Callable[[Call, World], Verdict]] = MappingProxyType(
    {
        ("POST", "/multi-channel/send"): multi_channel_send,
        ("DELETE", "/multi-channel/cancel"): multi_channel_cancel,
        ("POST", "/sms-campaign/send"): sms_send,
        ("DELETE", "/sms-campaign/cancel"): sms_cancel,
        ("POST", "/voice-campaign/send"): voice_send,
        ("DELETE", "/voice-campaign/cancel"): voice_cancel,
        **DRAFTS,
        ("GET", "/wallet/check-balance"): check_balance,
        ("GET", "/wallet/check-credits"): check_credits,
    }
)


def _signed(headers: Mapping[str, str]) -> tuple[str, str]:
    return headers.get("api-login", ""), headers.get("api-key", "")


def _refusal(status: int, message: str) -> dict[str, Any]:
    return {"code": status, "message": message}


OCTOPUSH = Imitation(provider="octopush", base=BASE, answer=answer, signed=_signed, refusal=_refusal)
