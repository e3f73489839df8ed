"""`{first_name}`, `{last_name}` and `{param1}` to `{param5}` in a text, and the values that are put for them.

The provider documents the names, where the values travel and that a value has at most 50 characters. All else here is
a switch.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from octoplan.sandbox import casts, text
from octoplan.sandbox.octopush.order import LONGEST_TEXT, Rejected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from octoplan.sandbox.octopush.order import Order
    from octoplan.sandbox.switches import Settings

_LONGEST_VALUE = 50
_BRACED = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def expanded(order: Order, settings: Settings) -> list[str] | None:
    """Give the text of each address, in their order; None where everybody gets the same.

    The text is gone through once: what looks like a placeholder in a value stays as it is. Raises Rejected.
    """
    if not order.values or not _BRACED.search(order.text):
        return None
    return [_expanded(order, values, settings=settings) for values in order.values]


def _expanded(order: Order, values: Mapping[str, str], *, settings: Settings) -> str:
    said = _BRACED.sub(lambda found: _put(found, values, settings=settings), order.text)
    if order.optimised and settings.on("values_optimised"):
        said = text.optimise(said, keep_leftover=settings.text("optimised_leftover") == "kept")
    too_long = settings.text("expanded_too_long")
    if len(said) <= LONGEST_TEXT or too_long == "sent":
        return said
    if too_long == "rejected":
        raise Rejected(102, f"Text is longer than {LONGEST_TEXT} characters.", field="text")
    return said[:LONGEST_TEXT]


def _put(found: re.Match[str], values: Mapping[str, str], *, settings: Settings) -> str:
    name = found[1]
    if name not in casts.PLACEHOLDERS:
        return found[0] if settings.text("unknown_placeholder") == "kept" else ""
    value = values.get(name)
    if value is None:
        return found[0] if settings.text("value_missing") == "kept" else ""
    too_long = settings.text("value_too_long")
    if len(value) > _LONGEST_VALUE and too_long == "rejected":
        raise Rejected(400, f"{name} is longer than {_LONGEST_VALUE} characters.", field="recipients")
    return value[:_LONGEST_VALUE] if too_long == "cut" else value
