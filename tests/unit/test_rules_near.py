"""When another id that says the same is too near, and of two copies which one is told."""

from __future__ import annotations

from typing import Any

import pytest

from octoplan.core.model import Severity
from octoplan.core.rules.near import Likeness, check
from octoplan.core.rules.together import check_cap, check_excluded


def likeness(**changes: Any) -> Likeness:
    usual: dict[str, Any] = {"campaign": "noel", "contacts": 100, "theirs": 100, "shared": 100}
    return Likeness(**{**usual, "later": False, "sent": True, **changes})


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({}, Severity.WARNING),
        ({"shared": 81}, Severity.WARNING),
        ({"shared": 80}, Severity.INFO),
        ({"shared": 1}, Severity.INFO),
        ({"later": True}, None),  # the other one is told
        ({"later": True, "theirs": 125}, Severity.WARNING),  # it is not: 80 % of its contacts
        ({"later": True, "theirs": 124}, None),
        ({"later": True, "shared": 1}, None),
        ({"shared": 0}, None),
    ],
)
def test_over_eighty_per_cent_of_these_contacts_is_near(changes: dict[str, Any], severity: Severity | None) -> None:
    found = tuple(check([likeness(**changes)]))
    assert [(one.rule, one.severity) for one in found] == ([("near-duplicate", severity)] if severity else [])


def test_few_who_get_it_twice_are_counted() -> None:
    (found,) = check([likeness(shared=1)])
    assert found.message == "`noel` says the same to 1 of 100 contacts, and it was sent in the last 30 days"


def test_the_nearest_is_named() -> None:
    one, two = likeness(campaign="b", shared=90, sent=False), likeness(campaign="a", shared=85)
    (found,) = check([two, one, likeness(campaign="c", shared=1)])
    expected = "`b` (and 1 other campaign) says the same to 90 of 100 contacts, and it is in this plan too"
    assert (found.message, found.value, found.limit) == (expected, "90.0%", "80.0%")
    assert found.hint.startswith("deselect one of them, ")
    (found,) = check([two])
    assert found.message == "`a` says the same to 85 of 100 contacts, and it was sent in the last 30 days"
    assert found.hint.startswith("go back to its id ")


def test_campaigns_that_are_nothing_to_each_other_are_not_told() -> None:
    assert not list(check([]))
    assert not list(check_cap(0, "4 in 7 days"))
    assert not list(check_excluded("noel", 0))
    (cap,), (excluded,) = check_cap(2, "4 in 7 days"), check_excluded("noel", 1)
    assert (cap.rule, cap.severity, cap.value) == ("contact-cap", Severity.LIMIT, "2")
    assert (excluded.rule, excluded.severity, excluded.value) == ("excluded-in-plan", Severity.WARNING, "1")
