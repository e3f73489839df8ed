"""Routee, by `POST /voice/campaign`, `/voice/analysis` and `/voice/tracking`.

It knows no request id: a repeated campaign is a second one, unless its `name` is taken. So nothing is ever asked for
again; what became of a request is read from the records of its calls.
"""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from octoplan.core.errors import InputError
from octoplan.core.model import (
    Agreed,
    Channel,
    Effect,
    Exchange,
    Money,
    Outcome,
    Quote,
    Receipt,
    Reply,
    Request,
    Verdict,
    Wait,
)
from octoplan.core.outcome import Hints, consult, judge, revoked
from octoplan.core.rules import finding, sender, voice
from octoplan.core.rules.offered import not_offered
from octoplan.providers.provider import Limits, Simulated, Tokens, left_at_once, opinion, refuse_unsendable
from octoplan.providers.reply import Unusable, decode
from octoplan.providers.routee import answers, body
from octoplan.providers.routee.contract import check_analysis, check_campaign, check_search

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from octoplan.core.model import Batch, Campaign, Finding, History, Seen, Step
    from octoplan.core.settings import ProviderSettings
    from octoplan.providers.provider import Lost, Sent

CAMPAIGN, ANALYSIS, TRACKING = "/voice/campaign", "/voice/analysis", "/voice/tracking"
PRICES = "/system/prices?service=Voice"
BALANCE = "/accounts/me/balance"
PAGE = "?page=0&size=100"

LANGUAGES = (
    *("en-US", "de-DE", "fr-FR", "it-IT", "pt-BR", "es-ES", "es-LA"),
    *("en-GB", "el-GR", "bg-BG", "pl-PL", "hu-HU", "sv-SE", "ru-RU"),
)
"""The languages its voices speak."""

OCTOPUSH = ("audience.list", "audience.tag", "options.list_name")
"""Keys that Octopush has and Routee does not."""

LONGEST_TEXT = 1000

MINUTE = 60
"""Seconds that a price of the provider's list is for; which they are is documented nowhere."""

LOOKS = 4
"""How often an audience is asked about, where no usable answer comes."""

DELETED = (200, 204)
"""What a successful cancel may answer; which it is is documented nowhere."""

HINTS = Hints(
    refused="it may have left, or been cancelled before: look in Routee's back office",
    unproved="look in Routee's back office whether it was cancelled",
    reason="the answer does not say that it was cancelled",
)
UNTOLD = "Routee does not tell what became of it: {}"


