"""The `where` of an audience: what it can say, and what it can never do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from octoplan.audience import AudienceError, database, where

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from duckdb import DuckDBPyConnection

COLUMNS = {"ville": "c0", "actif": "c1", "âge": "c2", "date d'achat": "c3"}

ROWS = (
    ("Lyon", "oui", "34", "2026-01-15"),
    ("lyon", "non", "7", "2025-12-31"),
    ("Paris", None, "abc", None),
    ("100% Lyon", "oui", "1E5", "2026-11-02"),
)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[DuckDBPyConnection]:
    connection = database.connect(tmp_path)
    connection.execute("CREATE TABLE source (c0 VARCHAR, c1 VARCHAR, c2 VARCHAR, c3 VARCHAR)")
    connection.executemany("INSERT INTO source VALUES (?, ?, ?, ?)", ROWS)
    connection.execute("CREATE VIEW numbered AS FROM source SELECT rowid AS row, *")
    database.lock(connection)
    yield connection
    connection.close()


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ("ville = 'Lyon' and actif = 'oui'", [0]),
        ("VILLE = 'Lyon'", [0]),
        ("lower(ville) = 'lyon' -- both", [0, 1]),
        ("ville ILIKE 'l%' or ville LIKE '%\\%%' escape '\\'", None),
        ("ville like '%Lyon'", [0, 3]),
        ("ville not like '%Lyon' and ville not ilike 'p%'", [1]),
        ("actif is null", [2]),
        ("actif <> 'non'", [0, 3]),
        ("not actif = 'oui'", [1]),
        ("actif is distinct from 'non'", [0, 2, 3]),
        ("coalesce(actif, '') in ('', 'non')", [1, 2]),
        ("ville not in ('Lyon', 'Paris')", [1, 3]),
        ("try_cast(âge as integer) between 10 and 40", [0]),
        ('try_cast("âge" as double) > 30', [0, 3]),
        ("\"date d'achat\" >= '2026-01-01'", [0, 3]),
        ("try_cast(\"date d'achat\" as date) < date '2026-01-01'", [1]),
        ("âge = '1E5'", [3]),
        ("starts_with(ville, 'L') or ends_with(ville, 'is') or contains(ville, '%')", [0, 2, 3]),
        ("regexp_matches(ville, '^[Ll]yon$')", [0, 1]),
        ("substring(ville from 1 for 2) = 'Ly' or left(ville, 1) = 'P' or right(ville, 2) = 'is'", [0, 2]),
        ("nullif(trim(replace(ville, ' ', '')), 'Paris') is null", [2]),
        ("length(ville) > 5", [3]),
        ("true", [0, 1, 2, 3]),
    ],
)
def test_conditions_over_text(connection: DuckDBPyConnection, condition: str, rows: list[int] | None) -> None:
    if rows is None:
        with pytest.raises(AudienceError):
            where.check(connection, condition, columns=COLUMNS)
        return
    statement = where.check(connection, condition, columns=COLUMNS).statement
    assert [row for row, *_ in connection.execute(statement).fetchall()] == rows


def test_the_columns_read_are_known(connection: DuckDBPyConnection) -> None:
    assert where.check(connection, "Ville = 'x' or ACTIF is null or ville = 'y'", columns=COLUMNS).columns == (
        "ville",
        "actif",
    )


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("", "is no SQL condition"),
        ("ville =", "is no SQL condition"),
        ("ville = 'a'; drop table source", "is no SQL condition"),
        (" -- nothing", "is not one condition by itself"),
        ("ville = 'a') or (select 1", "is not one condition by itself"),
        ("ville = 'Lyon') or (1=1", "is not one condition by itself"),
        ("true) and (true) or (true", "is not one condition by itself"),
        ("ville in (select 1)", "a subquery is not allowed"),
        ("true) union select (1", "is not one condition by itself"),
        ("true) group by (ville", "is not one condition by itself"),
        ("true) order by (ville", "is not one condition by itself"),
        ("true) limit (1", "is not one condition by itself"),
        ("x" * 4_001, "has 4,001 characters, and may have 4,000"),
        ("order = '1'", "is no SQL condition"),
        ("exists (from read_csv('/etc/passwd'))", "a subquery is not allowed"),
        ("ville in (select content from read_text('/etc/passwd'))", "a subquery is not allowed"),
        ("read_text('/etc/passwd') = 'x'", "calls `read_text`, which is not allowed"),
        ("getenv('HOME') = 'x'", ", which is not allowed"),
        ("main.lower(ville) = 'x'", ", which is not allowed"),
        ("ville || actif = 'x'", ", which is not allowed"),
        ("count(distinct ville) > 1", ", which is not allowed"),
        ("ville in ['a']", ", which is not allowed"),
        ("repeat(ville, 1000000000) = 'x'", ", which is not allowed"),
        ("random() > 0.5", ", which is not allowed"),
        ("count(*) over () > 1", "a window function is not allowed"),
        ("ville = ?", "a parameter is not allowed"),
        ("ville = $1", "a parameter is not allowed"),
        ("columns(*) = 'x'", "a star is not allowed"),
        ("#1 = 'x'", "a column by position is not allowed"),
        ("ville collate nocase = 'lyon'", "collate is not allowed"),
        ("case when true then true end", "case is not allowed"),
        ("ville[1] = 'L'", "an operator is not allowed"),
        ("cast(ville as json) = 'x'", ", which is not allowed"),
        ("ville::blob = 'x'", "casts to `blob`, which is not allowed"),
        ("replace(ville, 'a', 'aaaa') = 'x'", "replace may only put a constant for one at least as long"),
        ("replace(ville, '', '') = 'x'", "replace may only put a constant for one at least as long"),
        ("replace(ville, actif, 'x') = 'x'", "replace may only put a constant for one at least as long"),
        ("replace(ville) = 'x'", "replace may only put a constant for one at least as long"),
        ("vile = 'Lyon'", "names `vile`, a column that the audience does not have"),
        ('ville = "Lyon"', ", a column that the audience does not have"),
        ("numbered.ville = 'x'", ", a column that the audience does not have"),
        ("c0 = 'x'", ", a column that the audience does not have"),
        ("row = 1", ", a column that the audience does not have"),
        ("current_date > ville", ", a column that the audience does not have"),
    ],
)
def test_nothing_else_is_allowed(connection: DuckDBPyConnection, condition: str, message: str) -> None:
    with pytest.raises(AudienceError) as error:
        where.check(connection, condition, columns=COLUMNS)
    assert any(message in found.message for found in error.value.findings)
    assert {(found.rule, found.path) for found in error.value.findings} == {("where", ("audience", "where"))}


def test_findings_have_line_column_and_a_way_out(connection: DuckDBPyConnection) -> None:
    with pytest.raises(AudienceError) as error:
        where.check(connection, "âge = '7'\n  and vile = 'Lyon' and getenv('x') = 'é'", columns=COLUMNS)
    column, function = error.value.findings
    assert (column.within, column.value) == ((2, 7), "vile")
    assert column.message == "names `vile`, a column that the audience does not have"
    assert column.hint == "did you mean ville?"
    assert (function.within, function.message) == ((2, 25), "calls `getenv`, which is not allowed")
    assert (function.hint or "").startswith("of the SQL of DuckDB there is contains, ends_with")
    assert "starts_with" in (function.hint or "")


def test_what_is_near_is_suggested(connection: DuckDBPyConnection) -> None:
    for condition, hint in (
        ("order = '1'", '`order` is a word of SQL: write the column as "order"'),
        ("group = '1'", 'a column such as "order" in double ones'),
        ("start_with(ville, 'L')", "did you mean starts_with?"),
        ("cast(ville as decimal(3)[]) = 'x'", "of the SQL of DuckDB there is bigint"),
    ):
        with pytest.raises(AudienceError) as error:
            where.check(connection, condition, columns={**COLUMNS, "Order": "c4"})
        assert hint in (error.value.findings[0].hint or "")


def test_a_syntax_error_has_its_place(connection: DuckDBPyConnection) -> None:
    with pytest.raises(AudienceError) as error:
        where.check(connection, "ville = 'x'\nand and actif = 'y'", columns=COLUMNS)
    assert error.value.findings[0].within == (2, 5)


def test_no_phone_number_of_a_condition_is_repeated(connection: DuckDBPyConnection) -> None:
    with pytest.raises(AudienceError) as error:
        where.check(connection, "mobile = '0639980001' '0639980002'", columns=COLUMNS)
    assert "06399" not in str([(one.message, one.value, one.hint) for one in error.value.findings])
    with pytest.raises(AudienceError) as error:
        where.check(connection, 'ville = "06 39 98 00 01"', columns=COLUMNS)
    assert error.value.findings[0].value is None
    assert "`…`" in error.value.findings[0].message


def test_nesting_is_bounded(connection: DuckDBPyConnection) -> None:
    for condition in ("not " * 999 + "true", "(" * 999 + "true" + ")" * 999, "lower(" * 500 + "ville" + ")" * 500):
        with pytest.raises(AudienceError):
            where.check(connection, condition, columns=COLUMNS)
    assert where.check(connection, " or ".join(["ville = 'x'"] * 200), columns=COLUMNS).columns == ("ville",)
