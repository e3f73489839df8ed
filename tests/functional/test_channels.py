"""Every channel from a file to the phone: what is planned is what arrives, with all its parts."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from workspaces import Workspace, tally

if TYPE_CHECKING:
    from pathlib import Path

PRICES = """\
currency: EUR
as_of: 2026-11-01
sample: true
sms_premium: {FR: 0.049, GB: 0.04, US: 0.01}
voice_sms: {FR: 0.03}
voice_step_seconds: 30
rcs: {FR: 0.055}
email: {gateway: 0.0009}
surcharges: {opt_out_removal_per_request: 0.01}
"""
PEOPLE = """\
phone_number,email,first_name,lang
+33639980011,zoe@example.com,Zoé,fr
+33639980012,leo@example.com,<b>Léo</b>,EN
+33639980013,ana@example.com,Ana,es
"""
LOCALE = "locale: {column: lang, default: fr}"


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path)
    workspace.write("prices/octopush.yaml", PRICES)
    workspace.write("audiences/people.csv", PEOPLE)
    workspace.edit("octoplan.yaml", "countries: [FR]", "countries: [FR, GB, US]")
    return workspace


def campaign(project: Workspace, channel: str, message: str, **more: str) -> None:
    keys = {
        "id": channel,
        "channel": channel,
        "purpose": "transactional",
        "audience": "{file: ../audiences/people.csv}",
    }
    lines = [f"{key}: {value}" for key, value in {**keys, **more}.items()]
    project.write(f"campaigns/{channel}.yaml", "\n".join((*lines, f"message: {message}", "")))


def planned(project: Workspace, code: int = 0) -> dict[str, dict[str, Any]]:
    shown = project.run("plan", "--json", code=code).out
    assert not any(private in shown for private in ("@example.com", "639980011", "Léo", "Zoé"))
    plan = json.loads(shown)
    return {row["id"]: row for row in plan["campaigns"]}


def arrived(project: Workspace) -> dict[str, dict[str, Any]]:
    return {delivery["address"]: delivery for delivery in project.deliveries()}


def test_a_call_is_said_in_the_language_of_each_contact(project: Workspace) -> None:
    texts = "{fr: 'Bonjour {{ contact.first_name }}', en: 'Hello {{ contact.first_name }}'}"
    campaign(project, "voice", f"{{text: {texts}, {LOCALE}, language: {{fr: fr-FR, en: en-GB}}, gender: male}}")
    row = planned(project)["voice"]
    assert row["text"]["locales"] == {"en": 1, "fr": 2}
    assert row["text"]["pattern"] == "Bonjour ‹first_name ≤10›"
    assert row["text"]["patterns"] == {
        "text.en": "Hello ‹first_name ≤10›",
        "language.fr": "fr-FR",
        "language.en": "en-GB",
    }
    assert [found["rule"] for found in row["findings"]] == ["locale", "hours"]
    assert tally(project.run("apply").out)["accepted"] == 3
    found = arrived(project)
    assert {address: (each["text"], each["content"]["language"]) for address, each in found.items()} == {
        "+33639980011": ("Bonjour Zoé", "fr-FR"),
        "+33639980012": ("Hello <b>Léo</b>", "en-GB"),
        "+33639980013": ("Bonjour Ana", "fr-FR"),
    }
    assert {each["content"]["gender"] for each in found.values()} == {"male"}


def test_a_call_is_priced_by_its_steps(project: Workspace) -> None:
    project.edit("prices/octopush.yaml", "voice_step_seconds: 30", "voice_step_seconds: 10")
    campaign(project, "voice", f'{{text: "{"a" * 241}", language: fr-FR, gender: male}}')
    row = planned(project)["voice"]
    assert (row["text"]["parts"], row["text"]["seconds"], row["text"]["step"]) == ({"3": 3}, 21, 10)
    assert row["estimate"]["cost"] == "0.28"  # three people, three steps each at 0.03, one call


def test_html_is_escaped_and_in_the_language_of_its_reader(project: Workspace) -> None:
    project.write("campaigns/mail.fr.html", "<p>Bonjour {{ contact.first_name }}</p>{% include 'foot.html' %}\n")
    project.write("campaigns/mail.en.html", "<p>Hello {{ contact.first_name }}</p>{% include 'foot.html' %}\n")
    project.write("campaigns/foot.html", "<p><a href='https://www.acme.example/{{ campaign.id }}'>ACME</a></p>\n")
    message = (
        "{subject: {fr: 'Votre carte', en: 'Your card'}, text_file: {fr: mail.fr.html, en: mail.en.html}, format: html,"
        f" from: {{address: shop@acme.example}}, service: gateway, {LOCALE}}}"
    )
    campaign(project, "email", message)
    row = planned(project)["email"]
    assert row["estimate"] == {"contacts": 3, "parts": 3, "cost": "0.0027", "worst": "0.03", "currency": "EUR"}
    project.run("apply")
    found = arrived(project)
    link = "<p><a href='https://www.acme.example/email'>ACME</a></p>"
    assert {address: (each["text"], each["content"]["subject"]) for address, each in found.items()} == {
        "zoe@example.com": (f"<p>Bonjour Zoé</p>{link}", "Votre carte"),
        "leo@example.com": (f"<p>Hello &lt;b&gt;Léo&lt;/b&gt;</p>{link}", "Your card"),
        "ana@example.com": (f"<p>Bonjour Ana</p>{link}", "Votre carte"),
    }
    assert [each["content"]["language"] for each in found.values()].count("en") == 1


@pytest.mark.parametrize("name", ["mail.html", "foot.html"])
def test_an_edit_in_a_text_file_needs_a_new_approval(project: Workspace, name: str) -> None:
    project.write("campaigns/mail.html", "<p>Bonjour</p>{% include 'foot.html' %}\n")
    project.write("campaigns/foot.html", "<p>ACME</p>\n")
    sender = "from: {address: shop@acme.example}, service: gateway"
    message = f"{{subject: Votre carte, text_file: mail.html, format: html, {sender}}}"
    campaign(project, "email", message)
    path = str(project.root / "mail.plan")
    project.run("plan", "--out", path)
    project.edit(f"campaigns/{name}", "<p>", "<p>Oh, ")
    assert "campaign email: message.text differs" in project.run("apply", path, code=4).err


def test_cards_arrive_as_they_were_written(project: Workspace) -> None:
    cards = (
        "[{title: Carte, description: 'Bonjour {{ contact.first_name }}', media: {url: 'https://www.acme.example/a.jpg'},"
        " actions: [{label: Horaires, open_url: 'https://www.acme.example/{{ contact.lang }}'},"
        " {label: Appeler, dial: '+33199000001'}, {label: Stop}]}, {title: Merci}]"
    )
    campaign(project, "rcs", f"{{cards: {cards}}}")
    row = planned(project)["rcs"]
    assert row["text"]["patterns"]["cards.0.description"] == "Bonjour ‹first_name ≤10›"
    project.run("apply")
    zoe = arrived(project)["+33639980011"]["content"]["cards"]
    assert (zoe[0]["title"], zoe[0]["description"], zoe[1]) == ("Carte", "Bonjour Zoé", {"title": "Merci"})
    assert zoe[0]["suggestions"] == [
        {
            "action": {
                "text": "Horaires",
                "postbackData": "Horaires",
                "openUrlAction": {"url": "https://www.acme.example/fr"},
            }
        },
        {"action": {"text": "Appeler", "postbackData": "Appeler", "dialAction": {"phoneNumber": "+33199000001"}}},
        {"reply": {"text": "Stop", "postbackData": "Stop"}},
    ]


COUNTRIES = """\
for_each: [{country: FR, stop: " STOP au XXXXX"}, {country: GB, stop: ""}, {country: US, stop: ""}]
id: "soldes-{{ each.country|lower }}"
channel: sms
purpose: marketing
audience: {file: "../audiences/{{ each.country }}.csv", country: "{{ each.country }}"}
schedule: {hours: fr-strict}
message:
  text: {fr: "ACME: -20% demain.{{ each.stop }}", en: "ACME: 20% off tomorrow, €5 back.{{ each.stop }}"}
  locale: {column: lang, default: fr}
