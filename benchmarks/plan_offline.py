"""`octoplan plan --offline` over a million contacts, beside a floor and a peer measured in the same run.

floor   DuckDB reads the file as text, counts distinct addresses and rows, and BLAKE2b hashes every address:
        no plan can do less.
peer    the script one would write instead: csv, sets, an f-string, the same hashes, no checks of any text.

`python benchmarks/plan_offline.py [CONTACTS]` prints a table and writes it into `benchmarks/RESULTS.md`.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from octoplan.core import keys
from octoplan.core.model import Receipt
from octoplan.ledger import BatchState, Claim, NewBatch, RecordedCampaign, RecordedPlan, Reserve, Settlement
from octoplan.project import open_project

RESULTS = Path(__file__).parent / "RESULTS.md"
STORES = ("Bellecour", "Part-Dieu", "Croix-Rousse")
NAMES = ("Zoé", "Inès", "Marc", "Yves", "Léa", "Noé", "Odile", "Régis")


@dataclass(frozen=True)
class Measured:
    """Wall-clock seconds and peak resident memory in MB of one child process."""

    name: str
    seconds: float
    megabytes: float


def number(index: int) -> str:
    """Return the index-th French mobile number; real numbering ranges, since fiction's holds only 10,000."""
    return f"+336{10_000_000 + index:08}"


def lay(folder: Path, contacts: int) -> None:
    """Write a project whose audience is half suppressed or sent already, by lists as long as itself."""
    (folder / "campaigns").mkdir()
    (folder / "prices").mkdir()
    (folder / "octoplan.yaml").write_text(
        "version: 1\ncampaigns: campaigns/\ndefaults: {sender: ACME, country: FR, timezone: Europe/Paris}\n"
        "suppressions: [opposition.csv]\nlimits: {max_cost: 1000000 EUR}\n"
    )
    (folder / "prices/octopush.yaml").write_text(
        "currency: EUR\nas_of: 2026-11-01\nsample: true\nsms_premium: {FR: 0.049}\n"
    )
    (folder / "campaigns/big.yaml").write_text(
        "id: big\nchannel: sms\npurpose: transactional\naudience: {file: ../audience.csv, new_contacts: send}\n"
        'message: {text: "ACME: {{ contact.first_name }}, votre commande {{ contact.code }} est prete."}\n'
    )
    write(folder / "audience.csv", range(contacts))
    write(folder / "opposition.csv", range(contacts * 3 // 4, contacts * 7 // 4))


def write(path: Path, numbers: range) -> None:
    """Write one CSV file of contacts."""
    with path.open("w", encoding="utf-8") as file:
        file.write("phone_number,first_name,store,code\n")
        file.writelines(f"{number(index)},{NAMES[index % 8]},{STORES[index % 3]},C{index:07}\n" for index in numbers)


def remember(folder: Path, contacts: int) -> None:
    """Record as many contacts as sent already: a quarter of the audience and three quarters of others."""
    project = open_project(folder)
    ledger = project.open_ledger()
    now = datetime.now(UTC)
    ledger_run = ledger.open_run("before")
    ledger.record(
        RecordedPlan(
            plan_id="before",
            created_at=now,
            everything=True,
            campaigns=(
                RecordedCampaign(
                    id="big",
                    edition=1,
                    apply_from=now,
                    apply_until=now + timedelta(days=1),
                    worst=Decimal(10**9),
                    currency="EUR",
                    spec="{}",
                ),
            ),
        )
    )
    sent = (*range(contacts // 4), *range(2 * contacts, 2 * contacts + contacts * 3 // 4))
    known = sorted(keys.contact_keys(project.key, map(number, sent)))
    batches = tuple(
        NewBatch(keys=b"".join(known[start : start + 500]), parts=500, worst=Decimal(25))
        for start in range(0, len(known), 500)
    )
    rows = ledger.reserve(
        ledger_run,
        "before",
        wanted=Reserve(
            campaign="big", edition=1, version=0, seen=0, provider="octopush", currency="EUR", batches=batches
        ),
    )
    for row in rows:
        claim = Claim(request_id="r", payload_hash="p", deadline=now + timedelta(minutes=1))
        attempt = ledger.claim(ledger_run, row.id, wanted=claim)
        if attempt is None:
            raise SystemExit(f"{row.id} could not be claimed")
        receipt = Receipt(ticket="t", contacts=row.count, cost=Decimal(24))
        ledger.settle(attempt, Settlement(state=BatchState.ACCEPTED, receipt=receipt))
    ledger.close_run(ledger_run)
    ledger.close()


def measure(name: str, *arguments: str) -> Measured:
    """Run one command and measure it."""
    before = time.perf_counter()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)  # noqa: S603  our own scripts
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - before
    if status:
        raise SystemExit(f"{name} ended with {status}")
    return Measured(name, seconds, usage.ru_maxrss / 1024)


def main() -> None:
    """Measure and write the results."""
    contacts = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lay(folder, contacts)
        remember(folder, contacts)
        beside = Path(__file__).parent
        rows = [
            measure("floor", sys.executable, str(beside / "floor.py"), name),
            measure("octoplan plan --offline", sys.executable, "-m", "octoplan", "-q", "-C", name, "plan", "--offline"),
            measure("peer script", sys.executable, str(beside / "peer.py"), name),
        ]
    table = report(contacts, rows)
    sys.stdout.write(table)
    RESULTS.write_text(f"# Measured\n\n`make bench` writes this file.\n\n{table}", encoding="utf-8")


def report(contacts: int, rows: list[Measured]) -> str:
    """Return the table."""
    base = rows[0].seconds
    lines = [
        f"## Plan offline, {contacts:,} contacts, two merge fields, as many suppressed, as many already sent",
        "",
        f"{datetime.now(UTC):%Y-%m-%d} · CPython {platform.python_version()} · {os.cpu_count()} cores",
        "",
        "Budget: 6 s and 1 GB a million contacts.",
        "",
        "| what | seconds | times the floor | peak MB |",
        "|---|---:|---:|---:|",
        *(f"| {row.name} | {row.seconds:.2f} | {row.seconds / base:.1f} | {row.megabytes:,.0f} |" for row in rows),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
