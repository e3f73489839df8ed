"""An address as a person gives one: a telephone number or an e-mail address, told apart by its @."""

from __future__ import annotations

from octoplan.core import email, phone


def read(raw: str, *, country: str | None) -> str | None:
    """Return the canonical address that is meant, None where none is; `country` is that of national numbers."""
    if "@" in raw:
        found = email.canonical(raw)
        return found.address if isinstance(found, email.Email) else None
    number = phone.canonical(raw, country)
    return number.e164 if isinstance(number, phone.Phone) else None
