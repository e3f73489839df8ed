"""What is kept of the answer to a voice campaign: every key that its documentation names, and nobody's number.

What repeats our request is compared with it, names of people and numbers are counted, figures stay.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from octoplan.core.codes import COUNTRIES
from octoplan.core.quantity import quantity
from octoplan.providers.reply import count, figure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

AS_SENT, DIFFERS = "as sent", "not as sent"

ECHOES: Mapping[str, str] = {
    "callback.strategy": "callback.strategy",
    "callback.url": "callback.url",
    "campaignCallback.strategy": "campaignCallback.strategy",
    "campaignCallback.url": "campaignCallback.url",
    "campaignName": "name",
    "fileURL": "fileURL",
    "from": "from",
    "hangupDelay": "hangupDelay",
    "message.gender": "message.gender",
    "message.language": "message.language",
    "message.text": "message.text",
    "respectQuietHours": "respectQuietHours",
    "scheduledDate": "scheduledDate",
    "collectDtmfDigits": "collectDtmfDigits",
    "collectDtmfAwaitSeconds": "collectDtmfAwaitSeconds",
}
"""Keys of the answer that repeat one of the request."""

STATES = ("Scheduled", "Queued", "Running", "Sent", "Finished", "Failed")
STATUSES = (
    *("Queued", "Initiated", "Ringing", "InProgress", "Completed", "Busy"),
    *("NoAnswer", "Failed", "Unknown", "Unsent", "Terminated"),
)
ANOTHER = "another"
"""A word that is not documented: it is counted, not kept."""


def details(body: Mapping[str, Any], *, sent: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each documented key that an answer has, with what is kept of it, given the body that was sent.

    Raises:
        Unusable: a figure is none.
    """
    for key, other in ECHOES.items():
        value = _at(body, key)
        if value is not None:
            yield key, AS_SENT if _same(value, _at(sent, other)) else DIFFERS
    for key, read in KEPT.items():
        value = _at(body, key)
        if value is not None:
            yield key, read(value)
    others = body.keys() - {key.partition(".")[0] for key in (*ECHOES, *KEPT)} - {"trackingId"}
    if others:
        yield "other_fields", str(len(others))


def _at(body: Any, key: str) -> Any:
    """Return the value at a dotted key; None where there is none."""
    for name in key.split("."):
        body = body.get(name) if isinstance(body, dict) else None
    return body


def _same(value: Any, sent: Any) -> bool:
    return value == sent or (isinstance(sent, str) and _moment(value) is not None and _moment(value) == _moment(sent))


def _moment(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else None


def _made(value: Any) -> str:
    found = _moment(value)
    return ANOTHER if found is None else found.isoformat()


def _size(value: Any) -> str:
    return str(len(value)) if isinstance(value, dict | list) else "1"


def _length(value: Any) -> str:
    return f"{len(str(value))} characters"


def _one_of(known: tuple[str, ...]) -> Callable[[Any], str]:
    return lambda value: value if value in known else ANOTHER


def _figure(name: str) -> Callable[[Any], str]:
    return lambda value: str(figure(value, name))


def _counted(name: str, known: tuple[str, ...]) -> Callable[[Any], str]:
    """Return what reads an object of numbers: those of known names by name, the others together."""

    def read(value: Any) -> str:
        numbers = {key: count(number, name) or 0 for key, number in value.items()} if isinstance(value, dict) else {}
        told = [f"{key} {numbers[key]}" for key in sorted(numbers.keys() & set(known)) if numbers[key]]
        others = sum(number for key, number in numbers.items() if key not in known)
        return ", ".join([*told, *([f"{ANOTHER} {others}"] if others else [])]) or "0"

    return read


def _grouped(value: Any) -> str:
    """Return how many are in how many groups: their names are not kept."""
    numbers = [count(number, "recipientsPerGroup") or 0 for number in value.values()] if isinstance(value, dict) else []
    return f"{sum(numbers)} in {quantity(len(numbers), 'group')}"


KEPT: Mapping[str, Callable[[Any], str]] = {
    "contacts": _size,
    "cost": _figure("cost"),
    "createdAt": _made,
    "groups": _size,
    "state": _one_of(STATES),
    "statuses": _counted("statuses", STATUSES),
    "to": _size,
    "type": _one_of(("Voice",)),
    "voiceAnalysis.contacts": _size,
    "voiceAnalysis.dialPlanAnalysis": _size,
    "voiceAnalysis.dialPlanAnalysis.placeholder": _length,
    "voiceAnalysis.numberOfRecipients": _figure("numberOfRecipients"),
    "voiceAnalysis.recipientCountries": _size,
    "voiceAnalysis.recipientsPerCountry": _counted("recipientsPerCountry", tuple(COUNTRIES)),
    "voiceAnalysis.recipientsPerGroup": _grouped,
    "voiceAnalysis.totalInGroups": _figure("totalInGroups"),
}
"""What is kept of every other key."""
