"""The floor: DuckDB reads the file as text, distinct addresses are hashed. No plan can do less."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import duckdb

AUDIENCE = duckdb.read_csv(str(Path(sys.argv[1]) / "audience.csv"), all_varchar=True)
for (address,) in AUDIENCE.project("phone_number").distinct().fetchall():
    hashlib.blake2b(address.encode(), key=b"k" * 32, digest_size=16).digest()
