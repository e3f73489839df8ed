"""Cells → canonical addresses, millions at a time: masks in the engine, the library for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from octoplan.audience.database import put, quote
from octoplan.core import phone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

WORTH_A_MASK = 1_000
"""Distinct numbers of one calling code from which on a mask beats the library."""


def canonicalise(connection: DuckDBPyConnection, cells: str, *, into: str, country: str | None) -> None:
    """Create the table `into` (row, address, country, kind, fiction, reason) from a relation (row, cell).

    `address` is E.164, or NULL with `reason` the word of `phone.canonical`. `country` is that of
    numbers without a country code.
    """
    connection.execute(
        f"CREATE TABLE spelled AS FROM {cells} "
        f"SELECT row, regexp_replace(coalesce(cell, ''), '[{phone.PUNCTUATION}]+', '', 'g') AS spelling"
    )
    home = phone.mask(country, country) if country else None
    connection.execute(
        f"CREATE TABLE masked AS FROM spelled SELECT row, spelling, {_masked([home] if home else [])} AS found"
    )
    connection.execute("DROP TABLE spelled")
    connection.execute("CREATE TABLE rest AS FROM masked SELECT DISTINCT spelling WHERE found IS NULL")
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
        "(FROM masked JOIN library USING (spelling) SELECT row, address, country, kind, fiction, reason)"
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
