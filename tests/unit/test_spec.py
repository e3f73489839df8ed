"""A campaign file becomes a Campaign, or every finding at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from octoplan.core import paths, settings, source, spec
from octoplan.core.message import Audio, Message
from octoplan.core.model import Audience, Callback, Channel, Expect, Limits, Money, Options, Purpose, Severity
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


def sourced(audience: str) -> str:
    return FIVE_KEYS.replace("{file: ../audiences/lyon.csv}", audience)


@pytest.mark.parametrize(
    "file", ["lyon.jsonl", "lyon.PARQUET", "lists/*.csv", "2026-??/[a-c]*.jsonl", "../{{ env.name }}-*.parquet"]
)
def test_contacts_are_in_one_file_or_in_those_of_a_pattern(file: str) -> None:
    found = read(sourced(f"{{file: '../audiences/{file}'}}")).audience
    assert found.file == paths.resolve(f"audiences/{file}".replace("{{ env.name }}", "sandbox"), within="")


@pytest.mark.parametrize(
    ("file", "rule", "way_out"),
    [
        ("lyon.xlsx", "source", "export it as CSV"),
        ("lyon", "source", "export it as CSV"),
        ("lyon.csv.gz", "source", "unpack it"),
        ("lyon.json", "source", "one object a line"),
        ("lyon.ndjson", "source", "rename it"),
        ("lyon.sql", "source", "under `query`"),
        ("lists/*", "source", "end the pattern in one of them"),
        ("lists/*.[cj]*", "source", "end the pattern in one of them"),
        ("**/a.csv", "source", "in one folder"),
        ("../../../*.csv", "file", ""),
    ],
)
def test_other_files_are_refused_with_the_way_out(file: str, rule: str, way_out: str) -> None:
    _, (found,) = examine(sourced(f"{{file: '{file}'}}"))
    assert (found.rule, found.path) == (rule, ("audience", "file"))
    assert way_out in found.hint


def test_a_query_runs_at_a_connection() -> None:
    there = scope(PROJECT + 'connections: {warehouse: "${WAREHOUSE_URL}"}')
    found = read(sourced("{query: ../audiences/lyon.sql, connection: warehouse}"), there).audience
    assert (found.file, found.query, found.connection) == (None, "audiences/lyon.sql", "warehouse")
    for audience, place, way_out in (
        ("{query: a.sql}", "audience.query", "there is `warehouse`"),
        ("{file: a.csv, connection: warehouse}", "audience.connection", "under `query`, or remove it"),
        ("{connection: warehouse}", "audience.connection", "under `query`, or remove it"),
        ("{query: a.sql, connection: warehose}", "audience.connection", "did you mean `warehouse`?"),
        ("{query: a.sql, connection: 'psql://u:secret@h'}", "audience.connection", ""),
        ("{query: a.csv, connection: warehouse}", "audience.query", "a file of its own"),
        ("{query: '*.sql', connection: warehouse}", "audience.query", "a file of its own"),
        ("{query: a.sql, connection: warehouse, file: a.csv}", "audience", "keep one of them"),
        (f"{{query: a.sql, connection: warehouse, sha256: '{'0' * 64}'}}", "audience.sha256", "remove it"),
        (f"{{file: '*.csv', sha256: '{'0' * 64}'}}", "audience.sha256", "name one file, or remove it"),
    ):
        _, (wrong,) = examine(sourced(audience), there)
        assert ".".join(map(str, wrong.path)) == place
        assert wrong.rule == ("wrong-value" if "secret" in audience else "source")
        assert way_out in wrong.hint
        assert "secret" not in repr(wrong)
    assert "octoplan.yaml" in examine(sourced("{query: a.sql}"))[1][0].hint
    assert examine(sourced("{query: a.sql, connection: w}"))[1][0].hint == "there is none"
    three = examine(sourced('{file: a.csv, query: a.sql, connection: warehouse, contacts: [{a: "1"}]}'), there)[1]
    assert [one.message for one in three] == ["`audience` has `file`, `query` and `contacts`"]


def calls(text: str) -> Campaign:
    offered = scope("{version: 1, defaults: {provider: routee, sender: ACME}, providers: {routee: {}}}")
    found, findings = examine(text, replace(offered, stop={"routee": ""}))
    assert found is not None, findings
    assert [one for one in findings if one.severity is Severity.ERROR] == []
    return found


VOICE = """
id: fermeture
channel: voice
purpose: transactional
audience: AUDIENCE
message: MESSAGE
options: OPTIONS
limits: {max_cost: 9 EUR, max_contacts: 9}
"""


def calling(audience: str = "{file: a.csv}", message: str = "", options: str = "{}") -> str:
    spoken = message or "{text: Bonjour, language: fr-FR, gender: female}"
    return VOICE.replace("AUDIENCE", audience).replace("MESSAGE", spoken).replace("OPTIONS", options)


def test_a_recording_is_in_place_of_a_text() -> None:
    digest = "0" * 63 + "a"
    audio = f'{{audio: {{url: "https://{{{{ vars.host }}}}/a.wav", sha256: {digest}}}}}'
    offered = scope("{version: 1, providers: {octopush: {}}, vars: {host: media.acme.fr}}")
    found, findings = examine(calling(message=audio), offered)
    assert found is not None, findings
    assert found.message == Message(audio=Audio(url="https://media.acme.fr/a.wav", sha256=digest))
    assert found.message.locales == ("",)
    assert found.message.content().audio == found.message.audio


def test_options_of_calls_are_none_until_somebody_writes_them() -> None:
    assert calls(calling()).options == Options()
    hook = '{url: "https://hooks.acme.fr/calls"}'
    every = calls(
        calling(
            options=f"{{collect_keys: true, key_wait_seconds: 9, ring_seconds: 20, respect_quiet_hours: false, "
            f"callback: {hook}, campaign_callback: {hook[:-1]}, when: change}}}}"
        )
    )
    assert every.options == Options(
        collect_keys=True,
        key_wait_seconds=9,
        ring_seconds=20,
        respect_quiet_hours=False,
        callback=Callback(url="https://hooks.acme.fr/calls", when="completion"),
        campaign_callback=Callback(url="https://hooks.acme.fr/calls", when="change"),
    )


def test_groups_and_contacts_are_held_by_the_provider() -> None:
    groups = calls(calling("{groups: [gold, silver]}")).audience
    assert (groups.kind, groups.held, groups.groups) == ("groups", "groups gold, silver", ("gold", "silver"))
    ids = calls(calling('{contact_ids: ["6d2a4c1e", "9b0f7a35"]}')).audience
    assert (ids.kind, ids.held, ids.contact_ids) == ("contact_ids", "2 contact ids", ("6d2a4c1e", "9b0f7a35"))
    assert "6d2a4c1e" not in repr(ids)
    many = replace(groups, groups=tuple(map(str, range(1000))))
    assert many.held == "groups 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 990 more"
    assert Audience(address="a", country=None, tag="vip").held == "tag vip"


@pytest.mark.parametrize(
    ("audience", "wrong"),
    [
        ("{contact_ids: [123]}", ["wrong-type audience.contact_ids.0"]),
        ("{groups: gold}", ["wrong-type audience.groups"]),
        ("{groups: []}", ["wrong-value audience.groups"]),
        ("{groups: [a, b, a]}", ["wrong-value audience.groups"]),
        ('{groups: [" "]}', ["wrong-value audience.groups"]),
        ('{contact_ids: ["a\\u202eb"]}', ["wrong-value audience.contact_ids"]),
        (f"{{groups: [{'g' * 101}]}}", ["wrong-value audience.groups"]),
        (f"{{groups: [{', '.join(f'g{number}' for number in range(1001))}]}}", ["wrong-value audience.groups"]),
        ("{groups: [a], file: a.csv}", ["source audience"]),
        ("{groups: [a], list: b}", ["source audience"]),
        ("{groups: [a], contact_ids: [b]}", ["source audience"]),
        ("{groups: [a], segmentation: filter}", ["source audience.segmentation"]),
        ("{groups: [a], where: b = 'c'}", ["source audience.where"]),
        ("{contact_ids: [a], exclude: [b.csv]}", ["source audience.exclude"]),
    ],
)
def test_what_the_provider_holds_is_named_once(audience: str, wrong: list[str]) -> None:
    _, findings = examine(calling(audience))
    told = [f"{one.rule} {'.'.join(map(str, one.path))}" for one in findings if one.severity is Severity.ERROR]
    assert told == wrong


def test_a_thousand_groups_are_few_enough() -> None:
    audience = calls(calling(f"{{groups: [{', '.join(f'g{number}' for number in range(1000))}]}}")).audience
    assert len(audience.groups or ()) == 1000


def test_what_is_missing_of_a_held_audience_is_told_in_its_words() -> None:
    text = calling("{contact_ids: [a], where: b}").replace("{max_cost: 9 EUR, max_contacts: 9}", "{}")
    told = [one.message for one in examine(text)[1] if one.severity is Severity.ERROR]
    assert told == [
        "`audience.where` needs addresses, and whom contact ids name the provider alone knows",
        "`limits.max_cost` is missing: of contact ids of the provider it is what a reviewer approves",
        "`limits.max_contacts` is missing: of contact ids of the provider it is what a reviewer approves",
    ]


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


def test_a_wrong_path_alone_in_a_list_is_one_finding() -> None:
    written = FIVE_KEYS.replace("lyon.csv}", "lyon.csv, exclude: [/etc/passwd.csv]}")
    assert rules(written) == [("file", "audience.exclude.0.file")]


def test_an_item_that_is_none_hides_no_mistake_in_another() -> None:
    written = FIVE_KEYS.replace("lyon.csv}", "lyon.csv, exclude: [{}, {campaign: A B}]}")
    assert rules(written) == [("wrong-value", "audience.exclude.0"), ("wrong-value", "audience.exclude.1.campaign")]
