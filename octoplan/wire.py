"""The wire: one request out, one whole reply back, or exactly how far it came.

httpx does the HTTP; beneath it the connection is ours, because only there is it known whether a byte
of a request has left, and only there can a deadline bound an exchange that goes on byte by byte.
Nothing is followed, retried, decompressed, remembered between requests, or read from the environment.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Self

import httpcore
import httpx

from octoplan import __version__
from octoplan.core.model import NOTHING, Effect, NotSent, Reply, Request, Unknown
from octoplan.core.outcome import BAD_REQUEST, DENIED
from octoplan.core.rules.url import is_public

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from octoplan.core.model import Seen
    from octoplan.providers import Tokens

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address

SECONDS = 60.0
"""How long one exchange may take, from the claim's commit."""

CONNECT_SECONDS = 10.0
"""How long one address may take to answer a connection."""

KEEP_ALIVE_SECONDS = 2.0
"""How long an idle connection is kept: less than servers keep theirs, so that it is not closed in use."""

CAP = 1024 * 1024
"""Bytes of one reply, headers and framing included."""

REASONS: Mapping[type[Exception], str] = {
    httpcore.ConnectTimeout: "no connection in time",
    httpcore.ReadTimeout: "no whole reply before the deadline",
    httpcore.WriteTimeout: "the request did not leave whole before the deadline",
    httpcore.ReadError: "the connection broke before a whole reply",
    httpcore.RemoteProtocolError: "the connection closed before a whole reply, or it was not HTTP",
}
"""What an exception means here. None repeats bytes of the reply, which might name somebody."""

for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # below, they write addresses and credentials to the log


class TooLate(Exception):
    """The deadline passed while nothing that matters had been written."""


class TooLarge(Exception):
    """The reply is over its cap."""


class NotPublic(Exception):
    """A name that leads to an address nobody outside has: nothing is connected."""


class WouldSend(AssertionError):
    """A bug: planning was about to let a request out that is not proved harmless."""


def _boottime() -> float:
    """Return seconds that also pass while the machine sleeps, where the system can tell."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A moment by the wall clock and by the time since boot, whichever comes first.

    A clock set back cannot prolong it, nor can a machine that slept. `begins`: seconds within which the
    request must begin to be written, its reply may come later; None: all of `seconds`.
    """

    seconds: float = SECONDS
    begins: float | None = None
    wall: Callable[[], float] = field(default=time.time, repr=False)
    elapsed: Callable[[], float] = field(default=_boottime, repr=False)
    _ends: tuple[float, float] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ends", (self.wall() + self.seconds, self.elapsed() + self.seconds))

    @property
    def at(self) -> datetime:
        """The deadline by the wall clock, in UTC."""
        return datetime.fromtimestamp(self._ends[0], UTC)

    def left(self) -> float:
        """Return the seconds left; negative once it has passed."""
        return min(self._ends[0] - self.wall(), self._ends[1] - self.elapsed())

    @property
    def reserved(self) -> float:
        """The seconds at its end that are for the reply alone."""
        return 0.0 if self.begins is None else max(0.0, self.seconds - self.begins)


@dataclass(slots=True, kw_only=True)
class _Passage:
    """How far one exchange has come. The first write is the head of the request, the second its whole body."""

    deadline: Deadline
    cap: int = CAP
    writes: int = 0
    received: int = 0

    def seconds(self) -> float:
        """Return the seconds left; raises `TooLate` when nothing may begin to be written any more."""
        left = self.deadline.left()
        if left <= self.deadline.reserved:
            raise TooLate("the deadline passed before the request was written")
        return left

    def write(self) -> float:
        """Count a write that is about to begin and return its seconds.

        Past the deadline it must not begin: a head without its body does nothing at the other side.
        """
        seconds = self.seconds()
        self.writes += 1
        return seconds

    def receive(self, count: int) -> None:
        """Count received bytes; raises `TooLarge` beyond the cap."""
        self.received += count
        if self.received > self.cap:
            raise TooLarge(f"the reply is over {self.cap} bytes")

    def broke_off(self, error: Exception) -> NotSent | Unknown:
        """Return what an exchange that ended in `error` means."""
        if isinstance(error, httpcore.ConnectError):
            reason = f"cannot connect: {error}"
        elif isinstance(error, TooLate | TooLarge | NotPublic):
            reason = str(error)
        else:
            reason = REASONS.get(type(error), type(error).__name__)
        return NotSent(reason=reason) if isinstance(error, TooLate) or not self.writes else Unknown(reason=reason)


