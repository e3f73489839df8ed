"""What Routee's error codes mean for a batch, and what a person can do about them.

Source: Routee's page of error codes. A code is nine digits: HTTP status, module, error. Of the module for voice (013)
none is published, so an unlisted code is a rejection of which only the number is known: the provider's message is not
kept, since it may quote a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means, in our words, and what to do about it; `stops`: every other batch would meet the same."""

    meaning: str
    hint: str
    stops: bool = False


NAME_TAKEN = 409009003
"""`campaign name already exists`: the name is the request id of a batch, so that this is the answer to a repetition."""

NOT_SCHEDULED, UNKNOWN_CAMPAIGN = 400009002, 404009001

UNLISTED = "the provider's own words are not kept: look the code up in Routee's documentation or back office"
UNKNOWN_USER = Code(
    "the user is not found", "check application_id of this provider: Routee knows no such account", stops=True
)
"""What 404 means by the page of the voice campaign, where no code says more."""

_TOP_UP = "top up the account, then run the same command again"
_LOOK_AT_AUDIENCE = "look at the audience: no recipient of this batch is usable"

CODES: Mapping[int, Code] = {
    400001009: Code("the balance is not enough", _TOP_UP, stops=True),
    400001012: Code("it is a trial account", "a trial account may not do this: ask Routee's support", stops=True),
    400005000: Code("there are no recipients, or the sender is not valid", f"{_LOOK_AT_AUDIENCE}; then at `sender`"),
    400009002: Code("the campaign is not scheduled", "it has left, or was deleted before"),
    400009004: Code("the campaign has no recipients", "its groups are empty, or everybody in them is blacklisted"),
    404002001: Code("a contact id does not exist", "look at `audience.contact_ids`"),
    404009001: Code("the campaign is not found", "look in Routee's back office"),
    409009003: Code("the campaign's name exists", "look in Routee's back office for a campaign of this name"),
}
