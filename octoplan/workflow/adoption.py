"""Importing a send made elsewhere: its addresses become keys, and the ledger never owes them that edition."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from octoplan.audience import Engine, Query
from octoplan.core import moment
from octoplan.core.errors import InputError, Refused
from octoplan.core.model import AddressKind, Audience, Channel, Expect
from octoplan.core.quantity import quantity
from octoplan.core.quoting import suggestion, typed
from octoplan.core.rules import reach
from octoplan.core.written.values import ID_PATTERN
from octoplan.ledger import Adopted, Adoption
from octoplan.workflow.plan import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from octoplan.audience import Resolved
    from octoplan.core.model import Campaign
    from octoplan.ledger import Edition, Ledger
    from octoplan.project import Project
    from octoplan.project.files import Loaded
    from octoplan.workflow.progress import Progress

HIDDEN = typed("0600000000")
"""How an address reads that stands where a name belongs."""

KINDS = {AddressKind.PHONE: "telephone numbers", AddressKind.EMAIL: "e-mail addresses"}
OTHERS = {AddressKind.PHONE: AddressKind.EMAIL, AddressKind.EMAIL: AddressKind.PHONE}
USUAL = {AddressKind.PHONE: "phone_number", AddressKind.EMAIL: "email"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person asks to import. None: the campaign's own edition and channel; sent at this moment."""

    campaign: str
    path: Path
    edition: int | None = None
    channel: str | None = None
    at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import came to. `rows` of the file are contacts, `duplicate` or `invalid`, by reason.

    Of the contacts, `new` were taken in; `known` the edition held before, `in_doubt` of them with unknown outcome.
    """

    campaign: str
    edition: int
    file: str
    rows: int
    new: int
    known: int
    in_doubt: int
    duplicate: int
    invalid: Mapping[str, int]
    in_files: bool

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        return {name: getattr(self, name) for name in self.__slots__}

    def lines(self) -> Iterator[str]:
        """Yield it for people."""
        parts = [
            f"imported {quantity(self.new, 'contact')} of {quantity(self.rows, 'row')}",
            f"already known {self.known:,}",
            *([f"duplicate {self.duplicate:,}"] if self.duplicate else []),
            *([f"invalid {sum(self.invalid.values()):,} ({_counts(self.invalid)})"] if self.invalid else []),
        ]
        yield f"{self.campaign} #{self.edition}: {' · '.join(parts)}"
        if self.in_doubt:
            yield (
                f"Of the known, {quantity(self.in_doubt, 'contact')} of batches in doubt: "
                "resolve those as sent, or import again after resolving them as not sent."
            )
        if not self.in_files:
            yield f"No file holds {self.campaign} now: one that is given this id finds them sent."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """The edition that is imported into. `address` is the column of the campaign's own audience."""

    campaign: str
    edition: int
    channel: Channel
    provider: str
    currency: str
    timezone: str
    purpose: str | None = None
    address: str = ""
    country: str | None = None
    expect: Expect = field(default_factory=Expect)
    in_files: bool = False

    @property
    def kind(self) -> AddressKind:
        return self.channel.address_kind


def adopt(project: Project, asked: Asked, *, progress: Progress) -> Imported:
    """Import the contacts of a file into an edition; nobody is taken in unless all of it can be.

    Raises:
        InputError: the file, or a file of the project, must be put right.
        Refused: the campaign is unknown, the channel is another one, too many rows have no address.
        Unfinished: the edition is being applied at this moment.
    """
    loaded = load(project, (asked.campaign,))
    with contextlib.closing(project.open_ledger()) as ledger:
        target = _target(project, loaded, asked=asked, ledger=ledger)
        _refuse_other_kind(target, ledger.edition(target.campaign, target.edition))
        sent_at = _sent_at(asked.at, target, now=project.clock())
        with Engine(project.temporary_folder(), root=project.root) as engine:
            resolved = engine.resolve(_query(project, target, engine=engine, path=asked.path))
            _refuse_invalid(target, resolved)
            keys = _keys(resolved, progress)
        known = {"channel": target.channel.value, "purpose": target.purpose}
        adopted = ledger.adopt(
            Adoption(
                campaign=target.campaign,
                edition=target.edition,
                provider=target.provider,
                currency=target.currency,
                spec=json.dumps({name: value for name, value in known.items() if value}),
                keys=keys,
                sent_at=sent_at,
                actor=project.actor(),
            )
        )
    return _told(target, resolved, adopted=adopted, file=asked.path.name)


def _told(target: _Target, resolved: Resolved, *, adopted: Adopted, file: str) -> Imported:
    return Imported(
        campaign=target.campaign,
        edition=target.edition,
        file=file,
        rows=resolved.rows,
        new=adopted.contacts,
        known=adopted.known,
        in_doubt=adopted.in_doubt,
        duplicate=resolved.excluded.get("duplicate", 0),
        invalid=resolved.invalid_reasons,
        in_files=target.in_files,
    )


