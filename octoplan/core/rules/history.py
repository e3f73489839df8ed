"""Whether a ledger can protect anybody yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octoplan.core.quantity import quantity
from octoplan.core.rules import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from octoplan.core.model import Finding


def check_history(owed: int, *, empty: bool) -> Iterator[Finding]:
    """Yield a warning where somebody is owed a message by an `empty` ledger: nothing was ever sent or imported."""
    if owed and empty:
        message = (
            f"this ledger remembers no send yet: none of {quantity(owed, 'contact')} is protected from a second one"
        )
        hint = "`octoplan import` what was sent before; if nothing was, accept it under `allow`"
        yield finding("ledger-without-history", message, path=("audience",), value=str(owed), hint=hint)
