"""A trial: a campaign as `octoplan test` sends it, to test contacts, beside everything real.

Its id is `test:ID`, or `test:ID:LOCALE` of a localised message. No campaign can be called so: ids hold no
colon. What the ledger remembers of a trial thus never concerns anything but trials.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from octoplan.core.model import AddressKind, Audience, Expect

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from octoplan.core.message import Message
    from octoplan.core.model import Campaign

PREFIX = "test:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipients:
    """The test contacts a campaign can reach; `country` is that of national numbers, `others` counts the rest."""

    addresses: tuple[str, ...] = field(repr=False)
    country: str | None
    others: int = 0


def is_trial(campaign: str) -> bool:
    """Tell whether an id is that of a trial."""
    return campaign.startswith(PREFIX)


def tried(campaign: str) -> str:
    """Return the id of the campaign that a trial tries; any other id is its own."""
    return campaign.removeprefix(PREFIX).partition(":")[0]


def recipients(written: Iterable[str], kind: AddressKind, *, country: str | None) -> Recipients:
    """Return the addresses of one kind; whether anybody can be contacted there is judged as in an audience."""
    given = tuple(written)
    chosen = tuple(one for one in given if ("@" in one) is (kind is AddressKind.EMAIL))
    return Recipients(addresses=chosen, country=country, others=len(given) - len(chosen))


def trials(campaign: Campaign, to: Recipients, *, columns: Iterable[str]) -> tuple[Campaign, ...]:
    """Return what to send instead of a campaign: one trial for each language of its message.

    A contact's columns have the values of `audience.fallback`, else their own names: a trial carries
    nothing of a real contact. It leaves at once and stores no list; limits, options and `allow` are the campaign's.
    """
    locale = campaign.message.locale
    named = tuple(columns)
    made = []
    for name in campaign.message.locales:
        values = {column: campaign.audience.fallback.get(column, column) for column in named}
        if locale:
            values[locale.column] = name
        trial = replace(
            campaign,
            id=f"{PREFIX}{campaign.id}:{name}" if name else f"{PREFIX}{campaign.id}",
            edition=1,
            audience=_audience(campaign.audience, to, values=values),
            message=_said(campaign.message, name),
            schedule=replace(campaign.schedule, send_at=None),
            options=replace(campaign.options, list_name=None),
        )
        made.append(trial)
    return tuple(made)


def renumbered(campaigns: Iterable[Campaign], edition: int) -> tuple[Campaign, ...]:
    """Return trials as an edition of their own: nobody in it was sent it before."""
    return tuple(replace(campaign, edition=edition) for campaign in campaigns)


def _audience(real: Audience, to: Recipients, *, values: Mapping[str, str]) -> Audience:
    """Return the test contacts as an audience of which nothing is expected."""
    return Audience(
        address=real.address,
        country=to.country,
        contacts=tuple({**values, real.address: address} for address in to.addresses),
        fallback={name: value for name, value in real.fallback.items() if name in values},
        expect=Expect(max_invalid=Decimal(1)),
    )


def _said(message: Message, locale: str) -> Message:
    """Return a message in one of its languages."""
    if message.locale is None:
        return message
    content = message.content(locale)
    return replace(
        message,
        text=content.text,
        subject=content.subject,
        template=content.template,
        language=content.language,
        locale=None,
    )
