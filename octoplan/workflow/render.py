"""One contact's message, as it would be read and as it would travel.

The address is masked, and the request id left out: it is made of all contacts of the batch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from octoplan.audience import Engine
from octoplan.core import keys, parts, spoken
from octoplan.core.address import read
from octoplan.core.batch import Packer
from octoplan.core.compose import Composer
from octoplan.core.errors import Refused
from octoplan.core.held import HeldPacker
from octoplan.core.measure import Terms
from octoplan.core.merging import Merging
from octoplan.core.message import leaves
from octoplan.core.model import Agreed, Channel, Kind, Request
from octoplan.core.plan import money_text
from octoplan.workflow.names import query
from octoplan.workflow.plan import load, one

if TYPE_CHECKING:
    from octoplan.core.model import Batch, Campaign
    from octoplan.project import Project

WHOM = ("recipients", "to", "contacts")
"""Fields of a request that say whom it is for."""

MASK = "…"
MASKS = {"phone_number": "+…", "email": "…@…"}
"""What stands for an address in a recipient of a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """One contact's message; `key` is the contact key in hexadecimal.

    `content` is every text of it, by path; `encoding` and `units` are those of an SMS, `seconds` what a
    call takes to be said.
    """

    campaign: str
    key: str
    country: str
    content: dict[str, str]
    encoding: str
    units: int
    seconds: int
    parts: int
    cost: str
    body: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {name: getattr(self, name) for name in self.__slots__}


def render(project: Project, word: str, *, contact: str | None, longest: bool) -> Rendered:
    """Render one contact of the one campaign that `word` selects: the first, the longest, or the given one.

    Raises:
        Refused: not exactly one campaign, or no such contact.
    """
    loaded = load(project, [word])
    campaign = one(loaded, word)
    key = _key(project)
    prices = loaded.prices[campaign.provider]
    if campaign.audience.held and contact is not None:
        told = f"{campaign.id} goes to {campaign.audience.held}, whose contacts the provider alone knows"
        raise Refused(f"{told}: leave --contact out", reason="contact-missing")
    if campaign.audience.held:
        return _to_everybody(project, HeldPacker(campaign=campaign, prices=prices, key=keys.held_key(key)))
    packer, carrier = Packer(campaign, prices, 1), Packer(campaign, prices, 1)
    merging = Merging(campaign, project.provider(campaign.provider).limits.merge_fields)
    countries: dict[bytes, str] = {}
    with Engine(project.temporary_folder(), root=project.root) as engine:
        resolved = engine.resolve(query(project, campaign, key=key))
        terms = _terms(project, campaign, step=prices.voice_step)
        composer = Composer(campaign, live=not project.surroundings.sandbox, sizes=resolved.sizes, terms=terms)
        for rows in resolved.chunks():
            composed = composer.compose(rows)
            packer.add(rows, composed.contents, parts=composed.parts)
            carrier.add(rows, composed.contents, parts=composed.parts, merged=merging.merge(rows, composed))
            countries.update(zip(rows.keys, rows.countries, strict=True))
    wanted = None if contact is None else _wanted(contact, campaign, key=key)
    found = [batch for batch in packer.batches(first=True) if wanted is None or batch.keys[0].hex().startswith(wanted)]
    if not found:
        raise Refused(f"no such contact in the audience of {campaign.id}", reason="contact-missing")
    batch = max(found, key=_length) if longest else found[0]
    carried, _ = carrier.rebuild(batch.keys[0], first=batch.first)
    return _rendered(batch, _body(project, carried or batch), country=countries[batch.keys[0]])


def _to_everybody(project: Project, packer: HeldPacker) -> Rendered:
    """Render what everybody gets of whom the provider alone knows."""
    campaign = packer.campaign
    terms = _terms(project, campaign, step=packer.prices.voice_step)
    composer = Composer(campaign, live=not project.surroundings.sandbox, sizes={}, terms=terms)
    composed = composer.compose(packer.rows)
    packer.say(composed.contents[0], parts=composed.parts[0])
    batch = next(packer.batches(first=True))
    return _rendered(replace(batch, parts=composed.parts[0]), _body(project, batch), country=packer.rows.countries[0])


def _terms(project: Project, campaign: Campaign, *, step: int) -> Terms:
    """Return what its messages are measured by; a recording is not read here."""
    return Terms(text=project.provider(campaign.provider).limits.text, step=step)


def _body(project: Project, batch: Batch) -> dict[str, Any]:
    request = project.provider(batch.campaign.provider).next(batch, (Agreed(),))
    return masked(json.loads(request.body)) if isinstance(request, Request) else {}


def _key(project: Project) -> bytes:
    """Return the key contacts are known by: lasting where it can be, so that the next call finds the same one."""
    return project.key if project.surroundings.kind is Kind.SANDBOX else project.preview_key


def _wanted(contact: str, campaign: Campaign, *, key: bytes) -> str:
    address = read(contact, country=campaign.audience.country)
    return contact.lower() if address is None else keys.contact_key(key, address).hex()


def _length(batch: Batch) -> int:
    return sum(len(text) for _, text in leaves(batch.content))


def _rendered(batch: Batch, body: dict[str, Any], *, country: str) -> Rendered:
    text, channel = batch.content.text or "", batch.campaign.channel
    measured = parts.measure(text) if channel is Channel.SMS else parts.Parts("", 0, batch.parts)
    return Rendered(
        campaign=batch.campaign.id,
        key=batch.keys[0].hex(),
        country=country,
        content=dict(leaves(batch.content)),
        encoding=measured.encoding,
        units=measured.units,
        seconds=spoken.seconds(text) if channel is Channel.VOICE and text else 0,
        parts=measured.parts,
        cost=f"{money_text(batch.cost)} {batch.currency}",
        body=body,
    )


def masked(body: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a request without its recipients' addresses, and what their provider knows them by."""
    return {name: _masked(value) if name in WHOM else value for name, value in body.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, list):
        return [_masked(each) for each in value]
    if isinstance(value, dict):
        return {field: MASKS.get(field, each) for field, each in value.items()}
    return MASK
