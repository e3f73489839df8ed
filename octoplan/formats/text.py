"""The plan for people at a terminal: understandable at 80 columns and without colour."""

from __future__ import annotations

import textwrap
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from octoplan.core.plan import SYMBOLS
from octoplan.core.quantity import quantity
from octoplan.core.quoting import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from octoplan.core.plan import Change, Plan, PlannedCampaign, PlannedFinding, Simulation, TextFacts

SANDBOX_LINE = "SANDBOX: nobody is contacted"
CENT = Decimal("0.01")
MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"
WIDTH = 80
INDENT = 15
HIDDEN = ("audience.where", "audience.contact_ids")
"""The fields that a plan holds as a fingerprint."""

ONE_PART = 160
"""GSM-7 characters that fit into one part (3GPP TS 23.038)."""

MEANINGS = {
    "send": "will be sent",
    "resume": "resumes a partly sent edition",
    "none": "nothing to do",
    "blocked": "blocked",
    "in_doubt": "in doubt: a person must look",
    "wait": "waits for its time",
}

REASONS = {
    "edited-after-send": "your edit sends nothing: {already} already got it; raise `edition` to send again",
    "sent": "sent: {already} got it",
    "nobody-owed": "nobody is owed it",
    "left-out": "partly sent: {already} got it, and nobody else is owed it now",
    "file-gone": "partly sent: {already} got it; put the file back, or apply this plan to leave it at that",
    "missed": "its time has passed; change `schedule.send_at` or raise `edition`",
    "new-contacts": "new contacts of a sent edition (`new_contacts: send`); {already} already got it",
    "new-edition": "a new edition; {again} of them got another one",
    "resume": "goes on where it stopped; {already} already got it",
    "rejected": "not sent before; {already} already got it",
    "waiting": "waits for its time",
    "in-doubt": "{doubt} may have got it: see `octoplan status {id}`, then `octoplan resolve`",
    "new-campaign": "",
    "trial": "a test: it goes to test contacts only",
    "blocked": "see below",
}

LOUD = ("missed", "file-gone")
"""The reasons that are shown although nothing is to do."""

_ENCODINGS = {"gsm7": "GSM-7", "ucs2": "UCS-2"}


def render(plan: Plan) -> str:
    """Return the plan as lines of text, ending in a newline."""
    return "\n".join(map(visible, _lines(plan))) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    if plan.sandbox:
        yield SANDBOX_LINE
    yield _header(plan)
    yield ""
    quiet = [campaign for campaign in plan.campaigns if _is_quiet(campaign)]
    shown = [campaign for campaign in plan.campaigns if not _is_quiet(campaign)]
    for campaign in shown:
        yield from _campaign(campaign)
    if quiet:
        left_out = _left_out(quiet)
        told = (
            f", {quantity(left_out, 'contact')} not sent: opted out or gone, see `octoplan status`" if left_out else ""
        )
        yield f"= {len(quiet)} unchanged{told}"
        yield ""
    yield from _legend(plan)
    yield from _totals(plan)
    if plan.sandbox:
        yield SANDBOX_LINE


def _is_quiet(campaign: PlannedCampaign) -> bool:
    if campaign.reason in LOUD or campaign.changes or campaign.findings:
        return False
    return campaign.action == "none"


def _left_out(campaigns: Iterable[PlannedCampaign]) -> int:
    return sum(sum(campaign.audience.left_out.values()) for campaign in campaigns if campaign.audience)


def _header(plan: Plan) -> str:
    parts = ["octoplan plan", f"env {plan.env}"]
    parts += [f"{name} {account[:4]}" for name, account in sorted(plan.accounts.items())]
    if plan.ledger is not None:
        parts.append(f"ledger {plan.ledger.id}")
    if plan.offline:
        parts.append("offline preview, cannot be applied")
    parts.append(quantity(len(plan.campaigns), "campaign"))
    return " · ".join(parts)


