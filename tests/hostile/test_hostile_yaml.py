"""Every hostile YAML file is refused at a line and column, within a second, without a traceback."""

from __future__ import annotations

import time

import pytest
from conftest import ROOT

from octoplan.core.source import read

FILES = ROOT / "tests" / "hostile" / "yaml"

EXPECTED = {
    "after-document": ("3:1", "<document start>"),
    "alias-bomb": ("5:12", "expands to more than 20,000 nodes"),
    "at-sign": ("1:5", "cannot start any token"),
    "bad-escape": ("1:8", "unknown escape"),
    "byte-order-mark-inside": ("2:5", "U+FEFF"),
    "colon-in-value": ("2:12", "mapping values"),
    "comments": ("1:1", "empty"),
    "control": ("2:5", "U+0007"),
    "cycle": ("1:8", "holds itself"),
    "cycle-merge": ("2:11", "holds itself"),
    "deep": ("1:53", "50 levels"),
    "deep-alias": ("2:13", "50 levels"),
    "duplicate": ("4:3", "`text` is written twice, on line 3 and on line 4"),
    "empty": ("1:1", "empty"),
    "exponent": ("1:4", "exponent beyond 30"),
    "infinite": ("1:8", "infinite"),
    "integer-huge": ("1:4", "a number of 5,000 characters"),
    "integer-wide": ("2:4", "19 digits"),
    "key-alias": ("2:1", "a key must be text"),
    "key-list": ("1:3", "a key must be text"),
    "key-missing": ("1:1", "expected key"),
    "key-null": ("1:7", "a key is missing"),
    "latin-1": ("2:7", "byte 0xE9 is not UTF-8"),
    "line-separator": ("2:5", "U+2028"),
    "list": ("1:1", "must be a mapping"),
    "merge-bomb": ("33:12", "expands to more than 20,000 nodes"),
    "merge-scalar": ("1:9", "`<<` needs"),
    "nan": ("1:4", "not a number"),
    "next-line": ("1:6", "U+0085"),
    "null-document": ("1:1", "empty"),
    "percent": ("1:4", "cannot start any token"),
    "scalar": ("1:1", "must be a mapping"),
    "surrogate": ("1:10", "invalid Unicode"),
    "tab-indent": ("2:1", "cannot start any token"),
    "tag-binary": ("1:4", "`!!binary` is not allowed"),
    "tag-handle": ("3:4", "`tag:example.org,2026:y` is not allowed"),
    "tag-key": ("1:1", "`!vault` is not allowed"),
    "tag-misfit": ("1:4", "`!!int` is not allowed"),
    "tag-python": ("1:4", "`!!python/object/apply:os.system` is not allowed"),
    "tag-set": ("1:4", "`!!set` is not allowed"),
    "tag-undefined": ("1:4", "undefined tag handle"),
    "tag-vault": ("1:4", "`!vault` is not allowed"),
    "two-documents": ("2:1", "second document"),
    "unclosed-list": ("2:1", "that began on line 1"),
    "unclosed-quote": ("3:1", "that began on line 2"),
    "unknown-alias": ("1:5", "`&nobody`"),
    "utf-16": ("1:1", "byte 0xFF"),
}

LARGE = {
    "bytes": b"x: " + b"a" * (1 << 20),
    "open brackets": b"a: " + b"[" * 1_000_000,
    "open braces": b"{" * 1_000_000,
    "dashes": b"- " * 500_000,
    "questions": b"? " * 500_000,
    "items": b"a: [" + b"1," * 500_000 + b"]",
    "keys": b"".join(b"k%d: 1\n" % number for number in range(15_000)),
    "anchors": b"".join(b"a%d: &a%d 1\n" % (number, number) for number in range(20_000)),
    "quote": b"a: '" + b"x" * 1_000_000,
    "indented": b"\n".join(b" " * depth + b"a:" for depth in range(1_400)),
    "slow brackets": b"a: [10:00]\nb: " + b"[" * 16_000,
    "slow braces": b"a: [10:00, " + b"{" * 16_000,
    "slow depth": b"a: [10:00, " + b"{" * 200,
    "slow items": b"a: [10:00, {" + b"a, " * 5_000,
    "exclamations": b"!" * 1_000_000,
}


def test_every_file_is_expected() -> None:
    assert {path.stem for path in FILES.iterdir()} == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_hostile_file_is_refused_with_its_place(name: str) -> None:
    source, findings = read("x.yaml", (FILES / f"{name}.yaml").read_bytes())
    place, words = EXPECTED[name]
    assert str(findings[0].place) == f"x.yaml:{place}"
    assert words in findings[0].message
    assert findings[0].hint
    assert findings[0].rule == ("duplicate-key" if source else "yaml")


@pytest.mark.parametrize("name", LARGE)
def test_a_large_file_is_refused_at_once(name: str) -> None:
    began = time.process_time()
    source, findings = read("x.yaml", LARGE[name])
    assert time.process_time() - began < 5  # unbounded, each takes minutes
    assert source is None
    assert "yaml" in {found.rule for found in findings}


def test_nothing_private_is_repeated() -> None:
    content = b'"+33612345678": a\n"+33612345678": b\nx: *sk_live_0123456789abcdefghijklmnopqrstuv\n'
    _, findings = read("x.yaml", content)
    told = " ".join(found.message for found in findings)
    assert len(findings) == 2
    assert "612345678" not in told
    assert "0123456789" not in told
