"""A send as the provider reads it: what every channel has, cast, repaired or ignored, and what is refused after all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from octoplan.sandbox import casts, text
from octoplan.sandbox.lists import LONGEST_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from octoplan.sandbox.switches import Settings
    from octoplan.sandbox.world import Contact

_MOST_RECIPIENTS = 500
LONGEST_TEXT = 1224
_LONGEST_SENDER = 11
_SHORTEST_SENDER = 3
_NOT_IN_A_SENDER = re.compile(r"[^A-Za-z0-9]", re.ASCII)


class Rejected(Exception):
    """The call is refused; `field` puts code and message below `errors`, as payload validation does."""

    def __init__(self, code: int, message: str, *, field: str | None = None, outcome: str = "rejected") -> None:
        super().__init__(message)
        self.code, self.message, self.field, self.outcome = code, message, field, outcome

    def body(self) -> dict[str, Any]:
        """Give the error body in the shape the documentation shows."""
        problem = {"code": self.code, "message": self.message}
        if self.field is None:
            return problem
        return {"code": 400, "message": "Payload validation error.", "errors": {self.field: problem}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A send as the provider understood it; `content` is what only its channel carries.

    `values` are those of each address, in the order of `addresses`; empty where the call carries none. `held`: whom it
    goes to is with the provider, and not known yet.
    """

    channel: str
    text: str
    content: Mapping[str, Any]
    addresses: list[str]
    sender: str
    marketing: bool
    remove_blacklisted: bool
    simulated: bool
    send_at: datetime | None
    list_name: str | None
    request_id: str | None
    optimised: bool
    values: Sequence[Mapping[str, str]] = ()
    held: bool = False


class Fields:
    """The body of a send, and how the fields that several channels share are read.

    `channel` is that of an endpoint that has only one. Its body has no `metadata`: what would be in there is at the
    top level. `knows_id`: whether that endpoint has a request id.
    """

    def __init__(
        self, content: bytes, settings: Settings, *, channel: str | None = None, knows_id: bool = True
    ) -> None:
        self._fields = casts.body(content) or {}
        self._only_channel = channel
        self._knows_id = knows_id
        self.settings = settings

    def __bool__(self) -> bool:
        return bool(self._fields)

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """The object that most fields of a channel are in."""
        return self._fields if self._only_channel else casts.mapping(self._fields.get("metadata"))

    @property
    def channel(self) -> str:
        """The wire's word for the channel."""
        return self._only_channel or (casts.text(self._fields.get("channel")) or "").strip().lower()

    @property
    def simulated(self) -> bool:
        """Whether the send is only to be simulated."""
        return casts.flag(self._fields.get("simulation_mode"), default=False)

    @property
    def request_id(self) -> str | None:
        """The id that makes a repeat an error."""
        return (casts.text(self.metadata.get("request_id")) or None) if self._knows_id else None

    def word(self, name: str) -> str:
        """Read a choice in the metadata, in lower case."""
        return (casts.text(self.metadata.get(name)) or "").strip().lower()

    def line(self, name: str) -> str:
        """Read a text in the metadata."""
        return casts.without_prohibited(casts.text(self.metadata.get(name)) or "").strip()

    def flag(self, name: str) -> bool:
        """Read a yes-or-no in the metadata, no by default."""
        return casts.flag(self.metadata.get(name), default=False)

    def name(self, kind: str) -> str | None:
        """Read the name of a list or tag, cut to its longest."""
        written = casts.without_prohibited(casts.text(self._fields.get(f"{kind}_name")) or "")
        return written.strip()[: LONGEST_NAME[kind]].strip() or None

    def text(self, *, needed: bool = True) -> str:
        """Read what is said. Raises Rejected where it is too long, or missing but `needed`."""
        written = casts.without_prohibited(casts.text(self._fields.get("text")) or "")
        if self._optimised:
            written = text.optimise(written, keep_leftover=self.settings.text("optimised_leftover") == "kept")
        if not written and needed:
            raise Rejected(107, "Text is missing.", field="text")
        if len(written) > LONGEST_TEXT and self.settings.text("text_too_long") == "rejected":
            raise Rejected(102, f"Text is longer than {LONGEST_TEXT} characters.", field="text")
        return written[:LONGEST_TEXT]

    @property
    def _optimised(self) -> bool:
        rewrites = self.channel == "sms" or self.settings.text("optimised_channels") == "all"
        return rewrites and casts.flag(self._fields.get("auto_optimize_text"), default=True)

    def sender(self) -> str:
        """Read and repair the sender, or replace it."""
        allowed = _NOT_IN_A_SENDER.sub("", self.sender_as_given())[:_LONGEST_SENDER]
        return allowed if len(allowed) >= _SHORTEST_SENDER else self.settings.text("default_sender")

    def sender_as_given(self) -> str:
        """Read the sender; empty where there is none."""
        return casts.without_prohibited(casts.text(self._fields.get("sender")) or "").strip()

    def numbers(self) -> list[str]:
        """Read whom to contact by phone. Raises Rejected where there is nobody, or more than one call takes."""
        entries = self._recipients()
        numbers = casts.phone_numbers(entries)
        self._check(numbers, entries)
        return numbers

    def contacts(self) -> list[Contact]:
        """Read whom to contact by phone, with the values that came with each. Raises as `numbers` does."""
        entries = self._recipients()
        contacts = casts.contacts(entries)
        self._check(contacts, entries)
        return contacts

    def _check(self, usable: Sequence[object], entries: Sequence[object]) -> None:
        dropped = len(entries) - len(usable)
        if not usable or (dropped and self.settings.text("unusable_number") == "rejected"):
            raise Rejected(117, "No correct phone number.", field="recipients")

    def emails(self) -> list[str]:
        """Read whom to write to. Raises Rejected where there is nobody, somebody without address, or too many."""
        entries = self._recipients()
        found = casts.emails(entries)
        dropped = len(entries) - len(found)
        if not found or (dropped and self.settings.text("unusable_email") == "rejected"):
            raise Rejected(2005, "[destination email] field should be valid.")
        return found

    def _recipients(self) -> list[Any]:
        entries = casts.recipients(self._fields.get("recipients"))
        if not entries:
            raise Rejected(110, "Recipients are missing.", field="recipients")
        if len(entries) > _MOST_RECIPIENTS:
            raise Rejected(400, f"At most {_MOST_RECIPIENTS} recipients are allowed.", field="recipients")
        return entries

    def order(self, said: str, *, sender: str, content: Mapping[str, Any]) -> Order:
        """Put what a channel read together with what all channels have; to nobody yet."""
        fields = self._fields
        return Order(
            channel=self.channel,
            text=said,
            content=content,
            addresses=[],
            sender=sender,
            marketing=(casts.text(fields.get("purpose")) or "").strip().lower() != "alert",
            remove_blacklisted=any(casts.flag(fields.get(name), default=False) for name in self._opt_out_flags()),
            simulated=self.simulated,
            send_at=casts.moment(fields.get("send_at"), ZoneInfo(self.settings.text("naive_send_at"))),
            list_name=self.name("list"),
            request_id=self.request_id,
            optimised=self._optimised,
        )

    def _opt_out_flags(self) -> tuple[str, ...]:
        switch, documented = ("opt_out_flag", "auto_remove_blacklisted_contacts")
        if self._only_channel:
            switch, documented = ("opt_out_flag_single", "auto_remove_blacklisted_numbers")
        name = self.settings.text(switch)
        return (documented, "auto_delete_optout_contacts") if name == "both" else (name,)
