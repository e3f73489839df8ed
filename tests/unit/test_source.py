from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from octoplan.core.model import Place
from octoplan.core.rules import finding
from octoplan.core.source import Source, read

if TYPE_CHECKING:
    from octoplan.core.model import KeyPath

CAMPAIGN = """\
# a comment
id: noel-2026
country: NO
audience: {file: ../audiences/lyon.csv, rate: 1.50, whole: 1., list: [a, b]}
message:
  text: |

    ACME: {{ contact.first_name }}
      été {{ vars.x }}
  plain: some text
  quoted: 'some text'
  escaped: "some\\ttext"
  folded: >
    some
    text
  lines: some
    text
  anchored: &a some text
schedule:
  send_at: 2026-12-03T10:00:00
  day: !!str 2026-12-03
other: *a
"""


def source(text: str, *, file: str = "campaigns/noel.yaml") -> Source:
    read_source, findings = read(file, text.encode())
    assert not findings
    assert read_source is not None
    return read_source


def scalar(written: str) -> Any:
    return source(f"x: {written}\n").data["x"]


@pytest.mark.parametrize(
    "written",
    [
        *("NO", "yes", "on", "off", "~", "null", "true", "FALSE", "True", "0o17", "0x1F", "-12", "1_000", "0611223344"),
        *("+33612345678", "1:30", "'12'", '"true"', "12abc", "2026-12-03", "1.2.3", "0b101", "+", "_1", "a,b", ".a"),
        *("1e", "0o8", "0x", "", "a b"),
    ],
)
def test_scalars_read_as_ruamel_reads_them(written: str) -> None:
    expected = YAML(typ="safe", pure=True).load(f"x: {written}\n")["x"]
    assert scalar(written) == (expected.isoformat() if hasattr(expected, "isoformat") else expected)


@pytest.mark.parametrize(
    ("written", "exact"),
    [("1.50", "1.50"), ("1E5", "1E+5"), ("-.5", "-0.5"), ("0.1", "0.1"), ("1_0.5", "10.5"), ("!!float 3", "3")],
)
def test_real_numbers_are_exact(written: str, exact: str) -> None:
    assert str(scalar(written)) == exact
    assert isinstance(scalar(written), Decimal)


@pytest.mark.parametrize("written", ["!!str 12", "! 12", "'12'", "!!str"])
def test_text_stays_text(written: str) -> None:
    assert isinstance(scalar(written), str)


def test_tags_of_the_core_are_fine_where_they_fit() -> None:
    data = source("a: !!int 1\nb: !!bool true\nc: !!null ''\nd: !!seq [a]\ne: !!map {a: b}\n").data
    assert data == {"a": 1, "b": True, "c": None, "d": ["a"], "e": {"a": "b"}}


def test_timestamps_keep_their_text_and_are_noted() -> None:
    made = source("a: 2026-12-03\nb: [2026-12-03 10:00:00, 2026-12-03 10:00]\nc: {d: '2026-12-03'}\n")
    assert made.data == {
        "a": "2026-12-03",
        "b": ["2026-12-03 10:00:00", "2026-12-03 10:00"],
        "c": {"d": "2026-12-03"},
    }
    assert made.timestamps == {("a",), ("b", 0)}


def test_json_holds_numbers_as_literals() -> None:
    made = source("a: 1.50\nb: 1.\nc: 1E5\nd: é\ne: [1, true, null]\n")
    assert made.json() == '{"a":1.50,"b":1.0,"c":1E+5,"d":"é","e":[1,true,null]}'.encode()


def test_keys_are_names_as_written() -> None:
    assert source("1: a\ntrue: b\n2026-12-03: c\n'': d\n").data == {"1": "a", "true": "b", "2026-12-03": "c", "": "d"}


def test_aliases_and_merges_are_expanded() -> None:
    made = source("a: &a {k: 1, l: 2}\nb: {<<: *a, l: 3}\nc: {l: 4, <<: [{m: 5}, *a]}\nd: *a\ne: {'<<': x}\n")
    assert made.data["b"] == {"l": 3, "k": 1}
    assert made.data["c"] == {"l": 4, "m": 5, "k": 1}
    assert made.data["d"] == {"k": 1, "l": 2}
    assert made.data["e"] == {"<<": "x"}
    assert str(made.place(("b", "k"))) == "campaigns/noel.yaml:1:11"
    assert str(made.key_place(("b", "k"))) == "campaigns/noel.yaml:1:8"


