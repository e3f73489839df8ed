"""octoplan.yaml: what it means, what it leaves to defaults, and what it must not hold."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from octoplan.core import settings, source
from octoplan.core.model import Money

if TYPE_CHECKING:
    from octoplan.core.model import Finding
    from octoplan.core.settings import Settings


def examine(text: str) -> tuple[Settings | None, tuple[Finding, ...]]:
    written, findings = source.read("octoplan.yaml", text.encode())
    assert written is not None, findings
    return settings.read_project(written)


def read(text: str) -> Settings:
    found, findings = examine(text)
    assert found is not None, findings
    return found


def rules(text: str) -> list[tuple[str, str]]:
    found, findings = examine(text)
    assert found is None
    return [(one.rule, ".".join(map(str, one.path))) for one in findings]


def test_a_version_is_enough() -> None:
    project = read("version: 1")
    assert (project.campaigns, project.defaults.provider) == ("campaigns", "octopush")
    assert project.limits == settings.ProjectLimits()
    account = project.providers["octopush"]
    assert account.credentials == {"login": "${OCTOPUSH_API_LOGIN}", "key": "${OCTOPUSH_API_KEY}"}
    assert (account.prices, account.workers, account.rate) == ("prices/octopush.yaml", 4, None)
    assert account.quiet_time == timedelta(minutes=12)


def test_a_providers_name_is_its_kind_unless_it_says_otherwise() -> None:
    project = read('{version: 1, providers: {crm: {kind: octopush, login: sandbox-crm, key: "${KEY}", rate: 0.5/s}}}')
    account = project.providers["crm"]
    assert (account.name, account.kind, account.prices) == ("crm", "octopush", "prices/crm.yaml")
    assert account.credentials == {"login": "sandbox-crm", "key": "${KEY}"}
    assert account.rate == Decimal("0.5")
    assert project.defaults.provider == "crm"


def test_octopush_is_the_usual_provider_wherever_it_stands() -> None:
    assert read("{version: 1, providers: {routee: {}, octopush: {}}}").defaults.provider == "octopush"
    assert read("{version: 1, providers: {routee: {}, octopush: {}}, defaults: {provider: routee}}").defaults == (
        settings.Defaults(provider="routee")
    )


def test_an_environment_tightens_the_projects_limits() -> None:
    project = read("""
version: 1
limits: {max_cost: 3000 EUR, max_unit_price: 0.08 EUR, max_parts: 3, per_contact: {messages: 4, days: 7},
         min_balance: 50 EUR}
environments:
  prod: {limits: {max_cost: 10 EUR, senders: [ACME], per_contact: {messages: 2, days: 7}, min_balance: 60 EUR}}
  rehearsal: {sandbox: true, ledger: {url: "sqlite:///rehearsal.db", id: "77b0d2aa"}, vars: {shop: x}}
""")
    assert settings.effective_limits(project, "sandbox") == project.limits
    assert settings.effective_limits(project, "rehearsal") == project.limits
    prod = settings.effective_limits(project, "prod")
    assert prod.max_cost == Money(amount=Decimal(10), currency="EUR")
    assert (prod.max_parts, prod.senders) == (3, ("ACME",))
    assert prod.max_unit_price == Money(amount=Decimal("0.08"), currency="EUR")
    assert prod.per_contact == settings.PerContact(messages=2, days=7)
    assert prod.min_balance == Money(amount=Decimal(60), currency="EUR")
    rehearsal = project.environments["rehearsal"]
    assert (rehearsal.sandbox, rehearsal.ledger_url, rehearsal.ledger_id) == (
        True,
        "sqlite:///rehearsal.db",
        "77b0d2aa",
    )
    assert project.environments["prod"].ledger_url is None


@pytest.mark.parametrize(
    ("limits", "loosened"),
    [
        ("{max_contacts: 11}", ["max_contacts"]),
        ("{per_contact: {messages: 5, days: 7}}", ["per_contact"]),
        ("{per_contact: {messages: 4, days: 6}}", ["per_contact"]),
        ("{min_balance: 49.99 EUR}", ["min_balance"]),
        ("{max_unit_price: 0.081 EUR}", ["max_unit_price"]),
        ("{max_unit_price: 0.0799 EUR}", []),
        ("{min_balance: 100 USD}", ["min_balance"]),
        ("{max_contacts: 10, per_contact: {messages: 4, days: 8}, min_balance: 50 EUR}", []),
    ],
)
def test_an_environment_loosens_nothing(limits: str, loosened: list[str]) -> None:
    _, findings = examine(f"""
