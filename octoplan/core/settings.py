"""octoplan.yaml: what all campaigns share, and where they may be sent from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from octoplan.core.limits import beyond, loosened, tightest
from octoplan.core.model import Limits, Severity
from octoplan.core.rules import finding
from octoplan.core.written import examine, fresh, leaves
from octoplan.core.written.document import document
from octoplan.core.written.mistakes import is_secret, named, wrong_choice
from octoplan.core.written.project import REFERENCE, ProjectFile, ProviderFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal

    from octoplan.core.model import Finding, KeyPath, Money
    from octoplan.core.source import Source
    from octoplan.core.written.project import EnvironmentFile, ProjectLimitsFile

SANDBOX = "sandbox"
"""The built-in environment, and how a login begins that reaches nobody."""

CREDENTIALS: Mapping[str, Mapping[str, str]] = {
    "octopush": {"login": "${OCTOPUSH_API_LOGIN}", "key": "${OCTOPUSH_API_KEY}"},
    "routee": {"application_id": "${ROUTEE_APPLICATION_ID}", "application_secret": "${ROUTEE_APPLICATION_SECRET}"},
}
"""What an account of each kind of provider needs, and the variables it is read from by default."""

_OCTOPUSH_KEYS = ("merge_fields", "single_channel_request_id", "own_tag_paths")
"""Keys that only accounts of this kind have."""

_PUBLIC = frozenset({"login", "application_id"})
"""Credentials that name an account and prove nothing."""

_LEAST_QUIET_TIME = timedelta(minutes=2)

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What a campaign need not repeat."""

    provider: str
    sender: str | None = None
    country: str | None = None
    timezone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PerContact:
    """How much one person may get over all campaigns: `messages` in `days`."""

    messages: int
    days: int

    def __str__(self) -> str:
        return f"{self.messages} in {self.days} days"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectLimits(Limits):
    """The limits of a plan, and what only a project can limit."""

    per_contact: PerContact | None = None
    min_balance: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """One account. `credentials` are as written: perhaps `${NAME}`. `rate` is in calls per second."""

    name: str
    kind: str
    credentials: Mapping[str, str] = field(repr=False)
    prices: str
    workers: int
    rate: Decimal | None
    merge_fields: str
    single_channel_request_id: bool
    own_tag_paths: bool
    quiet_time: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Where to send from; `sandbox` makes it a rehearsal. `ledger_url` is as written: perhaps `${NAME}`."""

    name: str
    sandbox: bool
    ledger_url: str | None = field(repr=False)
    ledger_id: str | None
    vars: Mapping[str, Any]
    limits: ProjectLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """octoplan.yaml, validated, with defaults filled. Paths are relative to the project."""

    campaigns: str
    defaults: Defaults
    suppressions: tuple[str, ...]
    limits: ProjectLimits
    vars: Mapping[str, Any]
    test_contacts: Mapping[str, tuple[str, ...]] = field(repr=False)
    providers: Mapping[str, ProviderSettings]
    environments: Mapping[str, Environment]
    connections: Mapping[str, str] = field(repr=False)


def read_project(source: Source) -> tuple[Settings | None, tuple[Finding, ...]]:
    """Return the settings, unless there is an error, and every finding, placed."""
    file, found = examine(ProjectFile, source)
    found += fresh(_texts(source), found)
    found += fresh(_judged(file, source), found)
    wrong = any(one.severity is Severity.ERROR for one in found)
    return None if wrong else _settings(file), source.locate(found)


def reference(value: str) -> str | None:
    """Return the NAME of `${NAME}`; None for a value that is written out."""
    match = re.fullmatch(REFERENCE, value)
    return match[1] if match else None


def effective_limits(settings: Settings, environment: str) -> ProjectLimits:
    """Return what a plan of an environment may not exceed."""
    inner = settings.environments.get(environment)
    return _tightest(settings.limits, inner.limits) if inner else settings.limits


def schema() -> dict[str, Any]:
    """Return the JSON Schema of octoplan.yaml."""
    return dict(document(ProjectFile))


def _texts(source: Source) -> Iterator[Finding]:
    """Check the leaves: where `${NAME}` may stand, and that `vars` hold text that is no secret."""
    for path, value in leaves(source.data):
        if "vars" in path[:3:2]:
            yield from _variable(path, value)
        if isinstance(value, str) and "${" in value:
            yield from _reference(path, value)


def _variable(path: KeyPath, value: Any) -> Iterator[Finding]:
    if any(is_secret(str(part)) for part in path[path.index("vars") + 1 :]):
        hint = "templates read what is in git: keep secrets out of `vars`"
        yield finding("secret", f"{named(path)} must not be in a file", path=path, hint=hint)
    elif not isinstance(value, str):
        yield finding("wrong-type", f"{named(path)} must be text", path=path, hint="put it in quotes")


def _reference(path: KeyPath, value: str) -> Iterator[Finding]:
    if not _may_refer(path):
        message = f"{named(path)} cannot read the environment"
        hint = "only credentials, `ledger.url` and `connections` can be ${NAME}"
        yield finding("wrong-value", message, path=path, hint=hint)
    elif not reference(value):
        message = f"{named(path)} must be ${{NAME}} and nothing else"
        yield finding("wrong-value", message, path=path, hint="put the whole value into the variable")


def _may_refer(path: KeyPath) -> bool:
    match path:
        case ("providers", _, key):
            return any(key in keys for keys in CREDENTIALS.values())
        case ("environments", _, "ledger", "url") | ("connections", _):
            return True
    return False


def _judged(file: ProjectFile, source: Source) -> Iterator[Finding]:
    yield from _names(file, source)
    for name, provider in file.providers.items():
        yield from _provider(name, provider)
    if file.defaults.provider and file.providers and file.defaults.provider not in file.providers:
        yield wrong_choice(("defaults", "provider"), file.defaults.provider, allowed=file.providers)
    for name, environment in file.environments.items():
        path = ("environments", name)
        yield from _ledger(environment, path)
        yield from _loosened(file, environment, path=(*path, "limits"))
    yield from _quiet_times(file)
    for name, value in file.connections.items():
        if reference(value) is None:
            yield _secret(("connections", name))


def _names(file: ProjectFile, source: Source) -> Iterator[Finding]:
    for group in ("providers", "environments", "connections", "test_contacts"):
        for name in getattr(file, group):
            path = (group, name)
            if not _NAME.fullmatch(name):
                message = f"{named(path)} is no name: 1 to 63 of a-z, 0-9 and `-`"
                yield finding("wrong-value", message, path=path, place=source.key_place(path))
    if SANDBOX in file.environments:
        path = ("environments", SANDBOX)
        hint = "name a rehearsal of your own otherwise, with `sandbox: true`"
        message = "the environment `sandbox` is built in"
        yield finding("wrong-value", message, path=path, place=source.key_place(path), hint=hint)


def _provider(name: str, file: ProviderFile) -> Iterator[Finding]:
    kind = file.kind or name
    path = ("providers", name)
    if kind not in CREDENTIALS:
        yield wrong_choice((*path, "kind"), kind, allowed=CREDENTIALS)
        return
    for key in ("login", "key", "application_id", "application_secret"):
        value = getattr(file, key)
        if value is None:
            continue
        if key not in CREDENTIALS[kind]:
            hint = f"its credentials are {' and '.join(CREDENTIALS[kind])}"
            yield finding(
                "unknown-key", f"{named((*path, key))} is no key of kind {kind}", path=(*path, key), hint=hint
            )
        elif reference(value) is None and not value.startswith(SANDBOX):
            yield _secret((*path, key))
    for key in _OCTOPUSH_KEYS if kind != "octopush" else ():
        if key in file.model_fields_set:
            message = f"{named((*path, key))} is no key of kind {kind}"
            yield finding("unknown-key", message, path=(*path, key), hint="it belongs to kind octopush: remove it")


def _secret(path: KeyPath) -> Finding:
    known = CREDENTIALS.get(str(path[1]), {}).get(str(path[-1]), "${NAME}")
    hint = f'write "{known}" and set that variable'
    return finding("secret", f"{named(path)} must not be written out in a file", path=path, hint=hint)


def _ledger(file: EnvironmentFile, path: KeyPath) -> Iterator[Finding]:
    if file.ledger is None or reference(file.ledger.url):
        return
    at, url = (*path, "ledger", "url"), file.ledger.url
    if re.search(r"//[^/]*@|password", url):
        yield _secret(at)
    elif not re.match(r"sqlite:///.|postgresql://.", url):
        message = f"{named(at)} must begin with sqlite:/// or postgresql://, or be ${{NAME}}"
        yield finding("wrong-value", message, path=at, hint="for example sqlite:///ledger.db, beside octoplan.yaml")


def _quiet_times(file: ProjectFile) -> Iterator[Finding]:
    """Only where every environment is a rehearsal may doubt be closed within moments."""
    live = any(not environment.sandbox for environment in file.environments.values())
    for name, provider in file.providers.items():
        if live and provider.quiet_time < _LEAST_QUIET_TIME:
            path = ("providers", name, "quiet_time")
            message = f"{named(path)} must be at least 2m: an environment is live"
            yield finding("wrong-value", message, path=path, limit="2m", hint="only rehearsals can have less")


def _settings(file: ProjectFile) -> Settings:
    providers = {name: _account(name, provider) for name, provider in file.providers.items()}
    providers = providers or {"octopush": _account("octopush", ProviderFile())}
    usual = "octopush" if "octopush" in providers else next(iter(providers))
    return Settings(
        campaigns=file.campaigns,
        defaults=Defaults(**{**dict(file.defaults), "provider": file.defaults.provider or usual}),
        suppressions=file.suppressions,
        limits=_limits(file.limits),
        vars=file.vars,
        test_contacts=file.test_contacts,
        providers=providers,
        environments={name: _environment(name, inner) for name, inner in file.environments.items()},
        connections=file.connections,
    )


def _account(name: str, file: ProviderFile) -> ProviderSettings:
    kind = file.kind or name
    return ProviderSettings(
        name=name,
        kind=kind,
        credentials={key: getattr(file, key) or usual for key, usual in CREDENTIALS[kind].items()},
        prices=file.prices or f"prices/{name}.yaml",
        workers=file.workers,
        rate=file.rate,
        merge_fields=file.merge_fields,
        single_channel_request_id=file.single_channel_request_id,
        own_tag_paths=file.own_tag_paths,
        quiet_time=file.quiet_time,
    )


def _environment(name: str, file: EnvironmentFile) -> Environment:
    return Environment(
        name=name,
        sandbox=file.sandbox,
        ledger_url=file.ledger.url if file.ledger else None,
        ledger_id=file.ledger.id if file.ledger else None,
        vars=file.vars,
        limits=_limits(file.limits),
    )


def _limits(file: ProjectLimitsFile) -> ProjectLimits:
    per_contact = file.per_contact and PerContact(**dict(file.per_contact))
    return ProjectLimits(**{**dict(file), "per_contact": per_contact})


def _loosened(file: ProjectFile, environment: EnvironmentFile, *, path: KeyPath) -> Iterator[Finding]:
    outer, inner = _limits(file.limits), _limits(environment.limits)
    yield from loosened(outer, inner, path=path)
    wide, narrow = outer.per_contact, inner.per_contact
    if wide and narrow and (narrow.messages > wide.messages or narrow.days < wide.days):
        yield beyond((*path, "per_contact"), str(narrow), limit=str(wide))
    most, least = outer.min_balance, inner.min_balance
    if most and least and (least.currency != most.currency or least.amount < most.amount):
        yield beyond((*path, "min_balance"), str(least), limit=str(most))


def _tightest(outer: ProjectLimits, inner: ProjectLimits) -> ProjectLimits:
    sending = tightest(outer, inner)
    return ProjectLimits(
        max_cost=sending.max_cost,
        max_unit_price=sending.max_unit_price,
        max_contacts=sending.max_contacts,
        max_parts=sending.max_parts,
        countries=sending.countries,
        senders=sending.senders,
        per_contact=inner.per_contact or outer.per_contact,
        min_balance=inner.min_balance or outer.min_balance,
    )
