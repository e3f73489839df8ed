"""The project of a schedule as files: what people edit, whom they add and who opts out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

PRICES = """\
currency: EUR
as_of: 2026-11-01
sample: true
sms_premium: {FR: 0.049}
voice_sms: {FR: 0.035}
voice_step_seconds: 30
rcs: {FR: 0.055}
email: {gateway: 0.0009, mailbox: 0.0016}
surcharges: {opt_out_removal_per_request: 0.01, replies_per_part: 0.03}
"""
CALLS = """\
currency: EUR
as_of: 2026-11-01
sample: true
voice_sms: {FR: 0.031}
voice_step_seconds: 30
"""
_PROJECT = """\
version: 1
campaigns: campaigns/
suppressions: [audiences/stop.csv]
defaults: {{provider: octopush, sender: ACME, country: FR, timezone: Europe/Paris}}
limits: {{max_cost: {max_cost} EUR, max_contacts: 5000, max_parts: 3, countries: [FR], senders: [ACME, ACME Mode]}}
providers:
  octopush:
    login: "${{OCTOPUSH_API_LOGIN}}"
    key: "${{OCTOPUSH_API_KEY}}"
    prices: prices/octopush.yaml
    quiet_time: {quiet_time}
    merge_fields: {merge_fields}
    workers: {workers}
  routee:
    application_id: "${{ROUTEE_APPLICATION_ID}}"
    application_secret: "${{ROUTEE_APPLICATION_SECRET}}"
    prices: prices/routee.yaml
    quiet_time: {quiet_time}
    workers: {workers}
environments:
  rehearsal: {{sandbox: true, ledger: {{url: "sqlite:///rehearsal.db"{identity}}}}}
"""
_MESSAGES = {
    "sms": 'message: {{text: "{text}"}}',
    "voice": 'message: {{text: "{text}", language: fr-FR, gender: female}}',
    "rcs": 'sender: ACME Mode\nmessage: {{text: "{text}"}}',
    "email": 'sender: null\nmessage: {{text: "{text}", subject: "ACME", from: {{address: bonjour@acme.example}}, '
    "service: gateway}}",
}
_ALLOWED = {"voice": ("read-aloud",)}
_TEXTS = {
    "own": "bonjour {{ contact.first_name }}, code {{ contact.code }}.",
    "store": "rendez-vous a {{ contact.store }}.",
    "common": "rendez-vous demain.",
}
PROVIDERS = ("octopush", "routee")
PLURALS = {"list": "lists", "tag": "tags"}
STORES = ("Lyon", "Nice")
CANARIES = (b"336399800", b"06399800", b"canary", b"Zephyrine", b"KANARI")
"""What begins every address and value of a person, and must be in no file of octoplan and nothing it prints."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an invented address and values that stand nowhere else."""

    number: int

    @property
    def phone(self) -> str:
        return f"+336399800{self.number:02}"

    @property
    def mail(self) -> str:
        return f"canary{self.number:02}@example.com"

    @property
    def name(self) -> str:
        return f"Zephyrine{self.number:02}"

    def code(self, value: int) -> str:
        return f"KANARI{self.number:02}X{value}"

    def address(self, channel: str) -> str:
        """Return the address on a channel."""
        return self.mail if channel == "email" else self.phone


def _contact(who: int) -> str:
    return f"contact-{who}"


