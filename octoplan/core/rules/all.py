"""Checks for every channel: of a campaign, and of the facts a plan has found out about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from octoplan.core.misspelled import MISSPELLED
from octoplan.core.model import LEFT_AUDIENCE, AddressKind, Channel, Money, Severity
from octoplan.core.quantity import quantity
from octoplan.core.rules import finding, unit_price

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from octoplan.core.model import Campaign, Finding, KeyPath, Prices

FEW = 10
"""An audience that has had and has fewer contacts than this may change freely."""

SHOWN = 5
"""Mistyped domains that a finding names."""

REFUSED_TYPES = ("premium-rate", "shared-cost", "number-type")
"""Reason words of numbers whose type nobody may be contacted at."""

AUDIENCE: KeyPath = ("audience",)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondOpinion:
    """What the provider's simulation of every batch came to.

    `cost` is None where the provider tells none, and `countries` counts contacts as far as it tells. `differing` counts
    batches whose contacts differ, or whose cost does by more than 0.01; `refused` counts batches by the provider's
    reason.
    """

    calls: int
    contacts: int
    cost: Decimal | None
    countries: Mapping[str, int] = field(default_factory=dict)
    differing: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a plan knows of one edition. Counts are contacts unless they say rows; money is in `currency`.

    `contacts` are owed now; `already_sent` are those of this edition who are not; `left_out`, by reason, those
    it was begun for who were not sent it and are not owed it now. `open_contacts` and
    `open_cost` are what this edition has charged, claimed and reserved before: campaign limits count
    from its first batch. `takes` is how long sending all batches lasts. `over_cap` counts the owed who have
    had as many messages as the project's `cap` allows: nobody, unless the campaign accepts it. `misspelled`
    are the owed by domain that looks mistyped. `units` is what one part costs by country.
    """

    campaign: Campaign
    sandbox: bool
    now: datetime
    # audience
    rows: int
    contacts: int
    already_sent: int = 0
    excluded: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    invalid_reasons: Mapping[str, int] = field(default_factory=dict)
    countries: Mapping[str, int] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)
    differ: int = 0
    fixed: int = 0
    fiction: int = 0
    misspelled: Mapping[str, int] = field(default_factory=dict)
    last_contacts: int | None = None
    over_cap: int = 0
    cap: str = ""
    # text and money
    most_parts: int = 1
    cost: Decimal = Decimal(0)
    worst: Decimal = Decimal(0)
    prices: Prices | None = None
    units: Mapping[str, Decimal] = field(default_factory=dict)
    unpriced: tuple[str, ...] = ()
    open_contacts: int = 0
    open_cost: Decimal = Decimal(0)
    # delivery
    claimed: bool = False
    edited: bool = False
    takes: timedelta = timedelta(0)
    simulated: SecondOpinion | None = None

    @property
    def currency(self) -> str:
        """The price book's currency; empty without one."""
        return self.prices.currency if self.prices else ""

    @property
    def members(self) -> int:
        """Everybody the edition addresses."""
        return self.contacts + self.already_sent


def check_facts(facts: Facts) -> tuple[Finding, ...]:
    """Return what the rules on audience, time and money find; most judge only campaigns with somebody owed."""
    rules = (*_ALWAYS, *(_OWED if facts.contacts else _LEFT))
    return tuple(found for rule in rules for found in rule(facts))


def check_simulation(facts: Facts) -> tuple[Finding, ...]:
    """Return what the provider's second opinion says against ours; nothing without one."""
    return (*_simulation_refused(facts), *_simulation_differs(facts)) if facts.simulated else ()


def _audience_empty(facts: Facts) -> Iterator[Finding]:
    if not facts.members:
        message = f"nobody is left to contact of {quantity(facts.rows, 'row')}"
        hint = "see what was excluded, and why"
        yield finding("audience-empty", message, path=AUDIENCE, value="0", limit="1", hint=hint)


def _audience_size(facts: Facts) -> Iterator[Finding]:
    least = facts.campaign.audience.expect.min
    known = 0 if facts.contacts else sum(count for why, count in facts.left_out.items() if why != LEFT_AUDIENCE)
    stayed = facts.members + known
    if least is not None and 0 < stayed < least:
        message = f"{quantity(stayed, 'contact')}, at least {least:,} are expected"
        path = (*AUDIENCE, "expect", "min")
        hint = "check the audience, or lower `expect.min`"
        yield finding("audience-size", message, path=path, value=str(stayed), limit=str(least), hint=hint)


