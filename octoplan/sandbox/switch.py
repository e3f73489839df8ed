"""A switch: one guess about a provider, with what it may be turned to."""

from __future__ import annotations

import re
from dataclasses import dataclass

Value = str | int | bool

AMOUNT = r"[0-9]{1,12}(\.[0-9]{1,8})?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """One guess. `allowed` lists the values, spans whole numbers, or is the pattern a text must match whole."""

    default: Value
    meaning: str
    allowed: tuple[Value, ...] | range | str = (False, True)

    def admits(self, value: object) -> bool:
        """Whether `value` may be set; 1 is not true here."""
        if isinstance(self.allowed, str):
            return isinstance(value, str) and re.fullmatch(self.allowed, value) is not None
        if isinstance(self.allowed, range):
            return type(value) is int and value in self.allowed
        return any(value == one and type(value) is type(one) for one in self.allowed)

    @property
    def shown(self) -> tuple[Value, ...] | str:
        """What is allowed, to be shown."""
        return f"{self.allowed[0]} to {self.allowed[-1]}" if isinstance(self.allowed, range) else self.allowed
