"""Sets of contacts: files and lists in, owed contacts in key order out (step 3 of the house).

Every resolution has a DuckDB of its own, in memory. Nothing it holds is written to disk, except
that an audience too large for memory spills, encrypted, to a private folder that is removed.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from octoplan.audience.columns import list_column, unknown_columns
from octoplan.audience.errors import AudienceError
from octoplan.audience.files import read_files
from octoplan.audience.query import Asked, Query
from octoplan.audience.resolved import Resolved
from octoplan.audience.sheet import Origin, read_header, read_sheet
from octoplan.core.model import Audience

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType
    from typing import Self

    from octoplan.core.model import AddressKind, Finding, KeyPath

__all__ = ["Asked", "AudienceError", "Engine", "Query", "Resolved"]


class Engine:
    """Resolves audiences; a context manager that forgets all of them at its end.

    `temp` is where the private folder is made; `root` is the project, which names of files in
    messages are relative to.
    """

    def __init__(self, temp: Path, *, root: Path | None = None) -> None:
        self.temp = temp
        self.root = root
        self._folder: Path | None = None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self.temp.mkdir(parents=True, exist_ok=True)
        private = tempfile.TemporaryDirectory(prefix="audience-", dir=self.temp, ignore_cleanup_errors=True)
        self._folder = Path(self._open.enter_context(private))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder = None
        self._open.close()

    def check(self, audience: Audience, used: Iterable[str], *, files: Sequence[Path] = ()) -> tuple[Finding, ...]:
        """Hold the names an audience and its message use against the header, and parse `where`.

        Of the rows, only what makes a used column unusable is looked at. Raises AudienceError for a
        source that cannot be read.
        """
        found = read_files(audience, files, name=self._name, folder=self._private()) if files else None
        header = found.header if found else read_header(audience.contacts or ())
        problems = list(unknown_columns(audience, used, header=header))
        columns: tuple[str, ...] = ()
        if audience.where is not None:
            columns, wrong = self._judge(audience.where, header)
            problems += wrong
        if found:
            needed = dict.fromkeys((audience.address, *used, *columns))
            problems += [flaw for name in needed for flaw in found.flaws(name)]
        return tuple(problems)

    def _judge(self, condition: str, header: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
        """Return the columns of a condition, and what is wrong with it."""
        from octoplan.audience import database, where  # noqa: PLC0415 - most campaigns need no DuckDB to be checked

        connection = database.connect(self._private())
        self._open.callback(connection.close)
        try:
            parsed = where.check(
                connection, condition, columns={name: f"c{index}" for index, name in enumerate(header)}
            )
        except AudienceError as error:
            return (), error.findings
        return parsed.columns, ()

    def check_list(self, path: Path, named: KeyPath) -> None:
        """Look whether a list of addresses can be read; raises AudienceError, about the key `named`, if not."""
        read_sheet(path, Origin(name=self._name(path), path=named))

    def address_column(self, path: Path, kind: AddressKind, *, address: str = "") -> str | None:
        """Return the column of a file that by its name holds addresses of this kind: first of all `address`.

        Raises AudienceError for a file that cannot be read.
        """
        read = Audience(address=address, country=None)
        found = read_files(read, (path,), name=self._name, folder=self._private())
        index = list_column(found, kind, address=address)
        return None if index is None else found.header[index]

    def resolve(self, query: Query) -> Resolved:
        """Find out who is owed a message.

        Raises AudienceError, with rule `file`, `source`, `where` or `template-name`, for what must be
        put right first.
        """
        from octoplan.audience.resolution import resolve  # noqa: PLC0415 - `validate` reads headers without DuckDB

        resolved = resolve(self._private(), query, name=self._name)
        self._open.callback(resolved.close)
        return resolved

    def _private(self) -> Path:
        if self._folder is None:
            raise RuntimeError("an Engine resolves inside its with block")
        return self._folder

    def _name(self, path: Path) -> str:
        if self.root is not None and path.is_relative_to(self.root):
            return path.relative_to(self.root).as_posix()
        return path.name
