"""Limits: the tightest of project, environment and campaign counts, and nobody may loosen another's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octoplan.core.model import Limits, Money
from octoplan.core.rules import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from octoplan.core.model import Finding, KeyPath


def tightest(outer: Limits, inner: Limits) -> Limits:
    """Return the tighter of every limit; amounts in another currency than the outer's do not replace it."""
    return Limits(
        max_cost=_least(outer.max_cost, inner.max_cost),
        max_unit_price=_least(outer.max_unit_price, inner.max_unit_price),
        max_contacts=_fewest(outer.max_contacts, inner.max_contacts),
        max_parts=_fewest(outer.max_parts, inner.max_parts),
        countries=_both(outer.countries, inner.countries),
        senders=_both(outer.senders, inner.senders),
    )


def loosened(outer: Limits, inner: Limits, *, path: KeyPath) -> Iterator[Finding]:
    """Yield a finding for every limit of `inner` (written at `path`) that is wider than the outer one."""
    for key in ("max_contacts", "max_parts"):
        wide, narrow = getattr(outer, key), getattr(inner, key)
        if wide is not None and narrow is not None and narrow > wide:
            yield beyond((*path, key), str(narrow), limit=str(wide))
    for key in ("max_cost", "max_unit_price"):
        most, least = getattr(outer, key), getattr(inner, key)
        if most and least and _wider(most, least):
            yield beyond((*path, key), least.exact, limit=most.exact)
    for key in ("countries", "senders"):
        wide, narrow = getattr(outer, key), getattr(inner, key)
        extra = [] if wide is None else [name for name in narrow or () if name not in wide]
        if extra:
            yield beyond((*path, key), ", ".join(extra), limit=", ".join(wide))


def beyond(path: KeyPath, value: str, *, limit: str) -> Finding:
    """Report a limit that is wider than the project's."""
    message = f"`{'.'.join(map(str, path))}` goes beyond the project's limit ({limit})"
    hint = "tighten it here, or widen the limit in octoplan.yaml in a change of its own"
    return finding("limit-loosened", message, path=path, value=value, limit=limit, hint=hint)


def _wider(outer: Money, inner: Money) -> bool:
    return inner.currency != outer.currency or inner.amount > outer.amount


def _least(outer: Money | None, inner: Money | None) -> Money | None:
    if outer is None or inner is None:
        return outer or inner
    return outer if _wider(outer, inner) else inner


def _fewest(outer: int | None, inner: int | None) -> int | None:
    return min((limit for limit in (outer, inner) if limit is not None), default=None)


def _both(outer: tuple[str, ...] | None, inner: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if outer is None or inner is None:
        return inner if outer is None else outer
    return tuple(name for name in inner if name in outer)
