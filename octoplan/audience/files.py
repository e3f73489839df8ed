"""The file that holds a campaign's contacts, or the files of a pattern, which have the same columns."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from octoplan.audience.errors import AudienceError
from octoplan.audience.lines import read_lines
from octoplan.audience.sheet import Origin, Sheet, read_contacts
from octoplan.core.paths import is_pattern
from octoplan.core.quantity import quantity
from octoplan.core.quoting import quoted
from octoplan.core.rules import finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from octoplan.audience.parquet import Table
    from octoplan.core.model import Audience, Finding, KeyPath

PATH: KeyPath = ("audience", "file")

SHOWN = 20
"""Findings about columns; a pattern that takes in the wrong folder has as many as files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The files of one audience, headers read. `header` is that of the first: the others may have another order."""

    origin: Origin
    parts: tuple[Sheet | Table, ...]
    header: tuple[str, ...]

    def flaws(self, column: str) -> tuple[Finding, ...]:
        """Return what is wrong with a column, for a campaign that uses it."""
        return tuple(found for part in self.parts for found in part.flaws.get(column, ()))

    def load(self, connection: DuckDBPyConnection, *, columns: Mapping[str, str]) -> None:
        """Create the table `source` of some columns, by name, under new names: file by file, row by row.

        Raises AudienceError naming the rows of a file that cannot be read.
        """
        if len(self.parts) == 1:
            _load(connection, self.parts[0], table="source", columns=columns)
            return
        connection.execute(f"CREATE TABLE source ({', '.join(f'{name} VARCHAR' for name in columns.values())})")
        for part in self.parts:
            _load(connection, part, table="part", columns=columns)
            connection.execute("INSERT INTO source FROM part ORDER BY rowid")
            connection.execute("DROP TABLE part")

    @property
    def has_empty_lines(self) -> bool:
        """Tell whether a row without a cell is an empty line, and not somebody without an address."""
        return len(self.header) == 1 and isinstance(self.parts[0], Sheet) and self.parts[0].titled


def read_files(audience: Audience, files: Sequence[Path], *, name: Callable[[Path], str], folder: Path) -> Files:
    """Read the headers of the files that an audience names, and the text of all but Parquet files.

    `name` says what a file is called in messages; the engine may spill to `folder`. Raises AudienceError.
    """
    written = audience.file or name(files[0])
    several = is_pattern(written)
    parts: list[Sheet | Table] = []
    problems: list[Finding] = []
    for path in files:
        origin = Origin(name=name(path) if several else written, path=PATH)
        try:
            parts.append(_read(path, origin, kind=written[written.rfind(".") :].lower(), folder=folder))
        except AudienceError as error:
            problems += error.findings
    problems += _differing(parts)
    if problems:
        raise AudienceError(problems)
    found = Files(origin=Origin(name=written, path=PATH), parts=tuple(parts), header=parts[0].header)
    _check_pin(audience, found)
    return found


def _read(path: Path, origin: Origin, *, kind: str, folder: Path) -> Sheet | Table:
    match kind:
        case ".jsonl":
            return read_lines(path, origin)
        case ".parquet":
            from octoplan.audience.parquet import read_table  # noqa: PLC0415  a text needs no engine to be read

            return read_table(path, origin, folder=folder)
    return read_contacts(path, origin)


def _load(connection: DuckDBPyConnection, part: Sheet | Table, *, table: str, columns: Mapping[str, str]) -> None:
    from octoplan.audience import database, parquet  # noqa: PLC0415  headers are read without the engine

    indices = {part.header.index(name): column for name, column in columns.items()}
    if isinstance(part, Sheet):
        database.load(connection, part, table=table, columns=indices)
    else:
        parquet.load(connection, part, table=table, columns=indices)


def _differing(parts: Sequence[Sheet | Table]) -> Iterator[Finding]:
    """Yield a finding for each file whose columns are not those that most of the files have."""
    if not parts:
        return
    usual = Counter(frozenset(part.header) for part in parts).most_common(1)[0][0]
    others = [part for part in parts if usual != set(part.header)]
    for part in others[:SHOWN]:
        lacks = [f"lacks column {quoted(column)}" for column in sorted(usual.difference(part.header))]
        added = [f"has a column {quoted(column)} that others lack" for column in sorted(set(part.header) - usual)]
        hint = "give all files of the pattern the same columns"
        yield part.origin.finding(", ".join([*lacks, *added][:SHOWN]), hint)
    if len(others) > SHOWN:
        message = f"other columns are also in {quantity(len(others) - SHOWN, 'more file')} of the pattern"
        yield finding("file", message, path=PATH, hint="write a narrower pattern")


def _check_pin(audience: Audience, found: Files) -> None:
    pinned = audience.sha256
    (part, *_) = found.parts
    if pinned is not None and pinned.casefold() != part.sha256:
        message = f"{part.origin.name} is not the file that was pinned"
        hint = f"restore the file, or pin this one: sha256: {part.sha256}"
        problem = finding("source", message, path=("audience", "sha256"), value=part.sha256, limit=pinned, hint=hint)
        raise AudienceError([problem])
