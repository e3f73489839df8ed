"""Addresses that a provider will call or fetch: https, a public host, read alike by every parser.

Parsers disagree about blanks, backslashes, user names, numbers as hosts, other scripts and dots at the end; each
of these is refused instead of guessed. Names are not looked up: what a public name points to is not known here.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from octoplan.core.quoting import quoted
from octoplan.core.rules import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from octoplan.core.model import Finding, KeyPath

LONGEST = 2048
PUBLIC = "use the public name of a host, such as hooks.acme.example"

_UNWRITTEN = re.compile(r"[^A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]|%(?![0-9A-Fa-f]{2})")
"""What RFC 3986 does not have in an address."""
_PARTS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?://(?P<authority>[^/?#]*))?")
_PLACE = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?P<port>:[^:]*)?")
_PORT = re.compile(r":(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])")
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LONGEST_NAME = 253
_PORTS = "1 to 65535"
_HOSTS = 2
"""Labels that a public name has at least."""

_PRIVATE_NAMES = (
    *("localhost", "local", "localdomain", "internal", "intranet", "private", "lan", "home", "corp", "arpa"),
    *("test", "invalid", "onion", "alt"),
)
"""Last labels of names that no public resolver knows."""
_NUMBERS_AS_NAMES = ("nip.io", "sslip.io", "xip.io", "localtest.me", "lvh.me")
"""Domains whose names stand for any address, loopback ones too."""

_RESERVED = ("example", "test", "invalid")
_RESERVED_NAMES = ("example.com", "example.net", "example.org")

_NOT_PUBLIC = tuple(
    (ipaddress.IPv4Network(network), what)
    for network, what in (
        ("0.0.0.0/8", "a local"),
        ("10.0.0.0/8", "a private"),
        ("100.64.0.0/10", "a carrier-grade"),
        ("127.0.0.0/8", "a loopback"),
        ("168.63.129.16/32", "a metadata"),
        ("169.254.0.0/16", "a link-local"),
        ("172.16.0.0/12", "a private"),
        ("192.0.0.0/24", "a reserved"),
        ("192.0.2.0/24", "a documentation"),
        ("192.88.99.0/24", "a reserved"),
        ("192.168.0.0/16", "a private"),
        ("198.18.0.0/15", "a benchmark"),
        ("198.51.100.0/24", "a documentation"),
        ("203.0.113.0/24", "a documentation"),
        ("224.0.0.0/4", "a multicast"),
        ("240.0.0.0/4", "a reserved"),
    )
)
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
"""Protocol assignments and Teredo, documentation, 6to4, documentation."""


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Tell whether an address is one that everybody reaches alike: none inside a network, in any guise."""
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not any(address in network for network, _ in _NOT_PUBLIC)
    known = address.is_global and address.scope_id is None and address in _PUBLIC_V6
    return known and not any(address in network for network in _NOT_PUBLIC_V6)


def is_reserved(url: str) -> bool:
    """Tell whether the host of a well-written address is one that stands for nobody's (RFC 2606, RFC 6761)."""
    found = _PARTS.match(url)
    place = _PLACE.fullmatch((found["authority"] or "").lower()) if found else None
    labels = place["host"].split(".") if place else [""]
    return labels[-1] in _RESERVED or ".".join(labels[-2:]) in _RESERVED_NAMES


def check_url(url: str, path: KeyPath) -> tuple[Finding, ...]:
    """Return what is wrong with an address; only its scheme and host are ever repeated."""
    return tuple(_problems(url, path))


def _problems(url: str, path: KeyPath) -> Iterator[Finding]:
    if len(url) > LONGEST:
        size, most = f"{len(url):,}", f"{LONGEST:,}"
        message = f"an address has at most {most} characters, this one has {size}"
        yield finding("url", message, path=path, value=size, limit=most, hint="shorten it")
    unwritten = _UNWRITTEN.search(url)
    if unwritten:
        where = f"U+{ord(unwritten[0]):04X} at column {unwritten.start() + 1}"
        hint = "write it percent-encoded (%20), and a host in its `xn--` form"
        yield finding("url", f"an address is plain ASCII without blanks; this one has {where}", path=path, hint=hint)
        return
    parts = _PARTS.match(url)
    scheme = parts["scheme"].lower() if parts else ""
    if parts is None or scheme != "https" or parts["authority"] is None:
        shown = quoted(scheme)[1:-1] or None
        hint = "use an address that begins with `https://`"
        yield finding("url", "an address must be https", path=path, value=shown, limit="https", hint=hint)
    if parts is not None and parts["authority"] is not None:
        yield from _authority(parts["authority"].lower(), path)


def _authority(written: str, path: KeyPath) -> Iterator[Finding]:
    _, at, place = written.rpartition("@")
    if at:
        hint = "remove what is before the `@`: it would be in every log"
        yield finding("url", "an address must not hold a user name or password", path=path, hint=hint)
    read = _PLACE.fullmatch(place)
    problem = _host_problem(read["host"]) if read else "cannot be read"
    if problem:
        shown = quoted(read["host"])[1:-1] if read else None
        yield finding("url", f"the host {problem}", path=path, value=shown, hint=PUBLIC)
    if read and read["port"] is not None and not _PORT.fullmatch(read["port"]):
        hint = "write a whole number, or leave the port out"
        yield finding("url", "the port is no number that a port can have", path=path, limit=_PORTS, hint=hint)


def _host_problem(host: str) -> str | None:
    """Return what keeps a host from being a public one that every parser reads alike."""
    labels = host.split(".")
    if host.startswith("["):
        problem = _v6_problem(host[1:-1])
    elif not host:
        problem = "is missing"
    elif _NUMBER.fullmatch(labels[-1]):
        problem = _v4_problem(host)
    elif host.endswith("."):
        problem = "ends in a dot"
    elif len(host) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, labels)):
        problem = "is no name that can be looked up"
    else:
        problem = _name_problem(labels)
    return problem


def _name_problem(labels: list[str]) -> str | None:
    if len(labels) < _HOSTS or labels[-1] in _PRIVATE_NAMES:
        return "is known inside a network only"
    if ".".join(labels[-2:]) in _NUMBERS_AS_NAMES:
        return "may stand for any address"
    return None


def _v4_problem(host: str) -> str | None:
    """Return what is wrong with a number; one dotted spelling is left, the others are read as different addresses."""
    try:
        address = ipaddress.IPv4Address(host)
    except ValueError:
        return "is a number in a spelling that is read in different ways"
    return next((f"is {what} address" for network, what in _NOT_PUBLIC if address in network), None)


def _v6_problem(host: str) -> str | None:
    """Return what is wrong with an IPv6 address; IPv4 in any of its guises is outside the public block."""
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        return "cannot be read"
    return None if is_public(address) else "is no public address"
