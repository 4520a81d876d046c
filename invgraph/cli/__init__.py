"""The command line: ``invgraph COMMAND ...``. A command is one file: a dataclass that is its options, with ``run``."""

import os

# Before torch loads its OpenMP: threads that wait for the next operation spin for some ten microseconds and then sleep,
# instead of spinning on. A fit is thousands of small operations; on a machine whose cores have other work, spinning
# makes a step ten times slower, and sleeping at once makes small operations cost a wake-up each.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
# Large tensors on large pages: 0.965 of the time of a training step.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

from .entry import main

__all__ = ["main"]
