"""A list or tag as one batch, what is found of it, and what the provider counts against what was approved."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from campaigns import PRICES, campaign
from octoplan.core.errors import Stale
from octoplan.core.held import HeldPacker
from octoplan.core.message import Locale, Message
from octoplan.core.model import Audience, Channel, Expect, Limits, Money, Options, Place, Quote
from octoplan.core.rules import held

KEY = b"k" * 16
LIST = campaign(
    audience=Audience(address="phone_number", country="BE", list_="clients"),
    message=Message(text="ACME: demain. STOP au XXXXX"),
    limits=Limits(max_cost=Money(amount=Decimal(90), currency="EUR"), max_contacts=1300),
)


def packer(**changes: Any) -> HeldPacker:
    made = HeldPacker(campaign=replace(LIST, **changes), prices=PRICES, key=KEY)
    made.say("ACME: demain. STOP au XXXXX", parts=2)
    return made


def test_it_is_one_batch_of_at_most_what_was_approved() -> None:
    packed = packer().packed()
    assert (packed.calls, packed.contacts, packed.parts, packed.worst) == (1, 1300, 2600, Decimal(90))
    (batch,) = packer().batches(first=True)
    assert (batch.contacts, batch.keys, batch.addresses, batch.parts) == (1300, (KEY,), (), 2600)


def test_nobody_in_it_is_known() -> None:
    made = packer()
    assert (made.keys, made.standing, made.count({KEY})) == (b"", KEY, 0)
    assert made.rows.countries == ["FR"]


def test_it_is_made_again_of_its_own_key_alone() -> None:
    made = packer()
    assert made.rebuild(KEY, first=False) == (next(made.batches(first=False)), b"")
    with pytest.raises(Stale):
        made.rebuild(b"p" * 32, first=False)


def test_without_a_limit_there_is_nothing_to_reserve() -> None:
    with pytest.raises(ValueError, match="noel"):
        packer(limits=Limits()).packed()


def rules(**changes: Any) -> list[str]:
    return [found.rule for found in held.check(replace(LIST, **changes))]


def test_what_is_found_of_it() -> None:
    assert rules() == ["provider-held"]
    assert rules(audience=Audience(address="phone_number", country="FR")) == []
    assert rules(options=Options(list_name="copy")) == ["provider-held"] * 2
    by_locale = Message(text={"fr": "a", "en": "b"}, locale=Locale(column="lang", default="fr"))
    assert rules(message=by_locale) == ["provider-held"] * 2
    assert rules(channel=Channel.VOICE) == ["voice-purpose", "provider-held"]


@pytest.mark.parametrize(
    ("changes", "told", "hint"),
    [
        ({"list_": "vip"}, "who is in list vip:", "provider's list holds nobody"),
        ({"groups": ("gold", "silver")}, "who is in groups gold, silver:", "provider's groups hold nobody"),
        ({"contact_ids": ("6d2a4c1e",)}, "who is behind 1 contact id:", "provider's contact ids name nobody"),
    ],
)
def test_it_is_told_in_its_own_words(changes: dict[str, Any], told: str, hint: str) -> None:
    audience = Audience(address="phone_number", country="FR", **changes)
    found = list(held.check(replace(LIST, channel=Channel.VOICE, audience=audience)))
    assert [one.rule for one in found][-1] == "provider-held"
    assert ("voice-purpose" in {one.rule for one in found}) is ("list_" in changes)
    assert told in found[-1].message
    assert hint in found[-1].hint
    assert found[-1].path == ("audience", audience.kind)
    assert "6d2a4c1e" not in repr(found)
    (column,) = held.check_columns(
        replace(LIST, audience=audience), {"x": Place(file="campaigns/noel.yaml", line=3, column=7)}
    )
    assert told.rstrip(":") in column.message


@pytest.mark.parametrize(
    ("quote", "last", "told"),
    [
        (Quote(contacts=1300, cost=Decimal(90)), None, 0),
        (Quote(contacts=1301, cost=Decimal(90)), None, 1),
        (Quote(contacts=1300, cost=Decimal("90.01")), None, 1),
        (Quote(contacts=0, cost=Decimal(0)), None, 1),
        (Quote(contacts=120, cost=Decimal(9)), 100, 0),
        (Quote(contacts=121, cost=Decimal(9)), 100, 1),
        (Quote(contacts=5, cost=Decimal(9)), 9, 0),
        (Quote(contacts=5, cost=Decimal(9)), 0, 0),
        (Quote(contacts=5, cost=Decimal(9), countries={"FR": 3, "BE": 2}), None, 0),
        (Quote(contacts=5, cost=Decimal(9), countries={"FR": 3, "GR": 2}), None, 1),
    ],
)
def test_what_is_beyond(quote: Quote, last: int | None, told: int) -> None:
    limited = replace(LIST, limits=replace(LIST.limits, countries=("FR", "BE")))
    assert len(list(held.beyond(limited, quote, last=last))) == told


def test_without_limits_everything_is_beyond() -> None:
    bare = replace(LIST, limits=Limits(), audience=replace(LIST.audience, expect=Expect(min=7)))
    assert len(list(held.beyond(bare, Quote(contacts=6, cost=Decimal(1)), last=None))) == 3


def test_an_edition_is_of_one_kind() -> None:
    addresses = replace(LIST, audience=Audience(address="phone_number", country="FR", file="x.csv"))
    assert [list(held.check_edition(one, begun)) for one, begun in ((LIST, None), (LIST, "x"), (addresses, ""))] == [
        [],
        [],
        [],
    ]
    for one, begun in ((LIST, ""), (addresses, "a list")):
        (found,) = held.check_edition(one, begun)
        assert "raise `edition`" in found.hint
