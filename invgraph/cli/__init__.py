"""The command line: ``invgraph COMMAND ...``. A command is one file: a dataclass that is its options, with ``run``."""

from .entry import main

__all__ = ["main"]
