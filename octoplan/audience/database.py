"""One DuckDB in memory: how it is opened, filled and locked.

CSV text enters through a pipe, so that what was hashed and checked is what is loaded and no copy
touches the disk. Errors of the engine quote rows; none of their text is passed on.
"""

from __future__ import annotations

import contextlib
import os
import re
from threading import Thread
from typing import TYPE_CHECKING

import duckdb

from octoplan.audience.errors import AudienceError
from octoplan.audience.sheet import MAX_LINE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from duckdb import DuckDBPyConnection

    from octoplan.audience.sheet import Origin, Sheet
    from octoplan.core.model import Finding

MEMORY = 3 * 1024**3
"""Bytes the engine may hold before it spills: enough for ten million contacts."""

SHOWN = 20
"""Findings per file; a file read with a wrong dialect has as many as rows."""

END = "\x1e"
"""The cells of a row fed after the file's last, to prove that the engine reached it.

A quote that is never closed swallows every row below it; a suppression list cut short would be
taken for a shorter list.
"""

MAX_DEPTH = 64
"""Levels of a condition; its tree is walked recursively."""

BLANKS = " \t\n\u00a0\u2007\u202f"

_REASONS = {
    "UNQUOTED VALUE": "a quote is opened and not closed",
    "LINE SIZE OVER MAXIMUM": f"the row is longer than {MAX_LINE:,} bytes",
}


def connect(folder: Path) -> DuckDBPyConnection:
    """Open an empty database that spills, encrypted, to `folder` and downloads nothing."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    connection = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{min(MEMORY, physical * 6 // 10)}B",
            "temp_directory": str(folder),
            "temp_file_encryption": "true",
            # The bundled cipher; without this the engine would download an extension for a better random source.
            "force_mbedtls_unsafe": "true",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "allow_persistent_secrets": "false",
            "python_enable_replacements": "false",
            "enable_external_file_cache": "false",  # a descriptor names another file the next time
        },
    )
    connection.execute("SET TimeZone = 'UTC'")  # the text of a moment is the same on every machine
    connection.execute(f"SET max_expression_depth = {MAX_DEPTH}")
    return connection


def lock(connection: DuckDBPyConnection) -> None:
    """Cut the database off from files, network and its own settings, for good."""
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def quote(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def cell(column: str) -> str:
    """Return the SQL of a column's value: a cell that is empty or blank is NULL."""
    return f"CASE WHEN regexp_matches({column}, '[^{BLANKS}]') THEN {column} END"


def count(connection: DuckDBPyConnection, relation: str, *, condition: str = "true") -> int:
    """Return the number of rows of a relation for which a condition is true."""
    return int(connection.execute(f"FROM {relation} SELECT count(*) WHERE {condition}").fetchall()[0][0])


def put(connection: DuckDBPyConnection, table: str, *, columns: Mapping[str, np.ndarray]) -> None:
    """Create a table of arrays of equal length; objects are texts or None."""
    typed = [f"{name}::VARCHAR AS {name}" if array.dtype == object else name for name, array in columns.items()]
    connection.register("arrays", dict(columns))
    try:
        connection.execute(f"CREATE TABLE {table} AS FROM arrays SELECT {', '.join(typed)}")
    finally:
        connection.unregister("arrays")


def load(connection: DuckDBPyConnection, sheet: Sheet, *, table: str, columns: Mapping[int, str]) -> None:
    """Create a table of some columns of a sheet (by index, under new names), in file order.

    Every cell is text. Raises AudienceError naming every line that does not fit the header.
    """
    width = max(1, len(sheet.header))
    names = ", ".join(f"'{name}': 'VARCHAR'" for name in (f"c{index}" for index in range(width)))
    chosen = ", ".join(f"{cell(f'c{index}')} AS {name}" for index, name in columns.items())
    reader, writer = os.pipe()
    end = ("\n" * (not sheet.text.endswith(b"\n")) + sheet.separator.join([END] * width) + "\n").encode()
    feeder = Thread(target=_feed, args=(writer, sheet.text, end), name="audience-feeder")
    feeder.start()
    try:
        connection.execute(
            f"CREATE TABLE {table} AS FROM read_csv('/dev/fd/{reader}', columns = {{{names}}}, "
            f"delim = {quote(sheet.separator)}, header = {sheet.titled}, max_line_size = {MAX_LINE}, "
            "auto_detect = false, all_varchar = true, quote = '\"', escape = '\"', new_line = '\\n', "
            "compression = 'none', strict_mode = true, store_rejects = true, rejects_limit = 1000) "
            f"SELECT {chosen}"
        )
    except duckdb.Error:
        raise sheet.origin.refuse("cannot be read as csv", "export it again") from None
    finally:
        os.close(reader)
        feeder.join()
    problems = _rejected(connection, sheet)
    if problems:
        raise AudienceError(problems)
    remove_end(connection, sheet, table=table, column=next(iter(columns.values())))


def refuse_nul(connection: DuckDBPyConnection, table: str, *, origin: Origin) -> None:
    """Raise AudienceError where a cell holds a NUL character, which no text of a person does."""
    if count(connection, table, condition="contains(concat(*COLUMNS(*)), chr(0))"):
        raise origin.refuse("holds a NUL character", "export it again, as text")


def _feed(writer: int, *parts: bytes) -> None:
    with contextlib.suppress(BrokenPipeError), open(writer, "wb") as pipe:
        pipe.writelines(parts)


def remove_end(connection: DuckDBPyConnection, sheet: Sheet, *, table: str, column: str) -> None:
    """Remove the row that was fed last; raises AudienceError where it is missing, for then others are too."""
    last = f"rowid = (FROM {table} SELECT max(rowid)) AND {column} = {quote(END)}"
    removed = connection.execute(f"DELETE FROM {table} WHERE {last}").fetchall()  # noqa: S608 - our own names only
    if removed != [(1,)]:
        raise sheet.origin.refuse("a quote is opened and not closed", "mend the row")


def _rejected(connection: DuckDBPyConnection, sheet: Sheet) -> list[Finding]:
    """Return one finding per line the engine could not fit to the header."""
    rejects = connection.execute(
        "FROM reject_errors SELECT line_byte_position, arg_min(error_type, coalesce(column_idx, 0)), "
        "arg_min(error_message, coalesce(column_idx, 0)) GROUP BY line_byte_position ORDER BY line_byte_position"
    ).fetchall()
    findings = []
    for position, kind, message in rejects[:SHOWN]:
        found = re.search(r"Found: (\d+)", message)
        columns = f"{found[1]} columns where the header has {len(sheet.header)}" if found else "cannot be read"
        reason = _REASONS.get(kind, columns)
        findings.append(sheet.origin.finding(reason, "mend or remove the row", line=sheet.line(position - 1)))
    if len(rejects) > SHOWN:
        findings.append(sheet.origin.finding(f"{len(rejects) - SHOWN:,} more rows cannot be read", "export it again"))
    return findings