class Routee:
    """The provider. It keeps nothing; one instance serves every thread."""

    kind = "routee"
    limits = Limits(channels=(Channel.VOICE,), batch_size=1000, request_id_window=None, text=LONGEST_TEXT)
    host = "https://connect.routee.net"
    sandbox_path = "/routee"
    credentials: tuple[str, ...] = ("application_id", "application_secret")
    stop_mention = ""
    failed = ""

    def __init__(self) -> None:
        ask = Request(
            method="POST",
            path="/oauth/token",
            effect=Effect.READ,
            body=b"grant_type=client_credentials",
            media="application/x-www-form-urlencoded",
        )
        self.tokens: Tokens | None = Tokens(
            host="https://auth.routee.net", sandbox_path="/routee-auth", ask=ask, read=_token
        )

    def adapted(self, settings: ProviderSettings) -> Routee:  # noqa: ARG002  no setting changes what it does
        """Return it as one account's settings have it."""
        return self

    def login(self, credentials: Mapping[str, str]) -> str:
        """Return the id of the application, which names the account."""
        return credentials["application_id"]

    def headers(self, credentials: Mapping[str, str]) -> dict[str, str]:
        """Return what authenticates the request for a token (HTTP Basic).

        Raises:
            Refused: no header can carry these credentials.
        """
        refuse_unsendable(self.kind, credentials, names=self.credentials)
        pair = f"{credentials['application_id']}:{credentials['application_secret']}"
        return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    def check(self, campaign: Campaign) -> tuple[Finding, ...]:
        """Return what Routee cannot do for a campaign."""
        return (
            *_channel(campaign),
            *sender.check(campaign, sender.CALLER),
            *not_offered(campaign, OCTOPUSH, kind=self.kind, has="octopush"),
            *voice.check_languages(campaign, LANGUAGES),
        )

    def simulate(self, batch: Batch, answered: tuple[Exchange, ...]) -> Request | Simulated:
        """Return the request that counts a batch's recipients, the one for the prices, then what that comes to."""
        if not answered:
            return _analysis(batch)
        counted = consult(answered[0].seen, answers.read_analysis)
        if isinstance(counted, Outcome):
            return opinion(counted)
        if len(answered) == 1:
            return Request(method="GET", path=PRICES, effect=Effect.READ)
        priced = consult(answered[1].seen, answers.read_prices)
        if isinstance(priced, Outcome) and priced.verdict is not Verdict.REJECTED:
            return opinion(priced)
        cost = None if isinstance(priced, Outcome) else _cost(batch, answered)
        return Simulated(contacts=counted.contacts, cost=cost, countries=_analysed(answered).countries)

    def next(self, batch: Batch, history: History) -> Step | Outcome:
        """Return what to do for `batch`: the campaign, once; first a count of an audience that Routee holds."""
        since = history
        if batch.campaign.audience.held:
            agreed = [index for index, item in enumerate(history) if isinstance(item, Agreed)]
            if not agreed:
                return _counted(batch, history)
            since = history[agreed[-1] + 1 :]
        if since and isinstance(since[-1], Exchange):
            sent = json.loads(since[-1].request.body)
            return judge(batch, since, read=partial(answers.read_campaign, sent=sent))
        content = body.campaign(batch)
        return _kept(CAMPAIGN, content, effect=Effect.SEND, problems=check_campaign(content))

    def evidence(self, lost: Lost, answered: tuple[Exchange, ...]) -> Request | Outcome:
        """Return the look at the calls of a campaign by its tracking id, where that is known, then by its name.

        Calls prove that it was sent. That there are none proves nothing: what the records of a campaign show before
        its calls begin is not documented.
        """
        looks = [*([_calls_of(lost.ticket)] if lost.ticket else []), _calls_named(lost.request_id)]
        told = ""
        for place, look in enumerate(looks):
            if place == len(answered):
                return look
            name = lost.request_id if look.method == "POST" else ""
            found = consult(answered[place].seen, partial(answers.read_tracking, name=name))
            if isinstance(found, Receipt) and found.contacts:
                ticket = "" if name else lost.ticket
                told = f"Routee's records have {found.contacts:,} calls of it"
                return Outcome(verdict=Verdict.ACCEPTED, reason=told, receipt=Receipt(ticket=ticket))
            told = found.reason if isinstance(found, Outcome) else "its records have no call of it"
        return Outcome(verdict=Verdict.IN_DOUBT, reason=UNTOLD.format(told))

    def discard(self, channel: Channel, kind: str, *, ticket: str) -> Request:  # noqa: ARG002  as the protocol has it
        """Return the request that cancels a campaign: Routee prepares none, so that none is left to discard."""
        return _deleted(ticket)

    def cancel(self, sent: Sent) -> Request | Outcome:
        """Return the request that cancels what is scheduled; an outcome is REJECTED: why it cannot be."""
        return left_at_once(sent) or _deleted(sent.ticket)

    def cancelled(self, seen: Seen) -> Outcome:
        """Read the answer to `cancel`; what a successful one says is not documented, but that it is no error."""
        return revoked(seen, answers.read_cancel, proof=_is_deleted, hints=HINTS)

    def balance(self) -> Request:
        """Return the request that reads the account's balance."""
        return Request(method="GET", path=BALANCE, effect=Effect.READ)

    def read_balance(self, seen: Seen) -> Money | Outcome:
        """Read the answer to `balance`; an outcome is REFUSED (the credentials), REJECTED or UNREACHABLE."""
        found = consult(seen, answers.read_balance)
        if isinstance(found, Outcome):
            return found
        return Money(amount=found.credit or Decimal(0), currency=found.details["currency"])

    def may_plan(self, request: Request) -> bool:
        """Tell whether `request`, judged by its outgoing bytes alone, cannot send anything: it reads, or analyses."""
        if request.effect is not Effect.READ:
            return False
        match request.method, request.path.partition("?")[0]:
            case "GET", _:
                return not request.body
            case "POST", path if path == TRACKING:
                return not check_search(request.body)
            case "POST", path if path == ANALYSIS:
                return not check_analysis(request.body)
        return False


