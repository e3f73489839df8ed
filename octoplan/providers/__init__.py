"""The providers, by kind. Adding one is a folder beside this file and a line in `PROVIDERS`."""

from __future__ import annotations

from octoplan.providers.octopush import Octopush
from octoplan.providers.provider import Limits, Lost, Provider, Sent, Simulated, Tokens
from octoplan.providers.routee import Routee

__all__ = ["PROVIDERS", "Limits", "Lost", "Provider", "Sent", "Simulated", "Tokens"]

PROVIDERS: dict[str, Provider] = {"octopush": Octopush(), "routee": Routee()}
