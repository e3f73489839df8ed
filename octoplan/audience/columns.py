"""The columns a campaign uses and a list needs, held against the header of their file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octoplan.core.quoting import quoted, suggestion
from octoplan.core.rules import finding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from octoplan.audience.sheet import Sheet
    from octoplan.core.model import Audience, Finding, KeyPath

LIST_COLUMNS = ("phone_number", "mobile", "phone")
"""What the address column of a list may be called where it is not called as in the campaign."""


def unknown_columns(audience: Audience, used: Iterable[str], *, header: Collection[str]) -> Iterator[Finding]:
    """Yield a finding for every column that the campaign or its message uses and the header does not have."""
    wanted: list[tuple[str, str, KeyPath]] = [
        (audience.address, "source", ("audience", "address")),
        *((name, "template-name", ("message", "text")) for name in used),
        *((name, "source", ("audience", "fallback", name)) for name in audience.fallback),
    ]
    for name, rule, path in wanted:
        if name not in header:
            message = f"the audience has no column {quoted(name)}"
            yield finding(rule, message, path=path, value=name, hint=suggestion(name, header))


def list_column(sheet: Sheet, address: str) -> int:
    """Return the index of a list's address column.

    Raises AudienceError where there is none.
    """
    if len(sheet.header) <= 1:
        return 0
    names = [name.casefold() for name in sheet.header]
    for wanted in (address.casefold(), *LIST_COLUMNS):
        if wanted in names:
            return names.index(wanted)
    hint = f"name it one of: {', '.join(dict.fromkeys((address, *LIST_COLUMNS)))}"
    raise sheet.origin.refuse("has no address column", hint, line=sheet.line(0))
