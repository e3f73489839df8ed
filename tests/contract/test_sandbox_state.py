"""The sandbox's memory and life: threads, processes, restarts, kills, signals."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING

import httpx
import pytest
from sandbox_account import LYON, PARIS, Account, account

from octoplan.sandbox import PricesUnreadable, Sandbox, StateUnusable, SwitchUnknown

if TYPE_CHECKING:
    from pathlib import Path

SERVE = """
import sys
from pathlib import Path
from octoplan.sandbox import serve
serve(Path(sys.argv[1]), port=0, ready=lambda line: print(line, flush=True))
print("stopped", flush=True)
"""

SEND_FOR_EVER = """
import sys
from itertools import count
from pathlib import Path
import httpx
from octoplan.sandbox import Sandbox
with Sandbox(Path(sys.argv[1])) as sandbox, httpx.Client(base_url=sandbox.url, trust_env=False) as http:
    for n in count():
        answer = http.post(
            "/octopush/v1/public/multi-channel/send",
            headers={"api-key": "k", "api-login": "sandbox"},
            json={"channel": "sms", "text": "a", "purpose": "alert", "recipients": [f"+3363998{n:04d}"] * 3},
        )
        print(answer.json()["sms_ticket"], flush=True)
"""


def run(program: str, state: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, str(state)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_many_threads_send_each_message_once(tmp_path: Path) -> None:
    with account(tmp_path / "sandbox.db") as sandbox, ThreadPoolExecutor(16) as threads:
        numbers = [f"+3363998{n:04d}" for n in range(200)]
        answers = list(threads.map(sandbox.accepted, numbers))
        assert len({answer["sms_ticket"] for answer in answers}) == 200
        assert sandbox.counts() == {"deliveries": 200, "addresses": 200, "most_per_address": 1}
        assert sandbox.look("balance")["amount"] == 1_000_000 - 10
        assert min(answer["residual_credit"] for answer in answers) == 1_000_000 - 10


def test_of_one_request_id_sent_at_once_one_is_accepted(tmp_path: Path) -> None:
    once = {"metadata": {"request_id": "abc"}}
    with (
        account(tmp_path / "sandbox.db") as one,
        account(tmp_path / "sandbox.db") as other,
        ThreadPoolExecutor(16) as threads,
    ):
        sent = [threads.submit(sandbox.send, **once) for sandbox in (one, other) * 20]
        assert Counter(answer.result().status_code for answer in sent) == {200: 1, 400: 39}
        assert one.counts()["deliveries"] == other.counts()["deliveries"] == 1


def test_two_servers_share_one_state(tmp_path: Path) -> None:
    with account(tmp_path / "sandbox.db") as one, account(tmp_path / "sandbox.db") as other:
        one.accepted(LYON)
        other.accepted(PARIS)
        assert [d["address"] for d in one.deliveries()] == [LYON, PARIS]
        assert one.deliveries(offset=1) == other.deliveries(offset=1) != []
        assert one.look("balance") == other.look("balance")
        one.set("switches", success_status=201)
        one.set("blacklist", addresses=[LYON])
        one.set("clock", advance="25h")
        assert other.send(PARIS).status_code == 201
        assert other.look("clock")["ahead_seconds"] == 25 * 3600
        other.set("blacklist", addresses=[PARIS])
        assert one.look("blacklist") == {"addresses": [LYON, PARIS]}
        other.set("reset")
        assert one.accepted(LYON, auto_remove_blacklisted_contacts=True)["number_of_contacts"] == 1
        assert one.counts()["deliveries"] == 1


def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    once = {"metadata": {"request_id": "abc"}}
    with account(tmp_path / "sandbox.db", success_status=200) as sandbox:
        sandbox.accepted(**once)
        sandbox.set("blacklist", addresses=[PARIS])
        sandbox.set("clock", advance="1h")
        sandbox.set("switches", duplicate_status=422)
        before = [sandbox.look(name) for name in ("deliveries", "requests", "balance", "blacklist", "switches")]
    with account(tmp_path / "sandbox.db") as sandbox:
        after = [sandbox.look(name) for name in ("deliveries", "requests", "balance", "blacklist", "switches")]
        assert after == before
        assert sandbox.send(**once).status_code == 422
        assert sandbox.look("clock")["ahead_seconds"] == 3600


def test_kill_9_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    state = tmp_path / "sandbox.db"
    process = run(SEND_FOR_EVER, state)
    answered = [line(process) for _ in range(60)]
    process.kill()
    rest, _ = process.communicate()
    answered += rest.split()
    with account(state) as sandbox:
        delivered = Counter(delivery["ticket"] for delivery in sandbox.deliveries())
        assert set(answered) <= set(delivered)
        assert set(delivered.values()) == {3}
        assert sandbox.look("requests")["total"] == len(delivered)
        assert sandbox.look("balance")["amount"] * 100 == 100_000_000 - 15 * len(delivered)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_shows_its_switches_and_stops_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    process = run(SERVE, tmp_path / "sandbox.db")
    url = line(process)
    assert url.startswith("http://127.0.0.1:")
    assert line(process).startswith("success_status = 200: HTTP status")
    with Account(url) as served:
        served.accepted()
    process.send_signal(number)
    rest, errors = process.communicate(timeout=10)
    assert rest.splitlines()[-1] == "stopped"
    assert errors == ""
    assert process.returncode == 0


def test_an_embedded_apply_while_the_outbox_is_served(tmp_path: Path) -> None:
    state = tmp_path / "sandbox.db"
    process = run(SERVE, state)
    with Account(line(process)) as served, account(state) as embedded, ThreadPoolExecutor(8) as threads:
        sent = [threads.submit(sandbox.send) for sandbox in (embedded, served) * 30]
        assert {answer.result().status_code for answer in sent} == {200}
        assert served.counts()["deliveries"] == embedded.counts()["deliveries"] == 60
        tickets = served.look("tickets")["tickets"]
        assert len({ticket["ticket"] for ticket in tickets}) == 60
    process.terminate()
    process.communicate(timeout=10)


def test_the_main_threads_signals_stay_its_own(tmp_path: Path) -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: seen.append(number))
    try:
        with account(tmp_path / "sandbox.db") as sandbox:
            os.kill(os.getpid(), signal.SIGINT)
            sandbox.accepted()
            assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [signal.SIGINT]


def test_starting_and_stopping_is_quick_and_silent(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    started = time.perf_counter()
    for _ in range(3):
        with Sandbox(tmp_path / "sandbox.db") as sandbox:
            httpx.get(sandbox.url + "/nothing", trust_env=False)
    assert time.perf_counter() - started < 3
    assert capfd.readouterr() == ("", "")
    assert not [thread for thread in threading.enumerate() if thread.name == "sandbox"]
    with pytest.raises(httpx.ConnectError):
        httpx.get(sandbox.url, trust_env=False)


def test_the_state_is_its_owners_alone(tmp_path: Path) -> None:
    state = tmp_path / "new" / "folder" / "sandbox.db"
    with account(state) as sandbox:
        sandbox.accepted()
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    assert {stat.S_IMODE(path.stat().st_mode) for path in state.parent.iterdir()} == {0o600}


def test_a_state_laid_before_there_were_channels_is_used(tmp_path: Path) -> None:
    state = tmp_path / "sandbox.db"
    with account(state) as sandbox:
        sandbox.accepted(LYON)
    with sqlite3.connect(state) as before:
        before.execute("ALTER TABLE messages DROP COLUMN content")
    before.close()
    with account(state) as sandbox:
        sandbox.accepted(PARIS)
        assert [len(d["content"]) for d in sandbox.deliveries()] == [0, 2]


def test_the_balance_of_an_earlier_release_is_octopushs(tmp_path: Path) -> None:
    state = tmp_path / "sandbox.db"
    with account(state) as sandbox:
        sandbox.accepted(LYON)
        sandbox.set("clock", advance="1h")
    with sqlite3.connect(state) as before:
        before.execute("DROP TABLE balances")
        before.execute("ALTER TABLE account RENAME TO later")
        before.execute(
            "CREATE TABLE account (balance TEXT NOT NULL, delivered INTEGER NOT NULL, ahead REAL NOT NULL,"
            " switches TEXT NOT NULL)"
        )
        before.execute("INSERT INTO account SELECT '12.5', delivered, ahead, switches FROM later")
        before.execute("DROP TABLE later")
        before.execute("ALTER TABLE messages DROP COLUMN held")
    before.close()
    for _ in range(2):
        with account(state, duplicate_status=422) as sandbox:
            balances = sandbox.look("balance")["providers"]
            assert (balances["octopush"]["amount"], balances["routee"]["amount"]) == (Decimal("12.5"), 1_000_000)
            assert sandbox.look("clock")["ahead_seconds"] == 3600
            assert sandbox.counts()["deliveries"] == 1


def test_a_foreign_file_is_left_as_it_is(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    connection = sqlite3.connect(ledger)
    connection.execute("CREATE TABLE batches (id TEXT)")
    connection.close()
    before = ledger.read_bytes()
    with pytest.raises(StateUnusable, match=r"ledger\.db: not a sandbox state"), Sandbox(ledger):
        pass
    assert ledger.read_bytes() == before


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("hello " * 1000, encoding="utf-8")
    with pytest.raises(StateUnusable, match="cannot be used"), Sandbox(text):
        pass
    with pytest.raises(StateUnusable, match="cannot be used"), Sandbox(tmp_path):
        pass
    assert text.read_text(encoding="utf-8") == "hello " * 1000


def test_what_cannot_be_used_is_said_before_anything_is_served(tmp_path: Path) -> None:
    state = tmp_path / "sandbox.db"
    with pytest.raises(SwitchUnknown), Sandbox(state, switches={"nothing": 1}):
        pass
    with pytest.raises(PricesUnreadable), Sandbox(state, tmp_path / "nothing.yaml"):
        pass
    with pytest.raises(PricesUnreadable), Sandbox(state, {"routee": tmp_path / "nothing.yaml"}):
        pass
    with (
        pytest.raises(PricesUnreadable, match=r"for octopush, routee, not for route$"),
        Sandbox(state, {"route": state}),
    ):
        pass
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        Sandbox(state, port=taken.getsockname()[1]).__enter__()
    assert not state.exists()


def test_a_full_disk_is_answered_with_500_and_nothing_is_sent(tmp_path: Path) -> None:
    with account(tmp_path / "sandbox.db") as sandbox:
        sandbox.accepted()
        with sqlite3.connect(tmp_path / "sandbox.db") as foreign:
            foreign.execute("CREATE TRIGGER full BEFORE INSERT ON messages BEGIN SELECT RAISE(FAIL, 'disk full'); END")
        foreign.close()
        answer = sandbox.send(PARIS, metadata={"request_id": "a"})
        assert (answer.status_code, answer.json()["code"]) == (500, 500)
        assert sandbox.http.post("/octopush/v1/public/nothing").status_code == 404
        with sqlite3.connect(tmp_path / "sandbox.db") as foreign:
            foreign.execute("DROP TRIGGER full")
        foreign.close()
        assert sandbox.counts()["deliveries"] == 1
        assert sandbox.accepted(PARIS, metadata={"request_id": "a"})["number_of_contacts"] == 1
        assert sandbox.look("balance")["amount"] * 10 == 10_000_000 - 1
        assert [d["address"] for d in sandbox.deliveries(offset=1)] == [PARIS]
