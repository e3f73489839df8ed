"""What every run of octoplan would do again for the first time, done once before any is forked."""

from __future__ import annotations

import contextlib
import gc
import io
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from faults import people
from faults.patch import put
from faults.project import Campaign, Project
from octoplan import audience, cli
from octoplan.core import phone


def prepare(memory: Path | None) -> None:
    """Import everything, and fill the caches of modules by planning and applying a project of every channel.

    What only other engines need is kept out: deepdiff would take pandas where it finds it, 80 MB to copy.
    """
    refused: dict[str, Any] = dict.fromkeys(("pandas", "polars", "pyarrow"))  # None: not to be imported
    sys.modules.update(refused)
    import deepdiff  # noqa: F401, PLC0415

    engine = audience.Engine.resolve
    put(audience.Engine, resolve=lambda _, query: people.resolve(query))
    try:
        with tempfile.TemporaryDirectory(prefix="faults-", dir=memory) as name:
            _rehearse(Path(name))
    finally:
        put(audience.Engine, resolve=engine)
    phone.canonical("+33639980000", "FR")
    if threading.active_count() > 1:
        raise RuntimeError("a process that is forked must have one thread")
    gc.collect()
    gc.freeze()


def _rehearse(root: Path) -> None:
    channels = ("sms", "voice", "rcs", "email")
    project = Project(
        campaigns=[Campaign(id=name, file=name, people=[0, 1, 2], channel=name) for name in channels],
        opted_out=[2],
    )
    for wording in (0, 1):
        for campaign in project.campaigns:
            campaign.wording = wording
        project.write(root)
        for words in (("plan", "--out", str(root / "a.plan")), ("apply",), ("status", "--json"), ("resolve", "--json")):
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                code = cli.run(["-q", "-C", str(root), *words])
            if code:
                raise RuntimeError(f"{words} ended {code}: {printed.getvalue()}")