def _audience_change(facts: Facts) -> Iterator[Finding]:
    last = facts.last_contacts
    if last is None or max(last, facts.members) < FEW:
        return
    change = Decimal(abs(facts.members - last)) / max(last, 1)
    most = facts.campaign.audience.expect.max_change
    if change > most:
        message = f"{quantity(facts.members, 'contact')}, the last edition had {last:,}: a change of {_share(change)}"
        path = (*AUDIENCE, "expect", "max_change")
        hint = "check the audience, or raise `expect.max_change`"
        yield finding("audience-change", message, path=path, value=_share(change), limit=_share(most), hint=hint)


def _left_out(facts: Facts) -> Iterator[Finding]:
    """Stop at a partly sent edition of whose other people many are not owed it now: they would be lost silently."""
    lost = sum(facts.left_out.values())
    begun = facts.members + lost
    most = facts.campaign.audience.expect.max_change
    if begun < FEW or lost <= begun * most:
        return
    message = (
        f"of {quantity(begun, 'contact')} this edition is for, {lost:,} were not sent it and are not owed it now: "
        f"{_counts(facts.left_out)}"
    )
    path = (*AUDIENCE, "expect", "max_change")
    hint = "check the audience and the lists; if it is meant, raise `expect.max_change`, or accept it under `allow`"
    share = _share(Decimal(lost) / begun)
    yield finding("audience-change", message, path=path, value=share, limit=_share(most), hint=hint)


def _invalid(facts: Facts) -> Iterator[Finding]:
    """Addresses that cannot be contacted: counted, and an error where they are more than expected."""
    invalid = sum(facts.invalid_reasons.values())
    if not invalid:
        return
    judged = facts.rows - facts.excluded.get("filtered", 0)
    share = Decimal(invalid) / max(judged, invalid)
    most = facts.campaign.audience.expect.max_invalid
    over = share > most
    hint = "mend them, or raise `expect.max_invalid`" if over else "they are left out"
    hint = "; ".join(filter(None, (_other_way(facts), hint)))
    if over:
        message = f"{invalid:,} of {quantity(judged, 'row')} have no valid address: {_share(share)}"
        path = (*AUDIENCE, "expect", "max_invalid")
        yield finding("audience-invalid", message, path=path, value=_share(share), limit=_share(most), hint=hint)
    stops = over and "audience-invalid" not in facts.campaign.allow
    severity = Severity.ERROR if stops else Severity.INFO
    email = facts.campaign.channel.address_kind is AddressKind.EMAIL
    noun = "invalid e-mail address" if email else "invalid number"
    message = f"{quantity(invalid, noun)}: {_counts(facts.invalid_reasons)}"
    rule = "email-address" if email else "phone"
    yield finding(rule, message, severity=severity, path=(*AUDIENCE, "address"), value=str(invalid), hint=hint)


def _other_way(facts: Facts) -> str:
    """Return the way out where the addresses are those of another channel; empty where they are just wrong."""
    if facts.campaign.channel.address_kind is AddressKind.EMAIL:
        numbers = facts.invalid_reasons.get("phone-number", 0)
        way = "name the column of e-mail addresses in `audience.address`, or another `channel`"
        return f"{quantity(numbers, 'cell')} with a telephone number: {way}" if numbers else ""
    emails = facts.invalid_reasons.get("email-address", 0)
    way = "name the column of numbers in `audience.address`, or `channel: email`"
    return f"{quantity(emails, 'cell')} with an e-mail address: {way}" if emails else ""


def _misspelled(facts: Facts) -> Iterator[Finding]:
    if facts.misspelled:
        domains = sorted(facts.misspelled, key=lambda domain: (-facts.misspelled[domain], domain))
        named = ", ".join(domains[:SHOWN]) + (", …" if len(domains) > SHOWN else "")
        count = sum(facts.misspelled.values())
        message = f"{quantity(count, 'contact')} at a domain that looks misspelled ({named})"
        meant = ", ".join(dict.fromkeys(MISSPELLED[domain] for domain in domains[:SHOWN]))
        hint = f"mend them (is {meant} meant?), or accept it under `allow`"
        path = (*AUDIENCE, "address")
        yield finding("email-address", message, severity=Severity.WARNING, path=path, value=str(count), hint=hint)


def _number_type(facts: Facts) -> Iterator[Finding]:
    found = {reason: facts.invalid_reasons[reason] for reason in REFUSED_TYPES if facts.invalid_reasons.get(reason)}
    if found:
        message = f"numbers nobody is contacted at: {_counts(found)}"
        hint = "take them out of the audience"
        value = str(sum(found.values()))
        yield finding("number-type", message, path=(*AUDIENCE, "address"), value=value, hint=hint)


def _fixed_line(facts: Facts) -> Iterator[Finding]:
    if facts.fixed:
        message = f"{quantity(facts.fixed, 'contact')} with a fixed line, which may not show a message"
        hint = "take them out, or accept it under `allow`"
        yield finding("fixed-line", message, path=(*AUDIENCE, "address"), value=str(facts.fixed), hint=hint)


