"""A relay between octoplan and a served sandbox that does to each sending request what a test says."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PATIENCE = 20.0
"""Seconds after which a test that waits has failed."""

PROVIDERS = ("/octopush", "/routee")
CALLS = "/routee/voice/campaign"

HTML = b"<html><body>Bad gateway</body></html>"
NO_STOP = b'{"code": 121, "message": "Mention STOP is missing."}'


class Relay:
    """Does the acts of its script to the sends, one each in order of arrival, and `asks` to everything else."""

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream).netloc
        self.url = ""
        self.script: deque[Callable[[Call], None]] = deque()
        self.asks: Callable[[Call], None] = passed
        self.requests = 0
        self.sends: list[bytes] = []
        self.held = threading.Semaphore(0)
        self.release = threading.Event()
        self._lock = threading.Lock()

    def then(self, *acts: Callable[[Call], None]) -> None:
        """Do these acts to the next sends."""
        self.script.extend(acts)

    def act(self, call: Call) -> Callable[[Call], None]:
        with self._lock:
            is_providers = call.path.startswith(PROVIDERS)
            self.requests += is_providers
            if not _sends(call):
                return self.asks if is_providers else passed
            self.sends.append(call.content)
            return self.script.popleft() if self.script else passed

    def wait_until_held(self) -> None:
        """Return once a send is being held."""
        assert self.held.acquire(timeout=PATIENCE)


class Call(BaseHTTPRequestHandler):
    """One request on its way."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self.content = b""
        self.server.relay.act(self)(self)

    def do_POST(self) -> None:
        self.content = self.rfile.read(int(self.headers["content-length"]))
        self.server.relay.act(self)(self)

    def do_DELETE(self) -> None:
        self.content = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.relay.act(self)(self)

    def forward(self) -> tuple[int, bytes, str | None]:
        """Ask the sandbox; return its status, body and `Date`."""
        with contextlib.closing(http.client.HTTPConnection(self.server.relay.upstream, timeout=PATIENCE)) as upstream:
            upstream.request(self.command, self.path, self.content or None, dict(self.headers.items()))
            answer = upstream.getresponse()
            return answer.status, answer.read(), answer.headers["date"]

    def answer(
        self,
        status: int,
        body: bytes,
        date: str | None = None,
        *,
        lacks: int = 0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Reply; `lacks` bytes of the body are promised and kept back."""
        self.send_response_only(status)
        self.send_header("date", date or self.date_time_string())
        for name, value in {"content_type": "application/json", **(headers or {})}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) - lacks])
        self.close_connection = self.close_connection or lacks > 0

    def hold(self) -> None:
        """Say that this call is held, and hold it until the test lets go."""
        self.server.relay.held.release()
        self.server.relay.release.wait(PATIENCE)

    def cut(self) -> None:
        """Close without a word."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""


class _Server(ThreadingHTTPServer):
    def __init__(self, relay: Relay) -> None:
        super().__init__(("127.0.0.1", 0), Call)
        self.relay = relay

    def handle_error(self, *_: Any) -> None:
        """Ignore a client that was killed."""


def _sends(call: Call) -> bool:
    if (call.command, call.path) == ("POST", CALLS):
        return True
    return call.path.endswith("/send") and b'"simulation_mode":true' not in call.content


def passed(call: Call) -> None:
    call.answer(*call.forward())


def reply_lost(call: Call) -> None:
    call.forward()
    call.cut()


def request_lost(call: Call) -> None:
    call.cut()


def reply_held(call: Call) -> None:
    answer = call.forward()
    call.hold()
    call.answer(*answer)


def reply_held_and_lost(call: Call) -> None:
    call.forward()
    call.hold()
    call.cut()


def request_held(call: Call) -> None:
    call.hold()
    call.cut()


def truncated(call: Call) -> None:
    status, body, _date = call.forward()
    call.answer(status, body, lacks=10)


def sent_but(status: int, body: bytes = b"{}", **headers: str) -> Callable[[Call], None]:
    """Forward it, and answer something else."""

    def act(call: Call) -> None:
        call.forward()
        call.answer(status, body, headers=headers)

    return act


def says(status: int, body: bytes = b"{}", **headers: str) -> Callable[[Call], None]:
    """Answer without forwarding."""
    return lambda call: call.answer(status, body, headers=headers)


@contextlib.contextmanager
def relaying(upstream: str) -> Iterator[Relay]:
    """Relay to a served sandbox while the block lasts."""
    relay = Relay(upstream)
    with _Server(relay) as server:
        relay.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="relay")
        thread.start()
        try:
            yield relay
        finally:
            relay.release.set()
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def nobody_home() -> Iterator[str]:
    """Give an address that refuses every connection while the block lasts."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{reserved.getsockname()[1]}"
