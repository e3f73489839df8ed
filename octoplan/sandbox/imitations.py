"""The imitated providers, by the addresses they have here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from octoplan.sandbox import octopush, routee

if TYPE_CHECKING:
    from collections.abc import Mapping

    from octoplan.sandbox.world import Imitation

IMITATIONS: tuple[Imitation, ...] = (octopush.OCTOPUSH, routee.TOKENS, routee.ROUTEE)

PROVIDERS: tuple[str, ...] = tuple(dict.fromkeys(imitation.provider for imitation in IMITATIONS))


def failure(provider: str, message: str) -> Mapping[str, Any]:
    """Write what a provider says of an error of its own."""
    refusal = next(one.refusal for one in IMITATIONS if one.provider == provider)
    return refusal(500, message)


def below(path: str) -> str | None:
    """Give the endpoint a path asks for, without the provider's base; None where it is below none."""
    return next((path[len(one.base) + 1 :] for one in IMITATIONS if path.startswith(f"{one.base}/")), None)
