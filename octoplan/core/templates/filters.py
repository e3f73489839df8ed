"""The filters of the template language: none can multiply its input, none reads anything but its input.

Arguments are constants, judged when a template is parsed. A filter raises ValueError for a value that
it cannot take; `forgiving` returns such a value as it is, for one contact's odd value must not stop a run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import wraps
from typing import TYPE_CHECKING, Any

from jinja2.filters import do_capitalize, do_title

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

REQUIRED = object()
_EXACT = Context(prec=200)
_NUMBER = re.compile(r"[-+]?[0-9]{1,15}(?:\.[0-9]{1,10})?")
_THOUSANDS = re.compile(r",[0-9]{3}$")
_BLANKS = str.maketrans("", "", " \u00a0\u202f")
_DIRECTIVE = re.compile("%(-?)(.?)", re.DOTALL)
_DATE_FIELDS: Mapping[str, tuple[int, Callable[[datetime], int]]] = {
    "d": (2, lambda day: day.day),
    "m": (2, lambda day: day.month),
    "Y": (4, lambda day: day.year),
    "y": (2, lambda day: day.year % 100),
    "H": (2, lambda day: day.hour),
    "M": (2, lambda day: day.minute),
    "S": (2, lambda day: day.second),
    "j": (3, lambda day: day.timetuple().tm_yday),
}


@dataclass(frozen=True, slots=True)
class Argument:
    """A constant that a filter takes; `most` bounds a number's size or a text's length."""

    name: str
    kinds: tuple[type, ...]
    most: int
    default: Any = REQUIRED


@dataclass(frozen=True, slots=True)
class Filter:
    """A function of a value and constants."""

    call: Callable[..., Any]
    arguments: tuple[Argument, ...] = ()


class Unfit(ValueError):
    """What is wrong with a filter's arguments."""


