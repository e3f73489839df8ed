"""Octopush, by `POST /multi-channel/send`, `DELETE /multi-channel/cancel` and `GET /wallet/check-balance`.

Campaigns on a list or tag that it holds have calls of their own, see `held`. Batches with placeholders travel, and are
cancelled, by the calls below `/sms-campaign` and `/voice-campaign`.

It tries to interpret wrong parameters and sends anyway, so every body is held against the pinned
contract before it may leave.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from octoplan.core.errors import InputError
from octoplan.core.model import Effect, Exchange, Money, Outcome, Request, Verdict
from octoplan.core.outcome import consult, judge
from octoplan.core.rules import sender, voice
from octoplan.providers.octopush import answers, body, cancel, held, offered, single
from octoplan.providers.octopush.contract import check_body, check_single
from octoplan.providers.provider import Limits, left_at_once, opinion, refuse_unsendable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from octoplan.core.merge import MergeFields
    from octoplan.core.model import Batch, Campaign, Channel, Finding, History, Seen, Step
    from octoplan.core.settings import ProviderSettings
    from octoplan.providers.provider import Lost, Sent, Simulated, Tokens

SEND = "/multi-channel/send"
CHECK_BALANCE = "/wallet/check-balance"

BATCH_SIZE = 500
"""Contacts a request, by the page of the multi-channel call."""

READS = {("GET", CHECK_BALANCE)}
SIMULATES = {
    ("POST", SEND),
    *(("POST", path) for path in single.PATHS.values()),
    *(("POST", held.Held(call=call, kind=kind).path("create")) for call in held.CALLS.values() for kind in held.KINDS),
}

LANGUAGES = (
    *("en-US", "en-GB", "el-GR", "pl-PL", "hu-HU", "sv-SE", "de-DE"),
    *("es-ES", "es-LA", "fr-FR", "it-IT", "pt-BR", "ru-RU"),
)
"""The languages its voices speak."""

CURRENCIES: Mapping[str, str] = {"euros": "EUR", "EUR": "EUR"}
"""The wallet's units; a balance asked per product has the product's name instead."""


class Octopush:
    """The provider. It keeps nothing; one instance serves every thread.

    `own_tag_paths`: tags have paths of their own, as older pages show them; else they go to those of lists.
    `merge_fields` is None where an account wants none.
    """

    kind = "octopush"
    host = "https://api.octopush.com/v1/public"
    sandbox_path = "/octopush/v1/public"
    credentials: tuple[str, ...] = ("login", "key")
    stop_mention = "STOP au XXXXX"
    failed = held.FAILED
    tokens: Tokens | None = None

    def __init__(self, *, own_tag_paths: bool = False, merge_fields: MergeFields | None = single.FIELDS) -> None:
        self.own_tag_paths = own_tag_paths
        self.limits = Limits(
            channels=tuple(body.CHANNELS),
            batch_size=BATCH_SIZE,
            request_id_window=timedelta(hours=22),
            merge_fields=merge_fields,
        )

    def adapted(self, settings: ProviderSettings) -> Octopush:
        """Return it as one account's settings have it."""
        fields = replace(single.FIELDS, carries_id=settings.single_channel_request_id)
        return Octopush(
            own_tag_paths=settings.own_tag_paths, merge_fields=None if settings.merge_fields == "never" else fields
        )

    def login(self, credentials: Mapping[str, str]) -> str:
        """Return the login that names the account."""
        return credentials["login"]

    def headers(self, credentials: Mapping[str, str]) -> dict[str, str]:
        """Return what authenticates a request; raises `Refused` for credentials no header can carry."""
        refuse_unsendable(self.kind, credentials, names=self.credentials)
        return {"api-login": credentials["login"], "api-key": credentials["key"]}

    def check(self, campaign: Campaign) -> tuple[Finding, ...]:
        """Return what Octopush cannot do for a campaign."""
        return (
            *sender.check(campaign, sender.NAME),
            *voice.check_languages(campaign, LANGUAGES),
            *held.check(campaign),
            *offered.check(campaign),
        )

    def simulate(self, batch: Batch, answered: tuple[Exchange, ...]) -> Request | Simulated:
        """Return the one request that asks what `batch` would be, and read its answer."""
        if answered:
            found = opinion(consult(answered[-1].seen, answers.read_simulation))
            return replace(found, contacts=None, cost=None) if batch.campaign.audience.held else found
        if batch.campaign.audience.held:
            return held.simulate(batch, of=self._calls(batch.campaign))
        return self._call(batch, Effect.SIMULATE)

    def next(self, batch: Batch, history: History) -> Step | Outcome:
        """Return what to do for `batch`: after nothing, a wait or an unanswered attempt, the request that sends it.

        Nothing that Octopush documents tells what became of a request without its ticket: only the
        identical request, while its id is remembered, is answered as a duplicate.
        """
        if batch.campaign.audience.held:
            return held.step(batch, history, of=self._calls(batch.campaign))
        if history and isinstance(history[-1], Exchange):
            return judge(batch, history, read=answers.read_single if batch.names else answers.read_sent)
        return self._call(batch, Effect.SEND)

    def evidence(self, lost: Lost, answered: tuple[Exchange, ...]) -> Request | Outcome:
        """Return the look at what was to be confirmed, or what it showed: of anything else there is no record."""
        if not lost.kind or not lost.ticket:
            told = "Octopush keeps no record that can be asked for"
            told = f"a {lost.kind} is not sent again without a person's word" if lost.kind else told
            return Outcome(verdict=Verdict.IN_DOUBT, reason=told)
        of = held.calls(lost.channel, lost.kind, own_tag_paths=self.own_tag_paths)
        return held.evidence(lost.ticket, answered, of=of)

    def discard(self, channel: Channel, kind: str, *, ticket: str) -> Request:
        """Return the request that cancels what was prepared on a list or tag and not confirmed."""
        return held.cancel(ticket, of=held.calls(channel, kind, own_tag_paths=self.own_tag_paths))

    def cancel(self, sent: Sent) -> Request | Outcome:
        """Return the request that cancels what was sent; an outcome is REJECTED: why it cannot be."""
        if sent.kind:
            of = held.calls(sent.channel, sent.kind, own_tag_paths=self.own_tag_paths)
            return left_at_once(sent) or held.cancel(sent.ticket, of=of)
        return cancel.cancel(sent)

    def cancelled(self, seen: Seen) -> Outcome:
        """Read the answer to `cancel`: 204 alone proves it."""
        return cancel.read(seen)

    def balance(self) -> Request:
        """Return the request that reads the account's balance."""
        return Request(method="GET", path=CHECK_BALANCE, effect=Effect.READ)

    def read_balance(self, seen: Seen) -> Money | Outcome:
        """Read the answer to `balance`; an outcome is REFUSED (the credentials), REJECTED or UNREACHABLE."""
        found = consult(seen, answers.read_balance)
        if isinstance(found, Outcome):
            return found
        currency = CURRENCIES.get(found.details["unit"])
        if currency is None or found.credit is None:
            return Outcome(verdict=Verdict.UNREACHABLE, reason="the balance is in an unknown unit")
        return Money(amount=found.credit, currency=currency)

    def may_plan(self, request: Request) -> bool:
        """Tell whether `request`, judged by its outgoing bytes alone, cannot send anything.

        A simulation is an object with `simulation_mode` exactly true at top level, no request id at
        any depth, and no key twice: the provider might read the other one.
        """
        call = (request.method, request.path)
        if request.effect is Effect.READ:
            return call in READS and not request.body
        if request.effect is not Effect.SIMULATE or call not in SIMULATES:
            return False
        try:
            fields = json.loads(request.body.decode(), object_pairs_hook=_unique)
        except (ValueError, RecursionError):
            return False
        return isinstance(fields, dict) and fields.get("simulation_mode") is True

    def _calls(self, campaign: Campaign) -> held.Held:
        return held.calls(campaign.channel, campaign.audience.kind, own_tag_paths=self.own_tag_paths)

    def _call(self, batch: Batch, effect: Effect) -> Request:
        simulate = effect is Effect.SIMULATE
        channel = batch.campaign.channel
        if batch.names:
            path, content = single.PATHS[channel], single.send(batch, simulate=simulate)
            problems = check_single(content, body.CHANNELS[channel])
        else:
            path, content = SEND, body.send(batch, simulate=simulate).encode()
            problems = check_body(content)
        if problems:
            raise InputError(problems)
        return Request(method="POST", path=path, effect=effect, body=content)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names) or "request_id" in names:
        raise ValueError("a key twice, or a request id")
    return dict(pairs)
