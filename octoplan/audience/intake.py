"""What comes in: the rows of a campaign."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from octoplan.audience import database, where
from octoplan.audience.columns import unknown_columns
from octoplan.audience.errors import AudienceError
from octoplan.audience.files import read_files
from octoplan.audience.sheet import INLINE, Origin, column_name, read_header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from octoplan.audience.files import Files
    from octoplan.audience.query import Query
    from octoplan.audience.warehouse import Answer
    from octoplan.core.model import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """A campaign's rows in the view `numbered` (row, c0, c1 …), `row` being the order of the file.

    `columns` maps the names a campaign needs to those of the view; `statement` selects what its
    `where` keeps.
    """

    columns: Mapping[str, str]
    statement: str


def load_contacts(connection: DuckDBPyConnection, query: Query, *, name: Callable[[Path], str], folder: Path) -> Intake:
    """Load the columns a campaign needs; `name` says what a file is called in messages.

    Raises AudienceError: `file` for rows that cannot be read, `source`, `template-name` and `where`
    for names that the header does not have.
    """
    with _opened(query, name=name, folder=folder) as source:
        intake = _check(connection, query, header=source.header)
        flaws = [found for column in intake.columns for found in source.flaws(column)]
        if flaws:
            raise AudienceError(flaws)
        source.load(connection, columns=intake.columns)
    blank = "WHERE c0 IS NOT NULL" if source.has_empty_lines else ""
    connection.execute(f"CREATE VIEW numbered AS FROM source SELECT rowid AS row, * {blank}")
    if not database.count(connection, "numbered"):
        raise source.origin.refuse("has no contacts", "give at least one row")
    return intake


@contextlib.contextmanager
def _opened(query: Query, *, name: Callable[[Path], str], folder: Path) -> Iterator[Files | Answer | _Inline]:
    if query.asked is not None:
        from octoplan.audience.warehouse import ask  # noqa: PLC0415  most campaigns ask nobody

        with ask(query.asked) as answer:
            yield answer
    elif query.files:
        yield read_files(query.campaign_audience, query.files, name=name, folder=folder)
    else:
        contacts = query.campaign_audience.contacts or ()
        yield _Inline(contacts=contacts, header=read_header(contacts))


def _check(connection: DuckDBPyConnection, query: Query, *, header: tuple[str, ...]) -> Intake:
    """Check every name a campaign uses against the header, all at once."""
    columns = {name: f"c{index}" for index, name in enumerate(header)}
    audience = query.campaign_audience
    problems = list(unknown_columns(audience, query.columns, header=columns))
    condition = where.Condition(statement="FROM numbered")
    if audience.where is not None:
        try:
            condition = where.check(connection, audience.where, columns=columns)
        except AudienceError as error:
            problems += error.findings
    if problems:
        raise AudienceError(problems)
    needed = dict.fromkeys((audience.address, *query.columns, *condition.columns))
    return Intake(columns={name: columns[name] for name in needed}, statement=condition.statement)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inline:
    """Contacts written in the campaign's file."""

    contacts: tuple[Mapping[str, str], ...] = field(repr=False)
    header: tuple[str, ...]
    origin: Origin = INLINE
    has_empty_lines: bool = False

    def flaws(self, _name: str) -> tuple[Finding, ...]:
        return ()

    def load(self, connection: DuckDBPyConnection, *, columns: Mapping[str, str]) -> None:
        rows = [{column_name(name): value for name, value in contact.items()} for contact in self.contacts]
        arrays = {column: np.array([row.get(name) for row in rows], dtype=object) for name, column in columns.items()}
        database.put(connection, "inline", columns=arrays)
        chosen = ", ".join(f"{database.cell(column)} AS {column}" for column in columns.values())
        connection.execute(f"CREATE TABLE source AS FROM inline SELECT {chosen}")
        connection.execute("DROP TABLE inline")
