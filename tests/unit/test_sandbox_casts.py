from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from octoplan.sandbox import casts

LYON = "+33639980012"


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'  {"a": "\xc3\xa9"}', {"a": "é"}),
        (b"[1]", None),
        (b"{broken", None),
        (b"", None),
        (urlencode({"a": "é", "b": ""}).encode(), {"a": "é", "b": ""}),
        (b"metadata[type]=x&metadata[request_id]=y", {"metadata": {"type": "x", "request_id": "y"}}),
        (b"r[0][n]=1&r[1][n]=2", {"r": {"0": {"n": "1"}, "1": {"n": "2"}}}),
        (b"r[]=1&r[]=2", {"r": {"0": "1", "1": "2"}}),
        (b"a=1&a[b]=2", {"a": "1"}),
        (b"m[cards][0][title]=A&m[cards][0][x][]=B", {"m": {"cards": {"0": {"title": "A", "x": {"0": "B"}}}}}),
    ],
)
def test_bodies_are_json_or_forms(content: bytes, fields: dict[str, Any] | None) -> None:
    assert casts.body(content) == fields


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "a"), (5, "5"), (5.0, "5"), (0.5, "0.5"), (True, "1"), (False, ""), (None, None), ([1], None), ({}, None)],
)
def test_text(value: object, text: str | None) -> None:
    assert casts.text(value) == text


@pytest.mark.parametrize("value", [True, "true", "True", " TRUE ", "1", 1, "yes", "on", 1.0])
def test_flags_that_are_on(value: object) -> None:
    assert casts.flag(value, default=False)


@pytest.mark.parametrize("value", [False, "false", "0", 0, "no", "off", ""])
def test_flags_that_are_off(value: object) -> None:
    assert not casts.flag(value, default=True)


@pytest.mark.parametrize("value", [None, "perhaps", [], {}, 7])
def test_flags_that_are_ignored(value: object) -> None:
    assert casts.flag(value, default=True)
    assert not casts.flag(value, default=False)


@pytest.mark.parametrize(
    ("value", "fields"), [({"a": 1}, {"a": 1}), ('{"a": 1}', {"a": 1}), ("{", {}), ("[1]", {}), (None, {}), (5, {})]
)
def test_mapping(value: object, fields: dict[str, Any]) -> None:
    assert casts.mapping(value) == fields


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-12-03T10:00:00+01:00", datetime(2026, 12, 3, 9, tzinfo=UTC)),
        ("2021-01-01T00:01:00+0100", datetime(2020, 12, 31, 23, 1, tzinfo=UTC)),
        ("2026-07-03 10:00:00", datetime(2026, 7, 3, 8, tzinfo=UTC)),
        (" 2026-12-03T10:00Z ", datetime(2026, 12, 3, 10, tzinfo=UTC)),
        ("tomorrow", None),
        ("", None),
        (None, None),
    ],
)
def test_moment(value: object, moment: datetime | None) -> None:
    assert casts.moment(value, ZoneInfo("Europe/Paris")) == moment


@pytest.mark.parametrize(
    "value",
    [
        [{"phone_number": LYON}],
        [LYON],
        [33639980012],
        [{"phone_number": 33639980012}],
        [{"phone_number": 33639980012.0}],
        [{"phone_number": "0033 6.39-98 (00) 12"}],
        [{"phone_number": " +33 6 39 98 00 12x"}],
        {"phone_number": LYON},
        {"0": {"phone_number": LYON}},
        '[{"phone_number": "+33639980012"}]',
        '{"phone_number": "+33639980012"}',
        "+33639980012",
        33639980012,
        f"{LYON},;",
    ],
)
def test_whatever_holds_a_number_is_understood(value: object) -> None:
    assert casts.phone_numbers(casts.recipients(value)) == [LYON]


@pytest.mark.parametrize("entry", ["0639980012", "+0639980012", "+33", "+1234567890123456", "", None, {}, [LYON], "x"])
def test_what_is_no_number_is_dropped(entry: object) -> None:
    assert casts.phone_numbers([{"phone_number": LYON}, {"phone_number": entry}, entry]) == [LYON]


@pytest.mark.parametrize("value", [None, "", [], {}])
def test_no_recipients(value: object) -> None:
    assert casts.recipients(value) == []


def test_a_line_break_does_not_smuggle_a_number() -> None:
    assert casts.phone_numbers([{"phone_number": "+33639980012\n+33639980013"}]) == []


def test_order_and_repeats_are_kept() -> None:
    numbers = [LYON, "+33639980011", LYON]
    assert casts.phone_numbers([{"phone_number": number, "first_name": "Zoé"} for number in numbers]) == numbers


ZOE = "zoe.martin+news@mail.acme.example"


@pytest.mark.parametrize(
    "value",
    [
        [{"email": ZOE}],
        [{"email": f" {ZOE} ", "phone_number": LYON}],
        [ZOE],
        {"email": ZOE},
        {"0": {"email": ZOE}},
        '[{"email": "zoe.martin+news@mail.acme.example"}]',
        f"{ZOE},;",
    ],
)
def test_whatever_holds_an_email_address_is_understood(value: object) -> None:
    assert casts.emails(casts.recipients(value)) == [ZOE]


@pytest.mark.parametrize(
    "entry",
    [
        *("zoe", "zoe@", "@acme.example", "zoe@acme", "zoe@@acme.example", "z oe@acme.example", "zoe@acme..example"),
        *(".zoe@acme.example", "zoe.@acme.example", "zoe@acme.example\nleo@acme.example", "Zoe <zoe@acme.example>"),
        *("x" * 250 + "@acme.example", "", None, 5, [ZOE], {}, {"phone_number": LYON}),
    ],
)
def test_what_is_no_email_address_is_dropped(entry: object) -> None:
    assert casts.emails([{"email": ZOE}, {"email": entry}, entry]) == [ZOE]


@pytest.mark.parametrize(
    ("value", "items"),
    [
        ([{"title": "a\x00b"}], [{"title": "ab"}]),
        ({"title": "a"}, [{"title": "a"}]),
        ({"0": {"title": "a"}, "1": {"b": {"0": "x", "1": "y"}}}, [{"title": "a"}, {"b": ["x", "y"]}]),
        ('[{"title": "a"}]', [{"title": "a"}]),
        ('{"title": "a"}', [{"title": "a"}]),
        (["Yes", "", 5, None, {}, [1], {"n": 1, "on": True}], ["Yes", {"n": 1, "on": True}]),
        ("Yes", []),
        (None, []),
        (5, []),
    ],
)
def test_items(value: object, items: list[Any]) -> None:
    assert casts.items(value) == items


def test_nothing_is_nested_deeper_than_a_card() -> None:
    value: dict[str, Any] = {}
    for _ in range(500):
        value = {"a": [value]}
    (item,) = casts.items([value])
    assert item == {"a": [{"a": [{"a": [{"a": [None]}]}]}]}
