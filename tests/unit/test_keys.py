"""The keyed hashes, pinned: a change here would make everybody look new."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from octoplan.core import keys

KEY = bytes(range(32))


def test_vectors_are_pinned() -> None:
    assert keys.digest(KEY, b"a", b"bc").hex() == "6d9864c82cd987fd0dc4fe0778318435"
    assert keys.contact_key(KEY, "+33639980012").hex() == "b411bc26ade08ed74253afe0fba60378"
    assert keys.key_check(KEY) == "58a16151dddc0b4a3c2ce26ff868474d"
    assert keys.payload_hash(KEY, b"{}") == "9b1ed57ea00c10c9461c6ca43f107c51"
    assert (
        keys.request_id(KEY, "sha256:0/7f3a91c2", keys=[b"b" * 16, b"a" * 16], payload=b"{}", generation=1)
        == "5e3ixwj6emgkplqtisgf5azqpi"
    )
    assert keys.seal(KEY, b"plan") == "66570cd88f2ff4b29c5364437b3abfd1888e0caa2119aa910537acfe5c91e580"


def test_fields_are_length_prefixed() -> None:
    assert keys.digest(KEY, b"ab", b"c") != keys.digest(KEY, b"a", b"bc")


def test_a_request_id_has_26_letters_of_base32_and_does_not_depend_on_key_order() -> None:
    one = keys.request_id(KEY, "s", keys=[b"a" * 16, b"b" * 16], payload=b"p", generation=1)
    assert re.fullmatch(r"[a-z2-7]{26}", one)
    assert one == keys.request_id(KEY, "s", keys=[b"b" * 16, b"a" * 16], payload=b"p", generation=1)


def test_a_request_id_changes_with_every_part() -> None:
    def identity(*, spec: str = "s", payload: bytes = b"p", generation: int = 1, contact: bytes = b"a") -> str:
        return keys.request_id(KEY, spec, keys=[contact * 16], payload=payload, generation=generation)

    others = {identity(spec="t"), identity(payload=b"q"), identity(generation=2), identity(contact=b"b"), identity()}
    assert len(others) == 5


def test_an_e_mail_address_has_one_key_in_every_spelling() -> None:
    canonical = "zoe@xn--caf-dma.example"
    assert keys.contact_key(KEY, canonical).hex() == "7066e0f156a89653b9f07f38aadaf7f5"
    for spelling in ("Zoe@CAF\u00c9.example", "zoe@cafe\u0301.EXAMPLE", "ZOE@XN--CAF-DMA.example", f" <{canonical}>"):
        assert keys.contact_key(KEY, spelling) == keys.contact_key(KEY, canonical)
    assert keys.contact_keys(KEY, [canonical]) == [keys.contact_key(KEY, canonical)]


def test_what_is_no_address_has_a_key_in_nfc() -> None:
    assert keys.contact_key(KEY, "zoe\u0301@acme.example") == keys.contact_key(KEY, "zo\u00e9@acme.example")
    assert keys.canonical_address("+33639980012") == "+33639980012"


@given(st.lists(st.from_regex(r"\+[0-9]{5,15}", fullmatch=True)))
def test_many_contact_keys_equal_one_by_one(addresses: list[str]) -> None:
    assert keys.contact_keys(KEY, addresses) == [keys.contact_key(KEY, address) for address in addresses]


@given(st.lists(st.tuples(st.binary(min_size=16, max_size=16), st.text()), max_size=5))
def test_an_approved_entry_is_the_hash_of_who_gets_what(pairs: list[tuple[bytes, str]]) -> None:
    contacts, texts = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    entries = keys.approved_entries(KEY, "noel", edition=2, keys=contacts, contents=texts)
    expected = [
        keys.digest(KEY, b"approved", b"noel", (2).to_bytes(8, "big"), contact, text.encode())
        for contact, text in pairs
    ]
    assert entries == expected
