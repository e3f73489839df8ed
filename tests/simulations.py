"""Asking a provider, in tests, what a batch would be: the first request, and what its answer means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octoplan.core.model import Exchange, Request
from octoplan.providers import Simulated

if TYPE_CHECKING:
    from octoplan.core.model import Batch, Seen
    from octoplan.providers import Provider


def simulation(provider: Provider, batch: Batch) -> Request:
    """Return the first request."""
    found = provider.simulate(batch, ())
    assert isinstance(found, Request)
    return found


def simulated(provider: Provider, batch: Batch, *seen: Seen) -> Simulated:
    """Return what the answers to all requests, in their order, come to."""
    answered: tuple[Exchange, ...] = ()
    for each in seen:
        found = provider.simulate(batch, answered)
        assert isinstance(found, Request)
        answered += (Exchange(request=found, seen=each),)
    last = provider.simulate(batch, answered)
    assert isinstance(last, Simulated)
    return last
