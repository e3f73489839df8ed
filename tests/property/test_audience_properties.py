"""What is loaded is what was written, and every row is counted once."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from octoplan.audience import Engine, Query, database
from octoplan.audience.sheet import Origin, read_sheet
from octoplan.core import email
from octoplan.core.keys import contact_key
from octoplan.core.model import AddressKind, Audience
from octoplan.core.phone import Phone, canonical

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from duckdb import DuckDBPyConnection

K = b"k" * 32

CELLS = st.text(st.sampled_from("ab1é€😀 ;,\t|\"'\n#\\=-"), max_size=8)

TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=12)
)

NUMBERS = st.sampled_from([f"06399800{last:02}" for last in range(12)])

ROWS = st.lists(
    st.tuples(st.one_of(NUMBERS, NUMBERS.map(lambda raw: f"+33 {raw[1:]}"), st.sampled_from(["", "x", "12"])), CELLS),
    min_size=1,
    max_size=40,
)


@pytest.fixture(scope="module")
def connection() -> Iterator[DuckDBPyConnection]:
    with tempfile.TemporaryDirectory() as folder:
        connection = database.connect(Path(folder))
        yield connection
        connection.close()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(tmp_path_factory.mktemp("engine")) as engine:
        yield engine


def write(rows: Sequence[Sequence[str]], *, separator: str = ";", end: str = "\n", encoding: str = "utf-8") -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, lineterminator=end)
    writer.writerow([f"name{index}" for index in range(len(rows[0]))])
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def load(connection: DuckDBPyConnection, content: bytes, width: int) -> list[tuple[str | None, ...]]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.csv"
        file.write_bytes(content)
        sheet = read_sheet(file, Origin(name="a.csv"))
    connection.execute("DROP TABLE IF EXISTS loaded")
    database.load(connection, sheet, table="loaded", columns={index: f"c{index}" for index in range(width)})
    return connection.execute("FROM loaded ORDER BY rowid").fetchall()


def blank(cell: str) -> str | None:
    return cell if cell.strip(database.BLANKS) else None


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    TABLES, st.sampled_from(";,\t|"), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])
)
def test_what_python_writes_is_what_is_loaded(
    connection: DuckDBPyConnection, table: list[list[str]], separator: str, end: str, encoding: str
) -> None:
    width = len(table[0])
    loaded = load(connection, write(table, separator=separator, end=end, encoding=encoding), width)
    expected = [tuple(map(blank, row)) for row in table]
    assert [row for row in loaded if any(row)] == [row for row in expected if any(row)]


def test_rows_survive_the_borders_of_what_the_engine_reads_at_once(connection: DuckDBPyConnection) -> None:
    rows = [(str(one), 'quoted\n;"lines"\n' * (one % 7), "é" * (one % 53)) for one in range(60_000)]
    content = write(rows)
    assert len(content) > 6_000_000
    assert load(connection, content, 3) == [tuple(map(blank, row)) for row in rows]


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ROWS,
    st.sets(st.integers(0, 11)),
    st.sets(st.integers(0, 11)),
    st.sets(st.integers(0, 11)),
    st.one_of(st.none(), st.sets(st.integers(0, 11))),
)
def test_sets_agree_with_plain_python(  # noqa: PLR0913, PLR0917 - one strategy per set
    engine: Engine,
    rows: list[tuple[str, str]],
    held: set[int],
    capped: set[int],
    excluded: set[int],
    members: set[int] | None,
) -> None:
    audience = Audience(
        address="mobile", country="FR", contacts=tuple({"mobile": raw, "name": name} for raw, name in rows)
    )
    query = Query(
        campaign_audience=audience,
        key=K,
        columns=("name",),
        fiction=True,
        held=pack(held),
        capped=pack(capped),
        excluded_keys=pack(excluded),
        members=None if members is None else pack(members),
    )
    resolved = engine.resolve(query)
    assert resolved.rows == len(rows) == resolved.contacts + resolved.already_sent + sum(resolved.excluded.values())
    first: dict[str, str] = {}
    for raw, name in rows:
        found = canonical(raw, "FR")
        if isinstance(found, Phone):
            first.setdefault(found.e164, name)
    gone = held | capped | excluded
    owed = {
        address: name
        for address, name in first.items()
        if int(address[-2:]) not in gone and (members is None or int(address[-2:]) in members)
    }
    got = [
        (one, value)
        for chunk in resolved.chunks(5)
        for one, value in zip(chunk.addresses, chunk.columns["name"], strict=True)
    ]
    assert dict(got) == {address: blank(name) or "" for address, name in owed.items()}
    assert [contact_key(K, address) for address, _ in got] == sorted(contact_key(K, address) for address in owed)
    resolved.close()


EMAILS = st.builds(
    lambda number, spell: spell(f"zoe{number}@café.example"),
    st.integers(0, 11),
    st.sampled_from(
        [
            str,
            str.upper,
            lambda raw: f" {raw}\t",
            lambda raw: f"Zoé <{raw}>",
            lambda raw: raw.replace("café", "cafe\u0301"),
            lambda raw: raw.replace("café", "XN--CAF-DMA"),
        ]
    ),
)

MAILS = st.lists(st.one_of(EMAILS, st.sampled_from(["", "x", "0639980012", "a@b"])), min_size=1, max_size=40)


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MAILS, MAILS, MAILS)
def test_lists_of_e_mail_addresses_agree_with_plain_python(
    engine: Engine, rows: list[str], stopped: list[str], held: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "stop.csv"
        file.write_bytes(write([["x", "y"], *([cell, ""] for cell in stopped)]).replace(b"name0;name1", b"email;note"))
        query = Query(
            campaign_audience=Audience(address="email", country="FR", contacts=tuple({"email": raw} for raw in rows)),
            key=K,
            kind=AddressKind.EMAIL,
            fiction=True,
            suppressions=(file,),
            held=b"".join(contact_key(K, address) for address in canonicals(held)),
        )
        resolved = engine.resolve(query)
    gone = canonicals(stopped)
    people, judged = canonicals(rows), [email.canonical(raw) for raw in rows]
    invalid = sum(isinstance(one, str) for one in judged)
    counts = {
        "invalid": invalid,
        "duplicate": len(rows) - invalid - len(people),
        "suppressed": len(people & gone),
    }
    assert resolved.excluded == {reason: count for reason, count in counts.items() if count}
    assert resolved.already_sent == len((people & canonicals(held)) - gone)
    assert {one for chunk in resolved.chunks(5) for one in chunk.addresses} == people - gone - canonicals(held)
    assert resolved.rows == len(rows) == resolved.contacts + resolved.already_sent + sum(resolved.excluded.values())
    resolved.close()


def canonicals(cells: Sequence[str]) -> set[str]:
    read = map(email.canonical, cells)
    return {one.address for one in read if isinstance(one, email.Email)}


def pack(numbers: set[int]) -> bytes:
    return b"".join(contact_key(K, f"+336399800{one:02}") for one in numbers)
