"""A campaign file becomes a Campaign, or every finding at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from octoplan.core import settings, source, spec
from octoplan.core.message import Message
from octoplan.core.model import Audience, Channel, Expect, Limits, Money, Options, Purpose, Severity
from octoplan.core.written.campaign import AudienceFile

if TYPE_CHECKING:
    from octoplan.core.model import Campaign, Finding

FIVE_KEYS = """
id: noel-2026
channel: sms
purpose: marketing
audience: {file: ../audiences/lyon.csv}
message: {text: "ACME: {{ contact.first_name }}. {{ stop }}"}
"""

PROJECT = """
version: 1
defaults: {sender: ACME, country: FR, timezone: Europe/Paris}
limits: {max_cost: 3000 EUR, max_contacts: 50000, countries: [FR, BE], senders: [ACME]}
vars: {shop: acme.example, dear: cher client}
environments:
  prod: {vars: {shop: www.acme.example}, limits: {max_cost: 2000 EUR}}
"""


def scope(project: str = PROJECT, environment: str = "sandbox") -> spec.Scope:
    written, findings = source.read("octoplan.yaml", project.encode())
    assert written is not None, findings
    found, findings = settings.read_project(written)
    assert found is not None, findings
    return spec.Scope(settings=found, environment=environment, sandbox=True, stop={"octopush": "STOP au XXXXX"})


def examine(text: str, within: spec.Scope | None = None) -> tuple[Campaign | None, tuple[Finding, ...]]:
    written, findings = source.read("campaigns/noel.yaml", text.encode())
    assert written is not None, findings
    (read,) = spec.read_campaigns(written, within or scope())
    return read.campaign, read.findings


def read(text: str, within: spec.Scope | None = None) -> Campaign:
    found, findings = examine(text, within)
    assert found is not None, findings
    assert not findings
    return found


def rules(text: str, within: spec.Scope | None = None) -> list[tuple[str, str]]:
    found, findings = examine(text, within)
    assert found is None
    assert all(one.place for one in findings)
    return [(one.rule, ".".join(map(str, one.path))) for one in findings]


def test_five_keys_are_enough() -> None:
    found = read(FIVE_KEYS)
    assert (found.id, found.edition, found.provider, found.sender) == ("noel-2026", 1, "octopush", "ACME")
    assert (found.channel, found.purpose) == (Channel.SMS, Purpose.MARKETING)
    assert found.audience == Audience(address="phone_number", country="FR", file="audiences/lyon.csv")
    assert found.message == Message(text="ACME: {{ contact.first_name }}. STOP au XXXXX")
    assert found.schedule.send_at is None
    assert (found.schedule.lead, found.schedule.grace) == (timedelta(hours=24), timedelta(minutes=15))
    assert found.schedule.timezone == "Europe/Paris"
    assert found.options == Options()
    assert found.limits == Limits(
        max_cost=Money(amount=Decimal(3000), currency="EUR"),
        max_contacts=50000,
        countries=("FR", "BE"),
        senders=("ACME",),
    )
    assert found.file == "campaigns/noel.yaml"


def test_a_project_without_defaults_leaves_them_open() -> None:
    found = read(FIVE_KEYS, scope("version: 1"))
    assert (found.sender, found.audience.country, found.schedule.timezone) == (None, None, "UTC")
    assert found.limits == Limits()


def test_text_leaves_are_rendered_and_keys_are_not() -> None:
    text = """
id: "promo-{{ env.name }}"
description: "{{ campaign.id }} for {{ vars.shop }}"
channel: sms
purpose: marketing
sender: null
tags: ["{{ campaign.id }}", plain]
audience:
  file: "../audiences/{{ env.name }}.csv"
  where: "id = '{{ campaign.id }}'"
  fallback: {"{{ x }}": "{{ vars.dear }}"}
message:
  text: |
    {{ vars.shop }} {{ contact.first_name }}
    {{ stop }}
