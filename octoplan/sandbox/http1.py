"""HTTP/1.1 as far as a proxy needs it: where a message begins and ends, read from a stream."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from asyncio import StreamReader

LONGEST_HEAD = 65536
_FIRST_LINE = re.compile(rb"([A-Z]+) (\S+) HTTP/1\.([01])", re.ASCII)
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})\b", re.ASCII)
_LENGTH = re.compile(rb"[0-9]{1,15}", re.ASCII)
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\r\n]*)?\r\n", re.ASCII)
_END = b"\r\n\r\n"
_WITHOUT_BODY = (204, 304)
_FIRST_FINAL = 200


class NotHttp(ValueError):
    """What came is no HTTP/1.1 that can be followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A body as it came, and what it holds: the same, but where it came in chunks."""

    raw: bytes = b""
    content: bytes = b""


class Head:
    """The head of a request or a reply as it came."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        first, *lines = raw[: -len(_END)].split(b"\r\n")
        self.first = first
        self._fields: dict[bytes, list[bytes]] = {}
        for line in lines:
            name, _, value = line.partition(b":")
            self._fields.setdefault(name.lower(), []).append(value.strip())

    def field(self, name: bytes) -> bytes:
        """Give the values of a field, in small letters."""
        return b",".join(self._fields.get(name, ())).lower()

    @property
    def path(self) -> str:
        """The path a request asks for, without its query."""
        return unquote_to_bytes(self._request()[2].partition(b"?")[0]).decode("utf-8", "replace")

    @property
    def stays(self) -> bool:
        """Whether the connection may be used again after this message."""
        line = _FIRST_LINE.fullmatch(self.first)
        return not (b"close" in self.field(b"connection") or (line and line[3] == b"0"))

    @property
    def status(self) -> int:
        """The status of a reply. Raises NotHttp."""
        line = _STATUS_LINE.match(self.first)
        if not line:
            raise NotHttp(self.first[:20])
        return int(line[1])

    def _request(self) -> re.Match[bytes]:
        line = _FIRST_LINE.fullmatch(self.first)
        if not line:
            raise NotHttp(self.first[:20])
        return line

    @property
    def is_head(self) -> bool:
        """Whether a request asks for a head only."""
        return self._request()[1] == b"HEAD"


async def head(stream: StreamReader) -> Head | None:
    """Read a head; None where the stream ended before one began. Raises NotHttp."""
    try:
        return Head(await stream.readuntil(_END))
    except asyncio.IncompleteReadError as ended:
        if ended.partial:
            raise NotHttp("it ended within a head") from ended
        return None
    except asyncio.LimitOverrunError as long:
        raise NotHttp("the head is too long") from long


async def body(stream: StreamReader, about: Head, *, most: int | None = None) -> Body:
    """Read the body that belongs to a head, of one without chunks only `most` bytes. Raises NotHttp."""
    if b"chunked" in about.field(b"transfer-encoding"):
        return await _chunked(stream)
    length = about.field(b"content-length") or b"0"
    if not _LENGTH.fullmatch(length):
        raise NotHttp(length[:20])
    wanted = int(length) if most is None else min(int(length), most)
    raw = await stream.readexactly(wanted)
    return Body(raw=raw, content=raw)


async def _chunked(stream: StreamReader) -> Body:
    raw, content = bytearray(), bytearray()
    while True:
        line = await stream.readuntil(b"\r\n")
        size = _CHUNK_SIZE.fullmatch(line)
        if not size:
            raise NotHttp(line[:20])
        raw += line
        if int(size[1], 16) == 0:
            break
        chunk = await stream.readexactly(int(size[1], 16) + 2)
        raw += chunk
        content += chunk[:-2]
    while line != b"\r\n":  # what may follow the last chunk, up to a blank line
        line = await stream.readuntil(b"\r\n")
        raw += line
    return Body(raw=bytes(raw), content=bytes(content))


async def reply(stream: StreamReader, *, to_head: bool) -> tuple[Head, bytes]:
    """Read a reply, interim ones passed over: its head and all its bytes. Raises NotHttp, IncompleteReadError."""
    while True:
        about = await head(stream)
        if about is None:
            raise NotHttp("there is no reply")
        if about.status >= _FIRST_FINAL:
            break
    if to_head or about.status in _WITHOUT_BODY:
        return about, about.raw
    return about, about.raw + (await body(stream, about)).raw
