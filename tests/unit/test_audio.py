"""The recording a file names: read over verified https from public addresses alone, and held against its digest."""

from __future__ import annotations

import hashlib
import http.server
import ipaddress
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from recordings import form, riff, written

from octoplan import wire
from octoplan.core.message import Audio
from octoplan.core.model import NotSent, Reply, Severity
from octoplan.core.recording import Recording
from octoplan.core.rules.url import is_public, is_reserved
from octoplan.project import audio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME = "media.acme.fr"
HELLO = written(8000 * 12)
PAGES: dict[str, bytes] = {"/hello.wav": HELLO, "/page.wav": b"<!doctype html>", "/silent.wav": riff(form())}


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers by the name of the file, and keeps what was asked."""

    server: Server

    def do_GET(self) -> None:
        self.server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        path = self.path.partition("?")[0]
        if path == "/moved.wav":
            self.answer(302, location=f"https://{NAME}:{self.server.server_port}/hello.wav")
        elif path == "/dripping.wav":
            self.answer(200, length=100)
            for _ in range(20):
                self.wfile.write(b"R")
                self.wfile.flush()
                time.sleep(0.1)
        elif path in PAGES:
            self.answer(200, length=len(PAGES[path]))
            self.wfile.write(PAGES[path])
        else:
            self.answer(404)

    def answer(self, status: int, *, length: int = 0, **headers: str) -> None:
        self.send_response(status)
        self.send_header("set-cookie", "a=b")
        self.send_header("content-length", str(length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    """A server with a certificate for one name; `asked` are its requests, `named` the names of the handshakes."""

    daemon_threads = True

    def __init__(self, certificate: trustme.LeafCert) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.named: list[str | None] = []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(self.context)
        self.context.sni_callback = lambda _socket, name, _context: self.named.append(name)
        self.socket = self.context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, *_: object) -> None:
        """Expect clients that hang up."""


@contextmanager
def serving(certificate: trustme.LeafCert) -> Iterator[Server]:
    with Server(certificate) as server:
        thread = threading.Thread(target=partial(server.serve_forever, 0.01), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@dataclass
class Names:
    """What names lead to; any other is looked up as usual. `asked` are the names that were looked up."""

    known: dict[str, list[str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def look_up(self, usual: Callable[..., Any], host: str, port: Any, *rest: Any, **more: Any) -> Any:
        self.asked.append(host)
        found = self.known.get(host)
        if found is None:
            return usual(host, port, *rest, **more)
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port or 0))
            for one in found
        ]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    there = Names(known={NAME: ["127.0.0.1"]})
    monkeypatch.setattr(socket, "getaddrinfo", partial(there.look_up, socket.getaddrinfo))
    return there


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let recordings be read from this machine, by the authority of the tests."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    monkeypatch.setattr(wire, "fetch", partial(wire.fetch, context=context, may_reach=lambda _: True))


@pytest.fixture
def server(authority: trustme.CA, names: Names, trusted: None) -> Iterator[Server]:  # noqa: ARG001  what it needs
    with serving(authority.issue_cert(NAME)) as found:
        yield found


def recorded(server: Server, path: str = "/hello.wav", content: bytes = HELLO) -> Audio:
    url = f"https://{NAME}:{server.server_port}{path}"
    return Audio(url=url, sha256=hashlib.sha256(content).hexdigest())


def heard(given: Audio) -> Recording:
    return audio.hear(given, sandbox=False, offline=False)


def problem(given: Audio) -> str:
    found = heard(given)
    (one,) = found.findings
    assert (found.seconds, one.rule, one.severity, one.path[:2]) == (0, "audio", Severity.ERROR, ("message", "audio"))
    assert one.hint
    return one.message


def test_a_recording_is_read_and_timed(server: Server, names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert heard(recorded(server, "/hello.wav?a=1")) == Recording(seconds=12)
    ((path, headers),) = server.asked
    assert path == "/hello.wav?a=1"
    assert headers.keys() == {"host", "accept", "accept-encoding", "connection", "user-agent"}
    assert headers["host"] == f"{NAME}:{server.server_port}"
    assert headers["accept-encoding"] == "identity"
    assert server.named == [NAME]
    assert names.asked.count(NAME) == 1


def test_without_a_recording_nothing_is_read() -> None:
    assert audio.hear(None, sandbox=False, offline=False) == Recording()


def test_offline_nothing_is_read(server: Server) -> None:
    found = audio.hear(recorded(server), sandbox=False, offline=True)
    assert (found.seconds, [one.severity for one in found.findings]) == (0, [Severity.INFO])
    assert server.asked == []


@pytest.mark.parametrize("url", ["https://media.acme.example/a.wav", "https://www.EXAMPLE.com:8443/a.wav"])
def test_sample_data_is_for_the_sandbox(url: str, names: Names) -> None:
    sample = Audio(url=url, sha256="0" * 64)
    for offline in (True, False):
        (info,) = audio.hear(sample, sandbox=True, offline=offline).findings
        assert (info.rule, info.severity) == ("audio", Severity.INFO)
        (wrong,) = audio.hear(sample, sandbox=False, offline=offline).findings
        assert (wrong.rule, wrong.severity) == ("audio", Severity.ERROR)
    assert names.asked == []


@pytest.mark.parametrize(
    ("url", "reserved"),
    [
        ("https://example.com/a", True),
        ("https://a.b.example.net", True),
        ("https://example.org:1/", True),
        ("https://acme.example", True),
        ("https://acme.test/", True),
        ("https://acme.invalid?x", True),
        ("https://example.fr/", False),
        ("https://acme.fr/x.example", False),
        ("https://myexample.com/", False),
        ("https://example.com.acme.fr/", False),
        ("https://8.8.8.8/", False),
        ("https://[2606:4700::1111]/", False),
        ("https://[", False),
        ("x", False),
    ],
)
def test_names_are_reserved_by_their_end(url: str, *, reserved: bool) -> None:
    assert is_reserved(url) is reserved


def test_another_recording_is_not_the_one_that_was_pinned(server: Server) -> None:
    said = problem(recorded(server, content=b"other"))
    for content in (HELLO, b"other"):
        assert hashlib.sha256(content).hexdigest()[:12] in said
        assert hashlib.sha256(content).hexdigest() not in said


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/gone.wav", "the server answers 404"),
        ("/moved.wav", "the server answers 302, and is not followed elsewhere"),
        ("/page.wav", "the recording is not RIFF/WAVE"),
        ("/silent.wav", "the recording holds no sound"),
    ],
)
def test_what_is_no_recording_is_told(server: Server, path: str, why: str) -> None:
    assert why in problem(recorded(server, path, PAGES.get(path, b"")))
    assert len(server.asked) == 1


@pytest.mark.parametrize(("largest", "why"), [(150_000, "it is larger than"), (1000, "the reply is over")])
def test_a_recording_has_a_size(server: Server, monkeypatch: pytest.MonkeyPatch, largest: int, why: str) -> None:
    monkeypatch.setattr(audio, "LARGEST", largest)
    assert why in problem(recorded(server))


def test_reading_has_its_time(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio, "SECONDS", 0.3)
    began = time.monotonic()
    assert "no whole reply before the deadline" in problem(recorded(server, "/dripping.wav"))
    assert time.monotonic() - began < 1.5


@pytest.mark.usefixtures("names", "trusted")
def test_a_certificate_is_for_its_name(authority: trustme.CA) -> None:
    with serving(authority.issue_cert("other.acme.fr")) as server:
        assert "CERTIFICATE_VERIFY_FAILED" in problem(recorded(server))
        assert server.asked == []


@pytest.mark.usefixtures("names")
def test_a_certificate_is_of_a_known_authority(authority: trustme.CA) -> None:
    with serving(authority.issue_cert(NAME)) as server:
        seen = wire.fetch(recorded(server).url, cap=1000, deadline=wire.Deadline(), may_reach=lambda _: True)
        assert isinstance(seen, NotSent)
        assert "CERTIFICATE_VERIFY_FAILED" in seen.reason
        assert server.asked == []


def test_every_address_of_a_name_is_tried(server: Server, names: Names) -> None:
    names.known[NAME] = ["::1", "127.0.0.1"]
    assert heard(recorded(server)).seconds == 12
    names.known[NAME] = ["::1"]
    assert "cannot connect" in problem(recorded(server))
    names.known[NAME] = []
    assert "the name has no address" in problem(recorded(server))


def test_a_name_that_nobody_knows(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert "Name or service not known" in problem(recorded(server))


INSIDE = [
    *("127.0.0.1", "127.255.255.254", "0.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1"),
    *("169.254.169.254", "168.63.129.16", "100.100.100.200", "192.0.0.192", "224.0.0.1", "255.255.255.255"),
    *("192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "240.0.0.1", "192.88.99.1"),
    *("::1", "::", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1"),
    *("fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1", "2002:7f00:1::", "2001:0:7f00:1::"),
    *("2001:db8::1", "3fff::1", "100::1", "2606:4700::1111%eth0"),
]
OUTSIDE = ["8.8.8.8", "1.1.1.1", "80.67.169.12", "2606:4700::1111", "2a00:1450:4007:80e::200e"]


@pytest.mark.parametrize("address", INSIDE)
def test_nothing_is_read_from_inside_a_network(address: str, names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object, **__: object) -> None:
        raise AssertionError("connected")

    monkeypatch.setattr(socket, "create_connection", connect)
    assert not is_public(ipaddress.ip_address(address))
    for others in ([], ["8.8.8.8"]):
        names.known[NAME] = [*others, address]
        seen = wire.fetch(f"https://{NAME}/a.wav", cap=1000, deadline=wire.Deadline())
        assert seen == NotSent(reason=f"its host leads to {address}, which is no public address")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:7f00:1]", "localhost", "127.1", "2130706433"])
def test_this_machine_is_no_public_address(host: str) -> None:
    given = Audio(url=f"https://{host}/a.wav", sha256="0" * 64)
    assert "which is no public address" in problem(given)


@pytest.mark.parametrize("address", OUTSIDE)
def test_public_addresses_are_reached(address: str, names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_public(ipaddress.ip_address(address))
    reached: list[Any] = []

    def connect(place: Any, *_: object, **__: object) -> None:
        reached.append(place)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    names.known[NAME] = [address]
    seen = wire.fetch(f"https://{NAME}:8443/a.wav", cap=1000, deadline=wire.Deadline())
    assert isinstance(seen, NotSent)
    assert reached == [(address, 8443)]


def test_a_reply_within_its_cap_is_whole(server: Server) -> None:
    seen = wire.fetch(recorded(server).url, cap=len(HELLO) + 1000, deadline=wire.Deadline())
    assert isinstance(seen, Reply)
    assert seen.body == HELLO