def _fiction_number(facts: Facts) -> Iterator[Finding]:
    if facts.fiction and not facts.sandbox:
        email = facts.campaign.channel.address_kind is AddressKind.EMAIL
        noun = "e-mail address" if email else "number"
        message = f"{quantity(facts.fiction, noun)} reserved for fiction: this is sample data"
        hint = "name the real audience; sample data is for the sandbox"
        yield finding("fiction-number", message, path=(*AUDIENCE, "address"), value=str(facts.fiction), hint=hint)


def _country(facts: Facts) -> Iterator[Finding]:
    allowed = facts.campaign.limits.countries
    outside = {} if allowed is None else {name: n for name, n in facts.countries.items() if name not in allowed}
    if outside:
        listed = ", ".join(allowed or ()) or "none"
        message = f"contacts outside the countries of the limits ({listed}): {_counts(outside)}"
        hint = "take them out with `where` or `exclude`, or widen the limit in a reviewed change"
        path = ("limits", "countries")
        yield finding("country", message, path=path, value=", ".join(sorted(outside)), limit=listed, hint=hint)


def _contact_cap(facts: Facts) -> Iterator[Finding]:
    if facts.over_cap:
        message = f"{quantity(facts.over_cap, 'contact')} had as many messages as the limit allows: {facts.cap}"
        hint = "without this entry under `allow` they are left out"
        value = str(facts.over_cap)
        yield finding("contact-cap", message, path=("allow", "contact-cap"), value=value, limit=facts.cap, hint=hint)


def _values_differ(facts: Facts) -> Iterator[Finding]:
    if facts.differ:
        verb = "repeats" if facts.differ == 1 else "repeat"
        message = f"{quantity(facts.differ, 'row')} {verb} an address with other values"
        hint = "the first row of each address is used"
        yield finding("contact-values-differ", message, path=AUDIENCE, value=str(facts.differ), hint=hint)


def _value_missing(facts: Facts) -> Iterator[Finding]:
    for column, count in facts.missing.items():
        message = f"{quantity(count, 'contact')} without a value for column `{column}`"
        hint = "write `audience.fallback` for it, or leave them out with `where`"
        yield finding("value-missing", message, path=("message", "text"), value=str(count), hint=hint)


def _price_missing(facts: Facts) -> Iterator[Finding]:
    if facts.prices is None or facts.unpriced:
        countries = ", ".join(facts.unpriced)
        what, path = _bought(facts.campaign)
        message = f"the price book has no price for {what}" if facts.prices else "there is no price book"
        message += f" to {countries}" if countries else ""
        hint = (
            "add the price, or take these contacts out"
            if facts.prices
            else "name one under `providers` in octoplan.yaml"
        )
        yield finding("price-missing", message, path=path, value=countries or None, hint=hint)


def _bought(campaign: Campaign) -> tuple[str, KeyPath]:
    """Return what a campaign buys, in words, and the key that chose it."""
    match campaign.channel:
        case Channel.SMS:
            return f"quality {campaign.options.quality}", ("options", "quality")
        case Channel.EMAIL:
            return f"service {campaign.message.service}", ("message", "service")
    return campaign.channel.value, ("channel",)


def _sample_prices(facts: Facts) -> Iterator[Finding]:
    if facts.prices and facts.prices.sample and not facts.sandbox:
        message = f"the prices of {facts.campaign.provider} are a sample: the cost shown is invented"
        hint = "enter the prices of your contract and remove `sample`"
        yield finding("sample-prices", message, path=("provider",), hint=hint)


def _cost_limit(facts: Facts) -> Iterator[Finding]:
    limit = facts.campaign.limits.max_cost
    total = facts.worst + facts.open_cost
    if limit is None or not facts.currency or limit.currency != facts.currency or total <= limit.amount:
        return
    cost = Money(amount=total, currency=facts.currency)
    before = f", {facts.open_cost:,.2f} of it before" if facts.open_cost else ""
    message = f"may cost {cost}{before}, the limit is {limit}"
    hint = "make the audience or the text smaller, or raise `limits.max_cost` in a reviewed change"
    path = ("limits", "max_cost")
    yield finding("cost-limit", message, path=path, value=str(cost), limit=str(limit), hint=hint)


def _currency_limit(facts: Facts) -> Iterator[Finding]:
    limit = facts.campaign.limits.max_cost
    if not facts.currency or (limit is not None and limit.currency == facts.currency):
        return
    message = f"prices are in {facts.currency}, and {f'the limit is {limit}' if limit else 'there is no limit'}"
    hint = f"write `limits.max_cost` in {facts.currency} in octoplan.yaml: until then nothing limits the cost"
    yield finding(
        "currency-limit",
        message,
        path=("limits", "max_cost"),
        value=facts.currency,
        limit=str(limit) if limit else None,
        hint=hint,
    )


