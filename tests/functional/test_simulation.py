"""A second opinion is worth a wait: what a provider that limits, breaks or vanishes does to a plan."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections import deque
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from relay import Call, passed, request_lost, says
from workspaces import Workspace

from campaigns import batch
from octoplan.core.errors import Refused, Unfinished
from octoplan.core.model import NotSent, Reply, Request, Seen, Unknown
from octoplan.providers import PROVIDERS
from octoplan.workflow import simulate as simulating
from octoplan.workflow.progress import Silent
from octoplan.workflow.simulate import RATE_LIMITS, RETRIES, pause, simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from relay import Relay

    from octoplan.core.model import Batch
    from octoplan.core.rules.all import SecondOpinion
    from octoplan.project.wires import Wires
    from octoplan.wire import Deadline

LIMITED = says(429, retry_after="0")


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path).usual()


def first(*acts: Callable[[Call], None]) -> Callable[[Call], None]:
    """Do one act each to the first requests; pass the others."""
    script = deque(acts)

    def act(call: Call) -> None:
        (script.popleft() if script else passed)(call)

    return act


@pytest.mark.parametrize("obstacle", [LIMITED, request_lost, says(502)])
def test_what_passes_does_not_end_a_plan(obstacle: Callable[[Call], None], project: Workspace, relay: Relay) -> None:
    relay.asks = first(obstacle)
    (row,) = json.loads(project.run("plan", "--json").out)["campaigns"]
    assert (row["simulation"]["contacts"], row["simulation"]["calls"]) == (3, 3)
    assert relay.requests == 4


def test_a_provider_that_goes_on_limiting_ends_a_plan(
    project: Workspace, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulating, "RATE_LIMITS", 1)
    project.edit("octoplan.yaml", "quiet_time: 1s", "quiet_time: 1s, workers: 1")
    relay.asks = LIMITED
    ended = project.run("plan", "--json", code=5)
    assert json.loads(ended.out)["reason"] == "unreachable"
    assert "HTTP 429" in ended.err
    assert relay.requests in (2, 3)  # the worker may begin another before it is stopped


def test_ctrl_c_ends_a_long_wait_of_a_plan(project: Workspace, relay: Relay) -> None:
    def limited(call: Call) -> None:
        says(429, retry_after="600")(call)
        relay.held.release()

    relay.asks = limited
    process = project.start("plan")
    for _ in range(3):
        relay.wait_until_held()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130


def limit(seconds: str) -> Reply:
    return Reply(status=429, headers={"retry-after": seconds}, body=b"")


LOST, UNREACHED, BROKEN = Unknown(reason="lost"), NotSent(reason="refused"), Reply(status=502, headers={}, body=b"")


@pytest.mark.parametrize(
    ("history", "seconds"),
    [
        ([limit("7")], 7.0),
        ([limit("7")] * RATE_LIMITS, 7.0),
        ([limit("7")] * (RATE_LIMITS + 1), None),
        ([UNREACHED], 1.0),
        ([LOST, BROKEN], 2.0),
        ([BROKEN] * RETRIES, 2.0),
        ([BROKEN] * (RETRIES + 1), None),
        ([LOST, limit("7"), limit("8")], 8.0),
        ([limit("7")] * RATE_LIMITS + [LOST], 1.0),
        ([LOST] * RETRIES + [limit("7"), LOST], None),
    ],
)
def test_how_long_a_useless_answer_is_waited_for(history: list[Seen], seconds: float | None) -> None:
    assert pause(history) == seconds


class Account:
    """A live account whose wires are not connected to anything; notes the moments at which it is asked."""

    def __init__(self, rate: str | None, *answers: Seen) -> None:
        settings = SimpleNamespace(rate=None if rate is None else Decimal(rate))
        self.project = SimpleNamespace(
            provider=PROVIDERS.__getitem__,
            surroundings=SimpleNamespace(sandbox=False),
            settings=SimpleNamespace(providers={"octopush": settings}),
        )
        self.answers = deque(answers)
        self.asked: list[float] = []
        self.closed = 0
        self.lock = threading.Lock()

    def planning(self, _: str) -> Account:
        return self

    def exchange(self, _: Request, __: Deadline) -> Seen:
        with self.lock:
            self.asked.append(time.monotonic())
            body = b'{"number_of_contacts": 2, "total_cost": 0.1}'
            return self.answers.popleft() if self.answers else Reply(status=200, headers={}, body=body)

    def close(self) -> None:
        self.closed += 1


def opined(account: Account, batches: Iterator[Batch], workers: int = 3) -> SecondOpinion:
    wires = cast("Wires", cast("Any", account))
    return simulate(batches, name="octopush", wires=wires, workers=workers, progress=Silent())


def test_a_live_account_is_asked_no_faster_than_its_rate() -> None:
    account = Account("40")
    assert opined(account, (batch() for _ in range(9))).calls == 9
    assert account.asked[-1] - account.asked[0] >= 8 / 40 * 0.9
    assert account.closed <= 3


def test_a_wait_that_is_over_for_one_batch_is_over_for_all() -> None:
    account = Account(None, limit("600"), *[UNREACHED] * (RETRIES + 1))
    began = time.monotonic()
    with pytest.raises(Unfinished, match="refused"):
        opined(account, (batch() for _ in range(2)), workers=2)
    assert time.monotonic() - began < 20


def test_refused_batches_are_counted_by_reason_and_refused_credentials_end_it() -> None:
    no_stop = Reply(status=400, headers={}, body=b'{"code": 121, "message": "?"}')
    no_text = Reply(status=400, headers={}, body=b'{"code": 107, "message": "?"}')
    account = Account(None, no_stop, no_text, no_stop)
    opinion = opined(account, (batch() for _ in range(5)))
    assert (opinion.calls, opinion.contacts, list(opinion.refused.values())) == (5, 4, [1, 2])
    assert [reason[:8] for reason in opinion.refused] == ["code 107", "code 121"]
    with pytest.raises(Refused, match="check them in octoplan"):
        opined(Account(None, Reply(status=401, headers={}, body=b"{}")), iter([batch()]))


def test_a_large_campaign_is_never_in_memory_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulating, "AT_ONCE", 4)
    account, made = Account(None), []

    def batches() -> Iterator[Batch]:
        for number in range(30):
            made.append(number)
            assert len(made) - len(account.asked) <= 4
            yield batch()

    assert opined(account, batches()).calls == 30
