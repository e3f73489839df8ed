"""The imitation of Routee's voice campaigns, over real HTTP, by a client nobody of octoplan wrote."""

from __future__ import annotations

import re
import sqlite3
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from routee_account import ANALYSIS, ATHENS, BASE, CAMPAIGN, MESSAGE, PRICES, Routee, account, body, code
from sandbox_account import LIEGE, LYON, PARIS, Account, exact
from workspaces import Workspace

from octoplan.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LISTS = {
    "groups": {
        "gold": [{"phone_number": PARIS}, {"phone_number": LIEGE}, {"phone_number": "+33639980014"}],
        "silver": [{"phone_number": PARIS}, {"phone_number": "+33639980015"}],
        "empty": [],
    },
    "contact_ids": {"zoe": {"phone_number": LYON}, "leo": {"phone_number": PARIS}},
}
SEED_003 = (
    *("callback.strategy", "callback.url", "campaignCallback.strategy", "campaignCallback.url", "campaignName"),
    *("contacts", "cost", "createdAt", "fileURL", "from", "groups", "hangupDelay", "message.gender"),
    *("message.language", "message.text", "respectQuietHours", "scheduledDate", "state", "statuses", "to"),
    *("trackingId", "type", "collectDtmfDigits", "collectDtmfAwaitSeconds", "voiceAnalysis.contacts"),
    *("voiceAnalysis.dialPlanAnalysis.placeholder", "voiceAnalysis.numberOfRecipients"),
    *("voiceAnalysis.recipientCountries", "voiceAnalysis.recipientsPerCountry"),
    *("voiceAnalysis.recipientsPerGroup", "voiceAnalysis.totalInGroups"),
)
"""Every key of the documented answer."""

NOT_IN_SAMPLE = {
    *("campaignName", "scheduledDate", "callback", "campaignCallback", "hangupDelay", "fileURL"),
    *("collectDtmfDigits", "collectDtmfAwaitSeconds"),
}
FAR = "2099-06-01T10:00:00Z"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Routee]:
    with account(tmp_path_factory.mktemp("sandbox") / "sandbox.db", lists=LISTS) as opened:
        yield opened


@pytest.fixture
def routee(opened: Routee) -> Routee:
    opened.reset()
    return opened


def accepted(routee: Routee, *numbers: str, **fields: Any) -> dict[str, Any]:
    answer = routee.send(*numbers, **fields)
    assert answer.status_code == 200, answer.text
    return exact(answer)


def leaf(answer: Any, path: str) -> Any:
    for name in path.split("."):
        assert name in answer, path
        answer = answer[name]
    return answer


def addresses(routee: Routee, **query: Any) -> list[str]:
    return [delivery["address"] for delivery in routee.deliveries(**query)]


# -- the hardest -------------------------------------------------------------------------------------------------------


def test_a_name_that_is_taken_is_refused_and_nobody_is_called_again(routee: Routee) -> None:
    accepted(routee, LYON, PARIS, name="noel 1-a")
    assert routee.refused("409009003", LYON, PARIS, name="noel 1-a") == "The campaign name already exists."
    assert routee.refused("409009003", LIEGE, name="noel 1-a")
    routee.set("clock", advance="9000d")
    routee.sign()
    assert routee.refused("409009003", name="noel 1-a")
    assert routee.counts()["deliveries"] == 2
    assert routee.outcomes()[-1] == "duplicate"


def test_without_a_name_the_same_again_is_a_second_campaign(routee: Routee) -> None:
    first, second = accepted(routee), accepted(routee)
    assert first["trackingId"] != second["trackingId"]
    assert first["campaignName"] is None
    assert addresses(routee) == [LYON, LYON]


def test_a_name_taken_for_some_hours(routee: Routee) -> None:
    routee.set("switches", routee_name_taken_hours=2)
    accepted(routee, name="noel")
    routee.set("clock", advance="119m")
    routee.sign()
    routee.refused("409009003", name="noel")
    routee.set("clock", advance="1m")
    accepted(routee, name="noel")
    assert len(addresses(routee)) == 2


def test_a_name_that_is_taken_may_make_a_second_campaign(routee: Routee) -> None:
    routee.set("switches", routee_name_taken="accepted")
    accepted(routee, name="noel")
    accepted(routee, PARIS, name="noel")
    assert routee.found(("campaign", "is", "noel")) == [LYON, PARIS]


@pytest.mark.parametrize("matters", [True, False])
def test_names_in_small_and_capital_letters(routee: Routee, *, matters: bool) -> None:
    routee.set("switches", routee_name_case_matters=matters)
    accepted(routee, name="noel")
    assert routee.send(name="Noel").status_code == (200 if matters else 409)
    assert routee.found(("campaign", "is", "Noel")) == [LYON] * matters


@pytest.mark.parametrize(("free", "status"), [("taken", 409), ("free", 200)])
def test_the_name_of_a_deleted_campaign(routee: Routee, free: str, status: int) -> None:
    routee.set("switches", routee_deleted_name=free)
    routee.delete(accepted(routee, name="noel", scheduledDate=FAR)["trackingId"])
    assert routee.send(name="noel").status_code == status


def test_of_one_name_sent_at_once_one_is_accepted(tmp_path: Path) -> None:
    with (
        account(tmp_path / "sandbox.db") as one,
        account(tmp_path / "sandbox.db") as other,
        ThreadPoolExecutor(16) as threads,
    ):
        sent = [threads.submit(routee.send, name="noel") for routee in (one, other) * 20]
        assert Counter(answer.result().status_code for answer in sent) == {200: 1, 409: 39}
        assert one.counts()["deliveries"] == other.counts()["deliveries"] == 1


def numbers(count: int) -> list[str]:
    return [f"+336399{n:05d}" for n in range(count)]


def test_a_thousand_recipients_and_not_one_more(routee: Routee) -> None:
    answer = accepted(routee, *numbers(1000), name="many")
    assert answer["voiceAnalysis"]["numberOfRecipients"] == 1000
    assert len(answer["voiceAnalysis"]["recipientCountries"]) == 1000
    assert "1000" in routee.refused("400000000", *numbers(1001))
    assert routee.counts() == {"deliveries": 1000, "addresses": 1000, "most_per_address": 1}
    assert "1000" in routee.refused("400000000", *[LYON] * 1001)
    assert "1000" in routee.refused("400000000", to=None, contacts=["zoe"] * 1001)
    assert "1000" in routee.refused("400000000", to=None, groups=["gold"] * 1001)


