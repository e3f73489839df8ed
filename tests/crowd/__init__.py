"""Many real processes on one ledger: started at one instant, stopped, continued and killed by a dice.

`python -m tests.crowd` is all of it; a smaller part runs in `make test`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent))  # where the tests' own modules lie
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported: a process that forks must have one thread