@dataclass(slots=True, kw_only=True)
class Campaign:
    """A campaign as its author has it now; `values` are versions of what people's codes are."""

    id: str
    file: str
    people: list[int]
    provider: str = "octopush"
    channel: str = "sms"
    purpose: str = "transactional"
    style: str = "own"
    edition: int = 1
    wording: int = 0
    new_contacts: str = "skip"
    send_at: datetime | None = None
    max_change: int = 20
    present: bool = True
    values: dict[int, int] = field(default_factory=dict)
    allow: tuple[str, ...] = ()
    held: str = ""
    """What the provider holds its audience as: `list`, `tag`, `groups` or `contact_ids`; empty: a file does."""
    most: int = 12
    """How many contacts of such an audience are approved."""

    @property
    def text(self) -> str:
        """The text with its slots."""
        stop = " STOP au XXXXX" if self.purpose == "marketing" else ""
        return f"ACME {self.id[0].upper()}{self.wording}: {_TEXTS[self.style]}{stop}"

    def said(self, number: int) -> str:
        """Return what one person reads."""
        person = Person(number)
        values = {
            "first_name": person.name,
            "code": person.code(self.values.get(number, 0)),
            "store": STORES[number % len(STORES)],
        }
        text = self.text
        for name, value in values.items():
            text = text.replace(f"{{{{ contact.{name} }}}}", value)
        return text

    def yaml(self) -> str:
        """Return the campaign's file."""
        expect = f"expect: {{max_change: {self.max_change}%}}"
        source = f"file: ../audiences/{self.id}.csv, new_contacts: {self.new_contacts}"
        if self.held:
            source = f"{self.held}: {self.names}"
        lines = [
            f"id: {self.id}",
            f"edition: {self.edition}",
            *([f"provider: {self.provider}"] if self.provider != "octopush" else []),
            f"channel: {self.channel}",
            f"purpose: {self.purpose}",
            f"audience: {{{source}, {expect}}}",
            _MESSAGES[self.channel].format(text=self.text),
        ]
        if self.send_at:
            lines.append(f"schedule: {{send_at: '{self.send_at:%Y-%m-%dT%H:%M}', timezone: UTC}}")
        if self.held:
            lines.append(f"limits: {{max_cost: 5 EUR, max_contacts: {self.most}}}")
        allowed = (*self.allow, *_ALLOWED.get(self.channel, ()), *(("provider-held",) if self.held else ()))
        if allowed:
            lines += ["allow:", *(f'  {rule}: "looked at"' for rule in allowed)]
        return "\n".join(lines) + "\n"

    @property
    def names(self) -> str:
        """What the provider knows its audience by, as YAML: its name, or ids of its people."""
        match self.held:
            case "groups":
                return f"[{self.id}]"
            case "contact_ids":
                return f"[{', '.join(_contact(who) for who in self.people)}]"
        return self.id

    def csv(self) -> str:
        """Return the audience's file."""
        column = "email" if self.channel == "email" else "phone_number"
        rows = [f"{column},first_name,code,store"]
        for number in self.people:
            person = Person(number)
            code, store = person.code(self.values.get(number, 0)), STORES[number % len(STORES)]
            rows.append(f"{person.address(self.channel)},{person.name},{code},{store}")
        return "\n".join(rows) + "\n"


@dataclass(slots=True, kw_only=True)
class Project:
    """The whole project as its authors have it now."""

    campaigns: list[Campaign]
    workers: int = 1
    quiet_time: str = "12m"
    max_cost: str = "500"
    opted_out: list[int] = field(default_factory=list)
    ledger_id: str = ""
    merge_fields: bool = False

    def suppressed(self) -> frozenset[str]:
        """Return every address on the suppression list."""
        return frozenset(
            address for number in self.opted_out for address in (Person(number).phone, Person(number).mail)
        )

    def write(self, root: Path) -> None:
        """Write every file; those of campaigns that are gone go."""
        identity = f', id: "{self.ledger_id}"' if self.ledger_id else ""
        settings = _PROJECT.format(
            max_cost=self.max_cost,
            quiet_time=self.quiet_time,
            workers=self.workers,
            identity=identity,
            merge_fields="auto" if self.merge_fields else "never",
        )
        texts = {
            "octoplan.yaml": settings,
            "prices/octopush.yaml": PRICES,
            "prices/routee.yaml": CALLS,
            "audiences/stop.csv": self._stop(),
        }
        for campaign in self.campaigns:
            if not campaign.held:
                texts[f"audiences/{campaign.id}.csv"] = campaign.csv()
            if campaign.present:
                texts[f"campaigns/{campaign.file}.yaml"] = campaign.yaml()
        for path in (root / "campaigns").glob("*.yaml"):
            if f"campaigns/{path.name}" not in texts:
                path.unlink()
        for name, text in texts.items():
            path = root / name
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")

    def lists(self) -> dict[str, dict[str, Any]]:
        """Return what the providers are to hold, as their sandbox takes it: of each kind what there is of it."""
        found: dict[str, dict[str, Any]] = {}
        for one in self.campaigns:
            people = {_contact(who): {"phone_number": Person(who).phone} for who in one.people}
            if one.held == "contact_ids":
                found.setdefault("contact_ids", {}).update(people)
            elif one.held:
                found.setdefault(PLURALS.get(one.held, one.held), {})[one.id] = list(people.values())
        return found

    def _stop(self) -> str:
        lines = ["address"]
        for number in self.opted_out:
            lines += [Person(number).phone, Person(number).mail]
        return "\n".join(lines) + "\n"