@pytest.mark.parametrize(("counts", "status"), [("each", 200), ("all", 400)])
def test_what_has_at_most_a_thousand_entries(routee: Routee, counts: str, status: int) -> None:
    routee.set("switches", routee_limit_counts=counts)
    assert routee.send(*numbers(999), contacts=["zoe"]).status_code == 200
    assert routee.send(*numbers(999), contacts=["zoe"], groups=["gold"]).status_code == status


@pytest.mark.parametrize("name", ["ab", "A 1-z" * 6, "- ", "0" * 30])
def test_names_of_two_to_thirty_characters(routee: Routee, name: str) -> None:
    assert accepted(routee, name=name)["campaignName"] == name
    delivery = routee.delivered()
    assert (delivery["campaign"], delivery["request_id"]) == (name, name)


@pytest.mark.parametrize("name", ["", "a", "x" * 31, "noel_1", "noël", "a.b", "a\nb", "Νοελ", "a\u00a0b"])
def test_names_that_are_none(routee: Routee, name: str) -> None:
    assert "name must have 2 to 30" in routee.refused("400000000", name=name)


@pytest.mark.parametrize(("switch", "called"), [("each", [LYON, LYON, PARIS, LYON]), ("once", [LYON, PARIS])])
def test_somebody_named_twice(routee: Routee, switch: str, called: list[str]) -> None:
    routee.set("switches", routee_duplicates=switch)
    answer = accepted(routee, LYON, LYON, PARIS, contacts=["zoe"])
    assert addresses(routee) == called
    assert answer["to"] == [LYON, LYON, PARIS]
    analysis = answer["voiceAnalysis"]
    assert analysis["numberOfRecipients"] == len(called)
    assert analysis["recipientCountries"] == {LYON: "FR", PARIS: "FR"}
    assert analysis["recipientsPerCountry"] == {"FR": len(called)}
    assert answer["cost"] == Decimal("0.002") * len(called)


def test_a_group_with_somebody_who_is_named_too(routee: Routee) -> None:
    routee.set("switches", unknown_country_price="0.01")
    answer = accepted(routee, ATHENS, contacts=["leo"], groups=["gold", "silver"])
    assert addresses(routee) == [ATHENS, PARIS, LIEGE, "+33639980014", "+33639980015"]
    assert answer["voiceAnalysis"] == {
        "contacts": {"leo": {"recipient": PARIS, "recipientCountry": "FR", "blacklisted": False}},
        "numberOfRecipients": 5,
        "recipientCountries": {ATHENS: "GR"},
        "recipientsPerCountry": {"GR": 1, "FR": 3, "BE": 1},
        "recipientsPerGroup": {"gold": 3, "silver": 2},
        "totalInGroups": 3,
        "dialPlanAnalysis": {"placeholder": None},
    }
    assert (answer["to"], answer["contacts"], answer["groups"]) == ([ATHENS], ["leo"], ["gold", "silver"])


def test_a_blacklist_removes_people_and_the_groups_shrink(routee: Routee) -> None:
    routee.set("blacklist", addresses=[PARIS, LYON])
    answer = accepted(routee, LYON, "+33639980016", contacts=["zoe"], groups=["gold", "silver"])
    assert addresses(routee) == ["+33639980016", LIEGE, "+33639980014", "+33639980015"]
    analysis = answer["voiceAnalysis"]
    assert analysis["contacts"]["zoe"]["blacklisted"] is True
    assert analysis["recipientsPerGroup"] == {"gold": 2, "silver": 1}
    assert (analysis["numberOfRecipients"], analysis["totalInGroups"]) == (4, 3)
    assert analysis["recipientCountries"] == {"+33639980016": "FR"}


def test_a_blacklist_may_spare_who_is_named_by_number(routee: Routee) -> None:
    routee.set("blacklist", addresses=[PARIS, LYON])
    routee.set("switches", routee_blacklist_covers_to=False)
    assert accepted(routee, LYON, groups=["gold"])["voiceAnalysis"]["numberOfRecipients"] == 3
    assert addresses(routee) == [LYON, LIEGE, "+33639980014"]


@pytest.mark.parametrize("fields", [{"groups": ["empty"]}, {"groups": ["nowhere"]}, {"contacts": ["zoe"]}])
def test_nobody_is_left(routee: Routee, fields: dict[str, Any]) -> None:
    routee.set("blacklist", addresses=[LYON])
    routee.refused("400009004", to=None, **fields)
    routee.refused("400009004", LYON)


def test_a_group_or_contact_that_does_not_exist(routee: Routee) -> None:
    routee.refused("404002001", contacts=["zoe", "nobody"])
    assert accepted(routee, groups=["nowhere"])["voiceAnalysis"]["recipientsPerGroup"] == {"nowhere": 0}
    routee.set("switches", routee_unknown_group="rejected")
    routee.refused("404002001", groups=["gold", "nowhere"])


@pytest.mark.parametrize(("switch", "count"), [("all", 4), ("named", 1)])
def test_whom_number_of_recipients_counts(routee: Routee, switch: str, count: int) -> None:
    routee.set("switches", routee_number_of_recipients=switch)
    assert accepted(routee, groups=["gold"])["voiceAnalysis"]["numberOfRecipients"] == count


@pytest.mark.parametrize(("switch", "count"), [("to", 1), ("all", 4)])
def test_whose_countries_are_listed(routee: Routee, switch: str, count: int) -> None:
    routee.set("switches", routee_recipient_countries=switch)
    countries = accepted(routee, groups=["gold"])["voiceAnalysis"]["recipientCountries"]
    assert len(countries) == count
    assert countries.get(LIEGE) == (None if switch == "to" else "BE")


def test_a_number_of_no_known_country(routee: Routee) -> None:
    routee.set("switches", unknown_country_price="0.5")
    answer = accepted(routee, "+99912345678")
    assert answer["voiceAnalysis"]["recipientCountries"] == {"+99912345678": "ZZ"}
    assert (answer["cost"], routee.delivered()["cost"]) == (Decimal("0.5"), Decimal("0.5"))


# -- what is answered --------------------------------------------------------------------------------------------------

EVERYTHING: dict[str, Any] = {
    "name": "noel-2026",
    "scheduledDate": FAR,
    "respectQuietHours": True,
    "ignoreDnd": True,
    "hangupDelay": 25,
    "callback": {"url": "https://acme.example/call", "strategy": "OnChange"},
    "campaignCallback": {"url": "https://acme.example/campaign", "strategy": "OnCompletion"},
    "collectDtmfDigits": True,
    "collectDtmfAwaitSeconds": 5,
    "unknown": {"field": [1]},
}


