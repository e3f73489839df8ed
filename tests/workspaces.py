"""A project in a temporary folder, and octoplan run over it as a person would."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import pty
import re
import select
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from octoplan.cli import run
from octoplan.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIBRARY = ctypes.CDLL(None)
DROP = 24  # PR_CAPBSET_DROP of Linux

# Without merge fields a personal text is a call of its own: tests say which call meets what.
PROJECT = """\
version: 1
campaigns: campaigns/
defaults: {provider: octopush, sender: ACME, country: FR, timezone: Europe/Paris}
limits: {max_cost: 500 EUR, max_contacts: 5000, max_parts: 3, countries: [FR], senders: [ACME]}
providers:
  octopush: {login: "${OCTOPUSH_API_LOGIN}", key: "${OCTOPUSH_API_KEY}", prices: prices/octopush.yaml, quiet_time: 1s, \
merge_fields: never}
environments:
  rehearsal: {sandbox: true, ledger: {url: "sqlite:///rehearsal.db"}}
"""
PRICES = """\
currency: EUR
as_of: 2026-11-01
sample: true
sms_premium: {FR: 0.049, BE: 0.079}
sms_low_cost: {FR: 0.039}
surcharges: {opt_out_removal_per_request: 0.01, replies_per_part: 0.03}
"""
CAMPAIGN = """\
id: noel
channel: sms
purpose: transactional
audience: {file: ../audiences/list.csv}
message: {text: "ACME: bonjour {{ contact.first_name }}, code {{ contact.code }}."}
"""
HELD = """\
id: promo
channel: sms
purpose: transactional
audience: {list: clients}
message: {text: "ACME: votre magasin ouvre demain."}
limits: {max_cost: 2 EUR, max_contacts: 25}
allow: {provider-held: "the list was cleaned on Monday"}
"""
AUDIENCE = """\
phone_number,first_name,code
+33639980011,Zoe,1E5
+33639980012,Marc,0042
+33639980013,Ines,C3
"""


def sibling(name: str) -> str:
    """Return the usual campaign under another id, with a text of its own: else it would be a near duplicate."""
    return CAMPAIGN.replace("id: noel", f"id: {name}").replace("bonjour", f"{name}, bonjour")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run of octoplan ended."""

    code: int
    out: str
    err: str

    @property
    def flat(self) -> str:
        """The output as one line: where it wraps is no test's business but the golden files'."""
        return " ".join(self.out.split())


class Workspace:
    """A project; `served` is a sandbox that runs apart from octoplan, if there is one.

    `variables` are set for every run, over the usual credentials.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.served = ""
        self.variables: dict[str, str] = {}
        self.write("octoplan.yaml", PROJECT)
        self.write("prices/octopush.yaml", PRICES)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def usual(self) -> Workspace:
        self.write("campaigns/noel.yaml", CAMPAIGN)
        self.write("audiences/list.csv", AUDIENCE)
        return self

    def environ(self) -> dict[str, str]:
        return {
            "OCTOPUSH_API_LOGIN": "sandbox-team",
            "OCTOPUSH_API_KEY": "sandbox-key",
            "ROUTEE_APPLICATION_ID": "sandbox-team",
            "ROUTEE_APPLICATION_SECRET": "sandbox-secret",
            **({"OCTOPLAN_SANDBOX": self.served} if self.served else {}),
            **self.variables,
        }

    def run(self, *words: str, code: int | None = 0) -> Ended:
        """Run octoplan in this process; `code` is what it must end with, None for any."""
        out, err = io.StringIO(), io.StringIO()
        before = dict(os.environ)
        os.environ.update(self.environ())
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                ended = Ended(int(run(["-q", "-C", str(self.root), *words])), out.getvalue(), err.getvalue())
        finally:
            os.environ.clear()
            os.environ.update(before)
        ended = Ended(ended.code, out.getvalue(), err.getvalue())
        if code is not None:
            assert ended.code == code, f"{words}: {ended.code}\n{ended.out}\n{ended.err}"
        return ended

    def apply_only(self, *words: str) -> Ended:
        """Plan what the words select, in the sandbox, and apply that."""
        self.run("plan", *words, "--out", "only.zip")
        return self.run("apply", "only.zip")

    def start(self, *words: str, measured: bool = True, **how: Any) -> subprocess.Popen[str]:
        """Start octoplan as a process of its own; coverage cannot measure one that may not write files."""
        command = [sys.executable, "-m", "octoplan", "-q", "-C", str(self.root), *words]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        outer = dict(os.environ) if measured else unmeasured()
        return subprocess.Popen(command, env={**outer, **self.environ()}, **{**pipes, **how})

    def at_a_terminal(self, *words: str, answer: str) -> tuple[int, str]:
        """Run octoplan at a terminal, answer its question, and return exit code and what was seen."""
        primary, secondary = pty.openpty()
        command = [sys.executable, "-m", "octoplan", "-C", str(self.root), *words]
        environ = {**os.environ, **self.environ(), "TERM": "dumb"}
        with subprocess.Popen(command, stdin=secondary, stdout=secondary, stderr=secondary, env=environ) as process:
            os.close(secondary)
            seen, deadline = "", time.monotonic() + 30
            while time.monotonic() < deadline and select.select([primary], [], [], 30)[0]:
                try:
                    seen += os.read(primary, 4096).decode()
                except OSError:  # how Linux says that nobody holds the other end any more
                    break
                if seen.endswith("to send: "):
                    os.write(primary, f"{answer}\n".encode())
            code = process.wait(timeout=30)
        os.close(primary)
        return code, seen

    @contextlib.contextmanager
    def serving(self) -> Iterator[str]:
        """Serve the sandbox apart from octoplan, over the project's own state."""
        books = {path.stem: path for path in (self.root / "prices").glob("*.yaml")}
        with Sandbox(self.root / ".octoplan/sandbox.db", prices=books) as sandbox:
            self.served = sandbox.url
            yield sandbox.url
        self.served = ""

    def ask(self, path: str, **body: Any) -> Any:
        """Ask the sandbox; a body is posted."""
        if not self.served:
            with self.serving():
                return self.ask(path, **body)
        url = f"{self.served}/_sandbox/{path}"
        answer = httpx.post(url, json=body, trust_env=False) if body else httpx.get(url, trust_env=False)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def deliveries(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("deliveries?limit=100000")["deliveries"]
        return found

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = self.ask("deliveries/counts")
        return found


def without_power() -> None:
    """Let permissions bind the process that is started next, also where root runs the tests."""
    if os.geteuid() == 0:
        for capability in range(64):
            LIBRARY.prctl(DROP, capability, 0, 0, 0)


def unmeasured() -> dict[str, str]:
    """Return the environment of a process that coverage leaves alone."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


def tally(text: str) -> dict[str, int]:
    """Read the last line of an apply."""
    line = next(line for line in text.splitlines() if line.startswith("accepted "))
    found = re.findall(r"(accepted|rejected|in doubt|dropped|not started) ([\d,]+)", line)
    return {name: int(number.replace(",", "")) for name, number in found}
