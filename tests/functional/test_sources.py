"""Audiences from every source that octoplan holds itself, from files to deliveries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
import pytest
from workspaces import AUDIENCE, Workspace, tally

from octoplan.core import approval

if TYPE_CHECKING:
    from pathlib import Path

LINES = """\
{"phone_number": "+33639980011", "first_name": "Zoe", "code": 1E5}
{"phone_number": "+33639980012", "first_name": "Marc", "code": "0042"}
{"code": "C3", "first_name": "Ines", "phone_number": "+33639980013"}
"""
QUERY = "{query: ../audiences/list.sql, connection: warehouse}"
SOURCE = "{file: ../audiences/list.csv}"


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path).usual()


def name(project: Workspace, audience: str) -> None:
    text = (project.root / "campaigns/noel.yaml").read_text(encoding="utf-8")
    before = text.partition("audience: ")[2].partition("\n")[0]
    project.edit("campaigns/noel.yaml", f"audience: {before}", f"audience: {audience}")


def planned(project: Workspace) -> tuple[dict[str, Any], frozenset[bytes]]:
    """Return a campaign's row without what differs by the source's name, and the approved set."""
    project.run("plan", "--out", str(project.root / "a.plan"))
    saved = approval.read_saved((project.root / "a.plan").read_bytes())
    row = json.loads(saved.plan.model_dump_json())["campaigns"][0]
    return {key: row[key] for key in ("action", "audience", "text", "calls", "estimate", "findings")}, saved.approved


def warehouse(project: Workspace, url: str, text: str = "SELECT * FROM people ORDER BY phone_number") -> None:
    project.edit("octoplan.yaml", "environments:", 'connections: {warehouse: "${WAREHOUSE_URL}"}\nenvironments:')
    project.write("audiences/list.sql", text)
    project.variables["WAREHOUSE_URL"] = url
    name(project, QUERY)


def people(project: Workspace) -> None:
    with duckdb.connect(project.root / "w.duckdb") as connection:
        connection.execute(
            "CREATE OR REPLACE TABLE people AS FROM read_csv(?, all_varchar = true)",
            [str(project.root / "audiences/list.csv")],
        )


def test_every_source_of_one_audience_gives_one_approved_set(project: Workspace, postgres: str) -> None:
    header, *rows = AUDIENCE.splitlines(keepends=True)
    for number, row in enumerate(rows):
        project.write(f"audiences/part-{number}.csv", header + row)
    project.write("audiences/list.jsonl", LINES)
    with duckdb.connect(":memory:") as connection:
        source, target = project.root / "audiences/list.csv", project.root / "audiences/list.parquet"
        connection.execute(f"COPY (FROM read_csv('{source}', all_varchar = true)) TO '{target}'")
    people(project)
    with psycopg.connect(postgres, autocommit=True) as database:
        database.execute("CREATE TABLE people (phone_number text, first_name text, code text)")
        for row in rows:
            database.execute("INSERT INTO people VALUES (%s, %s, %s)", row.strip().split(","))
    first = planned(project)
    assert len(first[1]) == 3
    for form in ("list.jsonl", "list.parquet", "part-*.csv", "[p]art-?.csv"):
        name(project, f"{{file: '../audiences/{form}'}}")
        assert planned(project) == first
    warehouse(project, "duckdb:///w.duckdb")
    assert planned(project) == first
    project.variables["WAREHOUSE_URL"] = postgres
    assert planned(project) == first
    assert tally(project.run("apply", str(project.root / "a.plan")).out)["accepted"] == 3
    assert sorted(row["text"] for row in project.deliveries())[2] == "ACME: bonjour Zoe, code 1E5."


def test_what_a_query_gives_is_compared_with_what_was_approved(project: Workspace) -> None:
    people(project)
    warehouse(project, "duckdb:///w.duckdb")
    plan = str(project.root / "a.plan")
    project.run("plan", "--out", plan)
    with duckdb.connect(project.root / "w.duckdb") as connection:
        connection.execute("UPDATE people SET code = 'D4' WHERE first_name = 'Ines'")
    stale = project.run("apply", plan, code=4)
    assert "1 contact of noel would get something that was not approved" in stale.err
    with duckdb.connect(project.root / "w.duckdb") as connection:
        connection.execute("DELETE FROM people WHERE first_name = 'Ines'")
    assert tally(project.run("apply", plan).out)["accepted"] == 2


def test_a_query_is_run_by_what_may_reach_the_database_alone(project: Workspace) -> None:
    warehouse(project, "duckdb:///secret.duckdb")
    checked = project.run("validate")
    assert "audiences/list.sql is not run here: what it gives is not checked" in checked.flat
    offline = project.run("plan", "--offline", code=1)
    assert "`audience.query` runs where the data lives, which an offline plan does not reach" in offline.flat
    planned = project.run("plan", code=1)
    assert "connection `warehouse` of octoplan.yaml leads to no database that can be read (IOException)" in planned.flat
    assert "secret" not in checked.out + checked.err + offline.out + offline.err + planned.out + planned.err
    del project.variables["WAREHOUSE_URL"]
    assert "the environment variable WAREHOUSE_URL is not set" in project.run("plan", code=1).err
    project.run("validate")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read (no such file or directory)"),
        (b" \n", "is empty"),
        (b"SELECT '\xe9'", "is not UTF-8 text"),
        (b"x" * (1024 * 1024 + 1), "is larger than 1,048,576 bytes"),
    ],
)
def test_a_query_is_a_text_of_the_project(project: Workspace, content: bytes | None, told: str) -> None:
    warehouse(project, "duckdb:///w.duckdb")
    path = project.root / "audiences/list.sql"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert f"audiences/list.sql {told}" in project.run("validate", code=1).flat
    path.unlink(missing_ok=True)
    path.mkdir()
    assert "audiences/list.sql is not a regular file" in project.run("plan", code=1).flat


def test_a_pattern_that_matches_nothing(project: Workspace) -> None:
    name(project, "{file: '../lists/2026-*/part-*.csv'}")
    assert "lists/2026-*/part-*.csv is not there: what it holds is not checked" in project.run("validate").flat
    assert "lists/2026-*/part-*.csv matches no file" in project.run("plan", "--offline", code=1).flat


def test_a_pattern_stays_inside_and_takes_no_hidden_file(
    project: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    header, *rows = AUDIENCE.splitlines(keepends=True)
    for number, folder in enumerate(("2026-02", "2026-01", "2026-03")):
        project.write(f"lists/{folder}/part.csv", header + rows[number])
    project.write("lists/2026-01/.part.csv", "x")
    project.write("lists/.2026-04/part.csv", "x")
    project.write("lists/readme.txt", "x")
    (project.root / "lists/2026-04").symlink_to(project.root / "lists/2026-03")
    (project.root / "lists/2026-05").mkdir()
    for pattern in ("../lists/*/*.csv", "../lists/2026-0[1-4]/part.csv"):
        name(project, f"{{file: '{pattern}'}}")
        counts = json.loads(project.run("plan", "--json", "--offline").out)["campaigns"][0]["audience"]
        assert (counts["rows"], counts["contacts"]) == (4, 3)
    outside = tmp_path_factory.mktemp("outside")
    (outside / "part.csv").write_text(AUDIENCE)
    link = project.root / "lists/2026-06"
    link.symlink_to(outside)
    name(project, "{file: '../lists/*/*.csv'}")
    assert "lists/2026-06 leads outside the project" in project.run("validate", code=1).flat
    link.unlink()
    link.symlink_to(link)
    assert "lists/2026-06 cannot be read (too many levels of symbolic links)" in project.run("validate", code=1).flat
    link.unlink()
    (project.root / "lists/2026-01/a\u202eb.csv").write_text("x")
    assert "lists/2026-01/a\\u202eb.csv: a path must not hold control or invisible characters" in (
        project.run("plan", "--offline", code=1).flat
    )


def test_files_of_a_pattern_are_read_in_the_order_of_their_names(project: Workspace) -> None:
    header = AUDIENCE.splitlines(keepends=True)[0]
    for number in (3, 1, 10, 2):
        project.write(f"lists/{number:02}.csv", f"{header}+33639980011,Zoe,C{number}\n")
    name(project, "{file: '../lists/*.csv'}")
    project.run("apply")
    assert [row["text"] for row in project.deliveries()] == ["ACME: bonjour Zoe, code C1."]


def test_names_are_checked_in_every_kind_of_file(project: Workspace) -> None:
    with duckdb.connect(":memory:") as connection:
        target = project.root / "audiences/list.parquet"
        connection.execute(f"COPY (SELECT '+33639980011' AS phone_number, ['x'] AS code, 'Zoe' AS name) TO '{target}'")
    name(project, "{file: ../audiences/list.parquet}")
    told = project.run("validate", code=1).flat
    assert "the audience has no column `first_name`" in told
    assert "audiences/list.parquet: column `code` holds lists" in told
