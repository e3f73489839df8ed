"""What comes in: the rows of a campaign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from octoplan.audience import database, where
from octoplan.audience.columns import unknown_columns
from octoplan.audience.errors import AudienceError
from octoplan.audience.sheet import Origin, Sheet, column_name, read_contacts, read_header
from octoplan.core.rules import finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from duckdb import DuckDBPyConnection

    from octoplan.audience.query import Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """A campaign's rows in the view `numbered` (row, c0, c1 …), `row` being the order of the file.

    `columns` maps the names a campaign needs to those of the view; `statement` selects what its
    `where` keeps.
    """

    columns: Mapping[str, str]
    statement: str


def load_contacts(connection: DuckDBPyConnection, query: Query, *, origin: Origin) -> Intake:
    """Load the columns a campaign needs.

    Raises AudienceError: `file` for rows that cannot be read, `source`, `template-name` and `where`
    for names that the header does not have.
    """
    contacts = query.campaign_audience.contacts or ()
    sheet = read_contacts(query.file, origin) if query.file else None
    if sheet:
        _check_pin(query, sheet)
    header = sheet.header if sheet else read_header(contacts)
    intake = _check(connection, query, header=header)
    if sheet:
        indices = {header.index(name): column for name, column in intake.columns.items()}
        database.load(connection, sheet, table="source", columns=indices)
    else:
        _load_inline(connection, contacts, columns=intake.columns)
    blank = "WHERE c0 IS NOT NULL" if sheet and len(header) == 1 else ""  # an empty line, not an empty cell
    connection.execute(f"CREATE VIEW numbered AS FROM source SELECT rowid AS row, * {blank}")
    if not database.count(connection, "numbered"):
        raise origin.refuse("has no contacts", "give at least one row")
    return intake


def _check_pin(query: Query, sheet: Sheet) -> None:
    pinned = query.campaign_audience.sha256
    if pinned is not None and pinned.casefold() != sheet.sha256:
        message = f"{sheet.origin.name} is not the file that was pinned"
        hint = f"restore the file, or pin this one: sha256: {sheet.sha256}"
        problem = finding("source", message, path=("audience", "sha256"), value=sheet.sha256, limit=pinned, hint=hint)
        raise AudienceError([problem])


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


def _load_inline(
    connection: DuckDBPyConnection, contacts: Iterable[Mapping[str, str]], *, columns: Mapping[str, str]
) -> None:
    rows = [{column_name(name): value for name, value in contact.items()} for contact in contacts]
    arrays = {column: np.array([row.get(name) for row in rows], dtype=object) for name, column in columns.items()}
    database.put(connection, "inline", columns=arrays)
    chosen = ", ".join(f"{database.cell(column)} AS {column}" for column in columns.values())
    connection.execute(f"CREATE TABLE source AS FROM inline SELECT {chosen}")
    connection.execute("DROP TABLE inline")
