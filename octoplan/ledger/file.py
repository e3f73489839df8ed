"""The ledger's file: made whole or not at all, and refused unless it is the one that was meant."""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import stat
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from octoplan.core import keys
from octoplan.core.errors import Refused
from octoplan.core.model import Kind
from octoplan.ledger.connection import connect, damaged, trouble
from octoplan.ledger.records import Identity
from octoplan.ledger.transaction import written

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from octoplan.ledger.transaction import Transaction

APPLICATION_ID = 0x0C70_1ED6
"""Marks the SQLite file as an octoplan ledger."""

SCHEMA_VERSION = 2
"""2: drafts, and audiences that a provider holds."""

MODE = 0o600

RESTORE = "restore it, see docs/ledger.md"


def make(path: Path, identity: Identity, *, key: bytes, now: datetime) -> None:
    """Make a ledger's file beside its place and move it there when it is whole.

    Raises:
        FileExistsError: there is something already.
        Refused: the folder cannot be written.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, MODE))
        _fill(draft, identity, key=key, now=now)
        os.link(draft, path)
        _flush(path.parent)
    except FileExistsError:
        raise
    except OSError as error:
        raise Refused(
            f"no ledger can be made in {path.parent.name}: {error.strerror}", reason="ledger-unwritable"
        ) from error
    except sqlite3.Error as error:
        raise trouble(error) from error
    finally:
        for left in (draft, draft.with_name(f"{draft.name}-journal")):
            with contextlib.suppress(OSError):
                left.unlink(missing_ok=True)


def _fill(draft: Path, identity: Identity, *, key: bytes, now: datetime) -> None:
    with contextlib.closing(connect(draft)) as db:
        db.executescript(f"PRAGMA application_id = {APPLICATION_ID};\nBEGIN IMMEDIATE;\n{_schema()}\nCOMMIT;")
        db.execute(
            "INSERT INTO meta (one, id, kind, key_check, schema_version, serial, newest_at)"
            " VALUES (1, ?, ?, ?, ?, ?, ?)",
            (identity.id, identity.kind, keys.key_check(key), SCHEMA_VERSION, identity.serial, written(now)),
        )


def refuse_path(path: Path) -> None:
    """Refuse what cannot be a ledger's file, without opening it: closing it again would drop SQLite's locks.

    Raises:
        Refused: `ledger-missing`, `ledger-empty`, `ledger-path`.
    """
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Refused(f"the ledger {path.name} is missing: {RESTORE}", reason="ledger-missing") from error
    if not stat.S_ISREG(found.st_mode):
        raise Refused(
            f"the ledger {path.name} is no regular file: name the file itself, not a link to it", reason="ledger-path"
        )
    if found.st_mode & 0o077:
        raise Refused(
            f"the ledger {path.name} is open to others (mode {found.st_mode & 0o777:04o}): chmod 600 it",
            reason="ledger-path",
        )
    if not found.st_size:
        raise Refused(f"the ledger {path.name} is empty: {RESTORE}", reason="ledger-empty")


def identify(tx: Transaction) -> Identity:
    """Return what the ledger is."""
    row = tx.rows("SELECT id, kind, serial FROM meta")[0]
    return Identity(id=row["id"], kind=Kind(row["kind"]), serial=row["serial"])


def is_older(tx: Transaction) -> bool:
    """Tell whether it is a ledger of an earlier version.

    Raises:
        Refused: `ledger-foreign`, `ledger-newer`, `ledger-corrupt`.
    """
    if tx.rows("PRAGMA application_id")[0][0] != APPLICATION_ID:
        raise Refused(f"the file is a database, but no octoplan ledger: {RESTORE}", reason="ledger-foreign")
    version: int = _meta(tx)["schema_version"]
    if version > SCHEMA_VERSION:
        raise Refused(
            f"the ledger was written by a newer octoplan (schema {version}, known {SCHEMA_VERSION}): use that version",
            reason="ledger-newer",
        )
    return version < SCHEMA_VERSION


def upgrade(tx: Transaction) -> None:
    """Give a ledger of version 1 what came later; nothing that it holds is changed."""
    if not is_older(tx):  # another process was quicker
        return
    tx.db.execute("ALTER TABLE batches ADD COLUMN held INTEGER NOT NULL DEFAULT 0")
    with contextlib.closing(_empty()) as db:
        for row in db.execute("SELECT sql FROM sqlite_master WHERE tbl_name = 'drafts' AND sql IS NOT NULL"):
            tx.db.execute(row[0])
    tx.change("UPDATE meta SET schema_version = ?", SCHEMA_VERSION)
    tx.event("schema-upgraded", details=str(SCHEMA_VERSION))


def refuse_other(tx: Transaction, *, id: str | None, kind: Kind, key: bytes) -> None:  # noqa: A002  the ledger's word
    """Refuse every ledger but the one that is meant.

    Raises:
        Refused: `ledger-foreign`, `ledger-newer`, `ledger-corrupt`, `ledger-kind`, `ledger-key`.
    """
    is_older(tx)
    meta = _meta(tx)
    if id is not None and meta["id"] != id:
        raise Refused(
            f"the ledger is {meta['id']}, octoplan.yaml names {id}: put the right file there, or {RESTORE}",
            reason="ledger-foreign",
        )
    if meta["kind"] != kind:
        raise Refused(
            f"the ledger is a {meta['kind']} ledger, this environment needs a {kind} one", reason="ledger-kind"
        )
    if meta["key_check"] != keys.key_check(key):
        raise Refused(
            "the key does not belong to this ledger: with it everybody would look new; "
            "set OCTOPLAN_LEDGER_KEY, or restore the key file, see docs/ledger.md",
            reason="ledger-key",
        )


def _meta(tx: Transaction) -> sqlite3.Row:
    _refuse_other_shape(tx, {"meta": _shape()["meta"]})
    try:
        return tx.rows("SELECT * FROM meta")[0]
    except (sqlite3.OperationalError, IndexError) as error:  # its name or its one row was overwritten
        raise damaged("no record of what it is") from error


def refuse_misshapen(tx: Transaction) -> None:
    """Refuse a ledger in which a table or a column has another name: SQLite takes what was overwritten for a wish.

    Raises:
        Refused: `ledger-corrupt`.
    """
    _refuse_other_shape(tx, _shape())


def _refuse_other_shape(tx: Transaction, shape: Mapping[str, tuple[str, ...]]) -> None:
    for table, columns in shape.items():
        try:
            tx.rows(f"SELECT {', '.join(columns)} FROM {table} LIMIT 0")  # noqa: S608  our own schema's names
        except sqlite3.OperationalError as error:
            raise damaged(str(error)) from error


@cache
def _shape() -> Mapping[str, tuple[str, ...]]:
    """Return the columns of each table, as the schema has them."""
    with contextlib.closing(_empty()) as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: tuple(row[1] for row in db.execute(f"PRAGMA table_info({name})")) for name in tables}


def _empty() -> sqlite3.Connection:
    """Return an empty ledger in memory."""
    db = sqlite3.connect(":memory:")
    db.executescript(_schema())
    return db


def _schema() -> str:
    return resources.files("octoplan.ledger").joinpath("schema.sql").read_text(encoding="utf-8")


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
