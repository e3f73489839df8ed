"""Packed contact keys: 16 bytes a key, one after another, as sets of millions.

A key's first eight bytes decide almost always, and sorting integers is ten times faster than sorting
strings of 16 bytes; whatever shares a prefix is then compared whole, so every answer is exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from octoplan.core.keys import SIZE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Keys = NDArray[np.bytes_]
    Mask = NDArray[np.bool_]

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
    known = np.sort(_prefixes(second))
    found = _found(known, _prefixes(first))
    if found.any():
        found[found] = _found(np.sort(second), first[found])
    return found


def repeats(given: Keys) -> bool:
    """Tell whether a key occurs twice."""
    prefixes = np.sort(_prefixes(given))
    if not (prefixes[1:] == prefixes[:-1]).any():
        return False
    ordered = np.sort(given)
    return bool((ordered[1:] == ordered[:-1]).any())


def distinct(packed: bytes) -> bytes:
    """Return every key once, ascending."""
    ordered = np.sort(keys(packed))
    first = np.ones(ordered.size, dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first].tobytes()


def holds(packed: bytes, key: bytes) -> bool:
    """Tell whether one key is among packed ones, at a key's boundary."""
    start = packed.find(key)
    while start >= 0 and start % SIZE:
        start = packed.find(key, start + 1)
    return start >= 0


def _prefixes(given: Keys) -> NDArray[np.uint64]:
    return np.ascontiguousarray(given).view(np.uint64)[::2].copy()


def _found(ordered: NDArray[np.generic], wanted: NDArray[np.generic]) -> Mask:
    places = np.searchsorted(ordered, wanted)
    places[places == ordered.size] = 0
    equal: Mask = ordered[places] == wanted
    return equal
