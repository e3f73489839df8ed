"""The pinned contract of Routee's calls: what may be in a body that leaves.

Written from the provider's pages on the voice campaign, its analysis and its tracking, and sharing nothing with the
wire model: two readings must agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from octoplan.providers.pinned import Pinned, broken

if TYPE_CHECKING:
    from octoplan.core.model import Finding

MOST_RECIPIENTS = 1000

PhoneNumber = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]
Line = Annotated[str, Field(min_length=1, pattern=r"^[^\x00-\x1f\x7f]*$")]
Sender = Annotated[str, Field(pattern=r"^(?:\+?[0-9]{1,16}|[A-Za-z0-9]{1,11})$")]
Url = Annotated[str, Field(pattern=r"^https://[^\s\x00-\x1f]+$", max_length=2048)]
Moment = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$")]
Language = Annotated[
    str,
    Field(pattern="^(?:en-US|en-GB|el-GR|pl-PL|hu-HU|sv-SE|de-DE|es-ES|es-LA|fr-FR|it-IT|pt-BR|ru-RU|bg-BG)$"),
]
Many = Field(min_length=1, max_length=MOST_RECIPIENTS)


class Spoken(Pinned):
    """A text that a voice reads."""

    text: Annotated[str, Field(min_length=1, max_length=1000)]
    language: Language
    gender: Literal["male", "female"]


class Notified(Pinned):
    """Where a change, or the end, is told."""

    url: Url
    strategy: Literal["OnChange", "OnCompletion"]


class Analysis(Pinned):
    """The whole body of `POST /voice/analysis`: whom, and what they hear."""

    from_: Annotated[Sender, Field(alias="from")]
    to: Annotated[list[PhoneNumber], Many] | None = None
    groups: Annotated[list[Line], Many] | None = None
    contacts: Annotated[list[Line], Many] | None = None
    message: Spoken | None = None
    fileURL: Annotated[Url, Field(pattern=r"\.wav$")] | None = None  # noqa: N815  the provider's name

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        """Refuse two audiences, or two messages, in one request: what is sent then is documented nowhere."""
        if [self.to, self.groups, self.contacts].count(None) != 2:  # noqa: PLR2004  all but one
            raise PydanticCustomError("audience", "exactly one of `to`, `groups` and `contacts`")
        if [self.message, self.fileURL].count(None) != 1:
            raise PydanticCustomError("message", "exactly one of `message` and `fileURL`")
        return self


class Campaign(Analysis):
    """The whole body of `POST /voice/campaign`."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9 -]{2,30}$")] = ""
    respectQuietHours: bool  # noqa: N815  the provider's name
    scheduledDate: Moment = ""  # noqa: N815
    hangupDelay: Annotated[int, Field(ge=1, le=60)] = 0  # noqa: N815
    callback: Notified | None = None
    campaignCallback: Notified | None = None  # noqa: N815
    collectDtmfDigits: bool  # noqa: N815
    collectDtmfAwaitSeconds: Annotated[int, Field(ge=1, le=30)] = 0  # noqa: N815


class Term(Pinned):
    """What a search asks for."""

    fieldName: Literal["campaign"]  # noqa: N815
    searchOperator: Literal["is"]  # noqa: N815
    searchTerm: Annotated[str, Field(pattern=r"^[A-Za-z0-9 -]{2,30}$")]  # noqa: N815


SEARCH: TypeAdapter[tuple[Term]] = TypeAdapter(tuple[Term])


def check_campaign(body: bytes) -> tuple[Finding, ...]:
    """Return a `wire-contract` finding per field of a campaign that breaks the contract: its name, never its value."""
    return broken(Campaign.model_validate_json, body, whose="Routee's")


def check_analysis(body: bytes) -> tuple[Finding, ...]:
    """Return a `wire-contract` finding per field of an analysis that breaks the contract."""
    return broken(Analysis.model_validate_json, body, whose="Routee's")


def check_search(body: bytes) -> tuple[Finding, ...]:
    """Return a `wire-contract` finding per field of a search that breaks the contract."""
    return broken(SEARCH.validate_json, body, whose="Routee's")
