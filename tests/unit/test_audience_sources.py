"""One audience, however it is written down: the same contacts with the same texts."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from octoplan.audience import AudienceError, Engine, Query, parquet
from octoplan.audience.lines import LONGEST, MOST_COLUMNS, read_lines
from octoplan.audience.sheet import Origin
from octoplan.core.model import Audience

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from octoplan.audience import Resolved

K = b"k" * 32

ROWS: list[dict[str, str | None]] = [
    {"mobile": "+33639980001", "name": "Zoé", "code": "1E5", "city": "Lyon"},
    {"mobile": "0639980002", "name": 'Anne "Nan", B', "code": "007", "city": "Lyon"},
    {"mobile": "0639980003", "name": None, "code": "x;y\nz", "city": "Lyon"},
    {"mobile": "0639980004", "name": "Yves", "code": "true", "city": "Paris"},
    {"mobile": "0639980001", "name": "again", "code": "B4", "city": "Lyon"},
    {"mobile": None, "name": "nobody", "code": "C5", "city": "Lyon"},
]
FIELDS: dict[str, Any] = {"where": "city = 'Lyon'", "fallback": {"name": "cher client"}}


def as_csv(rows: list[dict[str, str | None]], *, separator: str = ",") -> str:
    def cell(text: str | None) -> str:
        return "" if text is None else '"' + text.replace('"', '""') + '"'

    header = list(rows[0])
    lines = [separator.join(header), *(separator.join(cell(row[name]) for name in header) for row in rows)]
    return "\n".join(lines) + "\n"


def as_lines(rows: list[dict[str, str | None]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def write_parquet(path: Path, select: str) -> None:
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")


def values(rows: list[dict[str, str | None]]) -> str:
    def literal(text: str | None) -> str:
        return "NULL" if text is None else "'" + text.replace("'", "''") + "'"

    listed = ", ".join("(" + ", ".join(map(literal, row.values())) + ")" for row in rows)
    return f"FROM (VALUES {listed}) AS v({', '.join(rows[0])})"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path / "temp", root=tmp_path) as engine:
        yield engine


def query(*files: Path, name: str | None = None, columns: tuple[str, ...] = ("name", "code"), **fields: Any) -> Query:
    audience = Audience(**{"address": "mobile", "country": "FR", "file": name or files[0].name, **fields})
    return Query(campaign_audience=audience, files=files, key=K, columns=columns, fiction=True)


def owed(resolved: Resolved) -> dict[str, tuple[str, ...]]:
    found = {}
    for rows in resolved.chunks():
        for index, address in enumerate(rows.addresses):
            found[address] = tuple(values[index] for values in rows.columns.values())
    return found


def messages(engine: Engine, asked: Query) -> list[str]:
    with pytest.raises(AudienceError) as error:
        engine.resolve(asked)
    assert {found.rule for found in error.value.findings} == {"file"}
    assert {found.path for found in error.value.findings} == {("audience", "file")}
    assert all(found.hint for found in error.value.findings)
    return [found.message for found in error.value.findings]


def lines(engine: Engine, folder: Path, text: str | bytes, **fields: Any) -> list[str]:
    (folder / "a.jsonl").write_bytes(text if isinstance(text, bytes) else text.encode())
    return messages(engine, query(folder / "a.jsonl", **fields))


def test_the_same_audience_in_every_form_is_the_same(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(as_csv(ROWS), encoding="utf-8")
    (tmp_path / "a.jsonl").write_text(as_lines(ROWS), encoding="utf-8")
    write_parquet(tmp_path / "a.parquet", values(ROWS))
    for number in range(3):
        part = ROWS[number * 2 : number * 2 + 2]
        turned = [dict(reversed(row.items())) for row in part] if number == 1 else part
        (tmp_path / f"p{number}.csv").write_text(as_csv(turned, separator=",;|"[number]), encoding="utf-8")
        (tmp_path / f"p{number}.jsonl").write_text(as_lines(turned), encoding="utf-8")
        write_parquet(tmp_path / f"p{number}.parquet", values(turned))
    forms = [query(tmp_path / f"a.{ending}", **FIELDS) for ending in ("csv", "jsonl", "parquet")]
    for ending in ("csv", "jsonl", "parquet"):
        parts = (tmp_path / f"p{number}.{ending}" for number in range(3))
        forms.append(query(*parts, name=f"p*.{ending}", **FIELDS))
    first, *others = (engine.resolve(form) for form in forms)
    assert owed(first) == {
        "+33639980001": ("Zoé", "1E5"),
        "+33639980002": ('Anne "Nan", B', "007"),
        "+33639980003": ("cher client", "x;y\nz"),
    }
    assert (first.rows, first.excluded) == (6, {"filtered": 1, "invalid": 1, "duplicate": 1})
    assert others == [first] * 5
    assert [list(other.chunks(2)) for other in others] == [list(first.chunks(2))] * 5


def test_numbers_of_json_are_text_as_they_are_written(engine: Engine, tmp_path: Path) -> None:
    written = ["1E5", "0.10", "-0", "12345678901234567890123", "1e-7", '"0612"', "true", "false", "null", "NaN", '""']
    rows = [f'{{"mobile": "+336399800{number:02}", "v": {value}}}' for number, value in enumerate(written)]
    (tmp_path / "a.jsonl").write_text("\r\n".join(["\ufeff" + rows[0], "", *rows[1:]]), encoding="utf-8")
    resolved = engine.resolve(query(tmp_path / "a.jsonl", columns=("v",)))
    texts = [found for (found,) in dict(sorted(owed(resolved).items())).values()]
    assert texts == ["1E5", "0.10", "-0", "12345678901234567890123", "1e-7", "0612", "true", "false", "", "", ""]
    assert resolved.missing == {"v": 3}


def test_a_key_that_comes_late_is_a_column_with_missing_values(engine: Engine, tmp_path: Path) -> None:
    text = '{"mobile": "+33639980001"}\n{"name": "a,b\\r\\n", "mobile": "+33639980002"}\n{"x": 1}\n{}\n'
    (tmp_path / "a.jsonl").write_text(text)
    resolved = engine.resolve(query(tmp_path / "a.jsonl", columns=("name", "x")))
    assert owed(resolved) == {"+33639980001": ("", ""), "+33639980002": ("a,b\r\n", "")}
    assert (resolved.rows, resolved.invalid_reasons) == (4, {"empty": 2})
    (tmp_path / "a.jsonl").write_text('{"mobile": null}\n{"mobile": "+33639980001"}\n')
    resolved = engine.resolve(query(tmp_path / "a.jsonl", columns=()))
    assert (resolved.rows, resolved.contacts, resolved.excluded) == (2, 1, {"invalid": 1})


def test_lines_that_are_no_object_are_named_without_their_values(engine: Engine, tmp_path: Path) -> None:
    bad = {
        '{"mobile": "0639980001", "mobile": "CANARY"}': "names a key twice",
        '["CANARY"]': "is JSON, but no object",
        '"CANARY"': "is JSON, but no object",
        '{"mobile": "CANARY': "is no object of JSON",
        '{"mobile": "0639980001"} {"mobile": "0639980002"}': "is no object of JSON",
        '{"mobile": ' + "[" * 100_000: "is no object of JSON",
        '{"mobile": "\\ud83d"}': "holds half a character: a \\u escape without its pair",
        '{"mobile": "\\u0000"}': "holds a NUL character",
        '{"mobile": -Infinity}': "holds an infinite number",
        '{"mobile": "' + "x" * (LONGEST + 1) + '"}': f"is longer than {LONGEST:,} bytes",
    }
    found = lines(engine, tmp_path, "\n".join(['{"mobile": "0639980001"}', *bad, "{}"]), columns=())
    assert found == [f"a.jsonl, line {number}: {reason}" for number, reason in enumerate(bad.values(), 2)]
    found = lines(engine, tmp_path, "x\n" * 30)
    assert len(found) == 21
    assert found[-1] == "a.jsonl: 10 more lines cannot be read"


def test_nested_values_are_refused_where_they_are_used(engine: Engine, tmp_path: Path) -> None:
    rows = ['{"mobile": "+33639980001", "name": "Zoe", "tags": [1], "who": {"a": 1}}'] * 30
    (tmp_path / "a.jsonl").write_text("\n".join(rows))
    assert owed(engine.resolve(query(tmp_path / "a.jsonl", columns=("name",)))) == {"+33639980001": ("Zoe",)}
    found = messages(engine, query(tmp_path / "a.jsonl", columns=("who",), where="tags is null"))
    assert len(found) == 42
    assert found[0] == "a.jsonl, line 1: column `who` holds an object"
    assert found[20:22] == [
        "a.jsonl: column `who` holds 10 more of them",
        "a.jsonl, line 1: column `tags` holds a list",
    ]
    checked = engine.check(
        Audience(address="mobile", country="FR", file="a.jsonl", where="tags = 'x'"), (), files=(tmp_path / "a.jsonl",)
    )
    assert len(checked) == 21


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.jsonl: is empty"),
        (b"\n \n", "a.jsonl: is empty"),
        (b"{}\n{}\n", "a.jsonl: has no keys"),
        (b"\x1f\x8bxx", "a.jsonl: is compressed (gzip)"),
        (b"PAR1xxxx", "a.jsonl: is a Parquet file"),
        (b'{"mobile": "a\0"}', "a.jsonl, line 1: holds a NUL character"),
        ('{"n": "é"}\n'.encode() + b'{"n": "\xe9"}', "a.jsonl, line 2: mixes UTF-8 with another encoding"),
        (b'{"mobile": 1, "Mobile": 2}', "a.jsonl: columns 1 and 2 are both called Mobile"),
        (b'{"": 1}', "a.jsonl: column 1 has no name"),
        (b'{"+33639980001": 1}', "a.jsonl: a contact stands where the columns' names belong"),
        (b'[{"mobile": 1}]', "a.jsonl, line 1: is JSON, but no object"),
    ],
)
def test_a_file_that_is_no_lines_of_json_is_refused(
    engine: Engine, tmp_path: Path, content: bytes, message: str
) -> None:
    assert lines(engine, tmp_path, content) == [message]


def test_other_encodings_are_read_as_for_csv(engine: Engine, tmp_path: Path) -> None:
    text = '{"mobile": "+33639980001", "name": "Zoé", "code": 1}\n'
    for encoding in ("utf-16", "cp1252", "utf-8-sig"):
        (tmp_path / "a.jsonl").write_bytes(text.encode(encoding))
        assert owed(engine.resolve(query(tmp_path / "a.jsonl"))) == {"+33639980001": ("Zoé", "1")}


def test_keys_without_end_are_no_columns(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("\n".join(f'{{"k{number}": 1}}' for number in range(MOST_COLUMNS + 5)))
    with pytest.raises(AudienceError, match="1 to put right") as error:
        read_lines(tmp_path / "a.jsonl", Origin(name="a.jsonl"))
    assert error.value.findings[0].message == "a.jsonl, line 1,001: has more than 1,000 different keys"


TYPED = """SELECT '+33639980001' mobile, 1e5::DOUBLE d, 'nan'::DOUBLE nan, 'nan'::FLOAT nanf, 3::BIGINT i,
    1.50::DECIMAL(9,2) m, true b, DATE '2026-01-02' AS day, TIMESTAMP '2026-01-02 03:04:05' AS at,
    TIMESTAMPTZ '2026-01-02 03:04:05+02' tz,
    'a'::ENUM('a') e, NULL nothing, TIME '01:02:03' clock, 255::UTINYINT u, '0612' "x ""y", ' ' blank,
    '00000000-0000-0000-0000-000000000000'::UUID id,
    [1] l, {'a': 1} s, MAP {'a': 1} AS map, 'x'::BLOB AS bytes, '{}'::JSON j, INTERVAL 1 DAY AS span,
    ['a']::VARCHAR[1] fixed"""


@pytest.mark.usefixtures("abroad")
def test_columns_of_parquet_are_cast_to_text(engine: Engine, tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", TYPED)
    names = ("d", "nan", "nanf", "i", "m", "b", "day", "at", "tz", "e", "nothing", "clock", "u", 'x "y', "blank", "id")
    assert owed(engine.resolve(query(tmp_path / "a.parquet", columns=names))) == {
        "+33639980001": (
            *("100000.0", "", "", "3", "1.50", "true", "2026-01-02", "2026-01-02 03:04:05", "2026-01-02 01:04:05+00"),
            *("a", "", "01:02:03", "255", "0612", "", "00000000-0000-0000-0000-000000000000"),
        )
    }
    nested = {
        "l": "lists",
        "s": "values made of several",
        "map": "maps",
        "bytes": "bytes",
        "j": "values made of several",
        "span": "values that are no text",
        "fixed": "lists",
    }
    assert messages(engine, query(tmp_path / "a.parquet", columns=tuple(nested))) == [
        f"a.parquet: column `{name}` holds {what}" for name, what in nested.items()
    ]


def test_a_parquet_file_is_one(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    for content, message in {
        b"": "a.parquet: is empty",
        b"PARE1234": "a.parquet: is encrypted",
        b"\x1f\x8b": "a.parquet: is compressed (gzip)",
        b"mobile\n1\n": "a.parquet: is no Parquet file",
        b"PAR1": "a.parquet: cannot be read as Parquet",
        b"PAR1xxxxPAR1": "a.parquet: cannot be read as Parquet",
    }.items():
        file.write_bytes(content)
        assert messages(engine, query(file)) == [message]
    write_parquet(file, "SELECT 'a' || chr(0) mobile")
    assert messages(engine, query(file, columns=())) == ["a.parquet: holds a NUL character"]
    write_parquet(file, "SELECT 'a' mobile, 'b' \"+33639980001\"")
    assert messages(engine, query(file, columns=())) == ["a.parquet: a contact stands where the columns' names belong"]
    write_parquet(file, "SELECT 'a' mobile WHERE false")
    assert messages(engine, query(file, columns=())) == ["a.parquet: has no contacts"]
    file.unlink()
    assert messages(engine, query(file))[0].startswith("a.parquet: cannot be read (no such file")
    file.mkdir()
    assert messages(engine, query(file)) == ["a.parquet: is no regular file"]


def test_what_was_checked_is_what_is_loaded(tmp_path: Path) -> None:
    file, origin = tmp_path / "[a]*.parquet", Origin(name="a")
    write_parquet(file, "SELECT 'x' a FROM range(5000)")
    read = parquet.read_table(file, origin, folder=tmp_path)
    with duckdb.connect(":memory:") as connection:
        parquet.load(connection, read, table="whole", columns={0: "c0"})
        assert connection.execute("FROM whole SELECT count(*)").fetchall() == [(5000,)]
        write_parquet(file, "SELECT 'y' a")
        with pytest.raises(AudienceError) as error:
            parquet.load(connection, read, table="other", columns={0: "c0"})
        assert error.value.findings[0].message == "a: was changed while it was read"
        file.write_bytes(b"PAR1" + bytes(100) + b"PAR1")
        with pytest.raises(AudienceError) as error:
            parquet.load(connection, read, table="broken", columns={0: "c0"})
        assert error.value.findings[0].message == "a: cannot be read as Parquet"
        file.unlink()
        with pytest.raises(AudienceError) as error:
            parquet.load(connection, read, table="gone", columns={0: "c0"})
        assert error.value.findings[0].message == "a: was taken away while it was read"


def test_files_of_a_pattern_have_the_same_columns(engine: Engine, tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.csv" for name in "abcd"]
    for file, header in zip(files, ["mobile,code", "mobile,name", "code,mobile", "mobile,code,extra"], strict=True):
        file.write_text(header + "\n" + "0639980001,x,y\n")
    assert messages(engine, query(*files, name="*.csv", columns=())) == [
        "b.csv: lacks column `code`, has a column `name` that others lack",
        "d.csv: has a column `extra` that others lack",
    ]
    odd = [tmp_path / f"odd{number:02}.csv" for number in range(24)]
    for number, file in enumerate(odd):
        file.write_text("mobile" if number < 3 else f"mobile,x{number}")
    found = messages(engine, query(*odd, name="*.csv", columns=()))
    assert len(found) == 21
    assert found[-1] == "other columns are also in 1 more file of the pattern"


def test_a_row_of_a_pattern_is_placed_in_its_file(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a.csv").write_text("mobile,code\n0639980001,x\n")
    (tmp_path / "sub/b.csv").write_text("mobile;code\n0639980001;x\n0639980002\n")
    (tmp_path / "sub/c.csv").write_text("")
    both = (tmp_path / "sub/a.csv", tmp_path / "sub/b.csv")
    with pytest.raises(AudienceError) as error:
        engine.resolve(query(*both, name="sub/*.csv", columns=("code",)))
    (found,) = error.value.findings
    assert found.message == "sub/b.csv, line 3: 1 columns where the header has 2"
    assert found.place is not None
    assert (found.place.file, found.place.line) == ("sub/b.csv", 3)
    assert messages(engine, query(*both, tmp_path / "sub/c.csv", name="sub/*.csv")) == ["sub/c.csv: is empty"]


def test_one_file_of_any_kind_can_be_pinned(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"mobile": "+33639980001"}')
    write_parquet(tmp_path / "a.parquet", "SELECT '+33639980001' mobile")
    for name in ("a.jsonl", "a.parquet"):
        file = tmp_path / name
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        assert engine.resolve(query(file, columns=(), sha256=digest.upper())).contacts == 1
        with pytest.raises(AudienceError) as error:
            engine.resolve(query(file, columns=(), sha256="0" * 64))
        (found,) = error.value.findings
        assert (found.rule, found.value, found.limit) == ("source", digest, "0" * 64)
