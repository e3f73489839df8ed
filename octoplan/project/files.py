"""The files people write: read once, small, inside the project; whatever is wrong is a finding."""

from __future__ import annotations

import os
import stat
import tempfile
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from octoplan.core import paths, price, source, spec
from octoplan.core.errors import InputError
from octoplan.core.model import Place, Severity
from octoplan.core.quoting import visible
from octoplan.core.rules import finding
from octoplan.core.templates import Unreadable
from octoplan.providers import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from octoplan.core.model import Campaign, Finding, KeyPath, Prices
    from octoplan.core.settings import ProviderSettings, Settings
    from octoplan.core.source import Source

LARGEST_FILE = 1024 * 1024
LARGEST_TEXT = 64 * 1024 * 4
"""Bytes of a text that is in a file of its own: as many characters as a template may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Every campaign and price book that could be read, and every finding about the files.

    `read` has what was read of each campaign, by its id; `of_files` what was found about each campaign
    file (also in a text that it names), `general` everything else. `broken` are the campaign files of
    which something could not be made.
    """

    campaigns: tuple[Campaign, ...]
    read: Mapping[str, spec.Read]
    prices: Mapping[str, Prices]
    of_files: Mapping[str, tuple[Finding, ...]]
    general: tuple[Finding, ...] = ()
    broken: frozenset[str] = frozenset()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding."""
        return (*self.general, *(found for findings in self.of_files.values() for found in findings))


def load(root: Path, scope: spec.Scope) -> Loaded:
    """Read every campaign file and price book (steps 1 and 2).

    What concerns a key of `octoplan.yaml` has that key's path and no place.
    """
    books = {name: item.prices for name, item in usable(scope.settings)}
    prices, general = _prices(root, books)
    made: list[spec.Read] = []
    of_files: dict[str, tuple[Finding, ...]] = {}
    broken: set[str] = set()
    names, found = _campaign_files(root, scope.settings.campaigns)
    general += found
    for name in names:
        if name in books.values():
            continue
        source, found = read_source(root, name)
        each = spec.read_campaigns(source, scope) if source else ()
        of_files[name] = tuple(dict.fromkeys((*found, *(found for one in each for found in one.findings))))
        made += each
        if not each or not all(one.campaign for one in each):
            broken.add(name)
    general += (*_repeated(made), *_suppressions(root, scope.settings.suppressions))
    whole = [(one, one.campaign) for one in made if one.campaign]
    return Loaded(
        campaigns=tuple(sorted((campaign for _, campaign in whole), key=lambda campaign: campaign.id)),
        read={campaign.id: one for one, campaign in reversed(whole)},
        prices=prices,
        of_files=of_files,
        general=general,
        broken=frozenset(broken),
    )


def read_text(root: Path, relative: str) -> str:
    """Return a text that a campaign names: a project file of UTF-8.

    Raises:
        Unreadable: it is not there, leads outside the project, or is no text.
    """
    try:
        path = inside(root, relative)
        size = path.stat().st_size
        if not stat.S_ISREG(path.stat().st_mode) or size > LARGEST_TEXT:
            what = "is no regular file" if size <= LARGEST_TEXT else f"is larger than {LARGEST_TEXT:,} bytes"
            raise Unreadable(f"{visible(relative)} {what}", "name a file of text")
        return path.read_text(encoding="utf-8-sig")  # with any line ends, as YAML reads a text
    except UnicodeDecodeError:
        raise Unreadable(f"{visible(relative)} is not UTF-8", "save it with the encoding UTF-8") from None
    except InputError:
        raise Unreadable(f"{visible(relative)} leads outside the project", "move it inside") from None
    except OSError as error:
        told = (error.strerror or "unknown reason").lower()
        raise Unreadable(f"{visible(relative)} cannot be read ({told})", "put the file there") from None


def _prices(root: Path, books: Mapping[str, str]) -> tuple[dict[str, Prices], tuple[Finding, ...]]:
    prices: dict[str, Prices] = {}
    findings: tuple[Finding, ...] = ()
    for provider, name in books.items():
        read, found = read_source(root, name, named=("providers", provider, "prices"))
        findings += found
        if read is not None:
            book, found = price.read_prices(read)
            findings += found
            prices |= {} if book is None else {provider: book}
    return prices, findings


def _campaign_files(root: Path, folder: str) -> tuple[list[str], tuple[Finding, ...]]:
    """Return the YAML files below the campaigns' folder, hidden ones left out, and what is wrong with others."""
    unread: list[OSError] = []
    found = [
        Path(within, name).relative_to(root).as_posix()
        for within, folders, names in os.walk(root / folder, onerror=unread.append)
        for name in (*folders, *names)
        if name.casefold().endswith((".yaml", ".yml")) and not name.startswith(".")
    ]
    problems = [_unread(error, root) for error in unread]
    if not found and not problems:
        message = f"{visible(folder)} holds no campaign"
        hint = "a campaign is a file that ends in .yaml or .yml"
        problems.append(finding("file", message, severity=Severity.INFO, path=("campaigns",), hint=hint))
    names = []
    for name in sorted(found):
        try:
            names.append(paths.resolve(name, within=""))
        except paths.Outside as problem:
            place = Place(file=visible(name), line=1, column=1)
            problems.append(finding("file", str(problem), place=place, hint="rename the file"))
    return names, tuple(problems)