def bind(name: str, positional: Sequence[Any], *, named: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of every argument, in order, of a filter. Raises `Unfit`."""
    arguments = FILTERS[name].arguments
    given = dict(zip((argument.name for argument in arguments), positional, strict=False))
    extra = [key for key in named if key in given or key not in {argument.name for argument in arguments}]
    if len(positional) > len(arguments) or extra:
        takes = ", ".join(argument.name for argument in arguments) or "no argument"
        raise Unfit(f"takes {takes}")
    given |= named
    bound = {argument.name: _checked(argument, given.get(argument.name, argument.default)) for argument in arguments}
    if name in _SENSE:
        _SENSE[name](bound)
    return bound


def forgiving(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter that gives back what it cannot take."""

    @wraps(call)
    def kept(found: Any, /, **arguments: Any) -> Any:
        try:
            return call(found, **arguments)
        except ValueError:
            return found

    return kept


def _checked(argument: Argument, value: Any) -> Any:
    if value is REQUIRED:
        raise Unfit(f"needs {argument.name}")
    if value is argument.default:
        return value
    if type(value) not in argument.kinds:
        wanted = " or ".join(_KINDS[kind] for kind in argument.kinds)
        raise Unfit(f"needs {wanted} as {argument.name}")
    size = len(value) if isinstance(value, str) else abs(value)
    if size > argument.most:
        what = "characters as" if isinstance(value, str) else "as"
        raise Unfit(f"takes at most {argument.most} {what} {argument.name}")
    return value


def _sensible_truncate(bound: Mapping[str, Any]) -> None:
    if bound["length"] < max(1, len(bound["end"])):
        raise Unfit("needs a length of at least the length of end")


def _sensible_replace(bound: Mapping[str, Any]) -> None:
    if not bound["old"]:
        raise Unfit("needs something to replace")


def _sensible_date(bound: Mapping[str, Any]) -> None:
    for _, letter in _DIRECTIVE.findall(bound["pattern"]):
        if letter not in _DATE_FIELDS and letter != "%":
            raise Unfit(f"knows %{', %'.join(_DATE_FIELDS)} and %%")


def _sensible_decimals(bound: Mapping[str, Any]) -> None:
    if bound["decimals"] is not None and bound["decimals"] < 0:
        raise Unfit("needs decimals of zero or more")


def _truncate(value: Any, *, length: int, killwords: bool, end: str) -> str:
    """Cut to exactly at most `length` characters: without the leeway that Jinja grants."""
    text = str(value)
    if len(text) <= length:
        return text
    kept = text[: length - len(end)]
    return (kept if killwords else kept.rsplit(" ", 1)[0]) + end


def _replace(value: Any, *, old: str, new: str) -> str:
    return str(value).replace(old, new)


def _decimal(value: Any) -> Decimal:
    """Return a number exactly, from text also with a decimal comma. Raises ValueError."""
    if isinstance(value, int | Decimal):
        return Decimal(value)
    text = str(value).translate(_BLANKS)
    if "." not in text and not _THOUSANDS.search(text):
        text = text.replace(",", ".")
    if not _NUMBER.fullmatch(text):
        raise ValueError("not a number")
    return Decimal(text)


def _rounded(number: Decimal, decimals: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP, context=_EXACT)


def _round(value: Any, *, decimals: int) -> Decimal:
    return _rounded(_decimal(value), decimals)


def _int(value: Any, *, default: int) -> int:
    try:
        return int(_decimal(value))
    except ValueError:
        return default


def _number(value: Any, *, decimals: int | None, point: str, group: str) -> str:
    number = _decimal(value)
    grouped = format(number if decimals is None else _rounded(number, decimals), ",f")
    return grouped.translate({ord(","): group, ord("."): point})


def _date(value: Any, *, pattern: str) -> str:
    day = datetime.fromisoformat(str(value).strip())

    def field(match: re.Match[str]) -> str:
        if match[2] == "%":
            return "%"
        width, read = _DATE_FIELDS[match[2]]
        return str(read(day)) if match[1] else f"{read(day):0{width}d}"

    return _DIRECTIVE.sub(field, pattern)


def _default(found: Any, *, value: Any, boolean: bool) -> Any:
    return value if found is None or (boolean and not found) else found


def _join(value: Any, *, separator: str) -> str:
    if not isinstance(value, list):
        raise ValueError("not a list")  # noqa: TRY004 - a value it cannot take
    return separator.join(map(str, value))


_KINDS: Mapping[type, str] = {int: "a whole number", str: "text", bool: "true or false", Decimal: "a number"}
_SENSE: Mapping[str, Callable[..., None]] = {
    "truncate": _sensible_truncate,
    "replace": _sensible_replace,
    "date": _sensible_date,
    "round": _sensible_decimals,
    "number": _sensible_decimals,
}
_DECIMALS = Argument("decimals", (int,), 10, 0)

FILTERS: Mapping[str, Filter] = {
    "upper": Filter(lambda value: str(value).upper()),
    "lower": Filter(lambda value: str(value).lower()),
    "capitalize": Filter(lambda value: do_capitalize(str(value))),
    "title": Filter(lambda value: do_title(str(value))),
    "trim": Filter(lambda value: str(value).strip()),
    "truncate": Filter(
        _truncate,
        (
            Argument("length", (int,), 1224, 255),
            Argument("killwords", (bool,), 1, default=False),
            Argument("end", (str,), 10, "..."),
        ),
    ),
    "replace": Filter(_replace, (Argument("old", (str,), 50), Argument("new", (str,), 50))),
    "round": Filter(_round, (_DECIMALS,)),
    "int": Filter(_int, (Argument("default", (int,), 10**9, 0),)),
    "default": Filter(
        _default,
        (Argument("value", (str, int, bool, Decimal), 200, ""), Argument("boolean", (bool,), 1, default=False)),
    ),
    "join": Filter(_join, (Argument("separator", (str,), 50, ""),)),
    "date": Filter(_date, (Argument("pattern", (str,), 40),)),
    "number": Filter(
        _number,
        (Argument("decimals", (int,), 10, None), Argument("point", (str,), 1, ","), Argument("group", (str,), 1, " ")),
    ),
}
