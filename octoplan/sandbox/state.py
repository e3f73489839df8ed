"""The sandbox's memory: one SQLite file, which several processes may share.

Calls that wait at the same moment share one commit, and their answers leave after it. A commit is handed to
the operating system but not forced to the disk (`synchronous=OFF`): killing the process loses nothing that
was answered, a power cut may. The rollback journal is used because WAL had a corruption bug up to 3.51.2.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import orjson

from octoplan.sandbox import cancels, drafts, file, members, prices
from octoplan.sandbox.schedule import Schedule
from octoplan.sandbox.switches import Settings
from octoplan.sandbox.world import World, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from octoplan.sandbox.lists import Lists
    from octoplan.sandbox.prices import Prices
    from octoplan.sandbox.switches import Value
    from octoplan.sandbox.world import Call, Message, Verdict

    Judge = Callable[[Call, World], Verdict]

_TABLES = (
    *("messages", "requests", "request_ids", "cancels", "blacklist", "account"),
    *("lists", "members", "drafts"),
)
_REMEMBERED = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class _Waiting:
    call: Call
    judge: Judge
    answered: asyncio.Future[Verdict]


class State:
    """The open state file. All methods but `close` belong to the server's thread.

    `faults` are no part of the file: each process has its own, and loses them when it ends.
    """

    def __init__(
        self,
        path: Path,
        *,
        book: Prices,
        switches: Mapping[str, Value],
        faults: Schedule | None = None,
        lists: Lists | None = None,
    ) -> None:
        self.path = path
        self.faults = faults or Schedule(wire=False)
        self.currency = book.currency
        self._prices = book
        self._given = dict(switches)
        self._lists = lists or {}
        self._waiting: list[_Waiting] = []
        self._version = -1
        self._balance = Decimal(0)
        self._delivered = 0
        self._ahead = timedelta(0)
        self._settings = Settings({})
        self._blacklist: set[str] = set()
        self._connection = file.opened(path)
        with self._transaction():
            if not self._connection.execute("SELECT 1 FROM account").fetchone():
                self._begin_account()
            self._load()
            self._store_switches({**self._settings.changed, **self._given})
            self._compute()
            members.replace(self._connection, self._lists)

    def close(self) -> None:
        """Close the file; nothing is lost, for nothing answered is unwritten."""
        self._connection.close()

    # -- calls of a provider ---------------------------------------------------------------------------------------

    async def decide(self, call: Call, judge: Judge) -> Verdict:
        """Have `judge` look at the world, and answer once its verdict is written."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(call, judge, loop.create_future())
        self._waiting.append(waiting)
        if len(self._waiting) == 1:
            loop.call_soon(self._decide_all)
        return await waiting.answered

    def _decide_all(self) -> None:
        group, self._waiting = self._waiting, []
        try:
            with self._transaction():
                verdicts = self._judge_all(group)
        except Exception as error:  # noqa: BLE001 - a full disk or our own bug: nobody may wait for ever
            failed = verdict(500, {"code": 500, "message": f"sandbox: cannot record: {error!r}"}, outcome="failed")
            verdicts = [failed] * len(group)
        for waiting, decided in zip(group, verdicts, strict=True):
            if not waiting.answered.done():
                waiting.answered.set_result(decided)

    def _judge_all(self, group: list[_Waiting]) -> list[Verdict]:
        self._refresh()
        world = self._world()
        self._compute(world.now)
        burned: dict[str, float] = {}
        messages: list[Message] = []
        verdicts: list[Verdict] = []
        world.remembers = lambda request_id: request_id in burned or self._remembers(request_id, world.now)
        for waiting in group:
            decided = waiting.judge(waiting.call, world)
            verdicts.append(decided)
            if decided.message:
                world.balance -= decided.message.cost
                messages.append(decided.message)
            if decided.burns:
                burned[decided.burns] = world.now.timestamp()
            if decided.cancels or decided.draft:  # whoever comes next in the group must see it
                self._delivered = file.deliver(self._connection, messages, first=self._delivered)
                messages.clear()
            world.balance += self._cancel(waiting.call, decided, now=world.now)
            self._prepare(decided, now=world.now)
        answered = zip((waiting.call for waiting in group), verdicts, strict=True)
        file.record(self._connection, answered, now=world.now)
        self._remember(burned)
        self._delivered = file.deliver(self._connection, messages, first=self._delivered)
        if any(decided.message or decided.cancels for decided in verdicts):
            self._balance = world.balance
            self._store(balance=prices.literal(world.balance), delivered=self._delivered)
        return verdicts

    def _world(self) -> World:
        return World(
            settings=self._settings,
            prices=self._prices,
            now=self.now(),
            balance=self._balance,
            blacklist=self._blacklist,
            remembers=lambda _: False,
            known=lambda ticket: cancels.known(self._connection, ticket),
            cancels=lambda login: cancels.calls(self._connection, login, now=self.now()),
            draft=lambda ticket: drafts.known(self._connection, ticket),
            exists=lambda kind, name: members.exists(self._connection, kind, name=name),
            members=lambda draft: members.of(self._connection, draft, blacklist=self._blacklist),
        )

    def _remembers(self, request_id: str, now: datetime) -> bool:
        row = self._connection.execute("SELECT at FROM request_ids WHERE request_id = ?", (request_id,)).fetchone()
        return row is not None and now.timestamp() - row[0] < _REMEMBERED.total_seconds()

    def _remember(self, burned: Mapping[str, float]) -> None:
        self._connection.executemany("INSERT OR REPLACE INTO request_ids VALUES (?, ?)", burned.items())

    def _cancel(self, call: Call, decided: Verdict, *, now: datetime) -> Decimal:
        """Do what a verdict says of cancels, at once, so that the next in the group sees it; return the refund."""
        if decided.counts:
            cancels.count(self._connection, call.login, now=now)
        if not decided.cancels:
            return Decimal(0)
        refund = self._settings.on("cancel_refunds")
        fewer, given_back = cancels.cancel(self._connection, decided.cancels, at=file.written(now), refund=refund)
        self._delivered -= fewer
        return given_back

    def _prepare(self, decided: Verdict, *, now: datetime) -> None:
        """Keep what a verdict says of drafts and lists, at once."""
        if decided.draft:
            drafts.keep(self._connection, decided.draft)
            self._compute(now)
        if decided.stores:
            members.add(self._connection, decided.stores.contacts, kind="list", name=decided.stores.name)

    def _compute(self, now: datetime | None = None) -> None:
        drafts.compute(self._connection, now=now or self.now(), blacklist=self._blacklist)

    # -- control ---------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Give the sandbox's own time, as far as this process knows it."""
        return datetime.now(UTC) + self._ahead

    def settings(self) -> Settings:
        """Give the switches as they are set."""
        self._refresh()
        return self._settings

    def ahead(self) -> timedelta:
        """Give how far the sandbox's time is ahead of the machine's."""
        self._refresh()
        return self._ahead

    def advance(self, by: timedelta) -> None:
        """Move the clock forward."""
        with self._transaction():
            self._refresh()
            self._ahead += by
            self._store(ahead=self._ahead.total_seconds())

    def set_switches(self, changes: Mapping[str, Value]) -> None:
        """Turn switches; they stay turned until `reset`."""
        with self._transaction():
            self._refresh()
            self._store_switches({**self._settings.changed, **changes})

    def set_balance(self, balance: Decimal) -> None:
        """Set the account's balance."""
        with self._transaction():
            self._refresh()
            self._balance = balance
            self._store(balance=prices.literal(balance))

    def balance(self) -> Decimal:
        """Give the account's balance."""
        self._refresh()
        return self._balance

    def blacklisted(self) -> list[str]:
        """List the addresses that have opted out."""
        self._refresh()
        return sorted(self._blacklist)

    def blacklist(self, addresses: tuple[str, ...]) -> None:
        """Add addresses that have opted out."""
        with self._transaction():
            self._refresh()
            self._compute()
            self._connection.executemany("INSERT OR IGNORE INTO blacklist VALUES (?)", ((a,) for a in addresses))
            self._blacklist |= set(addresses)

    def lists(self) -> dict[str, dict[str, int]]:
        """Count the contacts of every list and tag."""
        return members.counts(self._connection)

    def set_lists(self, lists: Lists) -> None:
        """Fill lists and tags; the others stay. Drafts that are due are computed before."""
        with self._transaction():
            self._refresh()
            self._compute()
            members.replace(self._connection, lists)

    def reset(self) -> None:
        """Empty everything: messages, requests, ids, drafts, blacklist, faults.

        Clock, balance, switches, lists and tags are as at first.
        """
        self.faults.clear()
        with self._transaction():
            for table in _TABLES:
                self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 - own names
            self._begin_account()
            self._load()
            members.replace(self._connection, self._lists)

    # -- the file --------------------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            self._version = -1
            raise

    def _begin_account(self) -> None:
        settings = Settings(self._given)
        switches = orjson.dumps(settings.changed).decode()
        first = (settings.text("initial_balance"), 0, 0.0, switches)
        self._connection.execute("INSERT INTO account (balance, delivered, ahead, switches) VALUES (?, ?, ?, ?)", first)

    def _refresh(self) -> None:
        """Read again what another process may have changed; one pragma when none has."""
        if self._data_version() != self._version:
            self._load()

    def _data_version(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def _load(self) -> None:
        self._version = self._data_version()
        balance, delivered, ahead, switches = self._connection.execute(
            "SELECT balance, delivered, ahead, switches FROM account"
        ).fetchone()
        self._balance = Decimal(balance)
        self._delivered = int(delivered)
        self._ahead = timedelta(seconds=ahead)
        self._settings = Settings(orjson.loads(switches))
        self._blacklist = {address for (address,) in self._connection.execute("SELECT address FROM blacklist")}

    def _store_switches(self, changed: Mapping[str, Value]) -> None:
        self._settings = Settings(changed)
        self._store(switches=orjson.dumps(changed).decode())

    def _store(self, **columns: str | float) -> None:
        assignments = ", ".join(f"{name} = ?" for name in columns)
        self._connection.execute(f"UPDATE account SET {assignments}", tuple(columns.values()))  # noqa: S608 - own names