def _campaign(campaign: PlannedCampaign) -> Iterator[str]:
    reason = REASONS.get(campaign.reason, campaign.reason).format(
        already=f"{campaign.audience.already_sent if campaign.audience else 0:,}",
        again=f"{campaign.again:,}",
        doubt=f"{campaign.in_doubt:,}",
        id=campaign.id,
    )
    name = f"{SYMBOLS[campaign.action]} {campaign.id} #{campaign.edition}"
    yield f"{name:<24} {' · '.join(filter(None, (campaign.channel, campaign.provider, campaign.purpose)))}"
    yield from _field("file", campaign.file or "no file any more")
    if reason:
        yield from _field("because", reason)
    if campaign.action != "none":
        yield from _details(campaign)
    if campaign.audience is not None and campaign.audience.left_out:
        yield from _field("not sent", _listed(campaign.audience.left_out))
    yield from _changes(campaign.changes)
    for finding in campaign.findings:
        if finding.rule != campaign.reason:
            yield from _finding(finding)
    yield ""


def _details(campaign: PlannedCampaign) -> Iterator[str]:
    if campaign.audience is not None:
        yield from _field("audience", _audience(campaign))
        if campaign.again and campaign.reason != "new-edition":
            yield from _field("again", f"{campaign.again:,} of them got another edition")
        if campaign.audience.fallback:
            used = ", ".join(f"{column} {count:,}" for column, count in campaign.audience.fallback.items())
            yield from _field("fallback", used)
    if campaign.text is not None:
        yield from _text(campaign)
    yield from _when(campaign)
    if campaign.estimate is not None:
        yield from _field("cost", _cost(campaign))


def _audience(campaign: PlannedCampaign) -> str:
    counts = campaign.audience
    if counts is None:
        return ""
    if campaign.held:
        most = quantity(counts.contacts, "contact")
        return f"{campaign.held} of {campaign.provider}: at most {most}, counted before it is sent"
    line = f"{quantity(counts.rows, 'row')} → {quantity(counts.contacts, 'contact')}"
    gone = dict(counts.excluded)
    if counts.already_sent:
        gone["already-sent"] = counts.already_sent
    return f"{line}   {_listed(gone)}".rstrip()


def _listed(gone: Mapping[str, int]) -> str:
    return " ".join(f"{MINUS}{count:,} {reason.replace('-', ' ')}" for reason, count in gone.items())


def _text(campaign: PlannedCampaign) -> Iterator[str]:
    text = campaign.text
    if text is None:
        return
    facts = " · ".join(filter(None, (_encodings(text), _parts(campaign)))) + _characters(text)
    if text.pattern:
        yield from _field("text", facts or _quoted(text.pattern))
        if facts:
            yield from _field("", _quoted(text.pattern))
        alone = set(text.encodings) == {"gsm7"} and set(text.parts) == {"1"}
        longest = f"{text.longest} of {ONE_PART}" if alone else quantity(text.longest, "character")
        yield from _field("", f"longest {longest}" + (f", {text.seconds} s" if text.seconds else ""))
    elif text.seconds:
        yield from _field("audio", f"{text.seconds} s, {facts}")
    for path, pattern in text.patterns.items():
        yield from _field(_labelled(path), _quoted(pattern))
    manner = " · ".join(_manner(campaign.spec))
    if manner:
        yield from _field("as", manner)
    for callback in _callbacks(campaign.spec):
        yield from _field("callback", callback)
    if text.locales:
        yield from _field("languages", ", ".join(f"{locale} {count:,}" for locale, count in text.locales.items()))


def _callbacks(spec: Mapping[str, Any]) -> Iterator[str]:
    """Yield which addresses the provider calls, about what and when."""
    for key, told in (("callback", "each call"), ("campaign_callback", "the campaign")):
        callback = spec.get("options", {}).get(key)
        if callback:
            when = "every change" if callback["when"] == "change" else "the end"
            yield f"{visible(callback['url'])} · of {told}, at {when}"


def _manner(spec: Mapping[str, Any]) -> Iterator[str]:
    """Yield how a message is sent, beside its texts: whose voice, whose name, by which service."""
    message, options = spec.get("message", {}), spec.get("options", {})
    if gender := message.get("gender"):
        yield f"a {gender} voice"
    if sender := message.get("from"):
        yield f"from {sender.get('name', '')} <{sender['address']}>".replace("  ", " ")
    if service := message.get("service"):
        yield f"service {service}"
    if service and message.get("text"):
        yield "HTML" if message.get("format") == "html" else "plain text"
    if options.get("collect_keys"):
        seconds = options.get("key_wait_seconds")
        yield f"keys collected, {seconds} s to press one" if seconds else "keys collected"
    if seconds := options.get("ring_seconds"):
        yield f"rings for {seconds} s"
    if (quiet := options.get("respect_quiet_hours")) is not None:
        yield f"quiet hours {'kept' if quiet else 'not kept'}"


