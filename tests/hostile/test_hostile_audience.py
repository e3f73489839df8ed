"""Audience files that are wrong, or only look it: one line of English each, never a value of theirs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from octoplan.audience import AudienceError, Engine, Query
from octoplan.core.model import Audience

if TYPE_CHECKING:
    from octoplan.core.model import Finding

FILES = Path(__file__).parent / "audience"

WRONG = {
    "c06-nul": ["c06-nul.csv, line 3: holds a NUL character"],
    "c08-mixed-encodings": ["c08-mixed-encodings.csv, line 4: mixes UTF-8 with another encoding"],
    "c09-empty": ["c09-empty.csv: is empty"],
    "c09-no-rows": ["c09-no-rows.csv: has no contacts"],
    "c11-gzip": ["c11-gzip.csv: is compressed (gzip)"],
    "header-twice-the-same-name": [
        "header-twice-the-same-name.csv, line 1: columns 2 and 3 are both called first_name"
    ],
    "header-without-a-name": ["header-without-a-name.csv, line 1: column 2 has no name"],
    "json-lines": ["json-lines.csv: is JSON"],
    "no-header": ["no-header.csv, line 1: a contact stands where the columns' names belong"],
    "page-of-html": ["page-of-html.csv: is a page of HTML or XML"],
    "quote-never-closed": ["quote-never-closed.csv, line 3: a quote is opened and not closed"],
    "quoted-lines-before-a-mistake": ["quoted-lines-before-a-mistake.csv, line 5: 2 columns where the header has 3"],
    "too-few-columns": ["too-few-columns.csv, line 3: 2 columns where the header has 3"],
    "too-many-columns": [
        "too-many-columns.csv, line 3: 4 columns where the header has 3",
        "too-many-columns.csv, line 4: 1 columns where the header has 3",
    ],
    "wrong-separator-in-header": [
        "wrong-separator-in-header.csv, line 2: 1 columns where the header has 3",
        "wrong-separator-in-header.csv, line 3: 1 columns where the header has 3",
    ],
}

RIGHT = {
    "c04-one-person-three-spellings": (3, {"CANARY-1"}),
    "c05-formulas-are-data": (3, {"+SUM(1)", "-2", "1E5"}),
    "c08-windows-1252": (1, {"12 € d’œufs"}),
    "carriage-returns": (2, {"CANARY-1", "CANARY-2"}),
    "mixed-line-ends": (4, {"CANARY-1", "CANARY-2", "x"}),
}

HEADER_OF_TWO_LINES = "header-of-two-lines"


def ask(path: Path, temp: Path, column: str = "code") -> tuple[int, set[str], str]:
    """Return rows, values of a column, and everything else that would be printed."""
    audience = Audience(address="phone_number", country="FR")
    query = Query(campaign_audience=audience, files=(path,), key=b"k" * 32, columns=(column,), fiction=True)
    with Engine(temp) as engine:
        resolved = engine.resolve(query)
        values = {value for rows in resolved.chunks() for value in rows.columns[column]}
        return resolved.rows, values, repr(resolved)


def refusal(path: Path, temp: Path) -> tuple[Finding, ...]:
    with pytest.raises(AudienceError) as error:
        ask(path, temp)
    return error.value.findings


def test_every_file_has_its_expectation() -> None:
    assert {path.stem for path in FILES.glob("*.csv")} == {*WRONG, *RIGHT, HEADER_OF_TWO_LINES}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_refused_with_its_line_and_a_way_out(name: str, tmp_path: Path) -> None:
    findings = refusal(FILES / f"{name}.csv", tmp_path)
    messages = [found.message for found in findings if found.rule != "template-name"]
    assert messages == WRONG[name]
    assert all(found.hint for found in findings)
    assert all(
        "CANARY" not in repr(found) and "39 98" not in repr(found) and "3998" not in repr(found) for found in findings
    )


@pytest.mark.parametrize("name", RIGHT)
def test_what_only_looks_wrong_is_data(name: str, tmp_path: Path) -> None:
    rows, values, printed = ask(FILES / f"{name}.csv", tmp_path)
    assert (rows, values) == RIGHT[name]
    assert "CANARY" not in printed
    assert "3998" not in printed


def test_a_header_may_have_two_lines(tmp_path: Path) -> None:
    assert ask(FILES / f"{HEADER_OF_TWO_LINES}.csv", tmp_path, "code\nof promotion")[:2] == (1, {"CANARY-1"})


def test_a_field_of_200_kb_is_a_finding(tmp_path: Path) -> None:
    file = tmp_path / "big.csv"
    file.write_text("phone_number;code\n0639980001;x\n0639980002;" + "x" * 200_000 + "\n0639980003;x\n")
    (found,) = refusal(file, tmp_path)
    assert found.message == "big.csv, line 3: the row is longer than 131,072 bytes"


def test_thousands_of_broken_rows_are_told_in_a_few_lines(tmp_path: Path) -> None:
    file = tmp_path / "ragged.csv"
    file.write_text("phone_number;code\n" + "0639980001\n" * 5_000)
    *first, last = refusal(file, tmp_path)
    assert len(first) == 20
    assert last.message.endswith("more rows cannot be read")


def test_names_of_files_are_no_patterns(tmp_path: Path) -> None:
    file = tmp_path / "a[1]*?'.csv"
    file.write_text("phone_number;code\n0639980001;x\n")
    assert ask(file, tmp_path)[0] == 1
