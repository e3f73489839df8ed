"""The faults of the wire: a small proxy before the application, which passes all else on as it came.

Every request goes to the application on a connection of its own. A reply is read whole before any of it is passed on.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from octoplan.sandbox import http1, imitations
from octoplan.sandbox.faults import WIRE
from octoplan.sandbox.http1 import LONGEST_HEAD, Body, Head, NotHttp
from octoplan.sandbox.listener import bound, port
from octoplan.sandbox.schedule import Asked

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from types import TracebackType

    from octoplan.sandbox.faults import Fault
    from octoplan.sandbox.schedule import Schedule

_GRACE_SECONDS = 1
_PIECE = 65536
_NOT_UNDERSTOOD = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_AT_ONCE = struct.pack("ii", 1, 0)
_BROKEN = (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError)


@dataclass(slots=True)
class _Client:
    """Somebody's connection to the sandbox; `busy` while the application is at work for it."""

    reader: StreamReader
    writer: StreamWriter
    busy: bool = False

    def __post_init__(self) -> None:
        self.writer.transport.set_write_buffer_limits(high=0)  # what was said is with the system, not waiting here

    @contextmanager
    def kept_busy(self) -> Iterator[None]:
        self.busy = True
        try:
            yield
        finally:
            self.busy = False

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
    """A request that is struck; `asks` the application, and `shuts` the door for some seconds."""

    client: _Client
    fault: Fault
    head: Head
    asks: Callable[[bytes], Awaitable[tuple[Head, bytes]]]
    shuts: Callable[[float], None]
    body: Body | None

    def number(self, name: str) -> float:
        """Give a detail of the fault."""
        return float(self.fault.details[name])

    async def read(self) -> bytes:
        """Give the whole request as it came."""
        if self.body is None:
            self.body = await _body(self.client, self.head)
        return self.head.raw + self.body.raw

    async def ask(self, request: bytes) -> tuple[Head, bytes]:
        """Have the application answer; give the head of its reply, and all of it."""
        with self.client.kept_busy():
            return await self.asks(request)

    async def accepted(self) -> bytes:
        """Have the application answer what was asked; give its reply."""
        _, reply = await self.ask(await self.read())
        return reply


class Proxy:
    """Listens where clients come, and asks the application at `upstream`, while the block lasts."""

    def __init__(self, listener: socket.socket, upstream: int, *, schedule: Schedule) -> None:
        self._listener = listener
        self._port = port(listener)
        self._upstream = upstream
        self._schedule = schedule
        self._clients: dict[asyncio.Task[None], _Client] = {}
        self._opening: asyncio.Task[None] | None = None
        self._stopping = False

    async def __aenter__(self) -> Self:
        await self._open(self._listener)
        return self

    async def _open(self, listener: socket.socket) -> None:
        self._server = await asyncio.start_server(self._take, sock=listener, limit=LONGEST_HEAD)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the application answer what it was asked; whatever is held is dropped."""
        self._stopping = True
        self._server.close()
        clients = dict(self._clients)
        idle = [task for task, client in clients.items() if not client.busy]
        for task in (*idle, *([self._opening] if self._opening else [])):
            task.cancel()
        if clients:
            _, slow = await asyncio.wait(clients, timeout=_GRACE_SECONDS)
            for task in slow:
                task.cancel()
        await asyncio.gather(*clients, *([self._opening] if self._opening else []), return_exceptions=True)
        for client in clients.values():
            client.writer.transport.abort()  # a task that never began has not closed it

    def _shut(self, seconds: float) -> None:
        """Refuse every connection for some seconds; those that are open go on."""
        if seconds and (self._opening is None or self._opening.done()):
            self._server.close()
            self._opening = asyncio.create_task(self._reopen(bound(self._port), seconds))

    async def _reopen(self, held: socket.socket, seconds: float) -> None:
        try:
            await asyncio.sleep(seconds)
            held.listen()
            await self._open(held)
        except asyncio.CancelledError:
            held.close()
            raise

    def _take(self, reader: StreamReader, writer: StreamWriter) -> None:
        client = _Client(reader, writer)
        task = asyncio.create_task(self._serve(client))
        self._clients[task] = client
        task.add_done_callback(self._clients.pop)

    async def _serve(self, client: _Client) -> None:
        try:
            while not self._stopping and await self._exchange(client):
                pass
        except NotHttp:
            with suppress(ConnectionError):
                await client.say(_NOT_UNDERSTOOD)
        except asyncio.CancelledError:
            client.writer.transport.abort()  # whoever does not read what waits for them must not hold up the end
        except _BROKEN:
            pass
        finally:
            await _closed(client.writer)

    async def _exchange(self, client: _Client) -> bool:
        """Take one request; say whether the connection may be used again."""
        head = await http1.head(client.reader)
        if head is None:
            return False
        endpoint = imitations.below(head.path)
        body, fault = None, None
        if endpoint is not None:
            body = await _body(client, head) if self._schedule.reads_body(WIRE, endpoint) else None
            fault = self._schedule.strike(WIRE, Asked(endpoint=endpoint, content=body.content if body else b""))
        if fault is not None:
            exchange = _Exchange(client=client, fault=fault, head=head, asks=self._ask, shuts=self._shut, body=body)
            return await STRIKES[fault.name](exchange)
        body = body or await _body(client, head)
        with client.kept_busy():
            answered, reply = await self._ask(head.raw + body.raw, to_head=head.is_head)
            await client.say(reply)
        return head.stays and answered.stays

    async def _ask(self, request: bytes, *, to_head: bool = False) -> tuple[Head, bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._upstream, limit=LONGEST_HEAD)
        try:
            writer.write(request)
            await writer.drain()
            return await http1.reply(reader, to_head=to_head)
        finally:
            await _closed(writer)


async def _body(client: _Client, head: Head, *, most: int | None = None) -> Body:
    if head.field(b"expect") == b"100-continue":
        await client.say(b"HTTP/1.1 100 Continue\r\n\r\n")
    return await http1.body(client.reader, head, most=most)


async def _closed(writer: StreamWriter) -> None:
    writer.close()
    try:
        await writer.wait_closed()
    except OSError:
        pass
    except asyncio.CancelledError:
        writer.transport.abort()
        raise


async def _refuse(exchange: _Exchange) -> bool:
    exchange.client.reset()
    exchange.shuts(exchange.number("seconds"))
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
