"""Audiences asked of a database: read only, as text, and silent about what drivers say."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import duckdb
import psycopg
import pytest

from octoplan.audience import Asked, AudienceError, Engine, Query
from octoplan.core.model import Audience

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from octoplan.audience import Resolved
    from octoplan.core.model import Finding

K = b"k" * 32

PEOPLE = """
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE DOMAIN label AS text;
CREATE TABLE people (
  mobile text, code text, n bigint, amount numeric, f float8, b boolean, day date, tz timestamptz, m mood, id uuid,
  l label, c char(4), ip inet, "Odd ""name" text, js jsonb, li int[], by bytea, span interval);
INSERT INTO people VALUES
  ('+33639980001', '1E5', 5, 1.50, 1e5, true, '2026-01-02', '2026-01-02 03:04:05+02', 'glad',
   '00000000-0000-0000-0000-000000000000', 'x', 'ab', '10.0.0.1', '0612', '{}', '{1}', 'x', '1 day'),
  ('0639980002', ' ', NULL, 'NaN', 'NaN', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
"""
TEXTS = ("code", "n", "amount", "f", "b", "day", "tz", "m", "id", "l", "c", "ip", 'Odd "name')


@pytest.fixture(scope="module")
def people(postgres: str) -> Iterator[str]:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS people")
        connection.execute("CREATE DATABASE people")
    url = postgres.replace("/postgres?", "/people?")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(PEOPLE)
    yield url
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP DATABASE people WITH (FORCE)")


@pytest.fixture
def duck(tmp_path: Path) -> str:
    with duckdb.connect(tmp_path / "w.duckdb") as connection:
        connection.execute(
            "CREATE TABLE people AS FROM (VALUES ('+33639980001', '1E5', 5::BIGINT, 1e5::DOUBLE, TIMESTAMPTZ "
            "'2026-01-02 03:04:05+02', [1], 'x'::BLOB), ('0639980002', ' ', NULL, 'nan'::DOUBLE, NULL, NULL, NULL)) "
            "AS v(mobile, code, n, f, tz, li, bytes)"
        )
    return f"duckdb:///{tmp_path}/w.duckdb"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path / "temp", root=tmp_path) as engine:
        yield engine


def query(url: str, text: str, *, columns: tuple[str, ...] = (), where: str | None = None) -> Query:
    audience = Audience(address="mobile", country="FR", query="a.sql", connection="warehouse", where=where)
    asked = Asked(name="a.sql", text=text, connection="warehouse", url=url)
    return Query(campaign_audience=audience, asked=asked, key=K, columns=columns, fiction=True)


def owed(resolved: Resolved) -> dict[str, tuple[str, ...]]:
    found = {}
    for rows in resolved.chunks():
        for index, address in enumerate(rows.addresses):
            found[address] = tuple(values[index] for values in rows.columns.values())
    return found


def refusals(engine: Engine, asked: Query) -> tuple[Finding, ...]:
    with pytest.raises(AudienceError) as error:
        engine.resolve(asked)
    assert error.value.__suppress_context__ or error.value.__context__ is None
    shown = repr(error.value.findings) + repr(asked)
    assert "CANARY" not in shown
    assert "secret" not in shown
    assert all(found.hint for found in error.value.findings)
    return error.value.findings


def refusal(engine: Engine, asked: Query) -> str:
    (found,) = refusals(engine, asked)
    assert found.path in (("audience", "query"), ("audience", "connection"))
    return found.message


def test_postgresql_gives_text(people: str, engine: Engine) -> None:
    resolved = engine.resolve(query(people, "SELECT * FROM people -- all of them\n;", columns=TEXTS))
    assert owed(resolved) == {
        "+33639980001": (
            *("1E5", "5", "1.50", "100000", "true", "2026-01-02", "2026-01-02 01:04:05+00", "glad"),
            *("00000000-0000-0000-0000-000000000000", "x", "ab", "10.0.0.1/32", "0612"),
        ),
        "+33639980002": ("",) * 13,
    }
    assert resolved.missing == dict.fromkeys(TEXTS, 1)
    (found,) = refusals(engine, query(people, "SELECT *, 'x' AS code FROM people"))
    assert (found.rule, found.message) == ("file", "a.sql: columns 2 and 19 are both called code")
    assert [
        one.message for one in refusals(engine, query(people, "TABLE people", columns=("js", "li", "by", "span")))
    ] == [
        f"a.sql: column `{name}` holds values of type `{kind}`"
        for name, kind in {"js": "jsonb", "li": "_int4", "by": "bytea", "span": "interval"}.items()
    ]


def test_a_query_runs_at_postgresql_and_can_change_nothing(people: str, engine: Engine) -> None:
    text = """
    WITH chosen AS (SELECT DISTINCT ON (mobile) mobile, code FROM people WHERE mobile ~ '^[+0]' ORDER BY mobile)
    SELECT mobile, coalesce(nullif(trim(code), ''), '50%') AS code FROM chosen
    """
    resolved = engine.resolve(query(people, text, columns=("code",), where="code <> 'x'"))
    assert owed(resolved) == {"+33639980001": ("1E5",), "+33639980002": ("50%",)}
    with psycopg.connect(people, autocommit=True) as connection:
        connection.execute(
            "CREATE OR REPLACE FUNCTION meddle() RETURNS text LANGUAGE plpgsql AS "
            "$$ BEGIN DELETE FROM people; RETURN 'x'; END $$"
        )
        told = refusal(engine, query(people, "SELECT meddle() AS mobile"))
        assert told == "the rows of a.sql break off (ReadOnlySqlTransaction)"
        loosened = "SELECT set_config('transaction_read_only', 'off', false), meddle() AS mobile"
        assert refusal(engine, query(people, loosened)).startswith("the rows of a.sql break off (")
        assert connection.execute("SELECT count(*) FROM people").fetchall() == [(2,)]
        assert connection.execute("SELECT count(*) FROM pg_views WHERE viewname LIKE 'ibis%'").fetchall() == [(0,)]


def test_what_postgresql_says_is_not_passed_on(people: str, engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    refused = "the database refuses the query of a.sql"
    for text, told in {
        "SELECT 'CANARY' AS a, nope FROM people": f"{refused} (UndefinedColumn)",
        "SELECT * FROM nowhere": f"{refused} (UndefinedTable)",
        "WITH x AS (DELETE FROM people RETURNING 'CANARY') SELECT * FROM x": f"{refused} (FeatureNotSupported)",
        "SELECT 'CANARY' || mobile, CAST(mobile AS int) AS mobile FROM people": (
            "the rows of a.sql break off (NumericValueOutOfRange)"
        ),
        "SELECT (": f"{refused} (ParseError)",
        "SELECT 1; DROP TABLE people": "a.sql is not one SELECT",
        "DELETE FROM people": "a.sql is not one SELECT",
        "VACUUM people": "a.sql is not one SELECT",
        "-- nothing": "a.sql is not one SELECT",
        "SELECT mobile FROM people WHERE false": "a.sql: has no contacts",
    }.items():
        assert refusal(engine, query(people, text)) == told
    unreachable = "connection `warehouse` of octoplan.yaml leads to no database that can be read"
    for url, kind in {
        "postgresql://octoplan:secret@127.0.0.1:1/CANARY": "OperationalError",
        people.replace("/people?", "/secret?"): "OperationalError",
        "postgresql://u:secret@h:x/CANARY": "OperationalError",
        "nosuch://secret": "ValueError",
        "": "ValueError",
    }.items():
        assert refusal(engine, query(url, "SELECT 1")) == f"{unreachable} ({kind})"
    assert caplog.records == []


def test_more_rows_than_travel_at_once(people: str, engine: Engine) -> None:
    text = (
        "SELECT '+3363998' || lpad(n::text, 4, '0') AS mobile, n "
        "FROM generate_series(0, 9999) AS n, generate_series(1, 6)"
    )
    resolved = engine.resolve(query(people, text, columns=("n",)))
    assert (resolved.rows, resolved.contacts) == (60_000, 10_000)


@pytest.mark.usefixtures("abroad")
def test_a_duckdb_file_gives_text_without_the_extra(duck: str, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ibis", None)
    resolved = engine.resolve(query(duck, "-- all\nFROM people;", columns=("code", "n", "f", "tz")))
    assert owed(resolved) == {
        "+33639980001": ("1E5", "5", "100000.0", "2026-01-02 01:04:05+00"),
        "+33639980002": ("", "", "", ""),
    }
    assert [one.message for one in refusals(engine, query(duck, "FROM people", columns=("li", "bytes")))] == [
        "a.sql: column `li` holds values that are no text",
        "a.sql: column `bytes` holds values that are no text",
    ]
    many = "SELECT '+3363998' || lpad((n % 10000)::VARCHAR, 4, '0') AS mobile FROM range(60000) r(n)"
    assert engine.resolve(query(duck, many)).contacts == 10_000


def test_a_duckdb_file_is_read_and_nothing_else(duck: str, engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("mobile\nCANARY\n")
    refused = "the database refuses the query of a.sql"
    before = sorted(path.name for path in tmp_path.iterdir())
    for text, told in {
        f"FROM read_csv('{tmp_path}/other.csv')": f"{refused} (PermissionException)",
        "SELECT nope FROM people": f"{refused} (BinderException)",
        "SELECT (": f"{refused} (ParserException)",
        "FROM people) AS x, (SELECT 1": f"{refused} (ParserException)",
        "SELECT 1; DROP TABLE people": "a.sql is not one SELECT",
        "DROP TABLE people": "a.sql is not one SELECT",
        "": "a.sql is not one SELECT",
        "SELECT error('CANARY') AS mobile FROM people": "the rows of a.sql break off (InvalidInputException)",
        "SELECT mobile || chr(0) AS mobile FROM people": "a.sql: holds a NUL character",
    }.items():
        assert refusal(engine, query(duck, text)) == told
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    unreachable = "connection `warehouse` of octoplan.yaml leads to no database that can be read"
    assert refusal(engine, query(duck + "secret", "SELECT 1")) == f"{unreachable} (IOException)"


def test_other_databases_are_asked_by_way_of_ibis(engine: Engine, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "w.db")) as connection, connection:
        connection.execute("CREATE TABLE people (mobile TEXT, code TEXT, n INTEGER, f REAL, by BLOB)")
        connection.execute("INSERT INTO people VALUES ('+33639980001', '1E5', 5, NULL, x'00')")
    url = f"sqlite://{tmp_path}/w.db"
    resolved = engine.resolve(query(url, "SELECT * FROM people;", columns=("code", "n", "f")))
    assert owed(resolved) == {"+33639980001": ("1E5", "5", "")}
    (found,) = refusals(engine, query(url, "SELECT * FROM people", columns=("by",)))
    assert found.message == "a.sql: column `by` holds values that are no text"


def test_a_missing_extra_is_named(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ibis", None)
    (found,) = refusals(engine, query("postgresql://u:secret@127.0.0.1:1/x", "SELECT 1"))
    assert found.message == "`audience.query` needs the extra `ibis`, which is not installed"
    assert found.hint == "pip install 'octoplan[ibis]'"
