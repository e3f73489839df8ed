"""The project on disk and its surroundings: `octoplan.yaml`, the users' files, the environment variables.

The only reader of environment variables and of the files people write; opens the ledger and the wire of
the chosen environment.
"""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import os
import re
import secrets
import subprocess
import tempfile
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from octoplan.core import keys, settings, spec
from octoplan.core.errors import InputError, Refused
from octoplan.core.model import Kind
from octoplan.core.plan import Git
from octoplan.core.quoting import typed
from octoplan.project import files
from octoplan.providers import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from octoplan.core.model import Finding, KeyPath
    from octoplan.core.settings import ProjectLimits, Settings
    from octoplan.core.source import Source
    from octoplan.ledger import Ledger
    from octoplan.project.files import Loaded
    from octoplan.project.seen import Memory
    from octoplan.project.wires import Wires
    from octoplan.providers import Provider

PROJECT_FILE = "octoplan.yaml"
STATE = ".octoplan"
SANDBOX = "sandbox"
LOOPBACK = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?/?", re.ASCII)
_KEY_TEXT = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SANDBOX_LOGIN = "sandbox"


def utc_now() -> datetime:
    """Return the time by this machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The chosen environment: what may be contacted, and where its memory is.

    `running` is the address of a sandbox that is served already; without one it is started when needed.
    """

    name: str
    kind: Kind
    ledger_url: str | None = None
    ledger_id: str | None = None
    running: str | None = None

    @property
    def is_built_in(self) -> bool:
        """Whether this is the built-in sandbox, which is nobody's rehearsal."""
        return self.kind is Kind.SANDBOX

    @property
    def sandbox(self) -> bool:
        """Whether requests go to the sandbox: the built-in one, or a rehearsal."""
        return self.kind is not Kind.LIVE


