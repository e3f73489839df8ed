"""Who is contacted: every row of an audience ends in the owed contacts or under exactly one reason.

```
rows less filtered, invalid, duplicate → one contact per address
     less excluded, suppressed, already sent, over-cap, joined-later → owed
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import numpy as np

from octoplan.audience import addresses, database, where
from octoplan.audience.errors import AudienceError
from octoplan.audience.intake import load_contacts
from octoplan.audience.lists import load_lists
from octoplan.audience.resolved import Resolved
from octoplan.audience.sheet import Origin
from octoplan.core.keys import contact_keys
from octoplan.core.misspelled import MISSPELLED
from octoplan.core.model import LEFT_AUDIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from octoplan.audience.intake import Intake
    from octoplan.audience.query import Query
    from octoplan.core.model import Finding

HASHED_AT_ONCE = 100_000

HALF = 2**64 - 1

ALREADY_SENT = "already-sent"

BY_CONTACT = ("excluded", "suppressed", "over-cap", "joined-later")


def resolve(folder: Path, query: Query, *, name: Callable[[Path], str]) -> Resolved:
    """Find out who is owed a message, in a new database that spills to `folder`.

    `name` says what a file is called in messages. Raises AudienceError.
    """
    connection = database.connect(folder)
    try:
        intake = load_contacts(connection, query, name=name, folder=folder)
        country = query.campaign_audience.country
        excluded = [(path, Origin(name=name(path), path=("audience", "exclude"))) for path in query.exclude]
        suppressed = [(path, Origin(name=name(path))) for path in query.suppressions]
        findings = (
            *load_lists(connection, query, table="excluded", lists=excluded, countries=(country,)),
            *load_lists(connection, query, table="suppressed", lists=suppressed, countries=(query.home, country)),
        )
        return _resolve(connection, query, intake=intake, findings=findings)
    except BaseException:
        connection.close()
        raise


def _resolve(
    connection: DuckDBPyConnection, query: Query, *, intake: Intake, findings: tuple[Finding, ...]
) -> Resolved:
    """Resolve what was taken in: `numbered` and the tables `excluded` and `suppressed`.

    Locks the database before it evaluates anything a user wrote.
    """
    _load_keys(connection, query)
    database.lock(connection)
    rows = database.count(connection, "numbered")
    _filter(connection, intake.statement)
    audience = query.campaign_audience
    cells = f"(FROM kept SELECT row, {intake.columns[audience.address]} AS cell)"
    addresses.canonicalise(connection, cells, into="addressed", kind=query.kind, country=audience.country)
    fiction = database.count(connection, "addressed", condition="fiction")
    if not query.fiction:
        connection.execute("UPDATE addressed SET address = NULL, reason = 'fiction' WHERE fiction")
    _choose(connection, query.key)
    _judge(connection, query)
    excluded, already_sent = _count(connection, rows)
    used = {name: intake.columns[name] for name in query.columns}
    left_out = _left_out(connection)
    differ = _count_differing(connection, list(used.values())) if "duplicate" in excluded else 0
    invalid = _tally(connection, "addressed", column="reason")
    values = _owe(connection, used, fallback=audience.fallback)
    return Resolved(
        rows=rows,
        contacts=database.count(connection, "owed"),
        already_sent=already_sent,
        excluded=excluded,
        left_out=left_out,
        invalid_reasons=invalid,
        differ=differ,
        missing={name: missing for name, (missing, _) in values.items() if missing and name not in audience.fallback},
        fallback={name: missing for name, (missing, _) in values.items() if missing and name in audience.fallback},
        sizes={name: size for name, (_, size) in values.items()},
        countries=_tally(connection, "owed", column="nullif(country, '')"),
        fixed=database.count(connection, "owed", condition="kind = 'fixed'"),
        fiction=fiction,
        misspelled_domains=_misspelled(connection),
        findings=findings,
        connection=connection,
    )


def _load_keys(connection: DuckDBPyConnection, query: Query) -> None:
    """Create a table (key) of each set of packed contact keys."""
    sets = {
        "campaigns": query.excluded_keys,
        "held": query.held,
        "capped": query.capped,
        "members": query.members or b"",
    }
    for table, packed in sets.items():
        database.put(connection, "halves", columns=_halves(packed))
        connection.execute(f"CREATE TABLE {table} AS FROM halves SELECT DISTINCT {_KEY} AS key")
        connection.execute("DROP TABLE halves")


_KEY = "(high::UHUGEINT << 64) | low::UHUGEINT"
"""A contact key as one number, so that numbers and keys have the same order."""


def _halves(packed: bytes) -> dict[str, np.ndarray]:
    pairs = np.frombuffer(packed, dtype=">u8").reshape(-1, 2).astype(np.uint64)
    return {"high": np.ascontiguousarray(pairs[:, 0]), "low": np.ascontiguousarray(pairs[:, 1])}


def _filter(connection: DuckDBPyConnection, statement: str) -> None:
    """Create the table `kept`; a row is kept where the condition is true, not where it is unknown."""
    try:
        connection.execute(f"CREATE TABLE kept AS {statement}")
    except duckdb.DataError:
        problem = where.refuse("cannot convert a value of the audience", hint="use try_cast: it gives null instead")
        raise AudienceError([problem]) from None
    except duckdb.ProgrammingError:
        problem = where.refuse("does not fit the columns, which are all text", hint="quote constants, or cast columns")
        raise AudienceError([problem]) from None


def _choose(connection: DuckDBPyConnection, key: bytes) -> None:
    """Create the table `chosen`: one contact per address, from its first row in file order, and its key."""
    connection.execute(
        "CREATE TABLE firsts AS FROM addressed SEMI JOIN "
        "(FROM addressed SELECT min(row) AS row WHERE address IS NOT NULL GROUP BY address) USING (row) "
        "SELECT row, address, country, kind"
    )
    packed = []
    rows = []
    for start in range(0, database.count(connection, "firsts"), HASHED_AT_ONCE):
        part = connection.execute(
            f"FROM firsts SELECT row, address WHERE rowid >= {start} AND rowid < {start + HASHED_AT_ONCE}"
        ).fetchnumpy()
        rows.append(part["row"])
        packed.append(b"".join(contact_keys(key, part["address"].tolist())))
    row = np.concatenate([np.empty(0, dtype=np.int64), *rows])
    database.put(connection, "halves", columns={"row": row, **_halves(b"".join(packed))})
    connection.execute(f"CREATE TABLE chosen AS FROM firsts JOIN halves USING (row) SELECT firsts.*, {_KEY} AS key")
    connection.execute("DROP TABLE firsts")
    connection.execute("DROP TABLE halves")


def _judge(connection: DuckDBPyConnection, query: Query) -> None:
    """Create the table `judged`: every contact with the first reason against it, NULL if owed."""
    closed = query.members is not None and query.campaign_audience.new_contacts != "send"
    later = "WHEN key NOT IN (FROM members) THEN 'joined-later'" if closed else ""
    connection.execute(
        "CREATE TABLE judged AS FROM chosen SELECT *, CASE "
        "WHEN address IN (FROM excluded) OR key IN (FROM campaigns) THEN 'excluded' "
        "WHEN address IN (FROM suppressed) THEN 'suppressed' "
        f"WHEN key IN (FROM held) THEN '{ALREADY_SENT}' "
        "WHEN key IN (FROM capped) THEN 'over-cap' "
        f"{later} END AS reason"
    )
    connection.execute("DROP TABLE chosen")


def _count(connection: DuckDBPyConnection, rows: int) -> tuple[dict[str, int], int]:
    """Return how many rows each reason takes, in the pipeline's order, and how many were sent already."""
    kept = database.count(connection, "kept")
    valid = database.count(connection, "addressed", condition="address IS NOT NULL")
    reasons = _tally(connection, "judged", column="reason")
    counts = {
        "filtered": rows - kept,
        "invalid": kept - valid,
        "duplicate": valid - database.count(connection, "judged"),
        **{reason: reasons.get(reason, 0) for reason in BY_CONTACT},
    }
    return {reason: number for reason, number in counts.items() if number}, reasons.get(ALREADY_SENT, 0)