def _target(project: Project, loaded: Loaded, *, asked: Asked, ledger: Ledger) -> _Target:
    """Return what is imported into: a campaign of the files, or an id that none holds, with its channel."""
    campaign = next((one for one in loaded.campaigns if one.id == asked.campaign), None)
    if campaign is not None:
        return _of_file(project, campaign, loaded=loaded, asked=asked)
    if loaded.broken:  # it may be in a file of which nothing could be made
        raise InputError(loaded.findings)
    channel = asked.channel or _channel(ledger.edition(asked.campaign, asked.edition or 1))
    if channel is None:
        near = suggestion(asked.campaign, (one.id for one in loaded.campaigns))
        raise Refused(
            f"no file holds campaign {typed(asked.campaign)}: {near} "
            "For a send whose file is gone, give the channel it was sent on: --channel sms|voice|rcs|email",
            reason="campaign-unknown",
        )
    if not re.fullmatch(ID_PATTERN, asked.campaign) or typed(asked.campaign) == HIDDEN:
        raise Refused(f"{typed(asked.campaign)} cannot be a campaign's id", reason="campaign-unknown")
    defaults = project.settings.defaults
    prices = loaded.prices.get(defaults.provider)
    return _Target(
        campaign=asked.campaign,
        edition=asked.edition or 1,
        channel=Channel(channel),
        provider=defaults.provider,
        currency=prices.currency if prices else "",
        timezone=defaults.timezone or "UTC",
        country=defaults.country,
    )


def _of_file(project: Project, campaign: Campaign, *, loaded: Loaded, asked: Asked) -> _Target:
    if asked.channel not in (None, campaign.channel):
        raise Refused(
            f"{campaign.id} is of channel {campaign.channel}, not {asked.channel}: leave --channel out, "
            "or import under an id of its own",
            reason="channel",
        )
    return _Target(
        campaign=campaign.id,
        edition=asked.edition or campaign.edition,
        channel=campaign.channel,
        provider=campaign.provider,
        currency=loaded.prices[campaign.provider].currency,
        timezone=campaign.schedule.timezone,
        purpose=campaign.purpose.value,
        address=campaign.audience.address,
        country=campaign.audience.country or project.settings.defaults.country,
        expect=campaign.audience.expect,
        in_files=True,
    )


def _channel(edition: Edition) -> str | None:
    """Return the channel that an edition was begun on, or imported under."""
    return json.loads(edition.spec).get("channel") if edition.spec else None


def _refuse_other_kind(target: _Target, edition: Edition) -> None:
    if edition.of_provider:
        raise Refused(
            f"{target.campaign} #{target.edition} was begun with an audience of the provider: who of these is in it "
            "nobody can tell; import under an id of its own",
            reason="provider-held",
        )
    begun = _channel(edition)
    before = reach.kind(begun)
    if before and before is not target.kind:
        raise Refused(
            f"{target.campaign} #{target.edition} was begun with {KINDS[before]} (channel {begun}): among "
            f"{KINDS[target.kind]} nobody can be told apart; import under an id of its own",
            reason="other-address",
        )


def _sent_at(text: str | None, target: _Target, *, now: datetime) -> datetime:
    """Return when it was sent; a date alone is its noon."""
    if text is None:
        return now
    try:
        sent_at = moment.local(text if ":" in text else f"{text}T12:00", target.timezone)
    except moment.NoMoment as error:
        raise Refused(f"--at {error}: {error.hint}", reason="at") from error
    if sent_at > now:
        raise Refused("--at is in the future: it says when they were sent it", reason="at")
    return sent_at


def _query(project: Project, target: _Target, *, engine: Engine, path: Path) -> Query:
    path = path.resolve()
    column = engine.address_column(path, target.kind, address=target.address)
    if column is None:
        other = engine.address_column(path, OTHERS[target.kind])
        hint = f"; it has one of {KINDS[OTHERS[target.kind]]}: is the channel right?" if other else ""
        raise Refused(
            f"{path.name} has no column of {KINDS[target.kind]}, by which {target.campaign} ({target.channel}) "
            f"addresses people: call it {target.address or USUAL[target.kind]}{hint}",
            reason="column",
        )
    return Query(
        campaign_audience=Audience(address=column, country=target.country),
        key=project.key,
        kind=target.kind,
        files=(path,),
        fiction=project.surroundings.sandbox,
    )


def _keys(resolved: Resolved, progress: Progress) -> bytes:
    """Return the packed keys of everybody in the file, ascending."""
    packed = []
    progress.begin("import", resolved.contacts)
    for rows in resolved.chunks():
        packed.append(b"".join(rows.keys))
        progress.advance(len(rows.keys))
    progress.end()
    return b"".join(packed)


def _refuse_invalid(target: _Target, resolved: Resolved) -> None:
    """Refuse a file of which too much is no address: it may be another file, or another column."""
    invalid, most = sum(resolved.invalid_reasons.values()), target.expect.max_invalid
    if Decimal(invalid) > resolved.rows * most:
        way = "mend or remove them, or raise `expect.max_invalid`" if target.in_files else "mend or remove them"
        raise Refused(
            f"nothing was imported: {invalid:,} of {quantity(resolved.rows, 'row')} have no valid address of channel "
            f"{target.channel} ({_counts(resolved.invalid_reasons)}), at most {most:.0%} may: {way}",
            reason="audience-invalid",
        )


def _counts(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(reasons.items()))
