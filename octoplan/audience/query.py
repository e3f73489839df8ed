"""What is asked of an audience."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from octoplan.core.model import AddressKind

if TYPE_CHECKING:
    from pathlib import Path

    from octoplan.core.model import Audience


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A query at a database: `text` of the file that messages call `name`, run at `url`, which is a secret."""

    name: str
    text: str = field(repr=False)
    connection: str
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What an audience is resolved against; `kind` is what its contacts are addressed by.

    Its rows are those of `files`, of what is `asked`, or else inline. Key sets are packed: 16 bytes
    a contact. `excluded_keys` are those of `exclude: {campaign:}`; `held` are sent, claimed or in
    doubt in this edition; `members` all of a closed edition, None while it is open; `capped` over a
    cap. `columns` are the ones the message uses and `key` is the ledger's K. `home` is the country
    of national numbers on the suppression lists, which belong to the project. With `fiction`,
    numbers and domains reserved for fiction are contacts (the sandbox).
    """

    campaign_audience: Audience
    key: bytes
    kind: AddressKind = AddressKind.PHONE
    files: tuple[Path, ...] = ()
    asked: Asked | None = None
    columns: tuple[str, ...] = ()
    suppressions: tuple[Path, ...] = ()
    exclude: tuple[Path, ...] = ()
    excluded_keys: bytes = b""
    held: bytes = b""
    members: bytes | None = None
    capped: bytes = b""
    home: str | None = None
    fiction: bool = False
