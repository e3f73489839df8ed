"""A client of the sandbox's Routee that shares no code with octoplan's own: what anybody could write."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sandbox_account import LYON, Account, exact

from octoplan.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

TOKENS = "/routee-auth/oauth/token"
BASE = "/routee"
CAMPAIGN = f"{BASE}/voice/campaign"
ANALYSIS = f"{BASE}/voice/analysis"
TRACKING = f"{BASE}/voice/tracking"
APPLICATION = ("sandbox-app", "secret-canary")
GRANT = {"grant_type": "client_credentials"}
MESSAGE = {"text": "Bonjour", "language": "fr-FR", "gender": "female"}
ATHENS = "+306977663000"
PRICES = """
currency: EUR
as_of: 2026-11-01
sample: true
voice_sms: {FR: 0.002, BE: 0.0035}
voice_step_seconds: 1
"""


class Routee(Account):
    """An account of the imitated Routee, with a token, and the controls beside it."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.http.headers.clear()
        self.sign()

    def sign(self) -> str:
        """Get a new token and use it from now on."""
        answer = self.http.post(TOKENS, auth=APPLICATION, data=GRANT)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        self.http.headers["authorization"] = f"Bearer {token}"
        return token

    def reset(self) -> None:
        """Empty the sandbox, which forgets its tokens too."""
        self.set("reset")
        self.sign()

    def send(self, *numbers: str, **fields: Any) -> httpx.Response:
        """Send a campaign that is right but for `fields`; None leaves a field out."""
        return self.http.post(CAMPAIGN, json=body(*numbers, **fields))

    def analyse(self, *numbers: str, **fields: Any) -> httpx.Response:
        return self.http.post(ANALYSIS, json=body(*numbers, **fields))

    def refused(self, code: str, *numbers: str, **fields: Any) -> str:
        """Send what must be refused with a code, in the documented shape; give the message. Nothing may follow."""
        before = self.counts()
        answer = self.send(*numbers, **fields)
        assert answer.status_code == int(code[:3]), answer.text
        assert list(answer.json()) == ["code", "developerMessage"]
        assert answer.json()["code"] == code
        assert self.counts() == before
        return str(answer.json()["developerMessage"])

    def search(self, *filters: tuple[str, str, str], **query: Any) -> dict[str, Any]:
        """Search the calls by (fieldName, searchOperator, searchTerm)."""
        names = ("fieldName", "searchOperator", "searchTerm")
        asked = [dict(zip(names, one, strict=True)) for one in filters]
        answer = self.http.post(TRACKING, json=asked, params=query)
        assert answer.status_code == 200, answer.text
        return exact(answer)

    def found(self, *filters: tuple[str, str, str], **query: Any) -> list[str]:
        """Search, and give the numbers of the calls."""
        return [item["to"] for item in self.search(*filters, size=1000, **query)["content"]]

    def calls(self, ticket: str, **query: Any) -> dict[str, Any]:
        answer = self.http.get(f"{TRACKING}/campaign/{ticket}", params=query)
        assert answer.status_code == 200, answer.text
        return exact(answer)

    def show(self, ticket: str) -> dict[str, Any]:
        answer = self.http.get(f"{BASE}/campaigns/{ticket}")
        assert answer.status_code == 200, answer.text
        return exact(answer)

    def delete(self, ticket: str) -> httpx.Response:
        return self.http.delete(f"{CAMPAIGN}/{ticket}")

    def outcomes(self) -> list[str]:
        return [request["outcome"] for request in self.look("requests")["requests"]]


def body(*numbers: str, **fields: Any) -> dict[str, Any]:
    """Build a campaign that is right but for `fields`; None leaves a field out."""
    usual = {"sender": "ACME", "to": list(numbers or (LYON,)), "message": MESSAGE, **fields}
    return {name.replace("sender", "from"): value for name, value in usual.items() if value is not None}


def code(answer: httpx.Response) -> tuple[int, str]:
    """Give status and code of a refusal."""
    return answer.status_code, json.loads(answer.content)["code"]


@contextmanager
def account(state: Path, *, prices: str | None = PRICES, **options: Any) -> Iterator[Routee]:
    """Open an account of a sandbox of its own over `state`; `options` are switches, lists and faults."""
    book = state.with_suffix(".yaml")
    if prices is not None:
        book.write_text(prices, encoding="utf-8")
    given = {name: options.pop(name) for name in ("lists", "faults") if name in options}
    books = {} if prices is None else {"routee": book}
    with Sandbox(state, books, switches=options, **given) as sandbox, Routee(sandbox.url) as opened:
        yield opened