def test_every_documented_key_is_answered(routee: Routee) -> None:
    answer = accepted(routee, **EVERYTHING)
    for path in SEED_003:
        leaf(answer, path)
    assert {name: answer[name] for name in EVERYTHING if name in answer} == {
        name: value for name, value in EVERYTHING.items() if name not in ("name", "ignoreDnd", "unknown")
    }
    assert uuid.UUID(answer["trackingId"]).version == 4
    assert answer | {"trackingId": "", "createdAt": "", "voiceAnalysis": ""} == {
        "trackingId": "",
        "type": "Voice",
        "campaignName": "noel-2026",
        "createdAt": "",
        "scheduledDate": FAR,
        "from": "ACME",
        "to": [LYON],
        "contacts": [],
        "groups": [],
        "message": MESSAGE,
        "fileURL": None,
        "respectQuietHours": True,
        "hangupDelay": 25,
        "collectDtmfDigits": True,
        "collectDtmfAwaitSeconds": 5,
        "callback": EVERYTHING["callback"],
        "campaignCallback": EVERYTHING["campaignCallback"],
        "voiceAnalysis": "",
        "state": "Scheduled",
        "statuses": dict.fromkeys(STATUSES, 0) | {"Queued": 1},
        "cost": Decimal("0.012"),
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", answer["createdAt"])


STATUSES = (
    *("Queued", "Initiated", "Ringing", "InProgress", "Completed", "Busy", "NoAnswer", "Failed", "Unknown"),
    *("Unsent", "Terminated"),
)


def test_what_is_not_asked_for_is_null_or_no(routee: Routee) -> None:
    answer = accepted(routee)
    assert (answer["state"], answer["respectQuietHours"], answer["collectDtmfDigits"]) == ("Queued", False, False)
    empty = ("campaignName", "scheduledDate", "fileURL", "hangupDelay", "collectDtmfAwaitSeconds", "callback")
    assert [answer[name] for name in (*empty, "campaignCallback")] == [None] * 7


def test_an_answer_as_a_third_party_has_it(routee: Routee) -> None:
    whole = accepted(routee, **EVERYTHING)
    routee.set("switches", routee_answer_keys="sample")
    lean = accepted(routee, **{**EVERYTHING, "name": "other"})
    assert whole.keys() - lean.keys() == NOT_IN_SAMPLE
    assert whole["voiceAnalysis"].keys() - lean["voiceAnalysis"].keys() == {"dialPlanAnalysis"}
    assert lean.keys() < whole.keys()
    assert routee.show(lean["trackingId"]).keys() & NOT_IN_SAMPLE == set()


def test_a_delivery_has_what_was_asked(routee: Routee) -> None:
    answer = accepted(routee, **EVERYTHING)
    delivery = routee.delivered()
    assert delivery.pop("ticket") == answer["trackingId"]
    assert delivery == {
        "provider": "routee",
        "channel": "voice",
        "campaign": "noel-2026",
        "sender": "ACME",
        "text": "Bonjour",
        "content": {
            "language": "fr-FR",
            "gender": "female",
            "file_url": None,
            "seconds": 6,
            "keys": True,
            "key_wait_seconds": 5,
            "ring_seconds": 25,
            "respect_quiet_hours": True,
            "ignore_dnd": True,
            "callback": EVERYTHING["callback"],
            "campaign_callback": EVERYTHING["campaignCallback"],
        },
        "encoding": "",
        "parts": 6,
        "request_id": "noel-2026",
        "send_at": "2099-06-01T10:00:00+00:00",
        "at": "2099-06-01T10:00:00.000+00:00",
        "cost": Decimal("0.012"),
        "address": LYON,
    }


def test_a_file_is_played_and_its_address_is_the_text(routee: Routee) -> None:
    url = "https://acme.example/a/hello.WAV?sig=1"
    answer = accepted(routee, message=None, fileURL=url)
    assert (answer["fileURL"], answer["message"], answer["cost"]) == (url, None, Decimal("0.06"))
    delivery = routee.delivered()
    assert (delivery["text"], delivery["content"]["file_url"], delivery["parts"]) == (url, url, 30)
    routee.set("switches", routee_file_seconds=61)
    assert accepted(routee, message=None, fileURL=url)["cost"] == Decimal("0.122")


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.example/a.mp3",
        "ftp://acme.example/a.wav",
        "a.wav",
        "https:///a.wav",
        "https://[x/a.wav",
        "//a.wav",
    ],
)
def test_what_is_no_wav_file(routee: Routee, url: str) -> None:
    assert "wav" in routee.refused("400000000", message=None, fileURL=url)


def test_message_and_file_at_once_or_neither(routee: Routee) -> None:
    both = {"fileURL": "https://acme.example/a.wav"}
    assert "Only one of" in routee.refused("400000000", **both)
    assert "One of" in routee.refused("400000000", message=None)
    assert "One of" in routee.refused("400000000", message="Bonjour")
    routee.set("switches", routee_message_and_file="message")
    assert accepted(routee, **both)["fileURL"] is None
    routee.set("switches", routee_message_and_file="file")
    assert accepted(routee, **both)["message"] is None


# -- dates -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2099-06-01T10:00:00+02:00", "2099-06-01T08:00:00Z"),
        ("2099-06-01T10:00:00+0200", "2099-06-01T08:00:00Z"),
        ("2099-06-01T10:00:00Z", "2099-06-01T10:00:00Z"),
        ("2099-06-01T10:00:00-05:30", "2099-06-01T15:30:00Z"),
        ("2099-06-01T10:00:00", "2099-06-01T10:00:00Z"),
        ("2099-06-01", "2099-06-01T00:00:00Z"),
    ],
)
def test_a_scheduled_date_is_answered_in_utc(routee: Routee, written: str, utc: str) -> None:
    answer = accepted(routee, scheduledDate=written)
    assert (answer["scheduledDate"], answer["state"]) == (utc, "Scheduled")
    assert datetime.fromisoformat(routee.delivered()["at"]) == datetime.fromisoformat(utc)


def test_a_date_without_offset_may_be_refused(routee: Routee) -> None:
    routee.set("switches", routee_naive_date="rejected")
    for naive in ("2099-06-01T10:00:00", "2099-06-01"):
        assert "2026-12-03T09:00:00Z" in routee.refused("400000000", scheduledDate=naive)
    accepted(routee, scheduledDate="2099-06-01T10:00:00+0200")


