"""Every guess about the providers, named, so that a test can turn it round.

What the providers document is code; what they do not is a switch with a default, in `guesses`.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from octoplan.sandbox.guesses.octopush import OCTOPUSH
from octoplan.sandbox.guesses.routee import ROUTEE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from octoplan.sandbox.switch import Switch, Value

SWITCHES: Mapping[str, Switch] = MappingProxyType({**OCTOPUSH, **ROUTEE})


class SwitchUnknown(ValueError):
    """A switch or its value does not exist; the message says what does."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The switches as they are set."""

    changed: Mapping[str, Value]

    def text(self, name: str) -> str:
        """Give the value of a text switch."""
        return str(self._value(name))

    def number(self, name: str) -> int:
        """Give the value of a switch that is a number."""
        return int(self._value(name))

    def on(self, name: str) -> bool:
        """Whether a yes-or-no switch is on."""
        return self._value(name) is True

    def all(self) -> dict[str, Value]:
        """Give every switch with its value."""
        return {name: self._value(name) for name in SWITCHES}

    def _value(self, name: str) -> Value:
        return self.changed.get(name, SWITCHES[name].default)


def checked(changes: Mapping[str, object]) -> dict[str, Value]:
    """Return `changes` if every switch exists and admits its value, else raise SwitchUnknown with all that do not."""
    problems = [problem for name, value in changes.items() if (problem := _problem(name, value))]
    if problems:
        raise SwitchUnknown("; ".join(problems))
    return {name: value for name, value in changes.items() if isinstance(value, str | int)}


def _problem(name: str, value: object) -> str | None:
    switch = SWITCHES.get(name)
    if switch is None:
        return f"{name!r} is no switch; they are {', '.join(SWITCHES)}"
    if not switch.admits(value) or (name == "naive_send_at" and not _zone_exists(str(value))):
        return f"{name} cannot be {value!r}; allowed: {switch.shown}"
    return None


def _zone_exists(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
