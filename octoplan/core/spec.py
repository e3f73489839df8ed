"""A campaign file: data with positions → rendered leaves → one campaign, or one for each item, or every finding."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from octoplan.core import rendered
from octoplan.core.limits import loosened, tightest
from octoplan.core.model import (
    HELD_THERE,
    AddressKind,
    Audience,
    Campaign,
    Channel,
    Expect,
    Limits,
    Purpose,
    Schedule,
    Severity,
)
from octoplan.core.moment import NoMoment, local
from octoplan.core.paths import is_pattern
from octoplan.core.quoting import quoted, suggestion
from octoplan.core.rules import RULES, accept, finding, sender
from octoplan.core.rules.campaign import check_campaign
from octoplan.core.rules.held import check_columns
from octoplan.core.saying import check_channel, check_message, message, options
from octoplan.core.settings import effective_limits
from octoplan.core.templates import Unreadable
from octoplan.core.written import examine, fresh, leaves
from octoplan.core.written.campaign import CampaignFile
from octoplan.core.written.document import document
from octoplan.core.written.mistakes import named, wrong_choice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from octoplan.core.model import Finding, KeyPath, Place
    from octoplan.core.rendered import Rendered
    from octoplan.core.settings import Settings
    from octoplan.core.source import Source
    from octoplan.core.written.campaign import AudienceFile, CampaignLimitsFile

ADDRESS = {AddressKind.PHONE: "phone_number", AddressKind.EMAIL: "email"}
"""The column that holds the addresses, unless the file names another."""

_HELD_HERE = ("file", "query", "contacts")
"""Where octoplan itself gets the addresses from: a campaign has one of them."""

_NAMES_OF = {"list": "a list", "tag": "a tag", "groups": "groups", "contact_ids": "contact ids"}
"""What the provider holds, in words."""

_SEGMENTED = ("list", "tag")

_SOURCES = (*_HELD_HERE, "connection", *HELD_THERE)

_OF_ADDRESSES = ("country", "where", "exclude", "fallback", "address", "sha256", "new_contacts")
"""Keys of an audience that need its addresses."""

_EITHER = frozenset({"encoding", "subject", "email-address"})
"""Rules that are an error or a warning, depending on the campaign; `allow` accepts the warning."""


def _no_files(name: str) -> str:
    raise Unreadable(f"{name} is not there", "write the text under `message.text`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a campaign file is read with.

    `stop` maps the providers this version offers to their opt-out mention, `checks` to what they cannot
    do for a campaign, or for its sender; `read` gives the text of a project file, or raises `templates.Unreadable`.
    """

    settings: Settings
    environment: str
    sandbox: bool
    stop: Mapping[str, str]
    checks: Mapping[str, Callable[[Campaign], Iterable[Finding]]] = field(default_factory=dict)
    read: Callable[[str], str] = _no_files


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One campaign of a file, unless there is an error; every finding that needs no audience, placed.

    `uses` is where each contact column is first named. `source` places what is found later.
    """

    campaign: Campaign | None
    source: Source
    findings: tuple[Finding, ...]
    uses: Mapping[str, Place]


def read_campaigns(source: Source, scope: Scope) -> tuple[Read, ...]:
    """Return the campaigns of a file: one, or one for each item of its `for_each`.

    Limits and warnings that the file accepts under `allow` are infos.
    """
    values: dict[str, Any] = {"vars": _vars(scope), "env": {"name": scope.environment}}
    return tuple(
        _read(
            rendered.render(
                source,
                {**values, "each": each},
                stop=lambda name: scope.stop.get(str(name or scope.settings.defaults.provider), ""),
                read=scope.read,
            ),
            scope,
        )
        for each in rendered.items(source)
    )


def schema() -> dict[str, Any]:
    """Return the JSON Schema of campaign files."""
    return dict(document(CampaignFile))


def _vars(scope: Scope) -> dict[str, Any]:
    environment = scope.settings.environments.get(scope.environment)
    return {**scope.settings.vars, **(environment.vars if environment else {})}


def _read(given: Rendered, scope: Scope) -> Read:
    source = given.source
    file, found = examine(CampaignFile, source, found=given.findings)
    send_at, problems = _send_at(file, scope)
    found += fresh((*problems, *_judged(file, source, scope=scope)), found)
    found += fresh(check_message(file, source), found)
    if all(one.path != ("channel",) for one in found):
        found += fresh(check_channel(file, source), found)
    campaign = _campaign(file, scope, send_at=send_at, source=source)
    judges = (check_campaign, scope.checks.get(campaign.provider, sender.check))
    found += fresh(check_columns(campaign, given.uses), found)
    found += accept(fresh((one for judge in judges for one in judge(campaign)), found), campaign.allow)
    wrong = any(one.severity is Severity.ERROR for one in found)
    located = source.locate(found)
    return Read(campaign=None if wrong else campaign, source=source, findings=located, uses=given.uses)


def _judged(file: CampaignFile, source: Source, *, scope: Scope) -> Iterator[Finding]:
    yield from _items(source)
    yield from _one_source(file, source)
    yield from _connection(file, source, scope=scope)
    yield from _provider(file, scope)
    yield from _acceptable(file)
    yield from loosened(effective_limits(scope.settings, scope.environment), _limits(file.limits), path=("limits",))


def _items(source: Source) -> Iterator[Finding]:
    """Items hold text, and lists and mappings of it for loops."""
    path: KeyPath = (rendered.FOR_EACH,)
    for within, value in leaves(source.data.get(rendered.FOR_EACH), path):
        if len(within) > len(path) and not isinstance(value, str):
            yield finding("wrong-type", f"{named(within)} must be text", path=within, hint="put it in quotes")


def _one_source(file: CampaignFile, source: Source) -> Iterator[Finding]:
    written = source.data.get("audience")
    named = [key for key in _SOURCES if isinstance(written, dict) and key in written]
    if isinstance(written, dict) and not named:
        message = "`audience` names nobody"
        hint = "name a `file`, a `query`, a `list` or a `tag`, or write `contacts`"
        yield finding("source", message, path=("audience",), hint=hint)
    held = [key for key in named if key in (*_HELD_HERE, *HELD_THERE)]
    if len(held) > 1:
        message = f"`audience` has {', '.join(f'`{key}`' for key in held[:-1])} and `{held[-1]}`"
        yield finding("source", message, path=("audience",), hint="keep one of them")
    if not set(held) & set(HELD_THERE):
        yield from _pin(file.audience, held)
    if isinstance(written, dict) and len(held) == 1:
        yield from _held_there(file, written, source=held[0])


def _held_there(file: CampaignFile, written: Mapping[str, Any], *, source: str) -> Iterator[Finding]:
    """Yield what an audience that the provider holds does not have, and what it must have; or the reverse."""
    if source not in _SEGMENTED and "segmentation" in written:
        message = "`audience.segmentation` goes with a `list` or `tag` of the provider"
        yield finding("source", message, path=("audience", "segmentation"), hint="remove it")
    if source not in HELD_THERE:
        return
    what = _NAMES_OF[source]
    who = "whom contact ids name" if source == "contact_ids" else f"who is in {what}"
    hint = "remove it, or export the contacts to a file and name that under `file`"
    for path in (*(("audience", key) for key in _OF_ADDRESSES), ("audience", "expect", "max_invalid")):
        holder = written if len(path) == 2 else written.get("expect")  # noqa: PLR2004  audience.KEY
        if isinstance(holder, dict) and path[-1] in holder:
            message = f"{named(path)} needs addresses, and {who} the provider alone knows"
            yield finding("source", message, path=path, hint=hint)
    for key in ("max_cost", "max_contacts"):
        if getattr(file.limits, key) is None:
            message = f"`limits.{key}` is missing: of {what} of the provider it is what a reviewer approves"
            example = "90 EUR" if key == "max_cost" else "1300"
            yield finding("missing-key", message, path=("limits", key), hint=f"for example `{key}: {example}`")


def _pin(audience: AudienceFile, held: list[str]) -> Iterator[Finding]:
    path: KeyPath = ("audience", "sha256")
    hint = "remove it: whatever is pinned, approval compares who gets what"
    if audience.sha256 and held and "file" not in held:
        yield finding("source", "`audience.sha256` pins a file, and there is none", path=path, hint=hint)
    if audience.sha256 and audience.file and is_pattern(audience.file):
        message = "`audience.sha256` pins one file, and `audience.file` is a pattern"
        yield finding("source", message, path=path, hint=f"name one file, or {hint}")


def _connection(file: CampaignFile, source: Source, *, scope: Scope) -> Iterator[Finding]:
    """Check that a query says where it runs, at a connection there is."""
    written = source.data.get("audience")
    keys = written.keys() if isinstance(written, dict) else set[str]()
    path: KeyPath = ("audience", "connection")
    name, known = file.audience.connection, scope.settings.connections
    if "query" in keys and "connection" not in keys:
        there = suggestion("", known) if known else 'add `connections: {NAME: "${VARIABLE}"}` to octoplan.yaml'
        message = "`audience.query` does not say at which `connection` it runs"
        yield finding("source", message, path=("audience", "query"), hint=there)
    elif "connection" in keys and "query" not in keys:
        message = "`audience.connection` is where a `query` runs, and there is none"
        yield finding("source", message, path=path, hint="name the .sql file under `query`, or remove it")
    elif name is not None and name not in known:
        message = f"`audience.connection` {quoted(name)} is no connection of octoplan.yaml"
        yield finding("source", message, path=path, limit=", ".join(known), hint=suggestion(name, known))


def _provider(file: CampaignFile, scope: Scope) -> Iterator[Finding]:
    name = file.provider or scope.settings.defaults.provider
    if name not in scope.settings.providers:
        yield wrong_choice(("provider",), name, allowed=scope.settings.providers)
    elif name not in scope.stop:
        offered = ", ".join(sorted(scope.stop))
        message = "`provider` is not offered by this version"
        yield finding("wrong-value", message, path=("provider",), value=name, limit=offered, hint=f"use {offered}")


def _acceptable(file: CampaignFile) -> Iterator[Finding]:
    accepted = {name for name, severity in RULES.items() if severity in (Severity.LIMIT, Severity.WARNING)} | _EITHER
    for rule, reason in file.allow.items():
        path = ("allow", rule)
        if rule not in RULES:
            yield finding("allow", f"{named(path)} is no rule", path=path, hint=suggestion(rule, accepted))
        elif rule not in accepted:
            word = RULES[rule].value
            hint = "put right what it finds" if word == "error" else "remove it"
            yield finding("allow", f"{named(path)} accepts nothing: the rule is an {word}", path=path, hint=hint)
        elif not reason.strip():
            yield finding("allow", f"{named(path)} has no reason", path=path, hint="say why it is accepted")


def _send_at(file: CampaignFile, scope: Scope) -> tuple[datetime | None, tuple[Finding, ...]]:
    written, path = file.schedule.send_at, ("schedule", "send_at")
    timezone = file.schedule.timezone or scope.settings.defaults.timezone
    if written is None:
        return None, ()
    if timezone is None:
        hint = "name `schedule.timezone`, or `defaults.timezone` in octoplan.yaml"
        return None, (finding("send-at", "`schedule.send_at` has no time zone", path=path, hint=hint),)
    try:
        return local(written, timezone), ()
    except NoMoment as problem:
        message = f"`schedule.send_at` {problem}"
        return None, (finding("send-at", message, path=path, value=written, hint=problem.hint),)


def _campaign(file: CampaignFile, scope: Scope, *, send_at: datetime | None, source: Source) -> Campaign:
    defaults = scope.settings.defaults
    return Campaign(
        id=file.id,
        edition=file.edition,
        provider=file.provider or defaults.provider,
        channel=Channel(file.channel),
        purpose=Purpose(file.purpose),
        sender=_sender(file, scope),
        audience=_audience(file.audience, Channel(file.channel), country=defaults.country),
        message=message(file, source),
        schedule=Schedule(
            timezone=file.schedule.timezone or defaults.timezone or "UTC",
            lead=file.schedule.lead,
            grace=file.schedule.grace,
            send_at=send_at,
            hours=file.schedule.hours,
        ),
        options=options(file),
        limits=tightest(effective_limits(scope.settings, scope.environment), _limits(file.limits)),
        allow=file.allow,
        description=file.description,
        owner=file.owner,
        tags=file.tags,
        file=source.file,
    )


def _sender(file: CampaignFile, scope: Scope) -> str | None:
    """Return who it comes from; on rcs it is an agent, and no default for other channels names one."""
    if "sender" in file.model_fields_set or Channel(file.channel) is Channel.RCS:
        return file.sender
    return scope.settings.defaults.sender


def _audience(file: AudienceFile, channel: Channel, *, country: str | None) -> Audience:
    return Audience(
        address=file.address or ADDRESS[channel.address_kind],
        country=file.country or country,
        contacts=file.contacts,
        file=file.file,
        sha256=file.sha256,
        query=file.query,
        connection=file.connection,
        where=file.where,
        exclude_files=tuple(item.file for item in file.exclude if item.file is not None),
        exclude_campaigns=tuple(item.campaign for item in file.exclude if item.campaign is not None),
        fallback=file.fallback,
        expect=Expect(**dict(file.expect)),
        new_contacts=file.new_contacts,
        list_=file.list_,
        tag=file.tag,
        segmentation=file.segmentation,
        groups=file.groups,
        contact_ids=file.contact_ids,
    )


def _limits(file: CampaignLimitsFile) -> Limits:
    return Limits(**dict(file))