@pytest.mark.parametrize("written", ["tomorrow", "2099-13-01T00:00:00Z", {"a": 1}, [1]])
def test_what_is_no_date(routee: Routee, written: object) -> None:
    if isinstance(written, str):
        routee.refused("400000000", scheduledDate=written)
    routee.set("switches", routee_unusable_date="ignored")
    assert (accepted(routee, scheduledDate=written)["state"]) == "Queued"


def test_a_date_that_is_over(routee: Routee) -> None:
    answer = accepted(routee, scheduledDate="2020-01-01T00:00:00Z")
    assert (answer["state"], answer["scheduledDate"]) == ("Queued", "2020-01-01T00:00:00Z")
    delivery = routee.delivered()
    assert delivery["send_at"] == "2020-01-01T00:00:00+00:00"
    assert abs((datetime.fromisoformat(delivery["at"]) - datetime.now(UTC)).total_seconds()) < 60
    routee.set("switches", routee_past_date="rejected")
    assert "over" in routee.refused("400000000", scheduledDate="2020-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("due", "called"),
    [
        ("2099-01-10T23:00:00+01:00", "2099-01-11T08:00:00+01:00"),
        ("2099-01-10T22:59:59+01:00", None),
        ("2099-01-10T07:59:59+01:00", "2099-01-10T08:00:00+01:00"),
        ("2099-01-10T08:00:00+01:00", None),
        ("2099-01-10T14:00:00+01:00", "2099-01-10T17:00:00+01:00"),
        ("2099-01-10T13:59:59+01:00", None),
        ("2099-01-10T16:59:59+01:00", "2099-01-10T17:00:00+01:00"),
        ("2099-01-10T17:00:00+01:00", None),
        ("2099-07-10T14:30:00+02:00", "2099-07-10T17:00:00+02:00"),
    ],
)
def test_quiet_hours_hold_a_call_until_they_end(routee: Routee, due: str, called: str | None) -> None:
    ticket = accepted(routee, scheduledDate=due, respectQuietHours=True)["trackingId"]
    asked, at = datetime.fromisoformat(due), datetime.fromisoformat(called or due)
    delivery = routee.delivered()
    assert (datetime.fromisoformat(delivery["send_at"]), datetime.fromisoformat(delivery["at"])) == (asked, at)
    routee.delete(ticket)
    accepted(routee, scheduledDate=due, respectQuietHours=False)
    assert datetime.fromisoformat(routee.delivered()["at"]) == asked


def test_quiet_hours_are_those_of_each_destination(routee: Routee) -> None:
    routee.set("switches", unknown_country_price="0.5")
    people = (LYON, "+447700900123", "+306977663000", "+12025550123", "+34611111111", "+99912345678")
    answer = accepted(routee, *people, scheduledDate="2099-01-10T13:30:00Z", respectQuietHours=True)
    at = {delivery["address"]: delivery["at"][:16] for delivery in routee.deliveries()}
    assert at == {
        LYON: "2099-01-10T16:00",  # half past two in Paris, until five
        "+447700900123": "2099-01-10T13:30",  # half past one in London
        "+306977663000": "2099-01-10T15:00",  # half past three in Athens, until five
        "+12025550123": "2099-01-10T13:30",  # several time zones: not supported
        "+34611111111": "2099-01-10T13:30",  # the same, for the Canaries
        "+99912345678": "2099-01-10T13:30",
    }
    assert answer["state"] == "Scheduled"


def test_quiet_hours_may_do_nothing(routee: Routee) -> None:
    routee.set("switches", routee_quiet_hours="ignored")
    accepted(routee, scheduledDate="2099-01-10T23:00:00+01:00", respectQuietHours=True)
    assert routee.delivered()["at"] == "2099-01-10T22:00:00.000+00:00"


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fields", [{"to": None}, {"to": []}, {"to": "", "groups": [], "contacts": None}])
def test_no_recipients(routee: Routee, fields: dict[str, Any]) -> None:
    assert "One of to, contacts and groups" in routee.refused("400005000", **fields)


@pytest.mark.parametrize("sender", [None, "", "twelve chars", "+12345678901234567", "a_b", "Ελλάδα", "+", {"a": 1}])
def test_a_sender_that_is_none(routee: Routee, sender: object) -> None:
    assert routee.refused("400005000", sender=sender) == "Invalid sender."


@pytest.mark.parametrize("sender", ["+1234567890123456", "1234567890123456", "elevenchars", "AC ME", "A", 33142])
def test_senders(routee: Routee, sender: object) -> None:
    assert accepted(routee, sender=sender)["from"] == str(sender)


def test_a_sender_of_letters_may_be_refused(routee: Routee) -> None:
    routee.set("switches", routee_alphanumeric_from="rejected")
    routee.refused("400005000")
    assert accepted(routee, sender="+33142000000")["from"] == "+33142000000"


INVALID = ("0639980012", "nobody", "+1", "+" + "9" * 16)


def test_invalid_numbers_are_listed_and_fail_all(routee: Routee) -> None:
    answer = routee.send(LYON, *INVALID)
    assert answer.status_code == 400
    problem = {"code": "400000000", "developerMessage": "Invalid recipients.", "property": list(INVALID)}
    assert answer.json() == {"errors": [problem]}
    assert routee.analyse(LYON, *INVALID).json() == answer.json()
    assert routee.deliveries() == []
    routee.set("switches", routee_invalid_number_shape="top")
    assert routee.refused("400000000", LYON, *INVALID) == "Invalid recipients."


def test_invalid_numbers_may_be_left_out(routee: Routee) -> None:
    routee.set("switches", routee_invalid_number="dropped")
    answer = accepted(routee, LYON, *INVALID)
    assert (answer["to"], answer["voiceAnalysis"]["numberOfRecipients"]) == ([LYON], 1)
    assert "errors" not in answer
    routee.refused("400009004", *INVALID)
    routee.set("switches", routee_invalid_number="told")
    told = accepted(routee, LYON, *INVALID)
    assert told["errors"][0]["property"] == list(INVALID)
    assert "errors" not in accepted(routee, LYON)
    assert routee.analyse(LYON, *INVALID).json()["errors"] == told["errors"]
    assert addresses(routee) == [LYON] * 3


