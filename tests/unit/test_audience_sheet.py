"""Files of contacts as people export them."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from octoplan.audience import AudienceError
from octoplan.audience.sheet import ALONE, Origin, Sheet, read_sheet

if TYPE_CHECKING:
    from pathlib import Path

ORIGIN = Origin(name="audiences/a.csv", path=("audience", "file"))

ROWS = "mobile;prénom\n0639980001;Noël\n0639980002;\n"


def read(folder: Path, content: bytes) -> Sheet:
    file = folder / "a.csv"
    file.write_bytes(content)
    return read_sheet(file, ORIGIN)


def refused(folder: Path, content: bytes) -> list[str]:
    with pytest.raises(AudienceError) as error:
        read(folder, content)
    assert {found.rule for found in error.value.findings} == {"file"}
    assert all(found.hint for found in error.value.findings)
    return [found.message for found in error.value.findings]


@pytest.mark.parametrize(
    "content",
    [
        ROWS.encode(),
        ROWS.encode("utf-8-sig"),
        ROWS.encode("cp1252"),
        ROWS.encode("utf-16"),
        b"\xfe\xff" + ROWS.encode("utf-16-be"),
        ROWS.replace("\n", "\r\n").encode(),
        ROWS.replace("\n", "\r").encode("latin-1"),
        ROWS.replace("\n", "\r\n").encode("utf-16"),
        ROWS.replace("é", "e\N{COMBINING ACUTE ACCENT}", 1).encode(),
        ("\n\r\n" + ROWS).encode(),
        ("sep=;\r\n" + ROWS).encode(),
    ],
)
def test_any_sane_encoding_and_line_end_is_the_same_table(tmp_path: Path, content: bytes) -> None:
    sheet = read(tmp_path, content)
    assert (sheet.header, sheet.separator) == (("mobile", "prénom"), ";")
    assert sheet.text.decode().splitlines()[1:] == ROWS.splitlines()[1:]
    assert sheet.sha256 == hashlib.sha256(content).hexdigest()


def test_windows_punctuation_is_not_taken_for_control_characters(tmp_path: Path) -> None:
    assert "12 € d’œufs" in read(tmp_path, "a;b\n12 € d’œufs;x\n".encode("cp1252")).text.decode()


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("a;b\n1,5;2\n3,5;4\n", ";"),
        ("a,b\n1;5,2\n", ","),
        ("a\tb\n1,2\t3;4\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ('"nom; prénom","tel, mobile"\n"x; y","1"\n"u; v","2"\n', ","),
        ('"a\nb";c\n1;2\n', ";"),
        ("phone_number\n1;2\n", ALONE),
        ("sep=,\na;b,c\n1;2,3\n1;2,3\n", ","),
    ],
)
def test_the_separator_is_what_rows_agree_on(tmp_path: Path, text: str, separator: str) -> None:
    assert read(tmp_path, text.encode()).separator == separator


def test_names_of_columns_are_stripped_and_composed(tmp_path: Path) -> None:
    header = read(tmp_path, " mobile ; pre\N{COMBINING ACUTE ACCENT}nom\t\n1;2\n".encode()).header
    assert header == ("mobile", "prénom")


def test_a_single_column_may_begin_with_a_number(tmp_path: Path) -> None:
    assert read(tmp_path, b"06 39 98 00 01\n0639980002\n").header == ()
    assert read(tmp_path, b"mobile\n0639980002\n").header == ("mobile",)


def test_a_sample_ends_at_a_line(tmp_path: Path) -> None:
    sheet = read(tmp_path, b"a;b\n" + b"1;2\n" * 40_000)
    assert (sheet.separator, len(sheet.text)) == (";", 160_004)


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    sheet = read(tmp_path, b"\r\n\r\nsep=;\r\na;b\r\n1;2\r\n")
    assert [sheet.line(0), sheet.line(sheet.text.index(b"1;2"))] == [4, 5]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "audiences/a.csv: is empty"),
        (b"\n \r\n", "audiences/a.csv: is empty"),
        (b"\xff\xfe", "audiences/a.csv: is empty"),
        (b"\x1f\x8b\x08\x00", "audiences/a.csv: is compressed (gzip)"),
        (b"PK\x03\x04xl/", "audiences/a.csv: is a zip archive or an Excel workbook"),
        (b"PAR1", "audiences/a.csv: is a Parquet file"),
        (b"a;b\n1;2\n1\x00;2\n", "audiences/a.csv, line 3: holds a NUL character"),
        ("a;b\n".encode("utf-16-le"), "audiences/a.csv, line 1: holds a NUL character"),
        ("a;b\nNoël;2\n".encode() + b"No\xebl;3\n", "audiences/a.csv, line 3: mixes UTF-8 with another encoding"),
        (b"a;b\rx;y\rNo\xebl\x81;3\n", "audiences/a.csv, line 3: is neither UTF-8, UTF-16 nor Windows-1252"),
        (b"\xff\xfea", "audiences/a.csv, line 1: is neither UTF-8, UTF-16 nor Windows-1252"),
        (b"a;b;\n1;2;3\n", "audiences/a.csv, line 1: column 3 has no name"),
        (b"x" * 70_000 + b"\n1\n", "audiences/a.csv, line 1: the first line is longer than 65,536 bytes"),
        (
            b"\nNoel;0639980001\nZoe;0639980002\n",
            "audiences/a.csv, line 2: a contact stands where the columns' names belong",
        ),
        (b"a@example.com;x\n", "audiences/a.csv, line 1: a contact stands where the columns' names belong"),
    ],
)
def test_what_is_no_table_is_refused_with_its_line(tmp_path: Path, content: bytes, message: str) -> None:
    assert refused(tmp_path, content) == [message]


def test_every_bad_name_is_told(tmp_path: Path) -> None:
    assert refused(tmp_path, b"Nom;;nom;b;\n") == [
        "audiences/a.csv, line 1: column 2 has no name",
        "audiences/a.csv, line 1: columns 1 and 3 are both called nom",
        "audiences/a.csv, line 1: column 5 has no name",
    ]


def test_a_file_that_is_not_there_is_no_empty_list(tmp_path: Path) -> None:
    with pytest.raises(AudienceError) as error:
        read_sheet(tmp_path / "gone.csv", ORIGIN)
    (found,) = error.value.findings
    assert found.message == "audiences/a.csv: cannot be read (no such file or directory)"
    assert found.path == ("audience", "file")


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(AudienceError, match="1 to put right"):
            read_sheet(path, ORIGIN)


def test_a_character_may_straddle_what_is_read_at_once(tmp_path: Path) -> None:
    content = b"a;b\n" + b"x" * ((1 << 20) - 5) + "é;2\n".encode()
    assert read(tmp_path, content).text == content
