from __future__ import annotations

from typing import Any

import pytest

from octoplan.sandbox import casts
from octoplan.sandbox.octopush.order import Order, Rejected
from octoplan.sandbox.octopush.placeholders import expanded
from octoplan.sandbox.switches import Settings

LYON = "+33639980012"


def order(text: str, values: dict[str, str], *, optimised: bool = False) -> Order:
    return Order(
        channel="sms",
        text=text,
        content={},
        addresses=[LYON],
        sender="ACME",
        marketing=False,
        remove_blacklisted=False,
        simulated=False,
        send_at=None,
        list_name=None,
        request_id=None,
        optimised=optimised,
        values=[values],
    )


def said(text: str, values: dict[str, str], *, optimised: bool = False, **switches: Any) -> str:
    texts = expanded(order(text, values, optimised=optimised), Settings(switches))
    return text if texts is None else texts[0]


@pytest.mark.parametrize(
    ("text", "values", "becomes"),
    [
        ("Bonjour {first_name}", {"first_name": "Zoé"}, "Bonjour Zoé"),
        ("{param1}{param2}{param1}", {"param1": "a", "param2": "b"}, "aba"),
        ("{first_name}", {"first_name": "{param1}", "param1": "never"}, "{param1}"),
        ("{first_name}{last_name}", {"first_name": "{last_", "last_name": "name}"}, "{last_name}"),
        ("{{first_name}}", {"first_name": "Zoe"}, "{Zoe}"),
        ("{first_name", {"first_name": "Zoe"}, "{first_name"),
        ("{ first_name }", {"first_name": "Zoe"}, "{ first_name }"),
        ("{First_Name}", {"first_name": "Zoe"}, "{First_Name}"),
        ("{param6} {city}", {"param1": "a"}, "{param6} {city}"),
        ("a{last_name}b", {"first_name": "Zoe"}, "ab"),
        ("{param1}", {"param1": r"\g<0> \1"}, r"\g<0> \1"),
        ("{param1}", {"param1": "x" * 51}, "x" * 50),
        ("{first_name}" * 100, {"first_name": "x" * 50}, "x" * 5000),
    ],
)
def test_a_text_is_gone_through_once(text: str, values: dict[str, str], becomes: str) -> None:
    assert said(text, values) == becomes


def test_what_has_no_placeholder_is_the_same_for_everybody() -> None:
    assert expanded(order("Bonjour {}", {"first_name": "Zoe"}), Settings({})) is None


def test_the_guesses() -> None:
    long = {"param1": "x" * 60}
    assert said("{city} {param1}", {"param1": "a"}, unknown_placeholder="removed") == " a"
    assert said("{param1}{param2}", {"param1": "a"}, value_missing="kept") == "a{param2}"
    assert said("{param1}", long, value_too_long="kept") == "x" * 60
    assert said("{param1}" * 30, long, expanded_too_long="cut") == "x" * 1224
    assert said("a {param1} !", {"param1": "ç’  œ"}, optimised=True) == "a c' oe !"
    assert said("a {param1} !", {"param1": "ç"}, optimised=True, values_optimised=False) == "a ç !"
    with pytest.raises(Rejected, match="param1 is longer than 50"):
        said("{param1}", long, value_too_long="rejected")
    assert said("a", long, value_too_long="rejected") == "a"
    with pytest.raises(Rejected, match="longer than 1224"):
        said("{param1}" * 30, long, expanded_too_long="rejected")


def test_values_are_cast_and_cleaned() -> None:
    entry = {"phone_number": LYON, "first_name": "Z\x00oe", "last_name": 5, "param1": True, "param2": None}
    assert casts.contacts([entry | {"param3": ["a"], "param4": "", "city": "Lyon"}, {"phone_number": "x"}, 5]) == [
        (LYON, {"first_name": "Zoe", "last_name": "5", "param1": "1"})
    ]
    assert casts.contacts([LYON]) == [(LYON, {})]
