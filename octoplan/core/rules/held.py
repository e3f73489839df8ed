"""What an audience that the provider holds cannot have: octoplan knows nobody in it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from octoplan.core.model import Channel
from octoplan.core.quantity import quantity
from octoplan.core.rules import ERROR, finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from octoplan.core.model import Audience, Campaign, Finding, Place, Quote

RULE = "provider-held"

PREPARED = ("list", "tag")
"""What is prepared before it is counted: of anything else the provider tells at once how many are where."""

FEW = 10
"""An audience that has had and has fewer contacts than this may change freely."""

_WORDS = {"groups": "groups hold", "contact_ids": "contact ids name"}
INSTEAD = "write the same text for everybody, or export the contacts to a file and name that under `audience.file`"


def check_columns(campaign: Campaign, uses: Mapping[str, Place]) -> Iterator[Finding]:
    """Yield an error for each contact column that a text `uses`, where that is not a column of anything."""
    for column, place in uses.items() if campaign.audience.held else ():
        message = f"the text names `contact.{column}`: {_unknown(campaign.audience)}"
        yield finding(RULE, message, severity=ERROR, path=("message", "text"), place=place, hint=INSTEAD)


def check(campaign: Campaign) -> Iterator[Finding]:
    """Yield what is wrong with a campaign on what the provider holds, and that less is promised of it."""
    held = campaign.audience.held
    if not held:
        return
    told = _unknown(campaign.audience)
    if campaign.message.locale is not None:
        said = f"`message.locale` chooses a text by a column: {told}"
        yield finding(RULE, said, severity=ERROR, path=("message", "locale"), hint=INSTEAD)
    if campaign.options.list_name is not None:
        said = "`options.list_name` would store as a list whoever is in one"
        yield finding(RULE, said, severity=ERROR, path=("options", "list_name"), hint="remove it")
    counted = campaign.audience.kind not in PREPARED
    if campaign.channel is Channel.VOICE and not counted:
        purpose = campaign.purpose.value
        said = f"the call for a list or tag has no `purpose`: that this is {purpose} is not transmitted"
        hint = "where that matters, export the contacts to a file and name that under `audience.file`"
        yield finding("voice-purpose", said, path=("purpose",), value=purpose, hint=hint)
    unapplied = ("suppression lists", "`limits.per_contact`", *(() if counted else ("`limits.countries`",)))
    said = (
        f"{told}: {', '.join(unapplied)} and how often somebody may be called cannot be applied to it, nor can be told "
        "who gets another campaign, too"
    )
    holds = _WORDS.get(campaign.audience.kind, "list holds")
    hint = f"see to it that the provider's {holds} nobody who must not get this, then accept it under `allow`"
    yield finding(RULE, said, path=("audience", campaign.audience.kind), value=held, hint=hint)


def beyond(campaign: Campaign, quote: Quote, *, last: int | None) -> Iterator[str]:
    """Yield what the provider counts beyond what was approved; `last` is how many contacts the last edition had."""
    limits, expect = campaign.limits, campaign.audience.expect
    counted = quantity(quote.contacts, "contact")
    if limits.max_contacts is None or quote.contacts > limits.max_contacts:
        yield f"{counted}, `limits.max_contacts` is {limits.max_contacts or 0:,}"
    if limits.max_cost is None or quote.cost > limits.max_cost.amount:
        yield f"{quote.cost} is its cost, `limits.max_cost` is {limits.max_cost}"
    outside = [] if limits.countries is None else sorted(quote.countries.keys() - set(limits.countries))
    if outside:
        yield f"contacts in {', '.join(outside)}, `limits.countries` is {', '.join(limits.countries or ())}"
    if quote.contacts < max(1, expect.min or 0):
        yield f"{counted}, at least {max(1, expect.min or 0):,} are expected"
    if last is not None and max(last, quote.contacts) >= FEW:
        change = Decimal(abs(quote.contacts - last)) / max(last, 1)
        if change > expect.max_change:
            yield f"{counted}, the last edition had {last:,}: more of a change than `expect.max_change`"


def check_counted(campaign: Campaign, quote: Quote, *, last: int | None) -> Iterator[Finding]:
    """Yield an error where what the provider counts while planning is more than is approved: apply would refuse it."""
    told = "; ".join(beyond(campaign, quote, last=last))
    if told:
        hint = "make the audience at the provider smaller, or raise the limit in a reviewed change"
        path = ("audience", campaign.audience.kind)
        yield finding("simulation-refused", f"the provider counts {told}", path=path, hint=hint)


def check_edition(campaign: Campaign, begun: str | None) -> Iterator[Finding]:
    """Yield an error where an edition that was `begun` with addresses goes on with what is held, or the reverse.

    `begun` is what the provider held of it, in words; empty: addresses; None: nobody was sent it.
    """
    held = campaign.audience.held
    if begun is None or bool(begun) is bool(held):
        return
    was, now = begun or "addresses", held or "addresses"
    message = f"this edition was begun with {was}: who of them is among the {now} nobody can tell"
    hint = "raise `edition` to send to another audience, or go back to that one"
    yield finding(RULE, message, severity=ERROR, path=("audience",), hint=hint)


def check_excluded(others: Iterable[str]) -> Iterator[Finding]:
    """Yield a warning for each excluded campaign that was sent to a list or tag: nobody is excluded by it."""
    for name in others:
        message = f"{name} was sent to an audience of the provider: who got it nobody can tell, nobody is excluded"
        hint = "exclude a file with their addresses, or accept it under `allow`"
        yield finding(RULE, message, path=("audience", "exclude"), value=name, hint=hint)


def _unknown(audience: Audience) -> str:
    return f"octoplan does not know who is {'behind' if audience.kind == 'contact_ids' else 'in'} {audience.held}"
