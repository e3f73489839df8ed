"""Care of the ledger: the first one of an environment, and whether it is whole."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from octoplan.core import keys
from octoplan.core.errors import Refused
from octoplan.core.model import Kind
from octoplan.ledger import BACKENDS
from octoplan.project import PROJECT_FILE, STATE
from octoplan.project.files import write_secret

if TYPE_CHECKING:
    from pathlib import Path

    from octoplan.core.model import Place
    from octoplan.project import Project

_SCALAR = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\']|\'\')*\'|[^,}#\n]+')


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A new ledger, and where its parts are."""

    id: str
    environment: str
    place: str
    key_file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a look at the ledger found."""

    id: str
    serial: int
    kind: str
    problems: tuple[str, ...]


def init(project: Project) -> Made:
    """Make an environment's first ledger, its key, and write its id into `octoplan.yaml`.

    Raises:
        Refused: it is the built-in sandbox, an id is already named, or something is in the way.
    """
    chosen = project.surroundings
    if chosen.kind is Kind.SANDBOX:
        raise Refused("the built-in sandbox makes its own ledger: name an environment with --env", reason="sandbox")
    if chosen.ledger_id is not None:
        raise Refused(
            f"environment `{chosen.name}` names ledger {chosen.ledger_id} already: a lost one is restored, "
            "never made anew; see docs/ledger.md",
            reason="ledger-named",
        )
    backend, path = project.ledger_place()
    if path.exists():
        raise Refused(f"{path.name} is there already: move it away, or name another file", reason="ledger-exists")
    identity = secrets.token_hex(4)
    text = insert_id((project.root / PROJECT_FILE).read_text(encoding="utf-8"), _url_place(project), identity=identity)
    key = secrets.token_bytes(keys.KEY_SIZE)
    key_file = f"{STATE}/keys/{identity}"
    write_secret(project.root / key_file, key.hex())
    path.parent.mkdir(parents=True, exist_ok=True)
    BACKENDS[backend].create(path, id=identity, kind=chosen.kind, key=key, clock=project.clock).close()
    _replace(project.root / PROJECT_FILE, text)
    return Made(
        id=identity, environment=chosen.name, place=path.relative_to(project.root).as_posix(), key_file=key_file
    )


def check(project: Project) -> Checked:
    """Open the environment's ledger and look for damage."""
    with contextlib.closing(project.open_ledger()) as ledger:
        identity = ledger.identity
        return Checked(id=identity.id, serial=identity.serial, kind=identity.kind.value, problems=tuple(ledger.check()))


def insert_id(text: str, url: Place, *, identity: str) -> str:
    """Return YAML text with `id` written after the ledger's `url`, in the same style, all else untouched."""
    lines = text.splitlines(keepends=True)
    line = lines[url.line - 1]
    scalar = _SCALAR.match(line, url.column - 1)
    if scalar is None:
        raise Refused(f'{url}: write `id: "{identity}"` beside the url yourself', reason="ledger-url")
    end = len(line[: scalar.end()].rstrip())
    before = line[: url.column - 1]
    if "{" in before:
        lines[url.line - 1] = f'{line[:end]}, id: "{identity}"{line[end:]}'
    else:
        indent = before[: len(before) - len(before.lstrip())]
        closing = "" if line.endswith("\n") else "\n"
        lines[url.line - 1] = f'{line}{closing}{indent}id: "{identity}"\n'
    return "".join(lines)


def _url_place(project: Project) -> Place:
    return project.source.place(("environments", project.surroundings.name, "ledger", "url"))


def _replace(path: Path, text: str) -> None:
    """Replace a user's file in one step, keeping its mode."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.chmod(path.stat().st_mode)
    os.replace(new, path)  # noqa: PTH105  Path.replace is the same call; this one reads as what it is
