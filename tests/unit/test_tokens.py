"""Tokens on the wire: asked for when they are needed, shared by all threads, renewed once where one is refused."""

from __future__ import annotations

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from octoplan.core.model import NOTHING, Effect, NotSent, Reply, Request, Unknown
from octoplan.providers.routee import Routee
from octoplan.wire import Bearer, Deadline, PlanningWire, Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

READ = Request(method="GET", path="/accounts/me/balance", effect=Effect.READ)
SEND = Request(method="POST", path="/voice/campaign", effect=Effect.SEND, body=b"{}")
SECRET = {"authorization": "Basic c2FuZGJveDpzM2NyZXQ="}


class Peer(ThreadingHTTPServer):
    """Gives out tokens t1, t2 …, and takes those that are not in `ended`; `grants` is what it says of its tokens."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.grants: list[int] = []
        self.ended: set[str] = set()
        self.given = 0
        self.seen: list[tuple[str, str, str]] = []
        self.lock = threading.Lock()

    def grant(self) -> tuple[int, bytes]:
        with self.lock:
            status = self.grants.pop(0) if self.grants else 200
            self.given += status == 200
            return status, b'{"access_token": "t%d"}' % self.given if status == 200 else b"<html>"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Peer

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._answer()

    def _answer(self) -> None:
        credential, media = self.headers["authorization"], self.headers.get("content-type", "")
        self.server.seen.append((self.path, credential, media))
        status, body = 200, b"{}"
        if self.path == "/oauth/token":
            status, body = self.server.grant()
        elif credential.removeprefix("Bearer ") in self.server.ended:
            status = 401
        self.send_response_only(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def bearer(url: str) -> Bearer:
    tokens = Routee().tokens
    assert tokens is not None
    return Bearer(base_url=url, headers=SECRET, tokens=tokens)


@contextlib.contextmanager
def wire(peer: Peer, url: str = "") -> Iterator[Wire]:
    with Wire(peer.url, NOTHING, bearer=bearer(url or peer.url)) as made:
        yield made


def paths(peer: Peer) -> list[str]:
    return [path for path, _, _ in peer.seen]


def test_a_token_is_asked_for_once_and_used_until_it_ends(peer: Peer) -> None:
    with wire(peer) as line:
        for request in (READ, SEND, READ):
            assert line.exchange(request, Deadline()) == Reply(status=200, headers={"content-length": "2"}, body=b"{}")
    assert peer.seen == [
        ("/oauth/token", SECRET["authorization"], "application/x-www-form-urlencoded"),
        (READ.path, "Bearer t1", ""),
        (SEND.path, "Bearer t1", "application/json"),
        (READ.path, "Bearer t1", ""),
    ]


def test_a_token_that_has_ended_is_renewed_and_the_answer_says_so(peer: Peer) -> None:
    peer.ended.add("t1")
    with wire(peer) as line:
        found = line.exchange(SEND, Deadline())
    assert isinstance(found, Reply)
    assert (found.status, found.again) == (200, True)
    assert paths(peer) == ["/oauth/token", SEND.path, "/oauth/token", SEND.path]


def test_a_token_is_renewed_once(peer: Peer) -> None:
    peer.ended |= {"t1", "t2"}
    with wire(peer) as line:
        found = line.exchange(SEND, Deadline())
    assert isinstance(found, Reply)
    assert (found.status, found.again) == (401, True)
    assert paths(peer).count(SEND.path) == 2


def test_whoever_comes_after_a_renewal_uses_it(peer: Peer) -> None:
    peer.ended.add("t1")
    of = bearer(peer.url)
    assert of.token(Deadline()) == {"authorization": "Bearer t1"}
    assert of.token(Deadline(), refused={"authorization": "Bearer t1"}) == {"authorization": "Bearer t2"}
    assert of.token(Deadline(), refused={"authorization": "Bearer t1"}) == {"authorization": "Bearer t2"}
    assert peer.given == 2


def test_threads_share_a_token(peer: Peer) -> None:
    of = bearer(peer.url)

    def ask() -> None:
        with Wire(peer.url, NOTHING, bearer=of) as line:
            line.exchange(READ, Deadline())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert paths(peer).count("/oauth/token") == 1


@pytest.mark.parametrize("status", [400, 401, 403])
def test_refused_credentials_are_a_refusal(peer: Peer, status: int) -> None:
    peer.grants.append(status)
    with wire(peer) as line:
        found = line.exchange(SEND, Deadline())
    assert isinstance(found, Reply)
    assert found.status == 401
    assert SEND.path not in paths(peer)


def test_without_a_token_nothing_is_sent(peer: Peer) -> None:
    peer.grants.append(503)
    with wire(peer) as line:
        assert line.exchange(SEND, Deadline()) == NotSent(reason="no token: HTTP 503")
    with wire(peer, "http://127.0.0.1:1") as line:
        found = line.exchange(SEND, Deadline())
    assert isinstance(found, NotSent)
    assert found.reason.startswith("no token: cannot connect")
    assert SEND.path not in paths(peer)


def test_a_token_that_cannot_be_renewed_leaves_what_was_refused_unsent(peer: Peer) -> None:
    peer.ended.add("t1")
    peer.grants += [200, 500]
    with wire(peer) as line:
        assert line.exchange(SEND, Deadline()) == NotSent(reason="no token: HTTP 500")
    assert paths(peer).count(SEND.path) == 1


def test_planning_asks_for_tokens_too(peer: Peer) -> None:
    with wire(peer) as line:
        planning = PlanningWire(line, Routee().may_plan)
        assert isinstance(planning.exchange(READ, Deadline()), Reply)


def test_an_exchange_without_an_answer_stays_one(peer: Peer) -> None:
    of = bearer(peer.url)
    of.token(Deadline())
    peer.shutdown()
    peer.server_close()
    with Wire(peer.url, NOTHING, bearer=of) as line:
        assert isinstance(line.exchange(SEND, Deadline()), NotSent | Unknown)


def test_secrets_are_in_no_representation(peer: Peer) -> None:
    of = bearer(peer.url)
    of.token(Deadline())
    assert "s3cret" not in repr(of)
    assert "c2FuZ" not in repr(of)
    assert "t1" not in repr(of)
