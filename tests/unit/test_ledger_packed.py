from __future__ import annotations

import random

import pytest
from ledgers import packed as pack

from octoplan.ledger import packed

RANDOM = [random.Random(number).randbytes(16) for number in range(50)]  # noqa: S311  the same on every worker


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (b"", pack(1), []),
        (pack(1), b"", [False]),
        (pack(1, 2, 3), pack(3, 1), [True, False, True]),
        (pack(256), pack(1), [False]),
        (b"".join(RANDOM[:3]), b"".join(RANDOM[1:]), [False, True, True]),
        (RANDOM[0][:8] + bytes(8), b"".join(RANDOM), [False]),
        (b"\xff" * 16, b"".join(RANDOM), [False]),
    ],
)
def test_within_compares_whole_keys(first: bytes, second: bytes, expected: list[bool]) -> None:
    assert packed.within(packed.keys(first), packed.keys(second)).tolist() == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [(b"", False), (pack(1), False), (pack(1, 2), False), (pack(1, 2, 2), True), (b"".join(RANDOM), False)],
)
def test_repeats(given: bytes, expected: bool) -> None:  # noqa: FBT001  a parameter of the table above
    assert packed.repeats(packed.keys(given)) is expected


def test_distinct_is_ascending_and_keeps_trailing_nuls() -> None:
    nuls = b"a" + bytes(15)
    assert packed.distinct(nuls + bytes(16) + nuls + pack(7)) == bytes(16) + pack(7) + nuls
    assert packed.distinct(b"") == b""


def test_a_key_is_found_at_a_boundary_only() -> None:
    key = pack(0x0102)
    across = bytes(7) + key[7:] + key[:7] + b"x" + bytes(8)
    assert not packed.holds(bytes(3) + key + bytes(13), key)
    assert packed.holds(bytes(3) + key + bytes(13) + key, key)
    assert not packed.holds(across, pack(9))


def test_a_length_that_is_no_multiple_of_16_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple"):
        packed.keys(b"x" * 15)
