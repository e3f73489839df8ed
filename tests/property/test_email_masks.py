"""The engine never reads an e-mail address differently from the library, whichever of the two was asked."""

from __future__ import annotations

import re
import tempfile
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from octoplan.audience import addresses, database
from octoplan.core.email import ACCEPT, REFUSE, Email, canonical
from octoplan.core.keys import canonical_address
from octoplan.core.model import AddressKind
from octoplan.core.phone import Phone
from octoplan.core.phone import canonical as number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from duckdb import DuckDBPyConnection

Judged = tuple[str | None, str | None, bool]

LOCAL = st.text(st.sampled_from("aZ9_+&'.-*\"é\u212a\u017f"), max_size=8)
LABEL = st.one_of(
    st.text(st.sampled_from("aZ9-_éß\u212a\u0130\u3002\uff0e"), max_size=6),
    st.sampled_from(["acme", "example", "xn--caf-dma", "XN--CAF-DMA", "xn--a", "cafe\u0301", "b" * 50, "b" * 51]),
)
ENDING = st.sampled_from(
    ["fr", "com", "CON", "f", "example", "TEST", "invalid", "localhost", "local", "onion", "1", "ｃｏｍ", "a" * 25, ""]
)
BLANK = st.sampled_from(["", "", " ", "\t", "\u00a0", "\u202f", "\r\n", "\u200b", "<", ">"])
ADDRESS = st.builds(
    lambda before, local, labels, ending, after: f"{before}{local}@{'.'.join([*labels, ending])}{after}",
    BLANK,
    LOCAL,
    st.lists(LABEL, max_size=5),
    ENDING,
    BLANK,
)
USUAL = st.from_regex(
    r"[aZ9_+&'.-]{1,5}@(?:[aZ9-]{1,4}\.){1,3}(?:fr|COM|Test|LOCAL|example\.(?:com|Org)|[a9]{1,3})", fullmatch=True
)
CELL = st.one_of(
    USUAL,
    ADDRESS,
    ADDRESS.map(str.swapcase),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
    st.from_regex(r"[+(]{0,3}[0-9][-0-9 .()/]{0,12}", fullmatch=True),
    st.sampled_from(["a" * 64 + "@b.fr", "a" * 65 + "@b.fr", "a@" + "b." * 126 + "fr", "a@b.c.d.e.f.g.fr"]),
)


@pytest.fixture(scope="module")
def connection() -> Iterator[DuckDBPyConnection]:
    with tempfile.TemporaryDirectory() as folder:
        connection = database.connect(Path(folder))
        yield connection
        connection.close()


def judge(connection: DuckDBPyConnection, cells: Sequence[str], kind: AddressKind) -> list[Judged]:
    """Return address, reason and fiction of each cell, as the engine has them."""
    database.put(
        connection, "cells", columns={"row": np.arange(len(cells)), "cell": np.array([*cells, None], dtype=object)[:-1]}
    )
    addresses.canonicalise(connection, "cells", into="judged", kind=kind, country="FR")
    found = connection.execute("FROM judged SELECT address, reason, fiction ORDER BY row").fetchall()
    connection.execute("DROP TABLE judged")
    connection.execute("DROP TABLE cells")
    return found


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CELL, min_size=1, max_size=40))
def test_the_engine_reads_cells_as_the_library_does(connection: DuckDBPyConnection, cells: list[str]) -> None:
    assert judge(connection, cells, AddressKind.EMAIL) == [expected(cell) for cell in cells]


def test_the_engine_reads_every_order_of_dots_and_hyphens_as_the_library_does(connection: DuckDBPyConnection) -> None:
    cells = [f"{local}@a.fr" for local in orders("a.-", 4)] + [f"a@{domain}.fr" for domain in orders("a.-", 6)]
    assert len(cells) > 1_000
    assert judge(connection, cells, AddressKind.EMAIL) == [expected(cell) for cell in cells]


def orders(characters: str, most: int) -> list[str]:
    return ["".join(chosen) for length in range(1, most + 1) for chosen in product(characters, repeat=length)]


def expected(cell: str) -> Judged:
    found = canonical(cell)
    return (found.address, None, found.fiction) if isinstance(found, Email) else (None, found, False)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CELL, min_size=1, max_size=40))
def test_e_mail_addresses_among_numbers_are_told_as_the_library_does(
    connection: DuckDBPyConnection, cells: list[str]
) -> None:
    read = [number(cell, "FR") for cell in cells]
    judged = [(one.e164, None, one.fiction) if isinstance(one, Phone) else (None, one, False) for one in read]
    assert judge(connection, cells, AddressKind.PHONE) == judged


@given(CELL)
def test_any_text_has_an_address_or_a_reason(raw: str) -> None:
    found = canonical(raw)
    if isinstance(found, str):
        assert re.fullmatch("[a-z-]+", found)
        return
    assert canonical(found.address) == found
    assert found.address == canonical_address(raw) == found.address.lower()
    assert found.address.isascii()
    assert canonical(f" {found.address.upper()}\n") == found


def test_the_mask_knows_what_is_usual() -> None:
    usual = ["zoe@acme.fr", "Jean-Luc.D'Arc+news@mail.acme.co.uk", "a_b&c@x.example", "ZOE@GMAIL.COM"]
    assert all(re.fullmatch(ACCEPT, one) and not re.search(REFUSE, one) for one in usual)