@pytest.mark.parametrize("code", ["400005000", "400013000"])
def test_what_has_no_code_of_its_own(routee: Routee, code: str) -> None:
    routee.set("switches", routee_invalid_code=code)
    routee.refused(code, message={**MESSAGE, "language": "xx"})
    assert routee.send("x").json()["errors"][0]["code"] == code


def test_a_text_of_a_thousand_characters(routee: Routee) -> None:
    assert len(accepted(routee, message={**MESSAGE, "text": "é" * 1000})["message"]["text"]) == 1000
    assert "1000" in routee.refused("400000000", message={**MESSAGE, "text": "é" * 1001})
    assert "text is required" in routee.refused("400000000", message={**MESSAGE, "text": " \x00 "})
    routee.set("switches", routee_text_too_long="cut")
    assert accepted(routee, message={**MESSAGE, "text": "é" * 1001})["message"]["text"] == "é" * 1000


@pytest.mark.parametrize(
    ("language", "spelled"),
    [
        *((one, one) for one in ("en-US", "de-DE", "fr-FR", "it-IT", "pt-BR", "es-ES", "es-LA", "en-GB", "el-GR")),
        *((one, one) for one in ("bg-BG", "pl-PL", "hu-HU", "sv-SE", "ru-RU")),
        ("FR_fr", "fr-FR"),
    ],
)
def test_languages(routee: Routee, language: str, spelled: str) -> None:
    answer = accepted(routee, message={"text": "a", "language": language, "gender": "MALE"})
    assert answer["message"] == {"text": "a", "language": spelled, "gender": "male"}


@pytest.mark.parametrize("wrong", [{"language": "fr"}, {"language": "nl-NL"}, {"gender": "x"}])
def test_voices_that_there_are_not(routee: Routee, wrong: dict[str, str]) -> None:
    assert "not supported" in routee.refused("400000000", message={**MESSAGE, **wrong})
    routee.set("switches", routee_voice_missing="default")
    routee.refused("400000000", message={**MESSAGE, **wrong})


def test_a_voice_that_is_not_named(routee: Routee) -> None:
    for lacks in ("language", "gender"):
        message = {name: value for name, value in MESSAGE.items() if name != lacks}
        assert f"message.{lacks} is missing" in routee.refused("400000000", message=message)
    routee.set("switches", routee_voice_missing="default")
    answer = accepted(routee, message={"text": "a"})
    assert answer["message"] == {"text": "a", "language": "en-US", "gender": "female"}


@pytest.mark.parametrize("name", ["callback", "campaignCallback"])
def test_callbacks(routee: Routee, name: str) -> None:
    url = "https://acme.example/x"
    assert accepted(routee, **{name: {"url": url, "strategy": "oncompletion"}})[name]["strategy"] == "OnCompletion"
    for strategy in ("Always", None):
        assert "OnChange, OnCompletion" in routee.refused("400000000", **{name: {"url": url, "strategy": strategy}})
    assert accepted(routee, **{name: {"strategy": "Always"}})[name] is None
    routee.set("switches", routee_unknown_strategy="OnChange")
    assert accepted(routee, **{name: {"url": url}})[name] == {"strategy": "OnChange", "url": url}


def test_the_seconds_of_a_hangup_delay(routee: Routee) -> None:
    assert accepted(routee, hangupDelay="90")["hangupDelay"] == 90
    assert accepted(routee, hangupDelay=0.5)["hangupDelay"] == Decimal("0.5")
    for ignored in ("soon", -1, "nan", "inf", [5]):
        assert accepted(routee, hangupDelay=ignored)["hangupDelay"] is None
    routee.set("switches", routee_hangup_delay="1-60")
    for refused in (0, 61):
        routee.refused("400000000", hangupDelay=refused)
    assert accepted(routee, hangupDelay=60)["hangupDelay"] == 60


@pytest.mark.parametrize(("switch", "read"), [("name", "one-name"), ("campaignName", "another"), ("both", "one-name")])
def test_the_field_that_names_a_campaign(routee: Routee, switch: str, read: str) -> None:
    routee.set("switches", routee_name_field=switch)
    assert accepted(routee, name="one-name", campaignName="another")["campaignName"] == read
    assert accepted(routee, campaignName="third")["campaignName"] == (None if switch == "name" else "third")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'"x"', b"[{}]", b"\xff"])
def test_a_body_that_is_no_object(routee: Routee, content: bytes) -> None:
    for address in (CAMPAIGN, ANALYSIS):
        assert routee.http.post(address, content=content).status_code == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/voice/campaign"),
        ("PUT", f"/voice/campaign/{uuid.UUID(int=7)}"),
        ("DELETE", "/voice/campaign"),
        ("DELETE", "/voice/campaign/"),
        ("DELETE", "/voice/campaign/a/b"),
        ("GET", "/voice/tracking/campaign"),
        ("POST", "/sms/campaign"),
        ("POST", "/oauth/token"),
        ("GET", "/"),
        ("POST", "/voice/campaign/"),
    ],
)
def test_other_addresses_do_not_exist(routee: Routee, method: str, path: str) -> None:
    answer = routee.http.request(method, BASE + path)
    assert (answer.status_code, answer.json()) == (404, {"code": "404000000", "developerMessage": "Not found."})


# -- casting -----------------------------------------------------------------------------------------------------------


def test_a_form_is_as_good_as_json(routee: Routee) -> None:
    form = {
        "from": "ACME",
        "to[0]": LYON,
        "to[1]": PARIS,
        "contacts": '["zoe"]',
        "groups[]": "silver",
        "message[text]": "Bonjour",
        "message[language]": "fr-FR",
        "message[gender]": "male",
        "name": "noel",
        "collectDtmfDigits": "yes",
        "callback": '{"url": "https://acme.example/x", "strategy": "OnChange"}',
    }
    answer = routee.http.post(CAMPAIGN, data=form).json()
    assert (answer["to"], answer["contacts"], answer["groups"]) == ([LYON, PARIS], ["zoe"], ["silver"])
    assert (answer["message"]["gender"], answer["collectDtmfDigits"], answer["campaignName"]) == ("male", True, "noel")
    assert answer["callback"] == {"strategy": "OnChange", "url": "https://acme.example/x"}


@pytest.mark.parametrize(
    "to", [LYON, f"{LYON}, {PARIS}", [33639980012], ["0033639980012"], ["+33 6 39 98 00 12"], {"0": LYON}]
)
def test_recipients_of_the_wrong_type_are_cast(routee: Routee, to: object) -> None:
    assert accepted(routee, to=to)["to"][0] == LYON


