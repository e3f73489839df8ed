"""The rows of a query at somebody's database: read only, as text, and nothing of them kept on disk.

A DuckDB file is read by the engine that is here anyway; everything else by way of Ibis, which comes with
`octoplan[ibis]` and is loaded only when a query is run. What drivers say quotes addresses and rows: only
the name of their error is passed on.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from octoplan.audience import database
from octoplan.audience.errors import AudienceError
from octoplan.audience.parquet import as_text, is_textual
from octoplan.audience.sheet import Origin, column_name, header_problems
from octoplan.core.quoting import quoted
from octoplan.core.rules import finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from duckdb import DuckDBPyConnection

    from octoplan.audience.query import Asked
    from octoplan.core.model import Finding, KeyPath

AT_ONCE = 50_000
"""Rows that are on their way at the same time."""

EXTRA = "pip install 'octoplan[ibis]'"

PATIENCE = 30
"""Seconds a PostgreSQL server may take to answer, where its address says nothing else."""

QUERY: KeyPath = ("audience", "query")

_RUN_IT = "run it there yourself: what the database says of it is not shown, it may quote rows"

_LOCKED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "temp_directory": "",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    "python_enable_replacements": "false",
}
"""How a DuckDB file is opened: a query reads it and nothing else, and what does not fit memory is not spilled."""

_TEXTUAL_CATEGORIES = frozenset("BDNSEI")
"""What PostgreSQL calls boolean, date and time, numeric, string, enum and network types; each value is one text."""

_TYPES = "SELECT oid::bigint, typcategory::text, typname::text FROM pg_catalog.pg_type WHERE oid = ANY(%s::bigint[])"

_TALKATIVE = ("sqlglot", "psycopg", "ibis")
"""Loggers that quote queries, addresses or rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of an answer, as its database calls it.

    `text` is what gives its text there, in SQL or as an expression of Ibis. `odd` says what it holds
    that is no text. Of `numbers`, those that are none are missing.
    """

    name: str
    text: Any
    odd: str = ""
    numbers: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a query gives. `fetch` yields the texts of some columns, as c0, c1 …, in what the engine can register."""

    origin: Origin
    columns: tuple[Column, ...]
    fetch: Callable[[Sequence[Column]], Iterator[Any]]

    @property
    def header(self) -> tuple[str, ...]:
        """The columns' names as templates and `where` know them."""
        return tuple(column_name(column.name) for column in self.columns)

    @property
    def has_empty_lines(self) -> bool:
        """Tell that no row is an empty line: one without a value is somebody without an address."""
        return False

    def flaws(self, name: str) -> tuple[Finding, ...]:
        """Return what is wrong with a column, for a campaign that uses it."""
        odd = [column.odd for column in self.columns if column_name(column.name) == name and column.odd]
        hint = "cast it to text in the query, or leave it out"
        return tuple(self.origin.finding(f"column {quoted(name)} holds {what}", hint) for what in odd)

    def load(self, connection: DuckDBPyConnection, *, columns: Mapping[str, str]) -> None:
        """Create the table `source` of some columns, by name, under new names.

        Raises AudienceError where the rows stop coming.
        """
        wanted = [self.columns[self.header.index(name)] for name in columns]
        connection.execute(f"CREATE TABLE source ({', '.join(f'{name} VARCHAR' for name in columns.values())})")
        cells = ", ".join(_cell(f"c{index}", column) for index, column in enumerate(wanted))
        with _hushed(f"the rows of {self.origin.name} break off", QUERY, hint=_RUN_IT):
            for batch in self.fetch(wanted):
                connection.register("batch", batch)
                connection.execute(f"INSERT INTO source FROM batch SELECT {cells}")
                connection.unregister("batch")
        database.refuse_nul(connection, "source", origin=self.origin)


def _cell(name: str, column: Column) -> str:
    text = f"{name}::VARCHAR"
    return database.cell(f"CASE WHEN lower({text}) <> 'nan' THEN {text} END" if column.numbers else text)


@contextlib.contextmanager
def ask(asked: Asked) -> Iterator[Answer]:
    """Run a query as far as its header; its rows can be fetched inside the block.

    Raises AudienceError for a database that cannot be reached, and for a query that is not one SELECT or
    is refused there.
    """
    scheme, _, place = asked.url.partition(":")
    origin = Origin(name=asked.name, path=QUERY)
    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")  # of drivers: nobody here can act on them, and some quote
        if scheme == "duckdb":
            answer = _ask_duckdb(asked, origin, path=place.removeprefix("///"), stack=stack)
        else:
            answer = _ask_ibis(asked, origin, scheme=scheme, stack=stack)
        problems = header_problems(answer.header, origin)
        if problems:
            raise AudienceError(problems)
        yield answer


def _ask_duckdb(asked: Asked, origin: Origin, *, path: str, stack: contextlib.ExitStack) -> Answer:
    with _reaching(asked):
        connection = duckdb.connect(path, read_only=True, config=_LOCKED)
        stack.callback(connection.close)
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET lock_configuration = true")
    with _asking(asked):
        statements = duckdb.extract_statements(asked.text)
    if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
        raise _no_select(asked)
    inner = f"(\n{statements[0].query.rstrip().rstrip(';')}\n) AS answer"
    with _asking(asked):
        described = connection.execute(f"DESCRIBE FROM {inner}").fetchall()

    def fetch(wanted: Sequence[Column]) -> Iterator[Any]:
        rows = connection.execute(f"FROM {inner} SELECT {', '.join(column.text for column in wanted)}")
        while batch := rows.fetchmany(AT_ONCE):
            texts = zip(*batch, strict=True)
            yield {f"c{index}": np.array(values, dtype=object) for index, values in enumerate(texts)}

    columns = tuple(
        Column(name=name, text=as_text(name, kind), odd="" if is_textual(kind) else "values that are no text")
        for name, kind, *_ in described
    )
    return Answer(origin=origin, columns=columns, fetch=fetch)


