"""How long a text takes to be said: what a call is billed by.

Providers bill a call by its length in steps, and none documents how fast its voices speak. Twelve
characters a second is slow for a synthetic voice, so that an estimate is rather too dear than too cheap.
"""

from __future__ import annotations

CHARACTERS_PER_SECOND = 12


def seconds(text: str) -> int:
    """Return the seconds it takes to say a text, at least one; runs of blanks count as one."""
    characters = len(" ".join(text.split()))
    return max(1, -(-characters // CHARACTERS_PER_SECOND))
