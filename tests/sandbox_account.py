"""A client of the sandbox that shares no code with octoplan's own: what anybody could write from the documentation."""

from __future__ import annotations

import json
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

import httpx

from octoplan.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BASE = "/octopush/v1/public"
SEND = f"{BASE}/multi-channel/send"
BALANCE = f"{BASE}/wallet/check-balance"
LOGIN = {"api-key": "any", "api-login": "sandbox"}
LYON = "+33639980012"
PARIS = "+33639980013"
LIEGE = "+32460000001"
ZOE = "zoe@acme.example"
LEO = "leo@acme.example"
PRICES = """
currency: EUR
as_of: 2026-11-01
sample: true
sms_premium: {FR: 0.049, BE: 0.079, NO: 0.0333}
sms_low_cost: {FR: 0.039}
voice_sms: {FR: 0.03, BE: 0.05}
rcs: {FR: 0.055}
email: {mailbox: 0.0015, gateway: 0.0008}
surcharges: {opt_out_removal_per_request: 0.01, replies_per_part: 0.03}
"""


class Account:
    """An account of the imitated provider, and the controls beside it."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, headers=LOGIN, trust_env=False, verify=False, timeout=30)  # noqa: S501 - plain HTTP

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.http.close()

    def send(self, *numbers: str, **fields: Any) -> httpx.Response:
        """Send an SMS that is right but for `fields`; None leaves a field out."""
        body = {
            "channel": "sms",
            "text": "ACME: bonjour. STOP au XXXXX",
            "recipients": [{"phone_number": number} for number in numbers or (LYON,)],
            "sender": "ACME",
            "purpose": "wholesale",
            "auto_optimize_text": False,
            **fields,
        }
        return self.http.post(SEND, json={name: value for name, value in body.items() if value is not None})

    def accepted(self, *numbers: str, **fields: Any) -> dict[str, Any]:
        """Send, and give the answer with exact amounts."""
        response = self.send(*numbers, **fields)
        assert response.status_code == 200, response.text
        return exact(response)

    def rejected(self, *numbers: str, **fields: Any) -> dict[str, Any]:
        """Send what must be refused, and give the error body."""
        response = self.send(*numbers, **fields)
        assert response.status_code == 400, response.text
        return exact(response)

    def deliveries(self, **query: Any) -> list[dict[str, Any]]:
        return list(self.look("deliveries", **query)["deliveries"])

    def delivered(self) -> dict[str, Any]:
        """Give the only delivery there is."""
        (delivery,) = self.deliveries()
        return dict(delivery)

    def counts(self, **query: Any) -> dict[str, Any]:
        return self.look("deliveries/counts", **query)

    def look(self, name: str, **query: Any) -> dict[str, Any]:
        response = self.http.get(f"/_sandbox/{name}", params=query)
        assert response.status_code == 200, response.text
        return exact(response)

    def set(self, name: str, **fields: Any) -> dict[str, Any]:
        response = self.http.post(f"/_sandbox/{name}", json=fields)
        assert response.status_code == 200, response.text
        return exact(response)


def exact(response: httpx.Response) -> dict[str, Any]:
    """Read a JSON object without turning amounts into floats."""
    return dict(json.loads(response.content, parse_float=Decimal))


@contextmanager
def account(state: Path, *, prices: str | None = None, lists: object = None, **switches: object) -> Iterator[Account]:
    """Open an account of a sandbox of its own over `state`."""
    book = None
    if prices is not None:
        book = state.with_suffix(".yaml")
        book.write_text(prices, encoding="utf-8")
    with Sandbox(state, book, switches=switches, lists=lists) as sandbox, Account(sandbox.url) as opened:
        yield opened
