"""The peer: the script one would write instead, with the standard library and no check of any text."""

from __future__ import annotations

import csv
import hashlib
import sqlite3
import sys
from decimal import Decimal
from pathlib import Path

FOLDER = Path(sys.argv[1])
ONE_PART = 160
PRICE = Decimal("0.049")


def key(address: str) -> bytes:
    """Return the keyed hash of an address."""
    return hashlib.blake2b(address.encode(), key=b"k" * 32, digest_size=16).digest()


def rows(name: str) -> list[dict[str, str]]:
    """Return a CSV file's rows."""
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def sent() -> set[bytes]:
    """Return the keys of everybody who was sent this."""
    found: set[bytes] = set()
    for (blob,) in sqlite3.connect(FOLDER / ".octoplan/ledger.db").execute("select keys from batch_keys"):
        found.update(blob[start : start + 16] for start in range(0, len(blob), 16))
    return found


def main() -> None:
    """Print contacts and cost."""
    suppressed = {row["phone_number"] for row in rows("opposition.csv")}
    known = sent()
    owed: dict[str, str] = {}
    for row in rows("audience.csv"):
        address = row["phone_number"]
        if address not in suppressed and key(address) not in known:
            owed.setdefault(address, f"ACME: {row['first_name']}, votre commande {row['code']} est prete.")
    cost = sum((PRICE for text in owed.values() if len(text) <= ONE_PART), Decimal(0))
    print(f"{len(owed)} contacts, {cost} EUR")


main()
