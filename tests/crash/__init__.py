"""Crash at every durable or network call of an apply: killed there, or told that the disk is full or broken.

One apply sends batches, another confirms a campaign on a list that the provider holds.
`python -m tests.crash` needs strace and leave to trace; it is no part of `make test`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent))  # where the tests' own modules lie
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported: a process that forks must have one thread
