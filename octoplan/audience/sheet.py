"""Files of contacts: bytes as people export them → CSV text, its separator and its header.

Nothing is guessed about values. What is guessed is how the text is written down: UTF-8, UTF-16 with
its mark, or else Windows-1252 (which holds all of printable Latin-1); and the separator.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
import stat
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from octoplan.audience.errors import AudienceError
from octoplan.core import phone
from octoplan.core.model import Finding, Place
from octoplan.core.rules import finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from octoplan.core.model import KeyPath

SEPARATORS = (";", ",", "\t", "|")

ALONE = "\x1f"
"""The separator of a file with one column: a character that no cell holds."""

MAX_LINE = 131_072
"""Bytes of one row; a longer one has lost a quote, or is no list of contacts."""

SAMPLE = 65_536
"""Bytes that the separator is judged by."""

_FOREIGN = {
    b"\x1f\x8b": "is compressed (gzip)",
    b"PK\x03\x04": "is a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "is an Excel workbook",
    b"\x28\xb5\x2f\xfd": "is compressed (zstd)",
    b"BZh": "is compressed (bzip2)",
    b"\xfd7zXZ": "is compressed (xz)",
    b"PAR1": "is a Parquet file",
    b"{": "is JSON",
    b"[": "is JSON",
    b"<": "is a page of HTML or XML",
}

_JSON = (b"{", b"[")

_BY_ENDING = {b"{": "one object a line: name it .jsonl", b"PAR1": "name it .parquet"}
"""The way out where only the name of a file is wrong."""

LONGEST_MAGIC = 16

_NUMBER = re.compile(r"\A\+?[0-9]{6,}\Z|[0-9]{9}")
"""What a column is not called; findings quote names of columns, so they must not be a contact's number."""

_MULTIBYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")

_SEPARATOR_LINE = re.compile(r"sep=(.)\n")
"""What Excel writes, and reads, above the header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where rows come from: `name` as messages call it, `path` the campaign's key that names it."""

    name: str
    path: KeyPath = ()

    def finding(self, message: str, hint: str, *, line: int | None = None) -> Finding:
        """Make a finding of rule `file` about this origin, at a line of it where one is to blame."""
        place = Place(file=self.name, line=line, column=1) if line else None
        where = f"{self.name}, line {line:,}" if line else self.name
        return finding("file", f"{where}: {message}", path=self.path, place=place, hint=hint)

    def refuse(self, message: str, hint: str, *, line: int | None = None) -> AudienceError:
        """Make the error of one such finding."""
        return AudienceError([self.finding(message, hint, line=line)])


