"""Files of JSON, an object a line (.jsonl) → the CSV text that the engine loads.

Every value is the text that is written there: numbers are never read as numbers. A key that a line
does not have is a missing value, as `null` is.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from octoplan.audience.errors import AudienceError
from octoplan.audience.sheet import (
    MAX_LINE,
    Sheet,
    column_name,
    decode,
    header_problems,
    read_bytes,
    refuse_foreign,
)
from octoplan.core.quantity import quantity
from octoplan.core.quoting import quoted

if TYPE_CHECKING:
    from pathlib import Path

    from octoplan.audience.sheet import Origin
    from octoplan.core.model import Finding

SHOWN = 20
"""Findings per file, and per column: a file of another kind has as many as lines."""

MOST_COLUMNS = 1_000
"""Different keys in one file; more are values that stand where names belong."""

LONGEST = MAX_LINE - MOST_COLUMNS
"""Bytes of a row, before columns are added that come later."""

SEPARATOR = ","

_ROW_END = b"\0"
"""Ends a row until all columns are known; no cell holds it."""

_MEND = "mend or remove the line"


@dataclass(slots=True, kw_only=True)
class _Reading:
    """What has been read so far. `rows` holds the text of the rows by how many columns they have."""

    origin: Origin
    columns: dict[str, int] = field(default_factory=dict)
    rows: dict[int, list[bytes]] = field(default_factory=dict)
    problems: list[Finding] = field(default_factory=list)
    broken: int = 0
    nested: dict[str, list[Finding]] = field(default_factory=dict)
    nests: Counter[str] = field(default_factory=Counter)

    def add(self, number: int, line: bytes) -> None:
        """Read one line of the file."""
        try:
            row = self._row(number, _pairs(line))
        except _Broken as broken:
            self.broken += 1
            if self.broken <= SHOWN:
                self.problems.append(self.origin.finding(str(broken), _MEND, line=number))
            return
        self.rows.setdefault(len(self.columns), []).append(row)

    def _row(self, number: int, pairs: tuple[tuple[str, Any], ...]) -> bytes:
        for key, _ in pairs:
            if key not in self.columns:
                self.columns[key] = len(self.columns)
        if len(self.columns) > MOST_COLUMNS:
            hint = "write an object with the same keys a line"
            raise self.origin.refuse(f"has more than {MOST_COLUMNS:,} different keys", hint, line=number)
        cells = [""] * len(self.columns)
        for key, value in pairs:
            cells[self.columns[key]] = value if isinstance(value, str) else self._other(number, key, value=value)
        return _joined(cells)

    def _other(self, number: int, key: str, *, value: Any) -> str:
        """Return the text of a value that is none; what is nested is remembered against its column."""
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        self.nests[key] += 1
        if self.nests[key] <= SHOWN:
            kind = "a list" if isinstance(value, list) else "an object"
            hint = "give each value a key of its own, or leave the column out"
            message = f"column {quoted(column_name(key))} holds {kind}"
            self.nested.setdefault(key, []).append(self.origin.finding(message, hint, line=number))
        return ""

    def more(self) -> list[Finding]:
        """Return what was found in lines, with a count of what is not shown."""
        if self.broken > SHOWN:
            left = quantity(self.broken - SHOWN, "more line")
            self.problems.append(self.origin.finding(f"{left} cannot be read", "export it again"))
        return self.problems

    def flaws(self) -> dict[str, tuple[Finding, ...]]:
        """Return by column what its nested values are."""
        for key, count in self.nests.items():
            if count > SHOWN:
                message = f"column {quoted(column_name(key))} holds {count - SHOWN:,} more of them"
                self.nested[key].append(self.origin.finding(message, "leave the column out"))
        return {column_name(key): tuple(found) for key, found in self.nested.items()}

    def text(self) -> bytes:
        """Return the rows as CSV text, all with the same columns."""
        return b"".join(
            b"".join(rows).replace(_ROW_END, SEPARATOR.encode() * (len(self.columns) - width) + b"\n")
            for width, rows in self.rows.items()
        )


class _Broken(ValueError):
    """What is wrong with a line, without a word of it."""


def read_lines(path: Path, origin: Origin) -> Sheet:
    """Read a .jsonl file whole.

    Raises AudienceError for a file that cannot be read, is no text, or has lines that are no objects of JSON.
    """
    content = read_bytes(path, origin)
    refuse_foreign(content, origin, wanted="jsonl")
    text = decode(content, origin)
    if not text.strip():
        raise origin.refuse("is empty", "write one object of JSON a line")
    reading = _Reading(origin=origin)
    for number, line in enumerate(text.split(b"\n"), 1):
        if line and not line.isspace():
            reading.add(number, line)
    header = tuple(map(column_name, reading.columns))
    problems = reading.more() or header_problems(header, origin)
    if problems:
        raise AudienceError(problems)
    if not header:
        raise origin.refuse("has no keys", "name the address in every line: it has no column at all")
    return Sheet(
        origin=origin,
        text=reading.text(),
        separator=SEPARATOR,
        header=header,
        lines_above=0,
        sha256=hashlib.sha256(content).hexdigest(),
        titled=False,
        flaws=reading.flaws(),
    )


def _joined(cells: list[str]) -> bytes:
    """Return one row of CSV text, ended so that columns can be added."""
    row = SEPARATOR.join(cells)
    if row.count(SEPARATOR) >= len(cells) or '"' in row or "\n" in row or "\r" in row or not row:
        row = SEPARATOR.join(['"' + cell.replace('"', '""') + '"' for cell in cells])
    try:
        text = row.encode()
    except UnicodeEncodeError:
        raise _Broken("holds half a character: a \\u escape without its pair") from None
    if _ROW_END in text:
        raise _Broken("holds a NUL character")
    if len(text) > LONGEST:
        raise _Broken(f"is longer than {LONGEST:,} bytes")
    return text + _ROW_END


def _constant(name: str) -> None:
    if name != "NaN":
        raise _Broken("holds an infinite number")


_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_constant, object_pairs_hook=tuple)
"""Gives a number as it is written, and an object as a tuple of pairs: a list stays a list."""


def _pairs(line: bytes) -> tuple[tuple[str, Any], ...]:
    try:
        value = _DECODER.decode(line.decode())
    except _Broken:
        raise
    except (ValueError, RecursionError):
        raise _Broken("is no object of JSON") from None
    if not isinstance(value, tuple):
        raise _Broken("is JSON, but no object")
    if len({key for key, _ in value}) != len(value):
        raise _Broken("names a key twice")
    return value
