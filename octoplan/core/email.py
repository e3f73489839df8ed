"""E-mail addresses: one spelling for each, or the reason there is none.

`canonical` judges one address with email-validator, strictly, and asks no name server. `ACCEPT` and
`REFUSE` are the usual spellings as regular expressions that an engine can run over millions of cells;
they recognise fewer spellings than `canonical`, never more, and never read one differently (a property
test holds them to that).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from octoplan.core.misspelled import MISSPELLED

BLANKS = " \t\r\n\u00a0\u2007\u202f"
"""What may stand around an address: blanks, also the no-break ones of French typography."""

LONGEST = 254
"""Characters of an address that a mail server must take (RFC 5321)."""

FICTION = r"\.(?:example|invalid|localhost|test)$|[@.]example\.(?:com|net|org)$"
"""What a canonical address ends with that RFC 2606 and RFC 6761 reserve: nobody has a mailbox there."""

UNREACHABLE = ("alt", "arpa", "internal", "local", "onion")
"""Special-use top-level domains of networks that are not the public one."""

NUMBER = "[+(]{0,2}[0-9][-0-9 \t.()/\u00a0\u2007\u202f]{5,}"
"""What looks like a telephone number, whole."""

ACCEPT = r"[A-Za-z0-9_+&'.-]{1,64}@(?:[A-Za-z0-9-]{1,50}\.){1,3}[A-Za-z]{2,24}"
"""A usual address, whole, without what `REFUSE` finds in it: in lower case it is canonical."""

REFUSE = rf"^\.|\.\.|\.@|@-|-\.|\.-|--|\.(?i:{'|'.join(UNREACHABLE)})$"

_NAMED = re.compile(r"[^<>@]*<([^<>]*)>")
"""An address as mail programs write it, in angle brackets after a name."""

_STAND_IN = "fr"

_RESERVED = frozenset(("example", "invalid", "localhost", "test", *UNREACHABLE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """An address that can be contacted: lower case, its domain as A-labels, all ASCII.

    `misspelled`: its domain looks like a big provider's, mistyped. `fiction`: its domain is reserved for examples.
    """

    address: str
    misspelled: bool = False
    fiction: bool = False


def canonical(raw: str) -> Email | str:
    """Read an address as people write them; a name before an address in angle brackets is dropped.

    Returns the reason word of what nobody can be contacted at: `empty`, `phone-number` for what looks like
    one, `no-at`, `several-at`, `too-long`, `ip-address`, `not-ascii` and `quoted` for a part before the @ that
    many servers cannot take, `reserved-domain` for a network of its own, or `not-valid`.
    """
    spelling = bare(raw)
    reason = _unreadable(spelling)
    if reason:
        return reason
    local, _, domain = spelling.rpartition("@")
    return _judge(local, domain)


def bare(raw: str) -> str:
    """Return a text without what may stand around an address."""
    spelling = raw.strip(BLANKS)
    named = _NAMED.fullmatch(spelling)
    return named[1].strip(BLANKS) if named else spelling


def domain(address: str) -> str:
    """Return the domain of a canonical address."""
    return address.rpartition("@")[2]


def _unreadable(spelling: str) -> str | None:
    if not spelling:
        return "empty"
    if "@" not in spelling:
        return "phone-number" if re.fullmatch(NUMBER, spelling) else "no-at"
    if len(spelling) > LONGEST:
        return "too-long"
    if spelling.count("@") > 1 and '"' not in spelling:
        return "several-at"
    local, _, host = spelling.rpartition("@")
    if host.startswith("["):
        return "ip-address"
    return None if local.isascii() else "not-ascii"


def _judge(local: str, host: str) -> Email | str:
    """Ask the library; it refuses most reserved names, so a public one, shorter than any, stands in for them."""
    from email_validator import validate_email  # noqa: PLC0415 - most work needs no e-mail

    parent, _, ending = host.rpartition(".")
    reserved = ending.lower() in _RESERVED
    try:
        read = validate_email(
            f"{local}@{parent}.{_STAND_IN}" if reserved else f"{local}@{host}",
            strict=True,
            allow_smtputf8=False,
            allow_quoted_local=True,
            check_deliverability=False,
        )
    except ValueError:  # its own refusals, and those of the IDNA tables below it
        return "not-valid"
    if read.local_part.startswith('"'):
        return "quoted"
    ascii_host = read.ascii_domain.removesuffix(_STAND_IN) + ending.lower() if reserved else read.ascii_domain
    return _judged(f"{read.local_part}@{ascii_host}".lower())


def _judged(address: str) -> Email | str:
    host = domain(address)
    if host.rpartition(".")[2] in UNREACHABLE:
        return "reserved-domain"
    if len(address) > LONGEST:
        return "too-long"
    return Email(address=address, misspelled=host in MISSPELLED, fiction=re.search(FICTION, address) is not None)
