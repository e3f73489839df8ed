"""A new project: one campaign of five keys, six contacts nobody has, sample prices, schemas for the editor."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from octoplan.core.errors import Refused
from octoplan.workflow.schema import SCHEMAS, schema_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

EXAMPLES = ("sms",)
_HIDDEN = {"gitignore": ".gitignore"}


def init(directory: Path, example: str) -> tuple[str, ...]:
    """Write a new project into a folder and return its files; nothing that is there is touched.

    Raises:
        Refused: one of the files is there already.
    """
    root = resources.files("octoplan") / "examples" / example
    files = dict(_files(root, ""))
    files |= {f"schemas/{name}.schema.json": schema_text(name) for name in SCHEMAS}
    present = sorted(name for name in files if (directory / name).exists())
    if present:
        raise Refused(f"{', '.join(present)} would be overwritten: choose an empty folder", reason="files-exist")
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tuple(sorted(files))


def _files(folder: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    for item in folder.iterdir():
        name = prefix + _HIDDEN.get(item.name, item.name)
        if item.is_dir():
            yield from _files(item, f"{name}/")
        else:
            yield name, item.read_text(encoding="utf-8")
