"""The sandbox in a process of its own that nothing crashes: its delivery log is the truth."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import select
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from faults.patch import put
from faults.project import CALLS, PRICES
from octoplan.sandbox import Sandbox
from octoplan.sandbox.state import State

if TYPE_CHECKING:
    from pathlib import Path

    from faults.clock import Clock

_URL_LENGTH = 100


class Server:
    """A sandbox that ends with whoever started it; to be started before there is any thread."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        ready, tell = os.pipe()
        watch, self._life = os.pipe()
        self._process = os.fork()
        if not self._process:
            os.close(self._life)
            try:
                _serve(folder, clock=clock, tell=tell, watch=watch)
            finally:
                os._exit(0)
        os.close(watch)
        os.close(tell)
        self.url = os.read(ready, _URL_LENGTH).decode()
        os.close(ready)
        self._line = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=30)

    def reconnect(self) -> None:
        """Ask over a connection of this process's own from now on."""
        self._line.close()

    def ask(self, path: str, **body: Any) -> dict[str, Any]:
        """Ask a control; a body is posted."""
        for last in (False, True):
            try:
                return self._ask(path, body)
            except (http.client.HTTPException, ConnectionError):
                self._line.close()  # it was idle for too long
                if last:
                    raise
        raise AssertionError

    def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        content = json.dumps(body) if body or path == "reset" else None
        headers = {"content-type": "application/json"} if content else {}
        self._line.request("POST" if content else "GET", f"/_sandbox/{path}", content, headers)
        answer = self._line.getresponse()
        text = answer.read()
        if answer.status != http.client.OK:
            raise RuntimeError(f"the sandbox answered {path} with {answer.status}: {text!r}")
        found: dict[str, Any] = json.loads(text, parse_float=Decimal)
        return found

    def deliveries(self) -> list[dict[str, Any]]:
        """Return everything that reached somebody."""
        found: list[dict[str, Any]] = self.ask("deliveries?limit=100000")["deliveries"]
        return found

    def requests(self, offset: int = 0) -> list[dict[str, Any]]:
        """Return every request the imitation saw."""
        found: list[dict[str, Any]] = self.ask(f"requests?offset={offset}")["requests"]
        return found

    def close(self) -> None:
        """End the process."""
        self._line.close()
        os.close(self._life)
        os.waitpid(self._process, 0)


def _serve(folder: Path, *, clock: Clock, tell: int, watch: int) -> None:
    put(State, now=lambda _: clock.true())  # it lives in the time of the schedule
    books = {"octopush": PRICES, "routee": CALLS}
    prices = {provider: folder / f"{provider}.yaml" for provider in books}
    for provider, text in books.items():
        prices[provider].write_text(text, encoding="utf-8")
    with Sandbox(folder / "truth.db", prices=prices, faults=()) as sandbox:
        os.write(tell, sandbox.url.encode())
        os.close(tell)
        with contextlib.suppress(OSError):
            select.select([watch], [], [])
