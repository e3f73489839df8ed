"""The tracking of the imitated Routee: calls found by what they are like, page by page."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from routee_account import BASE, MESSAGE, TRACKING, Routee, account, code
from sandbox_account import LIEGE, LYON, PARIS, exact

if TYPE_CHECKING:
    from collections.abc import Iterator

LISTS = {"groups": {"gold": [{"phone_number": PARIS}, {"phone_number": LIEGE}], "silver": [{"phone_number": LIEGE}]}}
FAR = "2099-06-01T10:00:00Z"
SHAPE = {"content", "first", "last", "number", "numberOfElements", "size", "totalElements", "totalPages"}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Routee]:
    with account(tmp_path_factory.mktemp("sandbox") / "sandbox.db", lists=LISTS) as opened:
        yield opened


@pytest.fixture
def routee(opened: Routee) -> Routee:
    opened.reset()
    return opened


def sent(routee: Routee, *numbers: str, **fields: Any) -> str:
    answer = routee.send(*numbers, **fields)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["trackingId"])


def figures(page: dict[str, Any]) -> tuple[Any, ...]:
    assert page.keys() == SHAPE
    assert page["numberOfElements"] == len(page["content"])
    names = ("number", "size", "totalElements", "totalPages", "first", "last", "numberOfElements")
    return tuple(page[name] for name in names)


# -- the hardest -------------------------------------------------------------------------------------------------------


def test_a_campaign_is_found_by_its_name_to_the_letter(routee: Routee) -> None:
    for number, name in ((LYON, "noel"), (PARIS, "noel-2"), (LIEGE, "Noel"), ("+33639980014", None)):
        sent(routee, number, name=name)
    assert routee.found(("campaign", "is", "noel")) == [LYON]
    assert routee.found(("campaign", "is", "noe")) == []
    assert routee.found(("campaign", "is", "")) == ["+33639980014"]
    assert routee.found(("campaign", "is", "n%l")) == []
    assert routee.found(("campaign", "starts_with", "noel")) == [LYON, PARIS]
    assert routee.found(("campaign", "is_not", "noel")) == [PARIS, LIEGE, "+33639980014"]
    assert routee.found() == [LYON, PARIS, LIEGE, "+33639980014"]


def test_tracking_that_finds_no_campaign(routee: Routee) -> None:
    ticket = sent(routee, name="noel")
    routee.set("switches", routee_tracking_finds="nothing")
    assert figures(routee.search(("campaign", "is", "noel"))) == (0, 20, 0, 0, True, True, 0)
    assert routee.found(("campaign", "is_not", "x"), ("recipient", "is", LYON)) == []
    assert routee.found(("recipient", "is", LYON)) == [LYON]
    assert routee.calls(ticket)["totalElements"] == 1


@pytest.mark.parametrize("listed", [True, False])
def test_calls_that_are_not_due(routee: Routee, *, listed: bool) -> None:
    routee.set("switches", routee_tracking_scheduled=listed)
    ticket = sent(routee, LYON, name="noel", scheduledDate=FAR)
    assert routee.found(("campaign", "is", "noel")) == [LYON] * listed
    assert routee.calls(ticket)["totalElements"] == int(listed)
    if listed:
        (item,) = routee.calls(ticket)["content"]
        assert (item["status"]["status"], item["price"], item["duration"]) == ("Queued", 0, 0)


def test_a_thousand_calls_come_page_by_page(routee: Routee) -> None:
    numbers = [f"+336399{n:05d}" for n in range(1000)]
    ticket = sent(routee, *numbers, name="many")
    assert figures(routee.calls(ticket)) == (0, 20, 1000, 50, True, False, 20)
    assert figures(routee.calls(ticket, page=3, size=300)) == (3, 300, 1000, 4, False, True, 100)
    assert figures(routee.calls(ticket, page=4, size=300)) == (4, 300, 1000, 4, False, True, 0)
    found = [
        item["to"]
        for page in range(7)
        for item in routee.search(("campaign", "is", "many"), page=page, size=150)["content"]
    ]
    assert found == numbers
    ids = {item["messageId"] for item in routee.calls(ticket, size=1000)["content"]}
    assert len(ids) == 1000


@pytest.mark.parametrize(("page", "size"), [("-1", "0"), ("x", ""), ("1e3", "1.5"), ("٣", "-5")])
def test_pages_that_are_no_numbers_are_the_usual_ones(routee: Routee, page: str, size: str) -> None:
    ticket = sent(routee)
    assert figures(routee.calls(ticket, page=page, size=size)) == (0, 20, 1, 1, True, True, 1)


# -- a call ------------------------------------------------------------------------------------------------------------


def test_a_call_as_documented(routee: Routee) -> None:
    ticket = sent(
        routee,
        LYON,
        groups=["gold", "silver"],
        name="noel",
        sender="+33142000000",
        message={**MESSAGE, "text": "a" * 30},
    )
    page = routee.calls(ticket)
    assert page == routee.search(("campaign", "is", "noel"))
    items = {item["to"]: item for item in page["content"]}
    item = dict(items[LIEGE])
    assert uuid.UUID(item.pop("messageId")).version == 5
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", item["status"].pop("date"))
    assert item == {
        "conversationTrackingId": None,
        "to": LIEGE,
        "from": "+33142000000",
        "country": "BE",
        "groups": ["gold", "silver"],
        "status": {"status": "Completed"},
        "campaign": "noel",
        "applicationName": "sandbox-app",
        "originatingService": "Voice",
        "direction": "Outbound",
        "duration": 3,
        "fileURL": None,
        "message": {**MESSAGE, "text": "a" * 30},
        "price": 3 * Decimal("0.0035"),
        "chargeInterval": 1,
        "collectedTones": None,
        "recordings": [],
    }
    assert (items[LYON]["groups"], items[PARIS]["groups"]) == ([], ["gold"])


def test_a_call_of_a_file(routee: Routee) -> None:
    ticket = sent(routee, message=None, fileURL="https://acme.example/a.wav")
    (item,) = routee.calls(ticket)["content"]
    assert (item["fileURL"], item["message"], item["duration"]) == ("https://acme.example/a.wav", None, 30)
    assert item["campaign"] is None


@pytest.mark.parametrize("status", ["Completed", "Busy", "NoAnswer", "Failed", "Unknown", "Terminated", "Queued"])
def test_the_status_of_a_call_that_is_due(routee: Routee, status: str) -> None:
    routee.set("switches", routee_call_status=status)
    ticket = sent(routee)
    (item,) = routee.calls(ticket)["content"]
    paid = status in ("Completed", "Terminated")
    assert item["status"]["status"] == status
    assert (item["price"], item["duration"]) == ((Decimal("0.002"), 1) if paid else (0, 0))
    assert routee.show(ticket)["statuses"][status] == 1
    assert routee.found(("status.status", "is", status)) == [LYON]


def test_a_call_is_due_at_its_time(routee: Routee) -> None:
    due = (datetime.now(UTC) + timedelta(minutes=30)).replace(microsecond=0)
    ticket = sent(routee, scheduledDate=due.isoformat())
    routee.set("clock", advance="31m")
    (item,) = routee.calls(ticket)["content"]
    assert item["status"] == {"status": "Completed", "date": f"{due:%Y-%m-%dT%H:%M:%S}.000Z"}


# -- filters -----------------------------------------------------------------------------------------------------------


def test_every_field_and_operator(routee: Routee) -> None:
    sent(routee, LYON, groups=["gold", "silver"], name="noel", sender="ACME")
    sent(routee, "+33639980014", name="soldes", sender="+33142000000")
    (first, *_rest) = routee.search()["content"]
    for search, found in (
        (("id", "is", first["messageId"]), [LYON]),
        (("recipient", "is", LYON), [LYON]),
        (("recipient", "starts_with", "+32"), [LIEGE]),
        (("recipient", "ends_with", "14"), ["+33639980014"]),
        (("recipient", "contains", "998001"), [LYON, PARIS, "+33639980014"]),
        (("recipient", "is_not", LYON), [PARIS, LIEGE, "+33639980014"]),
        (("from", "is", "ACME"), [LYON, PARIS, LIEGE]),
        (("collectedTones", "is", "1"), []),
        (("collectedTones", "is", ""), [LYON, PARIS, LIEGE, "+33639980014"]),
        (("groups", "is", "silver"), [LIEGE]),
        (("groups", "is_not", "gold"), [LYON, "+33639980014"]),
        (("groups", "contains", "ol"), [PARIS, LIEGE]),
        (("country", "is", "BE"), [LIEGE]),
        (("status.status", "is", "Completed"), [LYON, PARIS, LIEGE, "+33639980014"]),
        (("campaign", "ends_with", "des"), ["+33639980014"]),
    ):
        assert routee.found(search) == found, search


@pytest.mark.parametrize(("every", "found"), [("all", [PARIS]), ("any", [PARIS, LIEGE, "+33639980014"])])
def test_several_filters(routee: Routee, every: str, found: list[str]) -> None:
    sent(routee, LYON, name="soldes")
    sent(routee, PARIS, LIEGE, name="noel")
    sent(routee, "+33639980014", name="autre")
    routee.set("switches", routee_tracking_filters=every)
    twice = [("campaign", "is", "noel"), ("recipient", "starts_with", "+336399800")]
    routee.delete("x")
    assert routee.found(*twice, ("recipient", "is_not", LYON)) == (found if every == "all" else [LYON, *found])
    assert routee.found(("campaign", "is", "noel"), ("campaign", "is", "autre")) == (
        [] if every == "all" else [PARIS, LIEGE, "+33639980014"]
    )


def test_only_the_calls_of_one_campaign(routee: Routee) -> None:
    sent(routee, LYON)
    ticket = sent(routee, LYON, PARIS)
    assert routee.found(("recipient", "is", LYON), trackingId=ticket) == [LYON]
    assert routee.found(trackingId=ticket) == [LYON, PARIS]
    assert routee.found(trackingId="x") == []
    assert routee.found(trackingId=ticket, sort="to", tagged="true", **{"from": FAR, "to": FAR}) == [LYON, PARIS]


@pytest.mark.parametrize(
    "wrong", [{"fieldName": "name"}, {"fieldName": "campaign", "searchOperator": "IS"}, {"searchTerm": "noel"}, {}]
)
def test_a_filter_that_is_none(routee: Routee, wrong: dict[str, str]) -> None:
    sent(routee, name="noel")
    answer = routee.http.post(TRACKING, json=[{"searchTerm": "x", **wrong}])
    assert code(answer) == (400, "400000000")
    routee.set("switches", routee_unknown_filter="ignored")
    assert exact(routee.http.post(TRACKING, json=[{"searchTerm": "x", **wrong}]))["totalElements"] == 1


def test_filters_are_cast(routee: Routee) -> None:
    sent(routee, name="2026")
    alone = {"fieldName": "campaign", "searchTerm": 2026}
    assert exact(routee.http.post(TRACKING, json=alone))["totalElements"] == 1
    assert exact(routee.http.post(TRACKING, json=[alone | {"searchOperator": None}]))["totalElements"] == 1
    assert exact(routee.http.post(TRACKING))["totalElements"] == 1


@pytest.mark.parametrize("content", [b"{", b'"x"', b"[1]", b"1", b"null", b"[[]]", b"a=b"])
def test_what_is_no_list_of_filters(routee: Routee, content: bytes) -> None:
    assert code(routee.http.post(TRACKING, content=content)) == (400, "400000000")


# -- what there is not -------------------------------------------------------------------------------------------------


def test_the_calls_of_a_campaign_that_does_not_exist(routee: Routee) -> None:
    address = f"{BASE}/voice/tracking/campaign/{uuid.UUID(int=7)}"
    assert code(routee.http.get(address)) == (404, "404009001")
    routee.set("switches", routee_tracking_unknown="empty")
    assert figures(exact(routee.http.get(address))) == (0, 20, 0, 0, True, True, 0)


def test_what_is_deleted_is_not_tracked(routee: Routee) -> None:
    ticket = sent(routee, name="noel", scheduledDate=FAR)
    routee.delete(ticket)
    assert routee.found() == routee.found(("campaign", "is", "noel")) == []
    assert code(routee.http.get(f"{BASE}/voice/tracking/campaign/{ticket}")) == (404, "404009001")