class _Stream(httpcore.NetworkStream):
    """A connection whose every operation has what is left of the present deadline."""

    def __init__(self, stream: httpcore.NetworkStream, passage: Callable[[], _Passage]) -> None:
        self._stream = stream
        self._passage = passage

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  the deadline decides
        left = self._passage().deadline.left()
        if left <= 0:
            raise httpcore.ReadTimeout
        content = self._stream.read(max_bytes, left)
        self._passage().receive(len(content))
        return content

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  the deadline decides
        if buffer:  # the end of a message is an empty write
            self._stream.write(buffer, self._passage().write())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002  the deadline decides
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._passage().seconds())
        return _Stream(secured, self._passage)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


class _Network(httpcore.SyncBackend):
    """Connects within the present deadline."""

    def __init__(self, passage: Callable[[], _Passage]) -> None:
        self._passage = passage

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  the deadline decides
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        seconds = min(self._passage().seconds(), CONNECT_SECONDS)
        stream = super().connect_tcp(host, port, seconds, local_address, socket_options)
        return _Stream(stream, self._passage)


class _Public(_Network):
    """Connects to the public addresses of a name alone, and to the very ones that were found to be."""

    def __init__(self, passage: Callable[[], _Passage], may_reach: Callable[[Address], bool]) -> None:
        super().__init__(passage)
        self._may_reach = may_reach

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        found: httpcore.ConnectError | httpcore.ConnectTimeout = httpcore.ConnectError("the name has no address")
        for address in self._addresses(host):
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                found = error
        raise found

    def _addresses(self, host: str) -> tuple[str, ...]:
        try:
            looked_up = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(error.strerror or "the name is unknown") from error
        addresses = tuple(dict.fromkeys(str(info[4][0]) for info in looked_up))
        for address in addresses:
            if not self._may_reach(ipaddress.ip_address(address)):
                raise NotPublic(f"its host leads to {address}, which is no public address")
        return addresses


class _Body(httpx.SyncByteStream):
    """The raw bytes of a reply as they come."""

    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


class _Transport(httpx.BaseTransport):
    """httpx over our own network; its own transport offers no place for one."""

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self._pool = pool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._pool.handle_request(
            httpcore.Request(
                request.method,
                httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.read(),
                extensions=request.extensions,
            )
        )
        return httpx.Response(response.status, headers=response.headers, stream=_Body(response))

    def close(self) -> None:
        self._pool.close()


@cache
def trust() -> ssl.SSLContext:
    """Return what a live provider is verified against: the bundled authorities, whatever the environment says."""
    return httpx.create_ssl_context(trust_env=False)


class Line:
    """A client for one thread; `keep` keeps its connection for the next request."""

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        *,
        keep: bool,
        context: ssl.SSLContext | None = None,
        may_reach: Callable[[Address], bool] | None = None,
    ) -> None:
        if context is None and base_url.startswith("https:"):
            context = trust()
        self._passage = _Passage(deadline=Deadline(seconds=0))
        network = _Network(self._now) if may_reach is None else _Public(self._now, may_reach)
        pool = httpcore.ConnectionPool(
            context,
            max_connections=1,
            max_keepalive_connections=int(keep),
            keepalive_expiry=KEEP_ALIVE_SECONDS,
            network_backend=network,
        )
        self._client = httpx.Client(
            transport=_Transport(pool),
            base_url=base_url,
            headers={
                "accept": "application/json",
                "accept-encoding": "identity",
                "user-agent": f"octoplan/{__version__}",
                **headers,
            },
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            trust_env=False,
        )

    def exchange(
        self, request: Request, deadline: Deadline, *, cap: int = CAP, token: Mapping[str, str] = NOTHING
    ) -> Seen:
        """Return what was seen of `request`; never raises, for after a byte has left nothing may."""
        self._passage = passage = _Passage(deadline=deadline, cap=cap)
        try:
            with self._client.stream(
                request.method,
                request.path,
                content=request.body or None,
                headers={**({"content-type": request.media} if request.body else {}), **token},
            ) as response:
                body = b"".join(response.iter_raw())
        except Exception as error:  # noqa: BLE001  whatever it was, the caller must settle
            return passage.broke_off(error)
        return Reply(status=response.status_code, headers=dict(response.headers), body=body)

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def _now(self) -> _Passage:
        return self._passage