@pytest.mark.parametrize(
    ("value", "read"), [("true", True), (1, True), ("no", False), ("perhaps", False), ([1], False)]
)
def test_flags_of_the_wrong_type_are_cast(routee: Routee, value: object, *, read: bool) -> None:
    answer = accepted(routee, respectQuietHours=value, collectDtmfDigits=value)
    assert (answer["respectQuietHours"], answer["collectDtmfDigits"]) == (read, read)


@pytest.mark.parametrize("groups", ["gold", ["gold", "", None, {}], {"0": "gold"}, '["gold"]'])
def test_groups_of_the_wrong_type_are_cast(routee: Routee, groups: object) -> None:
    assert accepted(routee, groups=groups)["groups"] == ["gold"]


# -- analysis ----------------------------------------------------------------------------------------------------------


def test_an_analysis_has_no_effect_and_no_price(routee: Routee) -> None:
    answer = routee.analyse(LYON, contacts=["leo"], groups=["gold"])
    assert answer.status_code == 200
    assert answer.json() == {
        "contacts": {"leo": {"recipient": PARIS, "recipientCountry": "FR", "blacklisted": False}},
        "numberOfRecipients": 4,
        "recipientCountries": {LYON: "FR"},
        "recipientsPerCountry": {"FR": 3, "BE": 1},
        "recipientsPerGroup": {"gold": 3},
        "totalInGroups": 2,
    }
    assert routee.deliveries() == []
    assert routee.look("balance")["providers"]["routee"]["amount"] == 1_000_000
    assert routee.outcomes()[-1] == "simulated"


def test_an_analysis_checks_what_a_campaign_is_checked_for(routee: Routee) -> None:
    routee.set("blacklist", addresses=[PARIS])
    for wanted, fields in (
        ("400005000", {"to": None}),
        ("400005000", {"sender": None}),
        ("400009004", {"to": [PARIS]}),
        ("404002001", {"contacts": ["nobody"]}),
        ("400000000", {"message": None}),
        ("400000000", {"to": [ATHENS]}),
    ):
        assert code(routee.analyse(**fields)) == (int(wanted[:3]), wanted)


@pytest.mark.parametrize("checks", [True, False])
def test_whether_an_analysis_reads_a_name(routee: Routee, *, checks: bool) -> None:
    routee.set("switches", routee_analysis_checks_name=checks)
    accepted(routee, name="noel")
    assert routee.analyse(name="noel").status_code == (409 if checks else 200)
    assert routee.analyse(name="x").status_code == (400 if checks else 200)
    assert routee.analyse(name="other").status_code == 200
    accepted(routee, name="other")


@pytest.mark.parametrize("checks", [True, False])
def test_whether_an_analysis_looks_at_the_balance(routee: Routee, *, checks: bool) -> None:
    routee.set("switches", routee_analysis_checks_balance=checks)
    routee.set("balance", amount=0.0019, provider="routee")
    assert routee.analyse().status_code == (400 if checks else 200)
    routee.refused("400001009")


# -- cost and balance --------------------------------------------------------------------------------------------------


def test_the_balance_moves_by_the_cost_of_every_step(routee: Routee) -> None:
    text = "a" * 121  # eleven seconds at twelve characters each
    answer = accepted(routee, LYON, LIEGE, message={**MESSAGE, "text": text})
    assert answer["cost"] == 11 * (Decimal("0.002") + Decimal("0.0035"))
    balances = routee.look("balance")
    assert balances["amount"] == balances["providers"]["octopush"]["amount"] == 1_000_000
    assert balances["providers"]["routee"]["amount"] == 1_000_000 - answer["cost"]
    assert [delivery["cost"] for delivery in routee.deliveries()] == [Decimal("0.022"), Decimal("0.0385")]
    assert routee.http.get(f"{BASE}/accounts/me/balance").json()["balance"] == pytest.approx(999_999.9395)


def test_a_balance_that_is_too_low(routee: Routee) -> None:
    routee.set("balance", amount="0.004", provider="routee")
    assert routee.refused("400001009", LYON, PARIS, "+33639980014")
    accepted(routee, LYON, PARIS)
    assert routee.refused("400001009")


@pytest.mark.parametrize(("switch", "cost"), [("estimate", Decimal("0.002")), ("zero", 0), ("absent", None)])
def test_the_cost_that_is_answered(routee: Routee, switch: str, cost: object) -> None:
    routee.set("switches", routee_cost=switch)
    answer = accepted(routee)
    assert answer.get("cost") == cost
    assert ("cost" in answer) == (cost is not None)
    assert ("cost" in routee.show(answer["trackingId"])) == (cost is not None)
    assert routee.look("balance")["providers"]["routee"]["amount"] == 1_000_000 - Decimal("0.002")


@pytest.mark.parametrize(
    ("billed", "collects", "steps"), [(True, True, 5), (True, False, 1), (False, True, 1), (False, False, 1)]
)
def test_a_pause_makes_a_call_longer(routee: Routee, *, billed: bool, collects: bool, steps: int) -> None:
    routee.set("switches", routee_pause_billed=billed)
    answer = accepted(routee, collectDtmfDigits=collects, collectDtmfAwaitSeconds=3.5)
    assert (answer["cost"], answer["collectDtmfAwaitSeconds"]) == (steps * Decimal("0.002"), Decimal("3.5"))


def test_a_country_without_a_price(routee: Routee) -> None:
    assert "not served" in routee.refused("400000000", LYON, ATHENS)
    routee.set("switches", unknown_country_price="0.01")
    assert accepted(routee, LYON, ATHENS)["cost"] == Decimal("0.012")


def test_without_a_book_every_step_costs_the_same(tmp_path: Path) -> None:
    with account(tmp_path / "sandbox.db", prices=None) as routee:
        assert accepted(routee, LYON, ATHENS, message={**MESSAGE, "text": "a" * 361})["cost"] == Decimal("0.2")
        assert routee.http.get(f"{BASE}/system/prices").json()["voice"] == []


PER_SECOND = PRICES.replace("FR: 0.002, BE: 0.0035", "FR: 0.03, BE: 0.0001").replace("seconds: 1", "seconds: 45")


