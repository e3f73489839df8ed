"""Parts against a packer that shares nothing with the product: it packs one character after another."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from octoplan.core.parts import BASIC, EXTENSION, measure

ONE_SEPTET = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
TWO_SEPTETS = frozenset("\f^{}\\[~]|€")


def slowly(text: str) -> tuple[str, int, int]:
    """Return encoding, units and parts, character by character."""
    if all(char in ONE_SEPTET or char in TWO_SEPTETS for char in text):
        encoding, alone, room = "gsm7", 160, 153
        sizes = [2 if char in TWO_SEPTETS else 1 for char in text]
    else:
        encoding, alone, room = "ucs2", 70, 67
        sizes = [2 if ord(char) > 0xFFFF else 1 for char in text]
    if sum(sizes) <= alone:
        return encoding, sum(sizes), 1
    parts, left = 1, room
    for size in sizes:
        if size > left:
            parts, left = parts + 1, room
        left -= size
    return encoding, sum(sizes), parts


def pieces(*chars: str) -> st.SearchStrategy[str]:
    """Texts of a few runs of one character, so that pairs meet the borders of parts."""
    run = st.tuples(st.sampled_from(chars), st.integers(1, 170)).map(lambda pair: pair[0] * pair[1])
    return st.lists(run, max_size=6).map("".join)


@given(pieces("a", "é", "€", "{", "\n"))
@example("a" * 152 + "€" + "a" * 152)
@example("€" * 80)
@example("a" * 151 + "€" * 5)
def test_septets(text: str) -> None:
    found = measure(text)
    assert (found.encoding, found.units, found.parts) == slowly(text)


@given(pieces("x", "ç", "😀", "€", "\0"))
@example("x" * 66 + "😀" + "x" * 66)
@example("😀" * 35)
def test_utf16_units(text: str) -> None:
    found = measure(text)
    assert (found.encoding, found.units, found.parts) == slowly(text)


def test_tables_are_those_of_the_standard() -> None:
    assert set(BASIC) == ONE_SEPTET
    assert len(BASIC) == len(ONE_SEPTET) == 127
    assert set(EXTENSION) == TWO_SEPTETS
