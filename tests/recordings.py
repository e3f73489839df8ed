"""Recordings for tests: WAVE files, whole or with anything wrong in their header."""

from __future__ import annotations

import io
import struct
import wave

PCM, FLOAT, A_LAW, ADPCM, EXTENSIBLE = 1, 3, 6, 17, 0xFFFE


def chunk(name: bytes, content: bytes, size: int | None = None) -> bytes:
    padding = b"\0" * (len(content) % 2)
    return name + struct.pack("<I", len(content) if size is None else size) + content + padding


def form(code: int = PCM, *, rate: int = 8000, frame: int = 2, each_second: int | None = None) -> bytes:
    per = rate * frame if each_second is None else each_second
    return chunk(b"fmt ", struct.pack("<HHIIHH", code, 1, rate, per, frame, 16))


def riff(*chunks: bytes) -> bytes:
    content = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(content)) + content


def written(frames: int, *, channels: int = 1, width: int = 2, rate: int = 8000) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(bytes(frames * channels * width))
    return buffer.getvalue()