INLINE = Origin(name="audience.contacts", path=("audience", "contacts"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A CSV file, read: `text` is UTF-8 with plain newlines, from its first record on.

    `lines_above` counts the lines before that. `header` is empty where a single column begins with
    an address instead of a name, and in the text itself only where `titled`. `sha256` is of the file's
    own bytes. `flaws` are what is wrong with a column, for whoever uses it.
    """

    origin: Origin
    text: bytes
    separator: str
    header: tuple[str, ...]
    lines_above: int
    sha256: str
    titled: bool = True
    flaws: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)

    def line(self, offset: int) -> int:
        """Return the line of the file, counted from 1, that holds this byte of the text."""
        return self.lines_above + self.text.count(b"\n", 0, offset) + 1


def read_sheet(path: Path, origin: Origin) -> Sheet:
    """Read one CSV file whole; its rows are checked when they are loaded.

    Raises AudienceError for a file that cannot be read, is no CSV text, or has no proper header.
    """
    content = read_bytes(path, origin)
    refuse_foreign(content, origin)
    text = decode(content, origin)
    body = text.lstrip(b"\n")
    sample = _sample(body, origin)
    declared = _SEPARATOR_LINE.match(sample)
    if declared:
        body, sample = body[len(declared[0].encode()) :], sample[declared.end() :]
    separator, first = _dialect(sample, declared[1] if declared else None)
    lines_above = text.count(b"\n", 0, len(text) - len(body))
    header = tuple(map(column_name, first))
    if len(header) == 1 and looks_like_contact(header[0]):
        header = ()
    problems = header_problems(header, origin, line=lines_above + 1)
    if problems:
        raise AudienceError(problems)
    digest = hashlib.sha256(content).hexdigest()
    return Sheet(
        origin=origin,
        text=body,
        separator=separator,
        header=header,
        lines_above=lines_above,
        sha256=digest,
        titled=bool(header),
    )


def read_contacts(path: Path, origin: Origin) -> Sheet:
    """Read a file of contacts, which has names over its columns."""
    sheet = read_sheet(path, origin)
    if not sheet.header:
        raise origin.refuse("has no header line", "put a line with the column's name first", line=sheet.line(0))
    return sheet


def read_header(contacts: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
    """Return the columns of inline contacts, in order of first use."""
    names = dict.fromkeys(name for contact in contacts for name in contact)
    header = tuple(map(column_name, names))
    problems = header_problems(header, INLINE)
    if problems:
        raise AudienceError(problems)
    if not header:
        raise INLINE.refuse("has no contacts", "give at least one")
    return header


def looks_like_contact(text: str) -> bool:
    """Tell whether a text that stands for a column's name may be somebody's address instead."""
    return "@" in text or _NUMBER.search(phone.unpunctuated(text)) is not None


def column_name(written: str) -> str:
    """Return a column's name as templates and `where` know it."""
    return unicodedata.normalize("NFC", written).strip()


def header_problems(header: Iterable[str], origin: Origin, *, line: int | None = None) -> list[Finding]:
    """Return what is wrong with the names of the columns; names that differ only by case are the same."""
    names = list(header)
    if any(map(looks_like_contact, names)):
        hint = "put a header line with the columns' names first"
        return [origin.finding("a contact stands where the columns' names belong", hint, line=line)]
    seen: dict[str, int] = {}
    problems = []
    for number, name in enumerate(names, 1):
        first = seen.setdefault(name.casefold(), number)
        if not name:
            problems.append(origin.finding(f"column {number} has no name", "name or remove it", line=line))
        elif first != number:
            message = f"columns {first} and {number} are both called {name}"
            problems.append(origin.finding(message, "rename or remove one", line=line))
    return problems


def read_bytes(path: Path, origin: Origin) -> bytes:
    """Return what a file holds; raises AudienceError where that cannot be read."""
    return _bytes(path, origin, size=-1)


def _bytes(path: Path, origin: Origin, *, size: int) -> bytes:
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
        content = b""
        if regular:
            with path.open("rb") as file:
                content = file.read(size)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise origin.refuse(f"cannot be read ({reason})", "give a file that is there") from None
    if not regular:
        raise origin.refuse("is no regular file", "give a file of contacts")
    return content


def read_start(path: Path, origin: Origin) -> bytes:
    """Return the first bytes of a file; raises AudienceError where they cannot be read."""
    return _bytes(path, origin, size=LONGEST_MAGIC)


def refuse_foreign(content: bytes, origin: Origin, *, wanted: str = "csv") -> None:
    """Raise AudienceError for content that is known to be something else than what is `wanted`."""
    start = content[:LONGEST_MAGIC].removeprefix(codecs.BOM_UTF8)
    for magic, what in _FOREIGN.items():
        if start.startswith(magic) and (wanted != "jsonl" or magic not in _JSON):
            raise origin.refuse(what, _BY_ENDING.get(magic, f"export it as plain {wanted}"))


def decode(content: bytes, origin: Origin) -> bytes:
    """Return the text as UTF-8 with plain newlines and without its mark.

    Raises AudienceError for what is no text.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = _transcode(content, "utf-16", origin=origin)
    else:
        text = content.removeprefix(codecs.BOM_UTF8)
        bad = _first_invalid(text)
        if bad is not None and _MULTIBYTE.search(text):
            raise origin.refuse("mixes UTF-8 with another encoding", "save it as UTF-8", line=_line(text, bad))
        if bad is not None:
            text = _transcode(text, "cp1252", origin=origin)
    text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    nul = text.find(0)
    if nul >= 0:
        raise origin.refuse("holds a NUL character", "save it as UTF-8 text", line=_line(text, nul))
    return text


def _transcode(content: bytes, encoding: str, *, origin: Origin) -> bytes:
    try:
        return content.decode(encoding).encode()
    except UnicodeError as error:
        line = _line(content, error.start) if isinstance(error, UnicodeDecodeError) else None
        raise origin.refuse("is neither UTF-8, UTF-16 nor Windows-1252", "save it as UTF-8", line=line) from None


def _first_invalid(content: bytes, step: int = 1 << 20) -> int | None:
    """Return the offset of the first byte that is not UTF-8; a step at a time, to hold no second copy."""
    offset = 0
    while offset < len(content):
        part = content[offset : offset + step]
        try:
            _, used = codecs.utf_8_decode(part, "strict", offset + step >= len(content))
        except UnicodeDecodeError as error:
            return offset + error.start
        offset += used
    return None


def _line(content: bytes, offset: int) -> int:
    """Return the line of a byte, counting every kind of line end."""
    head = content[:offset]
    return head.count(b"\n") + head.count(b"\r") - head.count(b"\r\n") + 1


def _sample(body: bytes, origin: Origin) -> str:
    """Return the first whole lines."""
    head = body[:SAMPLE]
    if not head.strip():
        raise origin.refuse("is empty", "it needs a header line with the columns' names")
    if len(body) > SAMPLE:
        head = head[: head.rfind(b"\n") + 1]
    if not head:
        raise origin.refuse(f"the first line is longer than {SAMPLE:,} bytes", "give a csv file", line=1)
    return head.decode()


def _dialect(sample: str, declared: str | None) -> tuple[str, list[str]]:
    """Return the separator most rows agree with the header on, and the header's cells."""
    best: tuple[float, int, str, list[str]] = (0.0, 1, ALONE, next(_rows(sample, ALONE), []))
    for separator in [declared] if declared else SEPARATORS:
        rows = list(_rows(sample, separator))
        width = len(rows[0]) if rows else 0
        if width > 1:
            share = sum(len(row) == width for row in rows) / len(rows)
            best = max(best, (share, width, separator, rows[0]))
    return best[2], best[3]


def _rows(sample: str, separator: str) -> Iterator[list[str]]:
    return filter(None, csv.reader(io.StringIO(sample, newline=""), delimiter=separator))
