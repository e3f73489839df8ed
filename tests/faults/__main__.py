"""`python -m tests.faults`."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a process that is forked has one thread

from faults.command import main

if __name__ == "__main__":
    sys.exit(main())
