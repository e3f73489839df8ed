"""A campaign as a test sends it: who it goes to, what they read, and what is left of the real one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from campaigns import SCHEDULE, campaign
from octoplan.core.message import Locale, Message
from octoplan.core.model import AddressKind, Audience, Expect, Options
from octoplan.core.trial import PREFIX, Recipients, is_trial, recipients, renumbered, trials, tried

WRITTEN = ("+33639980012", "lea@crm.example", "+33639980013")
TO = Recipients(addresses=("+33639980012",), country="FR")
REAL = campaign(
    edition=7,
    audience=Audience(
        address="mobile",
        country="BE",
        file="audiences/lyon.csv",
        sha256="0" * 64,
        where="ville = 'Lyon'",
        exclude_files=("audiences/vip.csv",),
        exclude_campaigns=("black-friday",),
        fallback={"first_name": "cher client", "unused": "x"},
        expect=Expect(min=800, max_change=Decimal(0)),
        new_contacts="send",
    ),
    schedule=replace(SCHEDULE, send_at=datetime(2026, 12, 3, 9, tzinfo=UTC), hours="fr-strict"),
    options=Options(list_name="lyon", replies=True, quality="low_cost"),
    allow={"url": "ours"},
)


@pytest.mark.parametrize(
    ("kind", "chosen", "others"), [(AddressKind.PHONE, (0, 2), 1), (AddressKind.EMAIL, (1,), 2)], ids=str
)
def test_only_addresses_of_the_channel_are_reached(kind: AddressKind, chosen: tuple[int, ...], others: int) -> None:
    found = recipients(WRITTEN, kind, country="FR")
    assert found == Recipients(addresses=tuple(WRITTEN[index] for index in chosen), country="FR", others=others)
    assert not any(address in repr(found) for address in WRITTEN)


def test_a_trial_has_nothing_of_the_real_audience_and_all_of_the_message() -> None:
    (trial,) = trials(REAL, TO, columns=("first_name", "store"))
    assert trial.id == f"{PREFIX}noel-2026"
    assert trial.audience == Audience(
        address="mobile",
        country="FR",
        contacts=({"first_name": "cher client", "store": "store", "mobile": "+33639980012"},),
        fallback={"first_name": "cher client"},
        expect=Expect(max_invalid=Decimal(1)),
    )
    assert trial.schedule == replace(REAL.schedule, send_at=None)
    assert trial.options == replace(REAL.options, list_name=None)
    kept = ("message", "limits", "allow", "purpose", "sender", "provider", "channel", "file")
    assert [getattr(trial, name) for name in kept] == [getattr(REAL, name) for name in kept]


def test_the_address_is_the_contact_s_own_where_the_text_names_it() -> None:
    (trial,) = trials(REAL, TO, columns=("mobile",))
    assert trial.audience.contacts == ({"mobile": "+33639980012"},)


def test_a_localised_message_is_one_trial_a_language() -> None:
    message = Message(
        text={"fr": "bonjour {{ contact.lang }}", "en": "hello {{ contact.lang }}"},
        subject="ACME",
        language={"fr": "fr-FR", "en": "en-GB"},
        locale=Locale(column="lang", default="fr"),
    )
    real = campaign(message=message, audience=replace(REAL.audience, fallback={"lang": "de"}))
    made = trials(real, TO, columns=("lang",))
    assert [trial.id for trial in made] == ["test:noel-2026:fr", "test:noel-2026:en"]
    assert [trial.message for trial in made] == [
        Message(text="bonjour {{ contact.lang }}", subject="ACME", language="fr-FR"),
        Message(text="hello {{ contact.lang }}", subject="ACME", language="en-GB"),
    ]
    assert [trial.audience.contacts for trial in made] == [
        ({"lang": "fr", "mobile": "+33639980012"},),
        ({"lang": "en", "mobile": "+33639980012"},),
    ]
    assert [trial.edition for trial in renumbered(made, 3)] == [3, 3]


@pytest.mark.parametrize(
    ("name", "real", "trial"),
    [("noel", "noel", False), ("test", "test", False), ("test:noel", "noel", True), ("test:noel:fr-BE", "noel", True)],
)
def test_a_trial_is_known_by_its_id(name: str, real: str, trial: bool) -> None:  # noqa: FBT001  a case
    assert (tried(name), is_trial(name)) == (real, trial)
