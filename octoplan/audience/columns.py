"""The columns a campaign uses and a list needs, held against the header of their file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from octoplan.core.model import AddressKind
from octoplan.core.quoting import quoted, suggestion
from octoplan.core.rules import finding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from octoplan.audience.files import Files
    from octoplan.audience.sheet import Sheet
    from octoplan.core.model import Audience, Finding, KeyPath

LIST_COLUMNS: Mapping[AddressKind, tuple[str, ...]] = {
    AddressKind.PHONE: ("phone_number", "mobile", "phone"),
    AddressKind.EMAIL: ("email", "e_mail", "mail", "courriel"),
}
"""What a list's column of addresses may be called where it is not called as in the campaign."""


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


def list_column(sheet: Sheet | Files, kind: AddressKind, *, address: str = "") -> int | None:
    """Return the index of a list's column of addresses of this kind, if it has one; `address` is the first choice."""
    if len(sheet.header) <= 1:
        return 0
    names = [re.sub("[- ]", "_", name.casefold()) for name in sheet.header]
    wanted = (address.casefold(), *LIST_COLUMNS[kind])
    exact = [name.casefold() for name in sheet.header]
    return next((found.index(name) for name in wanted for found in (exact, names) if name in found), None)
