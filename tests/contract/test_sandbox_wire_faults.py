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
from sandbox_account import BALANCE, BASE, LYON, PARIS, SEND, Account

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

    def head(self) -> bytes:
        """One head, and not a byte more."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = self.socket.recv(1)
            assert byte, head
            head += byte
        return head

    def reply(self) -> bytes:
        """One whole reply of the kind the sandbox gives."""
        head = self.head()
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
    install(sandbox, "late", times=1, seconds=0.7)
    with connected(sandbox) as plain:
        plain.ask(PARIS)
        until(lambda: sandbox.look("faults")["faults"][0]["struck"] == 1)
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


@pytest.mark.parametrize("at", [0, 1, 9, 200])
def test_reset_reply(sandbox: Account, at: int) -> None:
    install(sandbox, "reset-reply", times=1, at=at)
    with connected(sandbox) as plain:
        plain.ask()
        heard = b"".join(plain.socket.recv(1) for _ in range(at))
        with pytest.raises(ConnectionResetError):
            plain.socket.recv(1)
    assert len(heard) == at
    assert b"HTTP/1.1 200 OK\r\n".startswith(heard[:17])
    assert addresses(sandbox) == [LYON]


def test_hang(sandbox: Account) -> None:
    install(sandbox, "hang", times=1, seconds=0.3)
    with connected(sandbox) as plain:
        begun = time.monotonic()
        plain.ask()
        until(lambda: addresses(sandbox) == [LYON])
        assert plain.heard() == b""
        assert 0.3 <= time.monotonic() - begun < PATIENCE


def test_a_hanging_connection_ends_with_its_client(sandbox: Account) -> None:
    install(sandbox, "hang", times=1, seconds=3600)
    with connected(sandbox) as plain:
        plain.ask()
        plain.socket.shutdown(socket.SHUT_WR)
        assert plain.heard() == b""


def test_late_without_delay(sandbox: Account) -> None:
    install(sandbox, "late", times=1)
    with connected(sandbox) as plain:
        plain.ask()
        plain.socket.sendall(b"more that nobody reads")
        plain.socket.settimeout(0.1)
        with pytest.raises(TimeoutError):
            plain.socket.recv(1)
        assert addresses(sandbox) == []
    until(lambda: addresses(sandbox) == [LYON])


@pytest.mark.parametrize("lacks", [1, 10, 100_000])
def test_truncate(sandbox: Account, lacks: int) -> None:
    install(sandbox, "truncate", times=1, lacks=lacks)
    with connected(sandbox) as plain:
        plain.ask()
        heard = plain.heard()
    if lacks < 1000:
        head, _, body = heard.partition(b"\r\n\r\n")
        assert f"content-length: {len(body) + lacks}".encode() in head
    else:
        assert heard == b""
    assert addresses(sandbox) == [LYON]


def test_drip(sandbox: Account) -> None:
    install(sandbox, "drip", times=1, seconds=0.002)
    with connected(sandbox) as plain:
        plain.ask()
        pieces = [plain.socket.recv(65536) for _ in range(100)]
        whole = b"".join(pieces) + plain.heard()
    assert [len(piece) for piece in pieces].count(1) > 20
    assert whole.startswith(b"HTTP/1.1 200 OK\r\n")
    assert json.loads(whole.partition(b"\r\n\r\n")[2])["number_of_contacts"] == 1


@pytest.mark.parametrize(("status", "count"), [(103, 1), (100, 3)])
def test_informational(sandbox: Account, status: int, count: int) -> None:
    install(sandbox, "informational", times=1, status=status, count=count)
    with connected(sandbox) as plain:
        plain.ask()
        heads = [plain.head().split(b"\r\n")[0] for _ in range(count)]
        assert heads == [b"HTTP/1.1 %d Interim" % status] * count
        assert plain.reply().startswith(b"HTTP/1.1 200 OK\r\n")
        plain.ask(PARIS)
        assert plain.reply().startswith(b"HTTP/1.1 200 OK\r\n")
    assert addresses(sandbox) == [LYON, PARIS]


@pytest.mark.parametrize("acts", [True, False])
def test_garbage(sandbox: Account, *, acts: bool) -> None:
    install(sandbox, "garbage", times=1, acts=acts)
    with connected(sandbox) as plain:
        plain.ask()
        heard = plain.heard()
    assert heard
    assert b"HTTP/1.1" not in heard
    assert addresses(sandbox) == [LYON] * acts


def test_refused_for_a_while(sandbox: Account) -> None:
    install(sandbox, "refuse", times=2, seconds=1)
    with connected(sandbox) as kept, connected(sandbox) as plain:
        kept.ask(PARIS, simulation_mode=True)
        with pytest.raises(ConnectionResetError):
            kept.heard()
        with pytest.raises(ConnectionRefusedError):
            Plain(str(sandbox.http.base_url))
        plain.ask()  # what was open goes on, and is struck again
        with pytest.raises(ConnectionResetError):
            plain.heard()
    until(lambda: is_open(sandbox))
    assert sandbox.deliveries() == []
    assert sandbox.send(PARIS).status_code == 200


def is_open(sandbox: Account) -> bool:
    try:
        Plain(str(sandbox.http.base_url)).socket.close()
    except ConnectionRefusedError:
        return False
    return True


def test_a_sandbox_stops_while_its_port_is_shut(tmp_path: Path) -> None:
    faults = [{"fault": "refuse", "seconds": 3600}]
    with Sandbox(tmp_path / "sandbox.db", faults=faults) as running, Account(running.url) as sandbox:
        with connected(sandbox) as plain:
            plain.ask()
            with pytest.raises(ConnectionResetError):
                plain.heard()
        begun = time.monotonic()
    assert time.monotonic() - begun < 2


# -- whom they strike --------------------------------------------------------------------------------------------------


def test_a_fault_is_for_the_requests_its_pattern_says(sandbox: Account) -> None:
    install(sandbox, "lose-reply", endpoint="*/send", simulation=False, body=PARIS)
    assert sandbox.send(LYON).status_code == 200
    assert sandbox.send(PARIS, simulation_mode=True).status_code == 200
    assert sandbox.http.get(BALANCE).status_code == 200
    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.send(PARIS)
    (shown,) = sandbox.look("faults")["faults"]
    assert (shown["matched"], shown["struck"]) == (1, 1)


def test_only_simulations_are_struck(sandbox: Account) -> None:
    install(sandbox, "lose-reply", endpoint="multi-channel/*", simulation=True)
    assert sandbox.send().status_code == 200
    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.send(simulation_mode=True)


def test_a_path_may_be_written_with_percent_signs(sandbox: Account) -> None:
    install(sandbox, "lose-reply", endpoint="multi-channel/send", times=1)
    with connected(sandbox) as plain:
        plain.socket.sendall(request().replace(b"multi-channel/send", b"multi%2Dchannel/send?x=1"))
        assert plain.heard() == b""


def test_the_controls_and_the_outbox_are_never_struck(sandbox: Account) -> None:
    install(sandbox, "refuse")
    for address in ("/", "/_sandbox/deliveries", "/_sandbox/requests", "/nothing"):
        assert sandbox.http.get(address).status_code in (200, 404)
    assert sandbox.look("faults")["faults"][0]["matched"] == 0
    assert sandbox.set("reset")
    assert sandbox.look("faults") == {"seed": 0, "faults": []}
    assert sandbox.send().status_code == 200


def test_the_first_in_the_list_strikes_and_every_fault_counts(sandbox: Account) -> None:
    sandbox.set(
        "faults",
        faults=[
            {"fault": "lose-reply", "times": 1},
            {"fault": "reset-request", "skip": 1},
            {"fault": "status", "status": 500, "acts": True},
        ],
    )
    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.send(LYON)
    with pytest.raises(httpx.TransportError):
        sandbox.send(PARIS)
    shown = sandbox.look("faults")["faults"]
    assert [(one["matched"], one["struck"]) for one in shown] == [(2, 1), (2, 1), (1, 1)]
    assert addresses(sandbox) == [LYON]


# -- what is not struck passes as it came ------------------------------------------------------------------------------


def test_a_request_in_chunks_passes_and_is_matched(sandbox: Account) -> None:
    install(sandbox, "lose-reply", body=f'"{PARIS}"', times=1)
    whole = request(PARIS)
    head, _, body = whole.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"content-length")]
    begun = b"\r\n".join([*lines, b"transfer-encoding: chunked", b"", b""])
    chunks = b"".join(b"%x;a=b\r\n%s\r\n" % (len(body[n : n + 30]), body[n : n + 30]) for n in range(0, len(body), 30))
    with connected(sandbox) as plain:
        plain.socket.sendall(begun + chunks + b"0\r\nx-last: 1\r\n\r\n")
        assert plain.heard() == b""
    with connected(sandbox) as plain:
        plain.socket.sendall(begun + chunks + b"0\r\n\r\n")
        assert json.loads(plain.reply().partition(b"\r\n\r\n")[2])["number_of_contacts"] == 1
    assert addresses(sandbox) == [PARIS, PARIS]


def test_a_client_may_wait_to_be_told_to_go_on(sandbox: Account) -> None:
    head, _, body = request().partition(b"\r\n\r\n")
    with connected(sandbox) as plain:
        plain.socket.sendall(head + b"\r\nexpect: 100-continue\r\n\r\n")
        assert plain.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
        plain.socket.sendall(body)
        assert plain.reply().startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("line", [b"HTTP/1.0\r\n", b"HTTP/1.1\r\nconnection: close\r\n"])
def test_a_connection_that_is_not_to_be_kept_is_not(sandbox: Account, line: bytes) -> None:
    with connected(sandbox) as plain:
        plain.socket.sendall(request().replace(b"HTTP/1.1\r\n", line))
        assert plain.heard().startswith(b"HTTP/1.1 200 OK\r\n")


def test_replies_without_a_body(sandbox: Account) -> None:
    with connected(sandbox) as plain:
        for _ in range(2):
            plain.socket.sendall(b"HEAD / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
            assert plain.head().startswith(b"HTTP/1.1 200 OK\r\n")
        ticket = sandbox.accepted(send_at="2099-01-01T00:00:00Z")["sms_ticket"]
        how = {"channel": "sms", "ticket_number": ticket}
        assert sandbox.http.request("DELETE", f"{BASE}/multi-channel/cancel", json=how).status_code == 204


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\r\n\r\n",
        b"GET / HTTP/2\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nx: " + b"x" * 70_000,
    ],
)
def test_what_is_no_http_is_told_so(sandbox: Account, nonsense: bytes) -> None:
    with connected(sandbox) as plain:
        plain.socket.sendall(nonsense)
        assert plain.socket.recv(12) == b"HTTP/1.1 400"


@pytest.mark.parametrize("cut", [10, 120, -5])
def test_a_client_that_goes_within_its_request_has_sent_nothing(sandbox: Account, cut: int) -> None:
    with connected(sandbox) as plain:
        plain.socket.sendall(request()[:cut])
    assert sandbox.send(PARIS).status_code == 200
    assert addresses(sandbox) == [PARIS]


def test_a_large_reply_to_a_client_that_closes_early(sandbox: Account) -> None:
    install(sandbox, "huge-reply", times=1)
    with connected(sandbox) as plain:
        plain.ask()
        assert plain.socket.recv(17) == b"HTTP/1.1 200 OK\r\n"
    assert sandbox.send(PARIS).status_code == 200
    assert addresses(sandbox) == [LYON, PARIS]


def test_a_client_that_does_not_read_holds_nothing_up(tmp_path: Path) -> None:
    faults = [{"fault": "huge-reply", "megabytes": 40}, {"fault": "drip", "skip": 1, "seconds": 0.001}]
    with ExitStack() as ends:
        with Sandbox(tmp_path / "sandbox.db", faults=faults) as running, Account(running.url) as sandbox:
            for number in (LYON, PARIS):
                plain = ends.enter_context(connected(sandbox))
                plain.ask(number)
                until(lambda: addresses(sandbox)[-1:] == [number])  # noqa: B023  it is called at once
            begun = time.monotonic()
        assert time.monotonic() - begun < 4


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
