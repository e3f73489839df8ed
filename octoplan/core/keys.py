"""Keyed hashes: the contact key, the request id, the approved set, and what binds them to a ledger.

H is BLAKE2b keyed with the ledger's key K, 16 bytes, over length-prefixed fields, so that no two
field lists share an input. A plain hash of a phone number is reversed in minutes; this one is not
without K. The test vectors in the tests pin it: changing it would make everybody look new.
"""

from __future__ import annotations

import hashlib
import unicodedata
from base64 import b32encode
from typing import TYPE_CHECKING

from octoplan.core import email

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SIZE = 16
"""Bytes of a contact key."""

KEY_SIZE = 32
"""Bytes of a ledger's key K."""

REQUEST_ID_LENGTH = 26


def digest(key: bytes, *fields: bytes) -> bytes:
    """Return H(fields) under `key`: 16 bytes."""
    state = hashlib.blake2b(key=key, digest_size=SIZE)
    for field in fields:
        state.update(len(field).to_bytes(8, "big"))
        state.update(field)
    return state.digest()


def canonical_address(address: str) -> str:
    """Return the form of an address that its contact key is made of.

    E.164 is already canonical; an e-mail address is in lower case, its domain as A-labels. What is no
    address stays what it is, in NFC.
    """
    found = email.canonical(address) if "@" in address else None
    return found.address if isinstance(found, email.Email) else unicodedata.normalize("NFC", address)


def contact_key(key: bytes, address: str) -> bytes:
    """Return the contact key of one address, canonical or not."""
    return digest(key, b"contact", canonical_address(address).encode())


def held_key(key: bytes) -> bytes:
    """Return the key that stands for an audience which a provider holds: no address has it."""
    return digest(key, b"held")


def contact_keys(key: bytes, addresses: Iterable[str]) -> list[bytes]:
    """Return the contact keys of canonical addresses, in their order; a million a second."""
    start = hashlib.blake2b(key=key, digest_size=SIZE)
    start.update((7).to_bytes(8, "big") + b"contact")
    keys = []
    for address in addresses:
        state = start.copy()
        encoded = address.encode()
        state.update(len(encoded).to_bytes(8, "big") + encoded)
        keys.append(state.digest())
    return keys


def key_check(key: bytes) -> str:
    """Return the value a ledger stores to recognise its key; it tells nothing about the key."""
    return digest(key, b"key-check").hex()


def request_id(key: bytes, spec_hash: str, *, keys: Sequence[bytes], payload: bytes, generation: int) -> str:
    """Return the request id of one batch: 26 characters of `[a-z2-7]`.

    `payload` is the request's body without its own request-id field; `generation` is one more than
    the highest of any earlier attempt of any of its people.
    """
    raw = digest(key, b"request", spec_hash.encode(), b"".join(sorted(keys)), payload, generation.to_bytes(8, "big"))
    return b32encode(raw).decode().rstrip("=").lower()


def payload_hash(key: bytes, payload: bytes) -> str:
    """Return what the ledger remembers of a request's exact bytes."""
    return digest(key, b"payload", payload).hex()


def approved_entries(
    key: bytes, campaign: str, *, edition: int, keys: Sequence[bytes], contents: Sequence[str]
) -> list[bytes]:
    """Return one approved-set entry per contact: who gets what of which edition."""
    start = hashlib.blake2b(key=key, digest_size=SIZE)
    for field in (b"approved", campaign.encode(), edition.to_bytes(8, "big")):
        start.update(len(field).to_bytes(8, "big") + field)
    prefix = SIZE.to_bytes(8, "big")
    entries = []
    for contact, content in zip(keys, contents, strict=True):
        state = start.copy()
        encoded = content.encode()
        state.update(prefix + contact + len(encoded).to_bytes(8, "big") + encoded)
        entries.append(state.digest())
    return entries


def seal(key: bytes, content: bytes) -> str:
    """Return the MAC of a saved plan's bytes under the ledger's key."""
    return hashlib.blake2b(content, key=key, digest_size=32).hexdigest()
