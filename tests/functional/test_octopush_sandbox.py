"""Octopush's provider and the imitation, written apart from each other, over a real socket."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import pytest
from simulations import simulated, simulation

from campaigns import batch, campaign
from octoplan.core.message import Content
from octoplan.core.model import Exchange, Money, Outcome, Request, Verdict
from octoplan.providers import PROVIDERS, Simulated
from octoplan.sandbox import Sandbox
from octoplan.wire import Deadline, PlanningWire, Wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from octoplan.core.model import Batch

OCTOPUSH = PROVIDERS["octopush"]
CREDENTIALS = {"login": "sandbox", "key": "any"}
IDENTIFIED = batch(5, request_id="abcdefghijklmnopqrstuvwxyz")


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[str]:
    with Sandbox(tmp_path / "sandbox.db") as running:
        yield running.url


def wire(sandbox: str, login: str = "sandbox") -> Wire:
    return Wire(sandbox + OCTOPUSH.sandbox_path, OCTOPUSH.headers({**CREDENTIALS, "login": login}))


def send(sandbox: str, what: Batch, login: str = "sandbox") -> Outcome:
    request = OCTOPUSH.next(what, ())
    assert isinstance(request, Request)
    with wire(sandbox, login) as line:
        outcome = OCTOPUSH.next(what, (Exchange(request=request, seen=line.exchange(request, Deadline())),))
    assert isinstance(outcome, Outcome)
    return outcome


def delivered(sandbox: str) -> list[str]:
    with httpx.Client(trust_env=False) as client:
        deliveries = client.get(f"{sandbox}/_sandbox/deliveries").json()["deliveries"]
    return sorted(each["address"] for each in deliveries)


def test_a_batch_is_delivered_once_and_a_repeat_is_a_duplicate(sandbox: str) -> None:
    first = send(sandbox, IDENTIFIED)
    assert (first.verdict, first.excess) == (Verdict.ACCEPTED, "")
    assert first.receipt is not None
    assert (first.receipt.contacts, first.receipt.parts) == (5, 5)
    assert first.receipt.ticket
    assert send(sandbox, IDENTIFIED).verdict is Verdict.DUPLICATE
    assert delivered(sandbox) == list(IDENTIFIED.addresses)


def test_a_rejection_names_the_mention(sandbox: str) -> None:
    outcome = send(sandbox, replace(IDENTIFIED, content=Content(text="ACME: -20% a Lyon.")))
    assert outcome.verdict is Verdict.REJECTED
    assert "{{ stop }}" in outcome.hint
    assert delivered(sandbox) == []


def test_wrong_credentials_stop_the_run(sandbox: str) -> None:
    assert send(sandbox, IDENTIFIED, login="crm@acme.example").verdict is Verdict.REFUSED


def test_planning_learns_figures_and_sends_nothing(sandbox: str) -> None:
    with wire(sandbox) as line:
        planning = PlanningWire(line, OCTOPUSH.may_plan)
        answer = simulated(OCTOPUSH, IDENTIFIED, planning.exchange(simulation(OCTOPUSH, IDENTIFIED), Deadline()))
        assert (answer.contacts, answer.parts, str(answer.cost)) == (5, 5, "0.25")
        wrong = replace(IDENTIFIED, content=Content(text="ACME: -20% a Lyon."))
        refused = simulated(OCTOPUSH, wrong, planning.exchange(simulation(OCTOPUSH, wrong), Deadline()))
        assert "121" in refused.refused
        balance = OCTOPUSH.read_balance(planning.exchange(OCTOPUSH.balance(), Deadline()))
    assert isinstance(answer, Simulated)
    assert isinstance(balance, Money)
    assert balance.currency == "EUR"
    assert delivered(sandbox) == []


def test_a_simulation_does_not_burn_the_request_id(sandbox: str) -> None:
    with wire(sandbox) as line:
        line.exchange(simulation(OCTOPUSH, IDENTIFIED), Deadline())
    assert send(sandbox, IDENTIFIED).verdict is Verdict.ACCEPTED


def test_a_transactional_text_needs_no_mention(sandbox: str) -> None:
    quiet = replace(IDENTIFIED, campaign=campaign(purpose="transactional"), content=Content(text="Rendez-vous a 9h"))
    assert send(sandbox, quiet).verdict is Verdict.ACCEPTED