def _quoted(pattern: str) -> str:
    return f'"{visible(pattern)}"'


def _labelled(path: str) -> str:
    """Return what a text of the message is called: `card 1 title`, `text en`; lists count from 1."""
    words = [str(int(part) + 1) if part.isdecimal() else part.replace("_", " ") for part in path.split(".")]
    return " ".join(words).replace("cards", "card").replace("actions", "action")


def _encodings(text: TextFacts) -> str:
    return " and ".join(
        f"{_ENCODINGS.get(name, name)}" + (f" {count:,}" if len(text.encodings) > 1 else "")
        for name, count in text.encodings.items()
    )


def _parts(campaign: PlannedCampaign) -> str:
    """Return how many contacts get how many parts; of channels without parts nothing is to say."""
    text = campaign.text
    if text is None or not (text.encodings or text.step):
        return ""
    counts = ", ".join(f"{quantity(int(size), unit(campaign))}: {count:,}" for size, count in text.parts.items())
    return f"{counts} ({text.step} s a step)" if text.step else counts


def _characters(text: TextFacts) -> str:
    if text.replaced:
        return "   replaced " + ", ".join(f"{pair} {count:,}" for pair, count in text.replaced.items())
    if text.blamed:
        return "   because of " + ", ".join(f"{visible(mark)} {count:,}" for mark, count in text.blamed.items())
    return ""


def unit(campaign: PlannedCampaign) -> str:
    """Return what a part of a message is called on its channel."""
    return {"sms": "part", "voice": "step"}.get(campaign.channel, "message")


def _when(campaign: PlannedCampaign) -> Iterator[str]:
    if campaign.send_at is None:
        if campaign.estimate is not None:
            yield from _field("send at", f"as soon as applied{_open(campaign, campaign.apply_from)}")
        return
    line = f"{moment(campaign.send_at, campaign.timezone)} {campaign.timezone or ''}".strip() + _open(
        campaign, campaign.send_at
    )
    yield from _field("send at", f"{line} · cannot be recalled once applied")
    if campaign.action == "wait":
        yield from _field("apply", f"from {moment(campaign.apply_from, campaign.timezone)}")


def _open(campaign: PlannedCampaign, at: datetime | None) -> str:
    """Return when everybody may be reached, then or next; empty where no hours are kept."""
    start, end = campaign.open_from, campaign.open_until
    if at is None or start is None or end is None:
        return ""
    if not start <= at < end:
        return f", closed until {moment(start, campaign.timezone)} ({campaign.hours})"
    hours = DASH.join(moment(time, campaign.timezone)[-5:] for time in (start, end))
    return f", open {hours} ({campaign.hours})"


def _cost(campaign: PlannedCampaign) -> str:
    estimate = campaign.estimate
    if estimate is None:
        return ""
    parts = [f"{'at most ' if campaign.held else ''}{cents(estimate.cost)} {estimate.currency}"]
    if cents(estimate.worst) != cents(estimate.cost):
        parts.append(f"at worst {cents(estimate.worst)}")
    if campaign.simulation is not None:
        parts.append(_simulated(campaign.simulation, held=bool(campaign.held)))
    if campaign.limit is not None:
        parts.append(f"limit {cents(campaign.limit)}")
    calls = quantity(campaign.calls, "call")
    parts.append(f"{calls} (merge fields)" if campaign.merge_fields else calls)
    return " · ".join(parts)


def _simulated(simulation: Simulation, *, held: bool) -> str:
    cost = "" if simulation.cost is None else cents(simulation.cost)
    if not held:
        return f"simulated {cost}" if cost else f"simulated, {quantity(simulation.contacts, 'contact')}"
    if not simulation.contacts:
        return "its preparation was simulated"
    where = ", ".join(f"{country} {number:,}" for country, number in simulation.countries.items())
    counted = quantity(simulation.contacts, "contact")
    return f"the provider counts {counted}{f' ({where})' if where else ''}{f', {cost}' if cost else ''}"


