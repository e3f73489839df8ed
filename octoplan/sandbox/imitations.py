"""The imitated providers, by the addresses they have here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octoplan.sandbox import octopush, routee

if TYPE_CHECKING:
    from octoplan.sandbox.world import Imitation

IMITATIONS: tuple[Imitation, ...] = (octopush.OCTOPUSH, routee.TOKENS, routee.ROUTEE)

PROVIDERS: tuple[str, ...] = tuple(dict.fromkeys(imitation.provider for imitation in IMITATIONS))


def below(path: str) -> str | None:
    """Give the endpoint a path asks for, without the provider's base; None where it is below none."""
    return next((path[len(one.base) + 1 :] for one in IMITATIONS if path.startswith(f"{one.base}/")), None)
