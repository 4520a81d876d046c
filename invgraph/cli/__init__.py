"""The command line: ``invgraph COMMAND ...``. A command is one file: a dataclass that is its options, with ``run``."""

import os

# Before torch loads its OpenMP: threads that wait for the next operation sleep instead of spinning. A fit is thousands
# of small operations; on a machine whose cores have other work, spinning makes a step ten times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from .entry import main

__all__ = ["main"]
