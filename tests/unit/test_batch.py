"""Packing: same text, same call; exact sums; the same contacts always make the same batches."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns import PRICES, campaign, rows
from octoplan.core.batch import Packer
from octoplan.core.errors import Stale


def packed(texts: list[str], *, size: int = 500, parts: int = 1, countries: tuple[str, ...] = ("FR",)) -> Packer:
    packer = Packer(campaign(), PRICES, size)
    packer.add(rows(len(texts), countries=countries), texts, parts=[parts] * len(texts))
    return packer


def test_contacts_with_one_text_share_calls_of_at_most_500() -> None:
    packer = packed(["a"] * 1001)
    assert [len(batch.keys) for batch in packer.batches(first=True)] == [500, 500, 1]
    sums = packer.packed()
    assert (sums.calls, sums.contacts, sums.parts) == (3, 1001, 1001)
    assert sums.cost == 1001 * Decimal("0.049") + 3 * Decimal("0.01")
    assert sums.worst == 2 * Decimal("24.51") + Decimal("0.06")


def test_two_texts_make_two_calls_ordered_by_their_first_key() -> None:
    batches = list(packed(["b", "a", "b"]).batches(first=True))
    assert [batch.content.text for batch in batches] == ["b", "a"]
    assert [batch.first for batch in batches] == [True, False]
    assert batches[0].addresses == ("+33639980000", "+33639980002")


def test_price_follows_country_and_parts() -> None:
    packer = packed(["a", "a"], parts=2, countries=("FR", "BE"))
    assert next(packer.batches(first=False)).cost == 2 * (Decimal("0.049") + Decimal("0.079")) + Decimal("0.01")


def test_a_country_without_a_price_is_named() -> None:
    sums = packed(["a", "a"], countries=("CH", "FR")).packed()
    assert sums.unpriced == ("CH",)
    assert sums.units == {"FR": Decimal("0.049")}


def test_chunks_add_up() -> None:
    packer = Packer(campaign(), PRICES, 500)
    packer.add(rows(3), ["a"] * 3, parts=[1] * 3)
    packer.add(rows(2, start=3), ["a"] * 2, parts=[1] * 2)
    assert [len(batch.keys) for batch in packer.batches(first=False)] == [5]


def test_a_reserved_batch_is_rebuilt_without_those_who_dropped_out() -> None:
    packer = packed(["a", "a", "b"])
    gone = b"\xff" * 16
    wanted = (0).to_bytes(16, "big") + gone + (1).to_bytes(16, "big")
    batch, dropped = packer.rebuild(wanted, first=False)
    assert batch is not None
    assert (batch.content.text, len(batch.keys), dropped) == ("a", 2, gone)
    assert packer.rebuild(gone, first=False) == (None, gone)


def test_a_reserved_batch_whose_texts_drifted_apart_is_stale() -> None:
    packer = packed(["a", "b"])
    with pytest.raises(Stale, match="no longer get the same message"):
        packer.rebuild((0).to_bytes(16, "big") + (1).to_bytes(16, "big"), first=False)


@given(st.lists(st.sampled_from("abc"), max_size=40), st.integers(1, 7))
def test_every_contact_is_in_exactly_one_batch_of_its_text(texts: list[str], size: int) -> None:
    packer = packed(texts, size=size)
    batches = list(packer.batches(first=True))
    seen = [key for batch in batches for key in batch.keys]
    assert sorted(seen) == [number.to_bytes(16, "big") for number in range(len(texts))]
    assert all(texts[int.from_bytes(key, "big")] == batch.content.text for batch in batches for key in batch.keys)
    assert all(batch.keys == tuple(sorted(batch.keys)) and len(batch.keys) <= size for batch in batches)
    sums = packer.packed()
    assert sums.calls == len(batches)
    assert sums.cost == sum((batch.cost for batch in batches), Decimal(0))
    assert sums.worst == sum((batch.worst for batch in batches), Decimal(0)) >= sums.cost
