"""The wire model of Routee's calls: a batch becomes its exact bytes.

`POST /voice/campaign` has no request id: what is unique is its `name`, and that is the batch's request id. Fields that
were not asked for are left out, so the same batch gives the same bytes on every machine and every attempt.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

import orjson

from octoplan.core.model import Purpose

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from octoplan.core.model import Batch, Callback

STRATEGIES: Mapping[str, str] = {"change": "OnChange", "completion": "OnCompletion"}


def campaign(batch: Batch) -> bytes:
    """Return the body of `POST /voice/campaign`. Its `scheduledDate` is in UTC, as the documentation has it."""
    of = batch.campaign
    options = of.options
    quiet = options.respect_quiet_hours
    body = {
        "name": batch.request_id or None,
        **_asked(batch),
        "respectQuietHours": of.purpose is Purpose.MARKETING if quiet is None else quiet,
        "scheduledDate": of.schedule.send_at and moment(of.schedule.send_at),
        "hangupDelay": options.ring_seconds,
        "callback": _callback(options.callback),
        "campaignCallback": _callback(options.campaign_callback),
        "collectDtmfDigits": options.collect_keys,
        "collectDtmfAwaitSeconds": options.key_wait_seconds,
    }
    return orjson.dumps(_given(body))


def analysis(batch: Batch) -> bytes:
    """Return the body of `POST /voice/analysis`: whom and what, and no name, which it might take."""
    return orjson.dumps(_given(_asked(batch)))


def search(name: str) -> bytes:
    """Return the body of `POST /voice/tracking` that finds the calls of the campaign of this name."""
    return orjson.dumps([{"fieldName": "campaign", "searchOperator": "is", "searchTerm": name}])


def moment(at: datetime) -> str:
    """Return a moment as Routee writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _asked(batch: Batch) -> dict[str, Any]:
    of, content = batch.campaign, batch.content
    audience = of.audience
    message = {"text": content.text, "language": content.language, "gender": of.message.gender}
    return {
        "from": of.sender,
        "to": None if audience.held else batch.addresses,
        "groups": audience.groups,
        "contacts": audience.contact_ids,
        "message": None if content.audio else _given(message),
        "fileURL": content.audio and content.audio.url,
    }


def _callback(callback: Callback | None) -> dict[str, str] | None:
    return None if callback is None else {"url": callback.url, "strategy": STRATEGIES[callback.when]}


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
