"""What a plan's facts must be, rule by rule: the way it passes, and the way it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from campaigns import PLAIN, campaign
from octoplan.core.misspelled import MISSPELLED
from octoplan.core.model import Channel, Expect, Finding, Money, Prices, Schedule, Severity
from octoplan.core.rules import RULES, accept
from octoplan.core.rules.all import Facts, SecondOpinion, check_facts, check_simulation

NOW = datetime(2026, 12, 3, 9, tzinfo=UTC)
BOOK = Prices(currency="EUR", as_of="2026-11-01", sample=False, products={"sms_premium": {"FR": Decimal("0.049")}})
GOOD = Facts(
    campaign=PLAIN,
    sandbox=False,
    now=NOW,
    rows=1000,
    contacts=1000,
    countries={"FR": 1000},
    cost=Decimal("49.02"),
    worst=Decimal("49.02"),
    prices=BOOK,
)


def expecting(**changes: Any) -> Any:
    return campaign(audience=replace(PLAIN.audience, expect=Expect(**changes)))


def limited(**changes: Any) -> Any:
    return campaign(limits=replace(PLAIN.limits, **changes))


def euros(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


def scheduled(minutes: int) -> Any:
    """Send so many minutes after NOW; grace is 15 minutes."""
    moment = NOW + timedelta(minutes=minutes)
    return campaign(
        schedule=Schedule(
            timezone="Europe/Paris", lead=timedelta(hours=24), grace=timedelta(minutes=15), send_at=moment
        )
    )


def found(**changes: Any) -> tuple[Finding, ...]:
    return check_facts(replace(GOOD, **changes))


def rules(**changes: Any) -> list[str]:
    return [one.rule for one in found(**changes)]


def test_good_facts_give_no_finding() -> None:
    assert found() == ()


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"contacts": 0, "rows": 0}, "audience-empty"),
        ({"campaign": expecting(min=1001)}, "audience-size"),
        ({"last_contacts": 2000}, "audience-change"),
        ({"last_contacts": 800}, "audience-change"),
        ({"fixed": 1}, "fixed-line"),
        ({"fiction": 3}, "fiction-number"),
        ({"countries": {"FR": 999, "DE": 1}, "campaign": limited(countries=("FR",))}, "country"),
        ({"over_cap": 3, "cap": "4 in 7 days"}, "contact-cap"),
        ({"differ": 2}, "contact-values-differ"),
        ({"missing": {"code": 312}}, "value-missing"),
        ({"prices": None}, "price-missing"),
        ({"unpriced": ("BE",)}, "price-missing"),
        ({"unpriced": ("BE",), "campaign": campaign(channel=Channel.VOICE)}, "price-missing"),
        ({"unpriced": ("BE",), "campaign": campaign(channel=Channel.EMAIL)}, "price-missing"),
        ({"prices": replace(BOOK, sample=True)}, "sample-prices"),
        ({"campaign": limited(max_cost=euros("49.01"))}, "cost-limit"),
        ({"campaign": limited(max_cost=Money(amount=Decimal(90), currency="USD"))}, "currency-limit"),
        ({"campaign": limited(max_cost=None)}, "currency-limit"),
        ({"campaign": limited(max_parts=1), "most_parts": 2}, "parts-limit"),
        ({"campaign": limited(max_contacts=999)}, "contacts-limit"),
        ({"campaign": limited(max_unit_price=euros("0.04")), "units": {"FR": Decimal("0.049")}}, "unit-price"),
        ({"campaign": scheduled(-16)}, "send-at-past"),
        ({"edited": True, "already_sent": 210}, "edited-after-send"),
    ],
)
def test_each_rule_finds_its_mistake_alone(changes: dict[str, Any], rule: str) -> None:
    (one,) = found(**changes)
    assert one.rule == rule
    assert one.severity is RULES[rule]
    assert one.path
    assert one.hint
    assert not one.message.endswith(".")


@pytest.mark.parametrize(
    "changes",
    [
        {"campaign": expecting(min=1000)},
        {"last_contacts": 1250},
        {"last_contacts": 834},
        {"last_contacts": 9, "contacts": 1, "rows": 1},
        {"fiction": 3, "sandbox": True},
        {"prices": replace(BOOK, sample=True), "sandbox": True},
        {"countries": {"FR": 999, "DE": 1}},
        {"campaign": limited(max_cost=euros("49.02"), max_parts=1, max_contacts=1000, countries=("FR",))},
        {"campaign": scheduled(-15)},
        {"campaign": scheduled(60)},
        {"edited": True},
        {"already_sent": 210, "rows": 1210},
    ],
)
def test_what_is_just_within_passes(changes: dict[str, Any]) -> None:
    assert found(**changes) == ()


def test_an_audience_that_loses_nearly_everybody_is_found_however_few_are_left() -> None:
    (one,) = found(last_contacts=1000, contacts=3, rows=3)
    assert (one.rule, one.value, one.limit) == ("audience-change", "99.7%", "20.0%")
    assert rules(last_contacts=0, contacts=500, rows=500) == ["audience-change"]


def test_those_who_already_got_it_count_as_members() -> None:
    assert rules(contacts=10, already_sent=990, last_contacts=1000, campaign=expecting(min=1000)) == []


def test_nobody_owed_is_not_judged_again() -> None:
    last_year = {"campaign": limited(max_contacts=1), "prices": None, "fixed": 3, "missing": {"code": 1}}
    assert rules(contacts=0, already_sent=1000, **last_year) == []
    (one,) = found(contacts=0, already_sent=210, edited=True)
    assert one.message == "your edit sends nothing: 210 already got it"
    assert one.severity is Severity.INFO


def test_an_edit_half_way_reaches_only_the_rest() -> None:
    (one,) = found(contacts=790, already_sent=210, edited=True)
    assert one.message == "your edit reaches only the other 790: 210 already got it"


def test_few_invalid_numbers_are_counted_by_reason() -> None:
    (one,) = found(invalid_reasons={"too-short": 4, "letters": 1})
    assert (one.rule, one.severity) == ("phone", Severity.INFO)
    assert one.message == "5 invalid numbers: letters 1, too-short 4"


def test_too_many_invalid_numbers_stop_unless_accepted() -> None:
    share, phone = found(invalid_reasons={"letters": 21})
    assert (share.rule, share.severity, share.value, share.limit) == (
        "audience-invalid",
        Severity.LIMIT,
        "2.1%",
        "2.0%",
    )
    assert (phone.rule, phone.severity) == ("phone", Severity.ERROR)
    accepted = campaign(allow={"audience-invalid": "an old export"})
    share, phone = found(invalid_reasons={"letters": 21}, campaign=accepted)
    assert (share.severity, phone.severity) == (Severity.LIMIT, Severity.INFO)
    assert rules(invalid_reasons={"letters": 20}) == ["phone"]


def test_the_share_of_invalid_numbers_is_of_the_rows_that_were_judged() -> None:
    assert rules(invalid_reasons={"letters": 20}, excluded={"filtered": 100, "invalid": 20}) == [
        "audience-invalid",
        "phone",
    ]
    # an engine that counts otherwise cannot make this fail
    assert rules(invalid_reasons={"letters": 20}, excluded={"filtered": 1000}) == ["audience-invalid", "phone"]


def test_an_audience_of_nothing_but_invalid_numbers_says_both() -> None:
    assert rules(rows=3, contacts=0, invalid_reasons={"letters": 3}) == ["audience-empty", "audience-invalid", "phone"]


def mailing(**changes: Any) -> Any:
    return campaign(channel=Channel.EMAIL, **changes)


def test_few_invalid_e_mail_addresses_are_counted_by_reason() -> None:
    (one,) = found(campaign=mailing(), countries={}, invalid_reasons={"no-at": 4, "not-valid": 1})
    assert (one.rule, one.severity, one.hint) == ("email-address", Severity.INFO, "they are left out")
    assert one.message == "5 invalid e-mail addresses: no-at 4, not-valid 1"


def test_too_many_invalid_e_mail_addresses_stop_unless_accepted() -> None:
    invalid = {"countries": {}, "invalid_reasons": {"no-at": 21}}
    assert [(one.rule, one.severity) for one in found(campaign=mailing(), **invalid)] == [
        ("audience-invalid", Severity.LIMIT),
        ("email-address", Severity.ERROR),
    ]
    _, one = found(campaign=mailing(allow={"audience-invalid": "an old export"}), **invalid)
    assert (one.rule, one.severity) == ("email-address", Severity.INFO)


NO_EMAIL = "name the column of numbers in `audience.address`, or `channel: email`"
NO_NUMBER = "name the column of e-mail addresses in `audience.address`, or another `channel`"


@pytest.mark.parametrize(
    ("channel", "reason", "rule", "words"),
    [
        (Channel.SMS, "email-address", "phone", f"900 cells with an e-mail address: {NO_EMAIL}"),
        (Channel.EMAIL, "phone-number", "email-address", f"900 cells with a telephone number: {NO_NUMBER}"),
    ],
)
def test_addresses_of_another_channel_are_said_to_be_such(channel: Channel, reason: str, rule: str, words: str) -> None:
    share, one = found(campaign=campaign(channel=channel), countries={}, invalid_reasons={reason: 900, "empty": 1})
    assert (one.rule, one.severity) == (rule, Severity.ERROR)
    assert share.hint == one.hint == f"{words}; mend them, or raise `expect.max_invalid`"
    assert f"{reason} 900" in one.message


def test_a_mistyped_domain_is_a_warning_that_names_it_and_the_one_meant() -> None:
    facts: dict[str, Any] = {"countries": {}, "misspelled": {"gmial.com": 1, "gmail.con": 2}}
    (one,) = found(campaign=mailing(), **facts)
    assert (one.rule, one.severity, one.value) == ("email-address", Severity.WARNING, "3")
    assert one.message == "3 contacts at a domain that looks misspelled (gmail.con, gmial.com)"
    assert one.hint == "mend them (is gmail.com meant?), or accept it under `allow`"
    (accepted,) = accept((one,), {"email-address": "seen"})
    assert accepted.severity is Severity.INFO
    many = dict.fromkeys(sorted(MISSPELLED)[:9], 1)
    (one,) = found(campaign=mailing(), countries={}, misspelled=many)
    assert one.message.startswith("9 contacts at a domain that looks misspelled (")
    assert one.message.endswith(", …)")


def test_addresses_reserved_for_fiction_are_called_by_their_kind() -> None:
    assert found(campaign=mailing(), countries={}, fiction=2)[0].message == (
        "2 e-mail addresses reserved for fiction: this is sample data"
    )
    assert found(fiction=2)[0].message == "2 numbers reserved for fiction: this is sample data"


def test_rules_on_numbers_say_nothing_of_e_mail_addresses() -> None:
    assert rules(campaign=replace(limited(countries=("FR",)), channel=Channel.EMAIL), countries={}) == []


def test_numbers_of_a_refused_type_are_an_error() -> None:
    phone, refused = found(invalid_reasons={"premium-rate": 2, "letters": 1})
    assert (phone.rule, refused.rule, refused.value) == ("phone", "number-type", "2")
    assert refused.severity is Severity.ERROR


def test_limits_count_the_edition_from_its_first_batch() -> None:
    limits = limited(max_cost=euros("60"), max_contacts=1100)
    assert rules(campaign=limits) == []
    cost, contacts = found(campaign=limits, open_cost=Decimal("10.99"), open_contacts=101)
    assert cost.message == "may cost 60.01 EUR, 10.99 of it before, the limit is 60.00 EUR"
    assert contacts.value == "1101"


def test_a_cost_without_a_price_book_is_no_cost_limit() -> None:
    assert rules(prices=None, campaign=limited(max_cost=euros("1"))) == ["price-missing"]


def test_no_country_at_all_can_be_allowed() -> None:
    (one,) = found(campaign=limited(countries=()))
    assert (one.rule, one.limit) == ("country", "none")


def test_sending_that_cannot_end_in_time_is_refused_before_it_begins() -> None:
    (one,) = found(campaign=scheduled(0), takes=timedelta(minutes=16))
    assert (one.rule, one.severity) == ("send-at-past", Severity.ERROR)
    assert "0:16:00" in one.message
    assert rules(campaign=scheduled(0), takes=timedelta(minutes=15)) == []


def test_a_begun_edition_whose_time_is_over_says_who_was_missed() -> None:
    (one,) = found(campaign=scheduled(-60), claimed=True, contacts=1, already_sent=999)
    assert one.severity is Severity.INFO
    assert one.message.startswith("1 contact missed")


def test_a_verb_fits_its_number() -> None:
    assert [found(differ=rows)[0].message for rows in (1, 2)] == [
        "1 row repeats an address with other values",
        "2 rows repeat an address with other values",
    ]


def test_the_second_opinion() -> None:
    agreeing = SecondOpinion(calls=3, contacts=1000, cost=Decimal("49.02"))
    assert check_simulation(GOOD) == ()
    assert check_simulation(replace(GOOD, simulated=agreeing)) == ()
    differing = replace(agreeing, contacts=990, cost=Decimal("48.53"), differing=1)
    (one,) = check_simulation(replace(GOOD, simulated=differing))
    assert (one.rule, one.severity) == ("simulation-differs", Severity.INFO)
    (one,) = check_simulation(replace(GOOD, simulated=differing, sandbox=True))
    assert one.severity is Severity.ERROR
    (bare,) = check_simulation(replace(GOOD, simulated=replace(differing, cost=None)))
    assert (bare.value, "for" in bare.message) == ("990 contacts", False)
    refused = replace(agreeing, refused={"the sender is unknown": 1, "credit": 2})
    first, second = check_simulation(replace(GOOD, simulated=refused))
    assert first.message == "the provider's simulation refuses 1 batch: the sender is unknown"
    assert (second.rule, second.severity, second.value) == ("simulation-refused", Severity.ERROR, "2")
    assert "2 batches" in second.message
