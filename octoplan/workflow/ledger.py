"""Care of the ledger: the first one of an environment, and whether it is whole."""

from __future__ import annotations

import contextlib
import copy
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from octoplan.core import keys, source
from octoplan.core.errors import Refused
from octoplan.core.model import Kind
from octoplan.core.quoting import noted
from octoplan.ledger import BACKENDS
from octoplan.project import PROJECT_FILE, STATE
from octoplan.project.files import write_secret

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from octoplan.core.model import Place
    from octoplan.project import Project

_SCALAR = re.compile(r"""\"[^"]*\"|'[^']*'|[^,}\s]+""")


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
    lack: str | None
    """What this machine has seen in it and does not find, with the way out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A restored ledger that a person goes on with; `since` is its serial from now on."""

    id: str
    serial: int
    since: int


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
    if project.given_key is not None:
        raise Refused("a new ledger gets a key of its own: unset OCTOPLAN_LEDGER_KEY", reason="key-given")
    backend, path = project.ledger_place()
    if path.exists():
        raise Refused(f"{path.name} is there already: move it away, or name another file", reason="ledger-exists")
    identity = secrets.token_hex(4)
    text = _name_ledger(project, identity)
    key = secrets.token_bytes(keys.KEY_SIZE)
    key_file = f"{STATE}/keys/{identity}"
    try:
        project.state_folder()
        write_secret(project.root / key_file, key.hex())
        path.parent.mkdir(parents=True, exist_ok=True)
        BACKENDS[backend].create(path, id=identity, kind=chosen.kind, key=key, clock=project.clock).close()
        _replace(project.root / PROJECT_FILE, text)
    except OSError as error:
        raise Refused(
            f"the ledger, its key or its id in {PROJECT_FILE} cannot be written: {error.strerror}",
            reason="ledger-unwritable",
        ) from error
    place = path.relative_to(project.root) if path.is_relative_to(project.root) else path
    return Made(id=identity, environment=chosen.name, place=place.as_posix(), key_file=key_file)


def check(project: Project) -> Checked:
    """Open the environment's ledger and look for damage, and for what was seen in it before."""
    with contextlib.closing(project.open_ledger(reads=True)) as ledger:
        identity = ledger.identity
        return Checked(
            id=identity.id,
            serial=identity.serial,
            kind=identity.kind.value,
            problems=tuple(ledger.check()),
            lack=project.memory.lack(ledger),
        )


def accept(project: Project, serial: int, *, reason: str) -> Accepted:
    """Go on with a ledger that lacks what was sent, by a person's word; numbers in the reason are masked.

    Raises:
        Refused: its serial is another, it is damaged, or no reason is given.
    """
    with contextlib.closing(project.open_ledger(reads=True)) as ledger:
        waiting = ledger.rescues()
        if damage := [problem for problem in ledger.check() if problem not in waiting]:
            raise Refused(
                f"a damaged ledger is not gone on with ({damage[0]}): restore it, see docs/ledger.md",
                reason="ledger-corrupt",
            )
        seen = project.memory.seen(ledger)
        since = ledger.accept(serial, above=seen.serial if seen else 0, actor=project.actor(), reason=noted(reason))
        project.memory.note(ledger)
        return Accepted(id=ledger.identity.id, serial=serial, since=since)


def lacking(project: Project) -> str | None:
    """Say what the environment's ledger lacks of what this machine has seen in it; None if nothing."""
    with contextlib.closing(project.open_ledger(reads=True)) as ledger:
        return project.memory.lack(ledger)


def _name_ledger(project: Project, identity: str) -> str:
    """Return the text of `octoplan.yaml` with the ledger's id beside its url, all else untouched.

    Raises:
        Refused: it is written in a way that only a person can add to.
    """
    at = ("environments", project.surroundings.name, "ledger")
    wanted = copy.deepcopy(project.source.data)
    wanted[at[0]][at[1]][at[2]]["id"] = identity
    url = project.source.place((*at, "url"))
    text = (project.root / PROJECT_FILE).read_bytes().decode()
    for candidate in insertions(text, url, addition=f'id: "{identity}"'):
        read, _ = source.read(PROJECT_FILE, candidate.encode())
        if read is not None and read.data == wanted:
            return candidate
    raise Refused(f"{url}: no id can be added here: write `ledger: {{url: …}}` out in place", reason="ledger-url")


def insertions(text: str, url: Place, *, addition: str) -> Iterator[str]:
    """Yield a text with a key added after the value at a place: on its line, then on a line of its own."""
    lines = text.split("\n")
    line = lines[url.line - 1]
    scalar = _SCALAR.match(line, url.column - 1)
    end = scalar.end() if scalar else len(line)
    yield "\n".join([*lines[: url.line - 1], f"{line[:end]}, {addition}{line[end:]}", *lines[url.line :]])
    indent = line[: len(line) - len(line.lstrip())]
    ending = line[len(line.rstrip("\r")) :]
    yield "\n".join([*lines[: url.line], f"{indent}{addition}{ending}", *lines[url.line :]])


def _replace(path: Path, text: str) -> None:
    """Replace a user's file in one step, keeping its mode."""
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(text.encode())
    new.chmod(path.stat().st_mode)
    new.replace(path)
