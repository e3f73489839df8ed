"""What Routee refuses, and the bodies that say so: a code is HTTP status, module and error, three digits each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from octoplan.sandbox.world import Verdict, verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from octoplan.sandbox.switches import Settings

BALANCE_TOO_LOW = "400001009"
NO_RECIPIENTS_OR_SENDER = "400005000"
NOT_SCHEDULED = "400009002"
NOBODY_LEFT = "400009004"
CONTACT_MISSING = "404002001"
CAMPAIGN_MISSING = "404009001"
NAME_TAKEN = "409009003"


class Rejected(Exception):
    """The call is refused, with the status its code begins with; `numbers` are those that are none."""

    def __init__(
        self, code: str, message: str, *, numbers: Sequence[str] | None = None, outcome: str = "rejected"
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.numbers, self.outcome = code, message, numbers, outcome

    def body(self, settings: Settings) -> dict[str, Any]:
        """Give the error body, with the numbers in the shape the documentation lists."""
        if self.numbers is None or settings.text("routee_invalid_number_shape") == "top":
            return problem(self.code, self.message)
        return {"errors": [problem(self.code, self.message) | {"property": self.numbers}]}


def problem(code: str, message: str) -> dict[str, Any]:
    """Write an error."""
    return {"code": code, "developerMessage": message}


def general(status: int, message: str) -> dict[str, Any]:
    """Write an error that belongs to no module."""
    return problem(f"{status:03}000000", message)


def invalid(settings: Settings, message: str, *, numbers: Sequence[str] | None = None) -> Rejected:
    """Refuse what breaks a rule for which no code is documented."""
    return Rejected(settings.text("routee_invalid_code"), message, numbers=numbers)


def refused(rejected: Rejected, settings: Settings) -> Verdict:
    """Say why not."""
    return verdict(int(rejected.code[:3]), rejected.body(settings), outcome=rejected.outcome)


def unauthorized(settings: Settings) -> Verdict:
    """Refuse a call without a token that counts."""
    status = settings.number("routee_unauthorized_status")
    return verdict(status, general(status, "NOT_AUTHENTICATED"), outcome="unauthorized")