"""
    found = read(text, scope(environment="prod"))
    assert (found.id, found.description) == ("promo-prod", "promo-prod for www.acme.example")
    assert found.sender is None
    assert found.tags == ("promo-prod", "plain")
    assert found.audience.file == "audiences/prod.csv"
    assert found.audience.where == "id = 'promo-prod'"
    assert found.audience.fallback == {"{{ x }}": "cher client"}
    assert found.message.text == "www.acme.example {{ contact.first_name }}\nSTOP au XXXXX"
    assert found.limits.max_cost == Money(amount=Decimal(2000), currency="EUR")


def test_data_cannot_break_the_syntax() -> None:
    nasty = scope('{version: 1, vars: {shop: "{{ 9**9 }}: \\"} #"}}')
    found = read(FIVE_KEYS + 'description: "{{ vars.shop }}"\n', nasty)
    assert found.description == '{{ 9**9 }}: "} #'


@pytest.mark.parametrize(
    ("leaf", "rule"),
    [
        ("sender: '{{ contact.name }}'", ("template-name", "sender")),
        ("sender: '{{ vars.nope }}'", ("template-name", "sender")),
        ("sender: '{{ vars.shop'", ("template-syntax", "sender")),
        ("provider: '{{ campaign.id }}'", ("template-name", "provider")),
        ("owner: '{{ 9**9 }}'", ("template-operator", "owner")),
    ],
)
def test_a_template_that_cannot_be_rendered_is_one_finding(leaf: str, rule: tuple[str, str]) -> None:
    assert rules(FIVE_KEYS + leaf) == [rule]


def test_a_moment_is_local_to_its_zone() -> None:
    found = read(FIVE_KEYS + "schedule: {send_at: '2026-12-03T10:00'}")
    assert found.schedule.send_at == datetime(2026, 12, 3, 9, tzinfo=UTC)
    there = read(FIVE_KEYS + "schedule: {send_at: '2026-12-03T10:00', timezone: Indian/Reunion}")
    assert there.schedule.send_at == datetime(2026, 12, 3, 6, tzinfo=UTC)
    assert read(FIVE_KEYS + "schedule:\n  send_at: 2026-12-03T10:00:00").schedule.send_at == found.schedule.send_at


def test_a_moment_needs_a_zone() -> None:
    text = FIVE_KEYS + "schedule: {send_at: '2026-12-03T10:00'}"
    assert rules(text, scope("version: 1")) == [("send-at", "schedule.send_at")]


@pytest.mark.parametrize(
    "zone", ["Europe", "Europe/", "../etc/passwd", "localtime", "CET", "right/UTC", "Europe/Paris "]
)
def test_a_zone_has_the_same_meaning_everywhere(zone: str) -> None:
    assert rules(FIVE_KEYS + f"schedule: {{timezone: '{zone}'}}") == [("wrong-value", "schedule.timezone")]


def test_exclusions_are_files_and_campaigns() -> None:
    text = FIVE_KEYS.replace("lyon.csv}", "lyon.csv, exclude: [a.csv, {campaign: b}, {file: c.csv}]}")
    audience = read(text).audience
    assert audience.exclude_files == ("campaigns/a.csv", "campaigns/c.csv")
    assert audience.exclude_campaigns == ("b",)


def test_inline_contacts_are_text_and_in_no_repr() -> None:
    text = FIVE_KEYS.replace(
        "{file: ../audiences/lyon.csv}", '{contacts: [{phone_number: "+33639980012", code: "1E5"}]}'
    )
    found = read(text)
    assert found.audience.contacts == ({"phone_number": "+33639980012", "code": "1E5"},)
    assert found.audience.file is None
    assert "639980012" not in repr(found)


def test_a_fingerprint_pins_a_file() -> None:
    pinned = FIVE_KEYS.replace("{file: ../audiences/lyon.csv}", f'{{contacts: [{{a: "1"}}], sha256: "{"0" * 64}"}}')
    assert rules(pinned) == [("source", "audience.sha256")]
    assert read(FIVE_KEYS.replace("lyon.csv}", f'lyon.csv, sha256: "{"0" * 64}"}}')).audience.sha256 == "0" * 64


def test_expectations_are_fractions() -> None:
    text = FIVE_KEYS.replace("lyon.csv}", "lyon.csv, expect: {min: 8, max_change: 12.5%, max_invalid: 0%}}")
    assert read(text).audience.expect == Expect(min=8, max_change=Decimal("0.125"), max_invalid=Decimal(0))


def test_what_needs_no_audience_is_judged_with_everything_else() -> None:
    text = FIVE_KEYS + "sender: AB\nedition: 0\nallow: {nothing: x}\n"
    assert rules(text) == [("wrong-value", "edition"), ("allow", "allow.nothing"), ("sender-shape", "sender")]


@pytest.mark.parametrize(("channel", "column"), [(Channel.VOICE, "phone_number"), (Channel.EMAIL, "email")])
def test_the_usual_column_of_addresses_is_the_channel_s(channel: Channel, column: str) -> None:
    written = AudienceFile(contacts=({column: "x"},))
    assert spec._audience(written, channel, country="FR").address == column
    named = AudienceFile(contacts=({"contact": "x"},), address="contact")
    assert spec._audience(named, channel, country="FR").address == "contact"


def test_a_limit_leaves_the_campaign_to_be_accepted() -> None:
    found, (one,) = examine(FIVE_KEYS + "sender: PayPal\n")
    assert found is not None
    assert (one.rule, one.severity, one.place is not None) == ("sender-unknown", Severity.LIMIT, True)
    found, (one,) = examine(FIVE_KEYS + "sender: PayPal\nallow: {sender-unknown: a trial}\n")
    assert found is not None
    assert (one.rule, one.severity) == ("sender-unknown", Severity.INFO)
    assert one.message.endswith("(accepted: a trial)")


@pytest.mark.parametrize(
    ("allow", "accepted"),
    [
        ("fixed-line: ours", True),
        ("encoding: ours", True),
        ("email-address: ours", True),
        ("cost-limit: ours", True),
        ("stop-missing: ours", False),
        ("simulation-differs: ours", False),
        ("fixed_line: ours", False),
        ("fixed-line: ' '", False),
        ("fixed-line: ''", False),
    ],
)
def test_allow_takes_limits_and_warnings_with_a_reason(allow: str, *, accepted: bool) -> None:
    found, findings = examine(FIVE_KEYS + f"allow: {{{allow}}}")
    assert (found is not None) == accepted
    assert len(findings) == (not accepted)


@pytest.mark.parametrize(
    ("provider", "words"),
    [("octopus", "octopush"), ("routee", "not offered by this version")],
)
def test_a_provider_is_one_of_the_projects_that_this_version_offers(provider: str, words: str) -> None:
    within = scope("{version: 1, providers: {octopush: {}, routee: {}}}")
    _, findings = examine(FIVE_KEYS + f"provider: {provider}", within)
    (one,) = findings
    assert (one.rule, one.path) == ("wrong-value", ("provider",))
    assert words in one.message


def test_the_usual_provider_is_judged_too() -> None:
    assert rules(FIVE_KEYS, scope("{version: 1, providers: {routee: {}}}")) == [("wrong-value", "provider")]


@pytest.mark.parametrize("text", ["", " ", "|\n    \n", "'{{ vars.none }}'"])
def test_a_blank_text_is_refused(text: str) -> None:
    written = FIVE_KEYS.replace("message: {", "message:\n  ").replace(
        '"ACME: {{ contact.first_name }}. {{ stop }}"}', text
    )
    empty = scope(PROJECT.replace("vars: {", "vars: {none: '', "))
    assert rules(written, empty) in ([("text-length", "message.text")], [("wrong-type", "message.text")])


def test_nothing_of_an_unreadable_audience_is_said_twice() -> None:
    assert rules(FIVE_KEYS.replace("{file: ../audiences/lyon.csv}", "lyon.csv")) == [("wrong-type", "audience")]
    assert rules(FIVE_KEYS.replace("audience: {file: ../audiences/lyon.csv}", "")) == [("missing-key", "audience")]
    assert rules(FIVE_KEYS.replace("{file: ../audiences/lyon.csv}", "")) == [("wrong-type", "audience")]


def test_environments_other_than_the_projects_have_its_vars() -> None:
    text = FIVE_KEYS + 'description: "{{ vars.shop }} {{ env.name }}"'
    assert read(text).description == "acme.example sandbox"
