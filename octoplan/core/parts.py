"""SMS parts: exact packing in GSM-7 and UCS-2, and plain forms for what GSM-7 does not have.

Facts: 3GPP TS 23.038 (the tables) and TS 23.040 (the concatenation header). Alone, a message holds 160
septets or 70 UTF-16 units; of each part of a longer one 153 or 67 are left, and neither an escape
pair nor a surrogate pair may be divided between two parts.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

GSM7, UCS2 = "gsm7", "ucs2"

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The 127 characters of one septet, without the escape."""

EXTENSION = "\f^{}\\[~]|€"
"""The characters of two septets."""

_ONE, _MANY = 160, 153
_ONE_WIDE, _MANY_WIDE = 70, 67
_LEAD = range(0xD8, 0xDC)
"""High bytes of a surrogate pair's first unit."""

_CODES = codecs.charmap_build("\0" + BASIC + EXTENSION + "\ufffe" * (255 - len(BASIC) - len(EXTENSION)))
"""One byte a character, ASCII where it takes one septet; NUL is only there because the codec wants it."""
_EXTENSION_CODES = bytes(range(0x80, 0x100))
_EXTENDED = re.compile(rb"[\x80-\xff]")
_OUTSIDE = re.compile(f"[^{re.escape(BASIC + EXTENSION)}]")
_PLAIN_FORMS: Mapping[str, str] = {
    **dict.fromkeys("«»“”„‟″", '"'),
    **dict.fromkeys("‘’‚‛′`´", "'"),  # noqa: RUF001 - quotation marks to replace
    **dict.fromkeys("‐‑‒–—―−", "-"),  # noqa: RUF001 - dashes to replace
    **dict.fromkeys("•·", "-"),
    "…": "...",
    "œ": "oe",
    "Œ": "OE",
    "ł": "l",
    "Ł": "L",
    "đ": "d",
    "Đ": "D",
    "ı": "i",  # noqa: RUF001 - a letter to replace
    "‹": "<",
    "›": ">",
    "×": "x",  # noqa: RUF001 - a sign to replace
    "⁄": "/",  # noqa: RUF001 - a sign to replace
}


class Parts(NamedTuple):
    """What one text takes: `units` are septets or UTF-16 units."""

    encoding: str
    units: int
    parts: int


def measure(text: str) -> Parts:
    """Return encoding, units and parts of a text; an empty one takes a part, too."""
    coded = _coded(text)
    if coded is None:
        return _measure_wide(text)
    if coded.isascii():
        return Parts(GSM7, len(coded), basic_parts(len(coded)))
    count = 2 * len(coded) - len(coded.translate(None, _EXTENSION_CODES))
    if count <= _ONE:
        return Parts(GSM7, count, 1)
    septets = _EXTENDED.sub(b"\0\\g<0>", coded)
    return Parts(GSM7, count, _packed(count, _MANY, opens_pair=lambda unit: septets[unit] == 0))


def basic_parts(length: int) -> int:
    """Return the parts of a text of one-septet characters."""
    return 1 if length <= _ONE else -(-length // _MANY)


def is_basic(text: str) -> bool:
    """Tell whether every character takes one septet."""
    coded = _coded(text)
    return coded is not None and coded.isascii()


def outside_gsm7(text: str) -> tuple[str, ...]:
    """Return the distinct characters that GSM-7 does not have, in order of appearance."""
    return tuple(dict.fromkeys(_OUTSIDE.findall(text)))


def replace(text: str) -> tuple[str, dict[str, int]]:
    """Return a text with the plain forms GSM-7 has, and how often each stands for what (`ç→c`).

    What has no plain form stays. No line break comes or goes.
    """
    if _coded(text) is not None:
        return text, {}
    text = unicodedata.normalize("NFC", text)
    counts: dict[str, int] = {}
    for char in outside_gsm7(text):
        plain = _plain(char)
        if plain:
            counts[f"{named(char)}→{named(plain)}"] = text.count(char)
            text = text.replace(char, plain)
    return text, counts


def within_gsm7(text: str) -> str:
    """Return what a text would be if every character had a plain form: `?` stands for those that have none."""
    plain, _ = replace(text)
    return _OUTSIDE.sub("?", plain)


def named(char: str) -> str:
    """Return a character so that a reader sees which it is."""
    return char if char.isprintable() and not char.isspace() else " ".join(f"U+{ord(each):04X}" for each in char)


def _coded(text: str) -> bytes | None:
    if "\0" in text:
        return None
    try:
        return codecs.charmap_encode(text, "strict", _CODES)[0]
    except UnicodeEncodeError:
        return None


def _measure_wide(text: str) -> Parts:
    units = text.encode("utf-16-le", "surrogatepass")
    count = len(units) // 2
    if count <= _ONE_WIDE:
        return Parts(UCS2, count, 1)
    if count == len(text):
        return Parts(UCS2, count, -(-count // _MANY_WIDE))
    return Parts(UCS2, count, _packed(count, _MANY_WIDE, opens_pair=lambda unit: units[2 * unit + 1] in _LEAD))


def _packed(count: int, size: int, *, opens_pair: Callable[[int], bool]) -> int:
    """Return the parts of `size` units; a pair that would be divided moves to the next part whole."""
    parts, start = 0, 0
    while start < count:
        end = start + size
        start = end - 1 if end < count and opens_pair(end - 1) else end
        parts += 1
    return parts


@cache
def _plain(char: str) -> str:
    """Return the plain form of a character outside GSM-7, empty if it has none."""
    if char in _PLAIN_FORMS:
        return _PLAIN_FORMS[char]
    letters = "".join(each for each in unicodedata.normalize("NFKD", char) if not unicodedata.combining(each))
    return letters if _coded(letters) is not None else ""