def fetch(
    url: str,
    *,
    cap: int,
    deadline: Deadline,
    context: ssl.SSLContext | None = None,
    may_reach: Callable[[Address], bool] = is_public,
) -> Seen:
    """Return what was seen of a file that somebody else names: no credentials go there, and only to public addresses.

    `cap` is the most bytes of the reply, headers and framing included.
    """
    line = Line("", {"accept": "*/*"}, keep=False, context=context or trust(), may_reach=may_reach)
    try:
        return line.exchange(Request(method="GET", path=url, effect=Effect.READ), deadline, cap=cap)
    finally:
        line.close()


@dataclass(slots=True, kw_only=True)
class Bearer:
    """The token of one account, shared by the lines of all threads; it is asked for at `base_url`."""

    base_url: str
    headers: Mapping[str, str] = field(repr=False)
    tokens: Tokens
    _token: dict[str, str] | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def token(self, deadline: Deadline, *, refused: dict[str, str] | None = None) -> dict[str, str] | Reply | NotSent:
        """Return the headers with a token that is not the `refused` one; else what was seen in their place."""
        with self._lock:
            if self._token is None or self._token == refused:
                found = self._asked(deadline)
                if not isinstance(found, dict):
                    return found
                self._token = found
            return self._token

    def _asked(self, deadline: Deadline) -> dict[str, str] | Reply | NotSent:
        line = Line(self.base_url, self.headers, keep=False)
        try:
            seen = line.exchange(self.tokens.ask, deadline)
        finally:
            line.close()
        if not isinstance(seen, Reply):
            return NotSent(reason=f"no token: {seen.reason}")
        if seen.status in (BAD_REQUEST, *DENIED):
            return replace(seen, status=DENIED[0])
        token = self.tokens.read(seen)
        return NotSent(reason=f"no token: HTTP {seen.status}") if token is None else dict(token)


class Signed:
    """A line whose every request needs a token."""

    def __init__(self, line: Line, bearer: Bearer) -> None:
        self._line = line
        self._bearer = bearer

    def exchange(self, request: Request, deadline: Deadline) -> Seen:
        """Return what was seen of `request`; never raises.

        Where its token is refused, a new one is asked for once, and the request made with that.
        """
        token = self._bearer.token(deadline)
        if not isinstance(token, dict):
            return token
        seen = self._line.exchange(request, deadline, token=token)
        if not isinstance(seen, Reply) or seen.status not in DENIED:
            return seen
        token = self._bearer.token(deadline, refused=token)
        if not isinstance(token, dict):
            return token
        again = self._line.exchange(request, deadline, token=token)
        return replace(again, again=True) if isinstance(again, Reply) else again

    def close(self) -> None:
        """Close its connections."""
        self._line.close()


class Wire:
    """Requests to one provider, for one thread. What sends has a fresh connection; what asks keeps one."""

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        *,
        bearer: Bearer | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        asking = Line(base_url, headers, keep=True, context=context)
        sending = Line(base_url, headers, keep=False, context=context)
        self.asking = Signed(asking, bearer) if bearer else asking
        self._sending = Signed(sending, bearer) if bearer else sending

    def exchange(self, request: Request, deadline: Deadline) -> Seen:
        """Return what was seen of `request`; never raises."""
        line = self.asking if request.effect in (Effect.READ, Effect.SIMULATE) else self._sending
        return line.exchange(request, deadline)

    def close(self) -> None:
        """Close its connections."""
        self.asking.close()
        self._sending.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class PlanningWire:
    """A wire that cannot send: it holds only the asking line, and lets out only what `may_plan` proves harmless."""

    def __init__(self, wire: Wire, may_plan: Callable[[Request], bool]) -> None:
        self._line = wire.asking
        self._may_plan = may_plan

    def exchange(self, request: Request, deadline: Deadline) -> Seen:
        """Return what was seen of `request`.

        Raises:
            WouldSend: it is not proved harmless; nothing has left.
        """
        if request.effect not in (Effect.READ, Effect.SIMULATE) or not self._may_plan(request):
            raise WouldSend(f"planning tried to let out {request.method} {request.path} ({request.effect})")
        return self._line.exchange(request, deadline)

    def close(self) -> None:
        """Close its connection."""
        self._line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
