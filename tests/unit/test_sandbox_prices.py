from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from octoplan.sandbox import prices

if TYPE_CHECKING:
    from pathlib import Path


def test_a_book_is_read_exactly(tmp_path: Path) -> None:
    book = tmp_path / "octopush.yaml"
    book.write_text(
        "currency: EUR\nas_of: 2026-11-01\nsample: true\nsms_premium: {FR: 0.049, NO: 0.10000001}\nsms_low_cost: {}\n"
        "surcharges: {opt_out_removal_per_request: 0.01, replies_per_part: '0.03'}\n",
        encoding="utf-8",
    )
    read = prices.read(book)
    assert read.products["sms_premium"] == {"FR": Decimal("0.049"), "NO": Decimal("0.10000001")}
    assert read.products["sms_low_cost"] == {}
    assert (read.opt_out_removal_per_request, read.replies_per_part) == (Decimal("0.01"), Decimal("0.03"))
    assert read.currency == "EUR"


def test_a_book_has_prices_by_step_message_and_service(tmp_path: Path) -> None:
    book = tmp_path / "octopush.yaml"
    book.write_text(
        "voice_sms: {FR: 0.03}\nvoice_step_seconds: 60\nrcs: {FR: 0.055}\nemail: {mailbox: 0.0015, gateway: 0.0008}\n",
        encoding="utf-8",
    )
    read = prices.read(book)
    assert (read.products["voice_sms"], read.products["rcs"]) == ({"FR": Decimal("0.03")}, {"FR": Decimal("0.055")})
    assert read.products["email"] == {"mailbox": Decimal("0.0015"), "gateway": Decimal("0.0008")}
    assert read.voice_step_seconds == 60


def test_surcharges_may_be_missing(tmp_path: Path) -> None:
    book = tmp_path / "octopush.yaml"
    book.write_text("sms_premium: {FR: 0.049}\n", encoding="utf-8")
    read = prices.read(book)
    assert (read.replies_per_part, read.voice_step_seconds) == (Decimal(0), 30)
    assert read.products["email"] == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "a: [",
        "\x00",
        "surcharges: 5",
        "sms_premium: 5",
        "sms_premium: {FR: dear}",
        "sms_premium: {FR: -1}",
        "sms_premium: {FR: .nan}",
        "sms_premium: {FR: [1]}",
        "email: {gateway: dear}",
        "voice_step_seconds: 0",
        "voice_step_seconds: 1.5",
        "voice_step_seconds: [30]",
    ],
)
def test_what_is_no_book_is_refused(tmp_path: Path, text: str) -> None:
    book = tmp_path / "octopush.yaml"
    book.write_text(text, encoding="utf-8")
    with pytest.raises(prices.PricesUnreadable, match=r"octopush\.yaml"):
        prices.read(book)


def test_a_missing_book_is_refused(tmp_path: Path) -> None:
    with pytest.raises(prices.PricesUnreadable, match=r"nothing\.yaml: the price book cannot be read"):
        prices.read(tmp_path / "nothing.yaml")


@pytest.mark.parametrize(
    ("amount", "literal"),
    [
        ("5.00502839", "5.00502839"),
        ("10", "10"),
        ("0", "0"),
        ("0.00000001", "0.00000001"),
        ("1E+3", "1000"),
        ("0.100", "0.1"),
        ("-0.5", "-0.5"),
    ],
)
def test_amounts_are_written_exactly(amount: str, literal: str) -> None:
    assert prices.literal(Decimal(amount)) == literal
