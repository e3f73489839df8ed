"""The providers, by kind. Adding one is a folder beside this file and a line in `PROVIDERS`."""

from __future__ import annotations

from octoplan.providers.octopush import Octopush
from octoplan.providers.provider import Limits, Provider, Sent, Simulated

__all__ = ["PROVIDERS", "Limits", "Provider", "Sent", "Simulated"]

PROVIDERS: dict[str, Provider] = {"octopush": Octopush()}