def _token(reply: Reply) -> dict[str, str] | None:
    try:
        token = decode(reply.body).get("access_token")
    except Unusable:
        return None
    usable = isinstance(token, str) and token.isascii() and token.isprintable() and " " not in token and token
    return {"authorization": f"Bearer {token}"} if usable else None


def _channel(campaign: Campaign) -> Iterator[Finding]:
    if campaign.channel is not Channel.VOICE:
        message = "Routee sends voice campaigns alone"
        value = campaign.channel.value
        yield finding("wrong-value", message, path=("channel",), value=value, limit="voice", hint="use channel voice")


def _kept(path: str, content: bytes, *, effect: Effect, problems: tuple[Finding, ...]) -> Request:
    """Return a request that keeps the contract of its call."""
    if problems:
        raise InputError(problems)
    return Request(method="POST", path=path, effect=effect, body=content)


def _analysis(batch: Batch) -> Request:
    content = body.analysis(batch)
    return _kept(ANALYSIS, content, effect=Effect.READ, problems=check_analysis(content))


def _calls_named(name: str) -> Request:
    content = body.search(name)
    return _kept(TRACKING + PAGE, content, effect=Effect.READ, problems=check_search(content))


def _calls_of(ticket: str) -> Request:
    path = f"{TRACKING}/campaign/{quote(ticket, safe='')}{PAGE}"
    return Request(method="GET", path=path, effect=Effect.READ)


def _deleted(ticket: str) -> Request:
    return Request(method="DELETE", path=f"{CAMPAIGN}/{quote(ticket, safe='')}", effect=Effect.CANCEL)


def _is_deleted(reply: Reply) -> bool:
    if reply.status not in DELETED:
        return False
    return not reply.body.strip() or answers.read_cancel(reply).receipt is not None


def _analysed(answered: tuple[Exchange, ...]) -> answers.Analysed:
    """Return what the first of these answers counts, which is known to be usable."""
    return answers.analysed(cast("Reply", answered[0].seen))


def _cost(batch: Batch, answered: tuple[Exchange, ...]) -> Decimal | None:
    """Return what a batch costs by the provider's own prices; None where they do not say.

    Answered calls are billed by the second; all are counted here as answered, and heard to the end.
    """
    found, listed = _analysed(answered), answers.price_list(cast("Reply", answered[1].seen))
    is_whole = sum(found.countries.values()) >= found.contacts and found.countries.keys() <= listed.mobile.keys()
    if listed.currency != batch.currency or not is_whole:
        return None
    seconds = Decimal(batch.parts * batch.step) / batch.contacts
    each = (number * listed.mobile[country] for country, number in found.countries.items())
    return sum(each, start=Decimal(0)) * seconds / MINUTE


def _counted(batch: Batch, history: History) -> Step | Outcome:
    """Return the count of an audience that Routee holds, priced by the project's book, or how to come by it."""
    looks = [item.seen for item in history if isinstance(item, Exchange)]
    if not (history and isinstance(history[-1], Exchange)):
        return _analysis(batch)
    found = consult(looks[-1], answers.read_analysis)
    if isinstance(found, Outcome):
        again = found.verdict is Verdict.UNREACHABLE and len(looks) < LOOKS
        return Wait(seconds=2.0 ** (len(looks) - 1), reason=found.reason) if again else found
    return _quoted(batch, _analysed(tuple(item for item in history[-1:] if isinstance(item, Exchange))))


def _quoted(batch: Batch, found: answers.Analysed) -> Quote | Outcome:
    """Return what a count comes to; people of whom no country is told cost what the dearest one does."""
    unpriced = sorted(found.countries.keys() - batch.rates.keys())
    if unpriced:
        told = f"the price book has no price for calls to {', '.join(unpriced)}"
        return Outcome(verdict=Verdict.REJECTED, reason=told, hint="add the price, or take these contacts out")
    known = sum(number * batch.rates[country] for country, number in found.countries.items())
    others = max(0, found.contacts - sum(found.countries.values()))
    cost = known + others * max(batch.rates.values(), default=Decimal(0))
    return Quote(contacts=found.contacts, cost=cost, countries=found.countries)