@pytest.mark.parametrize(
    ("path", "within", "place"),
    [
        ((), None, "2:1"),
        (("country",), None, "3:10"),
        (("audience", "list", 1), None, "4:74"),
        (("audience", "list", 7), None, "4:70"),
        (("audience", "csv", "file"), None, "4:18"),
        (("nothing", "at", "all"), None, "2:1"),
        (("message", "text"), None, "6:9"),
        (("message", "text"), (1, 1), "7:5"),
        (("message", "text"), (2, 10), "8:14"),
        (("message", "text"), (3, 3), "9:7"),
        (("message", "text"), (9, 1), "6:9"),
        (("message", "plain"), (1, 6), "10:15"),
        (("message", "quoted"), (1, 6), "11:17"),
        (("message", "quoted"), (2, 1), "11:11"),
        (("message", "escaped"), (1, 6), "12:12"),
        (("message", "folded"), (1, 6), "13:11"),
        (("message", "lines"), (1, 6), "16:10"),
        (("message", "anchored"), (1, 6), "18:21"),
        (("other",), (1, 6), "18:21"),
        (("message",), (1, 6), "6:3"),
        (("schedule", "day"), (1, 6), "21:19"),
    ],
)
def test_places(path: KeyPath, within: tuple[int, int] | None, place: str) -> None:
    assert str(source(CAMPAIGN).place(path, within)) == f"campaigns/noel.yaml:{place}"


def test_place_inside_a_block_of_a_windows_file() -> None:
    made = source("a: |\r\n  é\r\n   b\r\n")
    assert made.data == {"a": "é\n b\n"}
    assert str(made.place(("a",), (2, 2))) == "campaigns/noel.yaml:3:4"


def test_place_inside_a_block_whose_tag_stands_before_it_is_its_beginning() -> None:
    assert str(source("a: !!str\n  |\n  b\n").place(("a",), (1, 1))) == "campaigns/noel.yaml:1:4"


def test_place_inside_a_blank_block() -> None:
    assert str(source("a: |+\n\n\nb: c\n").place(("a",), (2, 1))) == "campaigns/noel.yaml:3:1"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("message", "plain"), "10:3"),
        (("audience", "list", 1), "4:74"),
        (("audience", "csv", "file"), "4:12"),
        (("message", "nope"), "6:3"),
        ((), "2:1"),
    ],
)
def test_key_places(path: KeyPath, place: str) -> None:
    assert str(source(CAMPAIGN).key_place(path)) == f"campaigns/noel.yaml:{place}"


def test_locate_gives_places_to_findings_without_one() -> None:
    other = Place(file="b.yaml", line=9, column=9)
    located = source(CAMPAIGN, file="a.yaml").locate(
        [
            finding("wrong-type", "a", path=("country",)),
            finding("template-name", "b", path=("message", "text"), within=(2, 10)),
            finding("file", "c", place=other),
        ]
    )
    assert [str(found.place) for found in located] == ["a.yaml:3:10", "a.yaml:8:14", "b.yaml:9:9"]


def test_colons_and_question_marks_inside_braces_are_fine() -> None:
    made = source("schedule: {send_at: 2026-12-03T10:00, at: &t 2026-12-03 10:00:00}\nurls: [a.example/b, why?, *t]\n")
    assert made.data == {
        "schedule": {"send_at": "2026-12-03T10:00", "at": "2026-12-03 10:00:00"},
        "urls": ["a.example/b", "why?", "2026-12-03 10:00:00"],
    }
    assert made.timestamps == {("schedule", "at"), ("urls", 2)}
    assert str(made.place(("schedule", "at"), (1, 3))) == "campaigns/noel.yaml:1:48"


def test_both_parsers_build_the_same_nodes() -> None:
    fast, slow = source(CAMPAIGN), source(CAMPAIGN + "more: [10:00]\n")
    paths: list[KeyPath] = [("audience", "list", 1), ("message", "text"), ("message", "anchored"), ("schedule", "day")]
    for path in paths:
        assert fast.place(path) == slow.place(path)
        assert fast.place(path, (1, 2)) == slow.place(path, (1, 2))
        assert fast.key_place(path) == slow.key_place(path)
    assert {**fast.data, "more": ["10:00"]} == slow.data


def test_long_file_is_not_read_by_the_slow_parser() -> None:
    _, (found,) = read("a.yaml", b"a: [10:00]\n" + b"# a comment\n" * 6000)
    assert found.message.startswith("not YAML: found unexpected ':'")
    assert str(found.place) == "a.yaml:1:7"


def test_duplicate_key_names_both_lines_and_the_first_counts() -> None:
    read_source, (found,) = read("a.yaml", b"a: 1\nb: {c: 1, c: 2}\n")
    assert read_source is not None
    assert read_source.data == {"a": 1, "b": {"c": 1}}
    assert found.rule == "duplicate-key"
    assert str(found.place) == "a.yaml:2:11"


def test_every_refused_value_of_a_file_is_reported() -> None:
    read_source, findings = read("a.yaml", b"a: !x 1\nb: .nan\nc: *d\nc: 2\n")
    assert read_source is None
    assert [found.rule for found in findings] == ["yaml", "yaml", "yaml", "duplicate-key"]


def test_byte_order_mark_is_taken_off() -> None:
    read_source, findings = read("a.yaml", b"\xef\xbb\xbfa: b\n")
    assert not findings
    assert read_source is not None
    assert str(read_source.place(("a",))) == "a.yaml:1:4"
