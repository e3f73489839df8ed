"""How many of what, in words."""

from __future__ import annotations


def quantity(number: int, noun: str) -> str:
    """Return `1 contact`, `1,214 contacts`, `2 batches`, `2 addresses`, `2 entries`."""
    if number == 1:
        return f"1 {noun}"
    if noun.endswith("y"):
        return f"{number:,} {noun[:-1]}ies"
    return f"{number:,} {noun}{'es' if noun.endswith(('ch', 's')) else 's'}"