@pytest.mark.parametrize(
    ("unit", "prices"),
    [("minute", ["0.00013333", "0.04"]), ("second", ["0.00000222", "0.00066667"]), ("step", ["0.0001", "0.03"])],
)
def test_prices_are_derived_from_the_book(tmp_path: Path, unit: str, prices: list[str]) -> None:
    with account(tmp_path / "sandbox.db", prices=PER_SECOND, routee_price_unit=unit) as routee:
        for query in ({}, {"service": "Voice"}, {"service": "voice", "mcc": "208"}):
            answer = exact(routee.http.get(f"{BASE}/system/prices", params=query))
            assert answer == {
                "currency": {"code": "EUR", "name": "Euro", "sign": "€"},
                "sms": [],
                "voice": [
                    {"country": name, "iso": iso, "landlinePrice": Decimal(price), "mobilePrice": Decimal(price)}
                    for (name, iso), price in zip((("Belgium", "BE"), ("France", "FR")), prices, strict=True)
                ],
                "twoStep": {},
                "lookup": {},
                "numberValidator": {},
                "viber": [],
            }
        assert routee.http.get(f"{BASE}/system/prices?service=Sms").json()["voice"] == []


@pytest.mark.parametrize(
    ("code", "name", "sign"), [("EUR", "Euro", "€"), ("USD", "US Dollar", "$"), ("SEK", "SEK", "SEK")]
)
def test_the_balance_has_the_currency_of_the_book(tmp_path: Path, code: str, name: str, sign: str) -> None:
    book = PRICES.replace("EUR", code)
    with account(tmp_path / "sandbox.db", prices=book, initial_balance="12.5") as routee:
        answer = exact(routee.http.get(f"{BASE}/accounts/me/balance"))
        assert answer == {"balance": Decimal("12.5"), "currency": {"code": code, "name": name, "sign": sign}}
        assert routee.look("balance")["providers"]["routee"] == {"amount": Decimal("12.5"), "currency": code}
        assert routee.look("balance")["currency"] == "EUR"


def test_the_balance_of_a_provider_that_is_none(routee: Routee) -> None:
    for wrong in ({"amount": 1, "provider": "route"}, {"provider": "routee"}, {"amount": "x", "provider": "routee"}):
        assert routee.http.post("/_sandbox/balance", json=wrong).status_code == 400
    told = routee.set("balance", amount="7")
    assert (told["amount"], told["providers"]["routee"]["amount"]) == (7, 1_000_000)


# -- the life of a campaign --------------------------------------------------------------------------------------------


def test_a_campaign_is_scheduled_then_sent(routee: Routee) -> None:
    routee.set("clock", advance="1d")
    routee.sign()
    now = datetime.fromisoformat(routee.look("clock")["now"])
    soon = now.replace(microsecond=0).timestamp() + 3600
    answer = accepted(routee, LYON, PARIS, scheduledDate=datetime.fromtimestamp(soon, UTC).isoformat())
    shown = routee.show(answer["trackingId"])
    assert shown == answer | {"totalMessages": 2, "endedAt": None}
    routee.set("clock", advance="2h")
    routee.sign()
    shown = routee.show(answer["trackingId"])
    assert (shown["state"], shown["totalMessages"]) == ("Sent", 2)
    assert shown["statuses"] == dict.fromkeys(STATUSES, 0) | {"Completed": 2}
    assert shown["endedAt"] == answer["scheduledDate"].replace("Z", ".000Z")
    assert accepted(routee)["state"] == "Queued"


def test_a_campaign_that_quiet_hours_hold_in_part_is_running(routee: Routee) -> None:
    routee.set("switches", unknown_country_price="0.5")
    due = (datetime.now(UTC) + timedelta(days=1)).replace(hour=13, minute=30, second=0, microsecond=0)
    sent = accepted(routee, LYON, "+2250700000001", scheduledDate=due.isoformat(), respectQuietHours=True)
    ticket = sent["trackingId"]
    routee.set("clock", advance=f"{int((due - datetime.now(UTC)).total_seconds()) + 60}s")
    routee.sign()
    shown = routee.show(ticket)
    assert (shown["state"], shown["endedAt"]) == ("Running", None)
    assert (shown["statuses"]["Queued"], shown["statuses"]["Completed"]) == (1, 1)
    assert code(routee.delete(ticket)) == (400, "400009002")


def test_a_campaign_that_does_not_exist(routee: Routee) -> None:
    for ticket in (str(uuid.UUID(int=7)), "x", "sms_1"):
        assert code(routee.http.get(f"{BASE}/campaigns/{ticket}")) == (404, "404009001")
        assert code(routee.delete(ticket)) == (404, "404009001")


def test_a_scheduled_campaign_is_deleted_and_paid_back(routee: Routee) -> None:
    ticket = accepted(routee, LYON, PARIS, scheduledDate=FAR, name="noel")["trackingId"]
    accepted(routee, PARIS)
    answer = routee.delete(ticket)
    assert (answer.status_code, answer.json()) == (200, {})
    assert addresses(routee) == [PARIS]
    assert routee.look("balance")["providers"]["routee"]["amount"] == 1_000_000 - Decimal("0.002")
    assert code(routee.http.get(f"{BASE}/campaigns/{ticket}")) == (404, "404009001")
    assert routee.found(("campaign", "is", "noel")) == []
    assert [one["cancelled"] is None for one in routee.look("tickets")["tickets"]] == [True, False]
    assert "cancelled" in routee.outcomes()


def test_deleting_may_answer_204(routee: Routee) -> None:
    routee.set("switches", routee_delete_status=204, cancel_refunds=False)
    answer = routee.delete(accepted(routee, scheduledDate=FAR)["trackingId"])
    assert (answer.status_code, answer.content) == (204, b"")
    assert routee.deliveries() == []
    assert routee.look("balance")["providers"]["routee"]["amount"] == 1_000_000 - Decimal("0.002")


@pytest.mark.parametrize(
    ("switch", "status", "wanted"),
    [("missing", 404, "404009001"), ("not_scheduled", 400, "400009002"), ("repeated", 200, None)],
)
def test_deleting_twice(routee: Routee, switch: str, status: int, wanted: str | None) -> None:
    routee.set("switches", routee_delete_repeated=switch)
    ticket = accepted(routee, scheduledDate=FAR)["trackingId"]
    routee.delete(ticket)
    balance = routee.look("balance")
    answer = routee.delete(ticket)
    assert (answer.status_code, answer.json().get("code")) == (status, wanted)
    assert routee.look("balance") == balance


