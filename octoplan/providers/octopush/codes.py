"""What Octopush's error codes mean for a batch, and what a person can do about them.

Sources: 121, 400, 442, 2005 are in the documentation of the multi-channel call; 401 in its list of
answers; the others in the provider's return-code list of the older API, whose numbers the present
one reuses at least for 121. An unlisted code is a rejection whose own message is passed on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Code:
    """`stops`: every other batch would meet the same. `unclear`: the code does not say that nothing was sent."""

    hint: str
    stops: bool = False
    unclear: bool = False


DUPLICATES = frozenset({120, 133})
"""120 `A SMS with the same request_id has already been sent.`; 133 the same by its older name."""

_CREDENTIALS = Code("check login and key of this provider in octoplan.yaml and in the environment", stops=True)
_CREDIT = Code("top up the account, then run the same command again", stops=True)
_ACCOUNT = Code("the account may not send: ask Octopush's support", stops=True)
_TEXT = Code("shorten the message's text")
_RECIPIENTS = Code("look at the audience: no recipient of this batch is usable")
_UNCLEAR = Code("the answer does not say whether the batch was sent: look in Octopush's back office", unclear=True)

CODES: Mapping[int, Code] = {
    101: _CREDENTIALS,
    102: _TEXT,
    103: _RECIPIENTS,
    104: _CREDIT,
    105: _CREDIT,
    106: Code("use a sender of 3 to 11 letters and digits that the account is allowed"),
    107: Code("the message's text is empty"),
    108: _CREDENTIALS,
    109: _CREDENTIALS,
    110: _RECIPIENTS,
    112: Code("choose `options.quality: premium` or `low_cost`"),
    113: _ACCOUNT,
    114: _ACCOUNT,
    117: _RECIPIENTS,
    119: _TEXT,
    121: Code("put `{{ stop }}` into the message's text: marketing to France must name the way to opt out"),
    125: _UNCLEAR,
    127: _UNCLEAR,
    132: _UNCLEAR,
    150: Code("a recipient's country does not exist: check `audience.country`"),
    151: Code("Octopush does not serve a recipient's country: narrow `limits.countries`"),
    152: Code("low cost is not offered for a recipient's country: use `options.quality: premium`"),
    153: Code("the route is congested: plan again later"),
    201: _ACCOUNT,
    207: _ACCOUNT,
    208: Code("the account may not use this `options.quality`"),
    209: _ACCOUNT,
    303: Code("choose another `options.list_name`"),
    401: _CREDENTIALS,
    442: Code("choose one of the languages the provider lists"),
    500: _UNCLEAR,
    501: _UNCLEAR,
    2005: Code("an e-mail address is not valid: look at the audience"),
}
