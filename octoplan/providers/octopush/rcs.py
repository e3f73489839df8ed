"""The inner shape of RCS cards and actions: a guess.

The provider's documentation names `metadata.cards` and `metadata.actions` and says nothing of what is in
them. Its RCS travels through Google's RCS for Business, so the shape of that API's `RichCard` and
`Suggestion` is used (developers.google.com/business-communications/rcs-business-messaging). Only this
module and the contract know it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from octoplan.core.message import Action, Card, Content, Media


def metadata(content: Content) -> dict[str, Any]:
    """Return the RCS part of `metadata`: what kind of message it is, and its cards or its actions."""
    if content.cards:
        return {"message_type": "rich_card", "cards": list(map(_card, content.cards))}
    return {"message_type": "simple_text", "actions": list(map(_suggestion, content.actions)) or None}


def _card(card: Card) -> dict[str, Any]:
    shaped = {
        "title": card.title,
        "description": card.description,
        "media": card.media and _media(card.media),
        "suggestions": list(map(_suggestion, card.actions)) or None,
    }
    return {name: value for name, value in shaped.items() if value is not None}


def _media(media: Media) -> dict[str, Any]:
    thumbnail = {"thumbnailUrl": media.thumbnail} if media.thumbnail else {}
    return {"height": media.height.upper(), "contentInfo": {"fileUrl": media.url, **thumbnail}}


def _suggestion(action: Action) -> dict[str, Any]:
    shown = {"text": action.label, "postbackData": action.postback or action.label}
    if action.open_url is not None:
        return {"action": {**shown, "openUrlAction": {"url": action.open_url}}}
    if action.dial is not None:
        return {"action": {**shown, "dialAction": {"phoneNumber": action.dial}}}
    return {"reply": shown}