def test_what_is_not_scheduled_is_not_deleted(routee: Routee) -> None:
    for fields in ({}, {"scheduledDate": "2020-01-01T00:00:00Z"}):
        assert code(routee.delete(accepted(routee, **fields)["trackingId"])) == (400, "400009002")
    due = accepted(routee, scheduledDate=datetime.fromtimestamp(datetime.now(UTC).timestamp() + 60, UTC).isoformat())
    routee.set("clock", advance="2m")
    routee.sign()
    assert code(routee.delete(due["trackingId"])) == (400, "400009002")
    assert routee.outcomes()[-1] == "cancel-refused"
    assert len(addresses(routee)) == 3


def test_octopush_knows_nothing_of_a_campaign_of_routee(routee: Routee) -> None:
    routee.set("switches", cancel_wrong_channel="ignored")
    ticket = accepted(routee, scheduledDate=FAR)["trackingId"]
    how = {"channel": "voice_sms", "ticket_number": ticket}
    headers = {"api-key": "k", "api-login": "sandbox"}
    answer = routee.http.request("DELETE", "/octopush/v1/public/multi-channel/cancel", json=how, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, 131)
    routee.http.post(
        "/octopush/v1/public/multi-channel/send",
        headers=headers,
        json={
            "channel": "sms",
            "text": "a",
            "purpose": "alert",
            "recipients": [LYON],
            "metadata": {"request_id": "x1"},
        },
    )
    accepted(routee, name="x1")
    found = routee.look("tickets")
    assert [one["provider"] for one in found["tickets"]] == ["routee", "octopush", "routee"]
    costs = {"octopush": Decimal("0.05"), "routee": Decimal("0.004")}
    assert (found["totals"]["costs"], found["totals"]["cost"]) == (costs, sum(costs.values()))
    sms = next(one["ticket"] for one in found["tickets"] if one["provider"] == "octopush")
    assert code(routee.delete(sms)) == (404, "404009001")


def test_a_restart_forgets_no_campaign_and_no_token(tmp_path: Path) -> None:
    with account(tmp_path / "sandbox.db") as routee:
        ticket = accepted(routee, name="noel", scheduledDate=FAR)["trackingId"]
        shown, token = routee.show(ticket), routee.http.headers["authorization"]
    with account(tmp_path / "sandbox.db") as routee:
        routee.http.headers["authorization"] = token
        assert routee.show(ticket) == shown
        routee.refused("409009003", name="noel")
        assert routee.found(("campaign", "is", "noel")) == [LYON]


def test_the_page_of_a_lost_answer_and_its_name_again(tmp_path: Path) -> None:
    with account(
        tmp_path / "sandbox.db", faults=[{"fault": "lose-reply", "endpoint": "voice/campaign", "times": 1}]
    ) as routee:
        with pytest.raises(httpx.RemoteProtocolError):
            routee.send(LYON, PARIS, name="noel")
        assert routee.found(("campaign", "is", "noel")) == [LYON, PARIS]
        routee.refused("409009003", LYON, PARIS, name="noel")
        assert routee.counts() == {"deliveries": 2, "addresses": 2, "most_per_address": 1}
        assert exact(routee.http.post(CAMPAIGN, json=body(LYON, PARIS, name="noel")))["code"] == "409009003"


def test_a_full_disk_is_answered_with_500_and_nobody_is_called(tmp_path: Path) -> None:
    with account(tmp_path / "sandbox.db") as routee:
        with sqlite3.connect(tmp_path / "sandbox.db") as foreign:
            foreign.execute("CREATE TRIGGER full BEFORE INSERT ON campaigns BEGIN SELECT RAISE(FAIL, 'disk full'); END")
        foreign.close()
        assert code(routee.send(name="noel")) == (500, "500000000")
        with sqlite3.connect(tmp_path / "sandbox.db") as foreign:
            foreign.execute("DROP TRIGGER full")
        foreign.close()
        assert routee.deliveries() == []
        assert accepted(routee, name="noel")["state"] == "Queued"
        assert routee.look("balance")["providers"]["routee"]["amount"] == 1_000_000 - Decimal("0.002")


# -- beside Octopush ---------------------------------------------------------------------------------------------------

OCTOPUSH_PRICES = "currency: EUR\nvoice_sms: {FR: 0.07}\n"


def test_each_provider_has_a_book_of_its_own(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "routee.yaml", tmp_path / "octopush.yaml"
    ours.write_text(PRICES.replace("EUR", "USD"), encoding="utf-8")
    theirs.write_text(OCTOPUSH_PRICES, encoding="utf-8")
    books = {"routee": ours, "octopush": theirs}
    with Sandbox(tmp_path / "sandbox.db", books) as sandbox, Routee(sandbox.url) as routee:
        assert accepted(routee)["cost"] == Decimal("0.002")
        with Account(sandbox.url) as octopush:
            assert octopush.accepted(channel="voice_sms", text="a")["total_cost"] == Decimal("0.07")
        balances = routee.look("balance")["providers"]
        assert [balances[name]["currency"] for name in ("octopush", "routee")] == ["EUR", "USD"]
        assert balances["octopush"]["amount"] == 1_000_000 - Decimal("0.07")
        assert balances["routee"]["amount"] == 1_000_000 - Decimal("0.002")


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path)
    workspace.write("routee.yaml", PRICES)
    workspace.write("a=b.yaml", OCTOPUSH_PRICES)
    return workspace


@pytest.mark.parametrize(
    ("words", "routee_cost", "octopush_cost"),
    [
        (("routee=routee.yaml",), "0.002", "0.049"),
        (("a=b.yaml", "routee=routee.yaml"), "0.002", None),
        (("octopush=routee.yaml",), "0.05", None),
        ((), "0.05", "0.049"),
    ],
)
def test_the_command_takes_a_book_for_each_provider(
    project: Workspace, words: tuple[str, ...], routee_cost: str, octopush_cost: str | None
) -> None:
    options = [option for word in words for option in ("--prices", word)]
    with project.start("sandbox", "--port", "0", *options) as process:
        assert process.stderr
        try:
            url = process.stderr.readline().strip()
            with Routee(url) as routee, Account(url) as octopush:
                assert accepted(routee)["cost"] == Decimal(routee_cost)
                answer = octopush.send()
                assert exact(answer).get("total_cost") == (Decimal(octopush_cost) if octopush_cost else None)
        finally:
            process.terminate()


@pytest.mark.parametrize("word", ["nowhere.yaml", "routee=nowhere.yaml", "route=routee.yaml", "routee=", "campaigns"])
def test_the_command_needs_a_book_that_is_there(project: Workspace, word: str) -> None:
    assert "does not exist" in project.run("sandbox", "--prices", word, code=2).err
