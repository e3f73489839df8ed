"""How long a recording lasts, whoever wrote its header."""

from __future__ import annotations

import pytest
from recordings import A_LAW, ADPCM, EXTENSIBLE, FLOAT, chunk, form, riff, written

from octoplan.core.recording import NoWave, seconds


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (written(1), 1),
        (written(8000), 1),
        (written(8001), 2),
        (written(441_000, channels=2, rate=44_100), 10),
        (written(16_000, width=1), 2),
        (riff(form(A_LAW, frame=1), chunk(b"data", bytes(12_000))), 2),
        (riff(form(FLOAT, frame=4), chunk(b"data", bytes(32_000))), 1),
        (riff(form(EXTENSIBLE), chunk(b"data", bytes(32_000))), 2),
        (riff(form(ADPCM, frame=256, each_second=4000), chunk(b"data", bytes(8000))), 2),
        (riff(chunk(b"LIST", b"odd"), form(), chunk(b"fact", b"1234"), chunk(b"data", bytes(160_000))), 10),
        (riff(form(), chunk(b"data", bytes(16_000)), chunk(b"LIST", b"x"), chunk(b"LIST", b"y")), 1),
        (riff(form(), chunk(b"data", bytes(16_000), size=0xFFFFFFFF)), 1),
        (riff(form(), chunk(b"data", bytes(16_000))) + b"tail", 1),
        (riff(form(), chunk(b"data", bytes(16_001))), 2),
    ],
)
def test_a_begun_second_is_a_second(content: bytes, expected: int) -> None:
    assert seconds(content) == expected


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is not RIFF/WAVE"),
        (b"RIFF\0\0\0\0WAV", "is not RIFF/WAVE"),
        (b"ID3\x04" + bytes(100), "is not RIFF/WAVE"),
        (b"RIFX" + riff(form())[4:], "is not RIFF/WAVE"),
        (riff().replace(b"WAVE", b"AVI "), "is not RIFF/WAVE"),
        (b"<!doctype html><title>404</title>", "is not RIFF/WAVE"),
        (riff(), "says no format"),
        (riff(chunk(b"data", bytes(10))), "says no format"),
        (riff(chunk(b"fmt ", bytes(13)), chunk(b"data", bytes(10))), "says no format"),
        (riff(form()), "holds no sound"),
        (riff(form(), chunk(b"data", b"")), "holds no sound"),
        (riff(form(), chunk(b"LIST", b"", size=0xFFFFFFFF) + chunk(b"data", bytes(9))), "holds no sound"),
        (riff(form(), chunk(b"data", b"ab"), chunk(b"data", b"ab")), "holds more than one sound"),
        (riff(form(), form(rate=1), chunk(b"data", b"ab")), "holds more than one sound"),
        (riff(form(each_second=0), chunk(b"data", b"ab")), "contradicts itself in how many bytes a second has"),
        (riff(form(each_second=10**9), chunk(b"data", b"ab")), "contradicts itself in how many bytes a second has"),
        (riff(form(ADPCM, each_second=0), chunk(b"data", b"ab")), "contradicts itself in how many bytes a second has"),
    ],
)
def test_what_cannot_be_timed_is_no_recording(content: bytes, why: str) -> None:
    with pytest.raises(NoWave, match=why):
        seconds(content)


def test_a_cut_file_never_breaks_the_reader() -> None:
    whole = riff(chunk(b"LIST", b"abc"), form(), chunk(b"data", bytes(64)))
    for length in range(len(whole)):
        try:
            assert seconds(whole[:length]) == 1
        except NoWave:
            continue
