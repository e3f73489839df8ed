"""Files of contacts in Parquet, read by the engine; every column is cast to text.

The engine opens a file by its descriptor: a name would be a pattern to it, and a link could move
between the look at the header and the load.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from octoplan.audience import database
from octoplan.audience.errors import AudienceError
from octoplan.audience.sheet import column_name, header_problems, read_start, refuse_foreign
from octoplan.core.quoting import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from duckdb import DuckDBPyConnection

    from octoplan.audience.sheet import Origin
    from octoplan.core.model import Finding

_TEXTUAL = re.compile(
    r'VARCHAR|BOOLEAN|U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\)|DATE|TIME.*|UUID|ENUM\(.*\)|"NULL"',
    re.DOTALL,
)
"""Types, as the engine names them, whose values are one text each."""

_FLOATING = ("FLOAT", "DOUBLE")

_KINDS = (
    (re.compile(r".*\]", re.DOTALL), "lists"),
    (re.compile(r"(STRUCT|UNION|VARIANT|JSON)\b.*", re.DOTALL), "values made of several"),
    (re.compile(r"MAP\b.*", re.DOTALL), "maps"),
    (re.compile(r"BLOB"), "bytes"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A Parquet file, its header read. `written` and `types` are its columns as the engine knows them."""

    origin: Origin
    path: Path
    written: tuple[str, ...]
    types: tuple[str, ...]
    header: tuple[str, ...]
    sha256: str
    flaws: Mapping[str, tuple[Finding, ...]]


def read_table(path: Path, origin: Origin, *, folder: Path) -> Table:
    """Read the header of a Parquet file; its rows are read when they are loaded.

    Raises AudienceError for a file that cannot be read, or is no Parquet file.
    """
    start = read_start(path, origin)
    if not start:
        raise origin.refuse("is empty", "export it again")
    if start.startswith(b"PARE"):
        raise origin.refuse("is encrypted", "export it without encryption")
    if not start.startswith(b"PAR1"):
        refuse_foreign(start, origin, wanted="parquet")
        raise origin.refuse("is no Parquet file", "name it after what it is, or export it again")
    with _opened(path, origin) as name, contextlib.closing(database.connect(folder)) as connection:
        try:
            described = connection.execute(f"DESCRIBE FROM {_scan(name)}").fetchall()
        except duckdb.Error:
            raise origin.refuse("cannot be read as Parquet", "export it again") from None
        sha256 = _hash(name)
    written, types = tuple(row[0] for row in described), tuple(row[1] for row in described)
    header = tuple(map(column_name, written))
    problems = header_problems(header, origin)
    if problems:
        raise AudienceError(problems)
    return Table(
        origin=origin,
        path=path,
        written=written,
        types=types,
        header=header,
        sha256=sha256,
        flaws={
            name: (_flaw(origin, name, kind=kind),)
            for name, kind in zip(header, types, strict=True)
            if not is_textual(kind)
        },
    )


def load(connection: DuckDBPyConnection, sheet: Table, *, table: str, columns: Mapping[int, str]) -> None:
    """Create a table of some columns of a file (by index, under new names), in file order.

    Raises AudienceError for a file that cannot be read to its end, or is not what it was when its header was read.
    """
    chosen = ", ".join(
        f"{database.cell(as_text(sheet.written[index], sheet.types[index]))} AS {name}"
        for index, name in columns.items()
    )
    with _opened(sheet.path, sheet.origin) as name:
        try:
            connection.execute(f"CREATE TABLE {table} AS FROM {_scan(name)} SELECT {chosen}")
        except duckdb.Error:
            raise sheet.origin.refuse("cannot be read as Parquet", "export it again") from None
        if _hash(name) != sheet.sha256:
            raise sheet.origin.refuse("was changed while it was read", "run the command again")
    database.refuse_nul(connection, table, origin=sheet.origin)


def _flaw(origin: Origin, name: str, *, kind: str) -> Finding:
    what = next((word for pattern, word in _KINDS if pattern.fullmatch(kind)), "values that are no text")
    return origin.finding(f"column {quoted(name)} holds {what}", "write it as text, or leave the column out")


def is_textual(kind: str) -> bool:
    """Tell whether each value of a type, as the engine names it, is one text."""
    return _TEXTUAL.fullmatch(kind) is not None and not kind.endswith("]")


def as_text(column: str, kind: str) -> str:
    """Return the SQL of a column's text; what is not a number is missing."""
    name = '"' + column.replace('"', '""') + '"'
    text = f"{name}::VARCHAR"
    return f"CASE WHEN NOT isnan({name}) THEN {text} END" if kind in _FLOATING else text


def _scan(name: str) -> str:
    return f"read_parquet({database.quote(name)}, hive_partitioning = false, filename = false)"


@contextlib.contextmanager
def _opened(path: Path, origin: Origin) -> Iterator[str]:
    """Yield the name by which the engine can open a file that is open here."""
    try:
        file = path.open("rb")
    except OSError:
        raise origin.refuse("was taken away while it was read", "run the command again") from None
    with file:
        yield f"/dev/fd/{file.fileno()}"


def _hash(name: str) -> str:
    with Path(name).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
