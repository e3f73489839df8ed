"""What Octopush does not document, and what both providers have in common."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from octoplan.sandbox.switch import AMOUNT, Switch

if TYPE_CHECKING:
    from collections.abc import Mapping

VOICE_LANGUAGES = (
    *("en-US", "en-GB", "el-GR", "pl-PL", "hu-HU", "sv-SE", "de-DE", "es-ES", "es-LA"),
    *("fr-FR", "it-IT", "pt-BR", "ru-RU"),
)
VOICE_GENDERS = ("male", "female")

OCTOPUSH: Mapping[str, Switch] = MappingProxyType(
    {
        "success_status": Switch(default=200, allowed=(200, 201), meaning="HTTP status of an accepted send"),
        "rejection_status": Switch(default=400, allowed=(400, 422), meaning="HTTP status of a rejected send"),
        "duplicate_status": Switch(default=400, allowed=(400, 422), meaning="HTTP status of a repeated request id"),
        "duplicate_shape": Switch(
            default="nested",
            allowed=("nested", "top"),
            meaning="a repeated request id: code 400 with errors.request_id, or code 120 at top level",
        ),
        "simulation_burns_id": Switch(default=False, meaning="a simulation uses up its request id"),
        "rejection_burns_id": Switch(default=False, meaning="a rejected send uses up its request id"),
        "simulation_checks_stop": Switch(default=True, meaning="a simulation checks the STOP mention"),
        "simulated_credit": Switch(
            default="unchanged", allowed=("unchanged", "reduced"), meaning="residual_credit in a simulation's result"
        ),
        "stop_missing": Switch(
            default="rejected", allowed=("rejected", "appended"), meaning="marketing to France without STOP mention"
        ),
        "stop_accepts": Switch(
            default="both",
            allowed=("both", "placeholder", "number"),
            meaning="the mention that counts: `STOP au XXXXX`, `STOP au 30101`, or either",
        ),
        "stop_message": Switch(
            default="documented", allowed=("documented", "observed"), meaning="wording of error 121"
        ),
        "short_number": Switch(default="30101", allowed=r"[0-9]{5}", meaning="what XXXXX becomes"),
        "default_sender": Switch(
            default="Octopush", allowed=r"[A-Za-z0-9]{3,11}", meaning="replaces a sender that is missing or unusable"
        ),
        "text_too_long": Switch(default="rejected", allowed=("rejected", "cut"), meaning="a text over 1224 characters"),
        "optimised_leftover": Switch(
            default="removed",
            allowed=("removed", "kept"),
            meaning="auto_optimize_text: a character outside GSM-7 that has no plain form",
        ),
        "optimised_channels": Switch(
            default="sms", allowed=("sms", "all"), meaning="the channels whose text auto_optimize_text rewrites"
        ),
        "unusable_number": Switch(
            default="dropped", allowed=("dropped", "rejected"), meaning="a recipient that is no phone number"
        ),
        "unusable_email": Switch(
            default="rejected",
            allowed=("rejected", "dropped"),
            meaning="a recipient that is no e-mail address; rejected is code 2005",
        ),
        "opt_out_flag": Switch(
            default="auto_remove_blacklisted_contacts",
            allowed=("auto_remove_blacklisted_contacts", "auto_delete_optout_contacts", "both"),
            meaning="the field that removes blacklisted numbers; the other one is ignored",
        ),
        "opt_out_flag_single": Switch(
            default="auto_remove_blacklisted_numbers",
            allowed=("auto_remove_blacklisted_numbers", "auto_delete_optout_contacts", "both"),
            meaning="the same, on calls for one channel, a list or a tag",
        ),
        "email_removes_unsubscribed": Switch(
            default=True, meaning="e-mail leaves out blacklisted addresses without being asked to"
        ),
        "naive_send_at": Switch(
            default="Europe/Paris",
            allowed=r"[A-Za-z]+(/[A-Za-z_+-]+)*",
            meaning="time zone of a send_at without offset",
        ),
        "default_voice_language": Switch(
            default="en-US", allowed=VOICE_LANGUAGES, meaning="replaces a voice_language that is missing"
        ),
        "default_voice_gender": Switch(
            default="female", allowed=VOICE_GENDERS, meaning="replaces a voice_gender that is missing or unknown"
        ),
        "voice_characters_per_second": Switch(
            default=12, allowed=tuple(range(1, 31)), meaning="how fast a voice reads, blanks included"
        ),
        "estimated_duration": Switch(
            default="billed",
            allowed=("message", "billed", "total"),
            meaning="seconds of one message, its billed seconds, or the billed seconds of all contacts",
        ),
        "stop_on_rcs": Switch(
            default=True, meaning="marketing to France by RCS needs the STOP mention, in the text or in a card"
        ),
        "rcs_sender": Switch(
            default="as_given",
            allowed=("as_given", "repaired"),
            meaning="the name of an RCS agent: any text, or repaired like the sender of an SMS",
        ),
        "cards_missing": Switch(
            default="simple_text", allowed=("simple_text", "rejected"), meaning="a rich_card without a usable card"
        ),
        "rich_card_needs_text": Switch(default=False, meaning="a rich_card needs a text besides its cards"),
        "rcs_success_body": Switch(
            default="email",
            allowed=("email", "sms", "rcs_ticket"),
            meaning="an accepted RCS send: as of e-mail (`ticket_number`), as of SMS (`sms_ticket`), or `rcs_ticket`",
        ),
        "unknown_emailing_service": Switch(
            default="gateway",
            allowed=("gateway", "mailbox", "rejected"),
            meaning="what an emailing_service that is missing or unknown is taken for",
        ),
        "default_email_from": Switch(
            default="noreply@octopush.example",
            allowed=r"[A-Za-z0-9.+_-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+",
            meaning="replaces an email_from that is missing or no e-mail address",
        ),
        "subject_missing": Switch(
            default="sent", allowed=("sent", "rejected"), meaning="an e-mail without metadata.subject"
        ),
        "subject_too_long": Switch(
            default="cut", allowed=("cut", "rejected"), meaning="a subject over 1000 characters"
        ),
        "template_needs_text": Switch(default=False, meaning="an e-mail with template_name needs a text too"),
        "html_scripts": Switch(
            default="kept", allowed=("kept", "stripped"), meaning="script elements in a text with body_format html"
        ),
        "cancel_takes": Switch(
            default="body",
            allowed=("body", "query", "both"),
            meaning="where a cancel's channel and ticket_number are read",
        ),
        "cancel_wrong_channel": Switch(
            default="rejected",
            allowed=("rejected", "ignored"),
            meaning="a cancel whose channel is not its ticket's; rejected is code 131",
        ),
        "cancel_repeated": Switch(
            default="rejected",
            allowed=("rejected", "repeated"),
            meaning="a cancel of what is cancelled: code 131, or 204 again",
        ),
        "cancel_limit_shape": Switch(
            default="nested",
            allowed=("nested", "top"),
            meaning="a cancel too late or of too many: code 400 with errors.ticket_number, or code 155 at top level",
        ),
        "cancels_counted": Switch(
            default="calls",
            allowed=("calls", "cancelled"),
            meaning="what counts to a login's 1000 cancels a calendar month (UTC): every call, or what it cancelled",
        ),
        "cancel_refunds": Switch(default=True, meaning="a cancel gives back what the message cost"),
        "single_request_id": Switch(
            default=True, meaning="`sms-campaign/send` and `voice-campaign/send` have a request_id; else it is ignored"
        ),
        "unknown_placeholder": Switch(
            default="kept", allowed=("kept", "removed"), meaning="a placeholder that has no such name, say {city}"
        ),
        "value_missing": Switch(
            default="removed",
            allowed=("removed", "kept"),
            meaning="a placeholder for which a contact has no value",
        ),
        "value_too_long": Switch(
            default="cut", allowed=("cut", "kept", "rejected"), meaning="a value over 50 characters, where it is used"
        ),
        "values_optimised": Switch(default=True, meaning="auto_optimize_text rewrites the values too"),
        "expanded_too_long": Switch(
            default="sent",
            allowed=("sent", "cut", "rejected"),
            meaning="a text that its values make longer than 1224 characters",
        ),
        "draft_success_status": Switch(
            default=200, allowed=(200, 201), meaning="HTTP status of an accepted create, status or confirm"
        ),
        "draft_seconds": Switch(
            default=1, allowed=range(86401), meaning="how long a campaign to a list or tag is computed"
        ),
        "ready_word": Switch(
            default="ready_to_be_sent",
            allowed=("ready_to_be_sent", "ready_to_be_send"),
            meaning="the status of a campaign that is computed",
        ),
        "not_ready_status": Switch(
            default="rejected",
            allowed=("rejected", "under_computation"),
            meaning="status of a campaign that is not computed yet: 400, or `under_computation`; its confirm is 400",
        ),
        "not_ready_code": Switch(
            default=129, allowed=(129, 130, 400), meaning="the code of a status or confirm that came too early"
        ),
        "unknown_list": Switch(
            default="failed",
            allowed=("failed", "rejected"),
            meaning="a list or tag that does not exist: status `failed` when computed, or create refused with code 303",
        ),
        "empty_list": Switch(
            default="failed",
            allowed=("failed", "ready"),
            meaning="a campaign for which nobody is left when it is computed",
        ),
        "segmentation": Switch(
            default="ignored",
            allowed=("ignored", "combines"),
            meaning="with a list and a tag: the list alone counts, or `filter` is who is in both, `group` in either",
        ),
        "tags_need_own_path": Switch(
            default=False, meaning="lists only at `…-on-list`, tags only at `…-on-tag`; else both at either"
        ),
        "held_stop": Switch(
            default="created",
            allowed=("created", "computed"),
            meaning="marketing SMS to a list or tag need STOP: at create wherever it goes, or to France when computed",
        ),
        "held_placeholders": Switch(default=True, meaning="placeholders get the values of a list's or tag's contacts"),
        "draft_contacts": Switch(
            default="computed",
            allowed=("computed", "confirmed"),
            meaning="who is on a list or tag, and has opted out, as it was when computed, or as it is at the confirm",
        ),
        "confirm_repeated": Switch(
            default="rejected",
            allowed=("rejected", "repeated"),
            meaning="a confirm of what is confirmed: code 132, or the same answer again; it is never sent twice",
        ),
        "status_after_confirm": Switch(
            default="unchanged",
            allowed=("unchanged", "sent", "rejected"),
            meaning="status of what is confirmed: as before, `sent`, or 400 with code 131",
        ),
        "cancel_after_confirm": Switch(
            default="rejected",
            allowed=("rejected", "cancelled", "ignored"),
            meaning="a cancel of what is confirmed: code 132, cancelled if still to come, or 204 and sent all the same",
        ),
        "unknown_country_price": Switch(
            default="",
            allowed=rf"({AMOUNT})?",
            meaning="price a part, step or message where the book has none; empty: rejected, by Octopush with code 151",
        ),
        "price_without_book": Switch(
            default="0.05",
            allowed=AMOUNT,
            meaning="price a part, step or message, everywhere, when no price book is given",
        ),
        "hlr_price": Switch(default="0.01", allowed=AMOUNT, meaning="price of a number looked up, for check-credits"),
        "initial_balance": Switch(
            default="1000000", allowed=AMOUNT, meaning="the balance of an empty sandbox, at each provider"
        ),
    }
)
