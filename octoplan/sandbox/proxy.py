"""The faults of the wire: a small proxy before the application, which passes all else on as it came.

Every request goes to the application on a connection of its own. A reply is read whole before any of it is passed on.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from octoplan.sandbox import http1
from octoplan.sandbox.faults import WIRE
from octoplan.sandbox.http1 import LONGEST_HEAD, Body, Head, NotHttp
from octoplan.sandbox.schedule import Asked

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Awaitable, Callable, Mapping
    from types import TracebackType

    from octoplan.sandbox.faults import Fault
    from octoplan.sandbox.schedule import Schedule

GRACE_SECONDS = 5
_PIECE = 65536
_NOT_UNDERSTOOD = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_AT_ONCE = struct.pack("ii", 1, 0)
_BROKEN = (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError)


@dataclass(slots=True)
class _Client:
    """Somebody's connection to the sandbox."""

    reader: StreamReader
    writer: StreamWriter

    def __post_init__(self) -> None:
        self.writer.transport.set_write_buffer_limits(high=0)  # what was said is with the system, not waiting here

    async def say(self, content: bytes) -> None:
        self.writer.write(content)
        await self.writer.drain()

    async def gone(self) -> None:
        """Return once the client has closed; what it still says is not heard."""
        with suppress(ConnectionError):
            while await self.reader.read(_PIECE):
                pass

    def reset(self) -> None:
        """Break the connection so that the other side sees it broken, not closed."""
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.writer.transport.abort()


@dataclass(slots=True, kw_only=True)
class _Exchange:
    """A request under way, and how the application is asked."""

    client: _Client
    fault: Fault
    head: Head
    ask: Callable[[bytes], Awaitable[tuple[Head, bytes]]]
    body: Body | None

    def number(self, name: str) -> float:
        """Give a detail of the fault."""
        return float(self.fault.details[name])

    async def read(self) -> bytes:
        """Give the whole request as it came."""
        if self.body is None:
            self.body = await _body(self.client, self.head)
        return self.head.raw + self.body.raw

    async def accepted(self) -> bytes:
        """Have the application answer; give its reply."""
        _, reply = await self.ask(await self.read())
        return reply


class Proxy:
    """Listens where clients come, and asks the application at `upstream`, while the block lasts."""

    def __init__(self, listener: socket.socket, upstream: int, *, schedule: Schedule, base: str) -> None:
        self._listener = listener
        self._upstream = upstream
        self._schedule = schedule
        self._base = base
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, sock=self._listener, limit=LONGEST_HEAD)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the application answer what it was asked; whatever is held is dropped."""
        self._stopping = True
        self._server.close()
        for task in self._tasks - self._asking:
            task.cancel()
        if self._tasks:
            _, slow = await asyncio.wait(self._tasks, timeout=GRACE_SECONDS)
            for task in slow:
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  asyncio runs this as one
        self._tasks.add(task)
        client = _Client(reader, writer)
        try:
            while not self._stopping and await self._exchange(client):
                pass
        except NotHttp:
            with suppress(ConnectionError):
                await client.say(_NOT_UNDERSTOOD)
        except (*_BROKEN, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            await _closed(writer)

    async def _exchange(self, client: _Client) -> bool:
        """Take one request; say whether the connection may be used again."""
        head = await http1.head(client.reader)
        if head is None:
            return False
        path = head.path
        body, fault = None, None
        if path.startswith(self._base):
            endpoint = path.removeprefix(self._base).removeprefix("/")
            body = await _body(client, head) if self._schedule.reads_body(WIRE, endpoint) else None
            fault = self._schedule.strike(WIRE, Asked(endpoint=endpoint, content=body.content if body else b""))
        if fault is not None:
            exchange = _Exchange(client=client, fault=fault, head=head, ask=self._ask, body=body)
            return await STRIKES[fault.name](exchange)
        body = body or await _body(client, head)
        answered, reply = await self._ask(head.raw + body.raw, to_head=head.is_head)
        await client.say(reply)
        return head.stays and answered.stays

    async def _ask(self, request: bytes, *, to_head: bool = False) -> tuple[Head, bytes]:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  asyncio runs this as one
        self._asking.add(task)
        reader, writer = await asyncio.open_connection("127.0.0.1", self._upstream, limit=LONGEST_HEAD)
        try:
            writer.write(request)
            await writer.drain()
            return await http1.reply(reader, to_head=to_head)
        finally:
            self._asking.discard(task)
            await _closed(writer)


async def _body(client: _Client, head: Head, *, most: int | None = None) -> Body:
    if head.field(b"expect") == b"100-continue":
        await client.say(b"HTTP/1.1 100 Continue\r\n\r\n")
    return await http1.body(client.reader, head, most=most)


async def _closed(writer: StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError, OSError):
        await writer.wait_closed()


async def _refuse(exchange: _Exchange) -> bool:
    exchange.client.reset()
    return False


async def _reset_request(exchange: _Exchange) -> bool:
    if exchange.body is None:
        await _body(exchange.client, exchange.head, most=int(exchange.number("at")))
    exchange.client.reset()
    return False


async def _reset_reply(exchange: _Exchange) -> bool:
    reply = await exchange.accepted()
    await exchange.client.say(reply[: int(exchange.number("at"))])
    exchange.client.reset()
    return False


async def _lose_reply(exchange: _Exchange) -> bool:
    await exchange.accepted()
    return False


async def _hang(exchange: _Exchange) -> bool:
    await exchange.accepted()
    with suppress(TimeoutError):
        await asyncio.wait_for(exchange.client.gone(), exchange.number("seconds"))
    return False


async def _late(exchange: _Exchange) -> bool:
    request = await exchange.read()
    await exchange.client.gone()
    await asyncio.sleep(exchange.number("seconds"))
    await exchange.ask(request)
    return False


async def _truncate(exchange: _Exchange) -> bool:
    reply = await exchange.accepted()
    await exchange.client.say(reply[: max(len(reply) - int(exchange.number("lacks")), 0)])
    return False


async def _drip(exchange: _Exchange) -> bool:
    for byte in await exchange.accepted():
        await exchange.client.say(bytes([byte]))
        await asyncio.sleep(exchange.number("seconds"))
    return False


async def _informational(exchange: _Exchange) -> bool:
    head, reply = await exchange.ask(await exchange.read())
    interim = b"HTTP/1.1 %d Interim\r\nx-interim: yes\r\n\r\n" % exchange.fault.details["status"]
    await exchange.client.say(interim * exchange.fault.details["count"] + reply)
    return exchange.head.stays and head.stays


async def _garbage(exchange: _Exchange) -> bool:
    request = await exchange.read()
    if exchange.fault.details["acts"]:
        await exchange.ask(request)
    await exchange.client.say(b"\x15\x03\x01\x00\x02\x02\x28 this is no HTTP\n")
    return False


STRIKES: Mapping[str, Callable[[_Exchange], Awaitable[bool]]] = MappingProxyType(
    {
        "refuse": _refuse,
        "reset-request": _reset_request,
        "reset-reply": _reset_reply,
        "lose-reply": _lose_reply,
        "hang": _hang,
        "late": _late,
        "truncate": _truncate,
        "drip": _drip,
        "informational": _informational,
        "garbage": _garbage,
    }
)
"""What each fault of the wire does; the answer is whether the connection may be used again."""
