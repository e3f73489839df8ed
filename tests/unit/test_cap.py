"""Who has had enough: contact keys counted over batches."""

from __future__ import annotations

from octoplan.core.cap import reached

ONE, TWO, NULS = b"a" * 16, b"b" * 16, b"c" * 8 + b"\0" * 8


def test_whoever_is_in_as_many_batches_as_allowed_is_capped() -> None:
    batches = (ONE + TWO, ONE + NULS, ONE)
    assert reached(batches, 3) == ONE
    assert reached(batches, 2) == ONE
    assert reached(batches, 1) == ONE + TWO + NULS
    assert reached(batches, 4) == b""


def test_keys_that_end_in_nul_bytes_keep_them() -> None:
    assert reached((NULS, NULS), 2) == NULS


def test_nobody_got_anything() -> None:
    assert reached((), 1) == b""
