"""What an unquoted YAML scalar means: YAML 1.2 as ruamel's safe loader reads it, within bounds."""

from __future__ import annotations

import re
from decimal import Decimal

_LONGEST_NUMBER = 80
_LARGEST_EXPONENT = 30
_INTEGERS = range(-(1 << 63), 1 << 63)
_BASES = {"0b": 2, "0o": 8, "0x": 16}
_PLAIN = re.compile(
    r"""(?P<null>~|null|Null|NULL|)
    |(?P<bool>true|True|TRUE|false|False|FALSE)
    |(?P<int>[-+]?(?:0b[01_]*[01]|0o[0-7_]*[0-7]|0x[0-9a-fA-F_]*[0-9a-fA-F]|[0-9][0-9_]*))
    |(?P<float>[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?))
    |(?P<endless>[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))
    |(?P<timestamp>[0-9]{4}-[0-9]{2}-[0-9]{2}
        |[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?
         (?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)""",
    re.VERBOSE,
)


class Unfit(ValueError):
    """A number that no campaign needs; the message says which without repeating it."""


def resolve(written: str) -> tuple[str, str | int | Decimal | bool | None]:
    """Return kind (`null`, `bool`, `int`, `float`, `timestamp`, `str`) and value of an unquoted scalar.

    `NO`, `yes` and `on` are text; a timestamp keeps its text. Raises `Unfit`.
    """
    match = _PLAIN.fullmatch(written)
    kind = (match and match.lastgroup) or "str"
    if kind == "endless":
        raise Unfit("infinite or not a number")
    if kind == "null":
        return kind, None
    if kind == "bool":
        return kind, written.lower() == "true"
    if kind in ("int", "float"):
        return kind, _number(kind, written.replace("_", ""))
    return kind, written


def _number(kind: str, written: str) -> int | Decimal:
    if len(written) > _LONGEST_NUMBER:
        raise Unfit(f"a number of {len(written):,} characters")
    if kind == "int":
        digits = written.lstrip("+-")
        whole = int(digits, _BASES.get(digits[:2], 10))
        whole = -whole if written.startswith("-") else whole
        if whole not in _INTEGERS:
            raise Unfit(f"a whole number of {len(digits)} digits")
        return whole
    exponent = re.search(r"[eE]([-+]?[0-9]+)$", written)
    if exponent and abs(int(exponent[1])) > _LARGEST_EXPONENT:
        raise Unfit(f"an exponent beyond {_LARGEST_EXPONENT}")
    return Decimal(written)