def _unread(error: OSError, root: Path) -> Finding:
    """Return what is said of a folder: its campaigns must not be taken for none."""
    name = visible(os.path.relpath(os.fsdecode(error.filename), root))
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        hint = "make the folder, or name another one"
        return finding("file", f"{name} is no folder", path=("campaigns",), hint=hint)
    message = f"{name} cannot be read ({(error.strerror or 'unknown reason').lower()})"
    return finding("file", message, path=("campaigns",), hint="nobody knows what campaigns are in it: make it readable")


def _suppressions(root: Path, names: Iterable[str]) -> Iterator[Finding]:
    """Find the suppression lists that cannot be read: none of them may be taken for an empty one."""
    for index, name in enumerate(names):
        path: KeyPath = ("suppressions", index)
        try:
            if not stat.S_ISREG(inside(root, name, named=path).stat().st_mode):
                yield finding("file", f"{name} is not a regular file", path=path, hint="put the list there")
        except InputError as error:
            yield from error.findings
        except OSError as error:
            message = f"{name} cannot be read ({(error.strerror or 'unknown reason').lower()})"
            yield finding("file", message, path=path, hint="put the list there: everybody on it is protected by it")


def usable(settings: Settings) -> list[tuple[str, ProviderSettings]]:
    """Return the providers of `octoplan.yaml` that this version offers, by name."""
    return [(name, item) for name, item in settings.providers.items() if item.kind in PROVIDERS]


def inside(root: Path, relative: str, *, named: KeyPath = ()) -> Path:
    """Return the path of a project file, symbolic links resolved.

    Raises:
        InputError: it leads outside the project; about the key that has `named` it.
    """
    path = Path(os.path.realpath(root / relative))
    if not path.is_relative_to(root):
        message = f"{visible(relative)} leads outside the project"
        raise InputError((finding("file", message, path=named, hint="move it inside"),))
    return path


def matching(root: Path, pattern: str, *, named: KeyPath = ()) -> tuple[Path, ...]:
    """Return the paths of the files that match a pattern, by name; hidden ones are left out.

    A name that is no pattern is the path of that file, there or not.

    Raises:
        InputError: a match leads outside the project, or a folder cannot be read; about the key that has `named` it.
    """
    if not paths.is_pattern(pattern):
        return (inside(root, pattern, named=named),)
    found = [""]
    for part in pattern.split("/"):
        found = [name for above in found for name in _below(root, above, part=part, named=named)]
    return tuple(inside(root, _storable(name, named), named=named) for name in sorted(found))