def _parts_limit(facts: Facts) -> Iterator[Finding]:
    limit = facts.campaign.limits.max_parts
    if limit is not None and facts.most_parts > limit:
        noun = "billing step" if facts.campaign.channel is Channel.VOICE else "part"
        message = f"the longest text takes {quantity(facts.most_parts, noun)}, the limit is {limit}"
        hint = "shorten the text, or raise `limits.max_parts` in a reviewed change"
        path = ("limits", "max_parts")
        yield finding("parts-limit", message, path=path, value=str(facts.most_parts), limit=str(limit), hint=hint)


def _contacts_limit(facts: Facts) -> Iterator[Finding]:
    limit = facts.campaign.limits.max_contacts
    total = facts.contacts + facts.open_contacts
    if limit is not None and total > limit:
        message = f"{quantity(total, 'contact')}, the limit is {limit:,}"
        hint = "make the audience smaller, or raise `limits.max_contacts` in a reviewed change"
        path = ("limits", "max_contacts")
        yield finding("contacts-limit", message, path=path, value=str(total), limit=str(limit), hint=hint)


def _unit_price(facts: Facts) -> Iterator[Finding]:
    return unit_price.check(facts.campaign, facts.units, currency=facts.currency)


def _send_at_past(facts: Facts) -> Iterator[Finding]:
    schedule, path = facts.campaign.schedule, ("schedule", "send_at")
    if schedule.send_at is None or facts.now + facts.takes <= (until := schedule.send_at + schedule.grace):
        return
    closed = f"{until:%Y-%m-%d %H:%M} {schedule.timezone}"
    hint = "change `schedule.send_at`"
    if facts.claimed:
        message = f"{quantity(facts.contacts, 'contact')} missed: sending was possible until {closed}"
        hint = "change `schedule.send_at`, or raise `edition`"
        yield finding("send-at-past", message, severity=Severity.INFO, path=path, limit=closed, hint=hint)
    elif facts.now > until:
        yield finding("send-at-past", f"sending was possible until {closed}", path=path, limit=closed, hint=hint)
    else:
        message = f"sending takes {facts.takes}: too long to end by {closed}"
        yield finding("send-at-past", message, path=path, limit=closed, hint=hint)


def _edited_after_send(facts: Facts) -> Iterator[Finding]:
    if facts.edited and facts.already_sent:
        got = f"{facts.already_sent:,} already got it"
        message = (
            f"your edit reaches only the other {facts.contacts:,}: {got}"
            if facts.contacts
            else (f"your edit sends nothing: {got}")
        )
        hint = "raise `edition` to send again"
        yield finding("edited-after-send", message, path=("message", "text"), value=str(facts.already_sent), hint=hint)


def _simulation_refused(facts: Facts) -> Iterator[Finding]:
    for reason, count in (facts.simulated.refused if facts.simulated else {}).items():
        message = f"the provider's simulation refuses {quantity(count, 'batch')}: {reason}"
        yield finding("simulation-refused", message, value=str(count), hint="change what it names, then plan again")


def _simulation_differs(facts: Facts) -> Iterator[Finding]:
    opinion = facts.simulated
    if opinion is None or not opinion.differing:
        return
    theirs, ours = quantity(opinion.contacts, "contact"), quantity(facts.contacts, "contact")
    if opinion.cost is not None:
        theirs += f" for {opinion.cost:,.2f} {facts.currency}"
        ours += f" for {facts.cost:,.2f} {facts.currency}"
    message = f"the provider's simulation counts {theirs}, we count {ours}"
    severity = Severity.ERROR if facts.sandbox else Severity.INFO
    hint = "a bug in octoplan or its sandbox: please report it" if facts.sandbox else "its result is documented as fake"
    yield finding("simulation-differs", message, severity=severity, value=theirs, limit=ours, hint=hint)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))


def _share(fraction: Decimal) -> str:
    return f"{fraction * 100:.1f}%"


_ALWAYS: Iterable[Callable[[Facts], Iterator[Finding]]] = (
    _audience_empty,
    _invalid,
    _fiction_number,
    _edited_after_send,
)

_OWED: Iterable[Callable[[Facts], Iterator[Finding]]] = (
    _audience_size,
    _audience_change,
    _left_out,
    _number_type,
    _misspelled,
    _fixed_line,
    _country,
    _contact_cap,
    _values_differ,
    _value_missing,
    _price_missing,
    _sample_prices,
    _cost_limit,
    _currency_limit,
    _parts_limit,
    _contacts_limit,
    _unit_price,
    _send_at_past,
)

_LEFT: Iterable[Callable[[Facts], Iterator[Finding]]] = (_audience_size, _left_out)
"""What is judged of an edition with nobody owed, of whom some were not sent it."""
