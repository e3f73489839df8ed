"""Each fault of the wire as a client sees it that knows nothing but sockets."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sandbox_account import LYON, PARIS, SEND, Account

from octoplan.sandbox import FaultUnknown, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE = 10.0


class Plain:
    """One connection, its bytes as they come."""

    def __init__(self, url: str) -> None:
        address = httpx.URL(url)
        self.socket = socket.create_connection((address.host, address.port or 0), timeout=PATIENCE)

    def ask(self, number: str = LYON, **fields: Any) -> None:
        self.socket.sendall(request(number, **fields))

    def heard(self) -> bytes:
        """Everything until the other side closes in order; ConnectionResetError if it breaks off."""
        heard = bytearray()
        while piece := self.socket.recv(65536):
            heard += piece
        return bytes(heard)

    def reply(self) -> bytes:
        """One whole reply of the kind the sandbox gives."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = self.socket.recv(1)
            assert byte, head
            head += byte
        (length,) = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length")]
        body = b""
        while len(body) < length:
            body += self.socket.recv(length - len(body))
        return head + body


def request(number: str = LYON, **fields: Any) -> bytes:
    content = {"channel": "sms", "text": "a", "purpose": "alert", "recipients": [number], **fields}
    body = json.dumps(content).encode()
    head = f"POST {SEND} HTTP/1.1\r\nhost: 127.0.0.1\r\napi-key: k\r\napi-login: sandbox\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    state = tmp_path_factory.mktemp("sandbox") / "sandbox.db"
    with Sandbox(state, faults=[]) as sandbox, Account(sandbox.url) as opened:
        yield opened


@pytest.fixture
def sandbox(opened: Account) -> Account:
    opened.set("reset")
    return opened


@contextmanager
def connected(sandbox: Account) -> Iterator[Plain]:
    plain = Plain(str(sandbox.http.base_url))
    with plain.socket:
        yield plain


def install(sandbox: Account, name: str, **fields: Any) -> None:
    sandbox.set("faults", faults=[{"fault": name, **fields}])


def addresses(sandbox: Account) -> list[str]:
    return [delivery["address"] for delivery in sandbox.deliveries()]


def until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.01)


# -- the hardest -------------------------------------------------------------------------------------------------------


def test_the_second_request_of_a_kept_connection_is_struck(sandbox: Account) -> None:
    install(sandbox, "lose-reply", skip=1, times=1)
    with connected(sandbox) as plain:
        plain.ask(LYON)
        assert plain.reply().startswith(b"HTTP/1.1 200 OK\r\n")
        plain.ask(PARIS)
        assert plain.heard() == b""
    assert addresses(sandbox) == [LYON, PARIS]
    assert sandbox.send().status_code == 200


def test_pipelined_requests_are_taken_one_by_one(sandbox: Account) -> None:
    install(sandbox, "reset-request", skip=1, times=1)
    with connected(sandbox) as plain:
        plain.socket.sendall(request(LYON) + request(PARIS) + request(LYON))
        assert plain.reply().startswith(b"HTTP/1.1 200 OK\r\n")
        with pytest.raises(ConnectionResetError):
            plain.heard()
    assert addresses(sandbox) == [LYON]


def test_late_is_accepted_after_the_client_has_gone(sandbox: Account) -> None:
    install(sandbox, "late", times=1, seconds=0.1)
    with connected(sandbox) as plain:
        plain.ask(PARIS)
        time.sleep(0.2)
        assert addresses(sandbox) == []
    assert addresses(sandbox) == []
    until(lambda: sandbox.counts()["deliveries"] == 1)
    assert addresses(sandbox) == [PARIS]


def test_a_sandbox_stops_while_it_holds_late_requests(tmp_path: Path) -> None:
    faults = {"faults": [{"fault": "late", "seconds": 3600, "times": 1}, {"fault": "late"}]}
    with ExitStack() as ends:
        with Sandbox(tmp_path / "sandbox.db", faults=faults) as running, Account(running.url) as sandbox:
            with connected(sandbox) as gone:
                gone.ask(LYON)
            held = ends.enter_context(connected(sandbox))
            held.ask(PARIS)
            until(lambda: sandbox.look("faults")["faults"][1]["struck"] == 1)
            begun = time.monotonic()
        assert time.monotonic() - begun < 2
        assert held.heard() == b""
    with Sandbox(tmp_path / "sandbox.db") as running, Account(running.url) as sandbox:
        assert sandbox.look("requests")["total"] == 0


def test_of_two_clients_at_once_one_is_struck(sandbox: Account) -> None:
    install(sandbox, "lose-reply", times=1)

    def ask(number: str) -> bytes:
        with connected(sandbox) as plain:
            plain.ask(number)
            plain.socket.shutdown(socket.SHUT_WR)
            return plain.heard()[:15]

    numbers = [f"+3363998{n:04d}" for n in range(16)]
    with ThreadPoolExecutor(16) as threads:
        assert sorted(threads.map(ask, numbers)) == [b"", *[b"HTTP/1.1 200 OK"] * 15]
    assert sorted(addresses(sandbox)) == numbers
    (shown,) = sandbox.look("faults")["faults"]
    assert (shown["matched"], shown["struck"]) == (16, 1)


def test_chance_with_a_seed_is_the_same_again(sandbox: Account) -> None:
    def struck(seed: int) -> list[bool]:
        sandbox.set("faults", seed=seed, faults=[{"fault": "lose-reply", "probability": 0.5}])
        found = []
        for _ in range(20):
            with connected(sandbox) as plain:
                plain.ask()
                plain.socket.shutdown(socket.SHUT_WR)
                found.append(plain.heard() == b"")
        return found

    assert struck(1) == struck(1) != struck(2)
    assert 0 < sum(struck(1)) < 20


# -- each fault --------------------------------------------------------------------------------------------------------


def test_refuse(sandbox: Account) -> None:
    install(sandbox, "refuse", times=1)
    with connected(sandbox) as plain:
        plain.ask()
        with pytest.raises(ConnectionResetError):
            plain.heard()
    assert sandbox.deliveries() == []


@pytest.mark.parametrize("at", [0, 1, 40, 10_000])
def test_reset_request(sandbox: Account, at: int) -> None:
    install(sandbox, "reset-request", times=1, at=at)
    with connected(sandbox) as plain:
        whole = request()
        head = whole.index(b"\r\n\r\n") + 4
        plain.socket.sendall(whole[: head + at])
        with pytest.raises(ConnectionResetError):
            plain.heard()
    assert sandbox.deliveries() == []


def test_lose_reply(sandbox: Account) -> None:
    install(sandbox, "lose-reply", times=1)
    with connected(sandbox) as plain:
        plain.ask()
        assert plain.heard() == b""
    assert addresses(sandbox) == [LYON]


# -- the controls ------------------------------------------------------------------------------------------------------


def test_without_a_proxy_there_are_no_faults_of_the_wire(tmp_path: Path) -> None:
    with Sandbox(tmp_path / "sandbox.db") as running, Account(running.url) as sandbox:
        answer = sandbox.http.post("/_sandbox/faults", json={"faults": [{"fault": "late"}]})
        assert answer.status_code == 400
        assert answer.json()["message"].endswith("start the sandbox with --faults")
        sandbox.set("faults", faults=[{"fault": "status"}])
        assert sandbox.send().status_code == 503


def test_unknown_faults_do_not_start(tmp_path: Path) -> None:
    with pytest.raises(FaultUnknown, match="'lose' is no fault"):
        Sandbox(tmp_path / "sandbox.db", faults=[{"fault": "lose"}]).__enter__()
    assert not (tmp_path / "sandbox.db").exists()
