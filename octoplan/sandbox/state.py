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

from octoplan.sandbox import campaigns, cancels, drafts, file, members, prices, tokens
from octoplan.sandbox.imitations import PROVIDERS, failure
from octoplan.sandbox.prices import Prices
from octoplan.sandbox.schedule import Schedule
from octoplan.sandbox.switches import Settings
from octoplan.sandbox.world import World, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from octoplan.sandbox.lists import Lists
    from octoplan.sandbox.switch import Value
    from octoplan.sandbox.world import Call, Message, Verdict

    Judge = Callable[[Call, World], Verdict]

_TABLES = (
    *("messages", "requests", "request_ids", "cancels", "blacklist", "account", "balances"),
    *("lists", "members", "drafts", "tokens", "campaigns"),
)
_REMEMBERED = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class _Waiting:
    call: Call
    judge: Judge
    answered: asyncio.Future[Verdict]


class State:
    """The open state file. All methods but `close` belong to the server's thread.

    `books` are the price books, by provider. `faults` are no part of the file: each process has its own, and loses
    them when it ends.
    """

    def __init__(
        self,
        path: Path,
        *,
        books: Mapping[str, Prices],
        switches: Mapping[str, Value],
        faults: Schedule | None = None,
        lists: Lists | None = None,
    ) -> None:
        self.path = path
        self.faults = faults or Schedule(wire=False)
        self._books = {provider: books.get(provider) or Prices() for provider in PROVIDERS}
        self._given = dict(switches)
        self._lists = lists or {}
        self._waiting: list[_Waiting] = []
        self._version = -1
        self._balances: dict[str, Decimal] = {}
        self._delivered = 0
        self._ahead = timedelta(0)
        self._settings = Settings({})
        self._blacklist: set[str] = set()
        self._connection = file.opened(path)
        with self._transaction():
            if not self._connection.execute("SELECT 1 FROM account").fetchone():
                self._begin_account()
            self._begin_balances()
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
            said = f"sandbox: cannot record: {error!r}"
            verdicts = [verdict(500, failure(one.call.provider, said), outcome="failed") for one in group]
        for waiting, decided in zip(group, verdicts, strict=True):
            if not waiting.answered.done():
                waiting.answered.set_result(decided)

    def _judge_all(self, group: list[_Waiting]) -> list[Verdict]:
        self._refresh()
        now = self.now()
        self._compute(now)
        burned: dict[str, float] = {}
        messages: list[Message] = []
        verdicts: list[Verdict] = []
        worlds = {provider: self._world(provider, now) for provider in {waiting.call.provider for waiting in group}}
        for waiting in group:
            world = worlds[waiting.call.provider]
            world.remembers = lambda request_id: request_id in burned or self._remembers(request_id, now)
            decided = waiting.judge(waiting.call, world)
            verdicts.append(decided)
            if decided.message:
                world.balance -= decided.message.cost
                messages.append(decided.message)
            if decided.burns:
                burned[decided.burns] = now.timestamp()
            if decided.cancels or decided.draft or decided.campaign:  # whoever comes next in the group must see it
                self._delivered = file.deliver(self._connection, messages, first=self._delivered)
                messages.clear()
            world.balance += self._cancel(waiting.call, decided, now=now)
            self._keep(decided, now=now)
        answered = zip((waiting.call for waiting in group), verdicts, strict=True)
        file.record(self._connection, answered, now=now)
        self._remember(burned)
        self._delivered = file.deliver(self._connection, messages, first=self._delivered)
        if any(decided.message or decided.cancels for decided in verdicts):
            self._store(delivered=self._delivered)
            for provider, world in worlds.items():
                self._store_balance(provider, world.balance)
        return verdicts

    def _world(self, provider: str, now: datetime) -> World:
        connection = self._connection
        return World(
            settings=self._settings,
            prices=self._books[provider],
            now=now,
            balance=self._balances[provider],
            blacklist=self._blacklist,
            remembers=lambda _: False,
            known=lambda ticket: cancels.known(connection, ticket, provider=provider),
            cancels=lambda login: cancels.calls(connection, login, now=now),
            draft=lambda ticket: drafts.known(connection, ticket),
            exists=lambda kind, name: members.exists(connection, kind, name=name),
            members=lambda draft: members.of(connection, draft, blacklist=self._blacklist),
            token=lambda digest: tokens.known(connection, digest),
            listed=lambda kind, name: members.addresses(connection, kind, name=name),
            campaign=lambda ticket: campaigns.known(connection, ticket),
            campaigns=lambda name: campaigns.accepted(connection, name),
            named=lambda name: campaigns.named(connection, name),
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

    def _keep(self, decided: Verdict, *, now: datetime) -> None:
        """Keep what a verdict says of tokens, campaigns, drafts and lists, at once."""
        if decided.token:
            tokens.keep(self._connection, decided.token, now=now)
        if decided.campaign:
            campaigns.keep(self._connection, decided.campaign)
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

    def set_balance(self, balance: Decimal, *, provider: str = "octopush") -> None:
        """Set the balance at a provider."""
        with self._transaction():
            self._refresh()
            self._store_balance(provider, balance)

    def balance(self, provider: str = "octopush") -> Decimal:
        """Give the balance at a provider."""
        self._refresh()
        return self._balances[provider]

    def currency(self, provider: str = "octopush") -> str:
        """Give the currency of a provider's price book."""
        return self._books[provider].currency

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
        """Count the contacts of every list, tag, group and contact id."""
        return members.counts(self._connection)

    def set_lists(self, lists: Lists) -> None:
        """Fill lists, tags, groups and contact ids; the others stay. Drafts that are due are computed before."""
        with self._transaction():
            self._refresh()
            self._compute()
            members.replace(self._connection, lists)

    def reset(self) -> None:
        """Empty everything: messages, requests, ids, drafts, campaigns, tokens, blacklist, faults.

        Clock, balances, switches and what lists hold are as at first.
        """
        self.faults.clear()
        with self._transaction():
            for table in _TABLES:
                self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 - own names
            self._begin_account()
            self._begin_balances()
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
        first = (0, 0.0, orjson.dumps(self._given).decode())
        self._connection.execute("INSERT INTO account (delivered, ahead, switches) VALUES (?, ?, ?)", first)

    def _begin_balances(self) -> None:
        first = Settings(self._given).text("initial_balance")
        self._connection.executemany(
            "INSERT OR IGNORE INTO balances VALUES (?, ?)", ((provider, first) for provider in PROVIDERS)
        )

    def _refresh(self) -> None:
        """Read again what another process may have changed; one pragma when none has."""
        if self._data_version() != self._version:
            self._load()

    def _data_version(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def _load(self) -> None:
        self._version = self._data_version()
        delivered, ahead, switches = self._connection.execute(
            "SELECT delivered, ahead, switches FROM account"
        ).fetchone()
        balances = self._connection.execute("SELECT provider, balance FROM balances")
        self._balances = {provider: Decimal(balance) for provider, balance in balances}
        self._delivered = int(delivered)
        self._ahead = timedelta(seconds=ahead)
        self._settings = Settings(orjson.loads(switches))
        self._blacklist = {address for (address,) in self._connection.execute("SELECT address FROM blacklist")}

    def _store_switches(self, changed: Mapping[str, Value]) -> None:
        self._settings = Settings(changed)
        self._store(switches=orjson.dumps(changed).decode())

    def _store_balance(self, provider: str, balance: Decimal) -> None:
        self._balances[provider] = balance
        self._connection.execute(
            "UPDATE balances SET balance = ? WHERE provider = ?", (prices.literal(balance), provider)
        )

    def _store(self, **columns: str | float) -> None:
        assignments = ", ".join(f"{name} = ?" for name in columns)
        self._connection.execute(f"UPDATE account SET {assignments}", tuple(columns.values()))  # noqa: S608 - own names