"""


def test_one_file_is_three_campaigns_in_two_languages(project: Workspace) -> None:
    project.write("campaigns/soldes.yaml", COUNTRIES)
    project.write("audiences/FR.csv", "phone_number,lang\n0639980011,fr\n0639980012,en\n0639980013,\n")
    project.write("audiences/GB.csv", "phone_number,lang\n07700900011,en\n07700900012,en\n")
    project.write("audiences/US.csv", "phone_number,lang\n(202) 555-0111,en\n2025550112,fr\n")
    rows = planned(project)
    figures = {
        name: (row["estimate"]["contacts"], row["estimate"]["cost"], row["text"]["locales"], row["calls"])
        for name, row in rows.items()
    }
    assert figures == {
        "soldes-fr": (3, str(3 * Decimal("0.049") + 2 * Decimal("0.01")), {"en": 1, "fr": 2}, 2),
        "soldes-gb": (2, str(2 * Decimal("0.04") + Decimal("0.01")), {"en": 2}, 1),
        "soldes-us": (2, str(2 * Decimal("0.01") + 2 * Decimal("0.01")), {"en": 1, "fr": 1}, 2),
    }
    assert {row["text"]["parts"]["1"] for row in rows.values()} == {2, 3}
    assert rows["soldes-fr"]["text"]["pattern"] == "ACME: -20% demain. STOP au XXXXX"
    assert rows["soldes-gb"]["text"]["patterns"] == {"text.en": "ACME: 20% off tomorrow, €5 back."}
    assert {row["audience"]["fallback"].get("lang", 0) for row in rows.values()} == {0, 1}
    assert tally(project.run("apply").out)["accepted"] == 7
    texts = {address: each["text"] for address, each in arrived(project).items()}
    assert texts["+447700900011"] == texts["+12025550111"] == "ACME: 20% off tomorrow, €5 back."
    assert texts["+33639980013"] == "ACME: -20% demain. STOP au 30101"
    selected = json.loads(project.run("plan", "soldes-gb", "--json").out)
    assert [row["id"] for row in selected["campaigns"]] == ["soldes-gb"]


def test_a_broken_item_stops_only_itself(project: Workspace) -> None:
    project.write("campaigns/soldes.yaml", COUNTRIES.replace("country: GB", "country: UK"))
    project.write("audiences/FR.csv", "phone_number,lang\n0639980011,fr\n")
    told = project.run("plan", "--offline", code=1)
    assert "campaigns/soldes.yaml:5" in told.out + told.err
    project.run("plan", "soldes-fr", "--offline")


def test_nobody_in_france_is_called_for_marketing_a_fifth_time_in_thirty_days(project: Workspace) -> None:
    for number in range(4):
        message = f'{{text: "Bonjour, la boutique ouvre a Lyon, numero {number}.", language: fr-FR, gender: female}}'
        campaign(project, "voice", message, id=f"appel-{number}", purpose="marketing")
        project.run("apply")
    campaign(project, "sms", '{text: "ACME. {{ stop }}"}', purpose="marketing")
    project.edit("campaigns/voice.yaml", "appel-3", "appel-4")
    project.edit("campaigns/voice.yaml", "numero 3", "numero 4")
    rows = planned(project, code=3)
    (found,) = (found for found in rows["appel-4"]["findings"] if found["rule"] == "voice-attempts")
    assert (found["severity"], found["value"], found["limit"]) == ("limit", "3", "4 in 30 days")
    assert [found["rule"] for found in rows["sms"]["findings"]] == ["hours"]
    project.edit("campaigns/voice.yaml", "purpose", 'allow: {voice-attempts: "they asked to be called"}\npurpose')
    assert planned(project)["appel-4"]["action"] == "send"


EMAIL = "{subject: Bonjour, text: Bonjour, from: {address: shop@acme.example}, service: gateway}"
NEW = "{file: ../audiences/people.csv, new_contacts: send}"


def test_an_edition_begun_by_number_does_not_go_on_by_e_mail(project: Workspace) -> None:
    campaign(project, "sms", "{text: Bonjour}", id="hiver", audience=NEW)
    assert tally(project.run("apply").out)["accepted"] == 3
    campaign(project, "rcs", "{text: Bonjour}", id="hiver", audience=NEW)
    (project.root / "campaigns/sms.yaml").unlink()
    assert planned(project)["hiver"]["action"] == "none"  # the same numbers
    (project.root / "campaigns/rcs.yaml").unlink()
    campaign(project, "email", EMAIL, id="hiver", audience=NEW)
    row = planned(project, code=1)["hiver"]
    assert [(found["rule"], found["severity"]) for found in row["findings"]] == [("other-address", "error")]
    project.run("apply", code=1)
    assert len(project.deliveries()) == 3
    project.edit("campaigns/email.yaml", "id: hiver", "id: hiver-mail")
    assert tally(project.run("apply").out)["accepted"] == 3


def test_a_campaign_by_number_excludes_nobody_by_e_mail_and_says_so(project: Workspace) -> None:
    campaign(project, "sms", "{text: Bonjour}")
    project.run("apply")
    campaign(project, "email", EMAIL, audience="{file: ../audiences/people.csv, exclude: [{campaign: sms}]}")
    (found,) = planned(project, code=3)["email"]["findings"]
    assert (found["rule"], found["severity"], found["value"]) == ("other-address", "warning", "sms")
    assert found["hint"]
    project.edit("campaigns/email.yaml", "purpose", 'allow: {other-address: "both are wanted"}\npurpose')
    assert planned(project)["email"]["action"] == "send"
