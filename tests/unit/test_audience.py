"""Who is contacted: every row is counted under exactly one reason."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest

from octoplan.audience import AudienceError, Engine, Query, database, sheet
from octoplan.core.keys import contact_key
from octoplan.core.model import Audience, Expect, Rows, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from octoplan.audience import Resolved

K = b"k" * 32

MESSY = """\
\ufeffcontact_id;mobile;prénom;ville;actif;code\r
1;+33 (0)6 39 98 00 01;Noël;Lyon;oui;1E5\r
2;0639980002;Léa;Lyon;oui;007\r
3;06.39.98.00.03;;Lyon;oui;=cmd|'/C calc'!A0\r
4;0639980001;Noëlle;Lyon;oui;B4\r
5;06-39-98-00-02;Léa;Lyon;oui;007\r
6;n/a;Zoé;Lyon;oui;C6\r
7;;Zoé;Lyon;oui;C7\r
8;0639980008;Zoé;Villeurbanne;oui;C8\r
9;0639980009;Zoé;Lyon;;C9\r
10;0033639980010;"Anne ""Nan"" B";Lyon;oui;"x;y"\r
11;+32 470 12 34 56; ;Lyon;oui;D1\r
12;01 11 22 23 33;Yves;Lyon;oui;D2\r
13;0891234567;Yves;Lyon;oui;D3\r
"""


def number(last: int) -> str:
    return f"+336399800{last:02}"


def keys(*last: int) -> bytes:
    return b"".join(contact_key(K, number(one)) for one in last)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path / "temp", root=tmp_path) as engine:
        yield engine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.csv").write_text(MESSY, encoding="utf-8", newline="")
    return tmp_path


def query(file: Path | None, *, fields: dict[str, Any] | None = None, **against: Any) -> Query:
    audience = Audience(**{"address": "mobile", "country": "FR", **(fields or {})})
    return Query(
        **{"campaign_audience": audience, "files": (file,) if file else (), "key": K, "fiction": True, **against}
    )


def contacts(resolved: Resolved) -> dict[str, dict[str, str]]:
    """Return address → used values of everybody owed."""
    found = {}
    for rows in resolved.chunks():
        for index, address in enumerate(rows.addresses):
            found[address] = {name: values[index] for name, values in rows.columns.items()}
    return found


def problems(engine: Engine, asked: Query) -> list[tuple[str, str]]:
    with pytest.raises(AudienceError) as error:
        engine.resolve(asked)
    return [(found.rule, found.message) for found in error.value.findings]


def test_a_messy_file_is_counted_row_by_row(engine: Engine, folder: Path) -> None:
    resolved = engine.resolve(
        query(
            folder / "a.csv",
            fields={"where": "ville = 'Lyon' and actif = 'oui'", "fallback": {"prénom": "cher l'ami"}},
            columns=("prénom", "code"),
        )
    )
    assert (resolved.rows, resolved.contacts, resolved.already_sent) == (13, 6, 0)
    assert resolved.excluded == {"filtered": 2, "invalid": 3, "duplicate": 2}
    assert resolved.invalid_reasons == {"empty": 1, "letters": 1, "premium-rate": 1}
    assert resolved.differ == 1
    assert resolved.countries == {"BE": 1, "FR": 5}
    assert (resolved.fixed, resolved.fiction) == (1, 6)
    assert (resolved.fallback, resolved.missing) == ({"prénom": 2}, {})
    assert resolved.sizes == {"prénom": (3, 12), "code": (2, 17)}
    assert resolved.findings == ()
    assert contacts(resolved) == {
        number(1): {"prénom": "Noël", "code": "1E5"},
        number(2): {"prénom": "Léa", "code": "007"},
        number(3): {"prénom": "cher l'ami", "code": "=cmd|'/C calc'!A0"},
        number(10): {"prénom": 'Anne "Nan" B', "code": "x;y"},
        "+32470123456": {"prénom": "cher l'ami", "code": "D1"},
        "+33111222333": {"prénom": "Yves", "code": "D2"},
    }


def test_contacts_come_in_key_order_whatever_the_size_of_a_chunk(engine: Engine, folder: Path) -> None:
    resolved = engine.resolve(query(folder / "a.csv", columns=("code",)))
    whole: list[Rows] = list(resolved.chunks())
    assert len(whole) == 1
    assert whole[0].keys == sorted(whole[0].keys)
    assert whole[0].keys == [contact_key(K, address) for address in whole[0].addresses]
    small = list(resolved.chunks(3))
    assert [len(rows.keys) for rows in small] == [3, 3, 2]
    assert list(chain.from_iterable(rows.addresses for rows in small)) == whole[0].addresses
    assert list(chain.from_iterable(rows.columns["code"] for rows in small)) == whole[0].columns["code"]


def test_two_resolutions_can_be_read_side_by_side(engine: Engine, folder: Path) -> None:
    first, second = (engine.resolve(query(folder / "a.csv", columns=("code",))) for _ in range(2))
    for one, other in zip(first.chunks(2), second.chunks(2), strict=True):
        assert one == other
    first.close()
    assert sum(len(rows.keys) for rows in second.chunks()) == second.contacts


def test_a_file_without_a_header_line_would_lose_a_person(engine: Engine, folder: Path) -> None:
    (folder / "a.csv").write_text("0639980001;Noel\n")
    assert problems(engine, query(folder / "a.csv"))[0][0] == "file"
    (folder / "a.csv").write_text("0639980001\n0639980002\n")
    assert problems(engine, query(folder / "a.csv")) == [("file", "a.csv, line 1: has no header line")]


def test_the_first_row_of_an_address_wins_with_its_own_values(engine: Engine, tmp_path: Path) -> None:
    rows = "".join(f"06399800{number:02},{turn}\n" for turn in range(5) for number in range(20))
    (tmp_path / "a.csv").write_text("mobile,turn\n" + rows)
    resolved = engine.resolve(query(tmp_path / "a.csv", columns=("turn",)))
    assert (resolved.contacts, resolved.excluded, resolved.differ) == (20, {"duplicate": 80}, 80)
    assert {values["turn"] for values in contacts(resolved).values()} == {"0"}


def test_a_reason_is_the_first_that_holds(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("mobile\n" + "".join(f"06399800{one:02}\n" for one in range(10)))
    (tmp_path / "vip.csv").write_text("name;MOBILE\nx;+33 6 39 98 00 00\n")
    (tmp_path / "stop.csv").write_text("06 39 98 00 00\n0033639980002\n\n06.39.98.00.99\n")
    resolved = engine.resolve(
        query(
            tmp_path / "a.csv",
            exclude=(tmp_path / "vip.csv",),
            excluded_keys=keys(1),
            suppressions=(tmp_path / "stop.csv",),
            held=keys(0, 1, 2, 3),
            capped=keys(3, 4),
            members=keys(0, 3, 4, 5, 6, 7, 8),
        )
    )
    assert resolved.excluded == {"excluded": 2, "suppressed": 1, "over-cap": 1, "joined-later": 1}
    assert (resolved.already_sent, resolved.contacts) == (1, 4)
    assert set(contacts(resolved)) == {number(one) for one in (5, 6, 7, 8)}


def test_a_closed_edition_takes_newcomers_only_if_told_to(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("mobile\n0639980001\n0639980002\n")
    asked: dict[str, Any] = {"held": keys(1), "members": keys(1)}
    skipped = engine.resolve(query(tmp_path / "a.csv", **asked))
    assert (skipped.contacts, skipped.already_sent, skipped.excluded) == (0, 1, {"joined-later": 1})
    sent = engine.resolve(query(tmp_path / "a.csv", fields={"new_contacts": "send"}, **asked))
    assert (sent.contacts, sent.already_sent, sent.excluded) == (1, 1, {})
    assert list(skipped.chunks()) == []


def test_an_empty_closed_edition_is_not_an_open_one(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("mobile\n0639980001\n")
    assert engine.resolve(query(tmp_path / "a.csv", members=b"")).excluded == {"joined-later": 1}


def test_numbers_reserved_for_fiction_are_contacts_in_the_sandbox_only(engine: Engine, folder: Path) -> None:
    resolved = engine.resolve(query(folder / "a.csv", fiction=False))
    assert set(contacts(resolved)) == {"+32470123456", "+33111222333"}
    assert (resolved.fiction, resolved.invalid_reasons["fiction"]) == (8, 8)
    assert resolved.rows == resolved.contacts + resolved.already_sent + sum(resolved.excluded.values())


def test_inline_contacts_take_the_same_way(engine: Engine) -> None:
    rows = (
        {"phone_number": "06 39 98 00 01", "first_name": "Zoé"},
        {"phone_number": "+33639980001", "first_name": "Zoe"},
        {"phone_number": "x", "first_name": "Yves"},
        {"phone_number": "0639980002"},
    )
    asked = query(None, fields={"address": "phone_number", "contacts": rows}, columns=("first_name",))
    resolved = engine.resolve(asked)
    assert (resolved.rows, resolved.excluded) == (4, {"invalid": 1, "duplicate": 1})
    assert resolved.missing == {"first_name": 1}
    assert contacts(resolved) == {number(1): {"first_name": "Zoé"}, number(2): {"first_name": ""}}
    assert sheet.read_header(rows) == ("phone_number", "first_name")


def test_nobody_inline_is_a_mistake(engine: Engine) -> None:
    none = [("file", "audience.contacts: has no contacts")]
    assert problems(engine, query(None, fields={"contacts": ()})) == none
    assert engine.resolve(query(None, fields={"contacts": ({"mobile": " "},)})).excluded == {"invalid": 1}


def test_a_file_without_rows_is_a_mistake(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("mobile;x\n\n")
    assert problems(engine, query(tmp_path / "a.csv")) == [("file", "a.csv: has no contacts")]


def test_one_column_files_may_have_blank_lines(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("mobile\n0639980001\n\n0639980002\n\n")
    assert engine.resolve(query(tmp_path / "a.csv")).rows == 2


def test_every_wrong_name_is_told_at_once(engine: Engine, folder: Path) -> None:
    asked = query(
        folder / "a.csv",
        fields={"address": "mobil", "where": "vile = 'x'", "fallback": {"prenom": "x"}},
        columns=("code", "nom"),
    )
    with pytest.raises(AudienceError) as error:
        engine.resolve(asked)
    assert [(found.rule, found.path, found.hint) for found in error.value.findings] == [
        ("source", ("audience", "address"), "did you mean `mobile`?"),
        ("template-name", ("message", "text"), "did you mean `prénom`?"),
        ("source", ("audience", "fallback", "prenom"), "did you mean `prénom`?"),
        ("where", ("audience", "where"), "did you mean ville?"),
    ]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("cast(code as integer) > 3", "cannot convert a value of the audience"),
        ("code > 3", "does not fit the columns, which are all text"),
        ("ville", "cannot convert a value of the audience"),
        ("length(ville) = 'x'", "cannot convert a value of the audience"),
        ("length(ville, ville) = 1", "does not fit the columns, which are all text"),
        ("regexp_matches(ville, '(')", "does not fit the columns, which are all text"),
    ],
)
def test_a_condition_that_the_values_refute_is_a_finding(
    engine: Engine, folder: Path, condition: str, message: str
) -> None:
    assert problems(engine, query(folder / "a.csv", fields={"where": condition})) == [("where", message)]


def test_a_pinned_file_is_that_file(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("mobile\n0639980001\n")
    pin = "5f3ba8a5d7b0b9b7b5f29b8b0f3ac0d5c8f6b6d8c2a7f1c5d5f3c0a9d1e2f3a4"
    with pytest.raises(AudienceError) as error:
        engine.resolve(query(tmp_path / "a.csv", fields={"sha256": pin, "file": "audiences/a.csv"}))
    (found,) = error.value.findings
    assert (found.rule, found.path, found.limit) == ("source", ("audience", "sha256"), pin)
    assert found.message == "audiences/a.csv is not the file that was pinned"
    assert found.value is not None
    assert engine.resolve(query(tmp_path / "a.csv", fields={"sha256": found.value.upper()})).contacts == 1


def test_a_missing_list_is_never_an_empty_one(engine: Engine, folder: Path) -> None:
    missing = "gone.csv: cannot be read (no such file or directory)"
    assert problems(engine, query(folder / "a.csv", suppressions=(folder / "gone.csv",))) == [("file", missing)]
    assert problems(engine, query(folder / "a.csv", exclude=(folder / "gone.csv",))) == [("file", missing)]


def test_a_list_without_an_address_column_protects_nobody(engine: Engine, folder: Path) -> None:
    (folder / "stop.csv").write_text("name;tel\nx;0639980001\n")
    assert problems(engine, query(folder / "a.csv", suppressions=(folder / "stop.csv",))) == [
        ("file", "stop.csv, line 1: has no address column")
    ]


def test_entries_of_a_list_that_are_no_numbers_are_counted(engine: Engine, folder: Path) -> None:
    (folder / "stop.csv").write_text("phone\n" + "0639980001\n" * 49 + "nope\n\n")
    asked = query(folder / "a.csv", suppressions=(folder / "stop.csv",))
    (found,) = engine.resolve(asked).findings
    assert (found.rule, found.severity) == ("phone", Severity.INFO)
    assert found.message == "stop.csv: 1 entry of 50 without an address, protecting nobody: row 50"


def test_a_list_of_many_entries_that_are_no_numbers_stops_the_campaign(engine: Engine, folder: Path) -> None:
    entries = ["0639980001", "nope", *["n/a"] * 5, "0639980002"]
    (folder / "stop.csv").write_text("phone\n" + "\n".join(entries) + "\n")
    asked = query(folder / "a.csv", suppressions=(folder / "stop.csv",))
    (found,) = engine.resolve(asked).findings
    assert (found.rule, found.severity) == ("audience-invalid", Severity.LIMIT)
    assert (found.value, found.limit) == ("75.0%", "2.0%")
    message = "stop.csv: 6 entries of 8 without an address, protecting nobody: rows 2, 3, 4, 5, 6, …"
    assert found.message == message
    assert "accept it under `allow`" in found.hint
    lax = replace(asked, campaign_audience=replace(asked.campaign_audience, expect=Expect(max_invalid=Decimal("0.75"))))
    assert [(one.rule, one.severity) for one in engine.resolve(lax).findings] == [("phone", Severity.INFO)]


@pytest.mark.parametrize(("home", "spared"), [("FR", 1), (None, 0), ("BE", 0)])
def test_a_suppression_list_is_of_the_project_s_country(
    home: str | None, spared: int, engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("mobile\n+33639980012\n")
    (tmp_path / "stop.csv").write_text("phone_number\n0639980012\n")
    asked = query(tmp_path / "a.csv", fields={"country": "BE"}, suppressions=(tmp_path / "stop.csv",), home=home)
    resolved = engine.resolve(asked)
    assert resolved.excluded.get("suppressed", 0) == spared
    assert len(resolved.findings) == 1 - spared


def test_a_suppressed_number_protects_in_either_country(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("mobile\n0470 12 34 56\n+33470123456\n+33639980012\n")
    (tmp_path / "stop.csv").write_text("phone_number\n0470123456\n0639980012\nnope\n")
    asked = query(tmp_path / "a.csv", fields={"country": "BE"}, suppressions=(tmp_path / "stop.csv",), home="FR")
    resolved = engine.resolve(asked)
    assert resolved.excluded == {"suppressed": 3}
    (found,) = resolved.findings
    assert found.message == "stop.csv: 1 entry of 3 without an address, protecting nobody: row 3"


def test_an_excluded_list_is_of_the_campaign_s_country(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("mobile\n+33639980012\n0470 12 34 56\n")
    (tmp_path / "vip.csv").write_text("phone_number\n0639980012\n0470123456\n")
    asked = query(tmp_path / "a.csv", fields={"country": "BE"}, exclude=(tmp_path / "vip.csv",), home="FR")
    assert engine.resolve(asked).excluded == {"excluded": 1}


def test_an_empty_list_with_a_header_is_a_list(engine: Engine, folder: Path) -> None:
    (folder / "stop.csv").write_text("phone_number\n")
    assert "suppressed" not in engine.resolve(query(folder / "a.csv", suppressions=(folder / "stop.csv",))).excluded


def test_reserved_numbers_are_protected_and_foreign_ones_too(engine: Engine, folder: Path) -> None:
    (folder / "stop.csv").write_text("mobile;x\n0470 12 34 56;1\n+32470123456;2\n")
    resolved = engine.resolve(query(folder / "a.csv", suppressions=(folder / "stop.csv",)))
    assert resolved.excluded["suppressed"] == 1


def test_many_numbers_from_abroad_get_masks_of_their_own(engine: Engine, tmp_path: Path) -> None:
    rows = [f"{head}{470_000_000 + one}" for one in range(1_500) for head in ("+32", "0032")]
    rows += [f"+4179{1_000_000 + one}" for one in range(1_200)] + ["+352621123456", "+1 202 555 1234"]
    (tmp_path / "a.csv").write_text("mobile\n" + "\n".join(rows) + "\n")
    resolved = engine.resolve(query(tmp_path / "a.csv"))
    assert resolved.countries == {"BE": 1_500, "CH": 1_200, "LU": 1, "US": 1}
    assert resolved.excluded == {"duplicate": 1_500}


def test_without_a_country_national_numbers_are_invalid(engine: Engine, folder: Path) -> None:
    resolved = engine.resolve(query(folder / "a.csv", fields={"country": None}))
    assert resolved.countries == {"BE": 1, "FR": 1}
    assert resolved.invalid_reasons["no-country"] == 9


def test_names_are_held_against_the_header_alone(engine: Engine, folder: Path) -> None:
    audience = Audience(address="mobil", country="FR", where="vile = 'Lyon'")
    found = engine.check(audience, ("prénom", "cod"), files=(folder / "a.csv",))
    assert [(one.rule, one.hint) for one in found] == [
        ("source", "did you mean `mobile`?"),
        ("template-name", "did you mean `code`?"),
        ("where", "did you mean ville?"),
    ]
    with pytest.raises(AudienceError, match="1 to put right"):
        engine.check(Audience(address="a", country=None, contacts=({"a": "1", " A ": "2"},)), ())


def test_files_outside_the_project_are_called_by_their_name(folder: Path) -> None:
    with Engine(folder / "temp") as engine:
        assert problems(engine, query(folder / "no.csv"))[0][1].startswith("no.csv: ")


def test_an_engine_works_inside_its_block(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(RuntimeError, match="with block"):
        Engine(tmp_path).resolve(query(folder / "a.csv"))


def test_nothing_is_left_on_disk(tmp_path: Path, folder: Path) -> None:
    temp = tmp_path / "temp"
    with Engine(temp) as engine:
        engine.resolve(query(folder / "a.csv"))
        (private,) = temp.iterdir()
        assert private.stat().st_mode & 0o777 == 0o700
        assert list(private.iterdir()) == []
    assert list(temp.iterdir()) == []


def test_what_spills_cannot_be_read(tmp_path: Path) -> None:
    connection = database.connect(tmp_path)
    connection.execute("SET memory_limit = '50MB'")
    connection.execute("CREATE TABLE t AS FROM range(500000) r(i) SELECT 'CANARY-' || i || repeat('z', 60) AS s")
    connection.execute("CREATE TABLE u AS FROM t ORDER BY hash(s)")
    spilled = [path.read_bytes() for path in tmp_path.iterdir()]
    connection.close()
    assert sum(map(len, spilled)) > 1_000_000
    assert not any(b"CANARY" in content for content in spilled)


def test_a_table_that_does_not_end_with_the_last_row_fed_is_refused(folder: Path) -> None:
    read = sheet.read_sheet(folder / "a.csv", sheet.Origin(name="a.csv"))
    connection = database.connect(folder)
    connection.execute("CREATE TABLE t AS SELECT 'x' AS c0")
    with pytest.raises(AudienceError):
        database.remove_end(connection, read, table="t", column="c0")
    with pytest.raises(AudienceError) as error:
        database.load(connection, replace(read, separator='"'), table="u", columns={0: "c0"})
    assert error.value.findings[0].message == "a.csv: cannot be read as csv"
    assert error.value.__suppress_context__
    connection.close()


def test_reading_a_header_does_not_start_the_engine() -> None:
    program = "import sys, octoplan.audience; sys.exit(bool({'duckdb', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
