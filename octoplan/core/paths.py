"""Paths a user writes: relative to the file that names them, inside the project on every system.

Purely lexical; whoever opens the file also looks at symbolic links.
"""

from __future__ import annotations

import re

_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:")
_PART_BYTES = 255


class Outside(ValueError):
    """A path that leaves the project or cannot exist on every system; the message says which."""


def folder(file: str) -> str:
    """Return the folder of a project-relative file; empty for the project's own."""
    return file.rpartition("/")[0]


def is_pattern(name: str) -> bool:
    """Tell whether a path stands for every file that matches it."""
    return re.search(r"[*?\[\]]", name) is not None


def is_hidden(file: str) -> bool:
    """Tell whether a file, or a folder it is in, is hidden: octoplan's own state, or secrets."""
    return any(part.startswith(".") for part in file.split("/"))


def resolve(named: str, *, within: str) -> str:
    """Return the project-relative form of a path named by a file in folder `within`.

    Raises:
        Outside: the path leaves the project or cannot exist on every system.
    """
    if not named.isprintable():
        raise Outside("a path must not hold control or invisible characters")
    if "\\" in named or _DRIVE.match(named) or named.startswith(("/", "~")):
        raise Outside("a path must be relative and written with `/`; it must stay inside the project")
    parts = within.split("/") if within else []
    for part in named.split("/"):
        _step(parts, part)
    if not parts:
        raise Outside("a path must name something inside the project")
    return "/".join(parts)


def _step(parts: list[str], part: str) -> None:
    if part == "..":
        if not parts:
            raise Outside("a path must stay inside the project")
        parts.pop()
    elif part not in ("", "."):
        if _DEVICE.fullmatch(part) or part != part.rstrip(". ") or len(part.encode()) > _PART_BYTES:
            raise Outside("a path must not hold a name that some systems cannot store, such as `nul` or `x.`")
        parts.append(part)