def _left_out(connection: DuckDBPyConnection) -> dict[str, int]:
    """Count the members who were not sent this edition and are not owed it now, by reason."""
    query = (
        "FROM members ANTI JOIN held USING (key) LEFT JOIN judged USING (key) "
        f"SELECT CASE WHEN row IS NULL THEN '{LEFT_AUDIENCE}' ELSE reason END AS why, count(*) "
        "GROUP BY why HAVING why IS NOT NULL ORDER BY why"
    )
    return dict(connection.execute(query).fetchall())


def _tally(connection: DuckDBPyConnection, table: str, *, column: str) -> dict[str, int]:
    query = f"FROM {table} SELECT {column}, count(*) WHERE {column} IS NOT NULL GROUP BY {column} ORDER BY {column}"
    return dict(connection.execute(query).fetchall())


def _count_differing(connection: DuckDBPyConnection, columns: list[str]) -> int:
    """Return the number of duplicate rows that would have told the person something else."""
    if not columns:
        return 0
    differs = " OR ".join(f"other.{column} IS DISTINCT FROM first.{column}" for column in columns)
    return database.count(
        connection,
        "addressed JOIN judged USING (address) JOIN kept other ON other.row = addressed.row "
        "JOIN kept first ON first.row = judged.row",
        condition=f"addressed.row <> judged.row AND ({differs})",
    )


