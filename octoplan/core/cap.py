"""How much one person may get over all campaigns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from octoplan.core.keys import SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable


def reached(batches: Iterable[bytes], messages: int) -> bytes:
    """Return the packed contact keys, ascending, that at least so many of the batches (packed keys) hold."""
    # numpy hides trailing NULs of a single `S16` item but compares and sorts all 16 bytes
    held = np.frombuffer(b"".join(batches), dtype=np.dtype(f"S{SIZE}"))
    keys, times = np.unique(held, return_counts=True)
    return keys[times >= messages].tobytes()
