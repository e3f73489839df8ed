"""Senders, options: what an SMS campaign must not ask for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from campaigns import PLAIN, campaign
from octoplan.core.message import Message
from octoplan.core.model import Campaign, Finding, Limits, Options, Purpose
from octoplan.core.rules import sender
from octoplan.core.rules.campaign import check_campaign


def judged(made: Campaign) -> tuple[Finding, ...]:
    return (*sender.check(made), *check_campaign(made))


def rules(**changes: object) -> list[str]:
    return [found.rule for found in judged(campaign(**changes))]


@pytest.mark.parametrize("sender", ["ACME", "abc", "36180", "Acme2026Fr0", None])
def test_a_sender_of_three_to_eleven_letters_and_digits_is_fine(sender: str | None) -> None:
    assert rules(sender=sender) == []


@pytest.mark.parametrize(
    "sender",
    ["AB", "ABCDEFGHIJKL", "Été", "My Shop", "+33639980012", "", "ACME\n", "АСМЕ", "١٢٣"],
)
def test_any_other_sender_is_refused(sender: str) -> None:
    assert rules(sender=sender) == ["sender-shape"]


@pytest.mark.parametrize("sender", ["+33639980012", "33639980012", "06 39 98 00 12"])
def test_a_number_as_sender_is_never_repeated(sender: str) -> None:
    made = campaign(sender=sender, limits=Limits(senders=("ACME",)), options=Options(quality="low_cost", replies=True))
    findings = judged(made)
    assert len(findings) >= 4
    assert "639" not in " ".join(f"{found.message} {found.value} {found.hint}" for found in findings)


def test_only_the_senders_of_the_limits_are_used() -> None:
    known = Limits(senders=("ACME", "VILLE"))
    assert rules(sender="VILLE", limits=known) == []
    assert rules(sender=None, limits=known) == []
    assert rules(sender="PayPal", limits=known) == ["sender-unknown"]
    assert rules(sender="Pay Pal", limits=known) == ["sender-shape"]
    assert rules(sender="ACME", limits=Limits(senders=())) == ["sender-unknown"]
    (found,) = judged(campaign(sender="PayPal", limits=known))
    assert (found.value, found.limit, found.path) == ("PayPal", "ACME, VILLE", ("sender",))


def test_replies_have_no_sender() -> None:
    assert rules(options=Options(replies=True)) == ["sender-with-replies"]
    assert rules(options=Options(replies=True), sender=None) == []


def test_low_cost_has_neither_sender_nor_replies() -> None:
    cheap = Options(quality="low_cost")
    assert rules(options=cheap, sender=None) == []
    assert rules(options=cheap) == ["low-cost-options"]
    assert rules(options=Options(quality="low_cost", replies=True), sender=None) == ["low-cost-options"]


@pytest.mark.parametrize("link", ["https://bit.ly/3xY", "BIT.LY/3xY", "tinyurl.com/a et t.co/b"])
def test_a_public_shortener_hides_where_a_link_leads(link: str) -> None:
    assert rules(message=Message(text=f"ACME {link}")) == ["public-shortener"]


@pytest.mark.parametrize("link", ["https://acme.example/bit", "orbit.lyon/a", "bit.lyon", "acct.co/x"])
def test_a_domain_of_ones_own_is_fine(link: str) -> None:
    assert rules(message=Message(text=f"ACME {link}")) == []


def test_an_hours_policy_that_holds_nothing_back_says_so() -> None:
    named = replace(PLAIN.schedule, hours="fr-strict")
    assert rules(schedule=named) == []
    assert rules(schedule=named, purpose=Purpose.TRANSACTIONAL) == ["hours"]
    assert rules(schedule=replace(named, hours="any"), purpose=Purpose.TRANSACTIONAL) == []
