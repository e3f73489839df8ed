"""Cells → canonical addresses, millions at a time: masks in the engine, the library for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from octoplan.audience.database import put, quote
from octoplan.core import email, phone
from octoplan.core.model import AddressKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

WORTH_A_MASK = 1_000
"""Distinct numbers of one calling code from which on a mask beats the library."""


def canonicalise(
    connection: DuckDBPyConnection, cells: str, *, into: str, kind: AddressKind, country: str | None
) -> None:
    """Create the table `into` (row, address, country, kind, fiction, reason) from a relation (row, cell).

    `address` is canonical, or NULL with `reason` the word of `phone.canonical` or `email.canonical`.
    `country` is that of numbers without a country code; e-mail addresses have neither country nor kind.
    """
    if kind is AddressKind.EMAIL:
        _read_emails(connection, cells, into=into)
    else:
        _read_numbers(connection, cells, into=into, country=country)


def _read_emails(connection: DuckDBPyConnection, cells: str, *, into: str) -> None:
    usual = (
        f"regexp_full_match(spelling, {quote(email.ACCEPT)}) AND NOT regexp_matches(spelling, {quote(email.REFUSE)})"
    )
    connection.execute(
        f"CREATE TABLE spelled AS FROM {cells} SELECT row, trim(coalesce(cell, ''), {quote(email.BLANKS)}) AS spelling"
    )
    connection.execute(
        "CREATE TABLE masked AS FROM spelled SELECT row, spelling, "
        f"CASE WHEN {usual} THEN lower(spelling) END AS found, "
        f"CASE WHEN regexp_full_match(spelling, {quote(email.NUMBER)}) THEN 'phone-number' END AS reason"
    )
    connection.execute("DROP TABLE spelled")
    connection.execute(
        "CREATE TABLE rest AS FROM masked SELECT DISTINCT spelling WHERE found IS NULL AND reason IS NULL"
    )
    spellings = connection.execute("FROM rest").fetchnumpy()["spelling"].tolist()
    judged = [email.canonical(spelling) for spelling in spellings]
    emails = [one if isinstance(one, email.Email) else None for one in judged]
    columns = {
        "spelling": spellings,
        "address": [one and one.address for one in emails],
        "reason": [one if isinstance(one, str) else None for one in judged],
    }
    arrays = {name: np.array(values, dtype=object) for name, values in columns.items()}
    fiction = np.array([one is not None and one.fiction for one in emails], dtype=bool)
    put(connection, "library", columns={**arrays, "fiction": fiction})
    connection.execute(
        f"CREATE TABLE {into} AS "
        "(FROM masked SELECT row, found AS address, '' AS country, '' AS kind, "
        f"found IS NOT NULL AND regexp_matches(found, {quote(email.FICTION)}) AS fiction, reason "
        "WHERE found IS NOT NULL OR reason IS NOT NULL) UNION ALL "
        "(FROM masked JOIN library USING (spelling) SELECT row, address, '', '', fiction, library.reason)"
    )
    for table in ("masked", "rest", "library"):
        connection.execute(f"DROP TABLE {table}")


def _read_numbers(connection: DuckDBPyConnection, cells: str, *, into: str, country: str | None) -> None:
    connection.execute(
        f"CREATE TABLE spelled AS FROM {cells} "
        f"SELECT row, regexp_replace(coalesce(cell, ''), {quote(phone.PUNCTUATION)}, '', 'g') AS spelling"
    )
    home = phone.mask(country, country) if country else None
    connection.execute(
        f"CREATE TABLE masked AS FROM spelled SELECT row, spelling, {_masked([home] if home else [])} AS found"
    )
    connection.execute("DROP TABLE spelled")
    foreign = f"regexp_matches(spelling, {quote(phone.EMAIL)})"
    connection.execute(
        f"CREATE TABLE rest AS FROM masked SELECT DISTINCT spelling WHERE found IS NULL AND NOT {foreign}"
    )
    abroad = [phone.mask(region, country) for region in _regions(connection)]
    connection.execute(
        f"CREATE TABLE abroad AS FROM rest SELECT spelling, {_masked([one for one in abroad if one])} AS found"
    )
    _ask_library(connection, country)
    masked = (
        "substr(found, 3) AS address, left(found, 2) AS country, 'mobile' AS kind, false AS fiction, NULL AS reason"
    )
    connection.execute(
        f"CREATE TABLE {into} AS "
        f"(FROM masked SELECT row, {masked} WHERE found IS NOT NULL) UNION ALL "
        f"(FROM masked JOIN abroad USING (spelling) SELECT row, {masked.replace('found', 'abroad.found')} "
        "WHERE abroad.found IS NOT NULL) UNION ALL "
        "(FROM masked JOIN library USING (spelling) SELECT row, address, country, kind, fiction, reason) UNION ALL "
        "(FROM masked SELECT row, NULL, NULL, NULL, false, 'email-address' "
        f"WHERE found IS NULL AND {foreign})"
    )
    for table in ("masked", "rest", "abroad", "library"):
        connection.execute(f"DROP TABLE {table}")


def _masked(masks: Sequence[phone.Mask]) -> str:
    """Return the SQL of country and address in one text (`FR+33…`), NULL for a spelling no mask knows."""
    cases = []
    for mask in masks:
        national = f"regexp_extract(spelling, {quote(f'^(?:{mask.accept})$')}, 1)"
        refused = f" AND NOT regexp_full_match({national}, {quote(mask.refuse)})" if mask.refuse else ""
        cases.append(f"WHEN {national} <> ''{refused} THEN '{mask.country}{mask.prefix}' || {national}")
    return f"CASE {' '.join(cases)} END" if cases else "NULL::VARCHAR"


def _regions(connection: DuckDBPyConnection) -> list[str]:
    """Return the main regions that many of the remaining numbers name by their calling code."""
    heads = connection.execute(
        r"FROM rest SELECT regexp_extract(spelling, '^(?:\+|00)([1-9][0-9]{2})', 1) AS head, count(*) "
        "WHERE head <> '' GROUP BY head ORDER BY head"
    ).fetchall()
    totals: dict[str, int] = {}
    for head, number in heads:
        for region in phone.calling_regions(head)[:1]:
            totals[region] = totals.get(region, 0) + number
    return [region for region, number in totals.items() if number >= WORTH_A_MASK]


def _ask_library(connection: DuckDBPyConnection, country: str | None) -> None:
    left = connection.execute("FROM abroad SELECT spelling WHERE found IS NULL").fetchnumpy()["spelling"]
    spellings = left.tolist()
    judged = [phone.canonical(spelling, country) for spelling in spellings]
    phones = [one if isinstance(one, phone.Phone) else None for one in judged]
    columns = {
        "spelling": spellings,
        "address": [one and one.e164 for one in phones],
        "country": [one and one.country for one in phones],
        "kind": [one and one.kind for one in phones],
        "reason": [one if isinstance(one, str) else None for one in judged],
    }
    arrays = {name: np.array(values, dtype=object) for name, values in columns.items()}
    fiction = np.array([one is not None and one.fiction for one in phones], dtype=bool)
    put(connection, "library", columns={**arrays, "fiction": fiction})
