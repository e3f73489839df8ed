"""The lists of people a campaign must not reach: each serves every channel, whatever it is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from octoplan.audience import addresses, database
from octoplan.audience.columns import LIST_COLUMNS, list_column
from octoplan.audience.sheet import read_sheet
from octoplan.core.model import AddressKind, Severity
from octoplan.core.quantity import quantity
from octoplan.core.rules import finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from decimal import Decimal
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from octoplan.audience.query import Query
    from octoplan.audience.sheet import Origin, Sheet
    from octoplan.core.model import Finding

SAMPLED = 1_000
"""Cells of a column that is not called an address column, looked at to find whether it is one."""

SHOWN = 5
"""Entries that a finding names."""

OTHER = {AddressKind.PHONE: AddressKind.EMAIL, AddressKind.EMAIL: AddressKind.PHONE}

_RULES = {AddressKind.PHONE: "phone", AddressKind.EMAIL: "email-address"}

_CALLED = {AddressKind.PHONE: "telephone numbers", AddressKind.EMAIL: "e-mail addresses"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    """The entries of a list: `own` are addresses of the campaign's kind, `unread` of neither kind."""

    total: int
    own: int
    unread: int


def load_lists(
    connection: DuckDBPyConnection,
    query: Query,
    *,
    table: str,
    lists: Iterable[tuple[Path, Origin]],
    countries: Iterable[str | None],
) -> Iterator[Finding]:
    """Create a table of the addresses on some lists; yield what is to be said of entries that protect nobody.

    Lists serve every channel: an entry may be an address of the other kind, which is none of this campaign's
    contacts. A list in which there is no address at all is the wrong file, or the wrong column: an error.

    A national number stands for its reading in each of the `countries`: sparing a stranger harms less
    than contacting somebody who opted out.
    """
    home = tuple(filter(None, dict.fromkeys(countries))) or (None,)
    readings = {AddressKind.PHONE: home, AddressKind.EMAIL: (None,)}
    connection.execute(f"CREATE TABLE {table} (address VARCHAR)")
    for path, origin in lists:
        total = left = _load_entries(connection, query, sheet=read_sheet(path, origin), country=home[0])
        for country in readings[query.kind]:
            left = _read_entries(connection, query.kind, country=country, entries="entries", into=table)
        own = total - left
        other = OTHER[query.kind]
        for country in readings[other] if left else ():
            left = _read_entries(connection, other, country=country, entries="unread")
        counts = _Counts(total=total, own=own, unread=left)
        most = query.campaign_audience.expect.max_invalid
        yield from _judge_list(origin, query.kind, counts=counts, rows=_unread(connection), most=most)
        connection.execute("DROP TABLE entries")
        connection.execute("DROP TABLE unread")


def _load_entries(connection: DuckDBPyConnection, query: Query, *, sheet: Sheet, country: str | None) -> int:
    """Create the tables `entries` and `unread` (row, cell) of a list's addresses: the other kind's if need be.

    Raises AudienceError where there are none, or where a column under another name holds what is looked for: a
    list must not protect nobody because of a name.
    """
    address = query.campaign_audience.address
    own, other = list_column(sheet, query.kind, address=address), list_column(sheet, OTHER[query.kind])
    hint = f"name it one of: {', '.join(dict.fromkeys((address, *LIST_COLUMNS[query.kind])))}"
    if own is None and other is None:
        raise sheet.origin.refuse("has no address column", hint, line=sheet.line(0))
    for index in () if own is not None else _alike(connection, sheet, kind=query.kind, country=country):
        if index != other:
            message = f"column {index + 1} holds {_CALLED[query.kind]} and is not called so"
            raise sheet.origin.refuse(message, hint, line=sheet.line(0))
    total = 0
    for column in (own, other):
        if column is not None and not total:
            database.load(connection, sheet, table="listed", columns={column: "cell"})
            connection.execute(
                "CREATE OR REPLACE TABLE entries AS FROM listed SELECT rowid AS row, cell WHERE cell IS NOT NULL"
            )
            connection.execute("DROP TABLE listed")
            total = database.count(connection, "entries")
    connection.execute("CREATE TABLE unread AS FROM entries")
    return total


