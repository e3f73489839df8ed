"""No spelling of an address that is not public gets through, whoever reads it."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from octoplan.core.rules.url import check_url

if TYPE_CHECKING:
    from collections.abc import Callable

NETWORKS = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
    *("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4"),
)
INSIDE = st.sampled_from(NETWORKS).flatmap(lambda network: st.ip_addresses(v=4, network=network))
BASES: st.SearchStrategy[Callable[[int], str]] = st.sampled_from(
    [str, hex, lambda number: f"0{number:o}", lambda number: f"0X{number:08X}"]
)
MAPPED = st.sampled_from(["::ffff:{}", "64:ff9b::{}", "::{}", "::ffff:0:{}", "0:0:0:0:0:ffff:{}"])


PIECES = st.sampled_from(
    [
        *("acme", ".", ".example", "8.8.8.8", "1", "0x7f", "localhost", "xn--t-9fab", "１", "é", "-", "_"),
        *("@", ":", ":443", "/", "?", "#", "\\", "[", "]", "[::1]", "%31", "%", " ", "\t", "//", "https://"),
    ]
)


@st.composite
def spellings(draw: st.DrawFn) -> str:
    """Draw an address in one to four numbers, each in a base of its own."""
    number = int(draw(INSIDE))
    count = draw(st.integers(1, 4))
    numbers = [number >> (24 - 8 * index) & 255 for index in range(count - 1)]
    numbers.append(number & (1 << (8 * (5 - count))) - 1)
    return ".".join(draw(BASES)(part) for part in numbers)


@settings(max_examples=150, deadline=None)
@given(spellings(), st.sampled_from(["", ".", ":443", "/a"]))
def test_no_spelling_of_an_inner_address_is_taken(host: str, after: str) -> None:
    assert check_url(f"https://{host}{after}", ())


@settings(max_examples=100, deadline=None)
@given(INSIDE, MAPPED)
def test_no_inner_address_is_taken_inside_an_ipv6_one(address: ipaddress.IPv4Address, mapped: str) -> None:
    assert check_url(f"https://[{mapped.format(address)}]/", ())
    assert check_url(f"https://[{mapped.format(f'{int(address) >> 16:x}:{int(address) & 0xFFFF:x}')}]/", ())
    assert check_url(f"https://[{ipaddress.IPv6Address((0x2002 << 112) | int(address) << 80)}]/", ())


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=6).map("".join))
def test_what_is_taken_has_one_host_for_everybody(rest: str) -> None:
    url = f"https://{rest}"
    if check_url(url, ()):
        return
    host = urlsplit(url).hostname
    assert host
    assert httpx.URL(url).raw_host.decode().strip("[]") == host
    try:
        assert ipaddress.ip_address(socket.inet_aton(host)).is_global
    except OSError:
        assert not host.replace(".", "").isdigit()
