"""What a plan says of the hours at which people would be reached."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from campaigns import SCHEDULE, campaign
from octoplan.core import approval
from octoplan.core.hours import POLICIES, PolicyName, hours
from octoplan.core.model import Campaign, Channel, Purpose
from octoplan.core.opening import Place
from octoplan.core.rules.hours import OTHER_TIME, Due, check_hours

THURSDAY = datetime(2026, 12, 3, 9, tzinfo=UTC)
"""10:00 in Paris."""
SUNDAY = datetime(2026, 12, 6, 9, tzinfo=UTC)
FRANCE = Place(country="FR", zones=("Europe/Paris",))
BELGIUM = Place(country="BE", zones=("Europe/Brussels",))
NEW_ZEALAND = Place(country="NZ", zones=("Pacific/Auckland",))
NOWHERE = Place(country="001", zones=())


def due(at: datetime = THURSDAY, *, send_at: datetime | None = None, **changes: Any) -> Due:
    made = changes.pop("campaign", campaign())
    made = replace(made, schedule=replace(made.schedule, send_at=send_at))
    held = hours(made)
    assert held
    given: dict[str, Any] = {"counts": {FRANCE: 3}, "held": True, **changes}
    return Due(campaign=made, hours=held, now=at, **given)


def found(judged: Due) -> list[tuple[str, str, str]]:
    return [
        (one.rule, one.severity.value, f"{one.message}; {one.hint}".removesuffix("; ")) for one in check_hours(judged)
    ]


def named(policy: str) -> Campaign:
    return campaign(schedule=replace(SCHEDULE, hours=policy))


KINDS = {
    (Channel.SMS, Purpose.MARKETING, None): (
        "fr-strict",
        "Mon–Fri 08:00–20:00, Sat 10:00–18:00, not on public holidays",
    ),
    (Channel.RCS, Purpose.MARKETING, "fr-charter"): ("fr-charter", "Mon–Sat 08:00–22:00, not on public holidays"),
    (Channel.SMS, Purpose.MARKETING, "any"): None,
    (Channel.VOICE, Purpose.MARKETING, None): (
        "fr-strict",
        "Mon–Fri 10:00–13:00 and 14:00–20:00, not on public holidays",
    ),
    (Channel.VOICE, Purpose.MARKETING, "fr-charter"): (
        "fr-charter",
        "Mon–Fri 10:00–13:00 and 14:00–20:00, not on public holidays",
    ),
    (Channel.VOICE, Purpose.MARKETING, "any"): ("any", "Mon–Sun 08:00–21:00"),
    (Channel.VOICE, Purpose.TRANSACTIONAL, None): ("any", "Mon–Sun 08:00–21:00"),
    (Channel.VOICE, Purpose.TRANSACTIONAL, "fr-strict"): ("fr-strict", "Mon–Sun 08:00–21:00"),
    (Channel.SMS, Purpose.TRANSACTIONAL, None): None,
    (Channel.RCS, Purpose.TRANSACTIONAL, "fr-strict"): None,
    (Channel.EMAIL, Purpose.MARKETING, None): None,
    (Channel.EMAIL, Purpose.MARKETING, "fr-strict"): None,
    (Channel.EMAIL, Purpose.TRANSACTIONAL, None): None,
}


@pytest.mark.parametrize(("kind", "expected"), KINDS.items(), ids=str)
def test_every_kind_of_message_has_its_hours(
    kind: tuple[Channel, Purpose, str | None], expected: tuple[str, str] | None
) -> None:
    channel, purpose, policy = kind
    held = hours(campaign(channel=channel, purpose=purpose, schedule=replace(SCHEDULE, hours=policy)))
    assert (held and (held.policy.name, str(held.week))) == expected


def test_every_policy_can_be_named_and_is_dated() -> None:
    assert list(POLICIES) == list(get_args(PolicyName)) == [policy.name for policy in POLICIES.values()]
    assert all(datetime.fromisoformat(policy.as_of).year >= 2026 and policy.source for policy in POLICIES.values())


def test_the_digest_of_a_policy_is_of_its_hours() -> None:
    strict = POLICIES["fr-strict"]
    same = replace(strict, as_of="2030-01-01", source="other")
    assert approval.policy_digest(same) == approval.policy_digest(strict)
    others = {approval.policy_digest(policy) for policy in POLICIES.values()}
    others |= {
        approval.policy_digest(replace(strict, calls=None)),
        approval.policy_digest(replace(strict, notices=None)),
    }
    assert len(others) == 5


def test_a_moment_within_the_hours_is_fine() -> None:
    assert found(due(SUNDAY, send_at=THURSDAY + timedelta(days=7))) == []


def test_a_moment_outside_them_is_a_limit_that_names_the_next() -> None:
    (one,) = check_hours(due(send_at=SUNDAY))
    assert (one.rule, one.severity, one.path) == ("hours", "limit", ("schedule", "send_at"))
    assert one.message == (
        "3 contacts would be reached out of hours: Sun 2026-12-06 10:00 Europe/Paris is not within fr-strict"
    )
    assert one.limit == "Mon–Fri 08:00–20:00, Sat 10:00–18:00, not on public holidays"
    assert one.hint == (
        "everybody may be reached from Mon 2026-12-07 08:00 Europe/Paris; change `schedule.send_at`, "
        "name another policy in `schedule.hours`, or accept it under `allow`"
    )


def test_only_those_are_counted_for_whom_it_is_out_of_hours() -> None:
    at = datetime(2026, 7, 21, 9, tzinfo=UTC)
    (one,) = check_hours(due(at, send_at=at, campaign=named("fr-charter"), counts={FRANCE: 3, BELGIUM: 2}))
    assert one.message.startswith("2 contacts would be reached out of hours")
    (one,) = check_hours(due(send_at=THURSDAY, campaign=named("fr-strict"), counts={FRANCE: 3, NEW_ZEALAND: 2}))
    assert one.hint.startswith(
        "no hour is open for all of them: write a campaign for each country (`for_each`); change"
    )


def test_what_is_late_is_judged_by_when_it_can_be_due() -> None:
    evening = datetime(2026, 12, 3, 18, 55, tzinfo=UTC)
    assert found(due(evening, send_at=evening)) == []
    ((rule, severity, told),) = found(due(evening + timedelta(minutes=6), send_at=evening))
    assert (rule, severity) == ("hours", "limit")
    assert "Thu 2026-12-03 20:01" in told
    assert found(due(evening + timedelta(minutes=16), send_at=evening)) == []  # `send-at-past` says so


def test_without_a_moment_the_plan_says_how_it_is_now() -> None:
    assert found(due()) == [
        ("hours", "info", f"open until Thu 2026-12-03 20:00 Europe/Paris (fr-strict); {OTHER_TIME}")
    ]
    ((rule, severity, told),) = found(due(SUNDAY))
    assert (rule, severity) == ("hours", "info")
    assert told.startswith("closed until Mon 2026-12-07 08:00 Europe/Paris (fr-strict); apply then")
    ((_, _, told),) = found(
        due(datetime(2026, 7, 21, 9, tzinfo=UTC), campaign=named("fr-strict"), counts={FRANCE: 3, BELGIUM: 2})
    )
    assert told.startswith("closed for 2 of 5 contacts until Wed 2026-07-22 08:00 Europe/Paris")


def test_the_built_in_sandbox_says_how_it_would_be_live() -> None:
    told = "the sandbox keeps no hours; live: closed until Mon 2026-12-07 08:00 Europe/Paris (fr-strict)"
    assert found(due(SUNDAY, held=False)) == [("hours", "info", f"{told}; {OTHER_TIME}")]
    told = "the sandbox keeps no hours; live: never open for everybody (fr-strict)"
    apart: dict[str, Any] = {"counts": {FRANCE: 3, NEW_ZEALAND: 2}, "campaign": named("fr-strict")}
    assert found(due(held=False, **apart)) == [("hours", "info", f"{told}; {OTHER_TIME}")]
    assert [severity for _, severity, _ in found(due(send_at=SUNDAY, held=False))] == ["limit"]


def test_an_accepted_hour_is_told_with_its_reason() -> None:
    accepted = campaign(allow={"hours": "they asked for it"})
    told = "fr-strict holds nothing back (accepted: they asked for it); remove it from `allow` to keep the hours"
    assert found(due(SUNDAY, held=False, campaign=accepted)) == [("hours", "info", told)]


def test_batches_that_could_never_leave_are_a_limit() -> None:
    apart: dict[str, Any] = {"counts": {FRANCE: 3, NEW_ZEALAND: 2}, "campaign": named("fr-strict")}
    ((rule, severity, told),) = found(due(**apart))
    assert (rule, severity) == ("hours", "limit")
    assert told.startswith("5 contacts could never be reached under fr-strict; no hour is open for all of them")
    ((_, severity, told),) = found(due(together=False, **apart))
    assert severity == "info"
    assert told.startswith("closed for 2 of 5 contacts until Thu 2026-12-03 20:00 Europe/Paris")
    ((_, severity, _),) = found(due(together=False, counts={FRANCE: 3, NOWHERE: 1}, campaign=named("fr-strict")))
    assert severity == "limit"


def test_countries_without_a_policy_are_one_warning() -> None:
    mixed = {BELGIUM: 2, FRANCE: 3, NEW_ZEALAND: 1, replace(NEW_ZEALAND, zones=("Pacific/Chatham",)): 1}
    (told,) = (one for one in check_hours(due(together=False, counts=mixed)) if one.rule == "hours-country")
    assert (told.severity, told.value) == ("warning", "BE, NZ")
    where = "no hours are known for recipients in BE 2, NZ 2"
    assert told.message == f"{where}: fr-strict is kept in their time, and their public holidays"
    assert "(fr-strict, fr-charter, any)" in told.hint
    assert "without public holidays in 001" in found(due(counts={NOWHERE: 1}))[0][2]
    overseas = Place(country="MQ", zones=("America/Martinique",))
    call = campaign(channel=Channel.VOICE, purpose=Purpose.TRANSACTIONAL)
    for judged in (
        due(counts={overseas: 1}),
        due(counts=mixed, campaign=named("fr-strict"), together=False),
        due(counts=mixed, campaign=call, together=False),
    ):
        assert "hours-country" not in [rule for rule, _, _ in found(judged)]


def test_a_run_that_closing_time_cuts_is_told() -> None:
    for takes, is_cut in ((timedelta(hours=9, minutes=59), False), (timedelta(hours=10), True)):
        told = [message for _, _, message in found(due(takes=takes)) if message.startswith("sending takes")]
        assert bool(told) is is_cut
    (cut,) = told
    assert cut == (
        "sending takes 10:00:00: closing time at Thu 2026-12-03 20:00 Europe/Paris comes first, and the rest waits; "
        "apply earlier, or again when it is open: what has left is not sent again"
    )
    assert len(found(due(takes=timedelta(hours=10), held=False))) == 1
    sunday = found(due(SUNDAY, takes=timedelta(hours=12)))  # from Monday at 08:00 on
    assert "closing time at Mon 2026-12-07 20:00" in sunday[1][2]


def test_a_moment_near_closing_time_whose_last_batches_are_due_after_it() -> None:
    evening = datetime(2026, 12, 3, 18, 50, tzinfo=UTC)
    late = due(evening - timedelta(minutes=1), send_at=evening, takes=timedelta(minutes=12))
    assert [rule for rule, _, told in found(late) if told.startswith("sending takes 0:12:00")] == ["hours"]
    assert found(due(evening - timedelta(hours=2), send_at=evening, takes=timedelta(minutes=12))) == []