def _alike(connection: DuckDBPyConnection, sheet: Sheet, *, kind: AddressKind, country: str | None) -> list[int]:
    """Return the columns of a list whose cells are most often addresses of this kind."""
    columns = {index: f"a{index}" for index in range(len(sheet.header))}
    database.load(connection, sheet, table="listed", columns=columns)
    found = []
    for index, column in columns.items():
        cells = f"(FROM listed SELECT rowid AS row, {column} AS cell WHERE {column} IS NOT NULL LIMIT {SAMPLED})"
        addresses.canonicalise(connection, cells, into="sampled", kind=kind, country=country)
        read = database.count(connection, "sampled", condition="address IS NOT NULL")
        if 2 * read > database.count(connection, "sampled"):
            found.append(index)
        connection.execute("DROP TABLE sampled")
    connection.execute("DROP TABLE listed")
    return found


def _read_entries(
    connection: DuckDBPyConnection, kind: AddressKind, *, country: str | None, entries: str, into: str | None = None
) -> int:
    """Take the addresses of one kind out of `unread`, and add those of some entries to a table; return what is left."""
    addresses.canonicalise(connection, f"(FROM {entries})", into="listed", kind=kind, country=country)
    if into is not None:
        connection.execute(f"INSERT INTO {into} FROM listed SELECT DISTINCT address WHERE address IS NOT NULL")
    connection.execute(
        "CREATE OR REPLACE TABLE unread AS FROM unread ANTI JOIN (FROM listed WHERE address IS NOT NULL) USING (row)"
    )
    connection.execute("DROP TABLE listed")
    return database.count(connection, "unread")


def _unread(connection: DuckDBPyConnection) -> str:
    """Return where in a list the first entries are that could not be read: `: rows 3, 17`; the header is no row."""
    rows = [
        row + 1 for (row,) in connection.execute(f"FROM unread SELECT row ORDER BY row LIMIT {SHOWN + 1}").fetchall()
    ]
    more = ", …" if len(rows) > SHOWN else ""
    return f": {'row' if len(rows) == 1 else 'rows'} {', '.join(f'{row:,}' for row in rows[:SHOWN])}{more}"


def _judge_list(origin: Origin, kind: AddressKind, *, counts: _Counts, rows: str, most: Decimal) -> Iterator[Finding]:
    """Yield what a list's entries are worth to a campaign whose contacts are of this kind.

    An entry that cannot be read protects nobody: more of them than an audience may have stop the campaign.
    """
    total, own, unread = counts.total, counts.own, counts.unread
    if unread:
        message = f"{origin.name}: {quantity(unread, 'entry')} of {total:,} without an address, protecting nobody"
        if unread == total:
            hint = "name the file or the column that holds the addresses"
            yield finding(_RULES[kind], message, severity=Severity.ERROR, path=origin.path, hint=hint)
        elif unread > most * total:
            hint = "mend them in the list, raise `expect.max_invalid`, or accept it under `allow`"
            share, limit = f"{100 * unread / total:.1f}%", f"{most * 100:.1f}%"
            yield finding("audience-invalid", message + rows, path=origin.path, value=share, limit=limit, hint=hint)
        else:
            yield finding(_RULES[kind], message + rows, severity=Severity.INFO, path=origin.path)
    others = total - own - unread
    if others and not own:
        message = f"{origin.name}: only {_CALLED[OTHER[kind]]} ({others:,}), no {_CALLED[kind]}"
        hint = f"it protects nobody of this campaign: list {_CALLED[kind]} too"
        yield finding(_RULES[kind], message, severity=Severity.INFO, path=origin.path, hint=hint)
