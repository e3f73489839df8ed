"""Addresses of callbacks and media: https, public, and read alike by everybody."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
import pytest

from octoplan.core.rules.url import check_url

PATH = ("options", "callback", "url")


def problems(url: str) -> list[str]:
    findings = check_url(url, PATH)
    assert {(found.rule, found.path) for found in findings} <= {("url", PATH)}
    assert all(found.hint for found in findings)
    return [found.message for found in findings]


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.acme.example/sms",
        "HTTPS://Hooks.ACME.example:8443/a%20b/?a=1&b=[2]#c",
        "https://acme.example?next=https://localhost/@x",
        "https://xn--t-9fab.example/%C3%A9",
        "https://1and1.example/",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]:443/x",
        "https://a-b.c0.acme.example",
        "https://0x7f.example/",
        "https://" + "a" * 63 + ".example/",
        "https://acme.example/" + "x" * 2027,
    ],
)
def test_public_https_address_is_fine(url: str) -> None:
    assert problems(url) == []
    assert urlsplit(url).hostname == httpx.URL(url).raw_host.decode().strip("[]")


@pytest.mark.parametrize(
    "url",
    [
        "http://acme.example/",
        "file:///etc/passwd",
        "gopher://acme.example/",
        "data:text/html,x",
        "javascript:alert(1)",
        "//acme.example/x",
        "acme.example/x",
        "",
        "https:acme.example",
        "https:/acme.example",
        "ftp:x",
    ],
)
def test_only_https_is_taken(url: str) -> None:
    assert problems(url)[0] == "an address must be https"


LOOPBACK = [
    *("127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7F.0.0.1", "0177.0.0.1", "017700000001"),
    *(
        "127.0.0.0x1",
        "127.0.0.01",
        "127.255.255.254",
        "0",
        "0.0.0.0.",
        "00.0.0.0",
        "0x",
        "4294967295",
        "127.0.0.1.",
        "2130706433.",
    ),
    *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]"),
    *("[64:ff9b::127.0.0.1]", "[::127.0.0.1]", "[2002:7f00:1::]", "[64:ff9b:1::7f00:1]", "[2001:0:7f00:1::]"),
    *("localhost", "LOCALHOST", "localhost.", "a.localhost", "localhost.localdomain", "127.0.0.1.nip.io", "lvh.me"),
    *("１２７.0.0.1", "ⓛocalhost", "localhost\u3002", "127。0。0。1", "%6cocalhost", "%31%32%37.0.0.1", "127.0.0.1%00"),
]
OTHERS = [
    *("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.100.100.200", "169.254.169.254"),
    *("2852039166", "0xA9FEA9FE", "0251.0376.0251.0376", "169.254.43518", "[::ffff:169.254.169.254]"),
    *("[fd00:ec2::254]", "[fe80::1]", "[fe80::1%25eth0]", "[fe80::1%eth0]", "[fc00::1]", "[ff02::1]", "[fec0::1]"),
    *("224.0.0.1", "239.1.1.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1"),
    *("198.18.0.1", "192.0.0.192", "168.63.129.16", "[2001:db8::1]", "[3fff::1]", "192.88.99.1", "[100::1]"),
    *(
        "metadata",
        "intranet",
        "metadata.google.internal",
        "printer.local",
        "nas.lan",
        "x.home.arpa",
        "a.test",
        "b.onion",
    ),
    *(
        "acme.example.",
        "acme..example",
        ".acme.example",
        "-acme.example",
        "acme-.example",
        "ac_me.example",
        "acme.exa*",
    ),
    *("a" * 64 + ".example", ".".join(["a" * 60] * 5), "", "[", "]", "[]", "[::1", "::1", "[v1.a]", "a[::1]", "[::1]a"),
    *(
        "été.example",
        "acme.example\\@evil.example",
        "acme.example\t",
        "acme .example",
        "256.1.1.1",
        "1.2.3.4.5",
        "1.2.3",
    ),
    *("[2606:4700::1111%25x]", "[2606:4700::1111%x]", "1.2.3.4.0x1"),
]


@pytest.mark.parametrize("host", LOOPBACK + OTHERS)
def test_a_host_that_is_not_public_or_not_clear_is_refused(host: str) -> None:
    assert len(problems(f"https://{host}/hook")) == 1
    assert len(problems(f"https://{host}:8443")) == 1
    assert problems(f"https://user:secret@{host}/")


@pytest.mark.parametrize("port", ["", "0", "65536", "99999", "-1", "80a", "080", "1" * 5000])
def test_port_is_a_number(port: str) -> None:
    (problem, *_) = problems(f"https://acme.example:{port}"[:2000])
    assert problem == "the port is no number that a port can have"


def test_no_credentials_and_nothing_of_them_is_repeated() -> None:
    url = "http://crm:hunter2@127.0.0.1:99999/hunter2?key=hunter2"
    findings = check_url(url, PATH)
    assert [(found.message, found.value) for found in findings] == [
        ("an address must be https", "http"),
        ("an address must not hold a user name or password", None),
        ("the host is a loopback address", "127.0.0.1"),
        ("the port is no number that a port can have", None),
    ]
    assert "hunter2" not in repr(findings)
    assert problems("https://@acme.example/") == ["an address must not hold a user name or password"]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a b", "U+0020 at column 22"),
        ("a\nb", "U+000A at column 22"),
        ("a\0", "U+0000 at column 22"),
        ("\u202e", "U+202E at column 21"),
        ("\\", "U+005C at column 21"),
        ("%zz", "U+0025 at column 21"),
        ("<x>", "U+003C at column 21"),
        ("é", "U+00E9 at column 21"),
    ],
)
def test_characters_that_are_read_in_different_ways_are_refused(text: str, where: str) -> None:
    assert problems(f"https://acme.example{text}") == [
        f"an address is plain ASCII without blanks; this one has {where}"
    ]


def test_long_address_is_refused() -> None:
    (found,) = check_url("https://acme.example/" + "x" * 3000, PATH)
    assert (found.value, found.limit) == ("3,021", "2,048")
