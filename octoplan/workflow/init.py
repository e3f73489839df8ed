"""A new project: one campaign of five keys, six contacts nobody has, sample prices, schemas for the editor."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from octoplan.core.errors import Refused
from octoplan.workflow.schema import SCHEMAS, schema_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

EXAMPLES = ("sms", "voice", "rcs", "email", "list", "routee")
"""The campaigns to begin with: one a channel, one on a list that the provider holds, and a call by Routee."""

_PROJECT = "project"
"""What every example stands in; a file of the example is there in place of one of the same name."""
_HIDDEN = {"gitignore": ".gitignore"}


def init(directory: Path, example: str) -> tuple[str, ...]:
    """Write a new project into a folder and return its files; nothing that is there is touched.

    Raises:
        Refused: one of the files is there already, or the folder cannot be written.
    """
    examples = resources.files("octoplan") / "examples"
    files = dict((*_files(examples / _PROJECT, ""), *_files(examples / example, "")))
    files |= {f"schemas/{name}.schema.json": schema_text(name) for name in SCHEMAS}
    present = sorted({taken for name in files if (taken := _taken(directory, name))})
    if present:
        raise Refused(f"{', '.join(present)} would be overwritten: choose an empty folder", reason="files-exist")
    try:
        for name, text in files.items():
            _write(directory / name, text)
    except OSError as error:
        raise Refused(f"{directory} cannot be written: {error.strerror}", reason="files-unwritable") from error
    return tuple(sorted(files))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(text)


def _taken(directory: Path, name: str) -> str | None:
    """Return what is where a file, or a folder for it, has to be."""
    path = PurePosixPath(name)
    for folder in path.parents:
        if (directory / folder).exists() and not (directory / folder).is_dir():
            return str(folder)
    return name if os.path.lexists(directory / name) else None


def _files(folder: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    for item in folder.iterdir():
        name = prefix + _HIDDEN.get(item.name, item.name)
        if item.is_dir():
            yield from _files(item, f"{name}/")
        else:
            yield name, item.read_text(encoding="utf-8")
