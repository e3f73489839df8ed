"""A price book as written."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticKnownError

from octoplan.core.written import File, Written
from octoplan.core.written.mistakes import wrong
from octoplan.core.written.values import Currency  # noqa: TC001  pydantic resolves annotations at run time

if TYPE_CHECKING:
    from octoplan.core.model import KeyPath


_DECIMALS = 6
_LARGEST = 1_000_000


def _price(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticKnownError("decimal_type")
    price = Decimal(str(value))
    if not 0 <= price < _LARGEST or price != round(price, _DECIMALS):
        raise wrong(f"must be 0 or more, with at most {_DECIMALS} decimals")
    return price


Price = Annotated[Decimal, PlainValidator(_price), WithJsonSchema({"type": "number", "minimum": 0})]


def _day(value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise wrong("must be a day, such as 2026-11-01") from None


class SurchargesFile(Written):
    """What is charged beside the parts."""

    opt_out_removal_per_request: Price = Field(
        default_factory=Decimal, description="For taking out who opted out, per request.", examples=[0.01]
    )
    replies_per_part: Price = Field(
        default_factory=Decimal, description="Where people may answer an SMS.", examples=[0.03]
    )


class PricesFile(File):
    """What a provider charges, per part, by product and country; an e-mail by service."""

    model_config = ConfigDict(title="octoplan prices")

    DATES: ClassVar[frozenset[KeyPath]] = frozenset({("as_of",)})

    currency: Currency = Field(description="The currency of every price.", examples=["EUR"])
    as_of: Annotated[str, AfterValidator(_day)] = Field(
        description="The day these prices were read.", examples=["2026-11-01"]
    )
    sample: bool = Field(default=False, description="Invented prices: refused outside the sandbox.", examples=[True])
    sms_premium: dict[str, Price] = Field(
        default={}, description="SMS of quality premium, per part and country.", examples=[{"FR": 0.049, "BE": 0.079}]
    )
    sms_low_cost: dict[str, Price] = Field(
        default={}, description="SMS of quality low_cost, per part and country.", examples=[{"FR": 0.039}]
    )
    voice_sms: dict[str, Price] = Field(
        default={}, description="Calls, per billing step and country.", examples=[{"FR": 0.03, "BE": 0.05}]
    )
    voice_step_seconds: int = Field(
        default=30,
        ge=1,
        le=600,
        description="The billing step of a call, in seconds; needed with voice_sms.",
        examples=[30],
    )
    rcs: dict[str, Price] = Field(default={}, description="RCS, per message and country.", examples=[{"FR": 0.055}])
    email: dict[str, Price] = Field(
        default={}, description="E-mail, per message and service.", examples=[{"gateway": 0.0008}]
    )
    surcharges: SurchargesFile = Field(default_factory=SurchargesFile, description="What is charged beside the parts.")