def _owe(
    connection: DuckDBPyConnection, used: Mapping[str, str], *, fallback: Mapping[str, str]
) -> dict[str, tuple[int, tuple[int, int]]]:
    """Create `owed` and the view `texts`, drop the rest; return empty cells and sizes by used column."""
    columns = "".join(f", {column}" for column in dict.fromkeys(used.values()))
    connection.execute(
        f"CREATE TABLE owed AS FROM judged JOIN kept USING (row) SELECT key, address, country, kind{columns} "
        "WHERE reason IS NULL ORDER BY key"
    )
    for name in _tables(connection):
        connection.execute(f"DROP {name}")
    filled = [f"coalesce({column}, {database.quote(fallback.get(name, ''))})" for name, column in used.items()]
    values = "".join(f", {value} AS v{index}" for index, value in enumerate(filled))
    connection.execute(
        "CREATE VIEW texts AS FROM owed SELECT rowid AS row, (key >> 64)::UBIGINT AS high, "
        f"(key & {HALF})::UBIGINT AS low, address, country{values}"
    )
    figures = {}
    for (name, column), value in zip(used.items(), filled, strict=True):
        query = f"FROM owed SELECT count(*) - count({column}), min(length({value})), max(length({value}))"
        empty, fewest, most = connection.execute(query).fetchall()[0]
        figures[name] = (empty, (fewest or 0, most or 0))
    return figures


def _misspelled(connection: DuckDBPyConnection) -> dict[str, int]:
    """Count the owed contacts at each domain that looks mistyped."""
    domains = _tally(connection, "owed", column="CASE WHEN contains(address, '@') THEN split_part(address, '@', 2) END")
    return {domain: count for domain, count in domains.items() if domain in MISSPELLED}


def _tables(connection: DuckDBPyConnection) -> list[str]:
    """Return what the resolution no longer needs."""
    tables = connection.execute("FROM duckdb_tables() SELECT table_name WHERE table_name <> 'owed'").fetchall()
    return ["VIEW numbered", *(f"TABLE {name}" for (name,) in tables)]
