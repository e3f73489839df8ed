"""The wire against a real socket that behaves badly in every way a network can."""

from __future__ import annotations

import gzip
import logging
import socket
import ssl
import struct
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from octoplan.core.model import Effect, NotSent, Reply, Request, Unknown
from octoplan.providers import PROVIDERS
from octoplan.wire import CAP, Deadline, PlanningWire, Wire, WouldSend, trust

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SEND = Request(method="POST", path="/multi-channel/send", effect=Effect.SEND, body=b'{"text": "hello"}')
SIMULATE = Request(method="POST", path="/multi-channel/send", effect=Effect.SIMULATE, body=b'{"simulation_mode": true}')
READ = Request(method="GET", path="/wallet/check-balance", effect=Effect.READ)
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class Peer:
    """One connection as the server sees it."""

    connection: socket.socket
    received: bytes = b""

    def head(self) -> None:
        """Read until the head of a request is there."""
        while b"\r\n\r\n" not in self.received:
            self._more()

    def request(self) -> None:
        """Read a whole request."""
        self.head()
        head, _, body = self.received.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        missing = int(lengths[0].split(b":")[1]) - len(body) if lengths else 0
        while missing > 0:
            missing -= self._more()

    def answer(self, content: bytes) -> None:
        self.connection.sendall(content)

    def reset(self) -> None:
        """Close with an RST instead of a FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def drip(self, content: bytes) -> None:
        """Send byte by byte for as long as somebody listens."""
        for byte in content:
            try:
                self.answer(bytes([byte]))
            except OSError:
                return
            time.sleep(0.02)

    def _more(self) -> int:
        content = self.connection.recv(65536)
        if not content:
            raise ConnectionError("the client left")
        self.received += content
        return len(content)


@dataclass
class Server:
    """A loopback server that plays one behaviour a connection."""

    url: str
    peers: list[Peer] = field(default_factory=list)

    @property
    def received(self) -> bytes:
        return b"".join(peer.received for peer in self.peers)


@contextmanager
def serving(*behaviours: Callable[[Peer], object], context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Play the behaviours on as many connections, one after another; the last one for all further ones."""
    listener = socket.create_server(("127.0.0.1", 0))
    scheme = "https" if context else "http"
    server = Server(url=f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/octopush/v1/public")

    bell = socket.socket()
    bell.bind(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            connection, address = listener.accept()
            if address == bell.getsockname():
                connection.close()
                return
            behaviour = behaviours[min(len(server.peers), len(behaviours) - 1)]
            with suppress(OSError), connection:
                secured = context.wrap_socket(connection, server_side=True) if context else connection
                with secured:
                    server.peers.append(Peer(secured))
                    behaviour(server.peers[-1])

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield server
    finally:
        bell.connect(listener.getsockname())  # behind every connection still waiting to be served
        thread.join(5)
        bell.close()
        listener.close()
        assert not thread.is_alive()


def exchange(server: Server, request: Request = SEND, seconds: float = 5) -> Reply | NotSent | Unknown:
    with Wire(server.url, {"api-key": "k3y"}) as wire:
        return wire.exchange(request, Deadline(seconds=seconds))


def answering(content: bytes) -> Callable[[Peer], None]:
    def behave(peer: Peer) -> None:
        peer.request()
        peer.answer(content)

    return behave


def test_a_whole_reply_comes_back_as_it_was() -> None:
    with serving(answering(OK)) as server:
        seen = exchange(server)
    assert seen == Reply(status=200, headers={"content-type": "application/json", "content-length": "2"}, body=b"{}")
    head, _, body = server.received.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /octopush/v1/public/multi-channel/send HTTP/1.1\r\n")
    for line in (b"api-key: k3y", b"accept-encoding: identity", b"content-type: application/json"):
        assert line in head.lower()
    assert body == SEND.body


def test_a_read_has_no_body() -> None:
    with serving(answering(OK)) as server:
        assert isinstance(exchange(server, READ), Reply)
    assert server.received.startswith(b"GET /octopush/v1/public/wallet/check-balance HTTP/1.1\r\n")
    assert b"content-" not in server.received.lower()


# nothing has left


def test_a_refused_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    seen = exchange(Server(f"http://127.0.0.1:{port}"))
    assert isinstance(seen, NotSent)
    assert "refused" in seen.reason


def test_a_name_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    seen = exchange(Server("http://octopush.invalid"))
    assert isinstance(seen, NotSent)
    assert "Name or service not known" in seen.reason


def test_a_deadline_passed_before_connecting() -> None:
    with serving(answering(OK)) as server:
        seen = exchange(server, seconds=0)
    assert isinstance(seen, NotSent)
    assert "deadline" in seen.reason
    assert server.peers == []


class Steps:
    """A clock that stands still until it is told to jump at its nth reading."""

    def __init__(self, jump_at: int, jumps: float = 1000.0) -> None:
        self.readings = 0
        self.jump_at = jump_at
        self.jumps = jumps

    def __call__(self) -> float:
        self.readings += 1
        return self.jumps if self.readings >= self.jump_at else 0.0


def test_a_deadline_that_passes_between_head_and_body_writes_no_body() -> None:
    """The clock is read at the start, before connecting, before the head, before the body."""
    with serving(Peer.request) as server, Wire(server.url, {}) as wire:
        seen = wire.exchange(SEND, Deadline(wall=Steps(4)))
    assert isinstance(seen, NotSent)
    assert server.received.endswith(b"\r\n\r\n")


def test_a_deadline_that_passes_after_connecting_writes_nothing() -> None:
    with serving(Peer.request) as server, Wire(server.url, {}) as wire:
        seen = wire.exchange(SEND, Deadline(wall=Steps(3)))
    assert isinstance(seen, NotSent)
    assert server.received == b""


@pytest.mark.parametrize(("readings", "writes"), [(3, False), (4, False), (5, True)])
def test_what_must_begin_sooner_does_not_begin_later_but_has_its_time_for_an_answer(
    readings: int,
    writes: bool,  # noqa: FBT001  a fact of the case
) -> None:
    """At the nth reading 30 of 60 seconds are over; it must begin within 20."""
    clock = Steps(readings, jumps=30.0)
    with serving(answering(OK)) as server, Wire(server.url, {}) as wire:
        seen = wire.exchange(SEND, Deadline(begins=20, wall=clock))
    assert isinstance(seen, Reply if writes else NotSent)
    assert server.received.endswith(SEND.body) is writes


def test_a_deadline_that_passes_after_the_body_is_doubt() -> None:
    with serving(Peer.request) as server, Wire(server.url, {}) as wire:
        seen = wire.exchange(SEND, Deadline(wall=Steps(5)))
    assert seen == Unknown(reason="no whole reply before the deadline")
    assert server.received.endswith(SEND.body)


def test_a_header_that_cannot_be_written_never_leaves() -> None:
    with serving(Peer.request) as server, Wire(server.url, {"api-key": "k3y\r\nx: y"}) as wire:
        seen = wire.exchange(SEND, Deadline())
    assert seen == NotSent(reason="LocalProtocolError")
    assert server.received == b""


# something has left, and no whole reply came


def reset_at_once(peer: Peer) -> None:
    peer.head()
    peer.reset()


def reset_after_body(peer: Peer) -> None:
    peer.request()
    peer.reset()


def hang_up(peer: Peer) -> None:
    peer.request()


def reset_in_reply(peer: Peer) -> None:
    peer.request()
    peer.answer(OK[:-1])
    time.sleep(0.05)
    peer.reset()


@pytest.mark.parametrize(
    "behaviour",
    [
        reset_at_once,
        reset_after_body,
        reset_in_reply,
        hang_up,
        answering(OK[:-1]),
        answering(OK[:40]),
        answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
        answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"),
        answering(b"HTTP/1.1 100 Continue\r\n\r\n"),
        answering(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nrest"),
        answering(b"SSH-2.0-OpenSSH\r\n"),
        answering(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n"),
        answering(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100_000 + b"\r\n"),
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + b"x" * 10_000_000),
        answering(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (CAP + 1)),
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n{}"),
    ],
)
def test_no_whole_reply_is_doubt(behaviour: Callable[[Peer], None]) -> None:
    with serving(behaviour) as server:
        seen = exchange(server)
    assert isinstance(seen, Unknown)
    assert len(server.peers) == 1  # never again by itself


def test_a_reason_does_not_repeat_what_the_server_said() -> None:
    with serving(answering(b"+33639980012 is not HTTP\r\n\r\n")) as server:
        seen = exchange(server)
    assert isinstance(seen, Unknown)
    assert "33639980012" not in seen.reason


@pytest.mark.parametrize(
    ("before", "dripped"),
    [
        (b"", b"HTTP/1.1 200 OK\r\n" * 20),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b" " * 1000),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0" * 1000),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 40),
        (b"", b""),
    ],
    ids=["head", "body", "chunk-size", "informational", "silence"],
)
def test_a_dripping_server_is_cut_at_the_deadline(before: bytes, dripped: bytes) -> None:
    def behave(peer: Peer) -> None:
        peer.request()
        peer.answer(before)
        peer.drip(dripped)
        peer.connection.recv(1)  # until the client leaves

    with serving(behave) as server:
        started = time.monotonic()
        seen = exchange(server, seconds=0.3)
        took = time.monotonic() - started
    assert seen == Unknown(reason="no whole reply before the deadline")
    assert 0.2 < took < 2


def test_a_peer_that_does_not_read_is_cut_at_the_deadline() -> None:
    with serving(lambda _: time.sleep(0.6)) as server:
        seen = exchange(server, Request(method="POST", path="/x", effect=Effect.SEND, body=b"x" * 30_000_000), 0.3)
    assert seen == Unknown(reason="the request did not leave whole before the deadline")


# replies that are whole, whatever they say


@pytest.mark.parametrize(
    ("content", "status", "body"),
    [
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\n\r\n<html>", 502, b"<html>"),
        (b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 307, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK, 200, b"{}"),
        (b"HTTP/1.1 200 OK\r\n\r\n{}", 200, b"{}"),
        (b"HTTP/1.0 200 OK\r\n\r\n{}", 200, b"{}"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", 200, b"{}"),
    ],
)
def test_a_whole_reply_is_a_reply(content: bytes, status: int, body: bytes) -> None:
    with serving(answering(content)) as server:
        seen = exchange(server)
    assert isinstance(seen, Reply)
    assert (seen.status, seen.body) == (status, body)
    assert len(server.peers) == 1


def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b" " * 50_000_000, 9)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    with serving(answering(head + bomb)) as server:
        seen = exchange(server)
    assert isinstance(seen, Reply)
    assert seen.body == bomb


def test_an_answer_given_before_the_body_was_read_is_an_answer() -> None:
    def hasty(peer: Peer) -> None:
        peer.head()
        peer.answer(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}")
        peer.connection.shutdown(socket.SHUT_WR)
        peer.request()

    with serving(hasty) as server:
        seen = exchange(server)
    assert isinstance(seen, Reply)
    assert seen.status == 401


# connections


def keep_answering(peer: Peer) -> None:
    while True:
        peer.request()
        peer.answer(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\n{}")
        peer.received = b""


def test_every_send_has_a_fresh_connection_and_questions_share_one() -> None:
    with serving(keep_answering) as server, Wire(server.url, {}) as wire:
        for _ in range(3):
            assert isinstance(wire.exchange(SEND, Deadline()), Reply)
        assert len(server.peers) == 3
    with serving(keep_answering) as server, Wire(server.url, {}) as wire:
        for request in (SIMULATE, READ, SIMULATE):
            assert isinstance(wire.exchange(request, Deadline()), Reply)
        assert len(server.peers) == 1


def test_no_cookie_is_kept() -> None:
    heads = []

    def listening(peer: Peer) -> None:
        for _ in range(2):
            peer.request()
            heads.append(peer.received)
            peer.received = b""
            peer.answer(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\n{}")

    with serving(listening) as server, Wire(server.url, {}) as wire:
        wire.exchange(SIMULATE, Deadline())
        wire.exchange(SIMULATE, Deadline())
    assert len(heads) == 2
    assert b"cookie" not in heads[1].lower()


def test_a_wire_works_again_after_a_failure() -> None:
    with serving(reset_at_once, answering(OK)) as server, Wire(server.url, {}) as wire:
        assert isinstance(wire.exchange(SEND, Deadline()), Unknown)
        assert isinstance(wire.exchange(SEND, Deadline()), Reply)


def test_proxies_in_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(answering(OK)) as server, serving(answering(OK)) as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")
        assert isinstance(exchange(server), Reply)
        assert proxy.peers == []


def test_credentials_and_addresses_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(answering(OK)) as server:
        assert isinstance(exchange(server), Reply)
    assert caplog.records == []


# TLS. Anonymous cipher suites need no certificate, so no key lies in the repository.


def anonymous(protocol: int) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AECDH-AES256-SHA:@SECLEVEL=0")
    return context


def test_requests_travel_through_tls() -> None:
    with (
        serving(answering(OK), context=anonymous(ssl.PROTOCOL_TLS_SERVER)) as server,
        Wire(server.url, {}, context=anonymous(ssl.PROTOCOL_TLS_CLIENT)) as wire,
    ):
        assert isinstance(wire.exchange(SEND, Deadline()), Reply)
    assert server.received.endswith(SEND.body)


def test_a_server_without_a_certificate_gets_nothing() -> None:
    with serving(Peer.request, context=anonymous(ssl.PROTOCOL_TLS_SERVER)) as server:
        seen = exchange(server)
    assert isinstance(seen, NotSent)
    assert server.peers == []


def test_a_server_that_does_not_speak_tls_gets_nothing() -> None:
    def speak_plainly(peer: Peer) -> None:
        peer.connection.recv(65536)
        peer.answer(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with serving(speak_plainly) as server:
        seen = exchange(Server(server.url.replace("http:", "https:")))
    assert isinstance(seen, NotSent)
    assert "cannot connect" in seen.reason


def test_a_handshake_that_takes_too_long_is_cut() -> None:
    with serving(lambda _: time.sleep(0.5)) as server:
        seen = exchange(Server(server.url.replace("http:", "https:")), seconds=0.2)
    assert seen == NotSent(reason="no connection in time")


def test_live_providers_are_verified() -> None:
    context = trust()
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


# the deadline


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def test_the_deadline_is_whichever_clock_comes_first() -> None:
    wall, elapsed = Clock(1_800_000_000), Clock(50)
    deadline = Deadline(wall=wall, elapsed=elapsed)
    assert deadline.left() == 60
    assert deadline.at.isoformat() == "2027-01-15T08:01:00+00:00"
    wall.now -= 3600  # set back
    elapsed.now += 59
    assert deadline.left() == 1
    elapsed.now += 3600  # slept
    assert deadline.left() < 0


def test_a_clock_set_forward_ends_it() -> None:
    wall = Clock(0)
    deadline = Deadline(wall=wall)
    wall.now += 61
    assert deadline.left() < 0


def test_the_system_clocks_are_used() -> None:
    assert 59 < Deadline().left() <= 60


# planning


def test_planning_asks() -> None:
    with serving(keep_answering) as server:
        wire = Wire(server.url, {})
        with PlanningWire(wire, PROVIDERS["octopush"].may_plan) as planning:
            assert isinstance(planning.exchange(READ, Deadline()), Reply)
            assert isinstance(planning.exchange(SIMULATE, Deadline()), Reply)
        wire.close()


@pytest.mark.parametrize(
    "request_",
    [
        SEND,
        Request(method="POST", path="/multi-channel/send", effect=Effect.SIMULATE, body=SEND.body),
        Request(method="POST", path="/multi-channel/send", effect=Effect.READ, body=SIMULATE.body),
        Request(method="POST", path="/multi-channel/send", effect=Effect.PREPARE, body=SIMULATE.body),
    ],
)
def test_planning_lets_nothing_else_out(request_: Request) -> None:
    with serving(keep_answering) as server, Wire(server.url, {}) as wire:
        planning = PlanningWire(wire, PROVIDERS["octopush"].may_plan)
        with pytest.raises(WouldSend, match="multi-channel/send"):
            planning.exchange(request_, Deadline())
        assert server.peers == []


def test_planning_does_not_trust_a_provider_that_allows_everything() -> None:
    with serving(keep_answering) as server, Wire(server.url, {}) as wire:
        planning = PlanningWire(wire, lambda _: True)
        with pytest.raises(WouldSend):
            planning.exchange(SEND, Deadline())
        assert server.peers == []


def test_planning_holds_no_line_that_sends() -> None:
    with Wire("http://127.0.0.1:1", {}) as wire:
        planning = PlanningWire(wire, PROVIDERS["octopush"].may_plan)
        assert planning._line is wire.asking
        assert wire._sending not in vars(planning).values()
