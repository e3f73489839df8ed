"""Pinned contracts: the bytes that leave are read back and held against what the provider documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from octoplan.core.rules import finding

if TYPE_CHECKING:
    from collections.abc import Callable

    from octoplan.core.model import Finding

Path = tuple[int | str, ...]


class Pinned(BaseModel):
    """Known fields only, JSON types only; a field that is not sent has a default that is never sent."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def named(path: Path) -> str:
    """Return a field as the documentation calls it."""
    return ".".join(map(str, path))


def broken(
    read: Callable[[bytes], object], body: bytes, *, whose: str, name: Callable[[Path], str] = named
) -> tuple[Finding, ...]:
    """Return a `wire-contract` finding per field of a body that `read` refuses: its name, never its value."""
    try:
        read(body)
    except ValidationError as error:
        return tuple(
            finding(
                "wire-contract",
                f"the outgoing request breaks {whose} contract at `{name(each['loc']) or 'body'}`: {each['msg']}",
                hint="nothing was sent; change the campaign, or report it as a bug in octoplan",
            )
            for each in error.errors(include_url=False, include_context=False, include_input=False)
        )
    return ()
