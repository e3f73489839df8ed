"""Packed contact keys: 16 bytes a key, one after another, as sets of millions.

Keys are compared as two numbers, the first of which is sorted and searched: ten times faster than strings
of 16 bytes. That is exact while no two known keys share their first half; where some do, strings it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from octoplan.core.keys import SIZE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Keys = NDArray[np.bytes_]
    Mask = NDArray[np.bool_]
    Numbers = NDArray[np.uint64]

# numpy hides trailing NULs of a single `S16` item but compares and sorts all 16 bytes, as unsigned.
_KEY = np.dtype(f"S{SIZE}")


def keys(packed: bytes) -> Keys:
    """Return packed keys as an array over the same bytes.

    Raises:
        ValueError: the length is not a multiple of 16.
    """
    return np.frombuffer(packed, dtype=_KEY)


def within(first: Keys, second: Keys) -> Mask:
    """Tell of each key of `first` whether it is in `second`."""
    if not first.size or not second.size:
        return np.zeros(first.size, dtype=bool)
    known, rest = _halves(second)
    order = np.argsort(known)
    known = known[order]
    if (known[1:] == known[:-1]).any():
        return _found(np.sort(second), first)[1]
    wanted, wanted_rest = _halves(first)
    places, found = _found(known, wanted)
    found &= rest[order][places] == wanted_rest
    return found


def repeats(given: Keys) -> bool:
    """Tell whether a key occurs twice."""
    prefixes = np.sort(_halves(given)[0])
    if not (prefixes[1:] == prefixes[:-1]).any():
        return False
    ordered = np.sort(given)
    return bool((ordered[1:] == ordered[:-1]).any())


def ascend(lists: Sequence[bytes]) -> bool:
    """Tell whether the keys within each list ascend, none of them twice."""
    first, rest = _halves(keys(b"".join(lists)))
    rises = (first[1:] > first[:-1]) | ((first[1:] == first[:-1]) & (rest[1:] > rest[:-1]))
    ends = np.cumsum([len(packed) // SIZE for packed in lists], dtype=np.intp)[:-1]
    rises[ends - 1] = True
    return bool(rises.all())


def distinct(packed: bytes) -> bytes:
    """Return every key once, ascending."""
    ordered = np.sort(keys(packed))
    first = np.ones(ordered.size, dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first].tobytes()


def without(first: bytes, second: bytes) -> bytes:
    """Return the keys of `first` that are not in `second`."""
    ordered = keys(first)
    return ordered[~within(ordered, keys(second))].tobytes()


def holds(packed: bytes, key: bytes) -> bool:
    """Tell whether one key is among packed ones, at a key's boundary."""
    start = packed.find(key)
    while start >= 0 and start % SIZE:
        start = packed.find(key, start + 1)
    return start >= 0


def _halves(given: Keys) -> tuple[Numbers, Numbers]:
    """Return the first and the last eight bytes of each key as numbers; ascending keys have ascending firsts."""
    numbers = given.view(">u8")
    return numbers[::2].astype(np.uint64), numbers[1::2].astype(np.uint64)


def _found(ordered: NDArray[Any], wanted: NDArray[Any]) -> tuple[NDArray[np.intp], Mask]:
    """Return where each wanted value would be in an ascending array, and whether it is there."""
    places = np.searchsorted(ordered, wanted)
    places[places == ordered.size] = 0
    return places, ordered[places] == wanted
