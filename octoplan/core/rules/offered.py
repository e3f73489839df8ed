"""Keys that a campaign's channel has, and its provider does not: what is not offered must never be ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from octoplan.core.rules import finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from octoplan.core.model import Campaign, Finding


def not_offered(campaign: Campaign, keys: Iterable[str], *, kind: str, has: str) -> Iterator[Finding]:
    """Yield an error for each of the `keys` (`options.callback`) that is set.

    Providers of this `kind` do not have them; those of the kind `has` do.
    """
    for key in keys:
        if _value(campaign, key) is not None:
            rule = "source" if key.startswith("audience.") else "wrong-value"
            message = f"`{key}` is not offered by {kind}: {has} has it"
            hint = f"remove it, or name a provider of kind {has}"
            yield finding(rule, message, path=tuple(key.split(".")), limit=has, hint=hint)


def _value(campaign: Campaign, key: str) -> Any:
    value: Any = campaign
    for name in key.split("."):
        value = getattr(value, "list_" if name == "list" else name)
    return value
