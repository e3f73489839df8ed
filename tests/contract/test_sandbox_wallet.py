"""The imitation of the wallet, over real HTTP."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from sandbox_account import BASE, PRICES, Account, account, exact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CREDITS = f"{BASE}/wallet/check-credits"


def credit(sandbox: Account, query: str = "") -> dict[str, Any]:
    answer = sandbox.http.get(CREDITS + query)
    assert answer.status_code == 200
    return exact(answer)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Account]:
    with account(tmp_path / "sandbox.db", prices=PRICES, initial_balance="0.10") as opened:
        yield opened


def test_credits_are_what_the_balance_pays_for(sandbox: Account) -> None:
    assert credit(sandbox, "?country_codes[]=FR&country_codes[]=be") == {
        "FR": {"premium_sms": 2, "vocal_sms": 3, "low_cost_sms": 2, "hlr": 10},
        "BE": {"premium_sms": 1, "vocal_sms": 2, "low_cost_sms": 0, "hlr": 10},
    }
    assert list(credit(sandbox)) == ["BE", "FR", "NO"]
    assert list(credit(sandbox, "?country_codes=FR,ZZ&x=1")) == ["FR", "ZZ"]
    assert list(credit(sandbox, "?country_codes%5B0%5D=NO")) == ["NO"]
    nothing = {"premium_sms": 0, "vocal_sms": 0, "low_cost_sms": 0, "hlr": 10}
    assert credit(sandbox, "?country_codes[]=ZZ")["ZZ"] == nothing
    sandbox.set("switches", hlr_price="0.05", unknown_country_price="0.02")
    some = {"premium_sms": 5, "vocal_sms": 5, "low_cost_sms": 5, "hlr": 2}
    assert credit(sandbox, "?country_codes[]=ZZ")["ZZ"] == some
    assert sandbox.http.get(CREDITS, headers={"api-key": ""}).status_code == 401
    kept = sandbox.look("requests")["requests"]
    assert (kept[0]["outcome"], kept[0]["query"]) == ("credits", "country_codes[]=FR&country_codes[]=be")


def test_credits_without_a_price_book(tmp_path: Path) -> None:
    with account(tmp_path / "sandbox.db", initial_balance="1") as sandbox:
        assert credit(sandbox) == {}
        assert credit(sandbox, "?country_codes[]=FR")["FR"]["premium_sms"] == 20
        sandbox.set("switches", price_without_book="0")
        assert credit(sandbox, "?country_codes[]=FR")["FR"]["premium_sms"] == 1
        assert sandbox.look("balance")["amount"] == Decimal(1)
