"""A recording that is played to everybody: how long it lasts, which is what its calls are billed by.

WAVE is a list of chunks in a RIFF form (Multimedia Programming Interface and Data Specifications 1.0, 1991).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from octoplan.core.model import Finding

_HEAD = struct.Struct("<4sI4s")
_CHUNK = struct.Struct("<4sI")
_FORMAT = struct.Struct("<H2xIIH")
"""The format's code, frames a second, bytes a second, bytes a frame."""

_UNCOMPRESSED = (0x0001, 0x0003, 0x0006, 0x0007, 0xFFFE)
"""PCM, floating point, A-law, mu-law, extensible: of these the header says twice how many bytes a second has."""


ASSUMED = 30
"""Seconds that a recording is counted as while nobody has read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What is known of a recording: `seconds` is 0 until it was read, `findings` is what reading it showed."""

    seconds: int = 0
    findings: tuple[Finding, ...] = ()


class NoWave(Exception):
    """It is no recording that can be timed; what is wrong continues "the file"."""


def seconds(content: bytes) -> int:
    """Return the whole seconds that a WAVE file lasts, a begun one too.

    Raises:
        NoWave: it is none, holds no sound, or contradicts itself.
    """
    chunks = _chunks(memoryview(content))
    form, sound = (chunks.get(name, memoryview(b"")) for name in (b"fmt ", b"data"))
    if len(form) < _FORMAT.size or not sound:
        raise NoWave("says no format" if len(form) < _FORMAT.size else "holds no sound")
    code, rate, each_second, frame = _FORMAT.unpack_from(form)
    if not each_second or (code in _UNCOMPRESSED and each_second != rate * frame):
        raise NoWave("contradicts itself in how many bytes a second has")
    return -(-len(sound) // int(each_second))


def _chunks(content: memoryview) -> dict[bytes, memoryview]:
    """Return the chunks by name; the last one may be cut short, as by a writer that did not know its length."""
    if len(content) < _HEAD.size or _HEAD.unpack_from(content)[::2] != (b"RIFF", b"WAVE"):
        raise NoWave("is not RIFF/WAVE")
    found: dict[bytes, memoryview] = {}
    start = _HEAD.size
    while start + _CHUNK.size <= len(content):
        name, size = _CHUNK.unpack_from(content, start)
        start += _CHUNK.size
        if name in found and name in (b"fmt ", b"data"):
            raise NoWave("holds more than one sound")
        found[name] = content[start : start + size]
        start += size + size % 2
    return found