version: 1
limits: {{max_contacts: 10, max_unit_price: 0.08 EUR, per_contact: {{messages: 4, days: 7}}, min_balance: 50 EUR}}
environments: {{prod: {{limits: {limits}}}}}
""")
    assert [(one.rule, one.path[-1]) for one in findings] == [("limit-loosened", key) for key in loosened]


@pytest.mark.parametrize("key", ["merge_fields: auto", "single_channel_request_id: true", "own_tag_paths: false"])
def test_an_account_has_the_keys_of_its_kind_alone(key: str) -> None:
    name = key.partition(":")[0]
    _, (found,) = examine(f"{{version: 1, providers: {{calls: {{kind: routee, {key}}}}}}}")
    assert (found.rule, found.path) == ("unknown-key", ("providers", "calls", name))
    assert found.message == f"`providers.calls.{name}` is no key of kind routee"
    assert "octopush" in found.hint
    assert (
        read(f"{{version: 1, providers: {{sms: {{kind: octopush, {key}}}}}}}").providers["sms"].merge_fields == "auto"
    )


@pytest.mark.parametrize("value", ["${NAME}", "${_x1}"])
def test_a_reference_is_a_whole_value(value: str) -> None:
    assert settings.reference(value) == value[2:-1]


@pytest.mark.parametrize("value", ["NAME", "$NAME", "${}", "${1A}", "${A}b", "x${A}", "${A}\n", "${A B}", ""])
def test_anything_else_is_no_reference(value: str) -> None:
    assert settings.reference(value) is None


@pytest.mark.parametrize(
    ("provider", "rule"),
    [
        ("octopush: {login: me@acme.example}", ("secret", "providers.octopush.login")),
        ("octopush: {key: sk-live-0123}", ("secret", "providers.octopush.key")),
        ("octopush: {application_id: sandbox}", ("unknown-key", "providers.octopush.application_id")),
        ('octopush: {key: "x${KEY}"}', ("wrong-value", "providers.octopush.key")),
        ('octopush: {prices: "${PRICES}"}', ("wrong-value", "providers.octopush.prices")),
        ("octopush: {host: 127.0.0.1}", ("reserved-key", "providers.octopush.host")),
        ("twilio: {}", ("wrong-value", "providers.twilio.kind")),
        ("Octo: {kind: octopush}", ("wrong-value", "providers.Octo")),
    ],
)
def test_credentials_come_from_the_environment(provider: str, rule: tuple[str, str]) -> None:
    text = f"version: 1\nproviders:\n  {provider}"
    assert rule in rules(text)
    _, findings = examine(text)
    assert "sk-live" not in repr(findings)
    assert "me@acme" not in repr(findings)


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("sqlite:///ledger/prod.db", None),
        ("postgresql://db.acme.example/ledger", None),
        ("${OCTOPLAN_LEDGER_URL}", None),
        ("postgresql://octoplan:hunter2@db/ledger", "secret"),
        ("postgresql://db/ledger?password=hunter2", "secret"),
        ("sqlite:///", "wrong-value"),
        ("mysql://db/ledger", "wrong-value"),
        ("x${LEDGER}", "wrong-value"),
    ],
)
def test_a_ledger_is_named_without_its_password(url: str, rule: str | None) -> None:
    _, findings = examine(f'version: 1\nenvironments: {{prod: {{ledger: {{url: "{url}"}}}}}}')
    assert [one.rule for one in findings] == ([rule] if rule else [])
    assert "hunter2" not in repr(findings)


def test_doubt_may_be_closed_within_moments_only_where_all_is_a_rehearsal() -> None:
    quick = "version: 1\nproviders: {octopush: {quiet_time: 1s}}\nenvironments: {try: {sandbox: true}"
    assert read(quick + "}").providers["octopush"].quiet_time == timedelta(seconds=1)
    assert rules(quick + ", prod: {}}") == [("wrong-value", "providers.octopush.quiet_time")]


def test_vars_are_text_and_no_secret() -> None:
    assert read('{version: 1, vars: {shop: x, sizes: ["36"], address: {city: Lyon}, none: []}}').vars == {
        "shop": "x",
        "sizes": ["36"],
        "address": {"city": "Lyon"},
        "none": [],
    }
    assert rules("{version: 1, environments: {login: {vars: {shop: x, a: {token: x}, sizes: [36]}}}}") == [
        ("secret", "environments.login.vars.a.token"),
        ("wrong-type", "environments.login.vars.sizes.0"),
    ]


def test_the_sandbox_is_built_in() -> None:
    assert rules("{version: 1, environments: {sandbox: {}}}") == [("wrong-value", "environments.sandbox")]


def test_no_value_that_matters_is_in_a_repr() -> None:
    project = read("""
version: 1
test_contacts: {crm: ["+33639980012", lea@crm.example]}
providers: {octopush: {login: sandbox-me}}
environments: {prod: {ledger: {url: "sqlite:///x.db"}}}
connections: {warehouse: "${WAREHOUSE_URL}"}
""")
    assert project.test_contacts == {"crm": ("+33639980012", "lea@crm.example")}
    shown = repr(project)
    assert not [word for word in ("639980012", "lea@", "sandbox-me", "sqlite", "WAREHOUSE") if word in shown]
