"""An imitation of the providers on this machine: nobody is contacted, everything is kept and shown.

Written from the providers' documentation. It imports nothing else of octoplan: a client and an imitation
built on one wrong reading would agree with each other.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Mapping
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypedDict, Unpack

import uvicorn

from octoplan.sandbox.app import application
from octoplan.sandbox.faults import FAULTS, FaultUnknown
from octoplan.sandbox.file import StateUnusable
from octoplan.sandbox.imitations import PROVIDERS
from octoplan.sandbox.listener import listening, port
from octoplan.sandbox.lists import ListsUnusable
from octoplan.sandbox.lists import read as filled
from octoplan.sandbox.prices import PricesUnreadable, read
from octoplan.sandbox.proxy import Proxy
from octoplan.sandbox.schedule import Schedule
from octoplan.sandbox.state import State
from octoplan.sandbox.switches import SWITCHES, SwitchUnknown, checked

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from types import FrameType, TracebackType

    from starlette.types import ASGIApp

__all__ = [
    "FAULTS",
    "PORT",
    "PROVIDERS",
    "SWITCHES",
    "FaultUnknown",
    "ListsUnusable",
    "PricesUnreadable",
    "Sandbox",
    "StateUnusable",
    "SwitchUnknown",
    "serve",
]

Books = Mapping[str, Path] | Path
"""Price books by provider (PROVIDERS), or that of Octopush alone."""

PORT = 8027
_GRACE_SECONDS = 5


class Options(TypedDict, total=False):
    """What a sandbox may be told besides its state and prices; see Sandbox."""

    port: int
    switches: Mapping[str, object] | None
    faults: object
    lists: object


class Sandbox:
    """The sandbox as a real HTTP server on 127.0.0.1, in a thread of this process, while the block lasts.

    `state` is made, readable by its owner only, where it is missing. `prices` is a price book for each provider, or
    Octopush's alone; where a provider has none every part or step costs the same (switch `price_without_book`).
    `port` 0 takes a free one. `switches` are turned in the state, and stay so. `faults`, even an empty list, put a
    proxy before it that faults of the wire need; they last until `reset`.
    `lists` fill lists and tags of Octopush, groups and contact ids of Routee, `{"lists": {"lyon": [{"phone_number": …,
    "first_name": …}]}, "tags": {…}, "groups": {…}, "contact_ids": {"5756a4": {"phone_number": …}}}`: each then holds
    these contacts and no others, also after `reset`.
    Entering raises PricesUnreadable, StateUnusable, SwitchUnknown, FaultUnknown, ListsUnusable, or OSError where the
    port is taken.
    """

    def __init__(self, state: Path, prices: Books | None = None, **options: Unpack[Options]) -> None:
        self._path = state
        self._prices = prices
        self._port = options.get("port", 0)
        self._switches = options.get("switches") or {}
        self._faults = options.get("faults")
        self._lists = options.get("lists")
        self.url = ""

    def __enter__(self) -> Self:
        books = {provider: read(path) for provider, path in _books(self._prices).items()}
        switches = checked(self._switches)
        lists = {} if self._lists is None else filled(self._lists)
        proxied = self._faults is not None
        schedule = Schedule(self._faults if proxied else [], wire=proxied)
        with ExitStack() as undone:
            listener = undone.enter_context(listening(self._port))
            inner = undone.enter_context(listening(0)) if proxied else listener
            self._state = State(self._path, books=books, switches=switches, faults=schedule, lists=lists)
            undone.pop_all()
        self.url = f"http://127.0.0.1:{port(listener)}"
        proxy = Proxy(listener, port(inner), schedule=schedule) if proxied else None
        self._server = _Server(_quiet(application(self._state)), front=proxy)
        self._thread = threading.Thread(target=self._server.run, args=([inner],), name="sandbox", daemon=True)
        self._thread.start()
        self._server.ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()
        self._thread.join()
        self._state.close()

    def switches(self) -> dict[str, str | int | bool]:
        """Give every switch with its value."""
        return self._state.settings().all()


def serve(
    state: Path, prices: Books | None = None, *, ready: Callable[[str], None], **options: Unpack[Options]
) -> None:
    """Serve until SIGINT or SIGTERM, at PORT unless told otherwise; for a main thread.

    `ready` gets the lines to show: first the address, then one a switch. Raises what Sandbox raises.
    """
    options.setdefault("port", PORT)
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with Sandbox(state, prices, **options) as sandbox:
            ready(sandbox.url)
            for name, value in sandbox.switches().items():
                ready(f"{name} = {value!r}: {SWITCHES[name].meaning}")
            stopped.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _books(prices: Books | None) -> Mapping[str, Path]:
    if prices is None or isinstance(prices, Path):
        return {} if prices is None else {"octopush": prices}
    if unknown := sorted(prices.keys() - set(PROVIDERS)):
        raise PricesUnreadable(f"price books are for {', '.join(PROVIDERS)}, not for {', '.join(unknown)}")
    return prices


class _Server(uvicorn.Server):
    """Uvicorn, told to start and stop at once rather than at its next tick."""

    def __init__(self, config: uvicorn.Config, *, front: AbstractAsyncContextManager[object] | None) -> None:
        super().__init__(config)
        self._front = front or nullcontext()
        self.ready = threading.Event()

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        async with self._front:
            self.ready.set()
            await self._until_stopped()

    async def _until_stopped(self) -> None:
        seconds = 0
        while not self._stopping.is_set():
            await self.on_tick(seconds * 10)
            seconds += 1
            try:
                await asyncio.wait_for(self._stopping.wait(), 1)
            except TimeoutError:
                continue

    def stop(self) -> None:
        """Answer what is under way, take nothing new, end; from any thread."""
        self._loop.call_soon_threadsafe(self._stopping.set)


def _quiet(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        log_level=logging.CRITICAL + 1,
        access_log=False,
        lifespan="off",
        ws="none",
        proxy_headers=False,
        server_header=False,
        date_header=False,  # the application's own, for a fault falsifies it
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