def find_root(directory: Path) -> Path:
    """Return the nearest folder with an `octoplan.yaml`, at or above `directory`.

    Raises:
        Refused: there is none.
    """
    start = directory.resolve()
    for folder in (start, *start.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder
    raise Refused(
        f"no {PROJECT_FILE} in {directory} or above it: `octoplan init` makes a project", reason="project-missing"
    )


def open_project(
    directory: Path,
    environment: str | None = None,
    *,
    usual: str = SANDBOX,
    clock: Callable[[], datetime] = utc_now,
) -> Project:
    """Open the project at or above `directory` in one of its environments: `usual` where nobody names another.

    Raises:
        InputError: `octoplan.yaml` has findings of severity error.
        Refused: there is no project, no such environment, or `OCTOPLAN_SANDBOX` does not fit it.
    """
    root = find_root(directory)
    read, problems = files.read_source(root, PROJECT_FILE)
    if read is None:
        raise InputError(problems)
    loaded, found = settings.read_project(read)
    problems += found
    if loaded is None:
        raise InputError(problems)
    name = environment or os.environ.get("OCTOPLAN_ENV") or usual
    return Project(
        root=root,
        settings=loaded,
        source=read,
        findings=problems,
        surroundings=_surroundings(loaded, name),
        clock=clock,
    )


def _surroundings(loaded: Settings, name: str) -> Surroundings:
    address = os.environ.get("OCTOPLAN_SANDBOX")
    running = _loopback(address) if address else None
    if name == SANDBOX:
        return Surroundings(name=name, kind=Kind.SANDBOX, running=running)
    chosen = loaded.environments.get(name)
    if chosen is None:
        known = ", ".join((SANDBOX, *sorted(loaded.environments)))
        raise Refused(
            f"no environment {typed(name)} in {PROJECT_FILE}: there are {known}", reason="environment-unknown"
        )
    if running and not chosen.sandbox:
        raise Refused(f"OCTOPLAN_SANDBOX is set in the live environment `{name}`: unset it", reason="sandbox-in-live")
    return Surroundings(
        name=name,
        kind=Kind.REHEARSAL if chosen.sandbox else Kind.LIVE,
        ledger_url=chosen.ledger_url,
        ledger_id=chosen.ledger_id,
        running=running,
    )


@dataclass(slots=False, kw_only=True)
class Project:
    """A project in one environment."""

    root: Path
    settings: Settings
    source: Source
    findings: tuple[Finding, ...]
    surroundings: Surroundings
    clock: Callable[[], datetime] = field(default=utc_now)

    @cached_property
    def key(self) -> bytes:
        """The ledger's key K of this environment.

        Raises:
            Refused: it is not there, or is no key.
        """
        text = self._key_text()
        if text is None and self.surroundings.kind is Kind.SANDBOX:
            with contextlib.suppress(FileExistsError):
                files.write_secret(self.state_folder() / "key", secrets.token_hex(keys.KEY_SIZE))
            text = self._key_text()
        if text is None:
            raise Refused(
                f"the ledger's key is missing: set OCTOPLAN_LEDGER_KEY, or put it into {self._key_file}",
                reason="key-missing",
            )
        if not _KEY_TEXT.fullmatch(text.strip()):
            place = self._key_file if self.given_key is None else "OCTOPLAN_LEDGER_KEY"
            raise Refused(f"the ledger's key in {place} must be 64 hexadecimal digits", reason="key-shape")
        return bytes.fromhex(text.strip())

    @cached_property
    def preview_key(self) -> bytes:
        """The ledger's key, or where there is none, one of this process: it tells people apart and is kept nowhere."""
        return self.key if self.has_key() else secrets.token_bytes(keys.KEY_SIZE)

    def has_key(self) -> bool:
        """Tell whether the ledger's key is at hand, without making any."""
        return self._key_text() is not None

    @property
    def _key_file(self) -> str:
        sandbox = self.surroundings.kind is Kind.SANDBOX
        return f"{STATE}/key" if sandbox else f"{STATE}/keys/{self.surroundings.ledger_id}"

    @property
    def given_key(self) -> str | None:
        """What `OCTOPLAN_LEDGER_KEY` holds; the built-in sandbox has a key of its own."""
        return None if self.surroundings.kind is Kind.SANDBOX else os.environ.get("OCTOPLAN_LEDGER_KEY")

    def _key_text(self) -> str | None:
        if self.given_key is not None:
            return self.given_key
        try:
            return (self.root / self._key_file).read_text(encoding="ascii", errors="replace")
        except OSError:
            return None

    def state_folder(self) -> Path:
        """Return `.octoplan/`, made private if it is not there.

        Raises:
            Refused: it cannot be made.
        """
        folder = self.root / STATE
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise Refused(
                f"the ledger's folder {STATE} cannot be made: {error.strerror}", reason="ledger-unwritable"
            ) from error
        return folder

    @property
    def limits(self) -> ProjectLimits:
        """What one plan of this environment may not exceed."""
        return settings.effective_limits(self.settings, self.surroundings.name)

    def temporary_folder(self) -> Path:
        """Return where an audience too large for memory may spill."""
        return Path(tempfile.gettempdir())

    # files

    def load(self) -> Loaded:
        """Read every campaign file and price book, and add what was found in `octoplan.yaml`."""
        scope = spec.Scope(
            settings=self.settings,
            environment=self.surroundings.name,
            sandbox=self.surroundings.sandbox,
            stop={name: PROVIDERS[item.kind].stop_mention for name, item in files.usable(self.settings)},
            checks={name: PROVIDERS[item.kind].check for name, item in files.usable(self.settings)},
            read=partial(files.read_text, self.root),
        )
        loaded = files.load(self.root, scope)
        return replace(loaded, general=(*self.findings, *self.source.locate(loaded.general)))

    def inside(self, relative: str, named: KeyPath = ()) -> Path:
        """Return the path of a project file, symbolic links resolved.

        Raises:
            InputError: it leads outside the project; about the key that has `named` it.
        """
        return files.inside(self.root, relative, named=named)

    def matching(self, pattern: str, named: KeyPath = ()) -> tuple[Path, ...]:
        """Return the paths of the project files that match a pattern, or of the one it names, there or not.

        Raises:
            InputError: one leads outside the project, or cannot be looked for; about the key that has `named` it.
        """
        return files.matching(self.root, pattern, named=named)

    def statement(self, relative: str, named: KeyPath = ()) -> str:
        """Return the text of a file of SQL.

        Raises:
            InputError: it cannot be read; about the key that has `named` it.
        """
        return files.statement(self.root, relative, named=named)

    def connection(self, name: str) -> str:
        """Return the address of a database, a secret; the path in `duckdb:///FILE` is relative to `octoplan.yaml`.

        Raises:
            Refused: its variable is not set.
        """
        url = self._value(self.settings.connections[name])
        scheme, separator, rest = url.partition(":///")
        return f"duckdb:///{self.root / rest}" if scheme == "duckdb" and separator else url

    def named(self, path: Path) -> str:
        """Return how the project calls a file.

        Raises:
            Refused: it is none of its files.
        """
        found = Path(os.path.realpath(path))
        if not found.is_file() or not found.is_relative_to(self.root):
            raise Refused(f"{typed(str(path))} is no file of this project", reason="file-missing")
        return found.relative_to(self.root).as_posix()

    # ledger

    @cached_property
    def memory(self) -> Memory:
        """What this user's machine remembers of this environment's ledger; the built-in sandbox's may be reset."""
        from octoplan.project.seen import Memory, state_home  # noqa: PLC0415  it imports the ledger

        chosen = self.surroundings
        return Memory(environment=chosen.name, folder=state_home(), kept=not chosen.is_built_in)

    def open_ledger(self, *, reads: bool = False) -> Ledger:
        """Open this environment's ledger; the built-in sandbox makes its own.

        `reads`: only to show what it holds, which may be less than this machine has seen in it.

        Raises:
            Refused: it is missing, empty, foreign, newer, damaged, of another kind, or restored (`ledger-restored`).
        """
        ledger = self._ledger()
        try:
            ledger.refuse_damage()
            if not reads:
                self.memory.refuse_lack(ledger)
            self.memory.note(ledger)
            ledger.watch(partial(self.memory.note, ledger))
        except BaseException:
            ledger.close()
            raise
        return ledger

    def _ledger(self) -> Ledger:
        from octoplan.ledger import BACKENDS  # noqa: PLC0415  most verbs that only read files need none

        kind = self.surroundings.kind
        if kind is Kind.SANDBOX:
            path = self.state_folder() / "ledger.db"
            sqlite = BACKENDS["sqlite"]
            if not path.exists():
                with contextlib.suppress(FileExistsError):
                    sqlite.create(path, id=secrets.token_hex(4), kind=kind, key=self.key, clock=self.clock).close()
            return sqlite.open(path, id=None, kind=kind, key=self.key, clock=self.clock)
        if self.surroundings.ledger_id is None:
            raise Refused(
                f"environment `{self.surroundings.name}` names no ledger id: a first one is made by "
                f"`octoplan --env {self.surroundings.name} ledger init`",
                reason="ledger-unnamed",
            )
        backend, path = self.ledger_place()
        return BACKENDS[backend].open(path, id=self.surroundings.ledger_id, kind=kind, key=self.key, clock=self.clock)

    def has_ledger(self) -> bool:
        """Tell whether there is a ledger in a file here, and its key, without making any."""
        if self.surroundings.kind is Kind.SANDBOX:
            return (self.root / STATE / "ledger.db").exists()
        url = self._value(self.surroundings.ledger_url or "", required=False)
        if self.surroundings.ledger_id is None or not url.startswith("sqlite:///"):
            return False
        return self.ledger_place()[1].exists() and self.has_key()

    def ledger_place(self) -> tuple[str, Path]:
        """Return the backend's name and the path of a `sqlite:///` ledger, relative to `octoplan.yaml`.

        Raises:
            Refused: the address is missing or of a kind this version does not offer.
        """
        url = self._value(self.surroundings.ledger_url or "")
        scheme, separator, rest = url.partition(":///")
        if scheme != "sqlite" or not separator or not rest:
            raise Refused(
                f"environment `{self.surroundings.name}` needs `ledger: {{url: sqlite:///FILE}}`: "
                "this version keeps ledgers in SQLite only",
                reason="ledger-url",
            )
        return scheme, self.root / rest

    # wire

    def provider(self, name: str) -> Provider:
        """Return the provider that a name in `octoplan.yaml` stands for."""
        chosen = self.settings.providers[name]
        return PROVIDERS[chosen.kind].adapted(chosen)

    def credentials(self, name: str) -> dict[str, str]:
        """Return a provider's credentials; never read in the built-in sandbox.

        Raises:
            Refused: a variable is not set, or the login does not fit the environment.
        """
        provider = self.provider(name)
        if self.surroundings.kind is Kind.SANDBOX:
            return dict.fromkeys(provider.credentials, _SANDBOX_LOGIN)
        given = self.settings.providers[name].credentials
        values = {key: self._value(given.get(key, "")) for key in provider.credentials}
        missing = [key for key, value in values.items() if not value]
        if missing:
            raise Refused(
                f"providers.{name} in {PROJECT_FILE} lacks {', '.join(missing)}", reason="credentials-missing"
            )
        rehearses = provider.login(values).startswith(_SANDBOX_LOGIN)
        if rehearses != self.surroundings.sandbox:
            wanted = "begin" if self.surroundings.sandbox else "not begin"
            raise Refused(
                f"the login of {name} must {wanted} with `sandbox` in environment `{self.surroundings.name}`",
                reason="credentials-environment",
            )
        return values

    def account(self, name: str) -> str:
        """Return the account's public name: 8 hex digits of SHA-256 over kind, NUL, login."""
        login = self.provider(name).login(self.credentials(name))
        kind = self.settings.providers[name].kind
        return hashlib.sha256(f"{kind}\0{login}".encode()).hexdigest()[:8]

    @contextlib.contextmanager
    def wires(self) -> Iterator[Wires]:
        """Open the way to the providers: the real hosts, a running sandbox, or one inside this process."""
        from octoplan.project.wires import Wires  # noqa: PLC0415  what is offline needs no HTTP

        if not self.surroundings.sandbox or self.surroundings.running:
            yield Wires(project=self, sandbox=self.surroundings.running)
            return
        from octoplan.sandbox import PricesUnreadable, Sandbox, StateUnusable  # noqa: PLC0415  only now

        with contextlib.ExitStack() as stack:
            try:
                embedded = stack.enter_context(Sandbox(self.sandbox_state(), prices=self.sandbox_prices()))
            except (PricesUnreadable, StateUnusable) as error:
                raise Refused(str(error), reason="sandbox") from error
            yield Wires(project=self, sandbox=embedded.url)

    def sandbox_state(self) -> Path:
        """Return where the sandbox keeps its deliveries."""
        return self.state_folder() / "sandbox.db"

    def sandbox_prices(self) -> dict[str, Path]:
        """Return the price books the sandbox charges by: of each kind that of its first usable provider."""
        first: dict[str, Path] = {}
        for _, item in files.usable(self.settings):
            first.setdefault(item.kind, self.inside(item.prices))
        return {kind: path for kind, path in first.items() if path.exists()}

    # surroundings

    def _value(self, text: str, *, required: bool = True) -> str:
        name = settings.reference(text)
        if name is None:
            return text
        value = os.environ.get(name)
        if not value and required:
            raise Refused(f"the environment variable {name} is not set", reason="variable-missing")
        return value or ""

    def actor(self) -> str:
        """Return who decides: `OCTOPLAN_ACTOR`, else the user of this machine.

        Raises:
            Refused: neither has a name, as in containers that run under a number.
        """
        try:
            return os.environ.get("OCTOPLAN_ACTOR") or getpass.getuser()
        except (KeyError, ImportError, OSError) as error:
            why = "nobody is named: set OCTOPLAN_ACTOR to who decides, for this machine's user has no name"
            raise Refused(why, reason="actor") from error

    def git(self) -> Git:
        """Return the commit of the project's repository; none outside one."""
        try:
            commit = self._git("rev-parse", "HEAD").strip()
            dirty = bool(self._git("status", "--porcelain", "--", ".").strip())
        except (OSError, subprocess.SubprocessError):
            return Git(commit=None, dirty=False)
        return Git(commit=commit, dirty=dirty)

    def _git(self, *arguments: str) -> str:
        return subprocess.run(  # noqa: S603  a constant program and constant arguments
            ["git", "--no-optional-locks", "-C", str(self.root), *arguments],  # noqa: S607
            capture_output=True,
            check=True,
            text=True,
            timeout=10,
        ).stdout


def _loopback(address: str) -> str:
    if not LOOPBACK.fullmatch(address):
        raise Refused(
            "OCTOPLAN_SANDBOX must be a loopback address such as http://127.0.0.1:8027", reason="sandbox-address"
        )
    return address.rstrip("/")
