"""The owed contacts of an audience, and the count of everybody else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from octoplan.core.model import Rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from duckdb import DuckDBPyConnection

    from octoplan.core.model import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """Who is owed a message, and why everybody else is not: rows = contacts + already sent + excluded.

    `left_out` counts the members of a closed edition who were not sent it and are not owed it now, by reason.
    `differ` counts duplicates whose used values are others than the first row's. `missing` counts
    owed contacts without a used value and without a fallback, `fallback` those who get it.
    `fiction` counts rows with a number or a domain reserved for fiction. `sizes` are the fewest and most
    characters of each used column, `countries` and `fixed` (fixed lines) counts of owed contacts, as are
    `misspelled_domains`, of those that look mistyped. E-mail addresses have no country.
    """

    rows: int
    contacts: int
    already_sent: int
    excluded: Mapping[str, int]
    left_out: Mapping[str, int]
    invalid_reasons: Mapping[str, int]
    differ: int
    missing: Mapping[str, int]
    fallback: Mapping[str, int]
    sizes: Mapping[str, tuple[int, int]]
    countries: Mapping[str, int]
    fixed: int
    fiction: int
    misspelled_domains: Mapping[str, int]
    findings: tuple[Finding, ...]
    connection: DuckDBPyConnection = field(repr=False, compare=False)

    @property
    def misspelled(self) -> int:
        """Owed contacts at a domain that looks mistyped."""
        return sum(self.misspelled_domains.values())

    def chunks(self, size: int = 10_000) -> Iterator[Rows]:
        """Yield the owed contacts in ascending key order, `size` at a time."""
        cursor = self.connection.cursor()
        for start in range(0, self.contacts, size):
            batch = cursor.execute(
                f"FROM texts WHERE row >= {start} AND row < {start + size} ORDER BY row"
            ).fetchnumpy()
            yield Rows(
                keys=_join(batch["high"], batch["low"]),
                addresses=batch["address"].tolist(),
                countries=batch["country"].tolist(),
                columns={name: batch[f"v{index}"].tolist() for index, name in enumerate(self.sizes)},
            )

    def close(self) -> None:
        """Forget the contacts; the counts stay."""
        self.connection.close()


def _join(high: np.ndarray, low: np.ndarray) -> list[bytes]:
    """Return the keys of two halves each; 8 bytes a half, big-endian, so that bytes sort as numbers do."""
    first, second = high.astype(">u8").tobytes(), low.astype(">u8").tobytes()
    return [first[at : at + 8] + second[at : at + 8] for at in range(0, len(first), 8)]
