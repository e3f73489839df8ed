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
import stat
import subprocess
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from octoplan.core import keys, settings, source, spec
from octoplan.core import price as price_book
from octoplan.core.errors import InputError, Refused
from octoplan.core.plan import Git
from octoplan.core.rules import finding
from octoplan.ledger import BACKENDS, Kind
from octoplan.providers import PROVIDERS
from octoplan.wire import PlanningWire, Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from octoplan.core.model import Campaign, Finding, Prices
    from octoplan.core.settings import ProjectLimits, ProviderSettings, Settings
    from octoplan.core.source import Source
    from octoplan.ledger import Ledger
    from octoplan.providers import Provider

PROJECT_FILE = "octoplan.yaml"
STATE = ".octoplan"
SANDBOX = "sandbox"
LARGEST_FILE = 1024 * 1024
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_KEY_TEXT = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SANDBOX_LOGIN = "sandbox"


def utc_now() -> datetime:
    """Return the time by this machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The chosen environment: what may be contacted, and where its memory is."""

    name: str
    kind: Kind
    ledger_url: str | None = None
    ledger_id: str | None = None

    @property
    def sandbox(self) -> bool:
        """Whether requests go to the sandbox: the built-in one, or a rehearsal."""
        return self.kind is not Kind.LIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Every campaign and price book that could be read, and every finding about the files."""

    campaigns: tuple[Campaign, ...]
    sources: Mapping[str, Source]
    prices: Mapping[str, Prices]
    findings: tuple[Finding, ...]


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
    directory: Path, environment: str | None = None, *, clock: Callable[[], datetime] = utc_now
) -> Project:
    """Open the project at or above `directory` in one of its environments.

    Raises:
        InputError: `octoplan.yaml` has findings of severity error.
        Refused: there is no project, or no such environment.
    """
    root = find_root(directory)
    read, problems = source.read(PROJECT_FILE, _read_inside(root, PROJECT_FILE))
    if read is None:
        raise InputError(problems)
    loaded, found = settings.read_project(read)
    problems += found
    if loaded is None:
        raise InputError(problems)
    name = environment or os.environ.get("OCTOPLAN_ENV") or SANDBOX
    return Project(
        root=root,
        settings=loaded,
        source=read,
        findings=problems,
        surroundings=_surroundings(loaded, name),
        clock=clock,
    )


def _surroundings(loaded: Settings, name: str) -> Surroundings:
    if name == SANDBOX:
        return Surroundings(name=name, kind=Kind.SANDBOX)
    chosen = loaded.environments.get(name)
    if chosen is None:
        known = ", ".join((SANDBOX, *sorted(loaded.environments)))
        raise Refused(f"no environment `{name}` in {PROJECT_FILE}: there are {known}", reason="environment-unknown")
    kind = Kind.REHEARSAL if chosen.sandbox else Kind.LIVE
    return Surroundings(name=name, kind=kind, ledger_url=chosen.ledger_url, ledger_id=chosen.ledger_id)


def _read_inside(root: Path, relative: str) -> bytes:
    """Read a small file a person wrote; whatever is wrong with it is a finding, never a traceback."""
    path = root / relative
    try:
        if not path.resolve().is_relative_to(root):
            problem = "leads outside the project"
        elif not stat.S_ISREG(path.stat().st_mode):
            problem = "is not a regular file"
        elif path.stat().st_size > LARGEST_FILE:
            problem = f"is larger than {LARGEST_FILE:,} bytes"
        else:
            return path.read_bytes()
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
    raise InputError((finding("file", f"{ascii(relative)[1:-1]} {problem}", hint="put a readable file there"),))


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
        if self.surroundings.kind is Kind.SANDBOX:
            return self._sandbox_key()
        named = f"{STATE}/keys/{self.surroundings.ledger_id}"
        text = os.environ.get("OCTOPLAN_LEDGER_KEY")
        if text is None:
            try:
                text = (self.root / named).read_text(encoding="ascii")
            except (OSError, UnicodeDecodeError):
                raise Refused(
                    f"the ledger's key is missing: set OCTOPLAN_LEDGER_KEY, or put it into {named}",
                    reason="key-missing",
                ) from None
        if not _KEY_TEXT.fullmatch(text.strip()):
            raise Refused("the ledger's key must be 64 hexadecimal digits", reason="key-shape")
        return bytes.fromhex(text.strip())

    def _sandbox_key(self) -> bytes:
        path = self.state_folder() / "key"
        with contextlib.suppress(FileExistsError):
            write_secret(path, secrets.token_hex(keys.KEY_SIZE))
        return bytes.fromhex(path.read_text(encoding="ascii").strip())

    def state_folder(self) -> Path:
        """Return `.octoplan/`, made private if it is not there."""
        folder = self.root / STATE
        folder.mkdir(mode=0o700, exist_ok=True)
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
        """Read every campaign file and price book (steps 1 and 2)."""
        prices, findings = self._load_prices()
        sources: dict[str, Source] = {PROJECT_FILE: self.source}
        campaigns: list[Campaign] = []
        scope = spec.Scope(
            settings=self.settings,
            environment=self.surroundings.name,
            sandbox=self.surroundings.sandbox,
            stop={name: PROVIDERS[item.kind].stop_mention for name, item in self._usable()},
        )
        for relative in self._campaign_files():
            try:
                read, found = source.read(relative, _read_inside(self.root, relative))
            except InputError as error:
                findings += error.findings
                continue
            findings += found
            if read is None:
                continue
            sources[relative] = read
            campaign, found = spec.read_campaign(read, scope)
            findings += found
            if campaign is not None:
                campaigns.append(campaign)
        findings += _repeated(campaigns, sources)
        ordered = tuple(sorted(campaigns, key=lambda campaign: campaign.id))
        return Loaded(campaigns=ordered, sources=sources, prices=prices, findings=(*self.findings, *findings))

    def _usable(self) -> list[tuple[str, ProviderSettings]]:
        return [(name, item) for name, item in self.settings.providers.items() if item.kind in PROVIDERS]

    def _load_prices(self) -> tuple[dict[str, Prices], tuple[Finding, ...]]:
        books: dict[str, Prices] = {}
        findings: tuple[Finding, ...] = ()
        for name, item in self._usable():
            try:
                read, found = source.read(item.prices, _read_inside(self.root, item.prices))
            except InputError as error:
                findings += error.findings
                continue
            findings += found
            if read is None:
                continue
            book, found = price_book.read_prices(read)
            findings += found
            if book is not None:
                books[name] = book
        return books, findings

    def _campaign_files(self) -> list[str]:
        folder = self.root / self.settings.campaigns
        if not folder.is_dir():
            raise InputError((finding("file", f"{self.settings.campaigns} is no folder", path=("campaigns",)),))
        books = {item.prices for _, item in self._usable()}
        found = (path for path in folder.rglob("*") if path.suffix in {".yaml", ".yml"})
        names = (path.relative_to(self.root).as_posix() for path in found if not path.name.startswith("."))
        return sorted(set(names) - books)

    def inside(self, relative: str) -> Path:
        """Return the path of a project file, symbolic links resolved.

        Raises:
            InputError: it leads outside the project.
        """
        path = (self.root / relative).resolve()
        if not path.is_relative_to(self.root):
            raise InputError((finding("file", f"{relative} leads outside the project", hint="move it inside"),))
        return path

    # ledger

    def open_ledger(self) -> Ledger:
        """Open this environment's ledger; the built-in sandbox makes its own.

        Raises:
            Refused: it is missing, empty, foreign, newer, damaged or of another kind.
        """
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
        """Tell whether there is a ledger to read, without making one."""
        if self.surroundings.kind is Kind.SANDBOX:
            return (self.root / STATE / "ledger.db").exists()
        url = self._value(self.surroundings.ledger_url or "", required=False)
        return bool(url) and self.surroundings.ledger_id is not None and self.ledger_place()[1].exists()

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
        return PROVIDERS[self.settings.providers[name].kind]

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
        if not self.surroundings.sandbox:
            if os.environ.get("OCTOPLAN_SANDBOX"):
                raise Refused(
                    f"OCTOPLAN_SANDBOX is set in the live environment `{self.surroundings.name}`: unset it",
                    reason="sandbox-in-live",
                )
            yield Wires(project=self, sandbox=None)
            return
        running = os.environ.get("OCTOPLAN_SANDBOX")
        if running:
            yield Wires(project=self, sandbox=_loopback(running))
            return
        from octoplan.sandbox import Sandbox  # noqa: PLC0415  only now is a server needed

        with Sandbox(self.sandbox_state(), prices=self.sandbox_prices()) as embedded:
            yield Wires(project=self, sandbox=embedded.url)

    def sandbox_state(self) -> Path:
        """Return where the sandbox keeps its deliveries."""
        return self.state_folder() / "sandbox.db"

    def sandbox_prices(self) -> Path | None:
        """Return the price book the sandbox charges by: that of the first usable provider."""
        for _, item in self._usable():
            path = self.inside(item.prices)
            return path if path.exists() else None
        return None

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
        """Return who decides: `OCTOPLAN_ACTOR`, else the user of this machine."""
        return os.environ.get("OCTOPLAN_ACTOR") or getpass.getuser()

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wires:
    """Makes wires to the providers of one open environment; `sandbox` is its address, if it is one."""

    project: Project
    sandbox: str | None

    def open(self, name: str) -> Wire:
        """Return a wire of one provider that can send. Each worker thread needs its own."""
        provider = self.project.provider(name)
        base = provider.host if self.sandbox is None else self.sandbox + provider.sandbox_path
        return Wire(base, provider.headers(self.project.credentials(name)))

    def planning(self, name: str) -> PlanningWire:
        """Return a wire of one provider that is unable to send."""
        return PlanningWire(self.open(name), self.project.provider(name).may_plan)


def write_secret(path: Path, text: str) -> None:
    """Write a new private file (0600).

    Raises:
        FileExistsError: it is there already.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text + "\n")


def _loopback(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK:
        raise Refused(
            "OCTOPLAN_SANDBOX must be a loopback address such as http://127.0.0.1:8027", reason="sandbox-address"
        )
    return address.rstrip("/")


def _repeated(campaigns: list[Campaign], sources: Mapping[str, Source]) -> tuple[Finding, ...]:
    first: dict[str, str] = {}
    found: list[Finding] = []
    for campaign in campaigns:
        if campaign.id in first:
            repeated = finding(
                "id-duplicate",
                f"id `{campaign.id}` is also in {first[campaign.id]}",
                path=("id",),
                hint="an id is permanent and belongs to one campaign; raise `edition` to send again",
            )
            found += sources[campaign.file].locate((repeated,))
        first.setdefault(campaign.id, campaign.file)
    return tuple(found)
