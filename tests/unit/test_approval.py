"""What was approved: digests that move with meaning alone, and a saved plan that notices every byte."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from plans import plan, row

from campaigns import PLAIN, PRICES, campaign
from octoplan.core import approval
from octoplan.core.errors import Stale
from octoplan.core.message import Audio, Message
from octoplan.core.model import Audience, Callback, Channel, Money, Options
from octoplan.core.plan import Change, Plan, money_text, total

KEY = bytes(32)
ENTRIES = (b"b" * 16, b"a" * 16)


def test_a_spec_leaves_out_what_changes_nothing_for_anybody() -> None:
    spec = approval.campaign_spec(campaign(description="d", owner="o", tags=("t",)))
    assert not {"description", "owner", "tags", "file"} & spec.keys()
    assert spec["audience"]["file"] == "audiences/lyon.csv"
    assert spec["schedule"] == {"timezone": "Europe/Paris", "lead": 86400.0, "grace": 900.0}


def test_inline_contacts_are_not_in_the_spec() -> None:
    inline = campaign(
        audience=Audience(address="phone_number", country="FR", contacts=({"phone_number": "+33639980012"},))
    )
    assert approval.campaign_spec(inline)["audience"]["contacts"] == "inline"
    assert "+33639980012" not in json.dumps(approval.campaign_spec(inline))


def test_a_condition_is_in_the_spec_without_what_it_names() -> None:
    audience = Audience(address="phone_number", country="FR", file="a.csv")
    specs = [
        approval.campaign_spec(campaign(audience=replace(audience, where=f"phone_number <> '+3363998001{last}'")))
        for last in (2, 2, 3)
    ]
    assert "33639980012" not in json.dumps(specs[0])
    assert specs[0] == specs[1]
    (change,) = approval.changes(specs[0], specs[2])
    assert change.path == "audience.where"
    assert "where" not in approval.campaign_spec(campaign(audience=audience))["audience"]


def test_contacts_of_the_provider_are_in_the_spec_without_their_ids() -> None:
    one, same, other = (
        approval.campaign_spec(campaign(audience=Audience(address="phone_number", country="FR", contact_ids=ids)))
        for ids in (("6d2a4c1e",), ("6d2a4c1e",), ("9b0f7a35",))
    )
    assert "6d2a4c1e" not in json.dumps(one)
    assert one == same
    assert one != other


def test_keys_that_nobody_wrote_change_no_digest() -> None:
    """What these campaigns were approved as before recordings, callbacks and groups: a ledger may hold it."""
    spoken = campaign(
        channel=Channel.VOICE,
        message=Message(text="Bonjour", language="fr-FR", gender="female"),
        options=Options(collect_keys=True),
        audience=Audience(address="phone_number", country="FR", tag="vip"),
    )
    assert [approval.fingerprint(approval.campaign_spec(one)) for one in (campaign(), spoken)] == [
        "sha256:03f575b43c891fd0c3f51d2a551a239135ca4b656bfbe9ce1f35e49ecf52ce79",
        "sha256:d36460b7484d7bc342521f63365bf6c08ed79bb62d22c3aa775b0d95380c49f3",
    ]


def test_each_new_key_changes_the_digest() -> None:
    audio = Audio(url="https://media.acme.fr/a.wav", sha256="0" * 64)
    hook = Callback(url="https://hooks.acme.fr/a")
    made = [
        campaign(),
        *(campaign(message=Message(audio=one)) for one in (audio, replace(audio, sha256="1" * 64))),
        campaign(message=Message(audio=replace(audio, url="https://media.acme.fr/b.wav"))),
        *(campaign(options=Options(callback=one)) for one in (hook, replace(hook, when="change"))),
        *(campaign(options=Options(campaign_callback=one)) for one in (hook, replace(hook, when="change"))),
        *(campaign(options=Options(respect_quiet_hours=one)) for one in (True, False)),
        campaign(options=Options(key_wait_seconds=9)),
        campaign(options=Options(ring_seconds=9)),
        *(campaign(audience=replace(PLAIN.audience, groups=one)) for one in (("a",), ("a", "b"))),
    ]
    assert len({approval.fingerprint(approval.campaign_spec(one)) for one in made}) == len(made)


def test_canonical_values_are_equal_when_their_meaning_is() -> None:
    assert approval.canonical(Money(amount=Decimal("90.00"), currency="EUR")) == approval.canonical(
        Money(amount=Decimal(90), currency="EUR")
    )
    moment = datetime(2026, 12, 3, 9, tzinfo=UTC)
    assert approval.canonical({"b": [moment], "a": None}) == {"a": None, "b": ["2026-12-03T09:00:00+00:00"]}


def test_the_digest_moves_with_text_price_limit_and_environment_but_not_with_order() -> None:
    one, two = approval.campaign_spec(campaign(id="a")), approval.campaign_spec(campaign(id="b"))

    def digest(
        *specs: dict[str, object], limit: str = "1", price: str = "p", hours: str = "h", env: str = "prod"
    ) -> str:
        values = {"prices": {"octopush": price}, "hours": {"fr-strict": hours}}
        return approval.plan_digest(specs, limits={"max": limit}, values=values, env=env)

    usual = digest(one, two)
    assert usual == digest(two, one)
    others = {
        digest(one),
        digest(one, two, limit="2"),
        digest(one, two, price="q"),
        digest(one, two, hours="i"),
        digest(one, two, env="test"),
        digest(approval.campaign_spec(campaign(id="a", message=Message(text="other"))), two),
    }
    assert len(others) == 6
    assert usual not in others


def test_a_price_book_is_its_values_not_its_date() -> None:
    assert approval.prices_digest(PRICES) == approval.prices_digest(replace(PRICES, as_of="2027-01-01"))
    assert approval.prices_digest(PRICES) != approval.prices_digest(replace(PRICES, replies=Decimal("0.04")))


def test_changes_name_path_old_and_new() -> None:
    old = {"message": {"text": "a 9h"}, "limits": {"countries": ["FR"]}}
    new = {"message": {"text": "a 9h30"}, "limits": {"countries": ["FR", "BE"]}, "sender": "ACME", "edition": 2}
    assert approval.changes(old, old) == ()
    assert approval.changes(old, new) == (
        Change(path="edition", old=None, new="2"),
        Change(path="limits.countries.1", old=None, new="BE"),
        Change(path="message.text", old="a 9h", new="a 9h30"),
        Change(path="sender", old=None, new="ACME"),
    )


def test_a_saved_plan_reads_back_sealed() -> None:
    content = approval.save(plan(), ENTRIES, key=KEY)
    saved = approval.read_saved(content)
    assert saved.plan == plan()
    assert saved.approved == frozenset(ENTRIES)
    assert saved.is_sealed(KEY)
    assert not saved.is_sealed(b"\1" * 32)
    assert zipfile.ZipFile(io.BytesIO(content)).namelist() == ["plan.json", "approved"]


def test_every_flipped_byte_is_noticed() -> None:
    content = approval.save(plan(), ENTRIES, key=KEY)
    for position in range(len(content)):
        flipped = bytearray(content)
        flipped[position] ^= 1
        try:
            saved = approval.read_saved(bytes(flipped))
        except Stale:
            continue
        assert not saved.is_sealed(KEY), position


def test_saving_twice_gives_the_same_bytes() -> None:
    assert approval.save(plan(), ENTRIES, key=KEY) == approval.save(plan(), reversed(ENTRIES), key=KEY)


@pytest.mark.parametrize("content", [b"", b"PK", b"{}", b"\0" * 100, approval.save(plan(), (), key=KEY)[:-200]])
def test_what_is_no_plan_is_refused(content: bytes) -> None:
    with pytest.raises(Stale, match="no readable saved plan") as caught:
        approval.read_saved(content)
    assert caught.value.reason == "plan-unreadable"


def archive(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as written:
        for name, content in members.items():
            written.writestr(name.replace("_", "."), content)
    return buffer.getvalue()


def test_another_major_version_is_refused() -> None:
    document = json.loads(plan().model_dump_json()) | {"format_version": "2.0"}
    with pytest.raises(Stale, match=r"format 2\.0"):
        approval.read_saved(archive(plan_json=json.dumps(document).encode(), approved=b""))


def test_a_newer_minor_version_is_read() -> None:
    document = json.loads(plan().model_dump_json()) | {"format_version": "1.7", "later": True}
    assert approval.read_saved(archive(plan_json=json.dumps(document).encode(), approved=b"")).plan.env == "prod"


def test_a_member_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approval, "LARGEST_PLAN", 1000)
    with pytest.raises(Stale, match="no readable saved plan"):
        approval.read_saved(archive(plan_json=b" " * 2000, approved=b""))


def test_an_encrypted_member_is_refused() -> None:
    content = bytearray(archive(plan_json=b"{}", approved=b""))
    content[6] |= 1  # the local header's encryption flag …
    content[content.index(b"PK\1\2") + 8] |= 1  # … and the directory's
    with pytest.raises(Stale, match="unknown way"):
        approval.read_saved(bytes(content))


def test_money_text_is_exact_with_two_decimals_at_least() -> None:
    assert [money_text(Decimal(amount)) for amount in ("5", "58.016", "0.10", "1E+3")] == [
        "5.00",
        "58.016",
        "0.10",
        "1000.00",
    ]


def test_totals_count_actions_and_leave_out_blocked_money() -> None:
    totals = total((row(), row(action="blocked"), row(action="none", estimate=None), row(action="wait")))
    assert (totals.send, totals.blocked, totals.unchanged, totals.wait, totals.contacts) == (1, 1, 1, 1, 2368)
    assert totals.cost == {"EUR": "116.092"}
    assert totals.worst == {"EUR": "116.10"}
    assert Plan.model_validate_json(plan().model_dump_json()) == plan()