def _ask_ibis(asked: Asked, origin: Origin, *, scheme: str, stack: contextlib.ExitStack) -> Answer:
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        import ibis  # noqa: PLC0415  an extra, and a second of import
        import sqlglot  # noqa: PLC0415  comes with it
    except ImportError:
        message = "`audience.query` needs the extra `ibis`, which is not installed"
        raise AudienceError([finding("source", message, path=QUERY, hint=EXTRA)]) from None
    postgres = scheme in ("postgres", "postgresql")
    with _reaching(asked):
        backend = ibis.postgres.from_connection(_reader(asked.url, stack)) if postgres else ibis.connect(asked.url)
        stack.callback(_disconnect, backend)
    with _asking(asked):
        statements = list(filter(None, sqlglot.parse(asked.text, read=backend.dialect)))
    if len(statements) != 1 or not isinstance(statements[0], sqlglot.exp.Query):
        raise _no_select(asked)
    text = statements[0].sql(dialect=backend.dialect, comments=False)
    with _asking(asked):
        return (_postgres if postgres else _elsewhere)(backend, origin, text=text)


def _reader(url: str, stack: contextlib.ExitStack) -> Any:
    """Connect to PostgreSQL by libpq's own reading of the address; nothing that a query calls can change data."""
    import psycopg  # noqa: PLC0415  comes with the extra

    usual: dict[str, Any] = {"connect_timeout": PATIENCE, "fallback_application_name": "octoplan"}
    given = {**usual, **psycopg.conninfo.conninfo_to_dict(url), "client_encoding": "UTF8"}
    connection = psycopg.connect(psycopg.conninfo.make_conninfo(**given), autocommit=True)
    stack.callback(connection.close)
    connection.execute("SET default_transaction_read_only = on")
    connection.execute("SET datestyle = 'ISO, YMD'")
    return connection


def _disconnect(backend: Any) -> None:
    with contextlib.suppress(Exception):  # the rows are here, or an error is on its way already
        backend.disconnect()


def _postgres(backend: Any, origin: Origin, *, text: str) -> Answer:
    """Ask for the types first: Ibis would make a view for that, which a reader, or a replica, may not do."""
    with backend.con.cursor() as cursor:
        described = cursor.execute(f"SELECT * FROM ({text}) AS answer LIMIT 0").description  # noqa: S608  one SELECT
        found = cursor.execute(_TYPES, [[column.type_code for column in described]]).fetchall()
    types = {number: (category, name) for number, category, name in found}

    def column(name: str, number: int) -> Column:
        category, kind = types[number]
        doubled = name.replace('"', '""')
        plain = category in _TEXTUAL_CATEGORIES or kind == "uuid"
        return Column(
            name=name,
            text=f'CAST("{doubled}" AS TEXT)',
            odd="" if plain else f"values of type {quoted(kind)}",
            numbers=category == "N",
        )

    def fetch(wanted: Sequence[Column]) -> Iterator[Any]:
        chosen = ", ".join(f"{column.text} AS c{index}" for index, column in enumerate(wanted))
        texts = {f"c{index}": "string" for index in range(len(wanted))}
        table = backend.sql(f"SELECT {chosen} FROM ({text}) AS answer", schema=texts)  # noqa: S608  one SELECT
        yield from backend.to_pyarrow_batches(table, chunk_size=AT_ONCE)

    return Answer(origin=origin, columns=tuple(column(one.name, one.type_code) for one in described), fetch=fetch)


def _elsewhere(backend: Any, origin: Origin, *, text: str) -> Answer:
    table = backend.sql(text)

    def column(name: str) -> Column:
        kind = table[name].type()
        plain = kind.is_string() or kind.is_boolean() or kind.is_numeric() or kind.is_temporal() or kind.is_uuid()
        odd = "" if plain else "values that are no text"
        return Column(name=name, text=table[name].cast("string"), odd=odd, numbers=kind.is_numeric())

    def fetch(wanted: Sequence[Column]) -> Iterator[Any]:
        texts = {f"c{index}": column.text for index, column in enumerate(wanted)}
        yield from backend.to_pyarrow_batches(table.select(**texts), chunk_size=AT_ONCE)

    return Answer(origin=origin, columns=tuple(map(column, table.columns)), fetch=fetch)


def _reaching(asked: Asked) -> contextlib.AbstractContextManager[None]:
    message = f"connection {quoted(asked.connection)} of octoplan.yaml leads to no database that can be read"
    hint = "look at the value of its variable, the network, and the rights of the account"
    return _hushed(message, ("audience", "connection"), hint=hint)


def _asking(asked: Asked) -> contextlib.AbstractContextManager[None]:
    return _hushed(f"the database refuses the query of {asked.name}", QUERY, hint=_RUN_IT)


def _no_select(asked: Asked) -> AudienceError:
    hint = "write one SELECT; what it needs before goes into its WITH"
    return AudienceError([finding("source", f"{asked.name} is not one SELECT", path=QUERY, hint=hint)])


@contextlib.contextmanager
def _hushed(message: str, path: KeyPath, *, hint: str) -> Iterator[None]:
    """Let nothing pass of what a driver says but the name of its error."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  drivers have no common ancestor, and all of them quote rows
        told = f"{message} ({type(error).__name__})"
        raise AudienceError([finding("source", told, path=path, hint=hint)]) from None