def _changes(changes: tuple[Change, ...]) -> Iterator[str]:
    for change in changes:
        old, new = ("—" if side is None else f'"{visible(side)}"' for side in (change.old, change.new))
        yield from _field(change.path, "differs" if change.path in HIDDEN else f"{old} → {new}")


def _finding(finding: PlannedFinding) -> Iterator[str]:
    yield from _wrapped(f"    {finding.severity} {finding.rule}: {visible(finding.message)}", 6)
    if finding.file is not None:
        yield f"      at {finding.file}:{finding.line}:{finding.column}"
    if finding.hint:
        yield from _wrapped(f"      {visible(finding.hint)}", 6)


def _legend(plan: Plan) -> Iterator[str]:
    used = [action for action in SYMBOLS if any(campaign.action == action for campaign in plan.campaigns)]
    if used:
        yield from _wrapped(" · ".join(f"{SYMBOLS[action]} {MEANINGS[action]}" for action in used), 0)


def _totals(plan: Plan) -> Iterator[str]:
    totals = plan.totals
    if not any((totals.send, totals.resume, totals.wait, totals.blocked, totals.in_doubt)):
        missed = sum(row.estimate.contacts for row in plan.campaigns if row.reason == "missed" and row.estimate)
        owed = f"{quantity(missed, 'contact')} missed it, see above" if missed else "nobody is owed a message"
        if left_out := _left_out(plan.campaigns):
            owed += f" ({left_out:,} of partly sent editions are not any more, see above)"
        yield f"No changes. {quantity(totals.unchanged, 'campaign')}, {owed}."
        if any(row.reason == "sent" and _skips(row.spec) for row in plan.campaigns):
            yield "      Who joined the audience of a sent campaign is skipped (`new_contacts`)."
        yield f"      0 contacts · digest {plan.digest.removeprefix('sha256:')[:8]}"
        return
    yield (
        f"Plan: {totals.send} to send, {totals.resume} to resume, {totals.wait} waiting, "
        f"{totals.blocked} blocked, {totals.in_doubt} in doubt, {totals.unchanged} unchanged."
    )
    parts = [quantity(totals.contacts, "contact"), quantity(totals.parts, "part")]
    for currency, amount in totals.cost.items():
        limit = plan.limits.get("max_cost")
        within = f" of {cents(limit['amount'])}" if isinstance(limit, dict) and limit["currency"] == currency else ""
        worst = totals.worst[currency]
        more = f" (at worst {cents(worst)})" if cents(worst) != cents(amount) else ""
        parts.append(f"{cents(amount)}{more}{within} {currency}")
    parts.append(f"digest {plan.digest.removeprefix('sha256:')[:8]}")
    if plan.apply_until is not None:
        parts.append(f"apply until {plan.apply_until:%Y-%m-%d %H:%M %Z}".rstrip())
    yield from _wrapped("      " + " · ".join(parts), 6)
    if plan.offline and plan.ledger is None:
        yield "      already sent: unknown, there is no ledger to read"
    if not plan.approvable and not plan.offline:
        yield "      Cannot be applied: deselect or mend the campaigns marked !"


def _skips(spec: Mapping[str, Any]) -> bool:
    return bool(spec.get("audience", {}).get("new_contacts") == "skip")


def _field(name: str, value: str) -> Iterator[str]:
    yield from _wrapped(f"    {name:<10} {value}".rstrip(), INDENT)


def _wrapped(line: str, indent: int) -> list[str]:
    wrapper = textwrap.TextWrapper(
        WIDTH, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False, replace_whitespace=False
    )
    return wrapper.wrap(line)


def cents(amount: str | Decimal) -> str:
    """Return an exact amount rounded to cents, for people."""
    return f"{Decimal(amount).quantize(CENT, ROUND_HALF_UP):,}"


def moment(time: datetime | None, zone: str | None) -> str:
    """Return a time as people write it, in its campaign's zone."""
    if time is None:
        return ""
    local = time.astimezone(ZoneInfo(zone)) if zone else time
    return f"{local:%a %Y-%m-%d %H:%M}"