def _storable(name: str, named: KeyPath) -> str:
    try:
        return paths.resolve(name, within="")
    except paths.Outside as problem:
        message = f"{visible(name)}: {problem}"
        raise InputError((finding("file", message, path=named, hint="rename the file"),)) from None


def _below(root: Path, above: str, *, part: str, named: KeyPath) -> Iterator[str]:
    """Yield the names in a folder that a part of a pattern stands for."""
    start = f"{above}/" if above else ""
    if not paths.is_pattern(part):
        yield from (start + part,) if os.path.lexists(root / start / part) else ()
        return
    folder = inside(root, above or ".", named=named)
    try:
        names = [path.name for path in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        message = f"{visible(above)} cannot be read ({(error.strerror or 'unknown reason').lower()})"
        raise InputError((finding("file", message, path=named, hint="make the folder readable"),)) from None
    hidden = part.startswith(".")
    yield from (start + name for name in names if fnmatchcase(name, part) and (hidden or not name.startswith(".")))


def statement(root: Path, relative: str, *, named: KeyPath = ()) -> str:
    """Return the text of a file of SQL.

    Raises:
        InputError: it leads outside the project, or is no text; about the key that has `named` it.
    """
    path = inside(root, relative, named=named)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            problem = "is not a regular file"
        elif path.stat().st_size > LARGEST_FILE:
            problem = f"is larger than {LARGEST_FILE:,} bytes"
        else:
            text = path.read_text(encoding="utf-8-sig")
            if text.strip():
                return text
            problem = "is empty"
    except UnicodeDecodeError:
        problem = "is not UTF-8 text"
    except OSError as error:
        problem = f"cannot be read ({(error.strerror or 'unknown reason').lower()})"
    raise InputError((finding("file", f"{relative} {problem}", path=named, hint="put one SELECT there"),))


def read_source(
    root: Path, relative: str, *, named: KeyPath | None = None
) -> tuple[Source | None, tuple[Finding, ...]]:
    """Read one YAML file; what is wrong with it, or with reading it, is a finding.

    `named` is the key of `octoplan.yaml` that names it, which is then where it cannot be read.
    """
    problem = None
    try:
        path = inside(root, relative)
        if not stat.S_ISREG(path.stat().st_mode):
            problem = "is not a regular file"
        elif path.stat().st_size > LARGEST_FILE:
            problem = f"is larger than {LARGEST_FILE:,} bytes"
        else:
            return source.read(relative, path.read_bytes())
    except InputError:
        problem = "leads outside the project"
    except OSError as error:
        problem = f"cannot be read ({(error.strerror or 'unknown reason').lower()})"
    place = None if named else Place(file=relative, line=1, column=1)
    message = f"{visible(relative)} {problem}"
    return None, (finding("file", message, path=named or (), place=place, hint="put a readable file there"),)


def write_secret(path: Path, text: str) -> None:
    """Write a new private file (0600).

    Raises:
        FileExistsError: it is there already.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="ascii") as file:  # made 0600
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
        path.hardlink_to(file.name)


def _repeated(made: Iterable[spec.Read]) -> tuple[Finding, ...]:
    first: dict[str, str] = {}
    found: list[Finding] = []
    for one in made:
        if one.campaign is None:
            continue
        name, file = one.campaign.id, one.campaign.file
        if name in first:
            within = first[name] == file
            where = "made by another item of `for_each`" if within else f"also in {first[name]}"
            hint = (
                "write `{{ each.… }}` in the id, so that every item makes another"
                if within
                else "an id is permanent and belongs to one campaign; raise `edition` to send again"
            )
            found += one.source.locate((finding("id-duplicate", f"id `{name}` is {where}", path=("id",), hint=hint),))
        first.setdefault(name, file)
    return tuple(dict.fromkeys(found))
