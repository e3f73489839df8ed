"""What Routee does not document."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from octoplan.sandbox.switch import Switch

if TYPE_CHECKING:
    from collections.abc import Mapping

STRATEGIES = ("OnChange", "OnCompletion")
STATUSES = (
    *("Queued", "Initiated", "Ringing", "InProgress", "Completed", "Busy", "NoAnswer", "Failed", "Unknown"),
    *("Unsent", "Terminated"),
)
_TWENTY_YEARS = 631_139_040

ROUTEE: Mapping[str, Switch] = MappingProxyType(
    {
        "routee_token_seconds": Switch(
            default=3600, allowed=range(1, _TWENTY_YEARS + 1), meaning="how long a token lives, by the sandbox's clock"
        ),
        "routee_oauth_answer": Switch(
            default="documented",
            allowed=("documented", "observed"),
            meaning="of a token: `Bearer`, commas between scopes, errors with `code`; or `bearer`, blanks, `status`",
        ),
        "routee_unauthorized_status": Switch(
            default=401, allowed=(401, 403), meaning="HTTP status of a token or credentials that do not count"
        ),
        "routee_invalid_code": Switch(
            default="400000000",
            allowed=r"400(000|005|013)000",
            meaning="code of what breaks a rule that has no code of its own",
        ),
        "routee_invalid_number": Switch(
            default="rejected",
            allowed=("rejected", "dropped", "told"),
            meaning="a number in `to` that is none: all is refused, or it is left out, or that is told in the answer",
        ),
        "routee_invalid_number_shape": Switch(
            default="errors",
            allowed=("errors", "top"),
            meaning="numbers refused: listed in `errors[].property`, or code and developerMessage at top level",
        ),
        "routee_duplicates": Switch(
            default="each",
            allowed=("each", "once"),
            meaning="how often somebody is called who is twice in `to` and `contacts`",
        ),
        "routee_limit_counts": Switch(
            default="each",
            allowed=("each", "all"),
            meaning="what has at most 1000 entries: each of `to`, `contacts` and `groups`, or all together",
        ),
        "routee_blacklist_covers_to": Switch(
            default=True, meaning="who is blacklisted is not called even if named in `to`"
        ),
        "routee_unknown_group": Switch(
            default="empty",
            allowed=("empty", "rejected"),
            meaning="a group that does not exist: nobody is in it, or code 404002001",
        ),
        "routee_number_of_recipients": Switch(
            default="all",
            allowed=("all", "named"),
            meaning="numberOfRecipients counts everybody, or those in `to` and `contacts` only",
        ),
        "routee_recipient_countries": Switch(
            default="to", allowed=("to", "all"), meaning="recipientCountries has the numbers of `to`, or of everybody"
        ),
        "routee_alphanumeric_from": Switch(
            default="accepted", allowed=("accepted", "rejected"), meaning="a `from` of up to 11 letters and digits"
        ),
        "routee_name_field": Switch(
            default="name",
            allowed=("name", "campaignName", "both"),
            meaning="the field of a request that names the campaign; the other one is ignored",
        ),
        "routee_name_taken": Switch(
            default="refused",
            allowed=("refused", "accepted"),
            meaning="a name that another campaign has: code 409009003, or a second campaign",
        ),
        "routee_name_taken_hours": Switch(
            default=0, allowed=range(87_601), meaning="for how many hours a name stays taken; 0: for ever"
        ),
        "routee_name_case_matters": Switch(default=True, meaning="names in small and capital letters are different"),
        "routee_deleted_name": Switch(
            default="taken", allowed=("taken", "free"), meaning="the name of a campaign that was deleted"
        ),
        "routee_message_and_file": Switch(
            default="rejected",
            allowed=("rejected", "message", "file"),
            meaning="`message` and `fileURL` at once: refused, or which of them counts",
        ),
        "routee_text_too_long": Switch(
            default="rejected", allowed=("rejected", "cut"), meaning="a message.text over 1000 characters"
        ),
        "routee_voice_missing": Switch(
            default="rejected",
            allowed=("rejected", "default"),
            meaning="a message without language or gender: refused, or en-US and female",
        ),
        "routee_file_seconds": Switch(default=30, allowed=range(1, 3601), meaning="how long a fileURL is played"),
        "routee_pause_billed": Switch(
            default=True, meaning="collectDtmfAwaitSeconds make a call longer that collects digits"
        ),
        "routee_unknown_strategy": Switch(
            default="rejected",
            allowed=("rejected", *STRATEGIES),
            meaning="a callback whose strategy is missing or unknown: refused, or what it is taken for",
        ),
        "routee_hangup_delay": Switch(
            default="any", allowed=("any", "1-60"), meaning="the seconds that hangupDelay takes; else it is refused"
        ),
        "routee_naive_date": Switch(
            default="utc", allowed=("utc", "rejected"), meaning="a scheduledDate without offset"
        ),
        "routee_unusable_date": Switch(
            default="rejected",
            allowed=("rejected", "ignored"),
            meaning="a scheduledDate that is no date; ignored: called at once",
        ),
        "routee_past_date": Switch(
            default="sent", allowed=("sent", "rejected"), meaning="a scheduledDate that is over: called at once, or not"
        ),
        "routee_quiet_hours": Switch(
            default="held",
            allowed=("held", "ignored"),
            meaning="calls due 23:00-08:00 or 14:00-17:00 there, with respectQuietHours: held until then, or not",
        ),
        "routee_answer_keys": Switch(
            default="all",
            allowed=("all", "sample"),
            meaning="keys of an accepted campaign: all documented ones, or those of a third party's sample",
        ),
        "routee_cost": Switch(
            default="estimate",
            allowed=("estimate", "zero", "absent"),
            meaning="`cost` of an accepted campaign; the balance moves by the estimate",
        ),
        "routee_price_unit": Switch(
            default="minute",
            allowed=("minute", "second", "step"),
            meaning="what `system/prices` prices: a minute, a second or a billing step of a call",
        ),
        "routee_analysis_checks_name": Switch(default=False, meaning="`voice/analysis` reads a name and checks it"),
        "routee_analysis_checks_balance": Switch(
            default=True, meaning="`voice/analysis` is refused where the balance would be too low"
        ),
        "routee_delete_status": Switch(
            default=200, allowed=(200, 204), meaning="HTTP status of a campaign deleted; 200 with `{}`"
        ),
        "routee_delete_repeated": Switch(
            default="missing",
            allowed=("missing", "not_scheduled", "repeated"),
            meaning="deleting what is deleted: code 404009001, code 400009002, or as the first time",
        ),
        "routee_call_status": Switch(
            default="Completed", allowed=STATUSES, meaning="the status of every call once it is due"
        ),
        "routee_tracking_finds": Switch(
            default="name",
            allowed=("name", "nothing"),
            meaning="`voice/tracking` by the field campaign finds calls by their campaign's name, or none at all",
        ),
        "routee_tracking_scheduled": Switch(default=True, meaning="tracking also lists calls that are not due yet"),
        "routee_tracking_unknown": Switch(
            default="missing",
            allowed=("missing", "empty"),
            meaning="tracking of a campaign that does not exist: code 404009001, or an empty page",
        ),
        "routee_tracking_filters": Switch(
            default="all", allowed=("all", "any"), meaning="which of several filters a call must match"
        ),
        "routee_unknown_filter": Switch(
            default="rejected",
            allowed=("rejected", "ignored"),
            meaning="a filter whose fieldName or searchOperator is unknown; ignored: as if it was not there",
        ),
    }
)
