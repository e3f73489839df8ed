"""However a recording is written, its length is that of its sound; whatever its bytes, reading them ends."""

from __future__ import annotations

import math
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st
from recordings import chunk, form, riff, written

from octoplan.core.recording import NoWave, seconds

WHOLE = riff(chunk(b"LIST", b"abc"), form(), chunk(b"data", bytes(64)), chunk(b"id3 ", b"x"))
PIECES = st.sampled_from([b"RIFF", b"WAVE", b"fmt ", b"data", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x10\0\0\0", form()])


@settings(deadline=None)
@given(
    frames=st.integers(1, 20_000),
    channels=st.integers(1, 2),
    width=st.integers(1, 4),
    rate=st.sampled_from([1, 7, 8000, 11_025, 44_100, 192_000]),
)
def test_a_recording_lasts_as_long_as_its_frames(frames: int, channels: int, width: int, rate: int) -> None:
    assert seconds(written(frames, channels=channels, width=width, rate=rate)) == math.ceil(frames / rate)


@given(
    st.one_of(
        st.binary(max_size=80).map(lambda tail: WHOLE[:12] + tail),
        st.lists(PIECES, max_size=8).map(lambda pieces: WHOLE[:12] + b"".join(pieces)),
        st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)).map(
            lambda at: WHOLE[: at[0]] + bytes([at[1]]) + WHOLE[at[0] + 1 :]
        ),
    )
)
def test_whatever_the_bytes_reading_them_ends(content: bytes) -> None:
    with suppress(NoWave):
        assert seconds(content) >= 1
