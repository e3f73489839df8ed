"""The addresses of the sandbox: below each provider's base its imitation, below /_sandbox the controls."""

from __future__ import annotations

import re
from email.utils import format_datetime
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from octoplan.sandbox import outbox, page, spoil
from octoplan.sandbox.control import CONTROLS, Misused
from octoplan.sandbox.faults import APPLICATION
from octoplan.sandbox.imitations import IMITATIONS
from octoplan.sandbox.schedule import Asked
from octoplan.sandbox.world import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from octoplan.sandbox.state import State
    from octoplan.sandbox.world import Imitation, Verdict

_LOOPBACK = re.compile(rb"(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE)
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_DIGITS = re.compile(r"[0-9]{1,12}", re.ASCII)


def application(state: State) -> ASGIApp:
    """Build the ASGI application over an open state."""
    addresses = _Addresses(state)
    routes = [
        Route("/", _outbox),
        *(
            Route(f"{one.base}/{{endpoint:path}}", partial(addresses.provider, one), methods=_METHODS)
            for one in IMITATIONS
        ),
        Route("/_sandbox/{name:path}", addresses.look, methods=["GET"]),
        Route("/_sandbox/{name:path}", addresses.change, methods=["POST"]),
    ]
    app = Starlette(routes=routes, exception_handlers={404: _nothing_here, 405: _nothing_here})
    app.router.redirect_slashes = False
    return _Dated(state, _LoopbackOnly(app))


class _Dated:
    """Give every reply that has none a `Date` by the sandbox's own clock."""

    def __init__(self, state: State, app: ASGIApp) -> None:
        self._state = state
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start" and all(name != b"date" for name, _ in message["headers"]):
                message["headers"] = [
                    (b"date", format_datetime(self._state.now(), usegmt=True).encode()),
                    *message["headers"],
                ]
            await send(message)

        await self._app(scope, receive, dated)


class _LoopbackOnly:
    """Serve only those who call this machine by a loopback name: a web page that rebinds DNS does not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hosts = [value for name, value in scope.get("headers", ()) if name == b"host"]
        if len(hosts) == 1 and _LOOPBACK.fullmatch(hosts[0]):
            await self._app(scope, receive, send)
        else:
            await _json({"message": "the sandbox answers only to localhost"}, 403)(scope, receive, send)


class _Addresses:
    def __init__(self, state: State) -> None:
        self._state = state

    async def provider(self, imitation: Imitation, request: Request) -> Response:
        login, key = imitation.signed(request.headers)
        endpoint = request.path_params["endpoint"]
        call = Call(
            provider=imitation.provider,
            method=request.method,
            endpoint=f"/{endpoint}",
            query=request.query_params,
            asked=request.url.query,
            login=login,
            key=key,
            content=await request.body(),
            private=imitation.private,
        )
        fault = self._state.faults.strike(APPLICATION, Asked(endpoint=endpoint, content=call.content))
        if fault is None:
            return _answer(await self._state.decide(call, imitation.answer))
        acts = fault.details.get("acts", True)
        verdict = await self._state.decide(call, imitation.answer if acts else spoil.without_acting(fault, imitation))
        spoilt = partial(spoil.response, refusal=imitation.refusal, path=request.url.path, now=self._state.now())
        return await run_in_threadpool(spoilt, fault, verdict)

    async def look(self, request: Request) -> Response:
        name = request.path_params["name"]
        try:
            if name in LISTINGS:
                found = await run_in_threadpool(LISTINGS[name], self._state.path, request.query_params)
                return _json(found)
            if name in CONTROLS:
                return _json(CONTROLS[name].look(self._state))
        except Misused as misused:
            return _json({"message": str(misused)}, 400)
        return await _nothing_here(request, None)

    async def change(self, request: Request) -> Response:
        control = CONTROLS.get(request.path_params["name"])
        if control is None:
            return await _nothing_here(request, None)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return _json({"message": "send Content-Type: application/json"}, 415)
        try:
            control.change(self._state, _object(await request.body()))
        except Misused as misused:
            return _json({"message": str(misused)}, 400)
        return _json(control.look(self._state))


def _object(content: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(content or b"{}")
    except orjson.JSONDecodeError as error:
        raise Misused(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise Misused("the body must be a JSON object")
    return body


def _page(query: Mapping[str, str]) -> outbox.Page:
    for name in ("limit", "offset"):
        if name in query and not _DIGITS.fullmatch(query[name]):
            raise Misused(f"{name} must be a whole number")
    return outbox.Page(limit=int(query["limit"]) if "limit" in query else None, offset=int(query.get("offset", "0")))


def _deliveries(path: Path, query: Mapping[str, str]) -> dict[str, Any]:
    address, ticket = query.get("address", ""), query.get("ticket", "")
    return {"deliveries": outbox.deliveries(path, _page(query), address=address, ticket=ticket)}


def _counts(path: Path, query: Mapping[str, str]) -> dict[str, Any]:
    return dict(outbox.counts(path, ticket=query.get("ticket", "")))


def _tickets(path: Path, query: Mapping[str, str]) -> dict[str, Any]:
    return outbox.tickets(path, _page(query), search=query.get("search", ""))


def _requests(path: Path, query: Mapping[str, str]) -> dict[str, Any]:
    return outbox.requests(path, _page(query))


LISTINGS: Mapping[str, Callable[[Path, Mapping[str, str]], dict[str, Any]]] = MappingProxyType(
    {"deliveries": _deliveries, "deliveries/counts": _counts, "tickets": _tickets, "requests": _requests}
)


async def _outbox(_request: Request) -> Response:
    return page.outbox()


def _json(content: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")


async def _nothing_here(_request: Request, _error: Exception | None) -> Response:
    return _json({"code": 404, "message": "Not found."}, 404)


def _answer(verdict: Verdict) -> Response:
    return Response(verdict.body, verdict.status, media_type="application/json")
