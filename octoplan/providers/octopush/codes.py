"""What Octopush's error codes mean for a batch, and what a person can do about them.

Sources: 121, 400, 442, 2005 are in the documentation of the multi-channel call; 401 in its list of
answers; the others in the provider's return-code list of the older API, whose numbers the present
one reuses at least for 121. An unlisted code is a rejection of which only the number is known: the
provider's message is not kept, since it may quote the text or a contact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means, in our words, and what to do about it.

    `stops`: every other batch would meet the same. `unclear`: it does not say that nothing was sent.
    """

    meaning: str
    hint: str
    stops: bool = False
    unclear: bool = False


DUPLICATES = frozenset({120, 133})
"""120 `A SMS with the same request_id has already been sent.`; 133 the same by its older name."""

DUPLICATE = "this request id was used before"

UNLISTED = "the provider's own words are not kept: look the code up in Octopush's documentation or back office"

_CHECK_CREDENTIALS = "check login and key of this provider in octoplan.yaml and in the environment"
_TOP_UP = "top up the account, then run the same command again"
_ASK_SUPPORT = "the account may not send: ask Octopush's support"
_SHORTEN = "shorten the message's text"
_LOOK_AT_AUDIENCE = "look at the audience: no recipient of this batch is usable"
_LOOK_IN_OFFICE = "the answer does not say whether the batch was sent: look in Octopush's back office"

CODES: Mapping[int, Code] = {
    101: Code("wrong login details", _CHECK_CREDENTIALS, stops=True),
    102: Code("the text is too long", _SHORTEN),
    103: Code("there are no recipients", _LOOK_AT_AUDIENCE),
    104: Code("no credit left", _TOP_UP, stops=True),
    105: Code("too little credit while an order is pending", _TOP_UP, stops=True),
    106: Code("the sender is incorrect", "use a sender of 3 to 11 letters and digits that the account is allowed"),
    107: Code("the text is missing", "the message's text is empty"),
    108: Code("the login is missing", _CHECK_CREDENTIALS, stops=True),
    109: Code("the password is missing", _CHECK_CREDENTIALS, stops=True),
    110: Code("the list of recipients is missing", _LOOK_AT_AUDIENCE),
    112: Code("the quality is missing", "choose `options.quality: premium` or `low_cost`"),
    113: Code("the account is not validated", _ASK_SUPPORT, stops=True),
    114: Code("the account is under fraud review", _ASK_SUPPORT, stops=True),
    117: Code("no correct number in the list", _LOOK_AT_AUDIENCE),
    119: Code("the text is too long for this quality", _SHORTEN),
    121: Code(
        "Mention STOP is missing",
        "put `{{ stop }}` into the message's text: marketing to France must name the way to opt out",
    ),
    125: Code("an undefined error", _LOOK_IN_OFFICE, unclear=True),
    127: Code("a campaign is being processed", _LOOK_IN_OFFICE, unclear=True),
    132: Code("the campaign was already sent", _LOOK_IN_OFFICE, unclear=True),
    150: Code("no country has this prefix", "a recipient's country does not exist: check `audience.country`"),
    151: Code("a country is not served", "Octopush does not serve a recipient's country: narrow `limits.countries`"),
    152: Code(
        "low cost is not available for a country",
        "low cost is not offered for a recipient's country: use `options.quality: premium`",
    ),
    153: Code("the route is congested", "plan again later"),
    201: Code("the option is available on request only", _ASK_SUPPORT, stops=True),
    207: Code("the account has no access", _ASK_SUPPORT, stops=True),
    208: Code("the account may not use this quality", "choose another `options.quality`"),
    209: Code("not allowed", _ASK_SUPPORT, stops=True),
    303: Code(
        "the name of a list is taken, or is none", "look at the name: of `options.list_name`, or of the list or tag"
    ),
    401: Code("unauthorized", _CHECK_CREDENTIALS, stops=True),
    442: Code("the voice language is not supported", "choose one of the languages the provider lists"),
    500: Code("the request cannot be processed", _LOOK_IN_OFFICE, unclear=True),
    501: Code("a connection error at the provider", _LOOK_IN_OFFICE, unclear=True),
    2005: Code("an e-mail address is not valid", "look at the audience"),
}
