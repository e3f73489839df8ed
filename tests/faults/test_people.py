"""What schedules use in place of the audience engine: the same answers, from plain sets."""

from __future__ import annotations

import random
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import pytest

from faults import book, people, schedule
from faults.project import Person
from octoplan.audience import Engine, Query
from octoplan.core import keys
from octoplan.core.model import AddressKind, Audience

if TYPE_CHECKING:
    from pathlib import Path

    from octoplan.audience import Resolved

K = bytes(range(32))


@pytest.mark.parametrize("seed", range(12))
def test_the_engine_and_plain_sets_agree(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311  dice
    drawn = schedule.draw(seed).project
    drawn.opted_out = dice.sample(range(12), 2)
    campaign = drawn.campaigns[0]
    campaign.channel, campaign.held = dice.choice(("sms", "email")), ""
    campaign.people += campaign.people[:1]
    drawn.write(tmp_path)
    query = _query(tmp_path, campaign.channel, new_contacts=dice.choice(("skip", "send")))
    some = b"".join(keys.contact_key(K, Person(number).address(campaign.channel)) for number in campaign.people[::2])
    members = dice.choice((None, some))
    query = replace(query, held=some[:16], capped=some[16:32], members=members)
    with Engine(tmp_path / "spill", root=tmp_path) as engine:
        assert _told(people.resolve(query)) == _told(engine.resolve(query))


def _query(root: Path, channel: str, *, new_contacts: str) -> Query:
    mail = channel == "email"
    return Query(
        campaign_audience=Audience(
            file="noel.csv", address="email" if mail else "phone_number", country="FR", new_contacts=new_contacts
        ),
        key=K,
        kind=AddressKind.EMAIL if mail else AddressKind.PHONE,
        files=(root / "audiences/noel.csv",),
        columns=("first_name", "code"),
        suppressions=(root / "audiences/stop.csv",),
        home="FR",
        fiction=True,
    )


def _told(found: Resolved | people.Owed) -> dict[str, Any]:
    """Return every figure, and everybody who is owed."""
    names = [each.name for each in fields(people.Owed) if each.name not in ("people", "findings", "invalid_reasons")]
    rows = [list(zip(one.keys, one.addresses, one.countries, strict=True)) for one in found.chunks()]
    values = [dict(one.columns) for one in found.chunks()]
    return {**{name: getattr(found, name) for name in names}, "rows of": rows, "values": values}


def test_the_checker_hashes_as_is_pinned() -> None:
    assert book.keyed(K, b"a", b"bc").hex() == "6d9864c82cd987fd0dc4fe0778318435"
    assert book.contact_key(K, "+33639980012").hex() == "b411bc26ade08ed74253afe0fba60378"
    contact = book.contact_key(K, "+33639980012")
    (entry,) = keys.approved_entries(K, "noel", edition=2, keys=[contact], contents=["Bonjour"])
    assert book.approved_entry(K, ("noel", 2), contact=contact, content="Bonjour") == entry
