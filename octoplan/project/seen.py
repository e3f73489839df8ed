"""What this user's machine has seen of ledgers, kept outside every project: a copy that lacks some of it is refused.

One small file a ledger, in `$XDG_STATE_HOME/octoplan/` or `~/.local/state/octoplan/`. Where it cannot be
kept, in a job that starts from nothing for example, a saved plan's serial protects alone.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from octoplan.core.errors import Refused
from octoplan.ledger import Mark

if TYPE_CHECKING:
    from collections.abc import Callable

    from octoplan.ledger import Ledger

LARGEST = 1000
"""Bytes of a file that can be one of ours."""


def state_home() -> Path | None:
    """Return the folder for what octoplan remembers of this user; None where there is no place for it.

    A home that does not exist is not made: whoever has none, wants none.
    """
    given = os.environ.get("XDG_STATE_HOME", "")
    if Path(given).is_absolute():
        return Path(given) / "octoplan"
    try:
        home = Path.home()
    except RuntimeError:  # a user without an entry, and no HOME
        return None
    return home / ".local/state/octoplan" if home.is_dir() else None


def way_out(environment: str, serial: int) -> str:
    """Return what a person does about a restored ledger."""
    return (
        "put the newest copy back, or look up what was sent since and accept this one with "
        f"`octoplan --env {environment} ledger check --accept-serial {serial} --reason TEXT`, see docs/ledger.md"
    )


def _nobody(_: str) -> None:
    """Hear nothing."""


@dataclass(kw_only=True)
class Memory:
    """What is remembered of the ledgers of one environment; nothing without a `folder`.

    `kept` is False where nothing is to be remembered; `tell` hears, once, that nothing can be.
    """

    environment: str
    folder: Path | None
    kept: bool = True
    tell: Callable[[str], None] = _nobody

    def lack(self, ledger: Ledger) -> str | None:
        """Say what a ledger lacks of what was seen in it, and the way out; None if nothing."""
        seen, identity = self.seen(ledger), ledger.identity
        if seen is None or ledger.goes_on_from(seen):
            return None
        if identity.serial < seen.serial:
            found = (
                f"the ledger's serial {identity.serial} is below {seen.serial}, which this machine has seen: "
                "it is a restored backup"
            )
        else:
            found = (
                f"the ledger (serial {identity.serial}) lacks entries that this machine has seen in it "
                f"(at serial {seen.serial}): it is a restored backup, or another copy of it was used"
            )
        return f"{found} and may not remember what was sent; {way_out(self.environment, identity.serial)}"

    def refuse_lack(self, ledger: Ledger) -> None:
        """Refuse a ledger that lacks what was seen in it.

        Raises:
            Refused: `ledger-restored`.
        """
        if lack := self.lack(ledger):
            raise Refused(lack, reason="ledger-restored")

    def seen(self, ledger: Ledger) -> Mark | None:
        """Return how far a ledger had come when it was seen last; None if that is not known."""
        if not self.kept or self.folder is None:
            return None
        try:
            with _file(self.folder, ledger).open("rb") as file:
                return Mark(**json.loads(file.read(LARGEST)))
        except (OSError, ValueError, TypeError):
            return None

    def note(self, ledger: Ledger) -> None:
        """Remember how far a ledger has come, unless another copy of it, which this one lacks, was seen meanwhile."""
        if not self.kept:
            return
        if self.folder is None:
            self._say("there is no home folder")
            return
        seen, mark = self.seen(ledger), ledger.mark()
        if mark == seen or (seen is not None and not ledger.goes_on_from(seen)):
            return
        try:
            _write(_file(self.folder, ledger), json.dumps(asdict(mark)))
        except OSError as error:
            self._say(error.strerror or "unknown reason")

    def _say(self, why: str) -> None:
        tell, self.tell = self.tell, _nobody
        tell(f"this machine cannot remember how far the ledger came ({why.lower()}): only a saved plan's serial does")


def _file(folder: Path, ledger: Ledger) -> Path:
    return folder / "serials" / ledger.identity.id


def _write(path: Path, text: str) -> None:
    path.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with new.open("x", encoding="ascii") as file:
            new.chmod(0o600)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
