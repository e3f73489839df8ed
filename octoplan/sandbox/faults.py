"""What can be made to go wrong, as data: each fault with where it strikes, what it takes and what it does."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

WIRE = "wire"
APPLICATION = "application"
_LONGEST_SECONDS = 3600
_MOST = 1_000_000_000


class FaultUnknown(ValueError):
    """A fault cannot be understood; the message names every problem and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing a fault takes; `allowed` says in words what `admits` checks."""

    default: Any
    allowed: str
    admits: Callable[[Any], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One fault: on the wire, in the proxy before the application, or in the application."""

    where: str
    meaning: str
    takes: Mapping[str, Field] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault as it was installed, with whom it is for; `details` has a value for all its kind takes."""

    name: str
    endpoint: str
    simulation: bool | None
    body: str | None
    skip: int
    times: int | None
    probability: float
    details: Mapping[str, Any]

    @property
    def where(self) -> str:
        """Where it strikes."""
        return FAULTS[self.name].where

    @property
    def reads_body(self) -> bool:
        """Whether the request must be there whole to know if the fault is for it."""
        return self.simulation is not None or self.body is not None

    def written(self) -> dict[str, Any]:
        """Give it back in the shape it was sent in, with every default."""
        choice = {name: getattr(self, name) for name in CHOICE}
        return {"fault": self.name, **choice, **{n: v for n, v in self.details.items() if v is not MISSING}}


class _Missing:
    """The value of what was left out, where null is a value of its own."""

    def __repr__(self) -> str:
        return "left out"


MISSING = _Missing()


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _count(default: int | None, most: int = _MOST) -> Field:
    return Field(
        default=default, allowed=f"a whole number from 0 to {most}", admits=lambda v: _whole(v) and 0 <= v <= most
    )


def _seconds(default: float) -> Field:
    return Field(
        default=default,
        allowed=f"seconds from 0 to {_LONGEST_SECONDS}",
        admits=lambda v: _number(v) and 0 <= v <= _LONGEST_SECONDS,
    )


def _signed(default: int) -> Field:
    return Field(
        default=default,
        allowed="a whole number, also below 0",
        admits=lambda v: _whole(v) and -_MOST <= v <= _MOST,
    )


def _one_of(*values: Any) -> Field:
    """Take one of `values`, the first by default."""
    return Field(
        default=values[0],
        allowed=f"one of {', '.join(map(str, values))}",
        admits=lambda v: any(type(v) is type(one) and v == one for one in values),
    )


def _text(default: str) -> Field:
    return Field(default=default, allowed="a text", admits=lambda v: isinstance(v, str))


def _line(default: str | None) -> Field:
    """Take what may stand in a header."""
    return Field(
        default=default,
        allowed="a line of printable ASCII",
        admits=lambda v: isinstance(v, str) and v.isascii() and (v.isprintable() or not v),
    )


def _flag(*, default: bool) -> Field:
    return Field(default=default, allowed="true or false", admits=lambda v: isinstance(v, bool))


def _or_null(inner: Field) -> Field:
    return Field(
        default=inner.default,
        allowed=f"{inner.allowed}, or null",
        admits=lambda v: v is None or inner.admits(v),
    )


_MEGABYTES = {"megabytes": _count(10, 1000)}
_ACTS = {"acts": _flag(default=True)}
_NUMBERS_LITERAL = "0123456789+-.eENaInfity"

CHOICE: Mapping[str, Field] = MappingProxyType(
    {
        "endpoint": _text("*"),
        "simulation": _or_null(Field(default=None, allowed="true, false", admits=lambda v: isinstance(v, bool))),
        "body": _or_null(Field(default=None, allowed="a text", admits=lambda v: isinstance(v, str))),
        "skip": _count(0),
        "times": _or_null(_count(None)),
        "probability": Field(default=1.0, allowed="a number from 0 to 1", admits=lambda v: _number(v) and 0 <= v <= 1),
    }
)
"""Which requests a fault strikes, the same for every fault."""

FAULTS: Mapping[str, Kind] = MappingProxyType(
    {
        "refuse": Kind(
            where=WIRE,
            meaning="the connection is reset, nothing was accepted; and for `seconds` nobody can connect at all",
            takes={"seconds": _seconds(0.0)},
        ),
        "reset-request": Kind(
            where=WIRE,
            meaning="the connection is reset once `at` bytes of the request's body are here; nothing was accepted",
            takes={"at": _count(0)},
        ),
        "reset-reply": Kind(
            where=WIRE,
            meaning="accepted; the connection is reset after `at` bytes of the reply, its head included",
            takes={"at": _count(0)},
        ),
        "lose-reply": Kind(where=WIRE, meaning="accepted; the connection is closed without a reply"),
        "hang": Kind(
            where=WIRE,
            meaning="accepted; the connection stays open and silent for `seconds`, then it is closed",
            takes={"seconds": _seconds(60.0)},
        ),
        "late": Kind(
            where=WIRE,
            meaning="held until the client has closed and `seconds` more, and only then accepted",
            takes={"seconds": _seconds(0.0)},
        ),
        "truncate": Kind(
            where=WIRE,
            meaning="accepted; the last `lacks` bytes of the reply are promised and never come",
            takes={"lacks": _count(10)},
        ),
        "drip": Kind(
            where=WIRE,
            meaning="accepted; the reply comes byte by byte, `seconds` apart",
            takes={"seconds": _seconds(0.05)},
        ),
        "informational": Kind(
            where=WIRE,
            meaning="accepted; `count` interim replies come first",
            takes={"status": _one_of(103, 100, 102, 199), "count": _count(1, 1000)},
        ),
        "garbage": Kind(
            where=WIRE,
            meaning="the reply is no HTTP; `acts`: the request is accepted first",
            takes=_ACTS,
        ),
        "redirect": Kind(
            where=APPLICATION,
            meaning="a redirect to `location`, by default the address that was asked; `acts`: after accepting",
            takes={"status": _one_of(307, 301, 302, 308), "location": _line(""), "acts": _flag(default=False)},
        ),
        "status": Kind(
            where=APPLICATION,
            meaning="another status, from 500 on with a page of HTML; `acts`: after accepting",
            takes={
                "status": _one_of(503, 401, 403, 408, 429, 500, 501, 502, 504),
                "retry_after": _or_null(_line(None)),
                "acts": _flag(default=False),
            },
        ),
        "gzip-bomb": Kind(
            where=APPLICATION,
            meaning="accepted; a compressed reply that unpacks to `megabytes`",
            takes={"megabytes": _count(100, 1000)},
        ),
        "huge-reply": Kind(
            where=APPLICATION, meaning="accepted; the true reply, blown up to `megabytes` by blanks", takes=_MEGABYTES
        ),
        "cost": Kind(
            where=APPLICATION,
            meaning="accepted; `total_cost`, or a `cost`, is `value`, written as it stands",
            takes={
                "value": Field(
                    default="NaN",
                    allowed="a text such as -1, 0.5, 1e400 or NaN",
                    admits=lambda v: isinstance(v, str) and 0 < len(v) <= 100 and set(v) <= set(_NUMBERS_LITERAL),  # noqa: PLR2004
                )
            },
        ),
        "contacts": Kind(
            where=APPLICATION,
            meaning="accepted; `number_of_contacts`, or `numberOfRecipients`, is off by `add`",
            takes={"add": _signed(-1)},
        ),
        "ticket": Kind(
            where=APPLICATION,
            meaning="accepted; the ticket is `value`, any JSON; without `value` it is missing",
            takes={"value": Field(default=MISSING, allowed="any JSON", admits=lambda _: True)},
        ),
        "date": Kind(
            where=APPLICATION,
            meaning="accepted; the reply's `Date` is off by `minutes`",
            takes={"minutes": _signed(-60)},
        ),
        "body": Kind(
            where=APPLICATION,
            meaning="status 200 with `content` for a body, called `type`; `acts`: after accepting",
            takes={"content": _text("{}"), "type": _line("application/json"), **_ACTS},
        ),
    }
)


def read(document: object) -> tuple[int, tuple[Fault, ...]]:
    """Read a seed and faults, checked, from `{"seed": …, "faults": […]}` or the list alone. Raises FaultUnknown."""
    given = {"faults": document} if isinstance(document, list | tuple) else document
    if not isinstance(given, dict) or set(given) - {"seed", "faults"}:
        raise FaultUnknown('faults must be {"seed": 1, "faults": [{"fault": "lose-reply", "times": 1}]}')
    seed, entries = given.get("seed", 0), given.get("faults", [])
    problems = [] if _whole(seed) else [f"seed cannot be {seed!r}; allowed: a whole number"]
    if isinstance(entries, list | tuple):
        problems += [
            f"fault {n}: {problem}" for n, entry in enumerate(entries, start=1) for problem in _problems(entry)
        ]
    else:
        problems.append("faults must be a list")
    if problems:
        raise FaultUnknown("; ".join(problems))
    return seed, tuple(_fault(entry) for entry in entries)


def load(path: Path) -> object:
    """Load a file of faults (JSON), not yet checked. Raises FaultUnknown."""
    try:
        return orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise FaultUnknown(f"{path.name}: the faults cannot be read: {error}") from error


def _problems(entry: object) -> list[str]:
    if not isinstance(entry, dict):
        return ['must be an object such as {"fault": "lose-reply"}']
    name = entry.get("fault")
    kind = FAULTS.get(name) if isinstance(name, str) else None
    if kind is None:
        return [f"{name!r} is no fault; they are {', '.join(FAULTS)}"]
    takes = {**CHOICE, **kind.takes}
    return [
        f"{name} takes no {key!r}; it takes {', '.join(takes)}"
        if key not in takes
        else f"{key} cannot be {value!r}; allowed: {takes[key].allowed}"
        for key, value in entry.items()
        if key != "fault" and not (key in takes and takes[key].admits(value))
    ]


def _fault(entry: Mapping[str, Any]) -> Fault:
    choice = {name: entry.get(name, taken.default) for name, taken in CHOICE.items()}
    takes = FAULTS[entry["fault"]].takes
    details = {name: entry.get(name, taken.default) for name, taken in takes.items()}
    return Fault(name=entry["fault"], details=MappingProxyType(details), **choice)
